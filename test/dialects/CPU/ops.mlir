// RUN: %opt %s --verify-roundtrip | FileCheck %s

// Every op of cpu in its own syntax.

// CHECK-LABEL: func.func @fields
// CHECK:         cpu.field %{{.+}} weights : !llvm.ptr -> !llvm.ptr
// CHECK:         cpu.field %{{.+}} offsets : !llvm.ptr -> !llvm.ptr
// CHECK:         cpu.field %{{.+}} workspace : !llvm.ptr -> !llvm.ptr
// CHECK:         cpu.field %{{.+}} keys : !llvm.ptr -> !llvm.ptr
// CHECK:         cpu.field %{{.+}} values : !llvm.ptr -> !llvm.ptr
// CHECK:         cpu.field %{{.+}} rope : !llvm.ptr -> !llvm.ptr
// CHECK:         cpu.field %{{.+}} tokens : !llvm.ptr -> !llvm.ptr
// CHECK:         cpu.field %{{.+}} positions : !llvm.ptr -> !llvm.ptr
// CHECK:         cpu.field %{{.+}} rows : !llvm.ptr -> index
// CHECK:         cpu.field %{{.+}} key_count : !llvm.ptr -> index
// CHECK:         cpu.field %{{.+}} capacity : !llvm.ptr -> index
// CHECK:         cpu.field %{{.+}} head_row : !llvm.ptr -> index
// CHECK:         cpu.field %{{.+}} threads : !llvm.ptr -> !llvm.ptr
func.func @fields(%ctx: !llvm.ptr) {
  %weights = cpu.field %ctx weights : !llvm.ptr -> !llvm.ptr
  %offsets = cpu.field %ctx offsets : !llvm.ptr -> !llvm.ptr
  %workspace = cpu.field %ctx workspace : !llvm.ptr -> !llvm.ptr
  %keys = cpu.field %ctx keys : !llvm.ptr -> !llvm.ptr
  %values = cpu.field %ctx values : !llvm.ptr -> !llvm.ptr
  %rope = cpu.field %ctx rope : !llvm.ptr -> !llvm.ptr
  %tokens = cpu.field %ctx tokens : !llvm.ptr -> !llvm.ptr
  %positions = cpu.field %ctx positions : !llvm.ptr -> !llvm.ptr
  %rows = cpu.field %ctx rows : !llvm.ptr -> index
  %count = cpu.field %ctx key_count : !llvm.ptr -> index
  %capacity = cpu.field %ctx capacity : !llvm.ptr -> index
  %row = cpu.field %ctx head_row : !llvm.ptr -> index
  %threads = cpu.field %ctx threads : !llvm.ptr -> !llvm.ptr
  return
}

// CHECK-LABEL: func.func @views
// CHECK:         cpu.view %{{.+}}[%{{.+}}] : !llvm.ptr -> memref<?xi8>
// CHECK:         cpu.view %{{.+}}[%{{.+}}] : !llvm.ptr -> memref<?x32xf32>
// CHECK:         cpu.view %{{.+}}[%{{.+}}] : !llvm.ptr -> memref<4x32xf16>
func.func @views(%base: !llvm.ptr, %offset: index) {
  %bytes = cpu.view %base[%offset] : !llvm.ptr -> memref<?xi8>
  %rows = cpu.view %base[%offset] : !llvm.ptr -> memref<?x32xf32>
  %tile = cpu.view %base[%offset] : !llvm.ptr -> memref<4x32xf16>
  return
}

// CHECK-LABEL: func.func @lookup
// CHECK:         cpu.lookup16 %{{.+}}, %{{.+}} : vector<16xf32>, vector<16xi32>
func.func @lookup(%table: vector<16xf32>, %index: vector<16xi32>) -> vector<16xf32> {
  %v = cpu.lookup16 %table, %index : vector<16xf32>, vector<16xi32>
  return %v : vector<16xf32>
}
