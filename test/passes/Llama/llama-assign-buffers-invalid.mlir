// RUN: %opt %pass %s --split-input-file --verify-diagnostics

// expected-error @below {{'llama.buffer' op @huge of type 'tensor<4611686018427387904x16xf32>' is larger than memory}}
llama.buffer @huge : tensor<4611686018427387904x16xf32>

// -----

// Each of them fits 63 bits, all of them at once do not.
llama.buffer @s0 : tensor<1x144115188075855871xf64>
llama.buffer @s1 : tensor<1x144115188075855871xf64>
llama.buffer @s2 : tensor<1x144115188075855871xf64>
llama.buffer @s3 : tensor<1x144115188075855871xf64>
llama.buffer @s4 : tensor<1x144115188075855871xf64>
llama.buffer @s5 : tensor<1x144115188075855871xf64>
llama.buffer @s6 : tensor<1x144115188075855871xf64>
// expected-error @below {{'llama.buffer' op @s7 does not fit: the workspace is larger than memory}}
llama.buffer @s7 : tensor<1x144115188075855871xf64>
llama.step @s rows 1 {
  llama.dispatch @f
}
func.func private @f() {
  %x = arith.constant dense<0.0> : tensor<1x144115188075855871xf64>
  llama.buffer_write %x, @s0 : tensor<1x144115188075855871xf64>
  llama.buffer_write %x, @s1 : tensor<1x144115188075855871xf64>
  llama.buffer_write %x, @s2 : tensor<1x144115188075855871xf64>
  llama.buffer_write %x, @s3 : tensor<1x144115188075855871xf64>
  llama.buffer_write %x, @s4 : tensor<1x144115188075855871xf64>
  llama.buffer_write %x, @s5 : tensor<1x144115188075855871xf64>
  llama.buffer_write %x, @s6 : tensor<1x144115188075855871xf64>
  llama.buffer_write %x, @s7 : tensor<1x144115188075855871xf64>
  return
}
