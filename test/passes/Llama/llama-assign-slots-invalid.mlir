// RUN: %opt %pass %s --split-input-file --verify-diagnostics

// expected-error @below {{'llama.slot' op @huge of type 'tensor<4611686018427387904x16xf32>' is larger than memory}}
llama.slot @huge : tensor<4611686018427387904x16xf32>

// -----

// Each of them fits 63 bits, all of them at once do not.
llama.slot @s0 : tensor<1x144115188075855871xf64>
llama.slot @s1 : tensor<1x144115188075855871xf64>
llama.slot @s2 : tensor<1x144115188075855871xf64>
llama.slot @s3 : tensor<1x144115188075855871xf64>
llama.slot @s4 : tensor<1x144115188075855871xf64>
llama.slot @s5 : tensor<1x144115188075855871xf64>
llama.slot @s6 : tensor<1x144115188075855871xf64>
// expected-error @below {{'llama.slot' op @s7 does not fit: the workspace is larger than memory}}
llama.slot @s7 : tensor<1x144115188075855871xf64>
llama.step @s rows 1 {
  llama.run @f
}
func.func private @f() {
  %x = arith.constant dense<0.0> : tensor<1x144115188075855871xf64>
  llama.slot_write %x, @s0 : tensor<1x144115188075855871xf64>
  llama.slot_write %x, @s1 : tensor<1x144115188075855871xf64>
  llama.slot_write %x, @s2 : tensor<1x144115188075855871xf64>
  llama.slot_write %x, @s3 : tensor<1x144115188075855871xf64>
  llama.slot_write %x, @s4 : tensor<1x144115188075855871xf64>
  llama.slot_write %x, @s5 : tensor<1x144115188075855871xf64>
  llama.slot_write %x, @s6 : tensor<1x144115188075855871xf64>
  llama.slot_write %x, @s7 : tensor<1x144115188075855871xf64>
  return
}
