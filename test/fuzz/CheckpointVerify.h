//===- CheckpointVerify.h - what must hold of every input -------*- C++ -*-===//
//
// Any bytes, read as a checkpoint -> nothing, or what is wrong with the
// reader's answer. A file of its own because the fuzzer and the replay judge
// by the same rules. Sizes are computed here once more, in 128 bits, from
// GGML's block sizes as the test builder has them.
//
//===----------------------------------------------------------------------===//

#ifndef CORELLAMA_TEST_FUZZ_CHECKPOINTVERIFY_H
#define CORELLAMA_TEST_FUZZ_CHECKPOINTVERIFY_H

#include "Cost.h"
#include "llvm/ADT/StringRef.h"
#include <string>

namespace corellama::test {

struct Verdict {
  bool accepted = false;
  std::string message; ///< of a refusal
  std::string fault;   ///< of the reader; empty if the answer is right
  Cost cost;           ///< of reading it and of listing what is refused
};

/// Reads the bytes under the name "m.gguf" and judges the answer: refusals in
/// one line of the agreed shape each, or a model all of whose sizes verify, at
/// the agreed cost.
Verdict readAndVerify(llvm::StringRef bytes);

} // namespace corellama::test

#endif // CORELLAMA_TEST_FUZZ_CHECKPOINTVERIFY_H
