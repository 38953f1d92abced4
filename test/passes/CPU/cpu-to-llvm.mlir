// RUN: %opt %pass %s | FileCheck %s

// CHECK-LABEL: func.func @a_lookup_is_one_instruction
// CHECK-SAME:    (%[[TABLE:.+]]: vector<16xf32>, %[[I:.+]]: vector<16xi32>)
// CHECK:         llvm.call_intrinsic "llvm.x86.avx512.permvar.sf.512"(%[[TABLE]], %[[I]])
func.func @a_lookup_is_one_instruction(%table: vector<16xf32>, %i: vector<16xi32>) -> vector<16xf32> {
  %v = cpu.lookup16 %table, %i : vector<16xf32>, vector<16xi32>
  return %v : vector<16xf32>
}

// vector.fma would become an fmuladd, which may be split into two roundings.
// CHECK-LABEL: func.func @an_fma_rounds_once
// CHECK-SAME:    (%[[A:.+]]: vector<16xf32>, %[[B:.+]]: vector<16xf32>, %[[C:.+]]: vector<16xf32>)
// CHECK:         math.fma %[[A]], %[[B]], %[[C]] : vector<16xf32>
// CHECK-NOT:     vector.fma
func.func @an_fma_rounds_once(%a: vector<16xf32>, %b: vector<16xf32>, %c: vector<16xf32>) -> vector<16xf32> {
  %d = vector.fma %a, %b, %c : vector<16xf32>
  return %d : vector<16xf32>
}
