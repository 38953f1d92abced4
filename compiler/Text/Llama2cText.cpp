//===- Llama2cText.cpp - the tokenizer.bin of llama2.c --------------------===//
//
// See Llama2cText.h. The file: the longest text's length, then for each token
// of the model its score (float32), length (4 bytes) and text. It lacks types,
// which run.c knows: 0 is unknown, 1 and 2 are BOS and EOS, both with newlines
// around them in the file, 3 to 258 are bytes; and spaces are plain.
//
//===----------------------------------------------------------------------===//

#include "compiler/Text/Llama2cText.h"
#include "compiler/Text/EndTexts.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/Twine.h"
#include "llvm/ADT/bit.h"
#include "llvm/Support/Endian.h"
#include <cmath>

using namespace corellama;
using llvm::Error;
using llvm::StringRef;
using llvm::Twine;
using runtime::TextData;
using runtime::TokenType;

static Error refuse(const Twine &place, const Twine &problem) {
  return llvm::createStringError("tokenizer.bin: " + place + ": " + problem +
                                 "; use token ids in place of text, or compile "
                                 "--tokenizer=tokenizer.model");
}

static TokenType typeOf(size_t id, StringRef text) {
  constexpr size_t firstByte = 3;
  if (id == 0)
    return TokenType::unknown;
  if (id < firstByte)
    return TokenType::control;
  const bool isByte =
      id < firstByte + 256 &&
      text == "<0x" + llvm::utohexstr(id - firstByte, false, 2) + ">";
  return isByte ? TokenType::byte : TokenType::normal;
}

/// `storage` gets the texts that have spaces.
static Error readTokens(StringRef bytes, uint64_t count, TextData &data,
                        llvm::BumpPtrAllocator &storage) {
  bytes = bytes.substr(4); // of the longest text; what follows is checked
  std::string spelled;
  for (uint64_t id = 0; id < count; ++id) {
    const std::string place = "token " + std::to_string(id);
    if (bytes.size() < 8)
      return refuse(place, "is missing, expected " + Twine(count) +
                               " tokens as the model has");
    data.scores.push_back(
        llvm::bit_cast<float>(llvm::support::endian::read32le(bytes.data())));
    const uint32_t size = llvm::support::endian::read32le(bytes.data() + 4);
    bytes = bytes.drop_front(8);
    if (std::isnan(data.scores.back()))
      return refuse(place, "has a score that is no number, expected one");
    if (size > bytes.size())
      return refuse(place, "takes " + Twine(size) + " bytes, file has " +
                               Twine(bytes.size()) + " more");
    // Those of Llama have up to 48 bytes.
    constexpr uint32_t longest = 1024;
    if (size > longest)
      return refuse(place, "takes " + Twine(size) +
                               " bytes, expected at most " + Twine(longest));
    StringRef text = bytes.take_front(size);
    bytes = bytes.drop_front(size);
    data.types.push_back(typeOf(id, text));
    if (data.types.back() == TokenType::control)
      text = text.trim('\n');
    if (text.contains(' ')) {
      spelled.clear();
      for (char c : text)
        if (c == ' ')
          spelled += "\xE2\x96\x81";
        else
          spelled += c;
      text = StringRef(spelled).copy(storage);
    }
    data.tokens.push_back(text);
  }
  if (!bytes.empty())
    return refuse("file", "has more than the " + Twine(count) +
                              " tokens of the model, expected its own");
  return Error::success();
}

ContainerText corellama::readText(const checkpoint::Llama2cContainer &file) {
  ContainerText text;
  // run.c ends a text at BOS, which its models were trained to write between
  // stories, and an answer at EOS.
  constexpr int32_t bos = 1, eos = 2;
  if (file.sizes().vocab > uint64_t(eos))
    text.data.ends = {bos, eos};
  const checkpoint::MappedFile *tokenizer = file.tokenizer();
  if (!tokenizer) {
    text.data.whyNone = "tokenizer.bin: missing beside the checkpoint; use "
                        "token ids in place of text, or compile "
                        "--tokenizer=tokenizer.model";
    return text;
  }
  text.namesTokenizer = true;
  auto storage = std::make_shared<llvm::BumpPtrAllocator>();
  TextData data;
  if (Error error = readTokens(llvm::toStringRef(tokenizer->data()),
                               file.sizes().vocab, data, *storage)) {
    text.data.whyNone = llvm::toString(std::move(error));
    return text;
  }
  data.kind = runtime::TokenizerKind::sentencePiece;
  data.addsSpace = true;
  if (!text.data.ends.empty()) {
    data.bos = bos;
    data.eos = eos;
    data.addsBos = true;
  }
  data.ends = text.data.ends;
  addEndTexts(data);
  text.data = std::move(data);
  text.storage = std::move(storage);
  return text;
}
