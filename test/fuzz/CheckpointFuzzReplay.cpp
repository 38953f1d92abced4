//===- CheckpointFuzzReplay.cpp - damaged checkpoints, all of them --------===//
//
// Small checkpoints, damaged at every field and cut at every byte -> the
// reader's answer, judged as by the fuzzer. A program of its own because it is
// built with the sanitizers whatever the rest of the build does.
//
// Files named on the command line are replayed as well: a fuzzer's corpus, or
// an input that it stopped at.
//
//===----------------------------------------------------------------------===//

#include "CheckpointVerify.h"
#include "test/compiler/Checkpoint/GGUFBuilder.h"
#include "llvm/Support/MemoryBuffer.h"
#include "gtest/gtest.h"
#include <algorithm>
#include <cstdlib>
#include <limits>
#include <memory>

namespace corellama::test {
namespace {

//===----------------------------------------------------------------------===//
// The files
//===----------------------------------------------------------------------===//

struct SmallFile {
  const char *name;
  GGUFBuilder builder;
};

/// Together they have every type, every kind of value and every optional key,
/// and each ends in a tensor's last byte, so that no cut goes unnoticed.
std::vector<SmallFile> smallFiles() {
  std::vector<SmallFile> files;

  SmallLlama f32 = {.layers = 2,
                    .dim = 4,
                    .heads = 2,
                    .kvHeads = 1,
                    .headSize = 2,
                    .hidden = 6,
                    .vocab = 3};
  GGUFBuilder plain = f32.builder();
  plain.u32("llama.vocab_size", 3);
  plain.u32("llama.attention.key_length", 2);
  plain.u32("llama.attention.value_length", 2);
  plain.u32("llama.expert_count", 0);
  plain.f32("llama.rope.scaling.factor", 1);
  plain.text("llama.rope.scaling.type", "none");
  files.push_back({"f32", plain});

  GGUFBuilder values = SmallLlama{.type = F16,
                                  .layers = 1,
                                  .dim = 6,
                                  .heads = 1,
                                  .kvHeads = 1,
                                  .headSize = 10,
                                  .hidden = 5,
                                  .vocab = 7}
                           .builder();
  values.version = 2;
  values.u32("general.alignment", 8);
  values.alignment = 8;
  values.u32("general.quantization_version", 2);
  values.number("tokenizer.u8", kUInt8, uint8_t(1));
  values.number("tokenizer.i8", kInt8, int8_t(-1));
  values.number("tokenizer.u16", kUInt16, uint16_t(1));
  values.number("tokenizer.i16", kInt16, int16_t(-1));
  values.number("tokenizer.i32", kInt32, int32_t(-1));
  values.number("tokenizer.u64", kUInt64, uint64_t(1));
  values.number("tokenizer.i64", kInt64, int64_t(-1));
  values.number("tokenizer.f64", kFloat64, 0.5);
  values.flag("tokenizer.flag", 1);
  values.numbers<float>("tokenizer.ggml.scores", kFloat32, {0, -1, -2});
  values.numbers<uint8_t>("tokenizer.flags", kBool, {0, 1});
  values.texts("tokenizer.ggml.merges", {"t 0", ""});
  files.push_back({"f16_v2_every_value", values});

  GGUFBuilder quants = SmallLlama{.type = Q8_0,
                                  .layers = 1,
                                  .dim = 32,
                                  .heads = 2,
                                  .kvHeads = 2,
                                  .headSize = 16,
                                  .hidden = 32,
                                  .vocab = 2,
                                  .tied = true}
                           .builder();
  quants.at("blk.0.attn_q.weight").type = Q4_0;
  quants.at("blk.0.ffn_up.weight").type = Q4_1;
  quants.at("blk.0.ffn_down.weight").type = BF16;
  files.push_back({"q8_0_q4_0_q4_1_bf16_tied", quants});

  GGUFBuilder superblocks = SmallLlama{.type = Q6_K,
                                       .layers = 1,
                                       .dim = 256,
                                       .heads = 1,
                                       .kvHeads = 1,
                                       .headSize = 2,
                                       .hidden = 2,
                                       .vocab = 2}
                                .builder();
  superblocks.at("blk.0.attn_output.weight").type = F16;
  superblocks.at("blk.0.ffn_down.weight").type = F16;
  files.push_back({"q6_k", superblocks});
  return files;
}

/// The bytes in memory of their own and of exactly their size, so that the
/// sanitizer sees a read of one byte too many.
Verdict replay(const std::string &bytes) {
  auto exact = std::make_unique<char[]>(bytes.size());
  std::copy(bytes.begin(), bytes.end(), exact.get());
  Verdict verdict = readAndVerify({exact.get(), bytes.size()});
  EXPECT_EQ(verdict.fault, "") << verdict.message;
  return verdict;
}

/// 0, 1, -1 and the largest value, in a field's width: of a float as floats.
std::vector<std::string> extremes(const Field &field) {
  std::vector<std::string> values;
  auto add = [&](auto value) {
    GGUFBuilder::put(values.emplace_back(), value);
  };
  auto addAll = [&](auto largest) {
    using T = decltype(largest);
    for (T value : {T(0), T(1), T(-1), largest})
      add(value);
  };
  switch (field.width) {
  case 1:
    addAll(std::numeric_limits<int8_t>::max());
    break;
  case 2:
    addAll(std::numeric_limits<int16_t>::max());
    break;
  case 4:
    addAll(std::numeric_limits<int32_t>::max());
    break;
  default:
    addAll(std::numeric_limits<int64_t>::max());
    break;
  }
  if (field.isFloat && field.width == 4)
    addAll(std::numeric_limits<float>::max());
  if (field.isFloat && field.width == 8)
    addAll(std::numeric_limits<double>::max());
  return values;
}

} // namespace

//===----------------------------------------------------------------------===//
// The tests
//===----------------------------------------------------------------------===//

TEST(CheckpointFuzzReplay, UndamagedFilesAreAccepted) {
  for (const SmallFile &file : smallFiles()) {
    Verdict verdict = replay(file.builder.build());
    EXPECT_TRUE(verdict.accepted) << file.name << ": " << verdict.message;
  }
}

TEST(CheckpointFuzzReplay, EveryFieldSetToItsExtremes) {
  size_t refused = 0, accepted = 0;
  for (const SmallFile &file : smallFiles()) {
    std::vector<Field> fields;
    std::string bytes = file.builder.build(&fields);
    fields.push_back({"magic", 0, 4, false});
    for (const Field &field : fields)
      for (const std::string &value : extremes(field)) {
        std::string damaged = bytes;
        damaged.replace(field.offset, field.width, value);
        Verdict verdict = replay(damaged);
        (verdict.accepted ? accepted : refused) += 1;
        if (HasFailure())
          FAIL() << file.name << ": " << field.name << " at byte "
                 << field.offset;
      }
  }
  // Neither half may be empty: all refused or all accepted would say that the
  // damage does not reach the rules.
  EXPECT_GT(refused, 1000u);
  EXPECT_GT(accepted, 100u);
}

TEST(CheckpointFuzzReplay, ADamagedFieldIsNamed) {
  // Fields whose damage is noticed where they stand. That of a length, a type
  // or a count is, as a rule, only noticed in what is then misread after it;
  // what they say where they are noticed themselves is in the reader's tests.
  for (const SmallFile &file : smallFiles()) {
    std::vector<Field> fields;
    std::string bytes = file.builder.build(&fields);
    for (const Field &field : fields) {
      llvm::StringRef owner = field.name;
      if (owner != "version" && !owner.consume_back(": value") &&
          !owner.consume_back(": dimension"))
        continue;
      for (const std::string &value : extremes(field)) {
        std::string damaged = bytes;
        damaged.replace(field.offset, field.width, value);
        Verdict verdict = replay(damaged);
        EXPECT_TRUE(verdict.accepted ||
                    llvm::StringRef(verdict.message).contains(owner))
            << file.name << ": " << field.name << "\n"
            << verdict.message;
      }
    }
  }
}

TEST(CheckpointFuzzReplay, CutAtEveryByte) {
  for (const SmallFile &file : smallFiles()) {
    std::string bytes = file.builder.build();
    for (size_t size = 0; size < bytes.size(); ++size) {
      Verdict verdict = replay(bytes.substr(0, size));
      EXPECT_FALSE(verdict.accepted);
      if (HasFailure())
        FAIL() << file.name << " cut at byte " << size;
    }
  }
}

TEST(CheckpointFuzzReplay, EveryByteBeforeTheDataFlipped) {
  for (const SmallFile &file : smallFiles()) {
    std::vector<Field> fields;
    std::string bytes = file.builder.build(&fields);
    size_t end = fields.back().offset + fields.back().width;
    for (size_t i = 0; i < end; ++i)
      for (unsigned char flip : {0x01, 0x10, 0x80, 0xff}) {
        std::string damaged = bytes;
        damaged[i] = static_cast<char>(damaged[i] ^ flip);
        replay(damaged);
        if (HasFailure())
          FAIL() << file.name << ": byte " << i << " ^ " << unsigned(flip);
      }
  }
}

TEST(CheckpointFuzzReplay, TablesOfNothingButTheSmallestEntries) {
  // The entries whose tables in memory are largest beside their bytes in the
  // file: all keys of one or two characters, all tensors likewise.
  GGUFBuilder keys;
  GGUFBuilder tensors;
  constexpr int kEntries = 8000;
  for (int i = 0; i < kEntries; ++i) {
    std::string name = {char(i % 250 + 1), char(i / 250 + 1)};
    keys.number(name, kUInt8, uint8_t(0));
    tensors.tensor(name, F32, {1});
  }
  EXPECT_FALSE(replay(keys.build()).accepted);
  tensors.text("general.architecture", "llama");
  std::string bytes = tensors.build();
  EXPECT_FALSE(replay(bytes).accepted);
  // And once more without the data.
  EXPECT_FALSE(replay(bytes.substr(0, size_t(kEntries) * 34)).accepted);
}

} // namespace corellama::test

int main(int argc, char **argv) {
  testing::InitGoogleTest(&argc, argv);
  for (int i = 1; i < argc; ++i) {
    std::string path = argv[i];
    testing::RegisterTest(
        "CheckpointFuzzReplayFile", path.c_str(), nullptr, nullptr, __FILE__,
        __LINE__, [path]() -> testing::Test * {
          struct ReplayFile : testing::Test {
            explicit ReplayFile(std::string path) : path(std::move(path)) {}
            void TestBody() override {
              auto buffer = llvm::MemoryBuffer::getFile(path);
              ASSERT_TRUE(bool(buffer)) << path << ": cannot be read";
              corellama::test::replay((*buffer)->getBuffer().str());
            }
            std::string path;
          };
          return new ReplayFile(path);
        });
  }
  return RUN_ALL_TESTS();
}
