// RUN: %opt %s --split-input-file --verify-diagnostics

func.func @a_number_as_a_pointer(%ctx: !llvm.ptr) {
  // expected-error @below {{'context.field' op rows is an index, found '!llvm.ptr'}}
  %n = context.field %ctx rows : !llvm.ptr -> !llvm.ptr
  return
}

// -----

func.func @a_pointer_as_a_number(%ctx: !llvm.ptr) {
  // expected-error @below {{'context.field' op weights is a pointer, found 'index'}}
  %w = context.field %ctx weights : !llvm.ptr -> index
  return
}

// -----

func.func @a_view_with_strides(%base: !llvm.ptr, %offset: index) {
  // expected-error @below {{'context.view' op views memory row by row, found 'memref<4x32xf32, strided<[64, 1]>>'}}
  %m = context.view %base[%offset] : !llvm.ptr -> memref<4x32xf32, strided<[64, 1]>>
  return
}

// -----

func.func @rows_of_unknown_size(%base: !llvm.ptr, %offset: index) {
  // expected-error @below {{'context.view' op only the first extent may be dynamic, found 'memref<4x?xf32>'}}
  %m = context.view %base[%offset] : !llvm.ptr -> memref<4x?xf32>
  return
}
