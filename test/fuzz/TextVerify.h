//===- TextVerify.h - what must hold of every tokenizer ---------*- C++ -*-===//
//
// Any bytes, read as an image's text section, as a tokenizer.model and as a
// GGUF file's tokenizer -> nothing, or what is wrong with the answers. A file
// of its own because the fuzzer and the replay judge by the same rules.
//
//===----------------------------------------------------------------------===//

#ifndef CORELLAMA_TEST_FUZZ_TEXTVERIFY_H
#define CORELLAMA_TEST_FUZZ_TEXTVERIFY_H

#include "runtime/Tokenizer/TextData.h"
#include <string>
#include <string_view>

namespace corellama::test {

struct TextVerdict {
  /// One of the readers found a tokenizer.
  bool accepted = false;
  std::string fault; ///< of a reader; empty if the answers are right
};

/// What is wrong with a reader's answer, or nothing: it obeys the rules of
/// TextData.h, comes back from the section written of it, and makes a tokenizer
/// whose ids of a text that has `sample` in it are tokens.
std::string faultOfText(const runtime::TextData &data, std::string_view sample);

/// A refusal is one line. What is accepted obeys the rules of TextData.h, views
/// nothing but the input, comes back from the section written of it, and makes
/// a tokenizer whose ids are tokens.
TextVerdict verifyText(std::string_view input);

} // namespace corellama::test

#endif // CORELLAMA_TEST_FUZZ_TEXTVERIFY_H
