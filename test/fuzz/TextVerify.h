//===- TextVerify.h - what must hold of every tokenizer ---------*- C++ -*-===//
//
// Any bytes, read as an image's text section, as a tokenizer.model and as a
// GGUF file's tokenizer -> nothing, or what is wrong with the answers. A file
// of its own because the fuzzer and the replay judge by the same rules.
//
//===----------------------------------------------------------------------===//

#ifndef CORELLAMA_TEST_FUZZ_TEXTVERIFY_H
#define CORELLAMA_TEST_FUZZ_TEXTVERIFY_H

#include <string>
#include <string_view>

namespace corellama::test {

struct TextVerdict {
  /// One of the readers found a tokenizer.
  bool accepted = false;
  std::string fault; ///< of a reader; empty if the answers are right
};

/// A refusal is one line. What is accepted obeys the rules of TextData.h, views
/// nothing but the input, comes back from the section written of it, and makes
/// a tokenizer whose ids are tokens.
TextVerdict verifyText(std::string_view input);

} // namespace corellama::test

#endif // CORELLAMA_TEST_FUZZ_TEXTVERIFY_H
