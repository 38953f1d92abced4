// RUN: %opt %pass %s --split-input-file --verify-diagnostics

// What `auto` means is the target's to say.
// expected-error @below {{the module has no llama.target; the driver sets it before specialize}}
module {
  func.func @no_target(%x: tensor<1x32xf32>, %w: !llama.weight<16x32, #llama.q4_0>) -> tensor<1x16xf32> {
    %y = llama.linear %x, %w : tensor<1x32xf32>, !llama.weight<16x32, #llama.q4_0> -> tensor<1x16xf32>
    return %y : tensor<1x16xf32>
  }
}
