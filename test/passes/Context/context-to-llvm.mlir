// RUN: %opt %pass %s | FileCheck %s

// A field is an invariant load at its offset in the context
// (runtime/ABI/Kernel.h); a number is widened to index.

// CHECK-LABEL: func.func @field
// CHECK-SAME:    (%[[CTX:.+]]: !llvm.ptr)
// CHECK:         %[[AT:.+]] = llvm.mlir.constant(64 : i64) : i64
// CHECK:         %[[ADDRESS:.+]] = llvm.getelementptr %[[CTX]][%[[AT]]] : (!llvm.ptr, i64) -> !llvm.ptr, i8
// CHECK:         %[[ROWS:.+]] = llvm.load %[[ADDRESS]] invariant {alignment = 8 : i64} : !llvm.ptr -> i64
// CHECK:         %[[INDEX:.+]] = arith.index_cast %[[ROWS]] : i64 to index
// CHECK:         return %[[INDEX]]
func.func @field(%ctx: !llvm.ptr) -> index {
  %wanteds = context.field %ctx rows : !llvm.ptr -> index
  return %wanteds : index
}

// CHECK-LABEL: func.func @a_pointer_is_loaded_as_one
// CHECK:         llvm.mlir.constant(16 : i64)
// CHECK:         %[[WORKSPACE:.+]] = llvm.load {{.*}} -> !llvm.ptr
// CHECK:         return %[[WORKSPACE]]
func.func @a_pointer_is_loaded_as_one(%ctx: !llvm.ptr) -> !llvm.ptr {
  %workspace = context.field %ctx workspace : !llvm.ptr -> !llvm.ptr
  return %workspace : !llvm.ptr
}

// Each field has a place of its own.
// CHECK-LABEL: func.func @every_field
// CHECK:         llvm.mlir.constant(0 : i64)
// CHECK:         llvm.mlir.constant(8 : i64)
// CHECK:         llvm.mlir.constant(24 : i64)
// CHECK:         llvm.mlir.constant(32 : i64)
// CHECK:         llvm.mlir.constant(40 : i64)
// CHECK:         llvm.mlir.constant(48 : i64)
// CHECK:         llvm.mlir.constant(56 : i64)
// CHECK:         llvm.mlir.constant(72 : i64)
// CHECK:         llvm.mlir.constant(80 : i64)
// CHECK:         llvm.mlir.constant(88 : i64)
// CHECK:         llvm.mlir.constant(96 : i64)
// CHECK-NOT:     context.
func.func @every_field(%ctx: !llvm.ptr) -> (!llvm.ptr, !llvm.ptr, !llvm.ptr, !llvm.ptr, !llvm.ptr, !llvm.ptr, !llvm.ptr, index, index, !llvm.ptr, !llvm.ptr) {
  %weights = context.field %ctx weights : !llvm.ptr -> !llvm.ptr
  %offsets = context.field %ctx offsets : !llvm.ptr -> !llvm.ptr
  %keys = context.field %ctx keys : !llvm.ptr -> !llvm.ptr
  %values = context.field %ctx values : !llvm.ptr -> !llvm.ptr
  %rope = context.field %ctx rope : !llvm.ptr -> !llvm.ptr
  %tokens = context.field %ctx tokens : !llvm.ptr -> !llvm.ptr
  %positions = context.field %ctx positions : !llvm.ptr -> !llvm.ptr
  %count = context.field %ctx key_count : !llvm.ptr -> index
  %capacity = context.field %ctx capacity : !llvm.ptr -> index
  %wanted = context.field %ctx wanted : !llvm.ptr -> !llvm.ptr
  %threads = context.field %ctx threads : !llvm.ptr -> !llvm.ptr
  return %weights, %offsets, %keys, %values, %rope, %tokens, %positions, %count, %capacity, %wanted, %threads : !llvm.ptr, !llvm.ptr, !llvm.ptr, !llvm.ptr, !llvm.ptr, !llvm.ptr, !llvm.ptr, index, index, !llvm.ptr, !llvm.ptr
}

// A view is a descriptor: address twice, offset 0, extents, strides row by row. A
// dynamic first extent, which is never read, is 0.
// CHECK-LABEL: func.func @a_view_is_a_descriptor
// CHECK-SAME:    (%[[BASE:.+]]: !llvm.ptr, %[[OFFSET:.+]]: index, %[[I:.+]]: index)
// CHECK:         %[[BYTES:.+]] = arith.index_cast %[[OFFSET]] : index to i64
// CHECK:         %[[ADDRESS:.+]] = llvm.getelementptr %[[BASE]][%[[BYTES]]] : (!llvm.ptr, i64) -> !llvm.ptr, i8
// CHECK:         llvm.insertvalue %[[ADDRESS]], %{{.+}}[0]
// CHECK:         llvm.insertvalue %[[ADDRESS]], %{{.+}}[1]
// CHECK:         %[[ZERO:.+]] = llvm.mlir.constant(0 : index) : i64
// CHECK:         llvm.insertvalue %[[ZERO]], %{{.+}}[2]
// CHECK:         %[[NOBODY:.+]] = llvm.mlir.constant(0 : index) : i64
// CHECK:         llvm.insertvalue %[[NOBODY]], %{{.+}}[3, 0]
// CHECK:         %[[STRIDE:.+]] = llvm.mlir.constant(32 : index) : i64
// CHECK:         llvm.insertvalue %[[STRIDE]], %{{.+}}[4, 0]
// CHECK:         %[[COLUMNS:.+]] = llvm.mlir.constant(32 : index) : i64
// CHECK:         llvm.insertvalue %[[COLUMNS]], %{{.+}}[3, 1]
// CHECK:         %[[ONE:.+]] = llvm.mlir.constant(1 : index) : i64
// CHECK:         %[[ALL:.+]] = llvm.insertvalue %[[ONE]], %{{.+}}[4, 1]
// CHECK:         builtin.unrealized_conversion_cast %[[ALL]] : {{.*}} to memref<?x32xf32>
func.func @a_view_is_a_descriptor(%base: !llvm.ptr, %offset: index, %i: index) -> f32 {
  %m = context.view %base[%offset] : !llvm.ptr -> memref<?x32xf32>
  %x = memref.load %m[%i, %i] : memref<?x32xf32>
  return %x : f32
}

// Memory space 1 is a GPU's global memory.
// CHECK-LABEL: func.func @a_view_of_global_memory
// CHECK-SAME:    (%[[BASE:.+]]: !llvm.ptr
// CHECK:         llvm.addrspacecast %[[BASE]] : !llvm.ptr to !llvm.ptr<1>
func.func @a_view_of_global_memory(%base: !llvm.ptr, %offset: index, %i: index) -> f32 {
  %m = context.view %base[%offset] : !llvm.ptr -> memref<?xf32, 1>
  %x = memref.load %m[%i] : memref<?xf32, 1>
  return %x : f32
}
