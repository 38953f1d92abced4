//===- TokenTexts.h - the texts of a vocabulary, where they lie -----------===//
//
// A vocabulary's texts by id, in four bytes a token: where each of them is
// written in the file or section that it came from. A file of its own because
// readers of containers fill it and the tokenizer reads it, and neither may
// take a multiple of a hostile file's bytes for a list of short texts.
//
//===----------------------------------------------------------------------===//

#ifndef CORELLAMA_RUNTIME_TOKENIZER_TOKENTEXTS_H
#define CORELLAMA_RUNTIME_TOKENIZER_TOKENTEXTS_H

#include <cstddef>
#include <cstdint>
#include <iterator>
#include <memory>
#include <string_view>
#include <utility>
#include <vector>

namespace corellama::runtime {

class TokenTexts {
public:
  /// What texts are read from.
  class Source {
  public:
    virtual ~Source() = default;
    /// The text that is written at a place. Its length is read each time, from
    /// bytes that may have changed: a place that is none gives any bytes of
    /// the source, and nothing is read outside of it.
    virtual std::string_view textAt(uint32_t place) const = 0;
  };
  /// The place of a token without a text.
  static constexpr uint32_t kNowhere = ~uint32_t(0);

  TokenTexts() = default;
  /// The places are in the order of ids.
  TokenTexts(std::shared_ptr<const Source> source, std::vector<uint32_t> places)
      : source(std::move(source)), places(std::move(places)) {}

  size_t size() const { return places.size(); }
  bool empty() const { return places.empty(); }
  /// Valid while the source is.
  std::string_view operator[](size_t id) const {
    return places[id] == kNowhere ? std::string_view()
                                  : source->textAt(places[id]);
  }

  class Iterator {
  public:
    using iterator_category = std::input_iterator_tag;
    using value_type = std::string_view;
    using difference_type = std::ptrdiff_t;
    using pointer = const std::string_view *;
    using reference = std::string_view;

    Iterator() = default;
    std::string_view operator*() const { return (*texts)[id]; }
    Iterator &operator++() {
      ++id;
      return *this;
    }
    Iterator operator++(int) { return {texts, id++}; }
    bool operator==(const Iterator &other) const { return id == other.id; }

  private:
    friend TokenTexts;
    Iterator(const TokenTexts *texts, size_t id) : texts(texts), id(id) {}

    const TokenTexts *texts = nullptr;
    size_t id = 0;
  };
  Iterator begin() const { return {this, 0}; }
  Iterator end() const { return {this, size()}; }

private:
  std::shared_ptr<const Source> source;
  std::vector<uint32_t> places;
};

} // namespace corellama::runtime

#endif // CORELLAMA_RUNTIME_TOKENIZER_TOKENTEXTS_H
