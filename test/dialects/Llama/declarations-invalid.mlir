// Every labelled constraint of the model, weights, references and inputs,
// broken once; functions and symbols are named as in ops-invalid.mlir.
//
// RUN: %opt %s --split-input-file --verify-diagnostics

// expected-error @+1 {{'llama.model' op has either entries (until plan) or steps (from schedule on)}}
llama.model @model_a1 lm_heads [@f]

// -----

// expected-error @+1 {{'llama.model' op has either entries (until plan) or steps (from schedule on)}}
llama.model @model_a1_both entries [] steps [] lm_heads [@f]

// -----

// expected-error @+1 {{'llama.model' op entry 'decode': layer function 1 of 1}}
llama.model @model_a2 entries [#llama.entry<name = "decode", rows = 1, embed = @f, layers = [@f], of = [0, 1]>] lm_heads [@f]
func.func private @f()

// -----

// expected-error @+1 {{'llama.model' op entry 'decode': layer function -1 of 1}}
llama.model @model_a2_negative entries [#llama.entry<name = "decode", rows = 1, embed = @f, layers = [@f], of = [-1]>] lm_heads [@f]
func.func private @f()

// -----

// expected-error @+1 {{'llama.model' op entry 'decode': layers are functions, found "f"}}
llama.model @model_a2_string entries [#llama.entry<name = "decode", rows = 1, embed = @f, layers = ["f"], of = [0]>] lm_heads [@f]
func.func private @f()

// -----

// expected-error @+1 {{'llama.model' op @missing is not a function of this module}}
llama.model @model_a3_embed entries [#llama.entry<name = "decode", rows = 1, embed = @missing, layers = [@f], of = [0]>] lm_heads [@f]
func.func private @f()

// -----

// expected-error @+1 {{'llama.model' op @w is not a function of this module}}
llama.model @model_a3_layer entries [#llama.entry<name = "decode", rows = 1, embed = @f, layers = [@w], of = [0]>] lm_heads [@f]
func.func private @f()
llama.weight @w : 32 formats [#llama.f32]

// -----

// expected-error @+1 {{'llama.model' op attribute 'lm_heads' failed to satisfy constraint: heads with at least 1 elements}}
llama.model @model_a4 entries [] lm_heads []

// -----

// expected-error @+1 {{'llama.model' op @w is not a function of this module}}
llama.model @model_a3_head entries [#llama.entry<name = "decode", rows = 1, embed = @f, layers = [@f], of = [0]>] lm_heads [@w]
func.func private @f()
llama.weight @w : 32 formats [#llama.f32]

// -----

// expected-error @+1 {{'llama.model' op @f is not a step of this module}}
llama.model @model_a3_step steps [@f] lm_heads [@f]
func.func private @f()

// -----

llama.weights @weights_a1 layers 2 {
  // expected-error @+1 {{'func.func' op stands in llama.weights, which holds llama.weight only}}
  func.func private @f()
}

// -----

// expected-error @+1 {{'llama.weights' op attribute 'layers' failed to satisfy constraint: 64-bit signless integer attribute whose value is positive}}
llama.weights @weights_a2 layers 0 {
}

// -----

// expected-error @+1 {{'llama.weights' op attribute 'layers' failed to satisfy constraint: 64-bit signless integer attribute whose value is positive}}
llama.weights @weights_a2_negative layers -1 {
}

// -----

// expected-error @+1 {{'llama.weight' op has one or two positive extents}}
llama.weight @weight_a1 : 2x3x4 formats [#llama.f32]

// -----

// expected-error @+1 {{'llama.weight' op has one or two positive extents}}
llama.weight @weight_a1_zero : 0x32 formats [#llama.f32]

// -----

// expected-error @+1 {{'llama.weight' op attribute 'formats' failed to satisfy constraint: array attribute with at least 1 elements}}
llama.weight @weight_a2 : 32 formats []

// -----

llama.weights @weight_a2_table layers 3 {
  // expected-error @+1 {{'llama.weight' op has a format index for each of 3 layers, found 2}}
  llama.weight @w : 32 formats [#llama.f32, #llama.f16] of [0, 1]
}

// -----

llama.weights @weight_a2_index layers 2 {
  // expected-error @+1 {{'llama.weight' op format index 2 of 2}}
  llama.weight @w : 32 formats [#llama.f32, #llama.f16] of [0, 2]
}

// -----

// expected-error @+1 {{'llama.weight' op formats are formats of weights, found #llama.rowmajor}}
llama.weight @weight_a2_kind : 32 formats [#llama.rowmajor]

// -----

// expected-error @+1 {{'llama.weight' op has a layout for each of its 1 formats, found 2}}
llama.weight @weight_a3 : 32 formats [#llama.f32] in [#llama.rowmajor, #llama.rowmajor]

// -----

// expected-error @+1 {{'llama.weight' op layout #llama.interleaved16<k = 1>: interleaved16 has k = 4 for q4_0, found k = 1}}
llama.weight @weight_a3_refused : 32x32 formats [#llama.q4_0] in [#llama.interleaved16<k = 1>]

// -----

// expected-error @+1 {{'llama.weight' op layout #llama.f32: it is not a layout}}
llama.weight @weight_a3_kind : 32x32 formats [#llama.q4_0] in [#llama.f32]

// -----

// expected-error @+1 {{'llama.weight' op its size in bytes overflows}}
llama.weight @weight_a3_overflow : 9223372036854775807x9223372036854775807 formats [#llama.f32] in [#llama.rowmajor]

// -----

// expected-error @+1 {{'llama.weight' op rows of 48 columns are not a whole number of q4_0 blocks of 32}}
llama.weight @weight_a4 : 32x48 formats [#llama.q4_0]

// -----

func.func private @weight_ref_a1() {
  // expected-error @+1 {{'llama.weight_ref' op @missing is not a declared weight}}
  %w = llama.weight_ref @missing : !llama.weight<32, #llama.f32>
  return
}

// -----

llama.weight @w : 32 formats [#llama.f32]
func.func private @weight_ref_a1_shape() {
  // expected-error @+1 {{'llama.weight_ref' op @w is declared with another shape than '!llama.weight<64, #llama.f32>'}}
  %w = llama.weight_ref @w : !llama.weight<64, #llama.f32>
  return
}

// -----

llama.weight @w : 32 formats [#llama.f32]
func.func private @weight_ref_a1_format() {
  // expected-error @+1 {{'llama.weight_ref' op @w is not declared in format f16}}
  %w = llama.weight_ref @w : !llama.weight<32, #llama.f16>
  return
}

// -----

llama.weights @blk layers 2 { llama.weight @w : 32 formats [#llama.f32] }
func.func private @weight_ref_a2_missing() {
  // expected-error @+1 {{'llama.weight_ref' op @blk::@w exists once a layer: a layer is missing}}
  %w = llama.weight_ref @blk::@w : !llama.weight<32, #llama.f32>
  return
}

// -----

llama.weight @w : 32 formats [#llama.f32]
func.func private @weight_ref_a2_layer(%l: index) {
  // expected-error @+1 {{'llama.weight_ref' op @w exists once: it has no layer}}
  %w = llama.weight_ref @w[%l] : !llama.weight<32, #llama.f32>
  return
}

// -----

func.func private @input_a1_ids() {
  // expected-error @+1 {{'llama.input' op 'ids' is not of type 'tensor<1xf32>'}}
  %0 = llama.input ids : tensor<1xf32>
  return
}

// -----

func.func private @input_a1_positions() {
  // expected-error @+1 {{'llama.input' op 'positions' is not of type 'tensor<1x1xi32>'}}
  %0 = llama.input positions : tensor<1x1xi32>
  return
}

// -----

func.func private @input_a1_cache() {
  // expected-error @+1 {{'llama.input' op 'cache' is not of type 'index'}}
  %0 = llama.input cache : index
  return
}

// -----

func.func private @input_a1_wanted() {
  // expected-error @+1 {{'llama.input' op 'wanted' is not of type 'index'}}
  %0 = llama.input wanted : index
  return
}

// -----

// expected-error @+1 {{'llama.cache_layout' op is of '!llama.cache<2x1x16, f16 ring 256>', expected the type without a ring; rings are listed}}
llama.cache_layout !llama.cache<2x1x16, f16 ring 256> keys #llama.rowmajor values #llama.rowmajor

// -----

// expected-error @+1 {{'llama.cache_layout' op lists 3 rings, expected one for each of 2 layers, and not all of them 0}}
llama.cache_layout !llama.cache<2x1x16, f16> keys #llama.rowmajor values #llama.rowmajor rings [256, 0, 256]

// -----

// expected-error @+1 {{'llama.cache_layout' op lists 2 rings, expected one for each of 2 layers, and not all of them 0}}
llama.cache_layout !llama.cache<2x1x16, f16> keys #llama.rowmajor values #llama.rowmajor rings [0, 0]

// -----

// expected-error @+1 {{'llama.cache_layout' op a ring has a multiple of 16 positions, up to 2147483647, found 17}}
llama.cache_layout !llama.cache<2x1x16, f16> keys #llama.rowmajor values #llama.rowmajor rings [17, 0]
