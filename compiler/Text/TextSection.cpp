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
  std::string bytes;

  template <typename T> void number(T value) {
    bytes.append(reinterpret_cast<const char *>(&value), sizeof(value));
  }
  void count(size_t value) { number(static_cast<uint32_t>(value)); }
  void string(std::string_view value) {
    count(value.size());
    bytes += value;
  }
  template <typename T> void numbers(const std::vector<T> &values) {
    bytes.append(reinterpret_cast<const char *>(values.data()),
                 values.size() * sizeof(T));
  }
};
} // namespace

std::string corellama::writeTextSection(const TextData &data) {
  Writer writer;
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
  return std::move(writer.bytes);
}
