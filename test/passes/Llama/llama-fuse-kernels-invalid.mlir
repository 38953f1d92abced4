// RUN: %opt %pass %s --split-input-file --verify-diagnostics

// expected-error @below {{'func.func' op has 2 blocks, a function of the model has one}}
func.func @two_blocks(%x: tensor<?x32xf32>) -> tensor<?x32xf32> {
  cf.br ^next
^next:
  %s = llama.silu %x : tensor<?x32xf32>
  return %s : tensor<?x32xf32>
}
