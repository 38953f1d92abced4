//===- Tokenizer.cpp - text to token ids and back -------------------------===//
//
// Combines pre-tokenizer, merges or scores and vocabulary, and reads from the
// metadata which token starts a text and which ones end it.
//
//===----------------------------------------------------------------------===//

#include "runtime/Tokenizer/Tokenizer.h"

#include <algorithm>
#include <cstddef>
#include <limits>
#include <utility>

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
  // Checkpoints of before May 2024 have no name; llama.cpp takes the same.
  std::string_view pre =
      metadata.string("tokenizer.ggml.pre").value_or("default");
  if (auto error = PreTokenizer::create(pre).moveTo(preTokenizer))
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
                                 std::vector<int32_t> &ids, bool parseSpecial) {
  // Three bytes of SentencePiece's for each that is a space.
  constexpr size_t most = std::numeric_limits<int32_t>::max() / 4;
  if (text.size() > most)
    return Error{"text: " + std::to_string(text.size()) +
                 " bytes, expected at most " + std::to_string(most) +
                 "; shorten it"};
  const TokenMatcher &cuts = parseSpecial ? markers : userDefined;
  size_t lost = 0, from = 0;
  auto encodeUntil = [&](size_t end) {
    size_t left = 0;
    auto error = encodePiece(text.substr(from, end - from), ids).moveTo(left);
    lost += left;
    return error;
  };
  for (size_t at = 0; at < text.size();) {
    const TokenMatcher::Entry *token = cuts.longestAt(text.substr(at));
    if (!token) {
      ++at;
      continue;
    }
    const size_t end = at + token->text.size();
    // SentencePiece finds these itself and adds no space behind them.
    if (!pieces || vocabulary.type(token->id) != TokenType::userDefined) {
      if (auto error = encodeUntil(at))
        return *error;
      ids.push_back(token->id);
      from = end;
    }
    at = end;
  }
  if (auto error = encodeUntil(text.size()))
    return *error;
  return lost;
}

Result<size_t> Tokenizer::encodeWithBos(std::string_view text,
                                        std::vector<int32_t> &ids,
                                        bool parseSpecial) {
  const size_t start = ids.size();
  auto lost = encode(text, ids, parseSpecial);
  if (bos && (ids.size() == start || ids[start] != *bos))
    ids.insert(ids.begin() + static_cast<ptrdiff_t>(start), *bos);
  return lost;
}

/// Text between markers.
Result<size_t> Tokenizer::encodePiece(std::string_view text,
                                      std::vector<int32_t> &ids) {
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
  return vocabulary.contains(id) && !vocabulary.isSpelled(id) &&
         !vocabulary.text(id).empty();
}

std::string_view Tokenizer::textOf(int64_t id) const {
  return vocabulary.contains(id) ? vocabulary.text(static_cast<int32_t>(id))
                                 : std::string_view();
}

/// Markers are written as the text itself, not in the vocabulary's spelling.
void Tokenizer::indexMarkers() {
  std::vector<TokenMatcher::Entry> all, users;
  for (size_t i = 0; i < vocabulary.size(); ++i) {
    const auto id = static_cast<int32_t>(i);
    if (!isMarker(id))
      continue;
    all.push_back({std::string(textOf(id)), id});
    if (!pieces && vocabulary.type(id) == TokenType::userDefined)
      users.push_back(all.back());
  }
  markers = TokenMatcher(std::move(all));
  userDefined = TokenMatcher(std::move(users));
}

std::optional<int32_t> Tokenizer::markerAt(std::string_view text) const {
  const TokenMatcher::Entry *marker = markers.longestAt(text);
  return marker ? std::optional(marker->id) : std::nullopt;
}

bool Tokenizer::endsGeneration(int32_t id) const {
  return std::binary_search(ends.begin(), ends.end(), id);
}
