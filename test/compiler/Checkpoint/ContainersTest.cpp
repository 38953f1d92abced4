//===- ContainersTest.cpp - folders and llama2.c, read and refused --------===//
//
// Small folders of Hugging Face and files of llama2.c in memory -> what their
// readers say of them, and the messages of those that are damaged. Whole models
// are test/e2e/test_containers.py's.
//
//===----------------------------------------------------------------------===//

#include "FolderBuilder.h"
#include "GGUFBuilder.h"
#include "compiler/Checkpoint/Checkpoint.h"
#include "compiler/Checkpoint/GGUFContainer.h"
#include "gtest/gtest.h"
#include <functional>

using namespace corellama::checkpoint;
using namespace corellama::test;

namespace {

template <typename T> std::string messageOf(llvm::Expected<T> read) {
  return read ? "" : llvm::toString(read.takeError());
}

TEST(FolderTest, ReadsConfigurationAndWeights) {
  FolderBuilder folder;
  auto read = folder.read();
  ASSERT_TRUE(bool(read)) << llvm::toString(read.takeError());
  const ModelConfig &config = read->config();
  EXPECT_EQ(read->path(), "folder");
  EXPECT_EQ(config.name, "folder");
  EXPECT_EQ(config.architecture, "llama");
  EXPECT_EQ(config.dim, 8u);
  EXPECT_EQ(config.heads, 2u);
  EXPECT_EQ(config.kvHeads, 1u);
  EXPECT_EQ(config.headSize, 4u);
  EXPECT_EQ(config.hidden, 6u);
  EXPECT_EQ(config.vocab, 5u);
  EXPECT_EQ(config.layers, 1u);
  EXPECT_EQ(config.context, 32u);
  EXPECT_EQ(config.eps, 1e-5);
  EXPECT_EQ(config.ropeBase, 20000.0);
  EXPECT_FALSE(config.tiedLMHead);
  ASSERT_EQ(read->tensors().size(), 12u);
  const TensorInfo *q = read->find(Role::AttnQ, 0);
  ASSERT_TRUE(q);
  EXPECT_EQ(q->name, "model.layers.0.self_attn.q_proj.weight");
  EXPECT_EQ(q->order, RowOrder::HalfSplit);
  EXPECT_EQ(q->rows, 8u);
  EXPECT_EQ(read->find(Role::AttnV, 0)->order, RowOrder::Pairs);
  // Rows i and i + 2 of a head of four become neighbours.
  std::vector<uint8_t> scratch;
  llvm::ArrayRef<uint8_t> stored = read->bytes(*q);
  llvm::ArrayRef<uint8_t> rows =
      llvm::cantFail(read->readRows(*q, 0, 8, scratch));
  const size_t rowBytes = 8 * sizeof(float);
  const size_t sources[] = {0, 2, 1, 3, 4, 6, 5, 7};
  for (size_t row = 0; row < 8; ++row)
    EXPECT_EQ(rows.slice(row * rowBytes, rowBytes),
              stored.slice(sources[row] * rowBytes, rowBytes));
}

TEST(FolderTest, TiedHeadsAndBuffersAreSkipped) {
  FolderBuilder folder;
  folder.config["tie_word_embeddings"] = "true";
  folder.tensors.push_back(
      {"model.layers.0.self_attn.rotary_emb.inv_freq", "F32", {2}});
  auto read = folder.read();
  ASSERT_TRUE(bool(read)) << llvm::toString(read.takeError());
  EXPECT_TRUE(read->config().tiedLMHead);
  EXPECT_EQ(read->tensors().size(), 11u);
}

TEST(FolderTest, BaseOfTransformers5) {
  FolderBuilder folder;
  folder.config.erase("rope_theta");
  folder.config["rope_parameters"] =
      R"({"rope_type": "default", "rope_theta": 5e5})";
  auto read = folder.read();
  ASSERT_TRUE(bool(read)) << llvm::toString(read.takeError());
  EXPECT_EQ(read->config().ropeBase, 5e5);
}

// Of both objects transformers takes the older one, whole.
TEST(FolderTest, RopeScalingGoesBeforeRopeParameters) {
  for (auto [scaling, base, rule] :
       {std::tuple(R"({"type": "linear", "factor": 2.0})", 20000.0,
                   RopeScaling::Rule::Linear),
        std::tuple("{}", 5e5, RopeScaling::Rule::Llama3)}) {
    FolderBuilder folder;
    folder.config["rope_scaling"] = scaling;
    folder.config["rope_parameters"] =
        R"({"rope_type": "llama3", "factor": 8.0, "low_freq_factor": 1.0,
            "high_freq_factor": 4.0, "original_max_position_embeddings": 16,
            "rope_theta": 5e5})";
    auto read = folder.read();
    ASSERT_TRUE(bool(read)) << llvm::toString(read.takeError());
    EXPECT_EQ(read->config().ropeBase, base);
    EXPECT_EQ(read->config().rope.rule, rule);
  }
}

TEST(FolderTest, TheContextOfAClassIsTheDefault) {
  for (auto [type, context] :
       {std::pair("llama", 2048u), {"mistral", 131072u}}) {
    FolderBuilder folder;
    folder.config["model_type"] = std::string("\"") + type + "\"";
    folder.config.erase("max_position_embeddings");
    auto read = folder.read();
    ASSERT_TRUE(bool(read)) << llvm::toString(read.takeError());
    EXPECT_EQ(read->config().context, context);
  }
}

// A refused value is not compared with others.
TEST(FolderTest, OneReasonForOneValue) {
  FolderBuilder folder;
  folder.config["rope_scaling"] =
      R"({"type": "yarn", "factor": 4.0, "beta_fast": -3})";
  std::string found = messageOf(folder.read());
  EXPECT_NE(found.find("key 'rope_scaling.beta_fast': is -3, expected"),
            std::string::npos)
      << found;
  EXPECT_EQ(found.find("; also"), std::string::npos) << found;
  EXPECT_EQ(found.find("turns"), std::string::npos) << found;
}

TEST(FolderTest, Refusals) {
  const std::tuple<const char *, std::function<void(FolderBuilder &)>,
                   const char *>
      rows[] = {
          {"heads that share no keys",
           [](auto &f) { f.config["num_attention_heads"] = "3"; },
           "key 'num_attention_heads'"},
          {"a head of an odd size", [](auto &f) { f.config["head_dim"] = "3"; },
           "key 'head_dim': is 3, expected an even size of a head; give"},
          {"odd heads without head_dim",
           [](auto &f) {
             f.config["hidden_size"] = "6";
             f.config["num_attention_heads"] = "2";
           },
           "key 'num_attention_heads': is 2, expected heads of an even size, "
           "not 3; give"},
          {"no activation", [](auto &f) { f.config["hidden_act"] = "null"; },
           "key 'hidden_act': is null, expected 'silu'; give"},
          {"eps of 0", [](auto &f) { f.config["rms_norm_eps"] = "0"; },
           "key 'rms_norm_eps': is 0, expected a finite number above 0"},
          {"an infinite base",
           [](auto &f) { f.config["rope_theta"] = "1e999"; },
           "key 'rope_theta': is 1e999, expected a number from 1 to 1e+30"},
          {"a base beyond what can be computed",
           [](auto &f) { f.config["rope_theta"] = "1e38"; },
           "key 'rope_theta': is 1e38, expected a number from 1 to 1e+30"},
          {"a base without wavelengths",
           [](auto &f) {
             f.config["rope_theta"] = "1";
             f.config["rope_scaling"] =
                 R"({"rope_type": "yarn", "factor": 4.0})";
           },
           "key 'rope_theta': is 1, expected more than 1 with YaRN"},
          {"parameters of RoPE by types of layers",
           [](auto &f) {
             f.config["rope_parameters"] =
                 R"({"full_attention": {"rope_theta": 5e5}})";
           },
           "key 'rope_parameters': is an object of 1 key, expected the "
           "parameters themselves"},
          {"no object", [](auto &f) { f.wholeConfig = "[]"; },
           "config.json: file: is an array of 0, expected an object"},
          {"a missing weight", [](auto &f) { f.tensors.pop_back(); },
           "tensor 'lm_head.weight': is not among the files' 11 tensors"},
          {"overlapping tensors", [](auto &f) { f.tensors[1].shift = -4; },
           ", expected "},
          {"an extent of 0", [](auto &f) { f.tensors[0].extents[0] = 0; },
           "tensor 'model.embed_tokens.weight': has an extent of 0"},
          {"bytes that are not the shape's",
           [](auto &f) { f.tensors[0].extents = {5, 7}; },
           "tensor 'model.embed_tokens.weight': is 5 x 7, expected 5 x 8"},
          {"a header beyond the file", [](auto &f) { f.headerBytes = 1 << 20; },
           "header: takes 1048576 bytes, expected at most"},
          {"a header of 2^64 - 1 bytes",
           [](auto &f) { f.headerBytes = ~uint64_t(0); },
           "header: takes 18446744073709551615 bytes"},
          {"many dimensions",
           [](auto &f) { f.tensors[0].extents = {5, 8, 1, 1, 1, 1, 1, 1, 1}; },
           "tensor 'model.embed_tokens.weight': has 9 dimensions, expected at "
           "most 8"},
          {"a cut file", [](auto &f) { f.cut = 1; }, "of the data, file has"},
      };
  for (const auto &[name, breakIt, message] : rows) {
    FolderBuilder folder;
    breakIt(folder);
    std::string found = messageOf(folder.read());
    EXPECT_NE(found.find(message), std::string::npos) << name << ": " << found;
    EXPECT_EQ(found.find('\n'), std::string::npos) << name;
  }
}

// Names with escapes are texts of the headers, which are moved as files are
// added.
TEST(FolderTest, EscapedNamesInManyFiles) {
  FolderFiles files = {{"config.json", FolderBuilder{}.configFile()}};
  std::string map;
  for (const FolderBuilder::Tensor &tensor : FolderBuilder{}.tensors) {
    FolderBuilder one;
    std::string name = tensor.name;
    name.replace(name.size() - 1, 1, "\\u0074"); // all end in a t
    one.tensors = {{name, tensor.type, tensor.extents}};
    const std::string file = std::to_string(files.size()) + ".safetensors";
    files[file] = one.weightsFile();
    map += (map.empty() ? "\"" : ",\"") + tensor.name + "\":\"" + file + "\"";
  }
  files["model.safetensors.index.json"] = "{\"weight_map\":{" + map + "}}";
  auto container = openFolder(files);
  ASSERT_TRUE(bool(container)) << llvm::toString(container.takeError());
  auto read = readCheckpoint(std::move(*container));
  ASSERT_TRUE(bool(read)) << llvm::toString(read.takeError());
  EXPECT_EQ(read->tensors().size(), FolderBuilder{}.tensors.size());
}

TEST(FolderTest, AnIndexOfManyFiles) {
  std::string map;
  for (int i = 0; i < 5000; ++i)
    map += (i == 0 ? "\"" : ",\"") + std::to_string(i) + "\":\"" +
           std::to_string(i) + ".safetensors\"";
  EXPECT_NE(messageOf(openFolder({{"config.json", "{}"},
                                  {"model.safetensors.index.json",
                                   "{\"weight_map\":{" + map + "}}"}}))
                .find("key 'weight_map': names more than 4096 files"),
            std::string::npos);
}

TEST(SplitTest, PartsAreOne) {
  GGUFBuilder whole = SmallLlama{}.builder(), second;
  second.tensors.assign(whole.tensors.begin() + 4, whole.tensors.end());
  whole.tensors.resize(4);
  auto number = [](GGUFBuilder &part, uint16_t no, uint16_t count) {
    part.number("split.no", kUInt16, no);
    part.number("split.count", kUInt16, count);
  };
  auto read = [&](GGUFBuilder first, GGUFBuilder second) {
    std::vector<MappedFile> files;
    files.emplace_back(
        llvm::MemoryBuffer::getMemBufferCopy(first.build(), "m1.gguf"));
    files.emplace_back(
        llvm::MemoryBuffer::getMemBufferCopy(second.build(), "m2.gguf"));
    return GGUFContainer::read(std::move(files));
  };
  GGUFBuilder one = whole, two = second;
  number(one, 0, 2);
  number(two, 1, 2);
  auto container = read(one, two);
  ASSERT_TRUE(bool(container)) << llvm::toString(container.takeError());
  auto checkpoint = readCheckpoint(std::move(*container));
  ASSERT_TRUE(bool(checkpoint)) << llvm::toString(checkpoint.takeError());
  EXPECT_EQ(checkpoint->path(), "m1.gguf");
  EXPECT_EQ(checkpoint->tensors().front().file, 0u);
  EXPECT_EQ(checkpoint->tensors().back().file, 1u);
  EXPECT_EQ(checkpoint->tensors().size(),
            whole.tensors.size() + second.tensors.size());

  EXPECT_NE(messageOf(read(two, one))
                .find("m1.gguf: metadata 'split.no': is "
                      "1, expected 0; give the first"),
            std::string::npos);
  GGUFBuilder twice = two;
  twice.tensors.push_back(one.tensors[0]);
  EXPECT_NE(messageOf(read(one, twice)).find("appears twice"),
            std::string::npos);
  GGUFBuilder more = whole;
  number(more, 0, 2);
  more.number("split.tensors.count", kInt32, int32_t(99));
  EXPECT_NE(messageOf(read(more, two))
                .find("metadata 'split.tensors.count': is 99, expected"),
            std::string::npos);
}

/// A file of llama2.c: the header's words, and as many zeros as it needs.
std::string llama2c(std::vector<int32_t> words, uint64_t floats,
                    uint8_t shared = 0) {
  std::string bytes;
  for (int32_t word : words)
    GGUFBuilder::put(bytes, word);
  if (words.size() > 7) {
    bytes += static_cast<char>(shared);
    bytes.resize(256);
  }
  return bytes + std::string(floats * sizeof(float), '\0');
}

// dim 4, hidden 6, one layer, two heads over one, vocabulary 5, 3 positions.
constexpr uint64_t kLayer = 4 + 4 * 4 + 2 * 2 * 4 + 4 * 4 + 4 + 3 * 4 * 6;
constexpr uint64_t kBoth = kLayer + 5ULL * 4 + 4;

std::string readLlama2c(const std::string &bytes, const char *name = "m.bin") {
  auto read = readCheckpoint(llvm::MemoryBuffer::getMemBuffer(
      bytes, name, /*RequiresNullTerminator=*/false));
  if (!read)
    return llvm::toString(read.takeError());
  return std::to_string(read->tensors().size()) + " weights, the last at " +
         std::to_string(read->tensors().back().offset) +
         (read->config().tiedLMHead ? ", tied" : "");
}

TEST(Llama2cTest, ReadsVersions0And1) {
  EXPECT_EQ(readLlama2c(llama2c({4, 6, 1, 2, 1, 5, 3}, kBoth + 3ULL * 2)),
            "11 weights, the last at " + std::to_string(28 + 4 * (kBoth - 4)) +
                ", tied");
  // Without the name, by its exact size.
  EXPECT_EQ(readLlama2c(llama2c({4, 6, 1, 2, 1, -5, 3}, kBoth + 3ULL * 2 + 20),
                        "stories"),
            "12 weights, the last at " + std::to_string(28 + 4 * (kBoth + 6)));
  const std::vector<int32_t> header = {0x616b3432, 1, 4, 6, 1, 2, 1, 5, 3};
  EXPECT_EQ(readLlama2c(llama2c(header, kBoth, 1)),
            "11 weights, the last at " +
                std::to_string(256 + 4 * (kBoth - 24)) + ", tied");
  EXPECT_EQ(readLlama2c(llama2c(header, kBoth + 20)),
            "12 weights, the last at " + std::to_string(256 + 4 * kBoth));
}

TEST(Llama2cTest, Refusals) {
  const std::pair<std::string, const char *> rows[] = {
      {"", "header: takes 28 bytes, file has 0"},
      {llama2c({4, 6, 1, 2, 1, 5, 3}, kBoth + 5),
       "header: states sizes of 660 bytes, file has 656"},
      {llama2c({0, 6, 1, 2, 1, 5, 3}, kBoth), "header: dim is 0, expected 1"},
      {llama2c({0, 6, 1, -2, 1, 5, 3}, kBoth),
       "header: dim is 0, expected 1 to 2147483647; export the model again "
       "with llama2.c; also n_heads is -2, expected 1 to 2147483647"},
      {llama2c({4, -1, 1, 2, 1, 5, 3}, kBoth), "header: hidden_dim is -1"},
      {llama2c({4, 6, 1, 3, 1, 5, 3}, kBoth), "header: n_heads is 3"},
      {llama2c({4, 6, 1, 2, 3, 5, 3}, kBoth), "header: n_kv_heads is 3"},
      {llama2c({4, 6, 1, 2, 1, INT32_MIN, 3}, kBoth),
       "header: vocab_size is -2147483648"},
      {llama2c({INT32_MAX, INT32_MAX, 65535, 1, 1, INT32_MAX, INT32_MAX}, 9),
       "header: n_heads is 1, expected heads of an even size"},
      {llama2c({0x7ffffffe, INT32_MAX, 65535, 1, 1, INT32_MAX, INT32_MAX}, 9),
       "header: states sizes of 18446744073709551615 bytes"},
      {llama2c({0x616b3432, 2, 4, 6, 1, 2, 1, 5, 3}, 9),
       "header: version is 2 (int8 in groups), expected 0 or 1 (float32); its "
       "weights would have to be rounded again, export the model as float32; "
       "also group_size is 0, expected 1 or more"},
      {llama2c({0x616b3432, 7, 4, 6, 1, 2, 1, 5, 3}, 9),
       "header: version is 7, expected 1"},
      {llama2c({0x616b3432, 1, 4, 6, 1, 2, 1, 5, 3}, kBoth, 2),
       "header: shared_classifier is 2, expected 0 or 1"},
  };
  for (const auto &[bytes, message] : rows) {
    std::string found = readLlama2c(bytes);
    EXPECT_NE(found.find(message), std::string::npos)
        << "expected " << message << ", found " << found;
  }
}

} // namespace
