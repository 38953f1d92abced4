//===- SentencePieceModelTest.cpp - a tokenizer.model file ----------------===//
//
// What becomes of a ModelProto, and the message for each that is refused.
// test/e2e/test_sentencepiece.py reads those of SentencePiece's own trainer.
//
//===----------------------------------------------------------------------===//

#include "compiler/Text/SentencePieceModel.h"
#include "test/compiler/Text/ModelProto.h"
#include "test/runtime/Tokenizer/TokenViews.h"
#include "gtest/gtest.h"
#include <cmath>

using namespace corellama;
using namespace corellama::test;
using runtime::TokenizerKind;
using runtime::TokenType;

static ModelProto small() {
  ModelProto model;
  model.piece("<unk>", 0, 2).piece("<s>", 0, 3).piece("</s>", 0, 3);
  model.piece("a", -1.5F).raw(ModelProto::bytes(1, "b"));
  return model;
}

static std::string whyNot(const std::string &file) {
  auto read = readSentencePieceModel(llvm::MemoryBufferRef(file, "m.model"));
  return read ? std::string("accepted") : llvm::toString(read.takeError());
}

TEST(SentencePieceModel, PiecesBecomeTokens) {
  ModelProto model = small();
  // Fields that no reader has to know: of every wire type.
  model.raw(ModelProto::bytes(1, "c") + ModelProto::number(99, 7) +
            ModelProto::bytes(98, "x") + ModelProto::real(97, 1) +
            ModelProto::varint(96 << 3 | 1) + "12345678");
  const std::string file = model.file();
  auto data = readSentencePieceModel(llvm::MemoryBufferRef(file, "m.model"));
  ASSERT_TRUE(static_cast<bool>(data)) << llvm::toString(data.takeError());
  EXPECT_EQ(data->kind, TokenizerKind::sentencePiece);
  EXPECT_EQ(
      runtime::test::toVector(data->tokens),
      (std::vector<std::string_view>{"<unk>", "<s>", "</s>", "a", "b", "c"}));
  EXPECT_EQ(data->types[0], TokenType::unknown);
  EXPECT_EQ(data->types[5], TokenType::normal);
  EXPECT_EQ(data->scores, (std::vector<float>{0, 0, 0, -1.5F, 0, 0}));
  EXPECT_EQ(data->bos, 1);
  EXPECT_TRUE(data->addsBos);
  EXPECT_EQ(data->eos, 2);
  EXPECT_EQ(data->ends, std::vector<int32_t>{2});
  EXPECT_TRUE(data->addsSpace);
}

TEST(SentencePieceModel, SettingsAreFollowed) {
  ModelProto model = small();
  model.piece("<begin>", 0, 3).piece("<end>", 0, 3);
  model.normalizer += ModelProto::number(3, 0);
  model.trainer +=
      ModelProto::bytes(46, "<begin>") + ModelProto::bytes(47, "a");
  const std::string file = model.file();
  auto data = readSentencePieceModel(llvm::MemoryBufferRef(file, "m.model"));
  ASSERT_TRUE(static_cast<bool>(data)) << llvm::toString(data.takeError());
  EXPECT_FALSE(data->addsSpace);
  EXPECT_EQ(data->bos, 5);
  EXPECT_FALSE(data->eos) << "a piece of the text ends nothing";
}

TEST(SentencePieceModel, RefusesWhatItCannotDo) {
  auto with = [](std::string ModelProto::*fields, const std::string &more) {
    ModelProto model = small();
    model.*fields += more;
    return whyNot(model.file());
  };
  const auto trainer = &ModelProto::trainer;
  const auto normalizer = &ModelProto::normalizer;
  EXPECT_EQ(with(trainer, ModelProto::number(3, 1)),
            "m.model: trainer_spec: model_type is 1 (unigram), expected 2 "
            "(BPE); no other kind is supported");
  EXPECT_EQ(with(trainer, ModelProto::number(3, 9)),
            "m.model: trainer_spec: model_type is 9, expected 2 (BPE); no "
            "other kind is supported");
  EXPECT_EQ(with(trainer, ModelProto::number(24, 1)),
            "m.model: trainer_spec: treat_whitespace_as_suffix is true, "
            "expected false; it is not supported");
  EXPECT_EQ(with(normalizer, ModelProto::bytes(1, "nmt_nfkc") +
                                 ModelProto::bytes(2, "map")),
            "m.model: normalizer_spec: 'nmt_nfkc' changes characters, expected "
            "'identity'; no other is supported");
  EXPECT_EQ(with(normalizer, ModelProto::number(4, 1)),
            "m.model: normalizer_spec: remove_extra_whitespaces is true, "
            "expected false; it is not supported");
  EXPECT_EQ(with(normalizer, ModelProto::number(5, 0)),
            "m.model: normalizer_spec: escape_whitespaces is false, expected "
            "true; it is not supported");
  ModelProto model = small();
  model.normalizer.clear();
  EXPECT_EQ(whyNot(model.file()),
            "m.model: normalizer_spec: remove_extra_whitespaces is true, "
            "expected false; it is not supported")
      << "the proto's default";
}

TEST(SentencePieceModel, RefusesDamage) {
  EXPECT_EQ(whyNot(""), "m.model: file: has no pieces; give the "
                        "tokenizer.model of a SentencePiece model");
  const std::string noMessage = " is no message of protocol buffers; give the "
                                "tokenizer.model of a SentencePiece model";
  EXPECT_EQ(whyNot("GGUF"), "m.model: file:" + noMessage);
  const std::string file = small().file();
  EXPECT_EQ(whyNot(file.substr(0, file.size() - 1)),
            "m.model: file:" + noMessage);
  EXPECT_EQ(whyNot(small().raw("\x0A\x7F").file()),
            "m.model: piece 5:" + noMessage);
  EXPECT_EQ(whyNot(small().raw(std::string(11, '\xFF')).file()),
            "m.model: piece 5:" + noMessage);
  for (const std::string &fields :
       {ModelProto::real(2, 1), ModelProto::bytes(1, "")})
    EXPECT_EQ(whyNot(small().raw(fields).file()),
              "m.model: piece 5: has no text, expected some; fetch the file "
              "again");
  EXPECT_EQ(whyNot(small().piece("x", 0, 7).file()),
            "m.model: piece 5: has type 7, expected 1 to 6; fetch the file "
            "again");
  EXPECT_EQ(whyNot(small().piece("x", NAN).file()),
            "m.model: piece 5: has a score that is no number; fetch the file "
            "again");
  ModelProto model = small();
  model.trainer += "\x0B"; // a group
  EXPECT_EQ(whyNot(model.file()), "m.model: trainer_spec:" + noMessage);
  model = small();
  model.normalizer += "\x0D\x01"; // four bytes of which one is there
  EXPECT_EQ(whyNot(model.file()), "m.model: normalizer_spec:" + noMessage);
}
