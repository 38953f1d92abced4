//===- Tokenizer.cpp - text to token ids and back -------------------------===//
//
// Combines pre-tokenizer, merges or scores and vocabulary.
//
//===----------------------------------------------------------------------===//

#include "runtime/Tokenizer/Tokenizer.h"

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <limits>
#include <utility>

using namespace corellama::runtime;

std::string corellama::runtime::lostBytesNote(size_t bytes) {
  return std::to_string(bytes) +
         (bytes == 1 ? " byte of the text has" : " bytes of the text have") +
         " no token in this model's vocabulary and " +
         (bytes == 1 ? "was" : "were") + " left out";
}

Result<std::vector<int32_t>>
corellama::runtime::parseIds(std::string_view text) {
  constexpr std::string_view kSpaces = " \t\n\v\f\r";
  auto skipSpaces = [&] {
    text.remove_prefix(std::min(text.find_first_not_of(kSpaces), text.size()));
  };
  std::vector<int32_t> ids;
  for (skipSpaces(); !text.empty(); skipSpaces()) {
    if (!ids.empty() && text.front() == ',') {
      text.remove_prefix(1);
      skipSpaces();
    }
    const std::string_view word =
        text.substr(0, text.find_first_of(", \t\n\v\f\r"));
    uint32_t id = 0;
    auto [end, error] =
        std::from_chars(word.data(), word.data() + word.size(), id);
    if (error != std::errc() || end != word.data() + word.size() ||
        id > uint32_t(std::numeric_limits<int32_t>::max()))
      return Error{"id " + std::to_string(ids.size() + 1) + " is " +
                   quoted(word)};
    ids.push_back(static_cast<int32_t>(id));
    text.remove_prefix(word.size());
  }
  return ids;
}

Result<Tokenizer> Tokenizer::create(TextData data) {
  if (data.kind == TokenizerKind::none)
    return Error{data.whyNone};
  Tokenizer tokenizer;
  Vocabulary &vocabulary = tokenizer.vocabulary;
  vocabulary =
      Vocabulary(data.kind, std::move(data.tokens), std::move(data.types));
  if (data.kind == TokenizerKind::sentencePiece) {
    tokenizer.pieces.emplace(std::move(data.scores), data.addsSpace,
                             vocabulary);
  } else {
    if (auto error = PreTokenizer::create(data.preTokenizer)
                         .moveTo(tokenizer.preTokenizer))
      return *error;
    tokenizer.bpe = BPE(std::move(data.merges), vocabulary, data.wholeWords);
  }
  tokenizer.indexMarkers();
  tokenizer.bosId = data.bos;
  tokenizer.eosId = data.eos;
  tokenizer.addsBos = data.addsBos;
  tokenizer.addsEos = data.addsEos;
  tokenizer.source = data.chatTemplate;
  return tokenizer;
}

Result<size_t> Tokenizer::encode(std::string_view text,
                                 std::vector<int32_t> &ids,
                                 EncodeSettings settings) {
  // Three bytes of SentencePiece's for each that is a space.
  constexpr size_t most = std::numeric_limits<int32_t>::max() / 4;
  if (text.size() > most)
    return Error{"text: " + std::to_string(text.size()) +
                 " bytes, expected at most " + std::to_string(most) +
                 "; shorten it"};
  const TokenMatcher &cuts = settings.parseSpecial ? markers : userDefined;
  size_t lost = 0, from = 0;
  auto encodeUntil = [&](size_t end) {
    size_t left = 0;
    auto error = encodePiece(text.substr(from, end - from), ids,
                             settings.continues && from == 0)
                     .moveTo(left);
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

Tokenizer::Frame Tokenizer::frameOf(std::span<const int32_t> ids) const {
  Frame frame;
  if (addsBos && (ids.empty() || ids.front() != bosId))
    frame.bos = bosId;
  if (addsEos && (ids.empty() || ids.back() != eosId))
    frame.eos = eosId;
  return frame;
}

Result<size_t> Tokenizer::encodeSequence(std::string_view text,
                                         std::vector<int32_t> &ids,
                                         bool parseSpecial) {
  const size_t start = ids.size();
  auto lost = encode(text, ids, {.parseSpecial = parseSpecial});
  const Frame frame = frameOf(std::span(ids).subspan(start));
  if (frame.bos)
    ids.insert(ids.begin() + static_cast<ptrdiff_t>(start), *frame.bos);
  if (frame.eos)
    ids.push_back(*frame.eos);
  return lost;
}

/// Text between markers.
Result<size_t> Tokenizer::encodePiece(std::string_view text,
                                      std::vector<int32_t> &ids,
                                      bool continues) {
  if (pieces)
    return pieces->encode(text, vocabulary, ids, continues);
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
