//===- TextVerify.cpp - what must hold of every tokenizer -----------------===//
//
// See TextVerify.h.
//
//===----------------------------------------------------------------------===//

#include "TextVerify.h"
#include "compiler/Checkpoint/GGUF.h"
#include "compiler/Text/GGUFText.h"
#include "compiler/Text/SentencePieceModel.h"
#include "compiler/Text/TextSection.h"
#include "runtime/Tokenizer/Tokenizer.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/MemoryBuffer.h"
#include <algorithm>
#include <cmath>
#include <functional>

namespace corellama::test {
namespace {

using namespace runtime;

bool isOneLine(std::string_view message) {
  return !message.empty() && std::all_of(message.begin(), message.end(),
                                         [](char c) { return c >= ' '; });
}

bool isInside(std::string_view text, std::string_view input) {
  const std::less_equal<const char *> before;
  return text.empty() ||
         (before(input.data(), text.data()) &&
          before(text.data() + text.size(), input.data() + input.size()));
}

/// The rule of TextData.h that is broken, or nothing.
std::string brokenRule(const TextData &data) {
  const size_t tokens = data.tokens.size();
  const bool none = data.kind == TokenizerKind::none;
  auto isId = [&](int32_t id) {
    return id >= 0 && (none || static_cast<size_t>(id) < tokens);
  };
  if (none != (tokens == 0))
    return "T1";
  if (data.types.size() != tokens ||
      !std::all_of(data.types.begin(), data.types.end(), [](TokenType type) {
        return int(type) >= 1 && int(type) <= 6;
      }))
    return "T2";
  const bool isPieces = data.kind == TokenizerKind::sentencePiece;
  if (data.scores.size() != (isPieces ? tokens : 0) ||
      std::any_of(data.scores.begin(), data.scores.end(),
                  [](float score) { return std::isnan(score); }))
    return "T3";
  if ((data.kind != TokenizerKind::byteLevel && !data.merges.empty()) ||
      !std::all_of(data.merges.begin(), data.merges.end(), [&](auto merge) {
        return isId(merge.left) && isId(merge.right) && isId(merge.result);
      }))
    return "T4";
  if (!isId(data.bos.value_or(0)) || !isId(data.eos.value_or(0)))
    return "T5";
  if (!std::all_of(data.ends.begin(), data.ends.end(), isId) ||
      std::adjacent_find(data.ends.begin(), data.ends.end(),
                         std::greater_equal<>()) != data.ends.end())
    return "T6";
  return "";
}

std::string verifyData(const TextData &data, std::string_view input) {
  for (std::string_view token : data.tokens)
    if (!isInside(token, input))
      return "a token's text is outside of the input";
  if (!isInside(data.chatTemplate.value_or(""), input))
    return "the chat template is outside of the input";
  return faultOfText(data, input);
}

} // namespace

std::string faultOfText(const TextData &data, std::string_view sample) {
  if (std::string rule = brokenRule(data); !rule.empty())
    return "rule " + rule + " is broken";
  const std::string section = writeTextSection(data);
  auto back = TextData::parse(llvm::arrayRefFromStringRef(section));
  if (!back)
    return "what was written is refused: " + back.error();
  if (writeTextSection(*back) != section ||
      !std::equal(back->tokens.begin(), back->tokens.end(), data.tokens.begin(),
                  data.tokens.end()))
    return "what was written is read differently";

  auto tokenizer = Tokenizer::create(data);
  if (!tokenizer)
    return ""; // none, or an unknown pre-tokenizer
  const std::string text =
      "a  b\xC3\xA9\xFF<s></s>" + std::string(sample.substr(0, 200));
  for (bool parseSpecial : {false, true}) {
    std::vector<int32_t> ids;
    auto lost = tokenizer->encodeSequence(text, ids, parseSpecial);
    // SentencePiece's space in front of a text and of what follows a control
    // token may be lost, too: of unused pieces, which are taken apart.
    if (!lost || *lost > 2 * text.size())
      return "a short text is refused, or more is lost than there was";
    std::string decoded;
    for (int32_t id : ids) {
      if (id < 0 || static_cast<size_t>(id) >= data.tokens.size())
        return "an id is no token";
      tokenizer->decode(id, decoded);
    }
  }
  return "";
}

TextVerdict verifyText(std::string_view input) {
  TextVerdict verdict;
  auto judge = [&](const char *reader, const TextData &data) {
    verdict.accepted |= data.kind != TokenizerKind::none;
    if (std::string fault = verifyData(data, input); !fault.empty())
      verdict.fault = std::string(reader) + ": " + fault;
  };
  auto refuse = [&](const char *reader, std::string_view message) {
    if (!isOneLine(message))
      verdict.fault =
          std::string(reader) + ": no line: " + std::string(message);
  };

  llvm::ArrayRef<uint8_t> bytes = llvm::arrayRefFromStringRef(input);
  if (auto section = TextData::parse(bytes))
    judge("section", *section);
  else
    refuse("section", section.error());
  auto model =
      readSentencePieceModel(llvm::MemoryBufferRef(input, "tokenizer.model"));
  if (model)
    judge("tokenizer.model", *model);
  else
    refuse("tokenizer.model", llvm::toString(model.takeError()));
  auto gguf = checkpoint::GGUF::parse(bytes, "m.gguf");
  if (gguf)
    judge("GGUF", readText(*gguf));
  else
    refuse("GGUF", llvm::toString(gguf.takeError()));
  return verdict;
}

} // namespace corellama::test
