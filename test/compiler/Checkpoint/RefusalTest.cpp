//===- RefusalTest.cpp - what is refused, all of it -----------------------===//
//
// Refusals that are added -> one message, or the lines of a list.
//
//===----------------------------------------------------------------------===//

#include "compiler/Checkpoint/Refusal.h"
#include "CheckpointTesting.h"
#include "FolderBuilder.h"
#include "llvm/ADT/Twine.h"
#include "gtest/gtest.h"

using namespace corellama::checkpoint;
using namespace corellama::test;

namespace {

using Lines = std::vector<std::string>;

TEST(RefusalsTest, AMessageNamesAFileOnce) {
  Refusals refusals;
  EXPECT_TRUE(refusals.empty());
  refusals.add("a", "key 'x'", "is 1");
  refusals.add("a", "key 'y'", "is 2");
  refusals.add(refuse("b", "byte 7", "is no JSON"));
  EXPECT_EQ(llvm::toString(refusals.error(1)), "a: key 'x': is 1");
  EXPECT_EQ(llvm::toString(refusals.error(9)),
            "a: key 'x': is 1; also key 'y': is 2; also b: byte 7: is no JSON");
  EXPECT_EQ(refusals.lines(), (Lines{"a: key 'x': is 1", "a: key 'y': is 2",
                                     "b: byte 7: is no JSON"}));
}

TEST(RefusalsTest, OneKindIsOneLine) {
  Refusals refusals;
  refusals.add("a", "tensor 'x'", "ends at 1", "range");
  refusals.add("a", "tensor 'y'", "is unknown", "unknown", /*others=*/4);
  refusals.add("a", "tensor 'z'", "ends at 2", "range");
  EXPECT_EQ(refusals.count(), 2u);
  EXPECT_EQ(refusals.lines(),
            (Lines{"a: tensor 'x' (and 1 more): ends at 1",
                   "a: tensor 'y' (and 4 more): is unknown"}));
}

TEST(RefusalsTest, AListEnds) {
  Refusals refusals;
  for (int i = 0; i < 1000; ++i)
    refusals.add("a", "key " + llvm::Twine(i), "is there");
  EXPECT_EQ(refusals.count(), 1000u);
  EXPECT_EQ(refusals.lines().size(), Refusals::kMostKept + 1);
  EXPECT_EQ(refusals.lines().back(), "and 900 more");
  refusals.add("a", "key", "is there", "", /*others=*/99);
  EXPECT_EQ(refusals.count(), 1100u);
  EXPECT_EQ(refusals.lines().back(), "and 1000 more");
}

Lines listOf(const GGUFBuilder &builder) {
  auto container = readContainer(MappedFile(
      llvm::MemoryBuffer::getMemBufferCopy(builder.build(), "m.gguf")));
  return llvm::cantFail(std::move(container))->listRefusals().lines();
}

Lines listOf(const FolderBuilder &builder) {
  const FolderFiles files = builder.files();
  return llvm::cantFail(openFolder(files))->listRefusals().lines();
}

// Keys, unknown tensors, what is missing, shapes and types, at once.
TEST(RefusalsTest, EverythingOfAFile) {
  GGUFBuilder builder = SmallLlama{.type = F16, .layers = 3}.builder();
  builder.text("llama.rope.scaling.type", "longrope");
  builder.u32("llama.expert_count", 4);
  for (const char *layer : {"0", "1", "2"})
    builder.tensor(std::string("blk.") + layer + ".ffn_up_exps.weight", F16,
                   {64, 96, 2});
  builder.removeTensor("blk.1.ffn_up.weight");
  builder.removeTensor("blk.2.ffn_up.weight");
  builder.at("blk.0.attn_k.weight").dimensions = {64, 64};
  builder.at("blk.0.attn_q.weight").type = 21; // IQ3_S
  builder.at("blk.1.attn_q.weight").type = 21;
  Lines lines = listOf(builder);
  const char *const expected[] = {
      "m.gguf: metadata 'llama.expert_count': is 4, expected 0; ",
      "m.gguf: metadata 'llama.rope.scaling.type': is 'longrope', expected ",
      "m.gguf: tensor 'blk.0.ffn_up_exps.weight' (and 2 more): is a weight of "
      "experts, ",
      "m.gguf: tensor 'blk.1.ffn_up.weight' (and 1 more): is not among the ",
      "m.gguf: tensor 'blk.0.attn_q.weight' (and 1 more): has type IQ3_S, ",
      "m.gguf: tensor 'blk.0.attn_k.weight': is 64 x 64, expected 64 x 32 ",
  };
  ASSERT_EQ(lines.size(), std::size(expected)) << testing::PrintToString(lines);
  for (size_t i = 0; i < lines.size(); ++i)
    EXPECT_TRUE(llvm::StringRef(lines[i]).starts_with(expected[i])) << lines[i];
}

// What follows from another reason is not one.
TEST(RefusalsTest, OneReasonIsOneLine) {
  GGUFBuilder builder = SmallLlama{}.builder();
  EXPECT_EQ(listOf(builder), Lines());
  builder.remove("llama.embedding_length");
  EXPECT_EQ(listOf(builder).size(), 1u);
  builder = SmallLlama{}.builder();
  builder.text("general.architecture", "mamba");
  EXPECT_EQ(listOf(builder).size(), 1u);
  builder = SmallLlama{}.builder();
  builder.u32("llama.block_count", 65535);
  Lines lines = listOf(builder);
  ASSERT_EQ(lines.size(), 1u) << testing::PrintToString(lines);
  EXPECT_TRUE(llvm::StringRef(lines[0]).starts_with(
      "m.gguf: tensor 'blk.2.attn_norm.weight' (and 589796 more): is not among "
      "the file's 21 tensors"))
      << lines[0];

  // A list of layers follows from their number.
  builder = SmallLlama{}.builder();
  builder.u32("llama.block_count", 0);
  builder.numbers<uint8_t>("llama.attention.sliding_window_pattern", kBool,
                           {1, 0});
  lines = listOf(builder);
  EXPECT_EQ(lines.size(), 1u) << testing::PrintToString(lines);
  // A tensor beyond the layers has no shape that would be the right one.
  builder = SmallLlama{}.builder();
  builder.tensor("blk.9.ffn_up.weight", F32, {1, 2});
  lines = listOf(builder);
  EXPECT_EQ(lines.size(), 1u) << testing::PrintToString(lines);

  FolderBuilder folder;
  folder.config.erase("hidden_size");
  lines = listOf(folder);
  EXPECT_EQ(lines.size(), 1u) << testing::PrintToString(lines);
  folder = {};
  folder.config["model_type"] = "\"mistral\"";
  folder.config["num_hidden_layers"] = "0";
  folder.config["layer_types"] =
      "[\"sliding_attention\", \"sliding_attention\"]";
  lines = listOf(folder);
  EXPECT_EQ(lines.size(), 1u) << testing::PrintToString(lines);
}

// Names of tensors are checked without the sizes of the model, and layers with
// their number alone.
TEST(RefusalsTest, NamesOfAModelWithoutSizes) {
  FolderBuilder folder;
  folder.config["head_dim"] = "17";
  folder.tensors.push_back({"model.extra.weight", "F32", {8}});
  folder.tensors.push_back({"model.layers.7.mlp.up_proj.weight", "F32", {8}});
  const std::string weights = "folder/model.safetensors: tensor ";
  Lines lines = listOf(folder);
  ASSERT_EQ(lines.size(), 3u) << testing::PrintToString(lines);
  EXPECT_TRUE(llvm::StringRef(lines[0]).contains("key 'head_dim': is 17"));
  EXPECT_TRUE(llvm::StringRef(lines[1]).starts_with(
      weights + "'model.extra.weight': is unknown"))
      << lines[1];
  EXPECT_TRUE(llvm::StringRef(lines[2]).starts_with(
      weights + "'model.layers.7.mlp.up_proj.weight': belongs "
                "to layer 7, expected at most 0"))
      << lines[2];

  GGUFBuilder builder = SmallLlama{}.builder();
  builder.u32("llama.block_count", 0);
  builder.tensor("blk.0.extra.weight", F32, {64});
  lines = listOf(builder);
  ASSERT_EQ(lines.size(), 2u) << testing::PrintToString(lines);
  EXPECT_TRUE(llvm::StringRef(lines[1]).starts_with(
      "m.gguf: tensor 'blk.0.extra.weight': is unknown"))
      << lines[1];
}

TEST(RefusalsTest, EverythingOfAFolder) {
  FolderBuilder folder;
  folder.config["hidden_act"] = "\"gelu\"";
  folder.config["quantization_config"] = "{}";
  folder.tensors[0].type = "F8_E4M3";
  folder.tensors.push_back(
      {"model.layers.0.self_attn.q_proj.bias", "F32", {8}});
  Lines lines = listOf(folder);
  const char *const expected[] = {
      "folder/config.json: key 'hidden_act': is 'gelu', expected 'silu'; ",
      "folder/config.json: key 'quantization_config': is an object of 0 keys, ",
      "folder/model.safetensors: tensor "
      "'model.layers.0.self_attn.q_proj.bias': is a bias, ",
      "folder/model.safetensors: tensor 'model.embed_tokens.weight': has type "
      "'F8_E4M3', expected F32, ",
  };
  ASSERT_EQ(lines.size(), std::size(expected)) << testing::PrintToString(lines);
  for (size_t i = 0; i < lines.size(); ++i)
    EXPECT_TRUE(llvm::StringRef(lines[i]).starts_with(expected[i])) << lines[i];
}

} // namespace
