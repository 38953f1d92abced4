// softmax(q k / sqrt(d)) v over the positions up to the row's own.
//
// Head size 4, so 1 / sqrt(d) = 1/2. Keys of positions 0 and 1 are
// [2 ln 3, 0, 0, 0] and 0; with q = [1, 0, 0, 0] scores are ln 3 and 0, so
// weights are 3/4 and 1/4. Values are [4, 0, 8, 0] and [0, 4, 8, 0]: row 1
// gives [3, 1, 8, 0], row 0 sees position 0 only: [4, 0, 8, 0]. 2 ln 3 =
// 2.1972245773362196, which is 2.19722462 in float32: hence 3.00000001.
//
// RUN: %corellama eval %s --entry causal --mode ideal | FileCheck %s --check-prefix=CAUSAL
// CAUSAL: float 2x4
// CAUSAL-NEXT: {{^}}4 0 8 0{{$}}
// CAUSAL-NEXT: {{^}}3.00000001 0.999999985 8 0{{$}}
func.func @causal(%kv: !llama.cache<1x1x4, f32>) -> tensor<2x4xf32> {
  %l = arith.constant 0 : index
  %pos = arith.constant dense<[0, 1]> : tensor<2xi32>
  %k = arith.constant dense<[[2.1972245773362196, 0.0, 0.0, 0.0], [0.0, 0.0, 0.0, 0.0]]> : tensor<2x4xf32>
  %v = arith.constant dense<[[4.0, 0.0, 8.0, 0.0], [0.0, 4.0, 8.0, 0.0]]> : tensor<2x4xf32>
  llama.kv_append %kv[%l], %k, %v at %pos : !llama.cache<1x1x4, f32>, tensor<2x4xf32>, tensor<2x4xf32>, tensor<2xi32>
  %q = arith.constant dense<[[1.0, 0.0, 0.0, 0.0], [1.0, 0.0, 0.0, 0.0]]> : tensor<2x4xf32>
  %y = llama.attention %q, %kv[%l], %pos causal heads 1 : tensor<2x4xf32>, !llama.cache<1x1x4, f32>, tensor<2xi32>
  return %y : tensor<2x4xf32>
}

// Four heads over two of the cache: heads 0 and 1 read the first, 2 and 3 the
// second. One position, so each head returns the value it reads.
// RUN: %corellama eval %s --entry grouped | FileCheck %s --check-prefix=GROUPED
// GROUPED: float 1x8
// GROUPED-NEXT: {{^}}1 2 1 2 3 4 3 4{{$}}
func.func @grouped(%kv: !llama.cache<1x2x2, f32>) -> tensor<1x8xf32> {
  %l = arith.constant 0 : index
  %pos = arith.constant dense<0> : tensor<1xi32>
  %v = arith.constant dense<[[1.0, 2.0, 3.0, 4.0]]> : tensor<1x4xf32>
  llama.kv_append %kv[%l], %v, %v at %pos : !llama.cache<1x2x2, f32>, tensor<1x4xf32>, tensor<1x4xf32>, tensor<1xi32>
  %q = arith.constant dense<1.0> : tensor<1x8xf32>
  %y = llama.attention %q, %kv[%l], %pos causal heads 4 : tensor<1x8xf32>, !llama.cache<1x2x2, f32>, tensor<1xi32>
  return %y : tensor<1x8xf32>
}

// Scores of 1000 do not overflow: the maximum is taken off first.
// RUN: %corellama eval %s --entry large | FileCheck %s --check-prefix=LARGE
// LARGE: float 1x2
// LARGE-NEXT: {{^}}1.5 0{{$}}
func.func @large(%kv: !llama.cache<1x1x2, f32>) -> tensor<1x2xf32> {
  %l = arith.constant 0 : index
  %both = arith.constant dense<[0, 1]> : tensor<2xi32>
  %k = arith.constant dense<1000.0> : tensor<2x2xf32>
  %v = arith.constant dense<[[1.0, 0.0], [2.0, 0.0]]> : tensor<2x2xf32>
  llama.kv_append %kv[%l], %k, %v at %both : !llama.cache<1x1x2, f32>, tensor<2x2xf32>, tensor<2x2xf32>, tensor<2xi32>
  %q = arith.constant dense<1000.0> : tensor<1x2xf32>
  %pos = arith.constant dense<1> : tensor<1xi32>
  %y = llama.attention %q, %kv[%l], %pos causal heads 1 : tensor<1x2xf32>, !llama.cache<1x1x2, f32>, tensor<1xi32>
  return %y : tensor<1x2xf32>
}

// RUN: not %corellama eval %s --entry unfilled 2>&1 | FileCheck %s --check-prefix=UNFILLED
// UNFILLED: corellama: {{.*}}attention.mlir: @unfilled: llama.attention: position 1 of layer 0 of the cache was never appended, or is gone from its ring; attention reads 0 to 2{{$}}
func.func @unfilled(%kv: !llama.cache<1x1x2, f32>) -> tensor<1x2xf32> {
  %l = arith.constant 0 : index
  %some = arith.constant dense<[0, 2]> : tensor<2xi32>
  %k = arith.constant dense<1.0> : tensor<2x2xf32>
  llama.kv_append %kv[%l], %k, %k at %some : !llama.cache<1x1x2, f32>, tensor<2x2xf32>, tensor<2x2xf32>, tensor<2xi32>
  %q = arith.constant dense<1.0> : tensor<1x2xf32>
  %pos = arith.constant dense<2> : tensor<1xi32>
  %y = llama.attention %q, %kv[%l], %pos causal heads 1 : tensor<1x2xf32>, !llama.cache<1x1x2, f32>, tensor<1xi32>
  return %y : tensor<1x2xf32>
}

// A window of two positions: row 2 sees positions 1 and 2, row 0 its own. Scores are
// scale * q . k = 0.25 * 4 ln 3 = ln 3 and 0, so weights are 3/4 and 1/4 again; position 0
// would have weighed more than both. 4 ln 3 = 4.394449154672439, which is rounded up.
// RUN: %corellama eval %s --entry window --mode ideal | FileCheck %s --check-prefix=WINDOW
// WINDOW: float 2x4
// WINDOW-NEXT: {{^}}100 0 0 0{{$}}
// WINDOW-NEXT: {{^}}3.00000001 0.999999985 8 0{{$}}
func.func @window(%kv: !llama.cache<1x1x4, f32>) -> tensor<2x4xf32> {
  %l = arith.constant 0 : index
  %all = arith.constant dense<[0, 1, 2]> : tensor<3xi32>
  %k = arith.constant dense<[[9.0, 0.0, 0.0, 0.0], [4.394449154672439, 0.0, 0.0, 0.0], [0.0, 0.0, 0.0, 0.0]]> : tensor<3x4xf32>
  %v = arith.constant dense<[[100.0, 0.0, 0.0, 0.0], [4.0, 0.0, 8.0, 0.0], [0.0, 4.0, 8.0, 0.0]]> : tensor<3x4xf32>
  llama.kv_append %kv[%l], %k, %v at %all : !llama.cache<1x1x4, f32>, tensor<3x4xf32>, tensor<3x4xf32>, tensor<3xi32>
  %q = arith.constant dense<[[1.0, 0.0, 0.0, 0.0], [1.0, 0.0, 0.0, 0.0]]> : tensor<2x4xf32>
  %pos = arith.constant dense<[0, 2]> : tensor<2xi32>
  %y = llama.attention %q, %kv[%l], %pos causal heads 1 window 2 scale 0.25 : tensor<2x4xf32>, !llama.cache<1x1x4, f32>, tensor<2xi32>
  return %y : tensor<2x4xf32>
}

// A ring of 16 positions, of which 17 were appended: position 0 is gone. A row that
// sees 16 of them has all, one that sees position 0 as well has not.
// RUN: %corellama eval %s --entry ring | FileCheck %s --check-prefix=RING
// RING: float 1x2
// RING-NEXT: {{^}}7 7{{$}}
func.func @ring(%kv: !llama.cache<1x1x2, f32 ring 16>) -> tensor<1x2xf32> {
  %l = arith.constant 0 : index
  %first = arith.constant dense<0> : tensor<1xi32>
  %rest = arith.constant dense<[1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16]> : tensor<16xi32>
  %k0 = arith.constant dense<100.0> : tensor<1x2xf32>
  %k = arith.constant dense<7.0> : tensor<16x2xf32>
  llama.kv_append %kv[%l], %k0, %k0 at %first : !llama.cache<1x1x2, f32 ring 16>, tensor<1x2xf32>, tensor<1x2xf32>, tensor<1xi32>
  llama.kv_append %kv[%l], %k, %k at %rest : !llama.cache<1x1x2, f32 ring 16>, tensor<16x2xf32>, tensor<16x2xf32>, tensor<16xi32>
  %q = arith.constant dense<1.0> : tensor<1x2xf32>
  %pos = arith.constant dense<16> : tensor<1xi32>
  %y = llama.attention %q, %kv[%l], %pos causal heads 1 window 16 : tensor<1x2xf32>, !llama.cache<1x1x2, f32 ring 16>, tensor<1xi32>
  return %y : tensor<1x2xf32>
}

// RUN: not %corellama eval %s --entry gone 2>&1 | FileCheck %s --check-prefix=GONE
// GONE: @gone: llama.attention: position 0 of layer 0 of the cache was never appended, or is gone from its ring; attention reads 0 to 15{{$}}
func.func @gone(%kv: !llama.cache<1x1x2, f32 ring 16>) -> tensor<1x2xf32> {
  %l = arith.constant 0 : index
  %all = arith.constant dense<[0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16]> : tensor<17xi32>
  %k = arith.constant dense<7.0> : tensor<17x2xf32>
  llama.kv_append %kv[%l], %k, %k at %all : !llama.cache<1x1x2, f32 ring 16>, tensor<17x2xf32>, tensor<17x2xf32>, tensor<17xi32>
  %q = arith.constant dense<1.0> : tensor<1x2xf32>
  %pos = arith.constant dense<15> : tensor<1xi32>
  %y = llama.attention %q, %kv[%l], %pos causal heads 1 window 16 : tensor<1x2xf32>, !llama.cache<1x1x2, f32 ring 16>, tensor<1xi32>
  return %y : tensor<1x2xf32>
}
