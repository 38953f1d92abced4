// corellama eval --native: a function by the phases of a program, beside the
// evaluator. Rows, columns and heads are multiples of no tile; eleven rows are
// many, three are few to 512-bit vectors and one is a form of its own.
//
// RUN: rm -rf %t && mkdir %t
// RUN: %python %S/Inputs/native.py %corellama %s %t | FileCheck %s
// CHECK: layer, 1 rows: equal
// CHECK: layer, 3 rows: equal
// CHECK: layer, 11 rows: equal
// CHECK: rope, 5 rows from position 999990: equal
// CHECK: embed, 4 rows: equal
// CHECK: time: ns, samples 2, kernels norm.0 qkv.1 attn.2 o.3
// CHECK: dump: a.npy a.probabilities.npy h.npy index.json k.npy kr.npy o.npy pos.npy q.npy qr.npy r.npy v.npy x.npy
// CHECK: probabilities: 4x11x11, rows sum to 1, zero behind the position
// CHECK: phases: 2-specialize.mlir 3-fuse.mlir 4-plan.mlir 5-schedule.mlir 6-tile.mlir 7-vector.mlir 8-llvm.mlir 9-assembly.s

// Two results, one of which no other op of the function needs; a layer that is
// an argument; weights in two formats.
func.func @layer(%x: tensor<?x36xf32>, %pos: tensor<?xi32>, %kv: !llama.cache<2x2x6, f16>, %l: index,
    %g: !llama.weight<36, #llama.f32>, %wq: !llama.weight<24x36, #llama.f32>, %wk: !llama.weight<12x36, #llama.f16>,
    %wv: !llama.weight<12x36, #llama.f32>, %wo: !llama.weight<36x24, #llama.f32>) -> (tensor<?x36xf32>, tensor<?x24xf32>) {
  %h = llama.rms_norm %x, %g eps 1.0e-05 : tensor<?x36xf32>, <36, #llama.f32>
  %q = llama.linear %h, %wq : tensor<?x36xf32>, <24x36, #llama.f32> -> tensor<?x24xf32>
  %k = llama.linear %h, %wk : tensor<?x36xf32>, <12x36, #llama.f16> -> tensor<?x12xf32>
  %v = llama.linear %h, %wv : tensor<?x36xf32>, <12x36, #llama.f32> -> tensor<?x12xf32>
  %qr = llama.rope %q, %pos base 1.0e+04 heads 4 : tensor<?x24xf32>, tensor<?xi32>
  %kr = llama.rope %k, %pos base 1.0e+04 heads 2 : tensor<?x12xf32>, tensor<?xi32>
  llama.kv_append %kv[%l], %kr, %v at %pos : <2x2x6, f16>, tensor<?x12xf32>, tensor<?x12xf32>, tensor<?xi32>
  %a = llama.attention %qr, %kv[%l], %pos causal heads 4 : tensor<?x24xf32>, <2x2x6, f16>, tensor<?xi32>
  %o = llama.linear %a, %wo : tensor<?x24xf32>, <36x24, #llama.f32> -> tensor<?x36xf32>
  %r = llama.add %x, %o : tensor<?x36xf32>
  return %r, %qr : tensor<?x36xf32>, tensor<?x24xf32>
}

// A static number of rows, too; positions far from zero have their own table.
func.func @rope(%x: tensor<5x36xf32>, %pos: tensor<5xi32>) -> tensor<5x36xf32> {
  %y = llama.rope %x, %pos base 1.0e+04 heads 2 : tensor<5x36xf32>, tensor<5xi32>
  return %y : tensor<5x36xf32>
}

// A declared weight, from a folder.
llama.weight @token_embd : 7x36 formats [#llama.f32]
func.func @embed(%ids: tensor<?xi32>) -> tensor<?x36xf32> {
  %w = llama.weight_ref @token_embd : <7x36, #llama.f32>
  %x = llama.embed %ids, %w : tensor<?xi32>, <7x36, #llama.f32> -> tensor<?x36xf32>
  return %x : tensor<?x36xf32>
}

// RUN: %python %S/../../dialects/Llama/Reference/npy.py %t/two.npy i4 2 0 2
// RUN: %python %S/../../dialects/Llama/Reference/npy.py %t/seven.npy i4 1 7
// RUN: %python %S/../../dialects/Llama/Reference/npy.py %t/x.npy f4 1x4 1 2 3 4
// RUN: not %corellama eval %s --native --entry positions --in %t/two.npy --in %t/two.npy 2>&1 | FileCheck %s --check-prefix=TWO
// TWO: corellama: {{.*}}eval-native.mlir: @positions: position 2 of row 1 does not follow that of the row before; a call's positions are consecutive{{$}}
func.func @positions(%ids: tensor<?xi32>, %pos: tensor<?xi32>) -> tensor<?xi32> {
  return %ids : tensor<?xi32>
}
// RUN: not %corellama eval %s --native --entry embed --in %t/seven.npy --weights %t/weights 2>&1 | FileCheck %s --check-prefix=SEVEN
// SEVEN: @embed: id 7 is not one of the vocabulary's 7{{$}}
// RUN: not %corellama eval %s --native --entry constant --in %t/x.npy 2>&1 | FileCheck %s --check-prefix=CONSTANT
// CONSTANT: @constant: arith.constant: native code is made of ops of the graph alone; give constants as arguments{{$}}
func.func @constant(%x: tensor<1x4xf32>) -> tensor<1x4xf32> {
  %c = arith.constant dense<1.0> : tensor<1x4xf32>
  %y = llama.add %x, %c : tensor<1x4xf32>
  return %y : tensor<1x4xf32>
}
// RUN: not %corellama eval %s --native --entry attend --in %t/x.npy --in 0 --in %t/seven.npy 2>&1 | FileCheck %s --check-prefix=EMPTY
// EMPTY: @attend: attention reads positions 0 to 6 of the cache, which were never appended{{$}}
// RUN: not %corellama eval %s --native --entry attend --in %t/x.npy --in 2 --in %t/seven.npy 2>&1 | FileCheck %s --check-prefix=LAYER
// LAYER: @attend: llama.attention: layer 2 is not one of 2{{$}}
// Timed it reads zeros there.
// RUN: %corellama eval %s --native --time --repeat 1 --entry attend --in %t/x.npy --in 0 --in %t/seven.npy | FileCheck %s --check-prefix=TIMED
// TIMED: {"entry":"attend","target":"{{.*}}","rows":1,"ns":{{.*}}"name":"attn.0"
func.func @attend(%q: tensor<?x4xf32>, %kv: !llama.cache<2x1x4, f32>, %l: index, %pos: tensor<?xi32>) -> tensor<?x4xf32> {
  %y = llama.attention %q, %kv[%l], %pos causal heads 1 : tensor<?x4xf32>, <2x1x4, f32>, tensor<?xi32>
  return %y : tensor<?x4xf32>
}
// RUN: not %corellama eval %s --native --mode ideal --entry attend 2>&1 | FileCheck %s --check-prefix=IDEAL
// IDEAL: --mode=ideal is of the evaluator, native code rounds as specified; leave out --native{{$}}
// RUN: not %corellama eval %s --native --target cuda:sm_80 --entry attend --in %t/x.npy --in 0 --in %t/seven.npy 2>&1 | FileCheck %s --check-prefix=GPU
// GPU: @attend: --target=cuda:sm_80: is not a CPU{{$}}
// RUN: not %corellama eval %s --time --entry attend 2>&1 | FileCheck %s --check-prefix=TIME
// TIME: --time requires --native
