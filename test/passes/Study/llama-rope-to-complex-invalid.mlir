// RUN: %opt %pass %s --split-input-file --verify-diagnostics
// RUN: not %opt %pass{type=f16} %s 2>&1 | FileCheck %s --check-prefix=TYPE
// RUN: not %opt %pass{pairs=odd} %s 2>&1 | FileCheck %s --check-prefix=PAIRS
// TYPE: error: type is 'f16', expected f32 or f64
// PAIRS: error: pairs is 'odd', expected adjacent or half

func.func @rows(%x: tensor<?x8xf32>, %pos: tensor<?xi32>) -> tensor<?x8xf32> {
  // expected-error @below {{'llama.rope' op is written out for a static number of rows, found 'tensor<?x8xf32>'}}
  %y = llama.rope %x, %pos base 1.0e+04 heads 2 : tensor<?x8xf32>, tensor<?xi32>
  return %y : tensor<?x8xf32>
}

// -----

func.func @scaled(%x: tensor<3x8xf32>, %pos: tensor<3xi32>) -> tensor<3x8xf32> {
  // expected-error @below {{'llama.rope' op is written out for plain angles, found #llama.rotation<rule = linear, factor = 4.000000e+00 : f64>}}
  %y = llama.rope %x, %pos base 1.0e+04 heads 2 as <rule = linear, factor = 4.0> : tensor<3x8xf32>, tensor<3xi32>
  return %y : tensor<3x8xf32>
}
