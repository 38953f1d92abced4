// RUN: %opt %pass %s --split-input-file --verify-diagnostics

llama.weight @w : 64x32 formats [#llama.q8_0]
func.func private @no_layouts() {
  // expected-error @below {{'llama.weight_ref' op @w has no layouts; run llama-plan-layouts first}}
  %w = llama.weight_ref @w : !llama.weight<64x32, #llama.q8_0>
  return
}
