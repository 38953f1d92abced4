//===- GGUFConfigTest.cpp - metadata that is refused ---------------------===//
//
// One row for each rule about the metadata: a well-formed file, broken in one
// way -> the message, whole.
//
//===----------------------------------------------------------------------===//

#include "CheckpointTesting.h"
#include "gtest/gtest.h"
#include <limits>

using namespace corellama::test;

namespace {

const Refusal kRefusals[] = {
    // Sizes.
    {"no_architecture",
     [](GGUFBuilder &b) { b.remove("general.architecture"); },
     "metadata 'general.architecture': is missing, expected 'llama', "
     "'qwen2', 'qwen3' or 'granite'; convert the model again with a current "
     "llama.cpp"},
    {"another_architecture",
     [](GGUFBuilder &b) { b.text("general.architecture", "mamba"); },
     "metadata 'general.architecture': is 'mamba', expected 'llama', 'qwen2', "
     "'qwen3' or 'granite'; give a checkpoint of one of them"},
    {"architecture_type",
     [](GGUFBuilder &b) { b.u32("general.architecture", 1); },
     "metadata 'general.architecture': is 1, expected 'llama', 'qwen2', "
     "'qwen3' or 'granite'; give a checkpoint of one of them"},
    {"adapter", [](GGUFBuilder &b) { b.text("general.type", "adapter"); },
     "metadata 'general.type': is 'adapter', expected 'model'; give the model "
     "that it belongs to"},
    {"quantization_version",
     [](GGUFBuilder &b) { b.u32("general.quantization_version", 1); },
     "metadata 'general.quantization_version': is 1, expected 2; quantize the "
     "model again with a current llama.cpp"},
    {"split",
     [](GGUFBuilder &b) { b.number("split.count", kUInt16, uint16_t(3)); },
     "metadata 'split.count': is 3, expected 1; give the first of the parts "
     "with the others beside it, named as they were published"},
    {"block_count_missing",
     [](GGUFBuilder &b) { b.remove("llama.block_count"); },
     "metadata 'llama.block_count': is missing, expected a whole number from 1 "
     "to 65535; convert the model again with a current llama.cpp"},
    {"block_count_0", [](GGUFBuilder &b) { b.u32("llama.block_count", 0); },
     "metadata 'llama.block_count': is 0, expected a whole number from 1 to "
     "65535; convert the model again with a current llama.cpp"},
    {"block_count_65536",
     [](GGUFBuilder &b) { b.u32("llama.block_count", 65536); },
     "metadata 'llama.block_count': is 65536, expected a whole number from 1 "
     "to 65535; convert the model again with a current llama.cpp"},
    {"block_count_negative",
     [](GGUFBuilder &b) { b.number("llama.block_count", kInt32, int32_t(-1)); },
     "metadata 'llama.block_count': is -1, expected a whole number from 1 to "
     "65535; convert the model again with a current llama.cpp"},
    {"context_missing",
     [](GGUFBuilder &b) { b.remove("llama.context_length"); },
     "metadata 'llama.context_length': is missing, expected a whole number "
     "from 1 to 2147483647; convert the model again with a current llama.cpp"},
    {"context_2_31",
     [](GGUFBuilder &b) { b.u32("llama.context_length", 1u << 31); },
     "metadata 'llama.context_length': is 2147483648, expected a whole number "
     "from 1 to 2147483647; convert the model again with a current llama.cpp"},
    {"dim_missing", [](GGUFBuilder &b) { b.remove("llama.embedding_length"); },
     "metadata 'llama.embedding_length': is missing, expected a whole number "
     "from 1 to 2147483647; convert the model again with a current llama.cpp"},
    {"dim_is_a_float",
     [](GGUFBuilder &b) { b.f32("llama.embedding_length", 64); },
     "metadata 'llama.embedding_length': is 64.0, expected a whole number from "
     "1 to 2147483647; convert the model again with a current llama.cpp"},
    {"hidden_missing",
     [](GGUFBuilder &b) { b.remove("llama.feed_forward_length"); },
     "metadata 'llama.feed_forward_length': is missing, expected a whole "
     "number from 1 to 2147483647; convert the model again with a current "
     "llama.cpp"},
    {"hidden_per_layer",
     [](GGUFBuilder &b) {
       b.numbers<int32_t>("llama.feed_forward_length", kInt32, {96, 96});
     },
     "metadata 'llama.feed_forward_length': is an array of 2 x int32, expected "
     "a whole number from 1 to 2147483647; convert the model again with a "
     "current llama.cpp"},
    {"heads_missing",
     [](GGUFBuilder &b) { b.remove("llama.attention.head_count"); },
     "metadata 'llama.attention.head_count': is missing, expected a whole "
     "number from 1 to 2147483647; convert the model again with a current "
     "llama.cpp"},
    {"kv_heads_0",
     [](GGUFBuilder &b) { b.u32("llama.attention.head_count_kv", 0); },
     "metadata 'llama.attention.head_count_kv': is 0, expected a whole number "
     "from 1 to 2147483647; convert the model again with a current llama.cpp"},
    {"kv_heads_divide_heads",
     [](GGUFBuilder &b) { b.u32("llama.attention.head_count_kv", 3); },
     "metadata 'llama.attention.head_count_kv': is 3, expected a divisor of "
     "llama.attention.head_count 4; convert the model again with a current "
     "llama.cpp"},
    {"heads_divide_dim",
     [](GGUFBuilder &b) {
       b.u32("llama.attention.head_count", 6);
       b.u32("llama.attention.key_length", 16);
     },
     "metadata 'llama.attention.head_count': is 6, expected a divisor of "
     "llama.embedding_length 64; convert the model again with a current "
     "llama.cpp"},
    {"key_length_alone",
     [](GGUFBuilder &b) { b.u32("llama.attention.key_length", 32); },
     "metadata 'llama.attention.value_length': is 16, expected 32, the length "
     "of a key (llama.attention.key_length); give a checkpoint with one head "
     "size"},
    {"value_length_alone",
     [](GGUFBuilder &b) { b.u32("llama.attention.value_length", 32); },
     "metadata 'llama.attention.value_length': is 32, expected 16, the length "
     "of a key (llama.attention.key_length); give a checkpoint with one head "
     "size"},
    {"head_size_odd",
     [](GGUFBuilder &b) {
       b.u32("llama.embedding_length", 60);
       b.remove("llama.rope.dimension_count");
     },
     "metadata 'llama.attention.head_count': gives heads of 15, expected an "
     "even size for RoPE's pairs; convert the model again with a current "
     "llama.cpp"},
    {"head_sizes_overflow",
     [](GGUFBuilder &b) {
       b.u32("llama.attention.key_length", 0x7ffffffe);
       b.u32("llama.attention.value_length", 0x7ffffffe);
     },
     "metadata 'llama.attention.head_count': gives 4 heads of 2147483646, "
     "expected a product of at most 2147483647; convert the model again with a "
     "current llama.cpp"},
    // A refused value is not compared with others.
    {"key_length_0",
     [](GGUFBuilder &b) { b.u32("llama.attention.key_length", 0); },
     "metadata 'llama.attention.key_length': is 0, expected a whole number "
     "from "
     "1 to 2147483647; convert the model again with a current llama.cpp"},
    {"rope_dimensions_0",
     [](GGUFBuilder &b) { b.u32("llama.rope.dimension_count", 0); },
     "metadata 'llama.rope.dimension_count': is 0, expected a whole number "
     "from "
     "1 to 2147483647; convert the model again with a current llama.cpp"},
    {"vocab_size_0", [](GGUFBuilder &b) { b.u32("llama.vocab_size", 0); },
     "metadata 'llama.vocab_size': is 0, expected a whole number from 1 to "
     "2147483647; convert the model again with a current llama.cpp"},
    {"rope_scaling_turns_negative",
     [](GGUFBuilder &b) {
       b.text("llama.rope.scaling.type", "yarn");
       b.f32("llama.rope.scaling.factor", 4);
       b.f32("llama.rope.scaling.yarn_beta_fast", -1);
     },
     "metadata 'llama.rope.scaling.yarn_beta_fast': is -1.0, expected a finite "
     "number above 0; convert the model again with a current llama.cpp"},
    {"rope_dimensions",
     [](GGUFBuilder &b) { b.u32("llama.rope.dimension_count", 18); },
     "metadata 'llama.rope.dimension_count': is 18, expected an even number up "
     "to the size of a head, 16; convert the model again with a current "
     "llama.cpp"},
    {"rope_dimensions_odd",
     [](GGUFBuilder &b) { b.u32("llama.rope.dimension_count", 7); },
     "metadata 'llama.rope.dimension_count': is 7, expected an even number up "
     "to the size of a head, 16; convert the model again with a current "
     "llama.cpp"},
    {"eps_missing",
     [](GGUFBuilder &b) { b.remove("llama.attention.layer_norm_rms_epsilon"); },
     "metadata 'llama.attention.layer_norm_rms_epsilon': is missing, expected "
     "a finite number above 0; convert the model again with a current "
     "llama.cpp"},
    {"eps_0",
     [](GGUFBuilder &b) { b.f32("llama.attention.layer_norm_rms_epsilon", 0); },
     "metadata 'llama.attention.layer_norm_rms_epsilon': is 0.0, expected a "
     "finite number above 0; convert the model again with a current llama.cpp"},
    {"eps_nan",
     [](GGUFBuilder &b) {
       b.f32("llama.attention.layer_norm_rms_epsilon",
             std::numeric_limits<float>::quiet_NaN());
     },
     "metadata 'llama.attention.layer_norm_rms_epsilon': is nan, expected a "
     "finite number above 0; convert the model again with a current llama.cpp"},
    {"eps_is_a_text",
     [](GGUFBuilder &b) {
       b.text("llama.attention.layer_norm_rms_epsilon", "1e-5");
     },
     "metadata 'llama.attention.layer_norm_rms_epsilon': is '1e-5', expected a "
     "finite number above 0; convert the model again with a current llama.cpp"},
    {"rope_base_below_1",
     [](GGUFBuilder &b) { b.f32("llama.rope.freq_base", 0.5f); },
     "metadata 'llama.rope.freq_base': is 0.5, expected a number from 1 to "
     "1e+30; convert the model again with a current llama.cpp"},
    {"rope_base_too_large",
     [](GGUFBuilder &b) { b.f32("llama.rope.freq_base", 1.5e30f); },
     "metadata 'llama.rope.freq_base': is 1.5e+30, expected a number from 1 to "
     "1e+30; convert the model again with a current llama.cpp"},
    {"rope_base_1_with_yarn",
     [](GGUFBuilder &b) {
       b.f32("llama.rope.freq_base", 1);
       b.text("llama.rope.scaling.type", "yarn");
       b.f32("llama.rope.scaling.factor", 4);
     },
     "metadata 'llama.rope.freq_base': is 1.0, expected more than 1 with YaRN; "
     "convert the model again with a current llama.cpp"},
    {"rope_base_infinite",
     [](GGUFBuilder &b) {
       b.f32("llama.rope.freq_base", std::numeric_limits<float>::infinity());
     },
     "metadata 'llama.rope.freq_base': is inf, expected a number from 1 to "
     "1e+30; convert the model again with a current llama.cpp"},
    {"vocab_size", [](GGUFBuilder &b) { b.u32("llama.vocab_size", 6); },
     "metadata 'llama.vocab_size': is 6, expected 5 as the rows of "
     "token_embd.weight; convert the model again with a current llama.cpp"},
    {"tokens",
     [](GGUFBuilder &b) { b.texts("tokenizer.ggml.tokens", {"a", "b"}); },
     "metadata 'tokenizer.ggml.tokens': is an array of 2 x string, expected an "
     "array of 5 x string, one for each row of token_embd.weight; convert the "
     "model again with a current llama.cpp"},
    {"tokens_type",
     [](GGUFBuilder &b) {
       b.numbers<int32_t>("tokenizer.ggml.tokens", kInt32, {1});
     },
     "metadata 'tokenizer.ggml.tokens': is an array of 1 x int32, expected an "
     "array of 5 x string, one for each row of token_embd.weight; convert the "
     "model again with a current llama.cpp"},

    // What would change the meaning.
    {"rope_scaling_type",
     [](GGUFBuilder &b) { b.text("llama.rope.scaling.type", "longrope"); },
     "metadata 'llama.rope.scaling.type': is 'longrope', expected 'none', "
     "'linear' or 'yarn'; give a checkpoint with one of them"},
    {"rope_scaling_factor",
     [](GGUFBuilder &b) { b.f32("llama.rope.scaling.factor", 0.5f); },
     "metadata 'llama.rope.scaling.factor': is 0.5, expected a finite number "
     "of at least 1; convert the model again with a current llama.cpp"},
    {"rope_scaling_context",
     [](GGUFBuilder &b) {
       b.text("llama.rope.scaling.type", "yarn");
       b.f32("llama.rope.scaling.factor", 4);
       b.u32("llama.rope.scaling.original_context_length", 0);
     },
     "metadata 'llama.rope.scaling.original_context_length': is 0, expected a "
     "whole number from 1 to 2147483647; convert the model again with a "
     "current llama.cpp"},
    {"rope_scaling_turns",
     [](GGUFBuilder &b) {
       b.text("llama.rope.scaling.type", "yarn");
       b.f32("llama.rope.scaling.factor", 4);
       b.f32("llama.rope.scaling.yarn_beta_slow", 32);
     },
     "metadata 'llama.rope.scaling.yarn_beta_slow': is 32.000000, expected "
     "less than yarn_beta_fast; convert the model again with a current "
     "llama.cpp"},
    {"rope_scaling_by_layers",
     [](GGUFBuilder &b) { b.f32("llama.rope.scaling.alpha", 2); },
     "metadata 'llama.rope.scaling.alpha': is 2.0, which asks for another "
     "scaling of RoPE, expected a plain Llama; give a checkpoint without it"},
    {"rope_sections",
     [](GGUFBuilder &b) {
       b.numbers<int32_t>("llama.rope.dimension_sections", kInt32, {8});
     },
     "metadata 'llama.rope.dimension_sections': is an array of 1 x int32, "
     "which asks for another form of RoPE, expected a plain Llama; give a "
     "checkpoint without it"},
    {"rope_factors_shape",
     [](GGUFBuilder &b) { b.tensor("rope_freqs.weight", F32, {7}); },
     "tensor 'rope_freqs.weight': is no vector of 8 numbers in F32, expected "
     "one for each pair that RoPE turns; convert the model again with a "
     "current llama.cpp"},
    {"windows_of_every_second_layer",
     [](GGUFBuilder &b) { b.u32("llama.attention.sliding_window_pattern", 2); },
     "metadata 'llama.attention.sliding_window_pattern': is 2, expected a list "
     "of a flag for each of 2 layers, true for a window; give a checkpoint "
     "with "
     "a list of flags"},
    {"windows_of_three_layers",
     [](GGUFBuilder &b) {
       b.numbers<uint8_t>("llama.attention.sliding_window_pattern", kBool,
                          {1, 0, 1});
     },
     "metadata 'llama.attention.sliding_window_pattern': is an array of 3 x "
     "bool, expected a list of a flag for each of 2 layers, true for a window; "
     "convert the model again with a current llama.cpp"},
    {"windows_that_are_no_flags",
     [](GGUFBuilder &b) {
       b.numbers<uint32_t>("llama.attention.sliding_window_pattern", kUInt32,
                           {1, 256});
     },
     "metadata 'llama.attention.sliding_window_pattern': is an array of 2 x "
     "uint32, expected a list of a flag for each of 2 layers, true for a "
     "window; convert the model again with a current llama.cpp"},
    {"experts", [](GGUFBuilder &b) { b.u32("llama.expert_count", 8); },
     "metadata 'llama.expert_count': is 8, expected 0; give a checkpoint "
     "without experts"},
    {"expert_size",
     [](GGUFBuilder &b) { b.u32("llama.expert_feed_forward_length", 8); },
     "metadata 'llama.expert_feed_forward_length': is 8, which asks for "
     "experts, expected a plain Llama; give a checkpoint without it"},
    {"not_causal", [](GGUFBuilder &b) { b.flag("llama.attention.causal", 0); },
     "metadata 'llama.attention.causal': is false, expected true; give a "
     "checkpoint whose attention looks back only"},
    {"attention_scale",
     [](GGUFBuilder &b) { b.f32("llama.attention.scale", 0); },
     "metadata 'llama.attention.scale': is 0.0, expected a finite number above "
     "0; convert the model again with a current llama.cpp"},
    {"clamped_qkv",
     [](GGUFBuilder &b) { b.f32("llama.attention.clamp_kqv", 8); },
     "metadata 'llama.attention.clamp_kqv': is 8.0, expected 0; give a "
     "checkpoint without clamped q, k and v"},
    {"alibi",
     [](GGUFBuilder &b) { b.f32("llama.attention.max_alibi_bias", 8); },
     "metadata 'llama.attention.max_alibi_bias': is 8.0, expected 0; give a "
     "checkpoint without ALiBi"},
    {"logit_scale", [](GGUFBuilder &b) { b.f32("llama.logit_scale", -1); },
     "metadata 'llama.logit_scale': is -1.0, expected a finite number above 0; "
     "convert the model again with a current llama.cpp"},
    {"parallel_residual",
     [](GGUFBuilder &b) { b.flag("llama.use_parallel_residual", 1); },
     "metadata 'llama.use_parallel_residual': is true, expected false; give a "
     "checkpoint without a parallel residual"},
    {"data_layout",
     [](GGUFBuilder &b) { b.text("llama.tensor_data_layout", "transposed"); },
     "metadata 'llama.tensor_data_layout': is 'transposed', expected 'Meta AI "
     "original pth'; convert the model again with a current llama.cpp"},
    {"unknown_key", [](GGUFBuilder &b) { b.u32("llama.new\nidea", 1); },
     "metadata 'llama.new\\x0aidea': is 1, which asks for something that this "
     "compiler does not know, expected a plain Llama; give a checkpoint "
     "without it"},
};

} // namespace

INSTANTIATE_TEST_SUITE_P(Metadata, CheckpointRefuses,
                         testing::ValuesIn(kRefusals), nameOfRefusal);
