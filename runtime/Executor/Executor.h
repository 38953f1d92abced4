//===- Executor.h - what computes a model ---------------------------------===//
//
// The calls that a program needs of whatever runs its generated code: workers
// of this machine (runtime/Cpu) or a GPU (runtime/Cuda). It knows rows,
// positions and logits; how many tokens there are, and who chooses them, is
// runtime/Main's. A GPU can choose them itself (TokenLoop): logits stay where
// they are, and it does not wait for this machine between two ids.
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

class Sampler;
struct SamplerSettings;

/// The loop from logits to an id to the next row, where an executor can go
/// through it alone. The ids are those of a sampler, bit for bit; they come
/// some at a time, while others are computed.
class TokenLoop {
public:
  /// An id, and the logit that it was chosen by.
  struct Id {
    int32_t id;
    float logit;
  };

  virtual ~TokenLoop() = default;

  /// Whether it chooses by such settings.
  virtual bool takes(const SamplerSettings &settings) const = 0;
  /// Begins: the first id follows row `row` of the last call, by the next draw
  /// of `sampler`, which stays as it is. It ends behind `most` ids (as many as
  /// the cache has room for, and one), or one of `ends`.
  virtual std::optional<Error> begin(const Sampler &sampler, int32_t row,
                                     uint64_t most,
                                     std::span<const int32_t> ends) = 0;
  /// The ids that follow, at least one; valid until the next call. Not behind
  /// the last one.
  virtual Result<std::span<const Id>> next() = 0;
  /// Ends, maybe before the last id: the cache is to hold `tokens` positions,
  /// at most those before the last id that was given. Returns how many are
  /// left, as Executor::truncate does.
  virtual Result<uint64_t> end(uint64_t tokens) = 0;
};

/// A kernel to be timed.
struct Dispatch {
  /// Its number in the program's table; none: nothing runs, which shows what
  /// the end of a kernel costs.
  std::optional<uint32_t> kernel;
  uint32_t layer;
  /// It is called for no part: what it does before its first.
  bool isEmpty = false;
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

  /// Null: ids are chosen by the caller. Between its begin and end none of the
  /// other calls is made.
  virtual TokenLoop *loop() { return nullptr; }

  /// Runs kernels one after the other with the context of the last call; the
  /// nanoseconds of each.
  virtual Result<std::vector<int64_t>>
  trace(std::span<const Dispatch> dispatches) = 0;

  /// Gives back what its destructor would, where that can fail, and says what
  /// did. None of these is called behind it.
  virtual std::optional<Error> close() { return std::nullopt; }
};

} // namespace corellama::runtime

#endif // CORELLAMA_RUNTIME_EXECUTOR_EXECUTOR_H
