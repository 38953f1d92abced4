// RUN: %opt %pass %s | FileCheck %s

// CHECK-LABEL: func.func @a_lookup_is_one_instruction
// CHECK-SAME:    (%[[TABLE:.+]]: vector<16xf32>, %[[I:.+]]: vector<16xi32>)
// CHECK:         llvm.call_intrinsic "llvm.x86.avx512.permvar.sf.512"(%[[TABLE]], %[[I]])
func.func @a_lookup_is_one_instruction(%table: vector<16xf32>, %i: vector<16xi32>) -> vector<16xf32> {
  %v = cpu.lookup16 %table, %i : vector<16xf32>, vector<16xi32>
  return %v : vector<16xf32>
}

// CHECK-LABEL: func.func @a_lookup_of_bytes_is_one_instruction
// CHECK-SAME:    (%[[T:.+]]: vector<32xi8>, %[[U:.+]]: vector<64xi8>)
// CHECK:         llvm.call_intrinsic "llvm.x86.avx2.pshuf.b"(%[[T]], %[[T]])
// CHECK:         llvm.call_intrinsic "llvm.x86.avx512.pshuf.b.512"(%[[U]], %[[U]])
func.func @a_lookup_of_bytes_is_one_instruction(%t: vector<32xi8>, %u: vector<64xi8>) -> (vector<32xi8>, vector<64xi8>) {
  %v = cpu.lookup_bytes %t, %t : vector<32xi8>
  %w = cpu.lookup_bytes %u, %u : vector<64xi8>
  return %v, %w : vector<32xi8>, vector<64xi8>
}

// CHECK-LABEL: func.func @products_of_bf16_are_one_instruction
// CHECK-SAME:    (%[[A:.+]]: vector<16xf32>, %[[W:.+]]: vector<32xbf16>, %[[X:.+]]: vector<32xbf16>)
// CHECK:         llvm.call_intrinsic "llvm.x86.avx512bf16.dpbf16ps.512"(%[[A]], %[[W]], %[[X]])
func.func @products_of_bf16_are_one_instruction(%a: vector<16xf32>, %w: vector<32xbf16>, %x: vector<32xbf16>) -> vector<16xf32> {
  %sum = cpu.dot_bf16 %a, %w, %x : vector<16xf32>
  return %sum : vector<16xf32>
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

// CHECK-LABEL: func.func @products_of_bytes_are_instructions
// CHECK-SAME:    (%[[A:.+]]: vector<16xi32>, %[[U:.+]]: vector<64xi8>, %[[S:.+]]: vector<64xi8>, %[[B:.+]]: vector<8xi32>, %[[V:.+]]: vector<32xi8>, %[[T:.+]]: vector<32xi8>)
// CHECK:         llvm.call_intrinsic "llvm.x86.avx512.vpdpbusd.512"(%[[A]], %[[U]], %[[S]])
// CHECK:         llvm.call_intrinsic "llvm.x86.avx512.vpdpbusd.256"(%[[B]], %[[V]], %[[T]])
// CHECK:         %[[X:.+]] = llvm.call_intrinsic "llvm.x86.avx2.psign.b"(%[[T]], %[[V]])
// CHECK:         %[[P:.+]] = llvm.call_intrinsic "llvm.x86.avx2.pmadd.ub.sw"(%[[V]], %[[X]])
// CHECK:         %[[ONES:.+]] = arith.constant dense<1> : vector<16xi16>
// CHECK:         llvm.call_intrinsic "llvm.x86.avx2.pmadd.wd"(%[[P]], %[[ONES]])
func.func @products_of_bytes_are_instructions(%a: vector<16xi32>, %u: vector<64xi8>, %s: vector<64xi8>, %b: vector<8xi32>, %v: vector<32xi8>, %t: vector<32xi8>) -> (vector<16xi32>, vector<8xi32>, vector<8xi32>) {
  %wide = cpu.dot_u8s8 %a, %u, %s : vector<16xi32>
  %half = cpu.dot_u8s8 %b, %v, %t : vector<8xi32>
  %signed = cpu.multiply_signs %t, %v
  %pairs = cpu.multiply_pairs %v, %signed
  %sums = cpu.add_pairs %pairs
  return %wide, %half, %sums : vector<16xi32>, vector<8xi32>, vector<8xi32>
}
