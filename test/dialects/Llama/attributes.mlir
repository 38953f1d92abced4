// Attributes and types, each as it is written; defaults are left out in print.
//
// RUN: %opt %s --verify-roundtrip | FileCheck %s

// CHECK: test.formats = [#llama.f32, #llama.f16, #llama.bf16, #llama.q8_0, #llama.q4_0, #llama.q4_1, #llama.q6_k, #llama.q5_0, #llama.q5_1, #llama.q2_k, #llama.q3_k, #llama.q4_k, #llama.q5_k, #llama.iq4_nl, #llama.iq4_xs, #llama.mxfp4]
module attributes {test.formats = [#llama.f32, #llama.f16, #llama.bf16, #llama.q8_0, #llama.q4_0, #llama.q4_1, #llama.q6_k, #llama.q5_0, #llama.q5_1, #llama.q2_k, #llama.q3_k, #llama.q4_k, #llama.q5_k, #llama.iq4_nl, #llama.iq4_xs, #llama.mxfp4]} {}

// CHECK: test.layouts = [#llama.rowmajor, #llama.interleaved16<k = 4>, #llama.rowmajor_split, #llama.keys_interleaved16]
module attributes {test.layouts = [#llama.rowmajor, #llama.interleaved16<k = 4>, #llama.rowmajor_split, #llama.keys_interleaved16]} {}

// CHECK: test.orders = [#llama.reduction_order<unit = #cpu.fma, block = 32, scale = outer>, #llama.reduction_order<lanes = 16>, #llama.reduction_order<unit = #cuda.mma>, #llama.reduction_order<unit = #cuda.mma<bf16>>]
module attributes {test.orders = [
  #llama.reduction_order<unit = #cpu.fma, block = 32, scale = outer, lanes = 0>,
  #llama.reduction_order<lanes = 16, scale = none>,
  #llama.reduction_order<unit = #cuda.mma>,
  #llama.reduction_order<unit = #cuda.mma<bf16>>]} {}

// CHECK: test.partitions = [#llama.partition<rows = [2048, 256, 256], by = 32>, #llama.partition<rows = [32], by = 16, rows_by = 8>, #llama.partition<of = keys, by = 256, times = 3>, #llama.partition<of = rows, by = 8>]
module attributes {test.partitions = [
  #llama.partition<rows = [2048, 256, 256], by = 32>,
  #llama.partition<rows = [32], by = 16, rows_by = 8>,
  #llama.partition<of = keys, by = 256, times = 3>,
  #llama.partition<by = 8, of = rows, times = 1>]} {}

// CHECK: test.strategies = [#cpu.strategy<unit = #cpu.fma, m = 1, n = 32>, #cpu.strategy<unit = #cpu.fma, m = 4, n = 16>, #cuda.strategy<unit = #cuda.mma, threads = 128, m = 64, n = 64, k = 32, stages = 3>]
module attributes {test.strategies = [
  #cpu.strategy<unit = #cpu.fma, m = 1, n = 32>,
  #cpu.strategy<unit = #cpu.fma, m = 4, n = 16>,
  #cuda.strategy<unit = #cuda.mma, threads = 128, m = 64, n = 64, k = 32, stages = 3>]} {}

// CHECK: llama.config = #llama.config<dim = 32, heads = 2, kv_heads = 1, head_size = 16, hidden = 48, vocabulary = 64, layers = 2, context_length = 2048>
// CHECK-SAME: llama.target = #cpu.target<name = "x86-64-v4", features = "+avx2,+fma,+avx512f,+avx512bw,+avx512dq,+avx512vl", vector_bits = 512>
module attributes {
  llama.config = #llama.config<dim = 32, heads = 2, kv_heads = 1, head_size = 16, hidden = 48, vocabulary = 64, layers = 2, context_length = 2048>,
  llama.target = #cpu.target<name = "x86-64-v4", features = "+avx2,+fma,+avx512f,+avx512bw,+avx512dq,+avx512vl", vector_bits = 512>} {}

// CHECK: test.entry = #llama.entry<name = "prefill", rows = 512, embed = @e, layers = [@a, @b], of = [1, 0, 0, 1]>
module attributes {test.entry = #llama.entry<name = "prefill", rows = 512, embed = @e, layers = [@a, @b], of = [1, 0, 0, 1]>} {}

// CHECK: test.types = [!llama.weight<256x2048, #llama.q4_0>, !llama.weight<2048, #llama.f32>, !llama.cache<22x4x64, f16>, !llama.cache<22x4x64, bf16>, !llama.cache<22x4x64, q8_0, f16 ring 768>, tensor<?x2048x!llama.q8b32>]
module attributes {test.types = [
  !llama.weight<256x2048, #llama.q4_0>, !llama.weight<2048, #llama.f32>,
  !llama.cache<22x4x64, f16>, !llama.cache<22x4x64, bf16>, !llama.cache<22x4x64, q8_0, f16 ring 768>, tensor<?x2048x!llama.q8b32>]} {}
