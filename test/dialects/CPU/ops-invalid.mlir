// RUN: %opt %s --split-input-file --verify-diagnostics

func.func @a_number_as_a_pointer(%ctx: !llvm.ptr) {
  // expected-error @below {{'cpu.field' op rows is an index, found '!llvm.ptr'}}
  %n = cpu.field %ctx rows : !llvm.ptr -> !llvm.ptr
  return
}

// -----

func.func @a_pointer_as_a_number(%ctx: !llvm.ptr) {
  // expected-error @below {{'cpu.field' op weights is a pointer, found 'index'}}
  %w = cpu.field %ctx weights : !llvm.ptr -> index
  return
}

// -----

func.func @a_view_with_strides(%base: !llvm.ptr, %offset: index) {
  // expected-error @below {{'cpu.view' op views memory row by row, found 'memref<4x32xf32, strided<[64, 1]>>'}}
  %m = cpu.view %base[%offset] : !llvm.ptr -> memref<4x32xf32, strided<[64, 1]>>
  return
}

// -----

func.func @rows_of_unknown_size(%base: !llvm.ptr, %offset: index) {
  // expected-error @below {{'cpu.view' op only the first extent may be dynamic, found 'memref<4x?xf32>'}}
  %m = cpu.view %base[%offset] : !llvm.ptr -> memref<4x?xf32>
  return
}

// -----

func.func @a_table_of_eight(%table: vector<8xf32>, %index: vector<16xi32>) {
  // expected-error @below {{'cpu.lookup16' op operand #0 must be vector of 32-bit float values of length 16, but got 'vector<8xf32>'}}
  %v = cpu.lookup16 %table, %index : vector<8xf32>, vector<16xi32>
  return
}
