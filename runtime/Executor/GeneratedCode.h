//===- GeneratedCode.h - does the code's description make sense -----------===//
//
// Checks of abi::Program and abi::DeviceProgram that are the same for both: the
// lists of forms, and where logits are. A file of its own because both
// executors need them, and neither has the other's headers.
//
//===----------------------------------------------------------------------===//

#ifndef CORELLAMA_RUNTIME_EXECUTOR_GENERATEDCODE_H
#define CORELLAMA_RUNTIME_EXECUTOR_GENERATEDCODE_H

#include "runtime/Executor/Backend.h"

#include <cstdint>
#include <optional>
#include <string>

namespace corellama::runtime {

/// The generated code is of the version that this runtime knows.
std::optional<Error> checkVersion(uint32_t version);

/// The error for code that is wrong in itself, or does not fit the image.
Error damagedProgram();

/// Whether the entries' bounds on rows ascend, so that a call of as many rows
/// as the last one takes, or of fewer, has an entry.
template <typename AnyEntry>
bool isList(const AnyEntry *entries, uint64_t count) {
  uint64_t last = 0;
  for (uint64_t i = 0; i < count; ++i) {
    if (!entries[i].step || entries[i].rows <= last ||
        entries[i].rows > INT32_MAX)
      return false;
    last = entries[i].rows;
  }
  return last != 0;
}

/// Whether there are forms and heads, and the logits of as many rows as a head
/// takes lie inside the workspace.
template <typename AnyProgram>
bool isSound(const AnyProgram &program, uint64_t vocabulary) {
  if (!isList(program.entries, program.entryCount) ||
      !isList(program.lmHeads, program.lmHeadCount))
    return false;
  const uint64_t rows = program.lmHeads[program.lmHeadCount - 1].rows;
  uint64_t bytes, end;
  return program.logitsOffset % alignof(float) == 0 &&
         !__builtin_mul_overflow(rows * sizeof(float), vocabulary, &bytes) &&
         !__builtin_add_overflow(program.logitsOffset, bytes, &end) &&
         end <= program.workspaceBytes;
}

/// Of a program whose lists may be damaged: that is found when it starts.
template <typename AnyProgram>
CodeFacts factsOf(const AnyProgram &program, uint64_t variant) {
  auto most = [](const auto *entries, uint64_t count) {
    return count == 0 ? 0 : entries[count - 1].rows;
  };
  return {.rows = most(program.entries, program.entryCount),
          .wanted = most(program.lmHeads, program.lmHeadCount),
          .kernels = program.kernelCount,
          .variant = variant};
}

} // namespace corellama::runtime

#endif // CORELLAMA_RUNTIME_EXECUTOR_GENERATEDCODE_H
