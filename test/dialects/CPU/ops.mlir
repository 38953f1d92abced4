// RUN: %opt %s --verify-roundtrip | FileCheck %s

// Every op of cpu in its own syntax.

// CHECK-LABEL: func.func @lookup
// CHECK:         cpu.lookup16 %{{.+}}, %{{.+}} : vector<16xf32>, vector<16xi32>
func.func @lookup(%table: vector<16xf32>, %index: vector<16xi32>) -> vector<16xf32> {
  %v = cpu.lookup16 %table, %index : vector<16xf32>, vector<16xi32>
  return %v : vector<16xf32>
}
