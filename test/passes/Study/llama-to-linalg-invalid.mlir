// RUN: %opt %pass %s --split-input-file --verify-diagnostics
// RUN: not %opt %pass{type=f16} %s 2>&1 | FileCheck %s
// CHECK: error: type is 'f16', expected f32 or f64

func.func @rows(%x: tensor<?x8xf32>) -> tensor<?x8xf32> {
  // expected-error @below {{'llama.relu' op is written out for a static number of rows, found 'tensor<?x8xf32>'}}
  %y = llama.relu %x : tensor<?x8xf32>
  return %y : tensor<?x8xf32>
}

// -----

func.func @round(%x: tensor<3x32xf32>) -> tensor<3x32x!llama.q8b32> {
  // expected-error @below {{'llama.quantize' op has no form in linalg}}
  %y = llama.quantize %x : tensor<3x32xf32> to tensor<3x32x!llama.q8b32>
  return %y : tensor<3x32x!llama.q8b32>
}

// -----

func.func @earlier(%q: tensor<3x8xf32>, %pos: tensor<3xi32>, %kv: !llama.cache<1x1x4, f16>, %l: index) -> tensor<3x8xf32> {
  // expected-error @below {{'llama.attention' op has no form in linalg without an append before it, or with a window or a scale}}
  %y = llama.attention %q, %kv[%l], %pos causal heads 2 : tensor<3x8xf32>, !llama.cache<1x1x4, f16>, tensor<3xi32>
  return %y : tensor<3x8xf32>
}

// -----

func.func @twice(%k: tensor<3x4xf32>, %pos: tensor<3xi32>, %kv: !llama.cache<1x1x4, f16>, %l: index) {
  llama.kv_append %kv[%l], %k, %k at %pos : !llama.cache<1x1x4, f16>, tensor<3x4xf32>, tensor<3x4xf32>, tensor<3xi32>
  // expected-error @below {{'llama.kv_append' op has no form in linalg behind another append}}
  llama.kv_append %kv[%l], %k, %k at %pos : !llama.cache<1x1x4, f16>, tensor<3x4xf32>, tensor<3x4xf32>, tensor<3xi32>
  return
}

// -----

func.func @blocks(%k: tensor<3x32xf32>, %pos: tensor<3xi32>, %kv: !llama.cache<1x1x32, q8_0>, %l: index) {
  // expected-error @below {{'llama.kv_append' op has no form in linalg for blocks of q8_0}}
  llama.kv_append %kv[%l], %k, %k at %pos : !llama.cache<1x1x32, q8_0>, tensor<3x32xf32>, tensor<3x32xf32>, tensor<3xi32>
  return
}
