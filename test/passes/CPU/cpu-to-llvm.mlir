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
  %rows = cpu.field %ctx rows : !llvm.ptr -> index
  return %rows : index
}

// CHECK-LABEL: func.func @a_pointer_is_loaded_as_one
// CHECK:         llvm.mlir.constant(16 : i64)
// CHECK:         %[[WORKSPACE:.+]] = llvm.load {{.*}} -> !llvm.ptr
// CHECK:         return %[[WORKSPACE]]
func.func @a_pointer_is_loaded_as_one(%ctx: !llvm.ptr) -> !llvm.ptr {
  %workspace = cpu.field %ctx workspace : !llvm.ptr -> !llvm.ptr
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
// CHECK-NOT:     cpu.
func.func @every_field(%ctx: !llvm.ptr) -> (!llvm.ptr, !llvm.ptr, !llvm.ptr, !llvm.ptr, !llvm.ptr, !llvm.ptr, !llvm.ptr, index, index, index, !llvm.ptr) {
  %weights = cpu.field %ctx weights : !llvm.ptr -> !llvm.ptr
  %offsets = cpu.field %ctx offsets : !llvm.ptr -> !llvm.ptr
  %keys = cpu.field %ctx keys : !llvm.ptr -> !llvm.ptr
  %values = cpu.field %ctx values : !llvm.ptr -> !llvm.ptr
  %rope = cpu.field %ctx rope : !llvm.ptr -> !llvm.ptr
  %tokens = cpu.field %ctx tokens : !llvm.ptr -> !llvm.ptr
  %positions = cpu.field %ctx positions : !llvm.ptr -> !llvm.ptr
  %count = cpu.field %ctx key_count : !llvm.ptr -> index
  %capacity = cpu.field %ctx capacity : !llvm.ptr -> index
  %row = cpu.field %ctx head_row : !llvm.ptr -> index
  %threads = cpu.field %ctx threads : !llvm.ptr -> !llvm.ptr
  return %weights, %offsets, %keys, %values, %rope, %tokens, %positions, %count, %capacity, %row, %threads : !llvm.ptr, !llvm.ptr, !llvm.ptr, !llvm.ptr, !llvm.ptr, !llvm.ptr, !llvm.ptr, index, index, index, !llvm.ptr
}

// A view is a descriptor: address twice, offset 0, extents, strides row by row. A
// dynamic first extent, which nobody asks for, is 0.
// CHECK-LABEL: func.func @a_view_is_a_descriptor
// CHECK-SAME:    (%[[BASE:.+]]: !llvm.ptr, %[[OFFSET:.+]]: index, %[[I:.+]]: index)
// CHECK:         %[[BYTES:.+]] = arith.index_cast %[[OFFSET]] : index to i64
// CHECK:         %[[ADDRESS:.+]] = llvm.getelementptr %[[BASE]][%[[BYTES]]] : (!llvm.ptr, i64) -> !llvm.ptr, i8
// CHECK:         llvm.insertvalue %[[ADDRESS]], %{{.+}}[0]
// CHECK:         llvm.insertvalue %[[ADDRESS]], %{{.+}}[1]
// CHECK:         %[[ZERO:.+]] = llvm.mlir.constant(0 : i64)
// CHECK:         llvm.insertvalue %[[ZERO]], %{{.+}}[2]
// CHECK:         %[[COLUMNS:.+]] = llvm.mlir.constant(32 : i64)
// CHECK:         llvm.insertvalue %[[COLUMNS]], %{{.+}}[3, 1]
// CHECK:         %[[ONE:.+]] = llvm.mlir.constant(1 : i64)
// CHECK:         llvm.insertvalue %[[ONE]], %{{.+}}[4, 1]
// CHECK:         %[[NOBODY:.+]] = llvm.mlir.constant(0 : i64)
// CHECK:         llvm.insertvalue %[[NOBODY]], %{{.+}}[3, 0]
// CHECK:         %[[STRIDE:.+]] = llvm.mlir.constant(32 : i64)
// CHECK:         %[[ALL:.+]] = llvm.insertvalue %[[STRIDE]], %{{.+}}[4, 0]
// CHECK:         builtin.unrealized_conversion_cast %[[ALL]] : {{.*}} to memref<?x32xf32>
func.func @a_view_is_a_descriptor(%base: !llvm.ptr, %offset: index, %i: index) -> f32 {
  %m = cpu.view %base[%offset] : !llvm.ptr -> memref<?x32xf32>
  %x = memref.load %m[%i, %i] : memref<?x32xf32>
  return %x : f32
}

// CHECK-LABEL: func.func @a_lookup_is_one_instruction
// CHECK-SAME:    (%[[TABLE:.+]]: vector<16xf32>, %[[I:.+]]: vector<16xi32>)
// CHECK:         llvm.call_intrinsic "llvm.x86.avx512.permvar.sf.512"(%[[TABLE]], %[[I]])
func.func @a_lookup_is_one_instruction(%table: vector<16xf32>, %i: vector<16xi32>) -> vector<16xf32> {
  %v = cpu.lookup16 %table, %i : vector<16xf32>, vector<16xi32>
  return %v : vector<16xf32>
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
