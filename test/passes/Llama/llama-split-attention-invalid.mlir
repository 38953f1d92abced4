// RUN: %opt %pass %s --split-input-file --verify-diagnostics

// expected-error @below {{the module has no llama.target; the driver sets it before specialize}}
module {
  func.func @no_target(%q: tensor<1x32xf32>, %kv: !llama.cache<2x1x16, f16>, %l: index, %pos: tensor<1xi32>) -> tensor<1x32xf32> {
    %a = llama.attention %q, %kv[%l], %pos causal heads 2 : tensor<1x32xf32>, !llama.cache<2x1x16, f16>, tensor<1xi32>
    return %a : tensor<1x32xf32>
  }
}
