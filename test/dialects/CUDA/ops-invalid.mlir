// RUN: %opt %s --split-input-file --verify-diagnostics

func.func @a_shuffle_with_oneself(%x: f32) {
  // expected-error @below {{'cuda.shuffle_xor' op attribute 'mask' failed to satisfy constraint: 32-bit signless integer attribute whose minimum value is 1 whose maximum value is 31}}
  %y = cuda.shuffle_xor %x mask 0 : f32
  return
}

// -----

func.func @a_shuffle_beyond_the_warp(%x: f32) {
  // expected-error @below {{'cuda.shuffle_xor' op attribute 'mask' failed to satisfy constraint: 32-bit signless integer attribute whose minimum value is 1 whose maximum value is 31}}
  %y = cuda.shuffle_xor %x mask 32 : f32
  return
}

// -----

func.func @workgroup_memory_in_global_memory() {
  // expected-error @below {{'cuda.shared' op result #0 must be workgroup memory of static shape, without strides, but got 'memref<32xf32, 1>'}}
  %m = cuda.shared at 0 : memref<32xf32, 1>
  return
}

// -----

func.func @workgroup_memory_of_any_size() {
  // expected-error @below {{'cuda.shared' op result #0 must be workgroup memory of static shape, without strides, but got 'memref<?xf32, 3>'}}
  %m = cuda.shared at 0 : memref<?xf32, 3>
  return
}

// -----

func.func @workgroup_memory_between_vectors() {
  // expected-error @below {{'cuda.shared' op stands at a multiple of 16 bytes, found 8}}
  %m = cuda.shared at 8 : memref<32xf32, 3>
  return
}

// -----

func.func @three_matrices(%m: memref<64x32xf16, 3>, %i: index) {
  // expected-error @below {{'cuda.ldmatrix' op result #0 must be 1 or 2 or 4 pairs of f16 or bf16, but got 'vector<3x2xf16>'}}
  %v = cuda.ldmatrix %m[%i, %i] : memref<64x32xf16, 3> -> vector<3x2xf16>
  return
}

// -----

func.func @a_matrix_of_global_memory(%m: memref<64x32xf16, 1>, %i: index) {
  // expected-error @below {{'cuda.ldmatrix' op operand #0 must be workgroup memory, a memref of 16-bit float or bfloat16 type values, but got 'memref<64x32xf16, 1>'}}
  %v = cuda.ldmatrix %m[%i, %i] : memref<64x32xf16, 1> -> vector<4x2xf16>
  return
}

// -----

func.func @a_matrix_of_other_elements(%m: memref<64x32xf32, 3>, %i: index) {
  // expected-error @below {{'cuda.ldmatrix' op operand #0 must be workgroup memory, a memref of 16-bit float or bfloat16 type values, but got 'memref<64x32xf32, 3>'}}
  %v = cuda.ldmatrix %m[%i, %i] : memref<64x32xf32, 3> -> vector<4x2xf16>
  return
}

// -----

func.func @a_product_of_the_wrong_shape(%a: vector<2x2xf16>, %b: vector<2x2xf16>, %c: vector<4xf32>) {
  // expected-error @below {{'cuda.mma' op operand #0 must be 4 pairs of f16 or bf16, but got 'vector<2x2xf16>'}}
  %d = cuda.mma %a, %b, %c : vector<2x2xf16>, vector<2x2xf16>
  return
}

// -----

func.func @a_product_of_two_types(%a: vector<4x2xf16>, %b: vector<2x2xbf16>, %c: vector<4xf32>) {
  // expected-error @below {{'cuda.mma' op failed to verify that all of {a, b} have same element type}}
  %d = cuda.mma %a, %b, %c : vector<4x2xf16>, vector<2x2xbf16>
  return
}

// -----

// expected-error @below {{tensor cores read rows of f16, which is not written, or of bf16, found 'f32'}}
module attributes {test.unit = #cuda.mma<f32>} {}
