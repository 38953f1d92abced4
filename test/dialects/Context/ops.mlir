// RUN: %opt %s --verify-roundtrip | FileCheck %s

// Every op of context in its own syntax.

// CHECK-LABEL: func.func @fields
// CHECK:         context.field %{{.+}} weights : !llvm.ptr -> !llvm.ptr
// CHECK:         context.field %{{.+}} offsets : !llvm.ptr -> !llvm.ptr
// CHECK:         context.field %{{.+}} workspace : !llvm.ptr -> !llvm.ptr
// CHECK:         context.field %{{.+}} keys : !llvm.ptr -> !llvm.ptr
// CHECK:         context.field %{{.+}} values : !llvm.ptr -> !llvm.ptr
// CHECK:         context.field %{{.+}} rope : !llvm.ptr -> !llvm.ptr
// CHECK:         context.field %{{.+}} tokens : !llvm.ptr -> !llvm.ptr
// CHECK:         context.field %{{.+}} positions : !llvm.ptr -> !llvm.ptr
// CHECK:         context.field %{{.+}} rows : !llvm.ptr -> index
// CHECK:         context.field %{{.+}} key_count : !llvm.ptr -> index
// CHECK:         context.field %{{.+}} capacity : !llvm.ptr -> index
// CHECK:         context.field %{{.+}} wanted : !llvm.ptr -> !llvm.ptr
// CHECK:         context.field %{{.+}} threads : !llvm.ptr -> !llvm.ptr
func.func @fields(%ctx: !llvm.ptr) {
  %weights = context.field %ctx weights : !llvm.ptr -> !llvm.ptr
  %offsets = context.field %ctx offsets : !llvm.ptr -> !llvm.ptr
  %workspace = context.field %ctx workspace : !llvm.ptr -> !llvm.ptr
  %keys = context.field %ctx keys : !llvm.ptr -> !llvm.ptr
  %values = context.field %ctx values : !llvm.ptr -> !llvm.ptr
  %rope = context.field %ctx rope : !llvm.ptr -> !llvm.ptr
  %tokens = context.field %ctx tokens : !llvm.ptr -> !llvm.ptr
  %positions = context.field %ctx positions : !llvm.ptr -> !llvm.ptr
  %rows = context.field %ctx rows : !llvm.ptr -> index
  %count = context.field %ctx key_count : !llvm.ptr -> index
  %capacity = context.field %ctx capacity : !llvm.ptr -> index
  %row = context.field %ctx wanted : !llvm.ptr -> !llvm.ptr
  %threads = context.field %ctx threads : !llvm.ptr -> !llvm.ptr
  return
}

// CHECK-LABEL: func.func @views
// CHECK:         context.view %{{.+}}[%{{.+}}] : !llvm.ptr -> memref<?xi8>
// CHECK:         context.view %{{.+}}[%{{.+}}] : !llvm.ptr -> memref<?x32xf32>
// CHECK:         context.view %{{.+}}[%{{.+}}] : !llvm.ptr -> memref<4x32xf16>
func.func @views(%base: !llvm.ptr, %offset: index) {
  %bytes = context.view %base[%offset] : !llvm.ptr -> memref<?xi8>
  %rows = context.view %base[%offset] : !llvm.ptr -> memref<?x32xf32>
  %tile = context.view %base[%offset] : !llvm.ptr -> memref<4x32xf16>
  return
}

// CHECK-LABEL: func.func @global_memory
// CHECK:         context.view %{{.+}}[%{{.+}}] : !llvm.ptr -> memref<?xi8, 1>
func.func @global_memory(%base: !llvm.ptr, %offset: index) {
  %bytes = context.view %base[%offset] : !llvm.ptr -> memref<?xi8, 1>
  return
}
