// What common subexpression elimination may merge, and what it may not.
//
// RUN: %opt %s --cse | FileCheck %s

llama.weights @blk layers 2 { llama.weight @w : 32x32 formats [#llama.f32] }
llama.buffer @x : tensor<1x32xf32>

// CHECK-LABEL: func.func @equal_references_are_one
// CHECK-COUNT-1: llama.weight_ref
// CHECK-NOT: llama.weight_ref
// CHECK-COUNT-1: llama.linear
// CHECK-NOT: llama.linear
// CHECK: return %[[Y:.*]], %[[Y]]
func.func @equal_references_are_one(%x: tensor<1x32xf32>, %l: index) -> (tensor<1x32xf32>, tensor<1x32xf32>) {
  %w0 = llama.weight_ref @blk::@w[%l] : !llama.weight<32x32, #llama.f32>
  %w1 = llama.weight_ref @blk::@w[%l] : !llama.weight<32x32, #llama.f32>
  %y0 = llama.linear %x, %w0 : tensor<1x32xf32>, !llama.weight<32x32, #llama.f32> -> tensor<1x32xf32>
  %y1 = llama.linear %x, %w1 : tensor<1x32xf32>, !llama.weight<32x32, #llama.f32> -> tensor<1x32xf32>
  return %y0, %y1 : tensor<1x32xf32>, tensor<1x32xf32>
}

// CHECK-LABEL: func.func @references_of_two_layers_are_two
// CHECK-COUNT-2: llama.weight_ref
func.func @references_of_two_layers_are_two(%x: tensor<1x32xf32>, %l: index, %m: index) -> (tensor<1x32xf32>, tensor<1x32xf32>) {
  %w0 = llama.weight_ref @blk::@w[%l] : !llama.weight<32x32, #llama.f32>
  %w1 = llama.weight_ref @blk::@w[%m] : !llama.weight<32x32, #llama.f32>
  %y0 = llama.linear %x, %w0 : tensor<1x32xf32>, !llama.weight<32x32, #llama.f32> -> tensor<1x32xf32>
  %y1 = llama.linear %x, %w1 : tensor<1x32xf32>, !llama.weight<32x32, #llama.f32> -> tensor<1x32xf32>
  return %y0, %y1 : tensor<1x32xf32>, tensor<1x32xf32>
}

// The operands of add and mul may stand either way round.
// CHECK-LABEL: func.func @add_and_mul_commute
// CHECK-COUNT-1: llama.add
// CHECK-NOT: llama.add
// CHECK-COUNT-1: llama.mul
// CHECK-NOT: llama.mul
// CHECK: return
func.func @add_and_mul_commute(%a: tensor<1x32xf32>, %b: tensor<1x32xf32>) -> (tensor<1x32xf32>, tensor<1x32xf32>, tensor<1x32xf32>, tensor<1x32xf32>) {
  %0 = llama.add %a, %b : tensor<1x32xf32>
  %1 = llama.add %b, %a : tensor<1x32xf32>
  %2 = llama.mul %a, %b : tensor<1x32xf32>
  %3 = llama.mul %b, %a : tensor<1x32xf32>
  return %0, %1, %2, %3 : tensor<1x32xf32>, tensor<1x32xf32>, tensor<1x32xf32>, tensor<1x32xf32>
}

// CHECK-LABEL: func.func @appends_are_never_merged
// CHECK-COUNT-2: llama.kv_append
func.func @appends_are_never_merged(%k: tensor<1x16xf32>, %kv: !llama.cache<2x1x16, f16>, %l: index, %pos: tensor<1xi32>) {
  llama.kv_append %kv[%l], %k, %k at %pos : !llama.cache<2x1x16, f16>, tensor<1x16xf32>, tensor<1x16xf32>, tensor<1xi32>
  llama.kv_append %kv[%l], %k, %k at %pos : !llama.cache<2x1x16, f16>, tensor<1x16xf32>, tensor<1x16xf32>, tensor<1xi32>
  return
}

// CHECK-LABEL: func.func @attention_across_an_append_is_two
// CHECK: llama.attention %
// CHECK: llama.attention_part
// CHECK: llama.kv_append
// CHECK: llama.attention %
// CHECK: llama.attention_part
func.func @attention_across_an_append_is_two(%q: tensor<1x32xf32>, %k: tensor<1x16xf32>, %kv: !llama.cache<2x1x16, f16>, %l: index, %pos: tensor<1xi32>) -> (tensor<1x32xf32>, tensor<1x32xf32>, tensor<1x2x?x18xf32>, tensor<1x2x?x18xf32>) {
  %0 = llama.attention %q, %kv[%l], %pos causal heads 2 : tensor<1x32xf32>, !llama.cache<2x1x16, f16>, tensor<1xi32>
  %1 = llama.attention_part %q, %kv[%l], %pos causal heads 2 keys 256 : tensor<1x32xf32>, !llama.cache<2x1x16, f16>, tensor<1xi32> -> tensor<1x2x?x18xf32>
  llama.kv_append %kv[%l], %k, %k at %pos : !llama.cache<2x1x16, f16>, tensor<1x16xf32>, tensor<1x16xf32>, tensor<1xi32>
  %2 = llama.attention %q, %kv[%l], %pos causal heads 2 : tensor<1x32xf32>, !llama.cache<2x1x16, f16>, tensor<1xi32>
  %3 = llama.attention_part %q, %kv[%l], %pos causal heads 2 keys 256 : tensor<1x32xf32>, !llama.cache<2x1x16, f16>, tensor<1xi32> -> tensor<1x2x?x18xf32>
  return %0, %2, %1, %3 : tensor<1x32xf32>, tensor<1x32xf32>, tensor<1x2x?x18xf32>, tensor<1x2x?x18xf32>
}

// CHECK-LABEL: func.func @attention_without_an_append_between_is_one
// CHECK-COUNT-1: llama.attention %
// CHECK-NOT: llama.attention %
// CHECK: return
func.func @attention_without_an_append_between_is_one(%q: tensor<1x32xf32>, %kv: !llama.cache<2x1x16, f16>, %l: index, %pos: tensor<1xi32>) -> (tensor<1x32xf32>, tensor<1x32xf32>) {
  %0 = llama.attention %q, %kv[%l], %pos causal heads 2 : tensor<1x32xf32>, !llama.cache<2x1x16, f16>, tensor<1xi32>
  %1 = llama.attention %q, %kv[%l], %pos causal heads 2 : tensor<1x32xf32>, !llama.cache<2x1x16, f16>, tensor<1xi32>
  return %0, %1 : tensor<1x32xf32>, tensor<1x32xf32>
}

// CHECK-LABEL: func.func @buffer_reads_across_a_write_are_two
// CHECK: llama.buffer_read
// CHECK: llama.buffer_write
// CHECK: llama.buffer_read
// CHECK: llama.buffer_write
func.func @buffer_reads_across_a_write_are_two(%y: tensor<1x32xf32>) -> (tensor<1x32xf32>, tensor<1x32xf32>) {
  %0 = llama.buffer_read @x : tensor<1x32xf32>
  llama.buffer_write %y, @x : tensor<1x32xf32>
  %1 = llama.buffer_read @x : tensor<1x32xf32>
  llama.buffer_write %y, @x : tensor<1x32xf32>
  return %0, %1 : tensor<1x32xf32>, tensor<1x32xf32>
}

// Nothing in a step writes what the runtime provides.
// CHECK-LABEL: func.func @equal_inputs_are_one
// CHECK-COUNT-1: llama.input positions
// CHECK-NOT: llama.input positions
// CHECK: return
func.func @equal_inputs_are_one() -> (tensor<1xi32>, tensor<1xi32>) {
  %0 = llama.input positions : tensor<1xi32>
  %1 = llama.input positions : tensor<1xi32>
  return %0, %1 : tensor<1xi32>, tensor<1xi32>
}

// CHECK-LABEL: llama.step @dispatches_and_barriers_are_never_merged
// CHECK-NEXT: llama.dispatch @k
// CHECK-NEXT: llama.dispatch @k
// CHECK-NEXT: llama.barrier
// CHECK-NEXT: llama.barrier
llama.step @dispatches_and_barriers_are_never_merged rows 1 {
  llama.dispatch @k
  llama.dispatch @k
  llama.barrier
  llama.barrier
}
func.func private @k()
