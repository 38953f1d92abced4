// Blocks are rescaled to the largest maximum and added left to right.
//
// Block 0: o = [2, 0], m = 0, s = 2; block 1: o = [0, 3], m = ln 2, s = 1.
// m' = ln 2: block 0 counts half: s = 1 + 1 = 2, o = [1, 3], y = [0.5, 1.5].
// The second head's block 1 has no key and changes nothing: [2, 0] / 2.
// ln 2 = 0.6931471805599453.
//
// RUN: %corellama eval %s --entry merge --mode ideal | FileCheck %s
// CHECK: float 1x4
// CHECK-NEXT: {{^}}0.5 1.5 1 0{{$}}
func.func @merge() -> tensor<1x4xf32> {
  %p = arith.constant dense<[[[[2.0, 0.0, 0.0, 2.0], [0.0, 3.0, 0.6931471805599453, 1.0]],
                              [[2.0, 0.0, 0.0, 2.0], [0.0, 0.0, 0xFF800000, 0.0]]]]> : tensor<1x2x2x4xf32>
  %y = llama.attention_merge %p heads 2 : tensor<1x2x2x4xf32> -> tensor<1x4xf32>
  return %y : tensor<1x4xf32>
}

// Parts merged are attention, for any size of block.
// RUN: %corellama eval %s --entry whole > %t.whole
// RUN: %corellama eval %s --entry parts > %t.parts
// RUN: FileCheck %s --check-prefix=WHOLE < %t.whole
// RUN: diff %t.whole %t.parts
// WHOLE: float 1x2
func.func @whole(%kv: !llama.cache<1x1x2, f16>) -> tensor<1x2xf32> {
  %l = arith.constant 0 : index
  %q, %pos = call @fill(%kv) : (!llama.cache<1x1x2, f16>) -> (tensor<1x2xf32>, tensor<1xi32>)
  %y = llama.attention %q, %kv[%l], %pos causal heads 1 : tensor<1x2xf32>, !llama.cache<1x1x2, f16>, tensor<1xi32>
  return %y : tensor<1x2xf32>
}
func.func @parts(%kv: !llama.cache<1x1x2, f16>) -> tensor<1x2xf32> {
  %l = arith.constant 0 : index
  %q, %pos = call @fill(%kv) : (!llama.cache<1x1x2, f16>) -> (tensor<1x2xf32>, tensor<1xi32>)
  %p = llama.attention_part %q, %kv[%l], %pos causal heads 1 keys 2 : tensor<1x2xf32>, !llama.cache<1x1x2, f16>, tensor<1xi32> -> tensor<1x1x?x4xf32>
  %y = llama.attention_merge %p heads 1 : tensor<1x1x?x4xf32> -> tensor<1x2xf32>
  return %y : tensor<1x2xf32>
}
func.func private @fill(%kv: !llama.cache<1x1x2, f16>) -> (tensor<1x2xf32>, tensor<1xi32>) {
  %l = arith.constant 0 : index
  %all = arith.constant dense<[0, 1, 2, 3, 4]> : tensor<5xi32>
  %k = arith.constant dense<[[0.3, -1.1], [2.0, 0.7], [-0.4, 5.0], [1.0, 1.0], [-2.0, 0.1]]> : tensor<5x2xf32>
  %v = arith.constant dense<[[1.0, 2.0], [3.0, 5.0], [7.0, 11.0], [13.0, 17.0], [19.0, 23.0]]> : tensor<5x2xf32>
  llama.kv_append %kv[%l], %k, %v at %all : !llama.cache<1x1x2, f16>, tensor<5x2xf32>, tensor<5x2xf32>, tensor<5xi32>
  %q = arith.constant dense<[[0.9, -0.2]]> : tensor<1x2xf32>
  %pos = arith.constant dense<4> : tensor<1xi32>
  return %q, %pos : tensor<1x2xf32>, tensor<1xi32>
}
