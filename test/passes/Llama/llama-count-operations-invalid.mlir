// RUN: %opt %pass %s --verify-diagnostics
// RUN: not %opt %pass{rows=0} %s 2>&1 | FileCheck %s
// CHECK: error: rows are 1 to 16777216, a position 0 to 16777216

func.func @merge(%p: tensor<1x2x?x18xf32>) -> tensor<1x32xf32> {
  // expected-error @below {{'llama.attention_merge' op has no count of its operations}}
  %y = llama.attention_merge %p heads 2 : tensor<1x2x?x18xf32> -> tensor<1x32xf32>
  return %y : tensor<1x32xf32>
}
