// RUN: %opt %s --cse --canonicalize | FileCheck %s

// All ops of context are pure: equal ones are one, unused ones are none. What is read
// and written through a view belongs to memref and vector.

// CHECK-LABEL: func.func @equal_ops_are_one
// CHECK:         %[[F:.+]] = context.field
// CHECK-NEXT:    %[[V:.+]] = context.view %[[F]]
// CHECK-NEXT:    return %[[V]], %[[V]]
func.func @equal_ops_are_one(%ctx: !llvm.ptr, %i: index) -> (memref<?xf32>, memref<?xf32>) {
  %f = context.field %ctx workspace : !llvm.ptr -> !llvm.ptr
  %g = context.field %ctx workspace : !llvm.ptr -> !llvm.ptr
  %v = context.view %f[%i] : !llvm.ptr -> memref<?xf32>
  %w = context.view %g[%i] : !llvm.ptr -> memref<?xf32>
  return %v, %w : memref<?xf32>, memref<?xf32>
}

// CHECK-LABEL: func.func @unused_ops_are_none
// CHECK-NEXT:    return
func.func @unused_ops_are_none(%ctx: !llvm.ptr, %i: index) {
  %f = context.field %ctx workspace : !llvm.ptr -> !llvm.ptr
  %v = context.view %f[%i] : !llvm.ptr -> memref<?xf32>
  return
}

// CHECK-LABEL: func.func @a_store_through_a_view_stays
// CHECK:         %[[A:.+]] = memref.load
// CHECK-NEXT:    memref.store
// CHECK-NEXT:    %[[B:.+]] = memref.load
// CHECK-NEXT:    return %[[A]], %[[B]]
func.func @a_store_through_a_view_stays(%base: !llvm.ptr, %i: index, %x: f32) -> (f32, f32) {
  %v = context.view %base[%i] : !llvm.ptr -> memref<?xf32>
  %a = memref.load %v[%i] : memref<?xf32>
  memref.store %x, %v[%i] : memref<?xf32>
  %b = memref.load %v[%i] : memref<?xf32>
  return %a, %b : f32, f32
}
