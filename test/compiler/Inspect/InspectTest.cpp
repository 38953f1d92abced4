//===- InspectTest.cpp - what is said of checkpoints and programs ---------===//
//
// A small checkpoint, and a program made of it -> the text and the JSON of
// both.
//
//===----------------------------------------------------------------------===//

#include "compiler/Inspect/Inspect.h"
#include "compiler/TextCommands/TextCommands.h"
#include "test/compiler/Checkpoint/FolderBuilder.h"
#include "test/compiler/Image/ImageTesting.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/JSON.h"
#include <fstream>
#include <sys/stat.h>
#include <thread>

using namespace corellama;
using namespace corellama::test;
using llvm::StringRef;

namespace {

GGUFBuilder alternating() {
  SmallLlama small;
  small.type = F16;
  small.layers = 4;
  small.tied = true;
  GGUFBuilder builder = small.builder();
  builder.text("general.name", "a\nname"); // any bytes may stand there
  builder.at("blk.2.attn_v.weight").type = F32;
  return builder;
}

class InspectTest : public testing::Test {
protected:
  void SetUp() override {
    llvm::SmallString<128> name;
    ASSERT_FALSE(
        llvm::sys::fs::createUniqueDirectory("corellama-inspect", name));
    folder = name.str().str();
  }
  void TearDown() override {
    EXPECT_FALSE(llvm::sys::fs::remove_directories(folder));
  }

  /// A file with these bytes.
  std::string file(StringRef name, StringRef bytes) {
    std::string path = folder + "/" + name.str();
    std::error_code error;
    llvm::raw_fd_ostream(path, error) << bytes;
    return path;
  }
  std::string program() {
    PlannedModel model(alternating());
    std::string path = folder + "/program";
    auto linked = llvm::cantFail(
        llvm::errorOrToExpected(llvm::MemoryBuffer::getFile(IMAGE_PROBE)));
    llvm::cantFail(image::attachImage(model.goodPlan(), *model.checkpoint,
                                      linked->getMemBufferRef(), path));
    return path;
  }
  std::string inspect(StringRef path, bool json) {
    std::string text;
    llvm::raw_string_ostream out(text);
    if (llvm::Error error = inspectFile(path, json, out)) {
      EXPECT_EQ(text, "");
      return llvm::toString(std::move(error));
    }
    return text;
  }
  llvm::json::Object inspectAsJSON(StringRef path) {
    auto value = llvm::json::parse(inspect(path, /*json=*/true));
    if (!value || !value->getAsObject()) {
      ADD_FAILURE() << "not a JSON object";
      llvm::consumeError(value.takeError());
      return {};
    }
    return std::move(*value->getAsObject());
  }

  std::string folder;
};

TEST_F(InspectTest, ACheckpointAsText) {
  std::string path = file("m.gguf", alternating().build());
  std::string text = inspect(path, /*json=*/false);
  // The identity is compared in the JSON test.
  StringRef rest = text;
  EXPECT_TRUE(rest.consume_front("checkpoint  m.gguf\n"
                                 "model       a\\nname\n"
                                 "blake3      "))
      << text;
  rest = rest.drop_front(64);
  std::string expected =
      "\nbytes       " + std::to_string(alternating().build().size()) + R"(
parameters  123776
layers      4
dim         64
hidden      96
heads       4 of 16, over 2 of keys and values
vocabulary  5, LM head tied to the embedding
context     128
text        no: tokenizer.ggml.model: missing, expected 'gpt2' (byte-level BPE) or 'llama' (SentencePiece)
chat        no: the program reads no text
rope base   50000
rms eps     0.000976562

layer signatures: 2
  layers 0-1, 3: attn_norm F32, attn_q F16, attn_k F16, attn_v F16, attn_output F16, ffn_norm F32, ffn_gate F16, ffn_up F16, ffn_down F16
  layers 2: attn_norm F32, attn_q F16, attn_k F16, attn_v F32, attn_output F16, ffn_norm F32, ffn_gate F16, ffn_up F16, ffn_down F16

tensors: 38
  token_embd.weight         F16             5 x 64          640 bytes
  blk.0.attn_norm.weight    F32                 64          256 bytes
  blk.0.attn_q.weight       F16            64 x 64         8192 bytes
)";
  EXPECT_EQ(rest.substr(0, expected.size()).str(), expected);
}

TEST_F(InspectTest, WidenedVectorsAreShownAsTheyAreStored) {
  GGUFBuilder builder = alternating();
  builder.at("blk.1.attn_norm.weight").type = BF16;
  builder.at("blk.3.attn_norm.weight").type = F16;
  std::string text = inspect(file("m.gguf", builder.build()), /*json=*/false);
  EXPECT_NE(text.find("layers 0-1, 3: attn_norm BF16 or F16 widened to F32, "
                      "attn_q F16,"),
            std::string::npos)
      << text;
  EXPECT_NE(text.find("layers 2: attn_norm F32, "), std::string::npos) << text;
}

TEST_F(InspectTest, ACheckpointAsJSON) {
  std::string bytes = alternating().build();
  llvm::json::Object object = inspectAsJSON(file("m.gguf", bytes));
  EXPECT_EQ(object.getString("kind"), "checkpoint");
  EXPECT_EQ(object.getString("name"), "m.gguf");
  EXPECT_EQ(object.getString("blake3")->size(), 64u);
  EXPECT_EQ(object.getInteger("bytes"), int64_t(bytes.size()));
  EXPECT_EQ(object.getObject("config")->getString("name"), "a\nname");
  EXPECT_EQ(object.getObject("config")->getInteger("kv_heads"), 2);
  EXPECT_EQ(object.getObject("config")->getNumber("rope_base"), 50000.0);
  EXPECT_EQ(object.getObject("text")->getBoolean("reads_text"), false);
  std::string signature;
  llvm::raw_string_ostream(signature) << object.getArray("signatures")->back();
  EXPECT_EQ(
      signature,
      R"({"layers":[2],"types":{"attn_k":"F16","attn_norm":"F32","attn_output":"F16",)"
      R"("attn_q":"F16","attn_v":"F32","ffn_down":"F16","ffn_gate":"F16",)"
      R"("ffn_norm":"F32","ffn_up":"F16"}})");
  EXPECT_EQ(object.getArray("tensors")->size(), 38u);
}

TEST_F(InspectTest, AProgramAsText) {
  std::string text = inspect(program(), /*json=*/false);
  for (const char *line :
       {"program     program\n", "checkpoint  m.gguf\n",
        "target      x86-64-v3, 256-bit vectors\n", "features    +avx2,+fma\n",
        ("cache       keys f16 in #llama.keys_interleaved16, values f16 in "
         "#llama.rowmajor\n"),
        "rows        of a call, at most: [1,512]\n",
        ("model       4 layers, dim 64, hidden 96, 4 heads over 2 of 16, "
         "vocabulary 5, context 128\n"),
        "  workspace                  4096 bytes\n", "kernels: 1\n",
        "  kernel      parts      scratch  strategy\n",
        "  qkv.decode  qkv.parts  64\n", "tensors: 38\n"})
    EXPECT_NE(text.find(line), std::string::npos) << line << "in\n" << text;
}

TEST_F(InspectTest, AProgramAsJSON) {
  llvm::json::Object object = inspectAsJSON(program());
  EXPECT_EQ(object.getString("kind"), "program");
  EXPECT_EQ(object.getObject("checkpoint")->getString("name"), "m.gguf");
  EXPECT_EQ(object.getArray("kernels")->size(), 1u);
  EXPECT_GT(object.getObject("image")->getInteger("weights"), 0);
}

TEST_F(InspectTest, ADamagedManifestIsRefusedAndNothingPrinted) {
  std::string path = program();
  auto bytes = (*llvm::MemoryBuffer::getFile(path))->getBuffer().str();
  bytes[bytes.find("{\"activations\"")] = 'x';
  EXPECT_EQ(inspect(file("damaged", bytes), /*json=*/false),
            folder + "/damaged: image: manifest: is not JSON: [1:1, byte=1]: "
                     "Invalid JSON value; "
                     "the file is damaged, copy or compile it again");
}

TEST_F(InspectTest, AVocabularyAlone) {
  GGUFBuilder builder;
  builder.text("tokenizer.ggml.model", "llama")
      .texts("tokenizer.ggml.tokens", {"<unk>", "<s>", "</s>", "a"})
      .numbers<int32_t>("tokenizer.ggml.token_type", kInt32, {2, 3, 3, 1})
      .numbers<float>("tokenizer.ggml.scores", kFloat32, {0, 0, 0, -1})
      .u32("tokenizer.ggml.eos_token_id", 2)
      .flag("tokenizer.ggml.add_eos_token", 1)
      .text("tokenizer.chat_template", "{{ messages }}\n\n");
  std::string path = file("v.gguf", builder.build());
  EXPECT_EQ(inspect(path, /*json=*/false),
            "vocabulary  v.gguf\ntext        SentencePiece, 4 tokens\n"
            "eos         2 '</s>', behind a text\nanswer ends 2 '</s>'\n"
            "chat        a template of 16 bytes\n");
  llvm::json::Object object = inspectAsJSON(path);
  EXPECT_EQ(object.getString("kind"), "vocabulary");
  EXPECT_EQ(object.getObject("text")->getBoolean("adds_eos"), true);

  std::string text;
  llvm::raw_string_ostream out(text);
  EXPECT_FALSE(bool(printTemplate(path, out)));
  EXPECT_EQ(text, "{{ messages }}\n\n");
  EXPECT_EQ(llvm::toString(printTemplate(program(), out)),
            folder + "/program: has no chat template; give a checkpoint or a "
                     "program that has one");
}

// The text comes from a pipe, so that the vocabulary is written to between its
// opening and its use.
TEST_F(InspectTest, AVocabularyThatIsWrittenToIsNotUsed) {
  GGUFBuilder builder;
  builder.text("tokenizer.ggml.model", "llama")
      .texts("tokenizer.ggml.tokens", {"<unk>", "<s>", "</s>", "a"})
      .numbers<int32_t>("tokenizer.ggml.token_type", kInt32, {2, 3, 3, 1})
      .numbers<float>("tokenizer.ggml.scores", kFloat32, {0, 0, 0, -1});
  std::string path = file("v.gguf", builder.build()), pipe = folder + "/pipe";
  ASSERT_EQ(mkfifo(pipe.c_str(), 0600), 0);
  std::thread writer([&] {
    std::ofstream text(pipe); // waits for a reader
    std::ofstream(path, std::ios::app) << "more";
    text << "a";
  });
  text::TokenizeOptions options;
  options.file = path;
  options.textFile = pipe;
  std::string printed;
  llvm::raw_string_ostream out(printed);
  EXPECT_EQ(llvm::toString(text::tokenize(options, out, [](const auto &) {})),
            path + ": file: has changed while it was read, expected the same "
                   "bytes from beginning to end; run the command again");
  EXPECT_EQ(printed, "");
  writer.join();
}

TEST_F(InspectTest, ARefusedCheckpoint) {
  GGUFBuilder builder = SmallLlama{.type = F16, .layers = 1}.builder();
  builder.u32("llama.expert_count", 4);
  builder.at("output.weight").type = 21; // IQ3_S
  builder.tensor("a\n\x1b", F32, {1});
  std::string path = file("m.gguf", builder.build());
  std::string text = inspect(path, /*json=*/false);
  const std::string expected =
      "checkpoint  m.gguf\nlayers      1\ndim         64\nhidden      96\n"
      "heads       4 of 16, over 2 of keys and values\nvocabulary  5\n"
      "context     128\n\ncannot be compiled, reasons: 3\n  " +
      path +
      ": metadata 'llama.expert_count': is 4, expected 0; give a checkpoint "
      "without experts\n  " +
      path +
      ": tensor 'a\\x0a\\x1b': is unknown, expected only the tensors of "
      "a plain Llama; give a checkpoint without it\n  " +
      path + ": tensor 'output.weight': has type IQ3_S, expected ";
  EXPECT_EQ(text.substr(0, expected.size()), expected);
  for (const char *line :
       {"\ntensors: 13\n  token_embd.weight  F16 5 x 64\n",
        "\n  output.weight  IQ3_S 5 x 64\n", "\n  a\\x0a\\x1b  F32 1\n"})
    EXPECT_NE(text.find(line), std::string::npos) << line << "in\n" << text;
  llvm::json::Object object = inspectAsJSON(path);
  EXPECT_EQ(object.getString("kind"), "refused checkpoint");
  EXPECT_EQ(object.getArray("refused")->size(), 3u);
  EXPECT_EQ(object.getArray("tensors")->size(), 13u);
  EXPECT_EQ(object.getObject("config")->getInteger("dim"), 64);
}

// Version 2 of llama2.c: int8 in groups of 2, then their scales. Bytes are
// missing as well.
TEST_F(InspectTest, ARefusedFileOfLlama2c) {
  std::string bytes;
  for (int32_t word : {0x616b3432, 2, 4, 6, 1, 2, 1, 5, 3})
    GGUFBuilder::put(bytes, word);
  bytes += '\1'; // the LM head is the embedding
  GGUFBuilder::put(bytes, int32_t(2));
  bytes.resize(256 + 3 * 4 * 4 + (5 * 4 + 48 + 72) * 3 - 1);
  std::string path = file("m.bin", bytes);
  EXPECT_EQ(inspect(path, /*json=*/false),
            "checkpoint  m.bin\nlayers      1\ndim         4\nhidden      6\n"
            "heads       2 of 2, over 1 of keys and values\n"
            "vocabulary  5, LM head tied to the embedding\ncontext     3\n\n"
            "cannot be compiled, reasons: 2\n  " +
                path +
                ": header: version is 2 (int8 in groups), expected 0 or 1 "
                "(float32); its weights would have to be rounded again, export "
                "the model as float32\n  " +
                path +
                ": header: states sizes of 724 bytes, file has 723; fetch it "
                "again, or give a checkpoint of llama2.c\n\n"
                "tensors: 10\n"
                "  blk.0.attn_norm.weight  F32 4\n"
                "  blk.0.ffn_norm.weight  F32 4\n"
                "  output_norm.weight  F32 4\n"
                "  token_embd.weight  int8 in groups of 2 5 x 4\n"
                "  blk.0.attn_q.weight  int8 in groups of 2 4 x 4\n"
                "  blk.0.attn_k.weight  int8 in groups of 2 2 x 4\n"
                "  blk.0.attn_v.weight  int8 in groups of 2 2 x 4\n"
                "  blk.0.attn_output.weight  int8 in groups of 2 4 x 4\n"
                "  blk.0.ffn_gate.weight  int8 in groups of 2 6 x 4\n"
                "  blk.0.ffn_down.weight  int8 in groups of 2 4 x 6\n");
  EXPECT_EQ(inspectAsJSON(path).getObject("config")->getInteger("context"), 3);
}

TEST_F(InspectTest, ARefusedFolder) {
  FolderBuilder builder;
  builder.config["hidden_act"] = "\"gelu\"";
  builder.tensors[0].type = "I8";
  for (const auto &[name, bytes] : builder.files())
    file(name, bytes);
  std::string text = inspect(folder, /*json=*/false);
  for (const char *line :
       {"cannot be compiled, reasons: 2\n", "config.json: key 'hidden_act': ",
        "tensor 'model.embed_tokens.weight': has type 'I8', ",
        "\ntensors: 12\n  model.embed_tokens.weight  'I8' 5 x 8\n",
        "\n  model.norm.weight  F32 8\n"})
    EXPECT_NE(text.find(line), std::string::npos) << line << "in\n" << text;
}

// Without a table of tensors there is nothing to show.
TEST_F(InspectTest, ADamagedContainerIsOneLine) {
  std::string bytes = alternating().build();
  EXPECT_EQ(StringRef(inspect(file("cut.gguf", bytes.substr(0, 100)), false))
                .count('\n'),
            0u);
  // One whose data alone is cut has one.
  std::string text =
      inspect(file("data.gguf", bytes.substr(0, bytes.size() - 1)), false);
  EXPECT_NE(text.find("cannot be compiled, reasons: 1\n"), std::string::npos);
  EXPECT_EQ(StringRef(inspect(file("m.bin", std::string(28, '\0')), false))
                .count("; also "),
            6u);
}

TEST_F(InspectTest, AnyOtherExecutableHasNoImage) {
  EXPECT_EQ(inspect(IMAGE_PROBE, /*json=*/false), IMAGE_PROBE
            ": has no image; give a program that `corellama compile` made");
}

TEST_F(InspectTest, AnyOtherFileIsABadCheckpoint) {
  std::string path = file("text.txt", "some text");
  EXPECT_EQ(StringRef(inspect(path, /*json=*/false)).substr(0, path.size() + 2),
            path + ": ");
}

} // namespace
