//===- MessagesVerify.h - what must hold of messages as JSON ----*- C++ -*-===//
//
// Any bytes, taken as the JSON of messages and of a template's variables ->
// nothing, or what is wrong with what the runtime makes of them. A file of its
// own because the fuzzer and the replay judge by the same rules.
//
//===----------------------------------------------------------------------===//

#ifndef CORELLAMA_TEST_FUZZ_MESSAGESVERIFY_H
#define CORELLAMA_TEST_FUZZ_MESSAGESVERIFY_H

#include <string>
#include <string_view>

namespace corellama::test {

struct MessagesVerdict {
  /// A template wrote them.
  bool rendered = false;
  std::string fault; ///< of the runtime; empty if the answer is right
};

/// The first byte of `input` chooses a template, by its remainder of 7; then
/// messages, and after a NUL byte variables.
MessagesVerdict verifyMessages(std::string_view input);

} // namespace corellama::test

#endif // CORELLAMA_TEST_FUZZ_MESSAGESVERIFY_H
