// RUN: %opt %pass %s --split-input-file --verify-diagnostics

// expected-error @below {{the module has no llama.target; the driver sets it before specialize}}
module {
  llama.weight @w : 32 formats [#llama.f32]
}

// -----

module attributes {llama.target = #cpu.target<name = "x86-64-v4", features = "+avx2,+fma,+avx512f,+avx512bw,+avx512dq,+avx512vl", vector_bits = 512>} {
  func.func private @decode(%kv: !llama.cache<2x1x16, f16>) {
    return
  }
  // expected-error @below {{'func.func' op takes a '!llama.cache<2x1x16, f32>', another function a '!llama.cache<2x1x16, f16>'; a model has one cache}}
  func.func private @prefill(%kv: !llama.cache<2x1x16, f32>) {
    return
  }
}
