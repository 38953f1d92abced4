//===- TemplateVerify.h - what must hold of every template ------*- C++ -*-===//
//
// Any bytes, taken as a chat template and a conversation -> nothing, or what is
// wrong with what the runtime makes of them. A file of its own because the
// fuzzer and the replay judge by the same rules.
//
//===----------------------------------------------------------------------===//

#ifndef CORELLAMA_TEST_FUZZ_TEMPLATEVERIFY_H
#define CORELLAMA_TEST_FUZZ_TEMPLATEVERIFY_H

#include <string>
#include <string_view>

namespace corellama::test {

struct TemplateVerdict {
  /// The template wrote a text.
  bool rendered = false;
  std::string fault; ///< of the runtime; empty if the answer is right
};

/// `input` is a template, a NUL byte and messages as JSON; without the NUL, or
/// where the messages are no JSON, some conversation of ours.
TemplateVerdict verifyTemplate(std::string_view input);

} // namespace corellama::test

#endif // CORELLAMA_TEST_FUZZ_TEMPLATEVERIFY_H
