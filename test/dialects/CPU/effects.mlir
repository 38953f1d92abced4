// RUN: %opt %s --cse --canonicalize | FileCheck %s

// All ops of cpu are pure: equal ones are one, unused ones are none. What is read
// and written through a view belongs to memref and vector.

// CHECK-LABEL: func.func @equal_ops_are_one
// CHECK:         %[[F:.+]] = cpu.field
// CHECK-NEXT:    %[[V:.+]] = cpu.view %[[F]]
// CHECK-NEXT:    return %[[V]], %[[V]]
func.func @equal_ops_are_one(%ctx: !llvm.ptr, %i: index) -> (memref<?xf32>, memref<?xf32>) {
  %f = cpu.field %ctx workspace : !llvm.ptr -> !llvm.ptr
  %g = cpu.field %ctx workspace : !llvm.ptr -> !llvm.ptr
  %v = cpu.view %f[%i] : !llvm.ptr -> memref<?xf32>
  %w = cpu.view %g[%i] : !llvm.ptr -> memref<?xf32>
  return %v, %w : memref<?xf32>, memref<?xf32>
}

// CHECK-LABEL: func.func @unused_ops_are_none
// CHECK-NEXT:    return
func.func @unused_ops_are_none(%ctx: !llvm.ptr, %i: index, %t: vector<16xf32>, %k: vector<16xi32>) {
  %f = cpu.field %ctx workspace : !llvm.ptr -> !llvm.ptr
  %v = cpu.view %f[%i] : !llvm.ptr -> memref<?xf32>
  %l = cpu.lookup16 %t, %k : vector<16xf32>, vector<16xi32>
  return
}

// CHECK-LABEL: func.func @a_store_through_a_view_stays
// CHECK:         %[[A:.+]] = memref.load
// CHECK-NEXT:    memref.store
// CHECK-NEXT:    %[[B:.+]] = memref.load
// CHECK-NEXT:    return %[[A]], %[[B]]
func.func @a_store_through_a_view_stays(%base: !llvm.ptr, %i: index, %x: f32) -> (f32, f32) {
  %v = cpu.view %base[%i] : !llvm.ptr -> memref<?xf32>
  %a = memref.load %v[%i] : memref<?xf32>
  memref.store %x, %v[%i] : memref<?xf32>
  %b = memref.load %v[%i] : memref<?xf32>
  return %a, %b : f32, f32
}
