//===- CheckpointTesting.h - bytes to checkpoint or message -----*- C++ -*-===//
//
// What all tests of the reader share: the bytes of a file, called m.gguf -> a
// checkpoint, or the message that refuses it; and the shape of a table of
// refusals, so that each source file's rules stand in the test of its name.
//
//===----------------------------------------------------------------------===//

#ifndef CORELLAMA_TEST_COMPILER_CHECKPOINT_CHECKPOINTTESTING_H
#define CORELLAMA_TEST_COMPILER_CHECKPOINT_CHECKPOINTTESTING_H

#include "GGUFBuilder.h"
#include "compiler/Checkpoint/Checkpoint.h"
#include "compiler/Checkpoint/GGUFContainer.h"
#include "gtest/gtest.h"
#include <optional>
#include <ostream>
#include <string>

namespace corellama::test {

struct ReadResult {
  std::optional<checkpoint::Checkpoint> checkpoint;
  std::string message; ///< empty if there is a checkpoint
};

/// The bytes are not copied and must outlive the result.
inline ReadResult readBytes(llvm::StringRef bytes) {
  auto read = checkpoint::readCheckpoint(llvm::MemoryBuffer::getMemBuffer(
      bytes, "m.gguf", /*RequiresNullTerminator=*/false));
  if (!read)
    return {std::nullopt, llvm::toString(read.takeError())};
  return {std::move(*read), ""};
}

/// The metadata of a GGUF file, key by key.
inline const checkpoint::GGUF &
ggufOf(const checkpoint::Checkpoint &checkpoint) {
  return llvm::cast<checkpoint::GGUFContainer>(checkpoint.container()).gguf();
}

/// A rule, what breaks it in a small Llama, and the message after "m.gguf: ".
struct Refusal {
  const char *name;
  void (*breakIt)(GGUFBuilder &);
  const char *message;
};

/// For gtest: what to print of a row that failed.
inline void PrintTo(const Refusal &refusal, std::ostream *out) {
  *out << refusal.name;
}

inline std::string nameOfRefusal(const testing::TestParamInfo<Refusal> &info) {
  return info.param.name;
}

class CheckpointRefuses : public testing::TestWithParam<Refusal> {};

} // namespace corellama::test

#endif // CORELLAMA_TEST_COMPILER_CHECKPOINT_CHECKPOINTTESTING_H
