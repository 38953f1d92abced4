// RUN: %opt %pass %s --split-input-file --verify-diagnostics

// expected-error @below {{the module has no llama.target; the driver stamps it before specialize}}
module {
  llama.weight @w : 32 formats [#llama.f32]
}

// -----

module attributes {llama.target = #llama.target<family = cpu, name = "x86-64-v4", vector_bits = 512>} {
  func.func private @decode(%kv: !llama.cache<2x1x16, f16>) {
    return
  }
  // expected-error @below {{'func.func' op takes a '!llama.cache<2x1x16, f32>', another function a '!llama.cache<2x1x16, f16>'; a model has one cache}}
  func.func private @prefill(%kv: !llama.cache<2x1x16, f32>) {
    return
  }
}

// -----

// A GPU has no loads for this format.
module attributes {llama.target = #llama.target<family = gpu, name = "cuda:sm_80">} {
  // expected-error @below {{'llama.weight' op the target has no layout for weights in q6_k}}
  llama.weight @w : 16x256 formats [#llama.q6_k]
}
