// Canonical forms, and what dead code elimination and hoisting leave alone.
//
// RUN: %opt %s --canonicalize | FileCheck %s
// RUN: %opt %s --loop-invariant-code-motion | FileCheck %s --check-prefix=LICM

// CHECK-LABEL: func.func @silu_times_up_is_swiglu
// CHECK-SAME: (%[[G:.*]]: tensor<?x48xf32>, %[[U:.*]]: tensor<?x48xf32>)
// CHECK-NEXT: %[[Y:.*]] = llama.swiglu %[[G]], %[[U]] : tensor<?x48xf32>
// CHECK-NEXT: return %[[Y]]
func.func @silu_times_up_is_swiglu(%g: tensor<?x48xf32>, %u: tensor<?x48xf32>) -> tensor<?x48xf32> {
  %s = llama.silu %g : tensor<?x48xf32>
  %y = llama.mul %s, %u : tensor<?x48xf32>
  return %y : tensor<?x48xf32>
}

// CHECK-LABEL: func.func @up_times_silu_is_swiglu
// CHECK-SAME: (%[[G:.*]]: tensor<?x48xf32>, %[[U:.*]]: tensor<?x48xf32>)
// CHECK-NEXT: llama.swiglu %[[G]], %[[U]] : tensor<?x48xf32>
func.func @up_times_silu_is_swiglu(%g: tensor<?x48xf32>, %u: tensor<?x48xf32>) -> tensor<?x48xf32> {
  %s = llama.silu %g : tensor<?x48xf32>
  %y = llama.mul %u, %s : tensor<?x48xf32>
  return %y : tensor<?x48xf32>
}

// silu would be computed twice.
// CHECK-LABEL: func.func @silu_with_another_reader_stays
// CHECK: llama.silu
// CHECK: llama.mul
func.func @silu_with_another_reader_stays(%g: tensor<?x48xf32>, %u: tensor<?x48xf32>) -> (tensor<?x48xf32>, tensor<?x48xf32>) {
  %s = llama.silu %g : tensor<?x48xf32>
  %y = llama.mul %s, %u : tensor<?x48xf32>
  return %y, %s : tensor<?x48xf32>, tensor<?x48xf32>
}

// CHECK-LABEL: func.func @mul_without_silu_stays
// CHECK: llama.mul
func.func @mul_without_silu_stays(%g: tensor<?x48xf32>, %u: tensor<?x48xf32>) -> tensor<?x48xf32> {
  %y = llama.mul %g, %u : tensor<?x48xf32>
  return %y : tensor<?x48xf32>
}

// Ops without effects go when nothing reads them.
// CHECK-LABEL: func.func @unused_values_go
// CHECK-NEXT: return
func.func @unused_values_go(%x: tensor<1x32xf32>, %pos: tensor<1xi32>, %p: tensor<1x2x?x18xf32>, %ids: tensor<1xi32>, %g: !llama.weight<32, #llama.f32>, %w: !llama.weight<32x32, #llama.q4_0>) {
  %0 = llama.embed %ids, %w : tensor<1xi32>, !llama.weight<32x32, #llama.q4_0> -> tensor<1x32xf32>
  %1 = llama.rms_norm %x, %g eps 1.0e-05 : tensor<1x32xf32>, !llama.weight<32, #llama.f32>
  %2 = llama.linear %1, %w : tensor<1x32xf32>, !llama.weight<32x32, #llama.q4_0> -> tensor<1x32xf32>
  %3 = llama.rope %2, %pos base 1.0e+04 heads 2 : tensor<1x32xf32>, tensor<1xi32>
  %4 = llama.attention_merge %p heads 2 : tensor<1x2x?x18xf32> -> tensor<1x32xf32>
  %5 = llama.swiglu %3, %4 : tensor<1x32xf32>
  %6 = llama.silu %5 : tensor<1x32xf32>
  %7 = llama.mul %6, %0 : tensor<1x32xf32>
  %8 = llama.add %7, %x : tensor<1x32xf32>
  %9 = llama.quantize %8 : tensor<1x32xf32> to tensor<1x32x!llama.q8b32>
  return
}

// attention only reads the cache: dead when unused. kv_append writes it.
// CHECK-LABEL: func.func @attention_goes_kv_append_stays
// CHECK-NEXT: llama.kv_append
// CHECK-NEXT: return
func.func @attention_goes_kv_append_stays(%q: tensor<1x32xf32>, %k: tensor<1x16xf32>, %kv: !llama.cache<2x1x16, f16>, %l: index, %pos: tensor<1xi32>) {
  llama.kv_append %kv[%l], %k, %k at %pos : !llama.cache<2x1x16, f16>, tensor<1x16xf32>, tensor<1x16xf32>, tensor<1xi32>
  %y = llama.attention %q, %kv[%l], %pos causal heads 2 : tensor<1x32xf32>, !llama.cache<2x1x16, f16>, tensor<1xi32>
  %p = llama.attention_part %q, %kv[%l], %pos causal heads 2 keys 256 : tensor<1x32xf32>, !llama.cache<2x1x16, f16>, tensor<1xi32> -> tensor<1x2x?x18xf32>
  return
}

// A kernel has the effects of its body.
// CHECK-LABEL: func.func @unused_kernel_goes
// CHECK-NEXT: llama.kernel "append"
// CHECK: llama.kv_append
// CHECK-NOT: llama.kernel
// CHECK: return
func.func @unused_kernel_goes(%x: tensor<1x16xf32>, %kv: !llama.cache<2x1x16, f16>, %l: index, %pos: tensor<1xi32>) {
  %0 = llama.kernel "add" (%a = %x : tensor<1x16xf32>) -> tensor<1x16xf32> {
    %s = llama.add %a, %a : tensor<1x16xf32>
    llama.yield %s : tensor<1x16xf32>
  }
  llama.kernel "append" (%k = %x : tensor<1x16xf32>, %c = %kv : !llama.cache<2x1x16, f16>, %i = %l : index, %p = %pos : tensor<1xi32>) {
    llama.kv_append %c[%i], %k, %k at %p : !llama.cache<2x1x16, f16>, tensor<1x16xf32>, tensor<1x16xf32>, tensor<1xi32>
    llama.yield
  }
  return
}

// Inputs and buffers that nothing reads go, what writes a buffer stays.
// CHECK-LABEL: func.func @buffer_read_and_input_go_buffer_write_stays
// CHECK-NEXT: llama.buffer_write
// CHECK-NEXT: return
llama.buffer @x : tensor<8x32xf32>
func.func @buffer_read_and_input_go_buffer_write_stays(%y: tensor<8x32xf32>) {
  %ids = llama.input ids : tensor<?xi32>
  %x = llama.buffer_read @x : tensor<8x32xf32>
  llama.buffer_write %y, @x : tensor<8x32xf32>
  return
}

// Nothing in a step is moved or taken out, twice the same neither.
// CHECK-LABEL: llama.step @every_dispatch_and_barrier_stays
// CHECK: scf.for
// CHECK-NEXT: llama.dispatch @k
// CHECK-NEXT: llama.barrier
// CHECK-NEXT: llama.barrier
// CHECK-NEXT: llama.dispatch @k
// CHECK-NEXT: }
// CHECK-NEXT: llama.barrier
// LICM-LABEL: llama.step @every_dispatch_and_barrier_stays
// LICM: scf.for
// LICM-NEXT: llama.dispatch @k
// LICM-NEXT: llama.barrier
// LICM-NEXT: llama.barrier
// LICM-NEXT: llama.dispatch @k
// LICM-NEXT: }
// LICM-NEXT: llama.barrier
llama.step @every_dispatch_and_barrier_stays rows 1 {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c2 = arith.constant 2 : index
  scf.for %l = %c0 to %c2 step %c1 {
    llama.dispatch @k
    llama.barrier
    llama.barrier
    llama.dispatch @k
  }
  llama.barrier
}
func.func private @k()

// A reference does not depend on the loop and may leave it; appending may not,
// and attention, which reads what is appended, may not.
// LICM-LABEL: func.func @what_leaves_a_loop
// LICM: llama.weight_ref @w
// LICM: scf.for
// LICM-NEXT: llama.kv_append
// LICM-NEXT: llama.attention
llama.weight @w : 32 formats [#llama.f32]
func.func @what_leaves_a_loop(%q: tensor<1x32xf32>, %k: tensor<1x16xf32>, %kv: !llama.cache<2x1x16, f16>, %l: index, %pos: tensor<1xi32>, %n: index) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  scf.for %i = %c0 to %n step %c1 {
    %g = llama.weight_ref @w : !llama.weight<32, #llama.f32>
    llama.kv_append %kv[%l], %k, %k at %pos : !llama.cache<2x1x16, f16>, tensor<1x16xf32>, tensor<1x16xf32>, tensor<1xi32>
    %y = llama.attention %q, %kv[%l], %pos causal heads 2 : tensor<1x32xf32>, !llama.cache<2x1x16, f16>, tensor<1xi32>
    llama.kernel "use" (%a = %y : tensor<1x32xf32>, %w = %g : !llama.weight<32, #llama.f32>) {
      llama.yield
    }
  }
  return
}
