//===- Executor.h - what computes a model ---------------------------------===//
//
// The four calls that a program needs of whatever runs its generated code:
// workers of this machine (runtime/Cpu) or a GPU (runtime/Cuda). It knows rows,
// positions and logits; how many tokens there are, and who chooses them, is
// runtime/Main's.
//
// A failed call is not repeated: a device that failed once computes no more.
//
//===----------------------------------------------------------------------===//

#ifndef CORELLAMA_RUNTIME_EXECUTOR_EXECUTOR_H
#define CORELLAMA_RUNTIME_EXECUTOR_EXECUTOR_H

#include "runtime/Support/Result.h"

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace corellama::runtime {

/// A kernel to be timed.
struct Dispatch {
  /// Its number in the program's table; none: nothing runs, which shows what
  /// the end of a kernel costs.
  std::optional<uint32_t> kernel;
  uint32_t layer;
};

class Executor {
public:
  virtual ~Executor() = default;

  /// Computes 1 to CodeFacts::rows ids at the positions from `first` on, which
  /// is as many as the cache holds.
  virtual std::optional<Error> append(std::span<const int32_t> ids,
                                      uint64_t first) = 0;

  /// The logits that follow 1 to CodeFacts::wanted rows of the last call, side
  /// by side; valid until the next call of any of these.
  virtual Result<std::span<const float>>
  logits(std::span<const int32_t> rows) = 0;

  /// Forgets all but the first `tokens` positions, fewer than there are, or
  /// all of them: where attention has a window the cache may no longer hold
  /// what a row behind these sees. Returns how many are left.
  virtual uint64_t truncate(uint64_t tokens) = 0;

  /// Runs kernels one after the other with the context of the last call; the
  /// nanoseconds of each.
  virtual Result<std::vector<int64_t>>
  trace(std::span<const Dispatch> dispatches) = 0;
};

} // namespace corellama::runtime

#endif // CORELLAMA_RUNTIME_EXECUTOR_EXECUTOR_H
