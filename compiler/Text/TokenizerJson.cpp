//===- TokenizerJson.cpp - a tokenizer.json file --------------------------===//
//
// See TokenizerJson.h. What the keys mean is what the crate `tokenizers` does
// with them (its src/models/bpe, normalizers, pre_tokenizers and processors).
//
//===----------------------------------------------------------------------===//

#include "compiler/Text/TokenizerJson.h"
#include "compiler/Checkpoint/Refusal.h"
#include "runtime/Tokenizer/TokenIndex.h"
#include "runtime/Tokenizer/Utf8.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/Twine.h"
#include "llvm/Support/Endian.h"
#include <algorithm>
#include <limits>
#include <memory>
#include <utility>
#include <vector>

using namespace corellama;
using checkpoint::JsonValue;
using checkpoint::quoted;
using llvm::Error;
using llvm::Expected;
using llvm::StringRef;
using llvm::Twine;
using runtime::TextData;
using runtime::TokenIndex;
using runtime::TokenizerKind;
using runtime::TokenTexts;
using runtime::TokenType;

static constexpr StringRef kUseIds =
    "; use token ids in place of text, or compile --tokenizer=tokenizer.model";
/// How SentencePiece writes a space.
static constexpr StringRef kSpace = "\xE2\x96\x81";

#define SUFFIXES "(?i:'s|'t|'re|'ve|'m|'ll|'d)"
#define BEFORE "[^\\r\\n\\p{L}\\p{N}]?"
#define SPACES "|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+"
#define GPT4(DIGITS)                                                           \
  SUFFIXES "|" BEFORE "\\p{L}+|" DIGITS "| "                                   \
           "?[^\\s\\p{L}\\p{N}]+[\\r\\n]*" SPACES
#define UPPER "[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]"
#define LOWER "[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]"
#define CASES(AFTER, DIGITS)                                                   \
  BEFORE UPPER "*" LOWER "+" AFTER "|" BEFORE UPPER "+" LOWER "*" AFTER        \
               "|" DIGITS "| ?[^\\s\\p{L}\\p{N}]+[\\r\\n/]*" SPACES

/// Pre-tokenizers as stepsOf writes them, and the runtime's name of the same.
static constexpr std::pair<StringRef, StringRef> kPreTokenizers[] = {
    {"ByteLevel+regex", "gpt-2"},
    {"Digits\nByteLevel+regex", "smollm"},
    {GPT4("\\p{N}{1,3}") "\nByteLevel", "llama-bpe"},
    {GPT4("\\p{N}") "\nByteLevel", "qwen2"},
    {CASES(SUFFIXES "?", "\\p{N}{1,3}") "\nByteLevel", "gpt-4o"},
    {CASES("", "\\p{N}") "\nByteLevel", "tekken"},
};

static Error refuse(const Twine &key, const Twine &problem) {
  return llvm::createStringError("tokenizer.json: " + key + ": " + problem +
                                 kUseIds);
}

/// The value of a key; nothing where it is missing or null, or the object is.
static std::optional<JsonValue> find(std::optional<JsonValue> object,
                                     StringRef key) {
  auto value = object ? object->find(key) : std::nullopt;
  return value && !value->isNull() ? value : std::nullopt;
}
static StringRef textOf(std::optional<JsonValue> object, StringRef key) {
  auto value = find(object, key);
  return value ? value->asString().value_or("") : "";
}
static bool isTrue(std::optional<JsonValue> object, StringRef key,
                   bool fallback = false) {
  auto value = find(object, key);
  return value ? value->asBool().value_or(false) : fallback;
}
/// The steps of a sequence, or the only one; none where there is none. More
/// than so many are not known either.
static std::vector<JsonValue> sequenceOf(std::optional<JsonValue> step,
                                         StringRef key) {
  if (!step)
    return {};
  if (textOf(step, "type") != "Sequence")
    return {*step};
  auto steps = find(step, key);
  constexpr size_t kMostSteps = 64;
  return steps ? steps->first(kMostSteps) : std::vector<JsonValue>();
}

namespace {
/// Texts by where they begin in the file; those that have escapes by where they
/// are in `decoded`, behind their lengths.
class JsonTexts final : public TokenTexts::Source {
public:
  /// The bit of a place in `decoded`; files and what is decoded are smaller.
  static constexpr uint32_t kDecoded = uint32_t(1) << 31;

  explicit JsonTexts(StringRef file) : file(file) {}

  std::string_view textAt(uint32_t place) const override {
    if (!(place & kDecoded))
      return file.slice(place, file.find('"', place));
    const StringRef from = StringRef(decoded).substr(place & ~kDecoded);
    return from.size() < 4
               ? StringRef()
               : from.substr(4, llvm::support::endian::read32le(from.data()));
  }
  /// What a string takes in `decoded`, at most.
  static size_t decodedBytes(JsonValue string) {
    const StringRef raw = string.rawString().value_or("");
    return raw.contains('\\') ? raw.size() + 4 : 0;
  }
  void reserve(size_t bytes) { decoded.reserve(bytes); }
  /// The place of a string that means `text`.
  uint32_t add(JsonValue string, StringRef text) {
    std::optional<StringRef> raw = string.rawString();
    if (!raw) // the file was written to
      return TokenTexts::kNowhere;
    if (!raw->contains('\\'))
      return static_cast<uint32_t>(raw->data() - file.data());
    const auto place = static_cast<uint32_t>(decoded.size());
    decoded.resize(place + 4);
    decoded += text;
    llvm::support::endian::write32le(&decoded[place],
                                     static_cast<uint32_t>(text.size()));
    return place | kDecoded;
  }

private:
  StringRef file;
  std::string decoded;
};

class Reader {
public:
  explicit Reader(JsonValue root) : root(root), model(find(root, "model")) {}
  Expected<TextData> run();

private:
  Error readModel();
  Error readTokens();
  Error readMerges();
  Error readByteLevel();
  Error readSentencePiece();
  Error checkSpaces();
  Error scorePieces();
  Error readFrame();

  std::optional<int32_t> idOf(StringRef text) const {
    return ids.find(data.tokens, text);
  }

  JsonValue root;
  std::optional<JsonValue> model;
  TextData data;
  TokenIndex ids; ///< when the tokens are known
  std::vector<TextData::Merge> merges;
};
} // namespace

Error Reader::readModel() {
  if (!root.isObject() || !model || !model->isObject())
    return refuse("model", "missing, expected an object");
  StringRef type = textOf(model, "type");
  if (type != "BPE" && (!type.empty() || !find(model, "merges")))
    return refuse("model.type", quoted(type) + ", expected 'BPE'");
  auto dropout = find(model, "dropout");
  if (dropout && dropout->asNumber() != 0)
    return refuse("model.dropout", dropout->describe() + ", expected null");
  for (StringRef key : {"continuing_subword_prefix", "end_of_word_suffix"})
    if (auto value = find(model, key); value && value->asString() != "")
      return refuse("model." + key, value->describe() + ", expected null");
  return Error::success();
}

Error Reader::readTokens() {
  auto vocab = find(model, "vocab"), added = find(root, "added_tokens");
  if (!vocab || !vocab->isObject())
    return refuse("model.vocab", "missing, expected an object of ids");
  const JsonValue extras = added.value_or(*vocab); // which has no elements
  auto texts = std::make_shared<JsonTexts>(root.file());
  size_t entries = vocab->count(), decodedBytes = 0;
  for (const auto &[text, id] : vocab->members())
    decodedBytes += JsonTexts::decodedBytes(text);
  for (JsonValue token : extras.elements()) {
    entries += find(token, "id").has_value();
    if (auto content = find(token, "content"))
      decodedBytes += JsonTexts::decodedBytes(*content);
  }
  // A string that grows would take twice the memory for a moment.
  texts->reserve(decodedBytes);
  // Ids may have holes, which get tokens without a text; 65536 are enough.
  const size_t most =
      std::min<size_t>(entries + 65536, std::numeric_limits<int32_t>::max());
  size_t size = 0;
  auto makeRoom = [&](std::optional<JsonValue> id) {
    std::optional<uint64_t> number = id ? id->asUnsigned() : std::nullopt;
    if (number && *number < most)
      size = std::max<size_t>(size, *number + 1);
  };
  for (const auto &[text, id] : vocab->members())
    makeRoom(id);
  for (JsonValue token : extras.elements())
    makeRoom(find(token, "id"));
  std::vector<uint32_t> places(size, TokenTexts::kNowhere);
  data.types.resize(size, TokenType::unused);
  auto refuseSame = [](StringRef text) {
    return refuse("token " + quoted(text),
                  "shares its id or text with another, expected one each");
  };
  std::string decoded;
  auto put = [&](JsonValue id, JsonValue string, TokenType type) -> Error {
    const StringRef text = string.readString(decoded).value_or("");
    std::optional<uint64_t> number = id.asUnsigned();
    if (!number || *number >= size)
      return refuse("token " + quoted(text), "has the id " + id.describe() +
                                                 ", expected one below " +
                                                 Twine(most));
    // An added token may be in the vocabulary as well.
    uint32_t &place = places[*number];
    if (place == TokenTexts::kNowhere)
      place = texts->add(string, text);
    else if (StringRef(texts->textAt(place)) != text)
      return refuseSame(text);
    data.types[*number] = type;
    return Error::success();
  };
  for (const auto &[text, id] : vocab->members())
    if (Error error = put(id, text, TokenType::normal))
      return error;
  for (JsonValue token : extras.elements()) {
    auto id = find(token, "id"), content = find(token, "content");
    std::optional<StringRef> text =
        content ? content->readString(decoded) : std::nullopt;
    if (!id || !text)
      return refuse("added_tokens", "one has no id or content, expected both");
    for (StringRef key : {"lstrip", "rstrip", "single_word"})
      if (isTrue(token, key))
        return refuse("added token " + quoted(*text),
                      key + " is true, expected false");
    if (Error error = put(*id, *content,
                          isTrue(token, "special") ? TokenType::control
                                                   : TokenType::userDefined))
      return error;
  }
  data.tokens = {std::move(texts), std::move(places)};
  ids = TokenIndex(data.tokens);
  // The index finds the last of equal texts.
  for (const auto &[id, text] : llvm::enumerate(data.tokens))
    if (!text.empty() && idOf(text) != static_cast<int32_t>(id))
      return refuseSame(text);
  if (data.tokens.empty())
    return refuse("model.vocab", "has no tokens, expected some");
  return Error::success();
}

Error Reader::readMerges() {
  auto list = find(model, "merges");
  if (!list || !list->isArray())
    return refuse("model.merges", "missing, expected a list of pairs");
  merges.reserve(list->count());
  // What strings mean that have escapes, and the text of both tokens.
  std::string first, second, both;
  for (JsonValue merge : list->elements()) {
    StringRef left, right;
    // A pair, or until tokenizers 0.20 a text with a space between.
    if (std::optional<StringRef> text = merge.readString(first)) {
      std::tie(left, right) = text->split(' ');
    } else if (auto pair = merge.first(3); pair.size() == 2) {
      left = pair[0].readString(first).value_or("");
      right = pair[1].readString(second).value_or("");
    }
    both = (left + right).str();
    std::optional<int32_t> leftId = idOf(left), rightId = idOf(right),
                           result = idOf(both);
    if (!leftId || !rightId || !result)
      return refuse("model.merges", "entry " + Twine(merges.size()) +
                                        " merges or makes what is no token, "
                                        "expected all three in model.vocab");
    merges.push_back({*leftId, *rightId, *result});
  }
  return Error::success();
}

/// A step for each line, as kPreTokenizers has them.
static std::string stepsOf(std::optional<JsonValue> preTokenizer) {
  std::vector<std::string> steps;
  for (JsonValue step : sequenceOf(preTokenizer, "pretokenizers")) {
    StringRef type = textOf(step, "type");
    const StringRef regex = textOf(find(step, "pattern"), "Regex");
    if (type == "Split" && textOf(step, "behavior") == "Isolated" &&
        !isTrue(step, "invert") && !regex.empty())
      steps.push_back(regex.str());
    else if (type == "Digits" && isTrue(step, "individual_digits"))
      steps.push_back("Digits");
    else if (type == "ByteLevel" && !isTrue(step, "add_prefix_space", true))
      steps.push_back(isTrue(step, "use_regex", true) ? "ByteLevel+regex"
                                                      : "ByteLevel");
    else
      steps.push_back("another " + type.str());
  }
  return llvm::join(steps, "\n");
}

Error Reader::readByteLevel() {
  if (auto normalizer = find(root, "normalizer"))
    return refuse("normalizer",
                  quoted(textOf(normalizer, "type")) + ", expected none");
  const std::string steps = stepsOf(find(root, "pre_tokenizer"));
  const auto *known = llvm::find_if(
      kPreTokenizers, [&](const auto &row) { return row.first == steps; });
  if (known == std::end(kPreTokenizers)) {
    std::string names;
    for (const auto &[text, name] : kPreTokenizers)
      names += (names.empty() ? "" : ", ") + name.str();
    return refuse("pre_tokenizer",
                  quoted(steps) + ", expected that of " + names);
  }
  data.kind = TokenizerKind::byteLevel;
  data.preTokenizer = known->second;
  data.wholeWords = isTrue(model, "ignore_merges");
  data.merges = std::move(merges);
  return Error::success();
}

/// That spaces become what SentencePiece writes, and no more.
Error Reader::checkSpaces() {
  for (JsonValue step : sequenceOf(find(root, "normalizer"), "normalizers")) {
    if (textOf(step, "type") == "Prepend" &&
        textOf(step, "prepend") == kSpace && !data.addsSpace)
      data.addsSpace = true;
    else if (textOf(step, "type") != "Replace" ||
             textOf(find(step, "pattern"), "String") != " " ||
             textOf(step, "content") != kSpace)
      return refuse("normalizer", quoted(textOf(step, "type")) +
                                      ", expected that spaces are replaced");
  }
  auto pre = find(root, "pre_tokenizer");
  // Other schemes add a space unless there is one, which SentencePiece does
  // not.
  if (pre &&
      (textOf(pre, "type") != "Metaspace" ||
       textOf(pre, "replacement") != kSpace || isTrue(pre, "split", true) ||
       textOf(pre, "prepend_scheme") != "never"))
    return refuse("pre_tokenizer",
                  quoted(textOf(pre, "type")) +
                      (pre->find("prepend_scheme")
                           ? " with prepend_scheme " +
                                 quoted(textOf(pre, "prepend_scheme"))
                           : std::string()) +
                      ", expected none or Metaspace that adds and splits "
                      "nothing");
  if (!pre && !find(root, "normalizer"))
    return refuse("normalizer", "missing, expected that spaces are replaced");
  return Error::success();
}

/// SentencePiece merges any two pieces that make one, the best score first; so
/// the file's merges have to be all of these, those that make the same piece
/// beside each other. Where two such merges overlap in a text, SentencePiece
/// takes the one on the left.
Error Reader::scorePieces() {
  data.scores.assign(data.tokens.size(), 0);
  int32_t before = -1;
  float score = 0;
  std::vector<bool> seen(data.tokens.size());
  for (const TextData::Merge &merge : merges) {
    if (data.types[merge.result] != TokenType::normal)
      continue;
    if (merge.result != before && seen[merge.result])
      return refuse("model.merges",
                    "those of " + quoted(data.tokens[merge.result]) +
                        " are not beside each other, expected the merges of a "
                        "SentencePiece model");
    seen[merge.result] = true;
    score -= merge.result != before;
    before = merge.result;
    data.scores[merge.result] = score;
  }
  // Their order has no further use.
  auto pairOf = [](const TextData::Merge &merge) {
    return std::pair(merge.left, merge.right);
  };
  std::ranges::sort(merges, {}, pairOf);
  for (size_t id = 0; id < data.tokens.size(); ++id) {
    if (data.types[id] != TokenType::normal)
      continue;
    const std::string_view text = data.tokens[id];
    // The time is the square of a piece's length: SentencePiece's are short,
    // the longest of Llama and Gemma have 16 and 31 characters.
    constexpr size_t kLongest = 256;
    if (text.size() > kLongest)
      return refuse("token " + Twine(id), "has " + Twine(text.size()) +
                                              " bytes, expected at most " +
                                              Twine(kLongest));
    for (size_t at = 0; at < text.size();) {
      const size_t size = runtime::readUtf8(text.substr(at)).bytes;
      std::optional<int32_t> left = idOf(text.substr(0, at)),
                             right = idOf(text.substr(at));
      if (!idOf(text.substr(at, size)) ||
          (at != 0 && left && right &&
           !std::ranges::binary_search(merges, std::pair(*left, *right), {},
                                       pairOf)))
        return refuse("model.merges",
                      "lack one that makes " + quoted(text) +
                          ", expected the merges of a SentencePiece model");
      at += size;
    }
  }
  return Error::success();
}

Error Reader::readSentencePiece() {
  if (!isTrue(model, "byte_fallback"))
    return refuse("pre_tokenizer", "is not ByteLevel, expected it, or "
                                   "byte_fallback as SentencePiece has it");
  if (Error error = checkSpaces())
    return error;
  for (unsigned byte = 0; byte < 256; ++byte) {
    const std::string text = "<0x" + llvm::utohexstr(byte, false, 2) + ">";
    std::optional<int32_t> id = idOf(text);
    if (!id)
      return refuse("model.vocab", "has no " + text + ", expected all bytes");
    data.types[*id] = TokenType::byte;
  }
  if (std::optional<int32_t> id = idOf(textOf(model, "unk_token")))
    data.types[*id] = TokenType::unknown;
  for (auto [id, type] : llvm::enumerate(data.types))
    // A space is added behind it there, and not by SentencePiece.
    if (type == TokenType::userDefined)
      return refuse("added token " + quoted(data.tokens[id]),
                    "is not special, expected special ones beside a "
                    "SentencePiece model");
  data.kind = TokenizerKind::sentencePiece;
  return scorePieces();
}

/// What is put around a text.
Error Reader::readFrame() {
  for (JsonValue step :
       sequenceOf(find(root, "post_processor"), "processors")) {
    StringRef type = textOf(step, "type");
    if (type == "ByteLevel") // of offsets
      continue;
    if (type != "TemplateProcessing")
      return refuse("post_processor",
                    quoted(type) + ", expected TemplateProcessing");
    auto tokens = find(step, "special_tokens"), parts = find(step, "single");
    bool isBehind = false;
    if (!parts)
      continue;
    for (JsonValue part : parts->elements()) {
      if (find(part, "Sequence")) {
        isBehind = true;
        continue;
      }
      auto list =
          find(find(tokens, textOf(find(part, "SpecialToken"), "id")), "ids");
      std::vector<JsonValue> all =
          list ? list->first(2) : std::vector<JsonValue>();
      std::optional<uint64_t> id =
          all.size() == 1 ? all[0].asUnsigned() : std::nullopt;
      bool &adds = isBehind ? data.addsEos : data.addsBos;
      if (!id || *id >= data.tokens.size() || adds)
        return refuse("post_processor",
                      "adds other than one token on a side of a text, "
                      "expected one that is in model.vocab");
      (isBehind ? data.eos : data.bos) = static_cast<int32_t>(*id);
      adds = true;
    }
  }
  return Error::success();
}

Expected<TextData> Reader::run() {
  if (Error error = readModel())
    return error;
  if (Error error = readTokens())
    return error;
  if (Error error = readMerges())
    return error;
  const bool isByteLevel = llvm::any_of(
      sequenceOf(find(root, "pre_tokenizer"), "pretokenizers"),
      [](JsonValue step) { return textOf(step, "type") == "ByteLevel"; });
  if (Error error = isByteLevel ? readByteLevel() : readSentencePiece())
    return error;
  if (Error error = readFrame())
    return error;
  return std::move(data);
}

Expected<TextData> corellama::readTokenizerJson(JsonValue root) {
  return Reader(root).run();
}
