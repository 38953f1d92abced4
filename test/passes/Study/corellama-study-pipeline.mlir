// RUN: %opt %pass %s | FileCheck %s

// Scalar code: a loop, and no vector. The product of complex numbers is four products,
// a difference and a sum.
// CHECK-LABEL: llvm.func @multiply
// CHECK-COUNT-2: llvm.fmul
// CHECK:         llvm.fsub
// CHECK-COUNT-2: llvm.fmul
// CHECK:         llvm.fadd
// CHECK-NOT:     vector<
// CHECK:         llvm.return
func.func @multiply(%x: tensor<3xcomplex<f32>>, %y: tensor<3xcomplex<f32>>) -> tensor<3xcomplex<f32>> {
  %empty = tensor.empty() : tensor<3xcomplex<f32>>
  %z = linalg.generic {indexing_maps = [affine_map<(i) -> (i)>, affine_map<(i) -> (i)>, affine_map<(i) -> (i)>], iterator_types = ["parallel"]}
      ins(%x, %y : tensor<3xcomplex<f32>>, tensor<3xcomplex<f32>>) outs(%empty : tensor<3xcomplex<f32>>) {
  ^bb0(%a: complex<f32>, %b: complex<f32>, %old: complex<f32>):
    %p = complex.mul %a, %b : complex<f32>
    linalg.yield %p : complex<f32>
  } -> tensor<3xcomplex<f32>>
  return %z : tensor<3xcomplex<f32>>
}
