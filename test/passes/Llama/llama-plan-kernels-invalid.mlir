// RUN: %opt %pass %s --split-input-file --verify-diagnostics

// expected-error @below {{the module has no llama.target; the driver sets it before specialize}}
module {
  func.func @no_target(%x: tensor<1x32xf32>) -> tensor<1x32xf32> {
    %y = llama.kernel "silu" (%ix = %x : tensor<1x32xf32>) -> tensor<1x32xf32> {
      %s = llama.silu %ix : tensor<1x32xf32>
      llama.yield %s : tensor<1x32xf32>
    }
    return %y : tensor<1x32xf32>
  }
}

// -----

// What the target's table answers is what the user reads.
module attributes {llama.target = #cpu.target<name = "i386", vector_bits = 128>} {
  func.func @no_row_of_the_table(%x: tensor<1x32xf32>) -> tensor<1x32xf32> {
    // expected-error @below {{'llama.kernel' op "silu": the CPU's table has rows for CPUs with vectors of at least 256 bits}}
    %y = llama.kernel "silu" (%ix = %x : tensor<1x32xf32>) -> tensor<1x32xf32> {
      %s = llama.silu %ix : tensor<1x32xf32>
      llama.yield %s : tensor<1x32xf32>
    }
    return %y : tensor<1x32xf32>
  }
}

// -----

module attributes {llama.target = #cuda.target<name = "cuda:sm_80">} {
  llama.weight @w : 48x32 formats [#llama.q4_0]
  func.func @rows_of_another_rounding(%x: tensor<?x32x!llama.q8b32>) -> tensor<?x48xf32> {
    // expected-error @below {{'llama.kernel' op "linear": a GPU's products are all of a kernel on float32 rows, on f16 rows or on bf16 rows; compile with --activations=f32}}
    %y = llama.kernel "linear" (%ix = %x : tensor<?x32x!llama.q8b32>) -> tensor<?x48xf32> {
      %w = llama.weight_ref @w : !llama.weight<48x32, #llama.q4_0>
      %l = llama.linear %ix, %w : tensor<?x32x!llama.q8b32>, !llama.weight<48x32, #llama.q4_0> -> tensor<?x48xf32>
      llama.yield %l : tensor<?x48xf32>
    }
    return %y : tensor<?x48xf32>
  }
}

// -----

module attributes {llama.target = #cuda.target<name = "cuda:sm_80">} {
  func.func @positions_on_a_gpu(%pos: tensor<?xi32>) -> tensor<?x50xf32> {
    // expected-error @below {{'llama.kernel' op "encode": llama.position_encoding has no code for GPUs; compile for a CPU}}
    %y = llama.kernel "encode" (%ipos = %pos : tensor<?xi32>) -> tensor<?x50xf32> {
      %e = llama.position_encoding sinusoidal of %ipos base 1.0e+04 : tensor<?xi32> -> tensor<?x50xf32>
      llama.yield %e : tensor<?x50xf32>
    }
    return %y : tensor<?x50xf32>
  }
}

// -----

module attributes {llama.target = #cuda.target<name = "cuda:sm_80">} {
  llama.weight @g : 50 formats [#llama.f32]
  func.func @one_pass_on_a_gpu(%x: tensor<?x50xf32>) -> tensor<?x50xf32> {
    // expected-error @below {{'llama.kernel' op "norm": llama.layer_norm one_pass has no code for GPUs; make it two_pass, or compile for a CPU}}
    %y = llama.kernel "norm" (%ix = %x : tensor<?x50xf32>) -> tensor<?x50xf32> {
      %g = llama.weight_ref @g : !llama.weight<50, #llama.f32>
      %h = llama.layer_norm one_pass %ix, %g eps 1.0e-05 : tensor<?x50xf32>, !llama.weight<50, #llama.f32>
      llama.yield %h : tensor<?x50xf32>
    }
    return %y : tensor<?x50xf32>
  }
}
