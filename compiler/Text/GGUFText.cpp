//===- GGUFText.cpp - a GGUF file's tokenizer and chat template -----------===//
//
// See GGUFText.h. Merges, which are pairs of texts in the file, become ids, and
// what a file leaves open gets the default that llama.cpp and the converters
// give it; so the runtime decides nothing.
//
//===----------------------------------------------------------------------===//

#include "compiler/Text/GGUFText.h"
#include "compiler/Checkpoint/Refusal.h"
#include "compiler/Text/EndTexts.h"
#include "runtime/Tokenizer/PreTokenizer.h"
#include "runtime/Tokenizer/TokenIndex.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/Twine.h"
#include "llvm/Support/Endian.h"
#include <cmath>
#include <limits>
#include <memory>
#include <optional>

using namespace corellama;
using checkpoint::quoted;
using checkpoint::Value;
using checkpoint::ValueType;
using llvm::Error;
using llvm::StringRef;
using llvm::Twine;
using runtime::PreTokenizer;
using runtime::TextData;
using runtime::TokenIndex;
using runtime::TokenizerKind;
using runtime::TokenTexts;
using runtime::TokenType;

static constexpr StringRef kEndKeys[] = {
    "tokenizer.ggml.eos_token_id",
    "tokenizer.ggml.eot_token_id",
    "tokenizer.ggml.eom_token_id",
};
static constexpr StringRef kModelKey = "tokenizer.ggml.model";
static constexpr StringRef kConvert = "; convert the checkpoint again";
static constexpr StringRef kUseIds = "; use token ids in place of text";

namespace {
/// An array of strings: each has its length before it, of 8 bytes.
class Strings final : public TokenTexts::Source {
public:
  explicit Strings(const Value &array)
      : bytes(llvm::toStringRef(array.bytes)) {}

  std::string_view textAt(uint32_t place) const override {
    uint64_t begin = place;
    return next(begin);
  }
  /// The string at a place, which becomes that of the next one. The container
  /// has checked all of them, but a file that is mapped may have changed.
  StringRef next(uint64_t &place) const {
    const StringRef length = bytes.substr(place, 8);
    if (length.size() < 8)
      return "";
    const StringRef text =
        bytes.substr(place + 8, llvm::support::endian::read64le(length.data()));
    place += 8 + text.size();
    return text;
  }

private:
  StringRef bytes;
};

class Reader {
public:
  explicit Reader(const checkpoint::GGUF &gguf) : gguf(gguf) {}

  TextData data;

  Error readTokenizer();
  /// The ids that are known without a vocabulary.
  void readEnds();

private:
  Error refuse(StringRef key, const Twine &problem) {
    return llvm::createStringError(key + ": " + problem);
  }
  std::optional<Value> arrayOf(StringRef key, ValueType element) {
    std::optional<Value> value = gguf.find(key);
    return value && value->isArray() && value->element == element
               ? value
               : std::nullopt;
  }
  std::optional<bool> boolOf(StringRef key) {
    std::optional<Value> value = gguf.find(key);
    return value ? value->asBool() : std::nullopt;
  }
  Error readTokens();
  Error readScores();
  Error readMerges();
  Error readId(StringRef key, std::optional<int32_t> &id);
  Error readSpecialTokens(bool addsBosByDefault);

  const checkpoint::GGUF &gguf;
};
} // namespace

Error Reader::readTokens() {
  constexpr StringRef tokensKey = "tokenizer.ggml.tokens";
  constexpr StringRef typesKey = "tokenizer.ggml.token_type";
  std::optional<Value> tokens = arrayOf(tokensKey, ValueType::String);
  if (!tokens || tokens->count == 0)
    return refuse(tokensKey, "missing or empty, expected an array of strings" +
                                 kUseIds + ", or convert the checkpoint again");
  if (tokens->count > std::numeric_limits<int32_t>::max())
    return refuse(tokensKey, Twine(tokens->count) +
                                 " tokens, expected at most 2147483647" +
                                 kConvert);
  // The metadata, and so a place in it, has 32 bits.
  auto strings = std::make_shared<Strings>(*tokens);
  std::vector<uint32_t> places;
  places.reserve(tokens->count);
  uint64_t place = 0;
  for (uint64_t id = 0; id < tokens->count; ++id) {
    places.push_back(static_cast<uint32_t>(place));
    strings->next(place);
  }
  data.tokens = {std::move(strings), std::move(places)};
  data.types.assign(data.tokens.size(), TokenType::normal);
  std::optional<Value> types = gguf.find(typesKey);
  if (!types)
    return Error::success();
  const bool isInteger =
      types->isArray() && (types->element == ValueType::Int32 ||
                           types->element == ValueType::UInt32);
  const uint64_t count = isInteger ? types->count : 0;
  if (count != data.tokens.size())
    return refuse(typesKey, Twine(count) +
                                " integers, expected one for each "
                                "of " +
                                Twine(data.tokens.size()) + " tokens" +
                                kConvert);
  for (auto [id, type] : llvm::enumerate(data.types)) {
    const auto number = static_cast<int32_t>(
        llvm::support::endian::read32le(types->bytes.data() + 4 * id));
    if (number < 1 || number > 6)
      return refuse(typesKey, "token " + Twine(id) + " has type " +
                                  Twine(number) + ", expected 1 to 6" +
                                  kConvert);
    type = static_cast<TokenType>(number);
  }
  return Error::success();
}

Error Reader::readScores() {
  constexpr StringRef key = "tokenizer.ggml.scores";
  std::optional<Value> scores = arrayOf(key, ValueType::Float32);
  const uint64_t count = scores ? scores->count : 0;
  if (count != data.tokens.size())
    return refuse(key, Twine(count) +
                           " float32 numbers, expected one for each "
                           "of " +
                           Twine(data.tokens.size()) + " tokens" + kConvert);
  data.scores.reserve(count);
  for (uint64_t id = 0; id < count; ++id) {
    data.scores.push_back(llvm::bit_cast<float>(
        llvm::support::endian::read32le(scores->bytes.data() + 4 * id)));
    if (std::isnan(data.scores.back()))
      return refuse(key,
                    "that of token " + Twine(id) + " is no number" + kConvert);
  }
  return Error::success();
}

Error Reader::readMerges() {
  constexpr StringRef key = "tokenizer.ggml.merges";
  std::optional<Value> merges = gguf.find(key);
  if (!merges || !merges->isArray() ||
      (merges->element != ValueType::String && merges->count != 0))
    return refuse(key, "missing, expected an array of strings" + kUseIds +
                           ", or convert the checkpoint again");
  if (merges->count == 0)
    return Error::success();
  TokenIndex ids(data.tokens);
  auto idOf = [&](StringRef text) { return ids.find(data.tokens, text); };
  const Strings strings(*merges);
  data.merges.reserve(merges->count);
  std::string both;
  uint64_t place = 0;
  for (uint64_t rank = 0; rank < merges->count; ++rank) {
    StringRef merge = strings.next(place);
    auto bad = [&](const Twine &what) {
      return refuse(key, "entry " + Twine(rank) + " " + quoted(merge) + " " +
                             what + kConvert);
    };
    // Token texts contain no space (they write it as another character), so the
    // only space separates the two tokens. The search skips the first byte,
    // because the left token is not empty.
    const size_t space = merge.find(' ', 1);
    if (space == StringRef::npos || space + 1 == merge.size())
      return bad("is no pair, expected two tokens and a space between");
    StringRef left = merge.take_front(space), right = merge.substr(space + 1);
    both = (left + right).str();
    std::optional<int32_t> leftId = idOf(left), rightId = idOf(right),
                           result = idOf(both);
    if (!leftId || !rightId || !result)
      return bad("merges or makes what is no token, expected all three in "
                 "tokenizer.ggml.tokens");
    data.merges.push_back({*leftId, *rightId, *result});
  }
  return Error::success();
}

/// The token id that is the value of a key, if there is one.
Error Reader::readId(StringRef key, std::optional<int32_t> &id) {
  std::optional<Value> value = gguf.find(key);
  if (!value)
    return Error::success();
  std::optional<uint64_t> number = value->asUnsigned();
  if (!number || *number >= data.tokens.size())
    return refuse(key, (number ? Twine(*number) : Twine("no integer")) +
                           ", expected a token id below " +
                           Twine(data.tokens.size()) + kConvert);
  id = static_cast<int32_t>(*number);
  return Error::success();
}

Error Reader::readSpecialTokens(bool addsBosByDefault) {
  constexpr StringRef bosKey = "tokenizer.ggml.bos_token_id";
  if (Error error = readId(bosKey, data.bos))
    return error;
  std::optional<bool> asked = boolOf("tokenizer.ggml.add_bos_token");
  if (asked.value_or(false) && !data.bos)
    return refuse(bosKey, "missing, expected an id since "
                          "tokenizer.ggml.add_bos_token is true" +
                              kConvert);
  data.addsBos = data.bos && asked.value_or(addsBosByDefault);
  data.addsEos = boolOf("tokenizer.ggml.add_eos_token").value_or(false);

  for (StringRef key : kEndKeys) {
    std::optional<int32_t> id;
    if (Error error = readId(key, id))
      return error;
    if (id)
      data.ends.push_back(*id);
    if (key == kEndKeys[0])
      data.eos = id;
  }
  if (data.addsEos && !data.eos)
    return refuse(kEndKeys[0], "missing, expected an id since "
                               "tokenizer.ggml.add_eos_token is true" +
                                   kConvert);
  addEndTexts(data);
  return Error::success();
}

Error Reader::readTokenizer() {
  std::optional<Value> value = gguf.find(kModelKey);
  std::optional<StringRef> model = value ? value->asString() : std::nullopt;
  if (model != "gpt2" && model != "llama")
    return refuse(kModelKey,
                  (model ? quoted(*model) : "missing") +
                      ", expected 'gpt2' (byte-level BPE) or 'llama' "
                      "(SentencePiece)" +
                      kUseIds);
  // The section's counts have 32 bits; all of it comes from these bytes.
  if (gguf.metadata().size() > std::numeric_limits<uint32_t>::max())
    return refuse("metadata", Twine(gguf.metadata().size()) +
                                  " bytes, expected at most 4294967295" +
                                  kConvert);
  data.chatTemplate = readChatTemplate(gguf);
  if (model == "llama") {
    if (Error error = readTokens())
      return error;
    if (Error error = readScores())
      return error;
    data.addsSpace = boolOf("tokenizer.ggml.add_space_prefix").value_or(true);
    data.kind = TokenizerKind::sentencePiece;
    // A SentencePiece model is trained with BOS.
    return readSpecialTokens(/*addsBosByDefault=*/true);
  }

  // Checkpoints of before May 2024 have no name; llama.cpp takes the same.
  constexpr StringRef preKey = "tokenizer.ggml.pre";
  std::optional<Value> pre = gguf.find(preKey);
  data.preTokenizer = pre ? pre->asString().value_or("") : "default";
  std::optional<PreTokenizer::Customs> customs =
      PreTokenizer::customsOf(data.preTokenizer);
  if (!customs)
    return refuse(preKey, quoted(data.preTokenizer) + ", expected one of " +
                              PreTokenizer::names() + kUseIds);
  data.wholeWords = customs->wholeWords;
  if (Error error = readTokens())
    return error;
  if (Error error = readMerges())
    return error;
  data.kind = TokenizerKind::byteLevel;
  return readSpecialTokens(customs->addsBos);
}

void Reader::readEnds() {
  for (StringRef key : kEndKeys)
    if (std::optional<Value> value = gguf.find(key))
      if (std::optional<uint64_t> id = value->asUnsigned();
          id && *id <= std::numeric_limits<int32_t>::max())
        data.ends.push_back(static_cast<int32_t>(*id));
  addEndTexts(data); // of no tokens: it only sorts
}

std::optional<std::string_view>
corellama::readChatTemplate(const checkpoint::GGUF &gguf) {
  std::optional<Value> text = gguf.find("tokenizer.chat_template");
  return text ? text->asString() : std::nullopt;
}

TextData corellama::readText(const checkpoint::GGUF &gguf) {
  Reader reader(gguf);
  Error error = reader.readTokenizer();
  if (!error)
    return std::move(reader.data);
  Reader none(gguf);
  none.data.whyNone = llvm::toString(std::move(error));
  none.readEnds();
  return std::move(none.data);
}

bool corellama::namesTokenizer(const checkpoint::GGUF &gguf) {
  return gguf.find(kModelKey).has_value();
}
