//===- CheckpointTest.cpp - checkpoints that are read and refused ---------===//
//
// Well-formed files of every type and shape of attention -> what the reader
// says of them, compared with what the builder put in; and the test that runs
// the tables of refusals of the other files.
//
//===----------------------------------------------------------------------===//

#include "CheckpointTesting.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/FileUtilities.h"
#include "llvm/Support/raw_ostream.h"
#include "gtest/gtest.h"

using namespace corellama::checkpoint;
using namespace corellama::test;

namespace {

/// Reads the file and compares configuration, shapes and every byte of every
/// tensor with the builder's.
void expectReadBack(const SmallLlama &sizes, const GGUFBuilder &builder) {
  std::string bytes = builder.build();
  ReadResult result = readBytes(bytes);
  ASSERT_TRUE(result.checkpoint) << result.message;
  const Checkpoint &checkpoint = *result.checkpoint;
  EXPECT_EQ(checkpoint.path(), "m.gguf");
  EXPECT_EQ(checkpoint.fileBytes(), bytes.size());

  const ModelConfig &config = checkpoint.config();
  EXPECT_EQ(config.architecture, "llama");
  EXPECT_EQ(config.name, "small");
  EXPECT_EQ(config.dim, sizes.dim);
  EXPECT_EQ(config.heads, sizes.heads);
  EXPECT_EQ(config.kvHeads, sizes.kvHeads);
  EXPECT_EQ(config.headSize, sizes.headSize);
  EXPECT_EQ(config.hidden, sizes.hidden);
  EXPECT_EQ(config.vocab, sizes.vocab);
  EXPECT_EQ(config.layers, sizes.layers);
  EXPECT_EQ(config.context, 128u);
  EXPECT_EQ(config.eps, 1.0 / 1024);
  EXPECT_EQ(config.ropeBase, 50000.0);
  EXPECT_EQ(config.tiedLMHead, sizes.tied);

  ASSERT_EQ(checkpoint.tensors().size(), builder.tensors.size());
  for (size_t i = 0; i < builder.tensors.size(); ++i) {
    const GGUFBuilder::Tensor &put = builder.tensors[i];
    const TensorInfo &got = checkpoint.tensors()[i];
    SCOPED_TRACE(put.name);
    EXPECT_EQ(got.name, put.name);
    EXPECT_EQ(weightName(got.id), put.name);
    EXPECT_EQ(checkpoint.find(got.id), &got);
    EXPECT_EQ(static_cast<uint32_t>(got.storedType), put.type);
    EXPECT_EQ(got.type, getInfo(got.id.role).isVector() ? TensorType::F32
                                                        : got.storedType);
    EXPECT_EQ(got.columns, put.dimensions[0]);
    EXPECT_EQ(got.rows, put.dimensions.size() > 1 ? put.dimensions[1] : 1);
    auto [block, blockBytes] = blockOf(put.type);
    EXPECT_EQ(got.bytes, got.rows * got.columns / block * blockBytes);
    llvm::ArrayRef<uint8_t> data = checkpoint.bytes(got);
    ASSERT_EQ(data.size(), got.bytes);
    for (size_t b = 0; b < data.size(); ++b)
      ASSERT_EQ(data[b], GGUFBuilder::dataByte(i, b)) << b;
  }
  EXPECT_EQ(checkpoint.find(Role::AttnQ, sizes.layers), nullptr);
  EXPECT_EQ(checkpoint.find(Role::Output) == nullptr, sizes.tied);
}

void expectReadBack(const SmallLlama &sizes) {
  expectReadBack(sizes, sizes.builder());
}

} // namespace

TEST(CheckpointAccepts, EveryType) {
  for (uint32_t type : {F32, F16, BF16, Q8_0, Q4_0, Q4_1}) {
    SCOPED_TRACE(type);
    expectReadBack({.type = type});
  }
  expectReadBack({.type = Q6_K, .dim = 256, .headSize = 64, .hidden = 512});
}

TEST(CheckpointAccepts, MultiHeadGroupedAndMultiQueryAttention) {
  for (uint64_t kvHeads : {4, 2, 1}) {
    SCOPED_TRACE(kvHeads);
    expectReadBack({.kvHeads = kvHeads});
  }
}

TEST(CheckpointAccepts, ATiedHead) { expectReadBack({.tied = true}); }

TEST(CheckpointAccepts, SizesThatAreNoMultipleOfAnything) {
  expectReadBack({.type = F16,
                  .layers = 3,
                  .dim = 51,
                  .heads = 3,
                  .kvHeads = 1,
                  .headSize = 22, // key_length and value_length say so
                  .hidden = 77,
                  .vocab = 13});
}

TEST(CheckpointAccepts, TypesThatDifferFromLayerToLayer) {
  SmallLlama sizes = {.type = Q4_0, .layers = 4};
  GGUFBuilder builder = sizes.builder();
  builder.at("blk.1.attn_v.weight").type = Q8_0;
  builder.at("blk.3.ffn_down.weight").type = F16;
  expectReadBack(sizes, builder);
}

TEST(CheckpointAccepts, AOneRowMatrixWithoutItsSecondDimension) {
  SmallLlama sizes = {.hidden = 1};
  GGUFBuilder builder = sizes.builder();
  for (const char *name : {"blk.0.ffn_gate.weight", "blk.1.ffn_up.weight"})
    builder.at(name).dimensions = {64};
  expectReadBack(sizes, builder);
}

TEST(CheckpointAccepts, NormsOfEveryPlainType) {
  SmallLlama sizes;
  GGUFBuilder builder = sizes.builder();
  builder.at("blk.0.attn_norm.weight").type = BF16;
  builder.at("output_norm.weight").type = F16;
  expectReadBack(sizes, builder);
}

TEST(CheckpointAccepts, VersionTwo) {
  SmallLlama sizes;
  GGUFBuilder builder = sizes.builder();
  builder.version = 2;
  expectReadBack(sizes, builder);
}

TEST(CheckpointAccepts, AnotherAlignment) {
  for (uint32_t alignment : {8, 64, 4096}) {
    SmallLlama sizes;
    GGUFBuilder builder = sizes.builder();
    builder.u32("general.alignment", alignment);
    builder.alignment = alignment;
    expectReadBack(sizes, builder);
  }
}

TEST(CheckpointAccepts, IntegersOfAnyWidth) {
  SmallLlama sizes;
  GGUFBuilder builder = sizes.builder();
  builder.number("llama.block_count", kUInt8, uint8_t(2));
  builder.number("llama.embedding_length", kInt16, int16_t(64));
  builder.number("llama.feed_forward_length", kUInt64, uint64_t(96));
  builder.number("llama.attention.head_count", kInt64, int64_t(4));
  builder.number("llama.attention.layer_norm_rms_epsilon", kFloat64,
                 1.0 / 1024);
  expectReadBack(sizes, builder);
}

TEST(CheckpointAccepts, KeysThatChangeNothing) {
  SmallLlama sizes;
  GGUFBuilder builder = sizes.builder();
  builder.text("general.type", "model");
  builder.u32("general.quantization_version", 2);
  builder.u32("general.file_type", 7);
  builder.text("general.license", "apache-2.0");
  builder.numbers<int32_t>("tokenizer.ggml.token_type", kInt32, {1, 1, 3});
  builder.numbers<uint8_t>("tokenizer.ggml.flags", kBool, {0, 1});
  builder.texts("general.languages", {});
  builder.number("split.count", kUInt16, uint16_t(1));
  builder.u32("llama.vocab_size", 5);
  builder.f32("llama.rope.scaling.factor", 1);
  builder.text("llama.rope.scaling.type", "none");
  builder.u32("llama.expert_count", 0);
  builder.u32("llama.attention.sliding_window", 0);
  builder.flag("llama.attention.causal", 1);
  builder.flag("llama.use_parallel_residual", 0);
  builder.f32("llama.logit_scale", 1);
  builder.text("llama.tensor_data_layout", "Meta AI original pth");
  expectReadBack(sizes, builder);
}

TEST(CheckpointAccepts, Defaults) {
  SmallLlama sizes = {.kvHeads = 4};
  GGUFBuilder builder = sizes.builder();
  builder.remove("llama.attention.head_count_kv")
      .remove("llama.rope.dimension_count")
      .remove("llama.rope.freq_base")
      .remove("general.name")
      .remove("tokenizer.ggml.tokens");
  std::string bytes = builder.build();
  ReadResult result = readBytes(bytes);
  ASSERT_TRUE(result.checkpoint) << result.message;
  EXPECT_EQ(result.checkpoint->config().kvHeads, 4u);
  EXPECT_EQ(result.checkpoint->config().headSize, 16u);
  EXPECT_EQ(result.checkpoint->config().ropeBase, 10000.0);
  EXPECT_EQ(result.checkpoint->config().name, "");
}

// As flags, and as the numbers that llama.cpp's writer makes of them.
TEST(CheckpointAccepts, WindowsOfSomeLayers) {
  auto windows = [](auto addPattern) {
    SmallLlama sizes;
    GGUFBuilder builder = sizes.builder();
    builder.u32("llama.attention.sliding_window", 7);
    addPattern(builder);
    std::string bytes = builder.build();
    ReadResult result = readBytes(bytes);
    EXPECT_TRUE(result.checkpoint) << result.message;
    const ModelConfig &config = result.checkpoint->config();
    return std::tuple(config.windowOf(0), config.windowOf(1),
                      config.windowed.size());
  };
  const std::string key = "llama.attention.sliding_window_pattern";
  EXPECT_EQ(
      windows([&](GGUFBuilder &b) { b.numbers<uint8_t>(key, kBool, {1, 0}); }),
      std::tuple(7, 0, 2));
  EXPECT_EQ(windows([&](GGUFBuilder &b) {
              b.numbers<uint32_t>(key, kUInt32, {0, 1});
            }),
            std::tuple(0, 7, 2));
  // Lists that say nothing are none.
  EXPECT_EQ(
      windows([&](GGUFBuilder &b) { b.numbers<int32_t>(key, kInt32, {1, 1}); }),
      std::tuple(7, 7, 0));
  EXPECT_EQ(
      windows([&](GGUFBuilder &b) { b.numbers<uint8_t>(key, kBool, {0, 0}); }),
      std::tuple(0, 0, 0));
}

TEST(CheckpointAccepts, GapsAndAnyOrderOfData) {
  SmallLlama sizes;
  GGUFBuilder builder = sizes.builder();
  std::string bytes = builder.build();
  ReadResult before = readBytes(bytes);
  ASSERT_TRUE(before.checkpoint) << before.message;
  // Swap the data of two tensors of one size, and leave a gap at the end.
  GGUFBuilder::Tensor &k = builder.at("blk.0.attn_k.weight");
  GGUFBuilder::Tensor &v = builder.at("blk.0.attn_v.weight");
  uint64_t kOffset = before.checkpoint->find(Role::AttnK)->offset;
  uint64_t vOffset = before.checkpoint->find(Role::AttnV)->offset;
  uint64_t dataStart = ggufOf(*before.checkpoint).dataOffset();
  k.offset = vOffset - dataStart;
  v.offset = kOffset - dataStart;
  std::string swapped = builder.build() + std::string(100, '\0');
  ReadResult after = readBytes(swapped);
  ASSERT_TRUE(after.checkpoint) << after.message;
  EXPECT_EQ(after.checkpoint->find(Role::AttnK)->offset, vOffset);
  EXPECT_EQ(after.checkpoint->find(Role::AttnV)->offset, kOffset);
}

TEST(Checkpoint, MetadataIsTheBytesFromFirstKeyToLastValue) {
  GGUFBuilder builder = SmallLlama().builder();
  std::string bytes = builder.build();
  ReadResult result = readBytes(bytes);
  ASSERT_TRUE(result.checkpoint) << result.message;
  std::string expected;
  for (const GGUFBuilder::Key &key : builder.keys) {
    GGUFBuilder::put(expected, uint64_t(key.name.size()));
    expected += key.name;
    GGUFBuilder::put(expected, key.type);
    expected += key.payload;
  }
  llvm::ArrayRef<uint8_t> metadata = ggufOf(*result.checkpoint).metadata();
  EXPECT_EQ(std::string(metadata.begin(), metadata.end()), expected);
}

TEST(Checkpoint, ValuesAreFoundByKey) {
  GGUFBuilder builder = SmallLlama().builder();
  builder.number("tokenizer.negative", kInt8, int8_t(-3));
  builder.flag("tokenizer.flag", 1);
  builder.number("tokenizer.float", kFloat64, 0.25);
  builder.numbers<uint16_t>("tokenizer.numbers", kUInt16, {7, 8});
  std::string bytes = builder.build();
  ReadResult result = readBytes(bytes);
  ASSERT_TRUE(result.checkpoint) << result.message;
  const GGUF &file = ggufOf(*result.checkpoint);

  EXPECT_EQ(file.find("general.name")->asString(), "small");
  EXPECT_EQ(file.find("llama.block_count")->asUnsigned(), 2u);
  EXPECT_EQ(file.find("llama.block_count")->asFloat(), std::nullopt);
  EXPECT_EQ(file.find("tokenizer.negative")->asUnsigned(), std::nullopt);
  EXPECT_EQ(file.find("tokenizer.negative")->describe(), "-3");
  EXPECT_EQ(file.find("tokenizer.flag")->asBool(), true);
  EXPECT_EQ(file.find("tokenizer.float")->asFloat(), 0.25);
  Value numbers = *file.find("tokenizer.numbers");
  EXPECT_EQ(numbers.describe(), "an array of 2 x uint16");
  EXPECT_EQ(numbers.bytes, llvm::ArrayRef<uint8_t>({7, 0, 8, 0}));
  Value tokens = *file.find("tokenizer.ggml.tokens");
  EXPECT_EQ(tokens.element, ValueType::String);
  EXPECT_EQ(tokens.count, 5u);
  EXPECT_EQ(tokens.bytes.size(), 5u * (8 + 2));
  EXPECT_FALSE(file.find("general"));
  EXPECT_FALSE(file.find("zzz"));
  for (uint64_t i = 1; i < file.keyCount(); ++i)
    EXPECT_LT(file.key(i - 1), file.key(i));
}

TEST(Checkpoint, IdentityIsBlake3OfTheFile) {
  std::string bytes = SmallLlama().builder().build();
  ReadResult result = readBytes(bytes);
  ASSERT_TRUE(result.checkpoint) << result.message;
  std::string identity = result.checkpoint->identity();
  EXPECT_EQ(identity, result.checkpoint->identity());
  // Computed with the PyPI package blake3.
  EXPECT_EQ(identity,
            "e0dbe9de84112335e3c0be546f5240dd765687f4398887e4bf55609f9e4f4797");
  bytes.back() ^= 1;
  EXPECT_NE(readBytes(bytes).checkpoint->identity(), identity);
}

TEST(Checkpoint, OpensAFileAndCanBeMoved) {
  std::string bytes = SmallLlama().builder().build();
  llvm::SmallString<128> path;
  int descriptor;
  ASSERT_FALSE(llvm::sys::fs::createTemporaryFile("checkpoint", "gguf",
                                                  descriptor, path));
  llvm::FileRemover remover(path);
  llvm::raw_fd_ostream(descriptor, /*shouldClose=*/true) << bytes;

  llvm::Expected<Checkpoint> opened = openCheckpoint(path);
  ASSERT_TRUE(bool(opened)) << llvm::toString(opened.takeError());
  EXPECT_EQ(opened->path(), path);
  const TensorInfo *before = opened->find(Role::Output);
  Checkpoint moved = std::move(*opened);
  EXPECT_EQ(moved.find(Role::Output), before);
  EXPECT_EQ(moved.bytes(*before).back(), static_cast<uint8_t>(bytes.back()));
}

TEST_P(CheckpointRefuses, WithAMessage) {
  GGUFBuilder builder = SmallLlama().builder();
  GetParam().breakIt(builder);
  std::string bytes = builder.build();
  ReadResult result = readBytes(bytes);
  ASSERT_FALSE(result.checkpoint);
  EXPECT_EQ(result.message, std::string("m.gguf: ") + GetParam().message);
}

TEST(CheckpointRefusesFile, Truncated) {
  std::string bytes = SmallLlama().builder().build();
  EXPECT_EQ(readBytes(llvm::StringRef(bytes).drop_back(1)).message,
            "m.gguf: tensor 'output.weight': ends at byte 251392, file has "
            "251391; the download is incomplete, fetch it again");
  EXPECT_EQ(readBytes("").message,
            "m.gguf: header: the magic 'GGUF' takes 4 bytes at byte 0, file "
            "has 0; the file is incomplete or damaged, fetch it again");
  EXPECT_EQ(readBytes("GGUF\3").message,
            "m.gguf: header: version takes 4 bytes at byte 4, file has 5; the "
            "file is incomplete or damaged, fetch it again");
}

TEST(CheckpointRefusesFile, WithATensorOfAlmost64Bits) {
  GGUFBuilder builder = SmallLlama().builder();
  builder.u32("llama.embedding_length", 0x7fffffff);
  builder.u32("llama.attention.key_length", 16);
  builder.u32("llama.attention.value_length", 16);
  builder.remove("tokenizer.ggml.tokens");
  std::vector<Field> fields;
  std::string bytes = builder.build(&fields);
  std::string largest;
  GGUFBuilder::put(largest, uint64_t(0x7fffffff));
  for (const Field &field : fields)
    if (field.name == "token_embd.weight: dimension")
      bytes.replace(field.offset, field.width, largest);
  EXPECT_EQ(
      readBytes(bytes).message,
      "m.gguf: tensor 'token_embd.weight': ends at byte 18446744056529684228, "
      "file has 251392; the download is incomplete, fetch it again");
}

TEST(CheckpointRefusesFile, ThatCannotBeOpened) {
  auto messageOf = [](const char *path) {
    return llvm::toString(openCheckpoint(path).takeError());
  };
  EXPECT_EQ(messageOf("no-such-file.gguf"),
            "no-such-file.gguf: file: cannot be read (no such file or "
            "directory), expected a checkpoint; check the path");
  EXPECT_EQ(messageOf("/"),
            "/: folder: has neither config.json nor model.safetensors, "
            "expected a checkpoint of Hugging Face; give its folder or a .gguf "
            "file");
  EXPECT_EQ(messageOf("/dev/null"),
            "/dev/null: file: is not a regular file, expected a checkpoint; "
            "give the path of a .gguf file or a folder of Hugging Face");
}
