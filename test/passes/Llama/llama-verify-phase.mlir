// RUN: %opt %pass{phase=import} %s | FileCheck %s
// RUN: %opt %pass{phase=fuse} %s | FileCheck %s
// A graph outside of kernels is nothing for plan, nothing of ours is in llvm.
// RUN: not %opt %pass{phase=schedule} %s 2>&1 | FileCheck %s --check-prefix=SCHEDULE
// RUN: not %opt %pass{phase=llvm} %s 2>&1 | FileCheck %s --check-prefix=LLVM
// RUN: not %opt %pass{phase=lunch} %s 2>&1 | FileCheck %s --check-prefix=UNKNOWN

// SCHEDULE: error: 'llama.weight' op @w has no layouts; llama-plan-layouts sets them
// LLVM: error: 'func.func' op is in phase llvm, which has no ops of 'func'; besides ours it has llvm
// UNKNOWN: error: phase is 'lunch', expected one of import, specialize, fuse, plan, schedule, tile, vector, llvm

llama.weight @w : 64x32 formats [#llama.f32]

// CHECK-LABEL: func.func @graph
func.func @graph() {
  %w = llama.weight_ref @w : !llama.weight<64x32, #llama.f32>
  return
}
