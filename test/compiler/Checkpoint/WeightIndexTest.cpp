//===- WeightIndexTest.cpp - tensors that are refused ---------------------===//
//
// One row for each rule about the tensor table: a well-formed file, broken in
// one way -> the message, whole.
//
//===----------------------------------------------------------------------===//

#include "CheckpointTesting.h"
#include "gtest/gtest.h"

using namespace corellama::test;

namespace {

const Refusal kRefusals[] = {
    {"no_embedding",
     [](GGUFBuilder &b) { b.removeTensor("token_embd.weight"); },
     "tensor 'token_embd.weight': is missing, expected the embedding; convert "
     "the model again with a current llama.cpp"},
    {"no_output_norm",
     [](GGUFBuilder &b) { b.removeTensor("output_norm.weight"); },
     "tensor 'output_norm.weight': is not among the file's 20 tensors, "
     "expected in a Llama whose llama.block_count is 2; convert the model "
     "again with a current llama.cpp"},
    {"no_layer_tensor",
     [](GGUFBuilder &b) { b.removeTensor("blk.1.ffn_up.weight"); },
     "tensor 'blk.1.ffn_up.weight': is not among the file's 20 tensors, "
     "expected in a Llama whose llama.block_count is 2; convert the model "
     "again with a current llama.cpp"},
    {"fewer_layers_than_stated",
     [](GGUFBuilder &b) { b.u32("llama.block_count", 65535); },
     "tensor 'blk.2.attn_norm.weight': is not among the file's 21 tensors, "
     "expected in a Llama whose llama.block_count is 65535; convert the model "
     "again with a current llama.cpp"},
    {"more_layers_than_stated",
     [](GGUFBuilder &b) { b.u32("llama.block_count", 1); },
     "tensor 'blk.1.attn_norm.weight': belongs to layer 1, expected at most 0 "
     "by llama.block_count; convert the model again with a current llama.cpp"},
    {"layer_number_with_a_zero",
     [](GGUFBuilder &b) {
       b.at("blk.1.attn_q.weight").name = "blk.01.attn_q.weight";
     },
     "tensor 'blk.01.attn_q.weight': is unknown, expected only the tensors of "
     "a plain Llama; give a checkpoint without it"},
    {"layer_number_beyond_64_bits",
     [](GGUFBuilder &b) {
       b.at("blk.1.attn_q.weight").name =
           "blk.18446744073709551617.attn_q.weight";
     },
     "tensor 'blk.18446744073709551617.attn_q.weight': is unknown, expected "
     "only the tensors of a plain Llama; give a checkpoint without it"},
    {"rope_factors",
     [](GGUFBuilder &b) { b.tensor("rope_factors_long.weight", F32, {8}); },
     "tensor 'rope_factors_long.weight': is a table of RoPE factors for two "
     "lengths of context, expected a plain Llama; give a checkpoint without "
     "it"},
    {"bias", [](GGUFBuilder &b) { b.tensor("blk.1.attn_q.bias", F32, {64}); },
     "tensor 'blk.1.attn_q.bias': is a bias that not all layers have, or of "
     "another product, expected a plain Llama; give a checkpoint without it"},
    {"bias_of_one_layer",
     [](GGUFBuilder &b) { b.tensor("blk.0.attn_q.bias", F32, {64}); },
     "tensor 'blk.1.attn_q.bias': is not among the file's 22 tensors, expected "
     "in a Llama whose llama.block_count is 2; convert the model again with a "
     "current llama.cpp"},
    {"expert_tensor",
     [](GGUFBuilder &b) {
       b.tensor("blk.0.ffn_up_exps.weight", F32, {64, 96, 2});
     },
     "tensor 'blk.0.ffn_up_exps.weight': is a weight of experts, expected a "
     "plain Llama; give a checkpoint without it"},
    {"router",
     [](GGUFBuilder &b) {
       b.tensor("blk.0.ffn_gate_inp.weight", F32, {64, 2});
     },
     "tensor 'blk.0.ffn_gate_inp.weight': is a weight of experts, expected a "
     "plain Llama; give a checkpoint without it"},
    {"query_norm",
     [](GGUFBuilder &b) { b.tensor("blk.0.attn_q_norm.weight", F32, {16}); },
     "tensor 'blk.0.attn_q_norm.weight': is a norm of queries, which only "
     "qwen3 has, expected a plain Llama; give a checkpoint without it"},
    {"unknown_tensor",
     [](GGUFBuilder &b) { b.tensor("blk.0.extra.weight", F32, {64}); },
     "tensor 'blk.0.extra.weight': is unknown, expected only the tensors of a "
     "plain Llama; give a checkpoint without it"},
    {"shape_of_a_matrix",
     [](GGUFBuilder &b) { b.at("blk.1.attn_k.weight").dimensions = {64, 64}; },
     "tensor 'blk.1.attn_k.weight': is 64 x 64, expected 64 x 32 "
     "(llama.embedding_length x llama.attention.head_count_kv * head size); "
     "convert the model again with a current llama.cpp"},
    {"shape_of_a_vector",
     [](GGUFBuilder &b) {
       b.at("blk.0.attn_norm.weight").dimensions = {64, 2};
     },
     "tensor 'blk.0.attn_norm.weight': is 64 x 2, expected 64 "
     "(llama.embedding_length); convert the model again with a current "
     "llama.cpp"},
    {"three_dimensions",
     [](GGUFBuilder &b) {
       b.at("blk.0.attn_q.weight").dimensions = {64, 64, 1};
     },
     "tensor 'blk.0.attn_q.weight': is 64 x 64 x 1, expected 64 x 64 "
     "(llama.embedding_length x llama.attention.head_count * head size); "
     "convert the model again with a current llama.cpp"},
    {"vocabulary_of_the_head",
     [](GGUFBuilder &b) { b.at("output.weight").dimensions = {64, 6}; },
     "tensor 'output.weight': is 64 x 6, expected 64 x 5 "
     "(llama.embedding_length x vocabulary); convert the model again with a "
     "current llama.cpp"},
    {"type_by_name",
     [](GGUFBuilder &b) { b.at("blk.1.attn_v.weight").type = 9; },
     "tensor 'blk.1.attn_v.weight': has type Q8_1, expected F32, F16, Q4_0, "
     "Q4_1, Q5_0, Q5_1, Q8_0, Q2_K, Q3_K, Q4_K, Q5_K, Q6_K, IQ4_NL, IQ4_XS, "
     "BF16 or MXFP4; quantize the model to one of them"},
    {"type_unknown",
     [](GGUFBuilder &b) { b.at("blk.1.attn_v.weight").type = 99; },
     "tensor 'blk.1.attn_v.weight': has type 99, which is no type of ggml, "
     "expected F32, F16, Q4_0, Q4_1, Q5_0, Q5_1, Q8_0, Q2_K, Q3_K, Q4_K, Q5_K, "
     "Q6_K, IQ4_NL, IQ4_XS, BF16 or MXFP4; quantize the model to one of them"},
    {"norm_in_blocks",
     [](GGUFBuilder &b) { b.at("blk.1.ffn_norm.weight").type = Q8_0; },
     "tensor 'blk.1.ffn_norm.weight': has type Q8_0, expected F32, F16 or BF16 "
     "for a vector; convert the model again with a current llama.cpp"},
    {"row_and_block",
     [](GGUFBuilder &b) { b.at("blk.1.attn_v.weight").type = Q6_K; },
     "tensor 'blk.1.attn_v.weight': has rows of 64, expected a multiple of 256 "
     "for Q6_K; quantize the model again with a current llama.cpp"},
    {"end_of_the_file",
     [](GGUFBuilder &b) { b.tensors.back().offset = 249600; },
     "tensor 'output.weight': ends at byte 252672, file has 251392; the "
     "download is incomplete, fetch it again"},
    {"overlap", [](GGUFBuilder &b) { b.tensors.back().offset = 32; },
     "tensor 'output.weight': begins at byte 1824, expected 3072 or later, "
     "where 'token_embd.weight' ends; the file is damaged, fetch it again"},
    {"same_place",
     [](GGUFBuilder &b) { b.at("blk.0.attn_norm.weight").offset = 0; },
     "tensor 'blk.0.attn_norm.weight': begins at byte 1792, expected 3072 or "
     "later, where 'token_embd.weight' ends; the file is damaged, fetch it "
     "again"},
};

} // namespace

INSTANTIATE_TEST_SUITE_P(Tensors, CheckpointRefuses,
                         testing::ValuesIn(kRefusals), nameOfRefusal);
