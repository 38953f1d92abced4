//===- FolderFuzzReplay.cpp - damaged folders and files of llama2.c -------===//
//
// Small folders and files, sound and damaged in ways drawn from a seed -> the
// readers' answers, judged as by the fuzzer. Files on the command line are
// judged first. CORELLAMA_ALL=1 draws a million.
//
//===----------------------------------------------------------------------===//

#include "Draws.h"
#include "FolderVerify.h"
#include "gtest/gtest.h"
#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace corellama::test {
namespace {

constexpr const char *kByteLevel = R"({"added_tokens": [
  {"id": 3, "content": "<|end|>", "special": true},
  {"id": 4, "content": "<mark>", "special": false}],
  "pre_tokenizer": {"type": "Sequence", "pretokenizers": [
    {"type": "Digits", "individual_digits": true},
    {"type": "ByteLevel", "add_prefix_space": false}]},
  "post_processor": {"type": "TemplateProcessing",
    "single": [{"SpecialToken": {"id": "<|end|>"}}, {"Sequence": {"id": "A"}}],
    "special_tokens": {"<|end|>": {"ids": [3]}}},
  "model": {"type": "BPE", "vocab": {"a": 0, "\u0062": 1, "ab": 2},
    "merges": [["a", "b"]]}})";

/// With all bytes, which makes it longer than the others.
std::string pieces() {
  std::string vocab = R"("<unk>": 0, "<s>": 1, "</s>": 2)";
  for (unsigned byte = 0; byte < 256; ++byte) {
    char token[8];
    std::snprintf(token, sizeof(token), "<0x%02X>", byte);
    vocab += ", \"" + std::string(token) + "\": " + std::to_string(3 + byte);
  }
  return R"({"added_tokens": [{"id": 1, "content": "<s>", "special": true},
  {"id": 2, "content": "</s>", "special": true},
  {"id": 0, "content": "<unk>", "special": true}],
  "normalizer": {"type": "Sequence", "normalizers": [
    {"type": "Prepend", "prepend": "▁"},
    {"type": "Replace", "pattern": {"String": " "}, "content": "▁"}]},
  "model": {"type": "BPE", "byte_fallback": true, "unk_token": "<unk>",
    "vocab": {)" +
         vocab +
         R"(, "▁": 259, "a": 260, "b": 261, "ab": 262, "aab": 263, "aa": 264},
    "merges": ["a b", "a a", "a ab", "aa b"]}})";
}

std::string word(int32_t value) {
  return {reinterpret_cast<const char *>(&value), sizeof(value)};
}

/// A file of llama2.c, version 0 (dim 4, hidden 6, one layer, two heads over
/// one, 3 positions), and its tokens.
FolderFiles llama2c() {
  std::string model, tokenizer = word(7);
  for (int32_t size : {4, 6, 1, 2, 1, 5, 3})
    model += word(size);
  model.resize(660);
  for (const char *text : {"<unk>", "\n<s>\n", "\n</s>\n", "a", " a"})
    tokenizer += word(0) + word(int32_t(std::strlen(text))) + text;
  return {{"m.bin", model}, {"tokenizer.bin", tokenizer}};
}

std::vector<FolderFiles> sound() {
  FolderFiles folder = FolderBuilder{}.files();
  folder["generation_config.json"] = R"({"eos_token_id": [3, 2]})";
  folder["tokenizer_config.json"] =
      R"({"eos_token": {"content": "<|end|>"}, "bos_token": "a",
          "chat_template": [{"name": "default", "template": "{{ x }}"}]})";
  folder["tokenizer.json"] = kByteLevel;

  FolderFiles sharded = FolderBuilder{}.files();
  sharded["model-1.safetensors"] = std::move(sharded["model.safetensors"]);
  sharded.erase("model.safetensors");
  std::string map;
  for (const FolderBuilder::Tensor &tensor : FolderBuilder{}.tensors)
    map += (map.empty() ? "\"" : ",\"") + tensor.name +
           "\":\"model-1.safetensors\"";
  sharded["model.safetensors.index.json"] = "{\"weight_map\":{" + map + "}}";
  return {folder, sharded, llama2c()};
}

TEST(FolderFuzzReplay, SoundFilesAreAccepted) {
  for (const FolderFiles &files : sound()) {
    FolderVerdict verdict = verifyFolder(joinFiles(files));
    EXPECT_EQ(verdict.fault, "");
    EXPECT_TRUE(verdict.hasModel) << files.begin()->first;
    EXPECT_EQ(verdict.hasText,
              files.contains("tokenizer.json") || files.contains("m.bin"));
  }
  FolderVerdict verdict =
      verifyFolder(joinFiles({{"tokenizer.json", pieces()}}));
  EXPECT_EQ(verdict.fault, "");
  EXPECT_TRUE(verdict.hasText);
}

/// Damages one file at a time, so that the others still fit.
TEST(FolderFuzzReplay, DamagedFiles) {
  const int draws = std::getenv("CORELLAMA_ALL") ? 1000000 : 4000;
  Random random(1);
  std::vector<FolderFiles> all = sound();
  all.push_back({{"tokenizer.json", pieces()}});
  size_t accepted = 0, refused = 0;
  for (int i = 0; i < draws; ++i) {
    FolderFiles files = all[random() % all.size()];
    auto file = files.begin();
    std::advance(file, random() % files.size());
    file->second = damaged(file->second, random);
    const std::string input = joinFiles(files);
    FolderVerdict verdict = verifyFolder(input);
    (verdict.hasModel && verdict.hasText ? accepted : refused) += 1;
    ASSERT_EQ(verdict.fault, "") << "draw " << i << "\n" << input;
  }
  // Neither may be rare: the damage would not reach the rules.
  EXPECT_GT(refused, size_t(draws / 10));
  EXPECT_GT(accepted, size_t(draws / 50));
}

TEST(FolderFuzzReplay, CutAtEveryByte) {
  for (const FolderFiles &files : sound())
    for (const auto &[name, bytes] : files)
      for (size_t size = 0; size < bytes.size(); ++size) {
        FolderFiles cut = files;
        cut[name].resize(size);
        FolderVerdict verdict = verifyFolder(joinFiles(cut));
        ASSERT_EQ(verdict.fault, "") << name << " cut at byte " << size;
        EXPECT_FALSE(verdict.hasModel && verdict.hasText);
      }
}

TEST(FolderFuzzReplay, ManyNamesAndLevels) {
  // What could take the square of the time, or the stack.
  std::string map, levels(1 << 20, '[');
  for (int i = 0; i < 20000; ++i)
    map += (i ? ",\"" : "\"") + std::to_string(i) + "\":\"" +
           std::to_string(i) + ".safetensors\"";
  for (const std::string &text : {"{\"weight_map\":{" + map + "}}", levels})
    EXPECT_EQ(verifyFolder(joinFiles({{"config.json", "{}"},
                                      {"model.safetensors.index.json", text}}))
                  .fault,
              "");
  EXPECT_EQ(
      verifyFolder(joinFiles({{"config.json", "{" + map + "}"},
                              {"tokenizer.json", "{\"model\":{" + map + "}}"}}))
          .fault,
      "");
}

std::string faultOf(std::string_view input) {
  return verifyFolder(input).fault;
}

} // namespace
} // namespace corellama::test

int main(int argc, char **argv) {
  return corellama::test::replay(argc, argv, corellama::test::faultOf);
}
