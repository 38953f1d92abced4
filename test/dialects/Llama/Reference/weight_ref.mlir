// The weight of a declaration: of one layer, and in that layer's format.
//
// RUN: rm -rf %t && mkdir %t
// RUN: %python %S/npy.py %t/blk.0.norm.npy f4 2 1 2
// RUN: %python %S/npy.py %t/blk.1.norm.npy u1 4 h:3 h:4
// RUN: %corellama eval %s --entry single --in 0 --weights %t | FileCheck %s --check-prefix=F32
// F32: float 1x2
// F32-NEXT: {{^}}1 2{{$}}
// RUN: %corellama eval %s --entry half --in 1 --weights %t | FileCheck %s --check-prefix=F16
// F16: float 1x2
// F16-NEXT: {{^}}3 4{{$}}
//
// RUN: not %corellama eval %s --entry single --in 1 --weights %t 2>&1 | FileCheck %s --check-prefix=FORMAT
// FORMAT: @single: llama.weight_ref: @blk::@norm is f16 in layer 1, not f32{{$}}
// RUN: not %corellama eval %s --entry single --in 2 --weights %t 2>&1 | FileCheck %s --check-prefix=LAYER
// LAYER: @single: llama.weight_ref: layer 2 of @blk::@norm, which has 2{{$}}
// RUN: not %corellama eval %s --entry single --in 0 2>&1 | FileCheck %s --check-prefix=NONE
// NONE: @single: llama.weight_ref: @blk::@norm is needed, but no weights were given{{$}}
// RUN: %python %S/npy.py %t/blk.1.norm.npy u1 3 1 2 3
// RUN: not %corellama eval %s --entry half --in 1 --weights %t 2>&1 | FileCheck %s --check-prefix=SHAPE
// SHAPE: @half: llama.weight_ref: {{.*}}blk.1.norm.npy: holds uint8 of 3, expected uint8 of 4 for a weight of 2 in f16{{$}}
llama.weights @blk layers 2 {
  llama.weight @norm : 2 formats [#llama.f32, #llama.f16] of [0, 1]
}
// x has a mean square of 1.
func.func @single(%l: index) -> tensor<1x2xf32> {
  %x = arith.constant dense<1.0> : tensor<1x2xf32>
  %w = llama.weight_ref @blk::@norm[%l] : !llama.weight<2, #llama.f32>
  %y = llama.rms_norm %x, %w eps 1.0e-30 : tensor<1x2xf32>, !llama.weight<2, #llama.f32>
  return %y : tensor<1x2xf32>
}
func.func @half(%l: index) -> tensor<1x2xf32> {
  %x = arith.constant dense<1.0> : tensor<1x2xf32>
  %w = llama.weight_ref @blk::@norm[%l] : !llama.weight<2, #llama.f16>
  %y = llama.rms_norm %x, %w eps 1.0e-30 : tensor<1x2xf32>, !llama.weight<2, #llama.f16>
  return %y : tensor<1x2xf32>
}
