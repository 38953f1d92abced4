// Each block of `keys` positions alone: accumulator, maximum, sum.
//
// Head size 4; q = [2, 0, 0, 0], so a score is the key's first element. Keys 1,
// 3, 2; values [1, 0, 0, 0], [0, 1, 0, 0], [0, 0, 1, 0]; blocks of two.
// Block 0: maximum 3, exp(1 - 3) = 0.135335283 and 1: sum 1.135335283.
// Block 1: one key, maximum 2, sum 1.
//
// RUN: %corellama eval %s --entry blocks | FileCheck %s
// CHECK: float 1x1x2x6
// CHECK-NEXT: {{^}}0.135335283 1 0 0 3 1.13533528{{$}}
// CHECK-NEXT: {{^}}0 0 1 0 2 1{{$}}
func.func @blocks(%kv: !llama.cache<1x1x4, f32>) -> tensor<1x1x?x6xf32> {
  %l = arith.constant 0 : index
  call @fill(%kv) : (!llama.cache<1x1x4, f32>) -> ()
  %q = arith.constant dense<[[2.0, 0.0, 0.0, 0.0]]> : tensor<1x4xf32>
  %pos = arith.constant dense<2> : tensor<1xi32>
  %p = llama.attention_part %q, %kv[%l], %pos causal heads 1 keys 2 : tensor<1x4xf32>, !llama.cache<1x1x4, f32>, tensor<1xi32> -> tensor<1x1x?x6xf32>
  return %p : tensor<1x1x?x6xf32>
}

// Two rows at positions 0 and 2: row 0 has no key in block 1.
// RUN: %corellama eval %s --entry rows | FileCheck %s --check-prefix=ROWS
// ROWS: float 2x1x2x6
// ROWS-NEXT: {{^}}1 0 0 0 1 1{{$}}
// ROWS-NEXT: {{^}}0 0 0 0 -inf 0{{$}}
// ROWS-NEXT: {{^}}0.135335283 1 0 0 3 1.13533528{{$}}
// ROWS-NEXT: {{^}}0 0 1 0 2 1{{$}}
func.func @rows(%kv: !llama.cache<1x1x4, f32>) -> tensor<2x1x?x6xf32> {
  %l = arith.constant 0 : index
  call @fill(%kv) : (!llama.cache<1x1x4, f32>) -> ()
  %q = arith.constant dense<[[2.0, 0.0, 0.0, 0.0], [2.0, 0.0, 0.0, 0.0]]> : tensor<2x4xf32>
  %pos = arith.constant dense<[0, 2]> : tensor<2xi32>
  %p = llama.attention_part %q, %kv[%l], %pos causal heads 1 keys 2 : tensor<2x4xf32>, !llama.cache<1x1x4, f32>, tensor<2xi32> -> tensor<2x1x?x6xf32>
  return %p : tensor<2x1x?x6xf32>
}

// A window of one position: row 2 has no key in block 0.
// RUN: %corellama eval %s --entry window | FileCheck %s --check-prefix=WINDOW
// WINDOW: float 1x1x2x6
// WINDOW-NEXT: {{^}}0 0 0 0 -inf 0{{$}}
// WINDOW-NEXT: {{^}}0 0 1 0 4 1{{$}}
func.func @window(%kv: !llama.cache<1x1x4, f32>) -> tensor<1x1x?x6xf32> {
  %l = arith.constant 0 : index
  call @fill(%kv) : (!llama.cache<1x1x4, f32>) -> ()
  %q = arith.constant dense<[[2.0, 0.0, 0.0, 0.0]]> : tensor<1x4xf32>
  %pos = arith.constant dense<2> : tensor<1xi32>
  %p = llama.attention_part %q, %kv[%l], %pos causal heads 1 window 1 scale 1.0 keys 2 : tensor<1x4xf32>, !llama.cache<1x1x4, f32>, tensor<1xi32> -> tensor<1x1x?x6xf32>
  return %p : tensor<1x1x?x6xf32>
}

func.func private @fill(%kv: !llama.cache<1x1x4, f32>) {
  %l = arith.constant 0 : index
  %pos = arith.constant dense<[0, 1, 2]> : tensor<3xi32>
  %k = arith.constant dense<[[1.0, 0.0, 0.0, 0.0], [3.0, 0.0, 0.0, 0.0], [2.0, 0.0, 0.0, 0.0]]> : tensor<3x4xf32>
  %v = arith.constant dense<[[1.0, 0.0, 0.0, 0.0], [0.0, 1.0, 0.0, 0.0], [0.0, 0.0, 1.0, 0.0]]> : tensor<3x4xf32>
  llama.kv_append %kv[%l], %k, %v at %pos : !llama.cache<1x1x4, f32>, tensor<3x4xf32>, tensor<3x4xf32>, tensor<3xi32>
  return
}
