//===- Tokenizer.cpp - text to token ids and back -------------------------===//
//
// Combines pre-tokenizer, merges or scores and vocabulary, and reads from the
// metadata which token starts a text and which ones end it.
//
//===----------------------------------------------------------------------===//

#include "runtime/Tokenizer/Tokenizer.h"

#include <algorithm>
#include <limits>

using namespace corellama::runtime;

/// Texts of tokens that end a sequence or a turn in the supported model
/// families. Many checkpoints name only one of them by id (in a chat model
/// <|im_end|> ends a turn and <|endoftext|> a document).
constexpr std::string_view endTexts[] = {
    "<|im_end|>", "<|endoftext|>", "<|end_of_text|>", "<|eot_id|>",
    "<|eom_id|>", "<|end|>",       "<|eot|>",         "</s>",
};

constexpr std::string_view endKeys[] = {
    "tokenizer.ggml.eos_token_id",
    "tokenizer.ggml.eot_token_id",
    "tokenizer.ggml.eom_token_id",
};

/// The token id that is the value of a key, if there is one.
static Result<std::optional<int32_t>> readId(const Metadata &metadata,
                                             std::string_view key,
                                             const Vocabulary &vocabulary) {
  if (!metadata.has(key))
    return std::optional<int32_t>();
  std::optional<int64_t> id = metadata.integer(key);
  if (!id || !vocabulary.contains(*id))
    return Error{std::string(key) + ": " +
                 (id ? std::to_string(*id) : std::string("no integer")) +
                 ", expected a token id below " +
                 std::to_string(vocabulary.size()) +
                 "; convert the checkpoint again"};
  return std::optional<int32_t>(static_cast<int32_t>(*id));
}

Result<Tokenizer> Tokenizer::create(const Metadata &metadata) {
  constexpr std::string_view expected = ", expected 'gpt2' (byte-level BPE) or "
                                        "'llama' (SentencePiece); use token "
                                        "ids in place of text";
  std::optional<std::string_view> model =
      metadata.string("tokenizer.ggml.model");
  if (!model || (*model != "gpt2" && *model != "llama"))
    return Error{"tokenizer.ggml.model: " +
                 (model ? quoted(*model) : std::string("missing")) +
                 std::string(expected)};
  Tokenizer tokenizer;
  if (*model == "gpt2") {
    if (auto error = tokenizer.readBytePairs(metadata))
      return *error;
  } else {
    if (auto error = Vocabulary::create(metadata, Spelling::sentencePiece)
                         .moveTo(tokenizer.vocabulary))
      return *error;
    if (auto error = SentencePiece::create(metadata, tokenizer.vocabulary)
                         .moveTo(tokenizer.pieces.emplace()))
      return *error;
  }
  tokenizer.indexMarkers();
  if (auto error = tokenizer.readSpecialTokens(metadata))
    return *error;
  return tokenizer;
}

std::optional<Error> Tokenizer::readBytePairs(const Metadata &metadata) {
  std::optional<std::string_view> pre = metadata.string("tokenizer.ggml.pre");
  if (!pre)
    return Error{"tokenizer.ggml.pre: missing, expected one of " +
                 PreTokenizer::names() +
                 "; use token ids in place of text, or convert the checkpoint "
                 "again with a newer converter"};
  if (auto error = PreTokenizer::create(*pre).moveTo(preTokenizer))
    return error;
  if (auto error =
          Vocabulary::create(metadata, Spelling::byteLevel).moveTo(vocabulary))
    return error;
  return BPE::create(metadata, vocabulary, preTokenizer.wholeWords())
      .moveTo(bpe);
}

std::optional<Error> Tokenizer::readSpecialTokens(const Metadata &metadata) {
  constexpr std::string_view bosKey = "tokenizer.ggml.bos_token_id";
  Result<std::optional<int32_t>> first = readId(metadata, bosKey, vocabulary);
  if (!first)
    return Error{first.error()};
  std::optional<bool> asked = metadata.boolean("tokenizer.ggml.add_bos_token");
  if (asked.value_or(false) && !*first)
    return Error{std::string(bosKey) + ": missing, expected an id since "
                                       "tokenizer.ggml.add_bos_token is true; "
                                       "convert the checkpoint again"};
  // A SentencePiece model is trained with one.
  if (asked.value_or(pieces ? true : preTokenizer.addsBos()))
    bos = *first;

  for (std::string_view key : endKeys) {
    Result<std::optional<int32_t>> id = readId(metadata, key, vocabulary);
    if (!id)
      return Error{id.error()};
    if (*id)
      ends.push_back(**id);
  }
  for (std::string_view text : endTexts)
    // A normal token may occur in a text, so it ends nothing.
    if (std::optional<int32_t> id = vocabulary.find(text);
        id && vocabulary.type(*id) != TokenType::normal)
      ends.push_back(*id);
  std::sort(ends.begin(), ends.end());
  ends.erase(std::unique(ends.begin(), ends.end()), ends.end());
  return std::nullopt;
}

Result<size_t> Tokenizer::encode(std::string_view text,
                                 std::vector<int32_t> &ids) {
  // Three bytes of SentencePiece's for each that is a space.
  constexpr size_t most = std::numeric_limits<int32_t>::max() / 4;
  if (text.size() > most)
    return Error{"text: " + std::to_string(text.size()) +
                 " bytes, expected at most " + std::to_string(most) +
                 "; shorten it"};
  if (pieces)
    return pieces->encode(text, vocabulary, ids);
  std::vector<std::string_view> words;
  if (std::optional<Error> error = preTokenizer.split(text, words))
    return *error;
  size_t lost = 0;
  for (std::string_view word : words)
    lost += bpe.encode(word, vocabulary, ids);
  return lost;
}

void Tokenizer::decode(int32_t id, std::string &text) const {
  if (vocabulary.contains(id) && vocabulary.isText(id))
    vocabulary.appendBytes(id, text);
}

bool Tokenizer::isMarker(int32_t id) const {
  return vocabulary.contains(id) &&
         (vocabulary.type(id) == TokenType::control ||
          vocabulary.type(id) == TokenType::userDefined) &&
         !vocabulary.text(id).empty();
}

std::string_view Tokenizer::textOf(int64_t id) const {
  return vocabulary.contains(id) ? vocabulary.text(static_cast<int32_t>(id))
                                 : std::string_view();
}

/// Markers are ASCII in all vocabularies known, where both spellings are the
/// text itself.
void Tokenizer::indexMarkers() {
  for (size_t id = 0; id < vocabulary.size(); ++id)
    if (isMarker(static_cast<int32_t>(id)))
      markers[static_cast<uint8_t>(textOf(id)[0])].push_back(
          static_cast<int32_t>(id));
  for (std::vector<int32_t> &some : markers)
    std::sort(some.begin(), some.end(), [&](int32_t a, int32_t b) {
      return std::pair(textOf(b).size(), a) < std::pair(textOf(a).size(), b);
    });
}

std::optional<int32_t> Tokenizer::markerAt(std::string_view text) const {
  for (int32_t id : markers[static_cast<uint8_t>(text[0])])
    if (text.starts_with(textOf(id)))
      return id;
  return std::nullopt;
}

bool Tokenizer::endsGeneration(int32_t id) const {
  return std::binary_search(ends.begin(), ends.end(), id);
}
