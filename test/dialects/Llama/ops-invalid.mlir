// Every labelled constraint of every op, broken once: @rms_norm_a2 breaks (A2)
// of rms_norm. Where a constraint has several sides, a letter follows.
//
// RUN: %opt %s --split-input-file --verify-diagnostics

//===----------------------------------------------------------------------===//
// The graph
//===----------------------------------------------------------------------===//

func.func @embed_a1_rows(%ids: tensor<2xi32>, %w: !llama.weight<64x32, #llama.q8_0>) {
  // expected-error @+1 {{'llama.embed' op one row an id: 3 rows against 2}}
  %x = llama.embed %ids, %w : tensor<2xi32>, !llama.weight<64x32, #llama.q8_0> -> tensor<3x32xf32>
  return
}

// -----

func.func @embed_a1_dynamic_rows(%ids: tensor<?xi32>, %w: !llama.weight<64x32, #llama.q8_0>) {
  // expected-error @+1 {{'llama.embed' op one row an id: 1 rows against ?}}
  %x = llama.embed %ids, %w : tensor<?xi32>, !llama.weight<64x32, #llama.q8_0> -> tensor<1x32xf32>
  return
}

// -----

func.func @embed_a1_columns(%ids: tensor<2xi32>, %w: !llama.weight<64x32, #llama.q8_0>) {
  // expected-error @+1 {{'llama.embed' op rows of the result are rows of the weight: 48 columns against '!llama.weight<64x32, #llama.q8_0>'}}
  %x = llama.embed %ids, %w : tensor<2xi32>, !llama.weight<64x32, #llama.q8_0> -> tensor<2x48xf32>
  return
}

// -----

func.func @embed_a1_vector(%ids: tensor<2xi32>, %w: !llama.weight<32, #llama.f32>) {
  // expected-error @+1 {{'llama.embed' op rows of the result are rows of the weight: 32 columns against '!llama.weight<32, #llama.f32>'}}
  %x = llama.embed %ids, %w : tensor<2xi32>, !llama.weight<32, #llama.f32> -> tensor<2x32xf32>
  return
}

// -----

func.func @embed_a1_ids(%ids: tensor<2x1xi32>, %w: !llama.weight<64x32, #llama.q8_0>) {
  // expected-error @+1 {{'llama.embed' op operand #0 must be one 32-bit integer a row, but got 'tensor<2x1xi32>'}}
  %x = llama.embed %ids, %w : tensor<2x1xi32>, !llama.weight<64x32, #llama.q8_0> -> tensor<2x32xf32>
  return
}

// -----

func.func @embed_a1_result(%ids: tensor<2xi32>, %w: !llama.weight<64x32, #llama.q8_0>) {
  // expected-error @+1 {{'llama.embed' op result #0 must be rows x columns with the columns known, a ranked tensor of 32-bit float values, but got 'tensor<2x?xf32>'}}
  %x = llama.embed %ids, %w : tensor<2xi32>, !llama.weight<64x32, #llama.q8_0> -> tensor<2x?xf32>
  return
}

// -----

func.func @position_encoding_a1(%pos: tensor<2xi32>) {
  // expected-error @+1 {{'llama.position_encoding' op one row a position: 2 rows against 3}}
  %y = llama.position_encoding binary of %pos : tensor<2xi32> -> tensor<3x8xf32>
  return
}

// -----

func.func @position_encoding_a2(%pos: tensor<2xi32>) {
  // expected-error @+1 {{'llama.position_encoding' op a binary position has 1 to 31 columns, found 32}}
  %y = llama.position_encoding binary of %pos : tensor<2xi32> -> tensor<2x32xf32>
  return
}

// -----

func.func @position_encoding_a2_none(%pos: tensor<2xi32>) {
  // expected-error @+1 {{'llama.position_encoding' op a binary position has 1 to 31 columns, found 0}}
  %y = llama.position_encoding binary of %pos : tensor<2xi32> -> tensor<2x0xf32>
  return
}

// -----

func.func @position_encoding_a3_base(%pos: tensor<2xi32>) {
  // expected-error @+1 {{'llama.position_encoding' op a binary position has no angles}}
  %y = llama.position_encoding binary of %pos base 1.0e+04 : tensor<2xi32> -> tensor<2x8xf32>
  return
}

// -----

func.func @position_encoding_a3_angles(%pos: tensor<2xi32>) {
  // expected-error @+1 {{'llama.position_encoding' op a binary position has no angles}}
  %y = llama.position_encoding binary of %pos angles f32 : tensor<2xi32> -> tensor<2x8xf32>
  return
}

// -----

func.func @position_encoding_a3_none(%pos: tensor<2xi32>) {
  // expected-error @+1 {{'llama.position_encoding' op angles need a base}}
  %y = llama.position_encoding sine of %pos : tensor<2xi32> -> tensor<2x8xf32>
  return
}

// -----

func.func @position_encoding_a4(%pos: tensor<2xi32>) {
  // expected-error @+1 {{'llama.position_encoding' op 7 columns are no pairs of sine and cosine}}
  %y = llama.position_encoding sinusoidal of %pos base 1.0e+04 : tensor<2xi32> -> tensor<2x7xf32>
  return
}

// -----

func.func @position_encoding_a5_small(%pos: tensor<2xi32>) {
  // expected-error @+1 {{'llama.position_encoding' op base is from 1 to 1e+300, found 5.000000e-01}}
  %y = llama.position_encoding sine of %pos base 0.5 : tensor<2xi32> -> tensor<2x7xf32>
  return
}

// -----

func.func @position_encoding_a5_large(%pos: tensor<2xi32>) {
  // expected-error @+1 {{'llama.position_encoding' op base is from 1 to 1e+300, found 1.000000e+301}}
  %y = llama.position_encoding sine of %pos base 1.0e+301 : tensor<2xi32> -> tensor<2x7xf32>
  return
}

// -----

func.func @layer_norm_a1(%x: tensor<?x32xf32>, %w: !llama.weight<16, #llama.f32>) {
  // expected-error @+1 {{'llama.layer_norm' op weight and bias are vectors of x's 32 columns, found '!llama.weight<16, #llama.f32>'}}
  %y = llama.layer_norm two_pass %x, %w eps 1.0e-05 : tensor<?x32xf32>, !llama.weight<16, #llama.f32>
  return
}

// -----

func.func @layer_norm_a1_bias(%x: tensor<?x32xf32>, %w: !llama.weight<32, #llama.f32>, %b: !llama.weight<1x32, #llama.f32>) {
  // expected-error @+1 {{'llama.layer_norm' op weight and bias are vectors of x's 32 columns, found '!llama.weight<1x32, #llama.f32>'}}
  %y = llama.layer_norm two_pass %x, %w, %b eps 1.0e-05 : tensor<?x32xf32>, !llama.weight<32, #llama.f32>, !llama.weight<1x32, #llama.f32>
  return
}

// -----

func.func @layer_norm_a2(%x: tensor<?x32xf32>, %w: !llama.weight<32, #llama.f32>) {
  // expected-error @+1 {{'llama.layer_norm' op attribute 'eps' failed to satisfy constraint: 64-bit float attribute whose value is positive}}
  %y = llama.layer_norm one_pass %x, %w eps 0.0 : tensor<?x32xf32>, !llama.weight<32, #llama.f32>
  return
}

// -----

func.func @rms_norm_a1(%x: tensor<?x32xf32>, %w: !llama.weight<16, #llama.f32>) {
  // expected-error @+1 {{'llama.rms_norm' op the weight is a vector of x's 32 columns, found '!llama.weight<16, #llama.f32>'}}
  %y = llama.rms_norm %x, %w eps 1.0e-05 : tensor<?x32xf32>, !llama.weight<16, #llama.f32>
  return
}

// -----

func.func @rms_norm_a1_matrix(%x: tensor<?x32xf32>, %w: !llama.weight<1x32, #llama.f32>) {
  // expected-error @+1 {{'llama.rms_norm' op the weight is a vector of x's 32 columns, found '!llama.weight<1x32, #llama.f32>'}}
  %y = llama.rms_norm %x, %w eps 1.0e-05 : tensor<?x32xf32>, !llama.weight<1x32, #llama.f32>
  return
}

// -----

func.func @rms_norm_a2(%x: tensor<?x32xf32>, %w: !llama.weight<32, #llama.f32>) {
  // expected-error @+1 {{'llama.rms_norm' op attribute 'eps' failed to satisfy constraint: 64-bit float attribute whose value is positive}}
  %y = llama.rms_norm %x, %w eps 0.0 : tensor<?x32xf32>, !llama.weight<32, #llama.f32>
  return
}

// -----

func.func @rms_norm_a2_nan(%x: tensor<?x32xf32>, %w: !llama.weight<32, #llama.f32>) {
  // expected-error @+1 {{'llama.rms_norm' op attribute 'eps' failed to satisfy constraint: 64-bit float attribute whose value is positive}}
  %y = llama.rms_norm %x, %w eps 0x7FF8000000000000 : tensor<?x32xf32>, !llama.weight<32, #llama.f32>
  return
}

// -----

func.func @rms_norm_a1_heads(%x: tensor<?x32xf32>, %w: !llama.weight<32, #llama.f32>) {
  // expected-error @+1 {{'llama.rms_norm' op the weight is a vector of a head's 16 columns, found '!llama.weight<32, #llama.f32>'}}
  %y = llama.rms_norm %x, %w eps 1.0e-05 heads 2 : tensor<?x32xf32>, !llama.weight<32, #llama.f32>
  return
}

// -----

func.func @rms_norm_a3(%x: tensor<?x32xf32>, %w: !llama.weight<10, #llama.f32>) {
  // expected-error @+1 {{'llama.rms_norm' op 32 columns are not 3 heads}}
  %y = llama.rms_norm %x, %w eps 1.0e-05 heads 3 : tensor<?x32xf32>, !llama.weight<10, #llama.f32>
  return
}

// -----

func.func @bias_a1(%x: tensor<?x32xf32>, %w: !llama.weight<1x32, #llama.f32>) {
  // expected-error @+1 {{'llama.bias' op the weight is a vector of x's 32 columns, found '!llama.weight<1x32, #llama.f32>'}}
  %y = llama.bias %x, %w : tensor<?x32xf32>, !llama.weight<1x32, #llama.f32>
  return
}

// -----

func.func @rope_a4_dims(%x: tensor<?x32xf32>, %pos: tensor<?xi32>) {
  // expected-error @+1 {{'llama.rope' op turns 18 columns of heads of 16}}
  %y = llama.rope %x, %pos base 1.0e+04 heads 2 as <dims = 18> : tensor<?x32xf32>, tensor<?xi32>
  return
}

// -----

func.func @rope_a4_factors(%x: tensor<?x32xf32>, %pos: tensor<?xi32>) {
  // expected-error @+1 {{'llama.rope' op has 2 factors, its rotation turns 8 pairs}}
  %y = llama.rope %x, %pos base 1.0e+04 heads 2 as <factors = [1.0, 1.0]> : tensor<?x32xf32>, tensor<?xi32>
  return
}

// -----

// expected-error @+1 {{'llama.rope_table' op turns 18 columns of heads of 16}}
llama.rope_table head 16 base 1.0e+04 as <dims = 18>

// -----

func.func @attention_a5(%q: tensor<?x32xf32>, %kv: !llama.cache<2x1x16, f16>, %l: index, %pos: tensor<?xi32>) {
  // expected-error @+1 {{'llama.attention' op attribute 'window' failed to satisfy constraint: 64-bit signless integer attribute whose value is positive}}
  %y = llama.attention %q, %kv[%l], %pos causal heads 2 window 0 : tensor<?x32xf32>, !llama.cache<2x1x16, f16>, tensor<?xi32>
  return
}

// -----

func.func @attention_a6(%q: tensor<?x32xf32>, %kv: !llama.cache<2x1x16, f16 ring 256>, %l: index, %pos: tensor<?xi32>) {
  // expected-error @+1 {{'llama.attention' op reads a ring of 256 positions, expected a window of as many at most}}
  %y = llama.attention %q, %kv[%l], %pos causal heads 2 window 257 : tensor<?x32xf32>, !llama.cache<2x1x16, f16 ring 256>, tensor<?xi32>
  return
}

// -----

func.func @attention_part_a7(%q: tensor<1x32xf32>, %kv: !llama.cache<2x1x16, f16 ring 256>, %l: index, %pos: tensor<1xi32>) {
  // expected-error @+1 {{'llama.attention_part' op reads a ring of 256 positions, expected a window of as many at most}}
  %y = llama.attention_part %q, %kv[%l], %pos causal heads 2 keys 256 : tensor<1x32xf32>, !llama.cache<2x1x16, f16 ring 256>, tensor<1xi32> -> tensor<1x2x?x18xf32>
  return
}

// -----

func.func @linear_a1(%x: tensor<?x64xf32>, %w: !llama.weight<48x32, #llama.q4_0>) {
  // expected-error @+1 {{'llama.linear' op the weight has x's 64 columns, found '!llama.weight<48x32, #llama.q4_0>'}}
  %y = llama.linear %x, %w : tensor<?x64xf32>, !llama.weight<48x32, #llama.q4_0> -> tensor<?x48xf32>
  return
}

// -----

func.func @linear_a1_vector(%x: tensor<?x32xf32>, %w: !llama.weight<32, #llama.f32>) {
  // expected-error @+1 {{'llama.linear' op the weight has x's 32 columns, found '!llama.weight<32, #llama.f32>'}}
  %y = llama.linear %x, %w : tensor<?x32xf32>, !llama.weight<32, #llama.f32> -> tensor<?x1xf32>
  return
}

// -----

func.func @linear_a2_columns(%x: tensor<?x32xf32>, %w: !llama.weight<48x32, #llama.q4_0>) {
  // expected-error @+1 {{'llama.linear' op the result has a column for each of the weight's 48 rows, found 32}}
  %y = llama.linear %x, %w : tensor<?x32xf32>, !llama.weight<48x32, #llama.q4_0> -> tensor<?x32xf32>
  return
}

// -----

func.func @linear_a2_rows(%x: tensor<?x32xf32>, %w: !llama.weight<48x32, #llama.q4_0>) {
  // expected-error @+1 {{'llama.linear' op one result a row: ? rows against 1}}
  %y = llama.linear %x, %w : tensor<?x32xf32>, !llama.weight<48x32, #llama.q4_0> -> tensor<1x48xf32>
  return
}

// -----

func.func @linear_a3(%x: tensor<?x32x!llama.q8b32>, %w: !llama.weight<48x32, #llama.f16>) {
  // expected-error @+1 {{'llama.linear' op rows of q8b32 go with block-quantised weights, found f16; leave the rows in f32 or round them to f16}}
  %y = llama.linear %x, %w : tensor<?x32x!llama.q8b32>, !llama.weight<48x32, #llama.f16> -> tensor<?x48xf32>
  return
}

// -----

func.func @linear_a3_digits(%x: tensor<?x32x!llama.x24b32>, %w: !llama.weight<48x32, #llama.bf16>) {
  // expected-error @+1 {{'llama.linear' op rows of x24b32 go with block-quantised weights, found bf16; leave the rows in f32 or round them to f16}}
  %y = llama.linear %x, %w : tensor<?x32x!llama.x24b32>, !llama.weight<48x32, #llama.bf16> -> tensor<?x48xf32>
  return
}

// -----

func.func @linear_a4(%x: tensor<?x32xf32>, %w: !llama.weight<48x32, #llama.q4_0>) {
  // expected-error @+1 {{'llama.linear' op the unit #cpu.fma sums a row of a q4_0 weight in the order #llama.reduction_order<unit = #cpu.fma, block = 32, scale = outer>, found #llama.reduction_order<unit = #cpu.fma, block = 16, scale = outer>}}
  %y = llama.linear %x, %w order <unit = #cpu.fma, block = 16, scale = outer> : tensor<?x32xf32>, !llama.weight<48x32, #llama.q4_0> -> tensor<?x48xf32>
  return
}

// -----

func.func @linear_a4_digits(%x: tensor<?x32x!llama.q8b32>, %w: !llama.weight<48x32, #llama.q4_0>) {
  // expected-error @+1 {{'llama.linear' op the unit #cpu.dot_u8s8<digits = 3> reads rows of '!llama.x24b32', found '!llama.q8b32'}}
  %y = llama.linear %x, %w order <unit = #cpu.dot_u8s8<digits = 3>, block = 32, scale = outer> : tensor<?x32x!llama.q8b32>, !llama.weight<48x32, #llama.q4_0> -> tensor<?x48xf32>
  return
}

// -----

func.func @linear_a4_rows(%x: tensor<?x32xf32>, %w: !llama.weight<48x32, #llama.q4_0>) {
  // expected-error @+1 {{'llama.linear' op the unit #cpu.dot_u8s8 reads rows of '!llama.q8b32', found 'f32'}}
  %y = llama.linear %x, %w order <unit = #cpu.dot_u8s8, block = 32, scale = outer> : tensor<?x32xf32>, !llama.weight<48x32, #llama.q4_0> -> tensor<?x48xf32>
  return
}

// -----

func.func @rope_a1(%x: tensor<?x32xf32>, %pos: tensor<?xi32>) {
  // expected-error @+1 {{'llama.rope' op 32 columns are not 3 heads of an even size}}
  %y = llama.rope %x, %pos base 1.0e+04 heads 3 : tensor<?x32xf32>, tensor<?xi32>
  return
}

// -----

func.func @rope_a1_odd(%x: tensor<?x6xf32>, %pos: tensor<?xi32>) {
  // expected-error @+1 {{'llama.rope' op 6 columns are not 2 heads of an even size}}
  %y = llama.rope %x, %pos base 1.0e+04 heads 2 : tensor<?x6xf32>, tensor<?xi32>
  return
}

// -----

func.func @rope_a1_no_heads(%x: tensor<?x32xf32>, %pos: tensor<?xi32>) {
  // expected-error @+1 {{'llama.rope' op 32 columns are not 0 heads of an even size}}
  %y = llama.rope %x, %pos base 1.0e+04 heads 0 : tensor<?x32xf32>, tensor<?xi32>
  return
}

// -----

func.func @rope_a2(%x: tensor<2x32xf32>, %pos: tensor<3xi32>) {
  // expected-error @+1 {{'llama.rope' op one position a row: 2 rows against 3}}
  %y = llama.rope %x, %pos base 1.0e+04 heads 2 : tensor<2x32xf32>, tensor<3xi32>
  return
}

// -----

func.func @rope_a2_rank(%x: tensor<2x32xf32>, %pos: tensor<2x1xi32>) {
  // expected-error @+1 {{'llama.rope' op operand #1 must be one 32-bit integer a row, but got 'tensor<2x1xi32>'}}
  %y = llama.rope %x, %pos base 1.0e+04 heads 2 : tensor<2x32xf32>, tensor<2x1xi32>
  return
}

// -----

func.func @rope_a3(%x: tensor<2x32xf32>, %pos: tensor<2xi32>) {
  // expected-error @+1 {{'llama.rope' op attribute 'base' failed to satisfy constraint: 64-bit float attribute whose value is positive}}
  %y = llama.rope %x, %pos base -1.0 heads 2 : tensor<2x32xf32>, tensor<2xi32>
  return
}

// -----

func.func @kv_append_a1(%kv: !llama.cache<2x2x16, f16>, %l: index, %k: tensor<?x32xf32>, %v: tensor<?x16xf32>, %pos: tensor<?xi32>) {
  // expected-error @+1 {{'llama.kv_append' op a row of the cache has 2 x 16 elements, found 16 columns}}
  llama.kv_append %kv[%l], %k, %v at %pos : !llama.cache<2x2x16, f16>, tensor<?x32xf32>, tensor<?x16xf32>, tensor<?xi32>
  return
}

// -----

func.func @kv_append_a2_values(%kv: !llama.cache<2x1x16, f16>, %l: index, %k: tensor<2x16xf32>, %v: tensor<3x16xf32>, %pos: tensor<2xi32>) {
  // expected-error @+1 {{'llama.kv_append' op keys and values: 2 rows against 3}}
  llama.kv_append %kv[%l], %k, %v at %pos : !llama.cache<2x1x16, f16>, tensor<2x16xf32>, tensor<3x16xf32>, tensor<2xi32>
  return
}

// -----

func.func @kv_append_a2_positions(%kv: !llama.cache<2x1x16, f16>, %l: index, %k: tensor<2x16xf32>, %pos: tensor<1xi32>) {
  // expected-error @+1 {{'llama.kv_append' op one position a row: 2 rows against 1}}
  llama.kv_append %kv[%l], %k, %k at %pos : !llama.cache<2x1x16, f16>, tensor<2x16xf32>, tensor<2x16xf32>, tensor<1xi32>
  return
}

// -----

func.func @attention_a1(%q: tensor<?x32xf32>, %kv: !llama.cache<2x1x16, f16>, %l: index, %pos: tensor<?xi32>) {
  // expected-error @+1 {{'llama.attention' op the query has 32 columns, not 3 heads of the cache's size 16}}
  %y = llama.attention %q, %kv[%l], %pos causal heads 3 : tensor<?x32xf32>, !llama.cache<2x1x16, f16>, tensor<?xi32>
  return
}

// -----

func.func @attention_a2(%q: tensor<?x48xf32>, %kv: !llama.cache<2x2x16, f16>, %l: index, %pos: tensor<?xi32>) {
  // expected-error @+1 {{'llama.attention' op 3 heads cannot share the cache's 2}}
  %y = llama.attention %q, %kv[%l], %pos causal heads 3 : tensor<?x48xf32>, !llama.cache<2x2x16, f16>, tensor<?xi32>
  return
}

// -----

func.func @attention_a3(%q: tensor<?x32xf32>, %kv: !llama.cache<2x1x16, f16>, %l: index, %pos: tensor<1xi32>) {
  // expected-error @+1 {{'llama.attention' op one position a row: ? rows against 1}}
  %y = llama.attention %q, %kv[%l], %pos causal heads 2 : tensor<?x32xf32>, !llama.cache<2x1x16, f16>, tensor<1xi32>
  return
}

// -----

func.func @attention_a4(%q: tensor<?x32xf32>, %kv: !llama.cache<2x1x16, f16>, %l: index, %pos: tensor<?xi32>) {
  // expected-error @+1 {{'llama.attention' op attribute 'keys' failed to satisfy constraint: 64-bit signless integer attribute whose value is positive}}
  %y = llama.attention %q, %kv[%l], %pos causal heads 2 keys -256 : tensor<?x32xf32>, !llama.cache<2x1x16, f16>, tensor<?xi32>
  return
}

// -----

func.func @attention_part_a1(%q: tensor<1x30xf32>, %kv: !llama.cache<2x1x16, f16>, %l: index, %pos: tensor<1xi32>) {
  // expected-error @+1 {{'llama.attention_part' op the query has 30 columns, not 2 heads of the cache's size 16}}
  %p = llama.attention_part %q, %kv[%l], %pos causal heads 2 keys 256 : tensor<1x30xf32>, !llama.cache<2x1x16, f16>, tensor<1xi32> -> tensor<1x2x?x18xf32>
  return
}

// -----

func.func @attention_part_a2(%q: tensor<1x48xf32>, %kv: !llama.cache<2x2x16, f16>, %l: index, %pos: tensor<1xi32>) {
  // expected-error @+1 {{'llama.attention_part' op 3 heads cannot share the cache's 2}}
  %p = llama.attention_part %q, %kv[%l], %pos causal heads 3 keys 256 : tensor<1x48xf32>, !llama.cache<2x2x16, f16>, tensor<1xi32> -> tensor<1x3x?x18xf32>
  return
}

// -----

func.func @attention_part_a3(%q: tensor<1x32xf32>, %kv: !llama.cache<2x1x16, f16>, %l: index, %pos: tensor<2xi32>) {
  // expected-error @+1 {{'llama.attention_part' op one position a row: 1 rows against 2}}
  %p = llama.attention_part %q, %kv[%l], %pos causal heads 2 keys 256 : tensor<1x32xf32>, !llama.cache<2x1x16, f16>, tensor<2xi32> -> tensor<1x2x?x18xf32>
  return
}

// -----

func.func @attention_part_a4(%q: tensor<1x32xf32>, %kv: !llama.cache<2x1x16, f16>, %l: index, %pos: tensor<1xi32>) {
  // expected-error @+1 {{'llama.attention_part' op the result is rows x 2 heads x blocks x 18, found 'tensor<1x2x?x16xf32>'}}
  %p = llama.attention_part %q, %kv[%l], %pos causal heads 2 keys 256 : tensor<1x32xf32>, !llama.cache<2x1x16, f16>, tensor<1xi32> -> tensor<1x2x?x16xf32>
  return
}

// -----

func.func @attention_part_a5(%q: tensor<1x32xf32>, %kv: !llama.cache<2x1x16, f16>, %l: index, %pos: tensor<1xi32>) {
  // expected-error @+1 {{'llama.attention_part' op attribute 'keys' failed to satisfy constraint: 64-bit signless integer attribute whose value is positive}}
  %p = llama.attention_part %q, %kv[%l], %pos causal heads 2 keys 0 : tensor<1x32xf32>, !llama.cache<2x1x16, f16>, tensor<1xi32> -> tensor<1x2x?x18xf32>
  return
}

// -----

func.func @attention_merge_a1(%p: tensor<1x3x?x18xf32>) {
  // expected-error @+1 {{'llama.attention_merge' op parts are rows x 2 heads x blocks x (head size + 2), found 'tensor<1x3x?x18xf32>'}}
  %y = llama.attention_merge %p heads 2 : tensor<1x3x?x18xf32> -> tensor<1x32xf32>
  return
}

// -----

func.func @attention_merge_a2_columns(%p: tensor<1x2x?x18xf32>) {
  // expected-error @+1 {{'llama.attention_merge' op the result has 2 x 16 columns, found 36}}
  %y = llama.attention_merge %p heads 2 : tensor<1x2x?x18xf32> -> tensor<1x36xf32>
  return
}

// -----

func.func @attention_merge_a2_rows(%p: tensor<1x2x?x18xf32>) {
  // expected-error @+1 {{'llama.attention_merge' op one result a row: 1 rows against 2}}
  %y = llama.attention_merge %p heads 2 : tensor<1x2x?x18xf32> -> tensor<2x32xf32>
  return
}

// -----

func.func @quantize_a1(%x: tensor<2x32xf32>) {
  // expected-error @+1 {{'llama.quantize' op rounding keeps the shape, found 'tensor<2x32xf32>' to 'tensor<32x2xbf16>'}}
  %y = llama.quantize %x : tensor<2x32xf32> to tensor<32x2xbf16>
  return
}

// -----

func.func @quantize_a2(%x: tensor<2x32xf32>) {
  // expected-error @+1 {{'llama.quantize' op rounds to f16, bf16, q8b32 or x24b32, not to f32}}
  %y = llama.quantize %x : tensor<2x32xf32> to tensor<2x32xf32>
  return
}

// -----

func.func @quantize_a4(%x: tensor<2x48xf32>) {
  // expected-error @+1 {{'llama.quantize' op rows of q8b32 are blocks of 32 columns, found 48}}
  %y = llama.quantize %x : tensor<2x48xf32> to tensor<2x48x!llama.q8b32>
  return
}

// -----

func.func @quantize_a4_digits(%x: tensor<2x33xf32>) {
  // expected-error @+1 {{'llama.quantize' op rows of x24b32 are blocks of 32 columns, found 33}}
  %y = llama.quantize %x : tensor<2x33xf32> to tensor<2x33x!llama.x24b32>
  return
}

// -----

func.func @quantize_a3(%x: tensor<32xf32>) {
  // expected-error @+1 {{'llama.quantize' op operand #0 must be rows x columns with the columns known, a ranked tensor of 32-bit float values, but got 'tensor<32xf32>'}}
  %y = llama.quantize %x : tensor<32xf32> to tensor<32xbf16>
  return
}

// -----

// expected-error @+1 {{'llama.rope_table' op attribute 'head' failed to satisfy constraint: 64-bit signless integer attribute whose value is positive whose value is even}}
llama.rope_table head 15 base 1.0e+04

// -----

// expected-error @+1 {{'llama.rope_table' op attribute 'head' failed to satisfy constraint: 64-bit signless integer attribute whose value is positive whose value is even}}
llama.rope_table head -2 base 1.0e+04

// -----

// expected-error @+1 {{'llama.rope_table' op attribute 'base' failed to satisfy constraint: 64-bit float attribute whose value is positive}}
llama.rope_table head 16 base 0.0

// -----

// expected-error @+1 {{invalid kind of attribute specified}}
llama.cache_layout !llama.cache<2x1x16, f16> keys #llama.f16 values #llama.rowmajor

// -----

func.func @swiglu_columns_unknown(%x: tensor<2x?xf32>) -> tensor<2x?xf32> {
  // expected-error @+1 {{'llama.swiglu' op operand #0 must be rows x columns with the columns known, a ranked tensor of 32-bit float values, but got 'tensor<2x?xf32>'}}
  %y = llama.swiglu %x, %x : tensor<2x?xf32>
  return %y : tensor<2x?xf32>
}

// -----

func.func @silu_columns_unknown(%x: tensor<2x?xf32>) -> tensor<2x?xf32> {
  // expected-error @+1 {{'llama.silu' op operand #0 must be rows x columns with the columns known, a ranked tensor of 32-bit float values, but got 'tensor<2x?xf32>'}}
  %y = llama.silu %x : tensor<2x?xf32>
  return %y : tensor<2x?xf32>
}

// -----

func.func @relu_columns_unknown(%x: tensor<2x?xf32>) -> tensor<2x?xf32> {
  // expected-error @+1 {{'llama.relu' op operand #0 must be rows x columns with the columns known, a ranked tensor of 32-bit float values, but got 'tensor<2x?xf32>'}}
  %y = llama.relu %x : tensor<2x?xf32>
  return %y : tensor<2x?xf32>
}

// -----

func.func @gelu_columns_unknown(%x: tensor<2x?xf32>) -> tensor<2x?xf32> {
  // expected-error @+1 {{'llama.gelu' op operand #0 must be rows x columns with the columns known, a ranked tensor of 32-bit float values, but got 'tensor<2x?xf32>'}}
  %y = llama.gelu %x : tensor<2x?xf32>
  return %y : tensor<2x?xf32>
}

// -----

func.func @mul_columns_unknown(%x: tensor<2x?xf32>) -> tensor<2x?xf32> {
  // expected-error @+1 {{'llama.mul' op operand #0 must be rows x columns with the columns known, a ranked tensor of 32-bit float values, but got 'tensor<2x?xf32>'}}
  %y = llama.mul %x, %x : tensor<2x?xf32>
  return %y : tensor<2x?xf32>
}

// -----

func.func @add_columns_unknown(%x: tensor<2x?xf32>) -> tensor<2x?xf32> {
  // expected-error @+1 {{'llama.add' op operand #0 must be rows x columns with the columns known, a ranked tensor of 32-bit float values, but got 'tensor<2x?xf32>'}}
  %y = llama.add %x, %x : tensor<2x?xf32>
  return %y : tensor<2x?xf32>
}
