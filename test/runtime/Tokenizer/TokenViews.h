//===- TokenViews.h - vocabularies of tests -------------------------------===//
//
// Texts that lie anywhere, as a vocabulary: readers of containers have them in
// one file.
//
//===----------------------------------------------------------------------===//

#ifndef CORELLAMA_TEST_RUNTIME_TOKENIZER_TOKENVIEWS_H
#define CORELLAMA_TEST_RUNTIME_TOKENIZER_TOKENVIEWS_H

#include "runtime/Tokenizer/TokenTexts.h"

#include <cstdint>
#include <memory>
#include <numeric>
#include <string_view>
#include <utility>
#include <vector>

namespace corellama::runtime::test {

/// What is viewed must outlive the result.
inline TokenTexts viewsOf(std::vector<std::string_view> texts) {
  class Views final : public TokenTexts::Source {
  public:
    explicit Views(std::vector<std::string_view> texts)
        : texts(std::move(texts)) {}
    std::string_view textAt(uint32_t place) const override {
      return place < texts.size() ? texts[place] : std::string_view();
    }

  private:
    std::vector<std::string_view> texts;
  };
  std::vector<uint32_t> places(texts.size());
  std::iota(places.begin(), places.end(), 0U);
  return {std::make_shared<Views>(std::move(texts)), std::move(places)};
}

inline std::vector<std::string_view> toVector(const TokenTexts &texts) {
  return {texts.begin(), texts.end()};
}

} // namespace corellama::runtime::test

#endif // CORELLAMA_TEST_RUNTIME_TOKENIZER_TOKENVIEWS_H
