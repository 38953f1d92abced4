// Rows go to their positions of one layer, rounded to the cache's type; the
// cache is shared by all who hold it.
//
// With one position, attention returns its value: what the cache holds.
// 1.0009765625 = 1 + 2^-10 is a half; 1 + 2^-11 lies between 1 and that, and
// goes to the even 1; 1 + 3 * 2^-11 goes to the even 1 + 2^-9 = 1.001953125.
// 70000 is beyond the largest half. As bf16 all of the first three are 1.
//
// RUN: %corellama eval %s --entry half | FileCheck %s --check-prefix=HALF
// HALF: float 1x4
// HALF-NEXT: {{^}}1.00097656 1 1.00195312 inf{{$}}
// RUN: %corellama eval %s --entry half --mode ideal | FileCheck %s --check-prefix=IDEAL
// IDEAL: float 1x4
// IDEAL-NEXT: {{^}}1.00097656 1.00048828 1.00146484 70000{{$}}
func.func @half(%kv: !llama.cache<2x1x4, f16>) -> tensor<1x4xf32> {
  %l = arith.constant 1 : index
  %pos = arith.constant dense<0> : tensor<1xi32>
  %k = arith.constant dense<0.0> : tensor<1x4xf32>
  %v = arith.constant dense<[[1.0009765625, 1.00048828125, 1.00146484375, 70000.0]]> : tensor<1x4xf32>
  llama.kv_append %kv[%l], %k, %v at %pos : !llama.cache<2x1x4, f16>, tensor<1x4xf32>, tensor<1x4xf32>, tensor<1xi32>
  %y = llama.attention %k, %kv[%l], %pos causal heads 1 : tensor<1x4xf32>, !llama.cache<2x1x4, f16>, tensor<1xi32>
  return %y : tensor<1x4xf32>
}

// RUN: %corellama eval %s --entry bfloat | FileCheck %s --check-prefix=BFLOAT
// BFLOAT: float 1x2
// BFLOAT-NEXT: {{^}}1 70144{{$}}
func.func @bfloat(%kv: !llama.cache<1x1x2, bf16>) -> tensor<1x2xf32> {
  %l = arith.constant 0 : index
  %pos = arith.constant dense<0> : tensor<1xi32>
  %v = arith.constant dense<[[1.0009765625, 70000.0]]> : tensor<1x2xf32>
  llama.kv_append %kv[%l], %v, %v at %pos : !llama.cache<1x1x2, bf16>, tensor<1x2xf32>, tensor<1x2xf32>, tensor<1xi32>
  %y = llama.attention %v, %kv[%l], %pos causal heads 1 : tensor<1x2xf32>, !llama.cache<1x1x2, bf16>, tensor<1xi32>
  return %y : tensor<1x2xf32>
}

// Keys are not rounded here, values in blocks of 32: a scale of 127 / 127, so
// that 1.5 and 2.5 go to the even 2; and of 1 / 127, which as a half is
// 0.00787353515625, so that 127 of it are less than 1.
// RUN: %corellama eval %s --entry blocks | FileCheck %s --check-prefix=BLOCKS
// BLOCKS: float 1x64
// BLOCKS-NEXT: {{^}}127 2 2 -2 0 0 {{[0 ]*}} 0.999938965 0.999938965 0 {{[0 ]*}}{{$}}
func.func @blocks(%kv: !llama.cache<1x1x64, f32, q8_0>) -> tensor<1x64xf32> {
  %l = arith.constant 0 : index
  %pos = arith.constant dense<0> : tensor<1xi32>
  %v = arith.constant dense<[[127.0, 1.5, 2.5, -1.5, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 1.0, 1.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0]]> : tensor<1x64xf32>
  llama.kv_append %kv[%l], %v, %v at %pos : !llama.cache<1x1x64, f32, q8_0>, tensor<1x64xf32>, tensor<1x64xf32>, tensor<1xi32>
  %y = llama.attention %v, %kv[%l], %pos causal heads 1 : tensor<1x64xf32>, !llama.cache<1x1x64, f32, q8_0>, tensor<1xi32>
  return %y : tensor<1x64xf32>
}

// A later row of the same position replaces an earlier one; layers are apart.
// RUN: not %corellama eval %s --entry other_layer 2>&1 | FileCheck %s --check-prefix=LAYER
// LAYER: @other_layer: llama.attention: position 0 of layer 1 of the cache was never appended, or is gone from its ring; attention reads 0 to 0{{$}}
func.func @other_layer(%kv: !llama.cache<2x1x2, f32>) -> tensor<1x2xf32> {
  %l0 = arith.constant 0 : index
  %l1 = arith.constant 1 : index
  %pos = arith.constant dense<0> : tensor<1xi32>
  %v = arith.constant dense<1.0> : tensor<1x2xf32>
  llama.kv_append %kv[%l0], %v, %v at %pos : !llama.cache<2x1x2, f32>, tensor<1x2xf32>, tensor<1x2xf32>, tensor<1xi32>
  %y = llama.attention %v, %kv[%l1], %pos causal heads 1 : tensor<1x2xf32>, !llama.cache<2x1x2, f32>, tensor<1xi32>
  return %y : tensor<1x2xf32>
}

// RUN: not %corellama eval %s --entry outside --in 2 2>&1 | FileCheck %s --check-prefix=OUTSIDE
// OUTSIDE: @outside: llama.kv_append: layer 2 is not one of the cache's 2{{$}}
// RUN: not %corellama eval %s --entry outside --in -1 2>&1 | FileCheck %s --check-prefix=NEGATIVE
// NEGATIVE: @outside: llama.kv_append: layer -1 is not one of the cache's 2{{$}}
func.func @outside(%kv: !llama.cache<2x1x2, f32>, %l: index) {
  %pos = arith.constant dense<0> : tensor<1xi32>
  %v = arith.constant dense<1.0> : tensor<1x2xf32>
  llama.kv_append %kv[%l], %v, %v at %pos : !llama.cache<2x1x2, f32>, tensor<1x2xf32>, tensor<1x2xf32>, tensor<1xi32>
  return
}

// RUN: not %corellama eval %s --entry negative_position 2>&1 | FileCheck %s --check-prefix=POSITION
// POSITION: @negative_position: llama.kv_append: position -3 in row 0 is negative{{$}}
func.func @negative_position(%kv: !llama.cache<2x1x2, f32>) {
  %l = arith.constant 0 : index
  %pos = arith.constant dense<-3> : tensor<1xi32>
  %v = arith.constant dense<1.0> : tensor<1x2xf32>
  llama.kv_append %kv[%l], %v, %v at %pos : !llama.cache<2x1x2, f32>, tensor<1x2xf32>, tensor<1x2xf32>, tensor<1xi32>
  return
}
