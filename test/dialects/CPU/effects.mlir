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
func.func @unused_ops_are_none(%t: vector<16xf32>, %k: vector<16xi32>) {
  %l = cpu.lookup16 %t, %k : vector<16xf32>, vector<16xi32>
  return
}
