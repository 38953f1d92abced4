//===- SentencePiece.cpp - text to pieces by score ------------------------===//
//
// See SentencePiece.h. A queue of pairs over a linked list takes n log n steps.
// SentencePiece's model_interface.cc and bpe_model.cc define what is done here
// and in which order; the code shares nothing with them.
//
//===----------------------------------------------------------------------===//

#include "runtime/Tokenizer/SentencePiece.h"

#include "runtime/Tokenizer/Utf8.h"

#include <algorithm>

using namespace corellama::runtime;

/// Appends text as pieces spell it.
static void appendSpelled(std::string_view text, std::string &written) {
  for (char byte : text)
    if (byte == ' ')
      written += Vocabulary::kSpace;
    else
      written += byte;
}

SentencePiece::SentencePiece(std::vector<float> allScores, bool addsSpace,
                             const Vocabulary &vocabulary)
    : scores(std::move(allScores)), addsSpace(addsSpace) {
  std::vector<TokenMatcher::Entry> users;
  for (size_t i = 0; i < vocabulary.size(); ++i) {
    const auto id = static_cast<int32_t>(i);
    const std::string_view text = vocabulary.text(id);
    if (vocabulary.type(id) == TokenType::unknown && !unknown)
      unknown = id;
    if (!vocabulary.isPiece(id) || text.empty())
      continue;
    longest = std::max(longest, text.size());
    if (vocabulary.type(id) == TokenType::userDefined)
      appendSpelled(text, users.emplace_back("", id).text);
  }
  userDefined = TokenMatcher(std::move(users));
}

bool SentencePiece::later(const Pair &a, const Pair &b) {
  return a.score != b.score ? a.score < b.score : a.left > b.left;
}

/// `written` as tokens of the user's, characters, and bytes that are in none.
void SentencePiece::split() {
  symbols.clear();
  const std::string_view all = written;
  for (size_t begin = 0; begin < all.size();) {
    const std::string_view rest = all.substr(begin);
    const TokenMatcher::Entry *token = userDefined.longestAt(rest);
    size_t size = 1;
    if (token)
      size = token->text.size();
    else if (Utf8Head head = readUtf8(rest); head.kind == Utf8Head::whole)
      size = head.bytes;
    const auto position = static_cast<int32_t>(symbols.size());
    symbols.push_back({static_cast<uint32_t>(begin),
                       static_cast<uint32_t>(size), position - 1, position + 1,
                       token ? token->id : -1});
    begin += size;
  }
  symbols.back().next = -1;
}

/// Queues two neighbours if they make a piece.
void SentencePiece::offer(int32_t left, int32_t right,
                          const Vocabulary &vocabulary) {
  if (left < 0 || right < 0 || symbols[left].whole >= 0 ||
      symbols[right].whole >= 0)
    return;
  const Symbol both = {symbols[left].begin,
                       symbols[left].size + symbols[right].size, -1, -1, -1};
  if (both.size > longest)
    return;
  const std::string_view piece = pieceOf(both);
  std::optional<int32_t> id = vocabulary.find(piece);
  if (!id || !vocabulary.isPiece(*id))
    return;
  queue.push_back({scores[*id], left, right, both.size});
  std::push_heap(queue.begin(), queue.end(), later);
  if (vocabulary.type(*id) == TokenType::unused)
    joinedFrom[piece] = {pieceOf(symbols[left]), pieceOf(symbols[right])};
}

void SentencePiece::join(const Vocabulary &vocabulary) {
  queue.clear();
  joinedFrom.clear();
  for (size_t i = 1; i < symbols.size(); ++i)
    offer(static_cast<int32_t>(i) - 1, static_cast<int32_t>(i), vocabulary);
  while (!queue.empty()) {
    std::pop_heap(queue.begin(), queue.end(), later);
    const Pair best = queue.back();
    queue.pop_back();
    Symbol &left = symbols[best.left], &right = symbols[best.right];
    if (left.size == 0 || right.size == 0 ||
        left.size + right.size != best.size)
      continue;
    left.size = best.size;
    left.next = right.next;
    right.size = 0;
    if (left.next >= 0)
      symbols[left.next].previous = best.left;
    offer(left.previous, best.left, vocabulary);
    offer(best.left, left.next, vocabulary);
  }
}

/// Appends the id of a piece, of what it was joined from if it is unused, or of
/// its bytes. Returns the number of bytes without a token.
size_t SentencePiece::emit(std::string_view piece, const Vocabulary &vocabulary,
                           std::vector<int32_t> &ids) const {
  std::optional<int32_t> id = vocabulary.find(piece);
  if (id && vocabulary.isPiece(*id)) {
    auto from = joinedFrom.find(piece);
    if (vocabulary.type(*id) == TokenType::unused && from != joinedFrom.end())
      return emit(from->second.first, vocabulary, ids) +
             emit(from->second.second, vocabulary, ids);
    ids.push_back(*id);
    return 0;
  }
  size_t lost = 0;
  for (char byte : piece)
    if (std::optional<int32_t> token =
            vocabulary.byteToken(static_cast<uint8_t>(byte)))
      ids.push_back(*token);
    else
      ++lost;
  // It stands for one byte of the text.
  return piece == Vocabulary::kSpace ? std::min<size_t>(lost, 1) : lost;
}

size_t SentencePiece::encode(std::string_view text,
                             const Vocabulary &vocabulary,
                             std::vector<int32_t> &ids, bool continues) {
  if (text.empty())
    return 0;
  const bool hasSpaceInFront = addsSpace && !continues;
  written.assign(hasSpaceInFront ? Vocabulary::kSpace : "");
  appendSpelled(text, written);
  split();
  join(vocabulary);
  size_t allLost = 0;
  bool wasLost = false;
  for (int32_t i = 0; i >= 0; i = symbols[i].next) {
    if (symbols[i].whole >= 0) {
      ids.push_back(symbols[i].whole);
      wasLost = false;
      continue;
    }
    const size_t lost = emit(pieceOf(symbols[i]), vocabulary, ids);
    if (lost != 0 && !wasLost && unknown)
      ids.push_back(*unknown);
    wasLost = lost != 0;
    // The space in front is not of the text.
    if (i != 0 || !hasSpaceInFront || pieceOf(symbols[i]) != Vocabulary::kSpace)
      allLost += lost;
  }
  return allLost;
}
