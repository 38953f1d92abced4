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
#include <algorithm>
#include <cmath>
#include <limits>
#include <memory>
#include <utility>
#include <vector>

using namespace corellama;
using llvm::Error;
using llvm::StringRef;
using llvm::Twine;
using runtime::TextData;
using runtime::TokenTexts;
using runtime::TokenType;

static Error refuse(const Twine &place, const Twine &problem) {
  return llvm::createStringError("tokenizer.bin: " + place + ": " + problem +
                                 "; use token ids in place of text, or compile "
                                 "--tokenizer=tokenizer.model");
}

namespace {
/// Texts by where their lengths are: in the file, or in `spelled`.
class Texts final : public TokenTexts::Source {
public:
  /// The bit of a place in `spelled`; files are smaller than it.
  static constexpr uint32_t kSpelled = uint32_t(1) << 31;

  explicit Texts(StringRef file) : file(file) {}

  std::string_view textAt(uint32_t place) const override {
    const StringRef from = (place & kSpelled ? StringRef(spelled) : file)
                               .substr(place & ~kSpelled);
    return from.size() < 4
               ? StringRef()
               : from.substr(4, llvm::support::endian::read32le(from.data()));
  }
  void reserve(size_t bytes) { spelled.reserve(bytes); }
  /// A text that has spaces, as SentencePiece writes it.
  uint32_t spell(StringRef text) {
    const auto place = static_cast<uint32_t>(spelled.size());
    spelled.resize(place + 4);
    for (char c : text)
      if (c == ' ')
        spelled += "\xE2\x96\x81";
      else
        spelled += c;
    llvm::support::endian::write32le(
        &spelled[place], static_cast<uint32_t>(spelled.size() - place - 4));
    return place | kSpelled;
  }
  static size_t spelledBytes(StringRef text) {
    return 4 + text.size() + 2 * text.count(' ');
  }

private:
  StringRef file;
  std::string spelled;
};
} // namespace

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

static Error readTokens(StringRef file, uint64_t count, TextData &data) {
  if (file.size() >= Texts::kSpelled)
    return refuse("file", "has " + Twine(file.size()) +
                              " bytes, expected fewer than 2147483648");
  StringRef bytes = file.substr(4); // the longest text's length is not needed
  auto texts = std::make_shared<Texts>(file);
  // Lists that grow would take twice the memory for a moment.
  size_t spelledBytes = 0;
  for (StringRef rest = bytes; rest.size() >= 8;) {
    const uint32_t size = llvm::support::endian::read32le(rest.data() + 4);
    StringRef text = rest.substr(8, size);
    rest = rest.substr(8 + text.size());
    if (text.contains(' '))
      spelledBytes += Texts::spelledBytes(text);
  }
  texts->reserve(spelledBytes);
  std::vector<uint32_t> places;
  const size_t most = std::min<uint64_t>(count, bytes.size() / 8);
  places.reserve(most);
  data.types.reserve(most);
  data.scores.reserve(most);
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
    const bool isControl = data.types.back() == TokenType::control;
    places.push_back(
        isControl || text.contains(' ')
            ? texts->spell(isControl ? text.trim('\n') : text)
            : static_cast<uint32_t>(text.data() - 4 - file.data()));
  }
  data.tokens = {std::move(texts), std::move(places)};
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
  TextData data;
  if (Error error = readTokens(llvm::toStringRef(tokenizer->data()),
                               file.sizes().vocab, data)) {
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
  return text;
}
