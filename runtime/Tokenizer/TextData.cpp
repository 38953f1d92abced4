//===- TextData.cpp - the image's text section, checked -------------------===//
//
// The bytes of the section -> TextData. What is accepted here obeys the rules
// (T1) to (T6), so that no tokenizer has to check an id, a type or a count.
//
//===----------------------------------------------------------------------===//

#include "runtime/Tokenizer/TextData.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <limits>
#include <memory>
#include <utility>

using namespace corellama::runtime;

static_assert(std::endian::native == std::endian::little);

namespace {
/// Reads values in order. After the first read past the end all reads return
/// zero or empty, so that one check after a group of reads suffices.
class Cursor {
public:
  explicit Cursor(std::span<const uint8_t> bytes) : bytes(bytes) {}

  template <typename T> T number() {
    T value{};
    std::span<const uint8_t> taken = take(sizeof(T));
    if (!taken.empty())
      memcpy(&value, taken.data(), sizeof(T));
    return value;
  }
  std::string_view string() {
    std::span<const uint8_t> taken = take(number<uint32_t>());
    return {reinterpret_cast<const char *>(taken.data()), taken.size()};
  }
  /// A count of things of at least `least` bytes each: 0, and failed, if the
  /// bytes that remain cannot hold them. It bounds what is allocated for them.
  size_t count(size_t least) {
    const size_t stated = number<uint32_t>();
    if (stated > bytes.size() / least) {
      isBad = true;
      return 0;
    }
    return stated;
  }
  /// As many numbers, without a count of their own.
  template <typename T> std::vector<T> numbers(size_t count) {
    std::vector<T> values;
    if (count > bytes.size() / sizeof(T))
      isBad = true;
    std::span<const uint8_t> taken = take(isBad ? 0 : count * sizeof(T));
    values.resize(taken.size() / sizeof(T));
    if (!taken.empty())
      memcpy(values.data(), taken.data(), taken.size());
    return values;
  }

  bool failed() const { return isBad; }
  size_t remaining() const { return bytes.size(); }

private:
  std::span<const uint8_t> take(size_t size) {
    if (isBad || size > bytes.size()) {
      isBad = true;
      return {};
    }
    std::span<const uint8_t> taken = bytes.first(size);
    bytes = bytes.subspan(size);
    return taken;
  }

  std::span<const uint8_t> bytes;
  bool isBad = false;
};

/// Strings of a section, by where they begin.
class SectionTexts final : public TokenTexts::Source {
public:
  explicit SectionTexts(std::span<const uint8_t> section) : section(section) {}
  std::string_view textAt(uint32_t place) const override {
    return Cursor(section.subspan(std::min<size_t>(place, section.size())))
        .string();
  }

private:
  std::span<const uint8_t> section;
};
} // namespace

static Error damaged(std::string what) {
  return {"image: text: " + std::move(what) +
          "; the program is damaged, copy or compile it again"};
}

/// Whether there may be such an id: any where there is no vocabulary.
static bool isId(int32_t id, const TextData &data) {
  return id >= 0 && (data.kind == TokenizerKind::none ||
                     static_cast<size_t>(id) < data.tokens.size());
}

/// The rules that hold between fields.
static std::optional<Error> check(const TextData &data) {
  auto noToken = [&](const std::string &place, int32_t id) {
    return damaged(place + " is " + std::to_string(id) +
                   ", expected a token id below " +
                   std::to_string(data.tokens.size()));
  };
  if (data.tokens.empty() != (data.kind == TokenizerKind::none))
    return damaged(std::to_string(data.tokens.size()) +
                   " tokens for a tokenizer of kind " +
                   std::to_string(static_cast<uint32_t>(data.kind)));
  for (size_t id = 0; id < data.types.size(); ++id)
    if (data.types[id] < TokenType::normal || data.types[id] > TokenType::byte)
      return damaged("token " + std::to_string(id) + " has type " +
                     std::to_string(static_cast<unsigned>(data.types[id])) +
                     ", expected 1 to 6");
  for (size_t id = 0; id < data.scores.size(); ++id)
    if (std::isnan(data.scores[id]))
      return damaged("the score of token " + std::to_string(id) +
                     " is no number");
  for (size_t rank = 0; rank < data.merges.size(); ++rank) {
    const TextData::Merge &merge = data.merges[rank];
    for (int32_t id : {merge.left, merge.right, merge.result})
      if (!isId(id, data))
        return noToken("merge " + std::to_string(rank), id);
  }
  if (data.bos && !isId(*data.bos, data))
    return noToken("bos", *data.bos);
  if (data.eos && !isId(*data.eos, data))
    return noToken("eos", *data.eos);
  for (size_t i = 0; i < data.ends.size(); ++i) {
    const std::string place = "end " + std::to_string(i);
    if (!isId(data.ends[i], data))
      return noToken(place, data.ends[i]);
    if (i > 0 && data.ends[i] <= data.ends[i - 1])
      return damaged(place + " is " + std::to_string(data.ends[i]) +
                     ", expected more than " +
                     std::to_string(data.ends[i - 1]));
  }
  return std::nullopt;
}

Result<TextData> TextData::parse(std::span<const uint8_t> section) {
  if (section.size() >= TokenTexts::kNowhere)
    return damaged("has " + std::to_string(section.size()) +
                   " bytes, expected fewer than 4294967295");
  Cursor cursor(section);
  TextData data;
  const auto kind = cursor.number<uint32_t>();
  const auto flags = cursor.number<uint32_t>();
  if (kind > static_cast<uint32_t>(TokenizerKind::sentencePiece))
    return damaged("kind " + std::to_string(kind) + ", expected 0 to 2");
  data.kind = static_cast<TokenizerKind>(kind);
  data.wholeWords = flags & kWholeWords;
  data.addsSpace = flags & kAddsSpace;
  data.addsBos = flags & kAddsBos;
  data.addsEos = flags & kAddsEos;
  for (std::optional<int32_t> *id : {&data.bos, &data.eos})
    if (auto stated = cursor.number<int32_t>(); stated != -1)
      *id = stated;
  data.whyNone = cursor.string();
  data.preTokenizer = cursor.string();
  std::string_view chatTemplate = cursor.string();
  if (flags & kHasChatTemplate)
    data.chatTemplate = chatTemplate;
  data.ends = cursor.numbers<int32_t>(cursor.count(sizeof(int32_t)));

  // A text has its length, and each token a type behind the texts.
  const size_t tokens = cursor.count(sizeof(uint32_t) + sizeof(TokenType));
  if (tokens > std::numeric_limits<int32_t>::max())
    return damaged(std::to_string(tokens) +
                   " tokens, expected fewer than 2^31");
  std::vector<uint32_t> places;
  places.reserve(tokens);
  for (size_t id = 0; id < tokens; ++id) {
    places.push_back(
        static_cast<uint32_t>(section.size() - cursor.remaining()));
    cursor.string();
  }
  data.tokens = {std::make_shared<SectionTexts>(section), std::move(places)};
  data.types = cursor.numbers<TokenType>(tokens);
  if (data.kind == TokenizerKind::sentencePiece)
    data.scores = cursor.numbers<float>(tokens);
  if (data.kind == TokenizerKind::byteLevel)
    data.merges = cursor.numbers<Merge>(cursor.count(sizeof(Merge)));
  if (cursor.failed() || cursor.remaining() != 0)
    return damaged((cursor.failed() ? "ends too early, at "
                                    : "has more than it says, of ") +
                   std::to_string(section.size()) + " bytes");
  if (auto error = check(data))
    return *error;
  return data;
}
