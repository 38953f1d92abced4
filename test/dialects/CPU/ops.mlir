// RUN: %opt %s --verify-roundtrip | FileCheck %s

// Every op of cpu in its own syntax.

// CHECK-LABEL: func.func @lookup
// CHECK:         cpu.lookup16 %{{.+}}, %{{.+}} : vector<16xf32>, vector<16xi32>
func.func @lookup(%table: vector<16xf32>, %index: vector<16xi32>) -> vector<16xf32> {
  %v = cpu.lookup16 %table, %index : vector<16xf32>, vector<16xi32>
  return %v : vector<16xf32>
}

// CHECK-LABEL: func.func @lookup_of_bytes
// CHECK:         cpu.lookup_bytes %{{.+}}, %{{.+}} : vector<32xi8>
// CHECK:         cpu.lookup_bytes %{{.+}}, %{{.+}} : vector<64xi8>
func.func @lookup_of_bytes(%t: vector<32xi8>, %u: vector<64xi8>) -> (vector<32xi8>, vector<64xi8>) {
  %v = cpu.lookup_bytes %t, %t : vector<32xi8>
  %w = cpu.lookup_bytes %u, %u : vector<64xi8>
  return %v, %w : vector<32xi8>, vector<64xi8>
}

// CHECK-LABEL: func.func @products_of_bytes
// CHECK:         cpu.dot_u8s8 %{{.+}}, %{{.+}}, %{{.+}} : vector<16xi32>
// CHECK:         cpu.dot_u8s8 %{{.+}}, %{{.+}}, %{{.+}} : vector<8xi32>
// CHECK:         %[[X:.+]] = cpu.multiply_signs %{{.+}}, %{{.+}}
// CHECK:         %[[P:.+]] = cpu.multiply_pairs %{{.+}}, %[[X]]
// CHECK:         cpu.add_pairs %[[P]]
func.func @products_of_bytes(%a: vector<16xi32>, %u: vector<64xi8>, %s: vector<64xi8>, %b: vector<8xi32>, %v: vector<32xi8>, %t: vector<32xi8>) -> (vector<16xi32>, vector<8xi32>, vector<8xi32>) {
  %wide = cpu.dot_u8s8 %a, %u, %s : vector<16xi32>
  %half = cpu.dot_u8s8 %b, %v, %t : vector<8xi32>
  %signed = cpu.multiply_signs %t, %v
  %pairs = cpu.multiply_pairs %v, %signed
  %sums = cpu.add_pairs %pairs
  return %wide, %half, %sums : vector<16xi32>, vector<8xi32>, vector<8xi32>
}

// CHECK-LABEL: func.func @products_of_bf16
// CHECK:         cpu.dot_bf16 %{{.+}}, %{{.+}}, %{{.+}} : vector<16xf32>
func.func @products_of_bf16(%a: vector<16xf32>, %w: vector<32xbf16>, %x: vector<32xbf16>) -> vector<16xf32> {
  %sum = cpu.dot_bf16 %a, %w, %x : vector<16xf32>
  return %sum : vector<16xf32>
}
