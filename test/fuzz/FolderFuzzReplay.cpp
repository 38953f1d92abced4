//===- FolderFuzzReplay.cpp - damaged folders, files of llama2.c, parts ---===//
//
// Small folders and files, sound and damaged in ways drawn from a seed, and
// large ones of what takes most memory and time -> the readers' answers, judged
// as by the fuzzer. Files on the command line are judged first. CORELLAMA_ALL=1
// draws more.
//
//===----------------------------------------------------------------------===//

#include "Draws.h"
#include "FolderVerify.h"
#include "test/compiler/Checkpoint/GGUFBuilder.h"
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
/// one, 3 positions), and its tokens; those behind the fifth are spaces.
FolderFiles llama2c(int32_t tokens = 5) {
  std::string model, tokenizer = word(7);
  for (int32_t size : {4, 6, 1, 2, 1, tokens, 3})
    model += word(size);
  model.resize(580 + 16 * size_t(tokens));
  for (const char *text : {"<unk>", "\n<s>\n", "\n</s>\n", "a", " a"})
    tokenizer += word(0) + word(int32_t(std::strlen(text))) + text;
  for (int32_t i = 5; i < tokens; ++i)
    tokenizer += word(0) + word(1) + " ";
  return {{"m.bin", model}, {"tokenizer.bin", tokenizer}};
}

/// A GGUF file in two parts, with a tokenizer.
FolderFiles split() {
  GGUFBuilder first = SmallLlama{.type = F16,
                                 .layers = 1,
                                 .dim = 4,
                                 .heads = 2,
                                 .kvHeads = 1,
                                 .headSize = 2,
                                 .hidden = 6,
                                 .vocab = 5}
                          .builder();
  first.text("tokenizer.ggml.model", "llama");
  first.numbers<float>("tokenizer.ggml.scores", kFloat32, {0, -1, -2, -3, -4});
  GGUFBuilder second;
  second.tensors.assign(first.tensors.begin() + 5, first.tensors.end());
  first.tensors.resize(5);
  FolderFiles files;
  for (uint16_t i = 0; i < 2; ++i) {
    GGUFBuilder &part = i == 0 ? first : second;
    part.number("split.no", kUInt16, i);
    part.number("split.count", kUInt16, uint16_t(2));
    files["m-0000" + std::to_string(i + 1) + "-of-00002.gguf"] = part.build();
  }
  return files;
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
  return {folder, sharded, llama2c(), split()};
}

TEST(FolderFuzzReplay, SoundFilesAreAccepted) {
  for (const FolderFiles &files : sound()) {
    FolderVerdict verdict = verifyFolder(joinFiles(files));
    EXPECT_EQ(verdict.fault, "");
    EXPECT_TRUE(verdict.hasModel) << files.begin()->first;
    EXPECT_EQ(verdict.hasText, !files.contains("model-1.safetensors"));
  }
  FolderVerdict verdict =
      verifyFolder(joinFiles({{"tokenizer.json", pieces()}}));
  EXPECT_EQ(verdict.fault, "");
  EXPECT_TRUE(verdict.hasText);
}

/// Damages one file at a time, so that the others still fit.
TEST(FolderFuzzReplay, DamagedFiles) {
  const int draws = std::getenv("CORELLAMA_ALL") ? 20000 : 4000;
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

/// `of(i)` for each number below `count`, with commas between.
template <typename Of> std::string listOf(int count, Of of) {
  std::string list;
  for (int i = 0; i < count; ++i)
    list += std::string(i == 0 ? "" : ",") + of(i);
  return list;
}

/// A short text for each number, another one each.
std::string name(int i) {
  std::string text;
  for (++i; i > 0; i /= 64)
    text += char('0' + i % 64 + (i % 64 > 43)); // no backslash
  return text;
}

/// A file is hundreds of thousands of bytes of what is largest in memory.
TEST(FolderFuzzReplay, DenseFiles) {
  auto quoted = [](const std::string &text) { return '"' + text + '"'; };
  auto config = [](const std::string &text) {
    return FolderFiles{{"config.json", text}};
  };
  std::string nested = listOf(200000, [](int) { return std::string("1"); });
  for (unsigned level = 0; level < 60; ++level)
    nested = '[' + nested + ']';
  FolderFiles tensors = FolderBuilder{}.files();
  const std::string header =
      '{' +
      listOf(8000,
             [&](int i) {
               return quoted(name(i)) +
                      R"(:{"dtype":"","shape":[],"data_offsets":[0,0]})";
             }) +
      '}';
  const uint64_t length = header.size();
  tensors["model.safetensors"] =
      std::string(reinterpret_cast<const char *>(&length), 8) + header;
  FolderFiles index = FolderBuilder{}.files();
  index["b.safetensors"] = std::move(index["model.safetensors"]);
  index["model.safetensors.index.json"] =
      R"({"weight_map":{)" +
      listOf(20000,
             [&](int i) { return quoted(name(i)) + R"(:"b.safetensors")"; }) +
      "}}";

  constexpr int kTokens = 100000;
  auto ids = listOf(kTokens, [&](int i) {
    return quoted(name(i)) + ":" + std::to_string(i);
  });
  auto merges = listOf(kTokens, [&](int) { return R"("1 1")"; });
  auto bytePairs = [](const std::string &vocab, const std::string &list) {
    return FolderFiles{
        {"tokenizer.json",
         R"({"pre_tokenizer":{"type":"ByteLevel","add_prefix_space":false},)"
         R"("model":{"type":"BPE","vocab":{)" +
             vocab + R"(},"merges":[)" + list + "]}}"}};
  };
  FolderFiles vocabulary = bytePairs(ids, merges);
  // Short merges, and escapes wherever there can be some.
  auto escaped = [](int i) { return R"("\n)" + name(i) + '"'; };
  FolderFiles escapes =
      bytePairs(R"("\n":0,"\n\n":1,)" + listOf(kTokens,
                                               [&](int i) {
                                                 return escaped(i) + ":" +
                                                        std::to_string(i + 2);
                                               }),
                listOf(kTokens, [](int) { return R"("\n \n")"; }));
  FolderFiles scored = {{"tokenizer.json", pieces()}};
  std::string &scoredText = scored["tokenizer.json"];
  scoredText.insert(scoredText.find(R"("a b")"),
                    listOf(kTokens, [](int) { return R"("a b")"; }) + ",");
  FolderFiles noTokens = bytePairs(R"("a":0)", "");
  noTokens["tokenizer.json"].insert(
      1, R"("added_tokens":[)" + listOf(kTokens, [](int) { return "0"; }) +
             "," + R"({"id":)" + std::to_string(kTokens) + "}],");
  std::string model;
  for (int i = 0; i < kTokens; ++i)
    model += "\n\3\n\1a"; // a piece, of three bytes: its text, of one
  // The kind is BPE, and spaces are kept.
  model += std::string("\x12\2\x18\2\x1A\2\x20\0", 8);
  GGUFBuilder shortKeys;
  std::vector<std::string> shortTexts(kTokens, "a");
  shortTexts.push_back("aa");
  shortKeys.text("tokenizer.ggml.model", "gpt2")
      .text("tokenizer.ggml.pre", "gpt-2");
  shortKeys.texts("tokenizer.ggml.tokens", shortTexts);
  shortKeys.texts("tokenizer.ggml.merges",
                  std::vector<std::string>(kTokens, "a a"));
  GGUFBuilder keys;
  std::vector<std::string> texts;
  for (int i = 0; i < kTokens; ++i)
    texts.push_back(name(i));
  keys.text("tokenizer.ggml.model", "gpt2").text("tokenizer.ggml.pre", "gpt-2");
  keys.texts("tokenizer.ggml.tokens", texts);
  keys.texts("tokenizer.ggml.merges", std::vector<std::string>(kTokens, "1 1"));

  struct Row {
    const char *what;
    FolderFiles files;
    bool hasText = false; ///< nothing is refused before all of it is read
  };
  const Row rows[] = {
      {"numbers", config(nested)},
      {"keys",
       config('{' +
              listOf(100000, [&](int i) { return quoted(name(i)) + ":1"; }) +
              '}')},
      {"escapes",
       config('[' + listOf(100000, [](int) { return std::string(R"("\n")"); }) +
              ']')},
      {"tensors", tensors},
      {"index", index},
      {"tokens and merges", vocabulary, true},
      {"tokens and merges with escapes", escapes, true},
      {"merges of SentencePiece", scored, true},
      {"added tokens that are none", noTokens},
      {"pieces of tokenizer.model", {{"tokenizer.model", model}}, true},
      {"spaces of llama2.c", llama2c(40000), true},
      {"tokens and merges of GGUF", {{"m.gguf", keys.build()}}, true},
      {"short tokens and merges of GGUF",
       {{"m.gguf", shortKeys.build()}},
       true},
  };
  for (const auto &[what, files, hasText] : rows) {
    const std::string input = joinFiles(files);
    const FolderVerdict verdict = verifyFolder(input);
    EXPECT_EQ(verdict.fault, "") << what;
    EXPECT_EQ(verdict.hasText, hasText) << what;
    std::printf("%-36s %9zu bytes: %.2f times at once; %.2f s\n", what,
                input.size(), double(verdict.cost.peak) / double(input.size()),
                verdict.cost.seconds);
  }
}

std::string faultOf(std::string_view input) {
  return verifyFolder(input).fault;
}

} // namespace
} // namespace corellama::test

int main(int argc, char **argv) {
  return corellama::test::replay(argc, argv, corellama::test::faultOf);
}
