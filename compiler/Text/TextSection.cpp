//===- TextSection.cpp - writes the image's text section ------------------===//
//
// See TextSection.h; runtime/Tokenizer/TextData.h describes the bytes.
//
//===----------------------------------------------------------------------===//

#include "compiler/Text/TextSection.h"

using namespace corellama;
using runtime::TextData;

namespace {
class Writer {
public:
  explicit Writer(const std::function<void(std::string_view)> &take)
      : take(take) {}

  template <typename T> void number(T value) {
    append({reinterpret_cast<const char *>(&value), sizeof(value)});
  }
  void count(size_t value) { number(static_cast<uint32_t>(value)); }
  void string(std::string_view value) {
    count(value.size());
    append(value);
  }
  template <typename T> void numbers(const std::vector<T> &values) {
    append({reinterpret_cast<const char *>(values.data()),
            values.size() * sizeof(T)});
  }
  /// Gives what is left.
  void flush() {
    take(pending);
    pending.clear();
  }

private:
  /// Gathers small pieces: a page and more is written at once.
  void append(std::string_view bytes) {
    constexpr size_t most = 64 << 10;
    if (pending.size() + bytes.size() > most)
      flush();
    if (bytes.size() > most)
      take(bytes);
    else
      pending += bytes;
  }

  const std::function<void(std::string_view)> &take;
  std::string pending;
};
} // namespace

void corellama::writeTextSection(
    const TextData &data, const std::function<void(std::string_view)> &take) {
  Writer writer(take);
  writer.number(data.kind);
  writer.number((data.wholeWords ? TextData::kWholeWords : 0U) |
                (data.addsSpace ? TextData::kAddsSpace : 0U) |
                (data.addsBos ? TextData::kAddsBos : 0U) |
                (data.addsEos ? TextData::kAddsEos : 0U) |
                (data.chatTemplate ? TextData::kHasChatTemplate : 0U));
  writer.number(data.bos.value_or(-1));
  writer.number(data.eos.value_or(-1));
  writer.string(data.whyNone);
  writer.string(data.preTokenizer);
  writer.string(data.chatTemplate.value_or(""));
  writer.count(data.ends.size());
  writer.numbers(data.ends);
  writer.count(data.tokens.size());
  for (std::string_view token : data.tokens)
    writer.string(token);
  writer.numbers(data.types);
  writer.numbers(data.scores);
  if (data.kind == runtime::TokenizerKind::byteLevel) {
    writer.count(data.merges.size());
    writer.numbers(data.merges);
  }
  writer.flush();
}

uint64_t corellama::textSectionBytes(const TextData &data) {
  uint64_t bytes = 0;
  writeTextSection(data,
                   [&](std::string_view piece) { bytes += piece.size(); });
  return bytes;
}

std::string corellama::writeTextSection(const TextData &data) {
  std::string section;
  section.reserve(textSectionBytes(data));
  writeTextSection(data, [&](std::string_view piece) { section += piece; });
  return section;
}
