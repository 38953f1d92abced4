// Ops that Llama does not have, by the phases of a program beside the evaluator.
// Columns are multiples of no tile; eleven rows are many, three are few to 512-bit
// vectors and one is a form of its own.
//
// RUN: rm -rf %t && mkdir %t
// RUN: %python %S/Inputs/variants.py %corellama %s %t | FileCheck %s
// CHECK: binary, 11 rows from position 2097141: equal
// CHECK: sine, 11 rows from position 0: equal
// CHECK: sine, 11 rows from position 999990: equal
// CHECK: pairs, 11 rows from position 0: equal
// CHECK: pairs, 1 rows from position 999990: equal
// CHECK: pairs, 11 rows from position 16777200: equal
// CHECK: single, 11 rows from position 999990: equal
// CHECK: f32 angles at 10^6 are off by {{[0-9.]+e-0[23]}}
// CHECK: one_pass, 1 rows: equal
// CHECK: one_pass, 3 rows: equal
// CHECK: one_pass, 11 rows: equal
// CHECK: two_pass, 1 rows: equal
// CHECK: two_pass, 3 rows: equal
// CHECK: two_pass, 11 rows: equal
// CHECK: wide, 1 rows for 256-bit vectors: equal
// CHECK: activations, 1 rows: equal
// CHECK: activations, 11 rows: equal
// CHECK: gated, 1 rows: equal
// CHECK: gated, 11 rows: equal
// CHECK: f16_cached, 11 rows: equal
// CHECK: bf16_cached, 11 rows: equal
// CHECK: halves, 5 rows: equal
// On a CPU with AVX512_BF16 the first, on others the second.
// CHECK: rounded_to_bf16, 5 rows: {{equal|refused}}
// CHECK: a mean of 4096: one pass is off by {{[0-9.e+]+}}, two passes are right

func.func @binary(%pos: tensor<?xi32>) -> tensor<?x21xf32> {
  %y = llama.position_encoding binary of %pos : tensor<?xi32> -> tensor<?x21xf32>
  return %y : tensor<?x21xf32>
}
func.func @sine(%pos: tensor<?xi32>) -> tensor<?x37xf32> {
  %y = llama.position_encoding sine of %pos base 1.0e+04 : tensor<?xi32> -> tensor<?x37xf32>
  return %y : tensor<?x37xf32>
}
// Added to rows, as a Transformer has it.
func.func @pairs(%x: tensor<?x50xf32>, %pos: tensor<?xi32>) -> (tensor<?x50xf32>, tensor<?x50xf32>) {
  %e = llama.position_encoding sinusoidal of %pos base 1.0e+04 : tensor<?xi32> -> tensor<?x50xf32>
  %y = llama.add %x, %e : tensor<?x50xf32>
  return %e, %y : tensor<?x50xf32>, tensor<?x50xf32>
}
func.func @single(%pos: tensor<?xi32>) -> tensor<?x50xf32> {
  %y = llama.position_encoding sinusoidal of %pos base 1.0e+04 angles f32 : tensor<?xi32> -> tensor<?x50xf32>
  return %y : tensor<?x50xf32>
}

// Before a product, with few rows in its prologue, and alone.
func.func @one_pass(%x: tensor<?x50xf32>, %g: !llama.weight<50, #llama.f32>, %b: !llama.weight<50, #llama.f32>,
    %w: !llama.weight<40x50, #llama.f32>) -> (tensor<?x40xf32>, tensor<?x50xf32>) {
  %h = llama.layer_norm one_pass %x, %g, %b eps 1.0e-05 : tensor<?x50xf32>, <50, #llama.f32>, !llama.weight<50, #llama.f32>
  %y = llama.linear %h, %w : tensor<?x50xf32>, <40x50, #llama.f32> -> tensor<?x40xf32>
  %z = llama.layer_norm one_pass %x, %g eps 1.0e-05 : tensor<?x50xf32>, <50, #llama.f32>
  return %y, %z : tensor<?x40xf32>, tensor<?x50xf32>
}
func.func @two_pass(%x: tensor<?x50xf32>, %g: !llama.weight<50, #llama.f32>, %b: !llama.weight<50, #llama.f32>,
    %w: !llama.weight<40x50, #llama.f32>) -> (tensor<?x40xf32>, tensor<?x50xf32>) {
  %h = llama.layer_norm two_pass %x, %g eps 1.0e-05 : tensor<?x50xf32>, <50, #llama.f32>
  %y = llama.linear %h, %w : tensor<?x50xf32>, <40x50, #llama.f32> -> tensor<?x40xf32>
  %z = llama.layer_norm two_pass %x, %g, %b eps 1.0e-05 : tensor<?x50xf32>, <50, #llama.f32>, !llama.weight<50, #llama.f32>
  return %y, %z : tensor<?x40xf32>, tensor<?x50xf32>
}

func.func @wide(%x: tensor<?x50xf32>, %g: !llama.weight<50, #llama.f32>, %w: !llama.weight<2048x50, #llama.f32>) -> tensor<?x2048xf32> {
  %h = llama.layer_norm two_pass %x, %g eps 1.0e-05 : tensor<?x50xf32>, <50, #llama.f32>
  %y = llama.linear %h, %w : tensor<?x50xf32>, <2048x50, #llama.f32> -> tensor<?x2048xf32>
  return %y : tensor<?x2048xf32>
}

// Alone, and behind a product.
func.func @activations(%x: tensor<?x50xf32>, %w: !llama.weight<40x50, #llama.f32>) -> (tensor<?x50xf32>, tensor<?x40xf32>, tensor<?x40xf32>) {
  %r = llama.relu %x : tensor<?x50xf32>
  %g = llama.gelu %r : tensor<?x50xf32>
  %h = llama.linear %x, %w : tensor<?x50xf32>, <40x50, #llama.f32> -> tensor<?x40xf32>
  %y = llama.gelu %h : tensor<?x40xf32>
  %z = llama.relu %h : tensor<?x40xf32>
  return %g, %y, %z : tensor<?x50xf32>, tensor<?x40xf32>, tensor<?x40xf32>
}

// With a gate, behind products and alone.
func.func @gated(%x: tensor<?x50xf32>, %w: !llama.weight<40x50, #llama.f32>, %v: !llama.weight<40x50, #llama.f16>) -> (tensor<?x40xf32>, tensor<?x50xf32>, tensor<?x50xf32>) {
  %g = llama.linear %x, %w : tensor<?x50xf32>, <40x50, #llama.f32> -> tensor<?x40xf32>
  %u = llama.linear %x, %v : tensor<?x50xf32>, <40x50, #llama.f16> -> tensor<?x40xf32>
  %y = llama.swiglu %g, %u : tensor<?x40xf32>
  %s = llama.silu %x : tensor<?x50xf32>
  %m = llama.mul %x, %x : tensor<?x50xf32>
  return %y, %s, %m : tensor<?x40xf32>, tensor<?x50xf32>, tensor<?x50xf32>
}

// What a cache of halves rounds, the evaluator rounds.
func.func @f16_cached(%x: tensor<?x24xf32>, %k: tensor<?x12xf32>, %pos: tensor<?xi32>, %kv: !llama.cache<1x2x6, f16>, %l: index) -> tensor<?x24xf32> {
  llama.kv_append %kv[%l], %k, %k at %pos : <1x2x6, f16>, tensor<?x12xf32>, tensor<?x12xf32>, tensor<?xi32>
  %y = llama.attention %x, %kv[%l], %pos causal heads 4 : tensor<?x24xf32>, <1x2x6, f16>, tensor<?xi32>
  return %y : tensor<?x24xf32>
}
func.func @bf16_cached(%x: tensor<?x24xf32>, %k: tensor<?x12xf32>, %pos: tensor<?xi32>, %kv: !llama.cache<1x2x6, bf16>, %l: index) -> tensor<?x24xf32> {
  llama.kv_append %kv[%l], %k, %k at %pos : <1x2x6, bf16>, tensor<?x12xf32>, tensor<?x12xf32>, tensor<?xi32>
  %y = llama.attention %x, %kv[%l], %pos causal heads 4 : tensor<?x24xf32>, <1x2x6, bf16>, tensor<?xi32>
  return %y : tensor<?x24xf32>
}

// Rounded behind a norm.
func.func @halves(%x: tensor<?x50xf32>, %g: !llama.weight<50, #llama.f32>) -> (tensor<?x50xf16>, tensor<?x50xf16>) {
  %h = llama.layer_norm two_pass %x, %g eps 1.0e-05 : tensor<?x50xf32>, <50, #llama.f32>
  %a = llama.gelu %h : tensor<?x50xf32>
  %y = llama.quantize %h : tensor<?x50xf32> to tensor<?x50xf16>
  %z = llama.quantize %a : tensor<?x50xf32> to tensor<?x50xf16>
  return %y, %z : tensor<?x50xf16>, tensor<?x50xf16>
}
func.func @rounded_to_bf16(%x: tensor<?x50xf32>, %g: !llama.weight<50, #llama.f32>) -> tensor<?x50xbf16> {
  %h = llama.layer_norm two_pass %x, %g eps 1.0e-05 : tensor<?x50xf32>, <50, #llama.f32>
  %a = llama.gelu %h : tensor<?x50xf32>
  %z = llama.quantize %a : tensor<?x50xf32> to tensor<?x50xbf16>
  return %z : tensor<?x50xbf16>
}
