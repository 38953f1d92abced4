// RUN: %opt %s --cse --canonicalize | FileCheck %s

// All ops of cpu are pure: equal ones are one, unused ones are none.

// CHECK-LABEL: func.func @equal_ops_are_one
// CHECK:         %[[L:.+]] = cpu.lookup16
// CHECK-NEXT:    return %[[L]], %[[L]]
func.func @equal_ops_are_one(%t: vector<16xf32>, %k: vector<16xi32>) -> (vector<16xf32>, vector<16xf32>) {
  %l = cpu.lookup16 %t, %k : vector<16xf32>, vector<16xi32>
  %m = cpu.lookup16 %t, %k : vector<16xf32>, vector<16xi32>
  return %l, %m : vector<16xf32>, vector<16xf32>
}

// CHECK-LABEL: func.func @unused_ops_are_none
// CHECK-NEXT:    return
func.func @unused_ops_are_none(%t: vector<16xf32>, %k: vector<16xi32>, %a: vector<8xi32>, %u: vector<32xi8>, %b: vector<32xbf16>) {
  %l = cpu.lookup16 %t, %k : vector<16xf32>, vector<16xi32>
  %m = cpu.lookup_bytes %u, %u : vector<32xi8>
  %d = cpu.dot_u8s8 %a, %u, %u : vector<8xi32>
  %p = cpu.multiply_pairs %u, %u
  %s = cpu.add_pairs %p
  %n = cpu.multiply_signs %u, %u
  %f = cpu.dot_bf16 %t, %b, %b : vector<16xf32>
  return
}
