// Every op in its own syntax, once with all that is optional and once without:
// it prints, and comes back from that and from the generic form. Where only one
// type of ours can stand, its name is left out in print.
//
// RUN: %opt %s --verify-roundtrip | FileCheck %s
// RUN: %opt %s --mlir-print-op-generic | %opt | FileCheck %s

//===----------------------------------------------------------------------===//
// Declarations
//===----------------------------------------------------------------------===//

// CHECK: llama.model @entries entries [#llama.entry<name = "decode", rows = 1, embed = @embed, layers = [@kernel, @run], of = [0, 1]>] lm_heads [@lm_head]
llama.model @entries entries [#llama.entry<name = "decode", rows = 1, embed = @embed, layers = [@kernel, @run], of = [0, 1]>] lm_heads [@lm_head]
// CHECK: llama.model @steps steps [@plain, @tables] lm_heads [@plain]
llama.model @steps steps [@plain, @tables] lm_heads [@plain]

// CHECK: llama.weight @token_embd : 64x32 formats [#llama.q8_0]{{$}}
llama.weight @token_embd : 64x32 formats [#llama.q8_0]
// CHECK: llama.weight @output_norm : 32 formats [#llama.f32] in [#llama.rowmajor]
llama.weight @output_norm : 32 formats [#llama.f32] in [#llama.rowmajor]
// CHECK: llama.weights @blk layers 2 {
llama.weights @blk layers 2 {
  // CHECK-NEXT: llama.weight @attn_norm : 32 formats [#llama.f32]{{$}}
  llama.weight @attn_norm : 32 formats [#llama.f32]
  // CHECK-NEXT: llama.weight @attn_v : 16x256 formats [#llama.q4_0, #llama.q6_k] of [1, 0] in [#llama.interleaved16<k = 4>, #llama.interleaved16<k = 4>]
  llama.weight @attn_v : 16x256 formats [#llama.q4_0, #llama.q6_k] of [1, 0] in [#llama.interleaved16<k = 4>, #llama.interleaved16<k = 4>]
}
// CHECK: llama.cache_layout !llama.cache<2x1x16, f16> keys #llama.keys_interleaved16 values #llama.rowmajor
llama.cache_layout !llama.cache<2x1x16, f16> keys #llama.keys_interleaved16 values #llama.rowmajor
// CHECK: llama.rope_table head 16 base 1.000000e+04
llama.rope_table head 16 base 1.0e+04
// CHECK: llama.rope_table head 16 base 1.000000e+04 as <dims = 8, rule = linear, factor = 2.000000e+00 : f64>
llama.rope_table head 16 base 1.0e+04 as <dims = 8, rule = linear, factor = 2.0>

// CHECK-LABEL: func.func @weight_ref
func.func @weight_ref(%l: index) {
  // CHECK: llama.weight_ref @token_embd : <64x32, #llama.q8_0>{{$}}
  %0 = llama.weight_ref @token_embd : !llama.weight<64x32, #llama.q8_0>
  // CHECK: llama.weight_ref @blk::@attn_norm[%{{.*}}] : <32, #llama.f32>{{$}}
  %1 = llama.weight_ref @blk::@attn_norm[%l] : !llama.weight<32, #llama.f32>
  // CHECK: llama.weight_ref @blk::@attn_v[%{{.*}}] : <16x256, #llama.q6_k> in #llama.interleaved16<k = 4> index 2{{$}}
  %2 = llama.weight_ref @blk::@attn_v[%l] : !llama.weight<16x256, #llama.q6_k> in #llama.interleaved16<k = 4> index 2
  return
}

// CHECK-LABEL: func.func @input
func.func @input() {
  // CHECK: llama.input ids : tensor<?xi32>
  %0 = llama.input ids : tensor<?xi32>
  // CHECK: llama.input positions : tensor<1xi32>
  %1 = llama.input positions : tensor<1xi32>
  // CHECK: llama.input cache : !llama.cache<2x1x16, f16>
  %2 = llama.input cache : !llama.cache<2x1x16, f16>
  // CHECK: llama.input wanted : tensor<?xi32>
  %3 = llama.input wanted : tensor<?xi32>
  return
}

//===----------------------------------------------------------------------===//
// The graph
//===----------------------------------------------------------------------===//

// CHECK-LABEL: func.func @embed
func.func @embed(%ids: tensor<?xi32>, %w: !llama.weight<64x32, #llama.q8_0>) -> tensor<?x32xf32> {
  // CHECK: llama.embed %{{.*}}, %{{.*}} : tensor<?xi32>, <64x32, #llama.q8_0> -> tensor<?x32xf32>
  %x = llama.embed %ids, %w : tensor<?xi32>, !llama.weight<64x32, #llama.q8_0> -> tensor<?x32xf32>
  return %x : tensor<?x32xf32>
}

// CHECK-LABEL: func.func @rms_norm
func.func @rms_norm(%x: tensor<?x32xf32>, %two: tensor<?x64xf32>, %w: !llama.weight<32, #llama.f32>) -> tensor<?x32xf32> {
  // CHECK: llama.rms_norm %{{.*}}, %{{.*}} eps 1.000000e-05 : tensor<?x32xf32>, <32, #llama.f32>
  %y = llama.rms_norm %x, %w eps 1.0e-05 : tensor<?x32xf32>, !llama.weight<32, #llama.f32>
  // CHECK: llama.rms_norm %{{.*}}, %{{.*}} eps 1.000000e-05 order <lanes = 16> : tensor<?x32xf32>, <32, #llama.f32>
  %z = llama.rms_norm %y, %w eps 1.0e-05 order <lanes = 16> : tensor<?x32xf32>, !llama.weight<32, #llama.f32>
  // CHECK: llama.rms_norm %{{.*}}, %{{.*}} eps 1.000000e-05 heads 2 : tensor<?x64xf32>, <32, #llama.f32>
  %0 = llama.rms_norm %two, %w eps 1.0e-05 heads 2 : tensor<?x64xf32>, !llama.weight<32, #llama.f32>
  return %z : tensor<?x32xf32>
}

// CHECK-LABEL: func.func @bias_and_scale
func.func @bias_and_scale(%x: tensor<?x32xf32>, %w: !llama.weight<32, #llama.f32>) -> tensor<?x32xf32> {
  // CHECK: llama.bias %{{.*}}, %{{.*}} : tensor<?x32xf32>, <32, #llama.f32>
  %y = llama.bias %x, %w : tensor<?x32xf32>, !llama.weight<32, #llama.f32>
  // CHECK: llama.scale %{{.*}} by 2.500000e-01 : tensor<?x32xf32>
  %z = llama.scale %y by 0.25 : tensor<?x32xf32>
  return %z : tensor<?x32xf32>
}

// CHECK-LABEL: func.func @family
func.func @family(%q: tensor<?x32xf32>, %one: tensor<1x32xf32>, %kv: !llama.cache<2x1x16, f16>, %l: index, %pos: tensor<?xi32>, %only: tensor<1xi32>) -> tensor<1x32xf32> {
  // CHECK: llama.rope %{{.*}}, %{{.*}} base 1.000000e+04 heads 2 as <rule = yarn, factor = 4.000000e+00 : f64, original = 4096, low = 1.000000e+00 : f64, high = 3.200000e+01 : f64, magnitude = 1.500000e+00 : f64> : tensor<?x32xf32>, tensor<?xi32>
  %r = llama.rope %q, %pos base 1.0e+04 heads 2 as <rule = yarn, factor = 4.0, original = 4096, low = 1.0, high = 32.0, magnitude = 1.5> : tensor<?x32xf32>, tensor<?xi32>
  // CHECK: llama.rope %{{.*}}, %{{.*}} base 1.000000e+04 heads 2 as <dims = 4, factors = [1.000000e+00, 8.000000e+00]> : tensor<?x32xf32>, tensor<?xi32>
  %f = llama.rope %q, %pos base 1.0e+04 heads 2 as <dims = 4, factors = [1.0, 8.0]> : tensor<?x32xf32>, tensor<?xi32>
  // CHECK: llama.attention %{{.*}}, %{{.*}}[%{{.*}}], %{{.*}} causal heads 2 window 4096 scale 1.250000e-01 keys 256 : tensor<?x32xf32>, <2x1x16, f16>, tensor<?xi32>
  %y = llama.attention %q, %kv[%l], %pos causal heads 2 window 4096 scale 0.125 keys 256 : tensor<?x32xf32>, !llama.cache<2x1x16, f16>, tensor<?xi32>
  // CHECK: llama.attention_part %{{.*}}, %{{.*}}[%{{.*}}], %{{.*}} causal heads 2 window 4096 scale 1.250000e-01 keys 256 : tensor<1x32xf32>, <2x1x16, f16>, tensor<1xi32> -> tensor<1x2x?x18xf32>
  %p = llama.attention_part %one, %kv[%l], %only causal heads 2 window 4096 scale 0.125 keys 256 : tensor<1x32xf32>, !llama.cache<2x1x16, f16>, tensor<1xi32> -> tensor<1x2x?x18xf32>
  // CHECK: llama.attention_merge %{{.*}} heads 2 window 4096 keys 256 : tensor<1x2x?x18xf32> -> tensor<1x32xf32>
  %m = llama.attention_merge %p heads 2 window 4096 keys 256 : tensor<1x2x?x18xf32> -> tensor<1x32xf32>
  return %m : tensor<1x32xf32>
}

// CHECK-LABEL: func.func @layer_norm
func.func @layer_norm(%x: tensor<?x32xf32>, %w: !llama.weight<32, #llama.f32>) -> tensor<?x32xf32> {
  // CHECK: llama.layer_norm two_pass %{{.*}}, %{{.*}} eps 1.000000e-05 : tensor<?x32xf32>, <32, #llama.f32>{{$}}
  %y = llama.layer_norm two_pass %x, %w eps 1.0e-05 : tensor<?x32xf32>, !llama.weight<32, #llama.f32>
  // CHECK: llama.layer_norm one_pass %{{.*}}, %{{.*}}, %{{.*}} eps 1.000000e-05 order <lanes = 16> : tensor<?x32xf32>, <32, #llama.f32>, !llama.weight<32, #llama.f32>
  %z = llama.layer_norm one_pass %y, %w, %w eps 1.0e-05 order <lanes = 16> : tensor<?x32xf32>, !llama.weight<32, #llama.f32>, !llama.weight<32, #llama.f32>
  return %z : tensor<?x32xf32>
}

// CHECK-LABEL: func.func @position_encoding
func.func @position_encoding(%pos: tensor<?xi32>) {
  // CHECK: llama.position_encoding binary of %{{.*}} : tensor<?xi32> -> tensor<?x12xf32>
  %0 = llama.position_encoding binary of %pos : tensor<?xi32> -> tensor<?x12xf32>
  // CHECK: llama.position_encoding sine of %{{.*}} base 1.000000e+04 : tensor<?xi32> -> tensor<?x7xf32>
  %1 = llama.position_encoding sine of %pos base 1.0e+04 : tensor<?xi32> -> tensor<?x7xf32>
  // CHECK: llama.position_encoding sinusoidal of %{{.*}} base 1.000000e+04 angles f32 : tensor<?xi32> -> tensor<?x8xf32>
  %2 = llama.position_encoding sinusoidal of %pos base 1.0e+04 angles f32 : tensor<?xi32> -> tensor<?x8xf32>
  return
}

// CHECK-LABEL: func.func @linear
func.func @linear(%x: tensor<?x32xf32>, %q: tensor<1x32x!llama.q8b32>, %d: tensor<1x32x!llama.x24b32>, %b: tensor<1x32xbf16>,
                  %w: !llama.weight<48x32, #llama.q4_0>) {
  // CHECK: llama.linear %{{.*}}, %{{.*}} order <unit = #cpu.fma, block = 32, scale = outer> : tensor<?x32xf32>, <48x32, #llama.q4_0> -> tensor<?x48xf32>
  %0 = llama.linear %x, %w order <unit = #cpu.fma, block = 32, scale = outer> : tensor<?x32xf32>, !llama.weight<48x32, #llama.q4_0> -> tensor<?x48xf32>
  // CHECK: llama.linear %{{.*}}, %{{.*}} : tensor<1x32x!llama.q8b32>, <48x32, #llama.q4_0> -> tensor<1x48xf32>
  %1 = llama.linear %q, %w : tensor<1x32x!llama.q8b32>, !llama.weight<48x32, #llama.q4_0> -> tensor<1x48xf32>
  // CHECK: llama.linear %{{.*}}, %{{.*}} order <unit = #cpu.dot_u8s8<digits = 3>, block = 32, scale = outer> : tensor<1x32x!llama.x24b32>, <48x32, #llama.q4_0> -> tensor<1x48xf32>
  %3 = llama.linear %d, %w order <unit = #cpu.dot_u8s8<digits = 3>, block = 32, scale = outer> : tensor<1x32x!llama.x24b32>, !llama.weight<48x32, #llama.q4_0> -> tensor<1x48xf32>
  // CHECK: llama.linear %{{.*}}, %{{.*}} : tensor<1x32xbf16>, <48x32, #llama.q4_0> -> tensor<1x48xf32>
  %2 = llama.linear %b, %w : tensor<1x32xbf16>, !llama.weight<48x32, #llama.q4_0> -> tensor<1x48xf32>
  return
}

// CHECK-LABEL: func.func @rope
func.func @rope(%x: tensor<?x32xf32>, %pos: tensor<?xi32>) -> tensor<?x32xf32> {
  // CHECK: llama.rope %{{.*}}, %{{.*}} base 1.000000e+04 heads 2 : tensor<?x32xf32>, tensor<?xi32>
  %y = llama.rope %x, %pos base 1.0e+04 heads 2 : tensor<?x32xf32>, tensor<?xi32>
  return %y : tensor<?x32xf32>
}

// Types of keys and of values; one stands for both.
// CHECK: func.func private @caches(!llama.cache<2x1x32, q8_0>, !llama.cache<2x1x32, q8_0, f16>, !llama.cache<2x1x16, f32, bf16>)
func.func private @caches(!llama.cache<2x1x32, q8_0, q8_0>, !llama.cache<2x1x32, q8_0, f16>, !llama.cache<2x1x16, f32, bf16>)

// CHECK-LABEL: func.func @cache(
func.func @cache(%kv: !llama.cache<2x1x16, f16>, %l: index, %k: tensor<1x16xf32>,
                 %q: tensor<1x32xf32>, %pos: tensor<1xi32>) -> tensor<1x32xf32> {
  // CHECK: llama.kv_append %{{.*}}[%{{.*}}], %{{.*}}, %{{.*}} at %{{.*}} : <2x1x16, f16>, tensor<1x16xf32>, tensor<1x16xf32>, tensor<1xi32>
  llama.kv_append %kv[%l], %k, %k at %pos : !llama.cache<2x1x16, f16>, tensor<1x16xf32>, tensor<1x16xf32>, tensor<1xi32>
  // CHECK: llama.attention %{{.*}}, %{{.*}}[%{{.*}}], %{{.*}} causal heads 2 : tensor<1x32xf32>, <2x1x16, f16>, tensor<1xi32>
  %0 = llama.attention %q, %kv[%l], %pos causal heads 2 : tensor<1x32xf32>, !llama.cache<2x1x16, f16>, tensor<1xi32>
  // CHECK: llama.attention %{{.*}}, %{{.*}}[%{{.*}}], %{{.*}} causal heads 2 keys 256 order <unit = #cpu.fma, block = 256, lanes = 16> : tensor<1x32xf32>
  %1 = llama.attention %0, %kv[%l], %pos causal heads 2 keys 256 order <unit = #cpu.fma, block = 256, lanes = 16> : tensor<1x32xf32>, !llama.cache<2x1x16, f16>, tensor<1xi32>
  // CHECK: llama.attention_part %{{.*}}, %{{.*}}[%{{.*}}], %{{.*}} causal heads 2 keys 256 : tensor<1x32xf32>, <2x1x16, f16>, tensor<1xi32> -> tensor<1x2x?x18xf32>
  %2 = llama.attention_part %1, %kv[%l], %pos causal heads 2 keys 256 : tensor<1x32xf32>, !llama.cache<2x1x16, f16>, tensor<1xi32> -> tensor<1x2x?x18xf32>
  // CHECK: llama.attention_merge %{{.*}} heads 2 : tensor<1x2x?x18xf32> -> tensor<1x32xf32>
  %3 = llama.attention_merge %2 heads 2 : tensor<1x2x?x18xf32> -> tensor<1x32xf32>
  // CHECK: llama.attention_part %{{.*}} keys 256 order <lanes = 16> : tensor<1x32xf32>
  %4 = llama.attention_part %3, %kv[%l], %pos causal heads 2 keys 256 order <lanes = 16> : tensor<1x32xf32>, !llama.cache<2x1x16, f16>, tensor<1xi32> -> tensor<1x2x?x18xf32>
  // CHECK: llama.attention_merge %{{.*}} heads 2 keys 256 : tensor<1x2x?x18xf32> -> tensor<1x32xf32>
  %5 = llama.attention_merge %4 heads 2 keys 256 : tensor<1x2x?x18xf32> -> tensor<1x32xf32>
  return %5 : tensor<1x32xf32>
}

// CHECK-LABEL: func.func @elementwise
func.func @elementwise(%a: tensor<?x64xf32>, %b: tensor<?x64xf32>) {
  // CHECK: llama.swiglu %{{.*}}, %{{.*}} : tensor<?x64xf32>
  %0 = llama.swiglu %a, %b : tensor<?x64xf32>
  // CHECK: llama.silu %{{.*}} : tensor<?x64xf32>
  %1 = llama.silu %a : tensor<?x64xf32>
  // CHECK: llama.mul %{{.*}}, %{{.*}} : tensor<?x64xf32>
  %2 = llama.mul %1, %b : tensor<?x64xf32>
  // CHECK: llama.add %{{.*}}, %{{.*}} : tensor<?x64xf32>
  %3 = llama.add %2, %b : tensor<?x64xf32>
  // CHECK: llama.relu %{{.*}} : tensor<?x64xf32>
  %relu = llama.relu %a : tensor<?x64xf32>
  // CHECK: llama.gelu %{{.*}} : tensor<?x64xf32>
  %gelu = llama.gelu %a : tensor<?x64xf32>
  // CHECK: llama.quantize %{{.*}} : tensor<?x64xf32> to tensor<?x64x!llama.q8b32>
  %5 = llama.quantize %a : tensor<?x64xf32> to tensor<?x64x!llama.q8b32>
  // CHECK: llama.quantize %{{.*}} : tensor<?x64xf32> to tensor<?x64x!llama.x24b32>
  %digits = llama.quantize %a : tensor<?x64xf32> to tensor<?x64x!llama.x24b32>
  // CHECK: llama.quantize %{{.*}} : tensor<?x64xf32> to tensor<?x64xbf16>
  %6 = llama.quantize %a : tensor<?x64xf32> to tensor<?x64xbf16>
  // CHECK: llama.quantize %{{.*}} : tensor<?x64xf32> to tensor<?x64xf16>
  %half = llama.quantize %a : tensor<?x64xf32> to tensor<?x64xf16>
  return
}

//===----------------------------------------------------------------------===//
// Kernels, buffers, steps
//===----------------------------------------------------------------------===//

// CHECK-LABEL: func.func @kernel
func.func @kernel(%x: tensor<1x32xf32>) -> tensor<1x32xf32> {
  // CHECK: llama.kernel "one" (%[[X:.*]] = %{{.*}} : tensor<1x32xf32>) -> tensor<1x32xf32> {
  // CHECK-NEXT: %[[Y:.*]] = llama.add %[[X]], %[[X]] : tensor<1x32xf32>
  // CHECK-NEXT: llama.yield %[[Y]] : tensor<1x32xf32>
  %0 = llama.kernel "one" (%a = %x : tensor<1x32xf32>) -> tensor<1x32xf32> {
    %s = llama.add %a, %a : tensor<1x32xf32>
    llama.yield %s : tensor<1x32xf32>
  }
  // CHECK: llama.kernel "two" (%{{.*}} = %{{.*}} : tensor<1x32xf32>, %{{.*}} = %{{.*}} : tensor<1x32xf32>) -> (tensor<1x32xf32>, tensor<1x32xf32>) strategy #cpu.strategy<unit = #cpu.fma, m = 1, n = 32> partition <rows = [32], by = 16> {
  %1:2 = llama.kernel "two" (%a = %x : tensor<1x32xf32>, %b = %0 : tensor<1x32xf32>) -> (tensor<1x32xf32>, tensor<1x32xf32>) strategy #cpu.strategy<unit = #cpu.fma, m = 1, n = 32> partition <rows = [32], by = 16> {
    llama.yield %b, %a : tensor<1x32xf32>, tensor<1x32xf32>
  }
  // CHECK: llama.kernel "none" () {
  // CHECK-NEXT: llama.yield{{$}}
  llama.kernel "none" () {
    llama.yield
  }
  return %1#0 : tensor<1x32xf32>
}

// CHECK: llama.buffer @x : tensor<8x32xf32>{{$}}
llama.buffer @x : tensor<8x32xf32>
// CHECK: llama.buffer @x.rounded : tensor<8x32x!llama.q8b32> at 1024
llama.buffer @x.rounded : tensor<8x32x!llama.q8b32> at 1024
// CHECK: llama.buffer @x.digits : tensor<8x32x!llama.x24b32> at 1408
llama.buffer @x.digits : tensor<8x32x!llama.x24b32> at 1408

// CHECK-LABEL: func.func @run
func.func @run(%rows: tensor<?xi32>) {
  // CHECK: llama.buffer_read @x : tensor<?x32xf32>
  %0 = llama.buffer_read @x : tensor<?x32xf32>
  // CHECK: llama.buffer_read @x[%{{.*}} : tensor<?xi32>] at 64 : tensor<?x32xf32>
  %1 = llama.buffer_read @x[%rows : tensor<?xi32>] at 64 : tensor<?x32xf32>
  // CHECK: llama.buffer_write %{{.*}}, @x : tensor<?x32xf32>
  llama.buffer_write %0, @x : tensor<?x32xf32>
  // CHECK: llama.buffer_write %{{.*}}, @x at 64 : tensor<?x32xf32>
  llama.buffer_write %1, @x at 64 : tensor<?x32xf32>
  return
}
func.func @lm_head() {
  return
}

// CHECK: llama.step @plain rows 1 {
llama.step @plain rows 1 {
  // CHECK-NEXT: llama.dispatch @lm_head{{$}}
  llama.dispatch @lm_head
  // CHECK-NEXT: llama.barrier{{$}}
  llama.barrier
}
// CHECK: llama.step @tables rows 512 {
llama.step @tables rows 512 {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c2 = arith.constant 2 : index
  scf.for %l = %c0 to %c2 step %c1 {
    // CHECK: llama.dispatch @run(%{{.*}})
    llama.dispatch @run(%l)
    // CHECK: llama.dispatch [@kernel.0, @kernel.1] of [1, 0](%{{.*}})
    llama.dispatch [@kernel.0, @kernel.1] of [1, 0] (%l)
  }
}
func.func private @kernel.0(%l: index)
func.func private @kernel.1(%l: index)
