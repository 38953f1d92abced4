//===- Dispatcher.h - the parts of a dispatch, shared among workers -------===//
//
// Deals the parts of each dispatch to the workers of a step and says when all
// of them are computed. A worker begins with a share of its own, contiguous as
// its memory is, and takes what others have not begun once it has none left: a
// worker that is slow or stopped holds up the parts that it has begun, nothing
// else. Which worker computes a part decides no bit of it. docs/workers.md says
// why it is done so.
//
// A file apart from the pool because generated code calls the dispatcher
// (corellama_dispatch, corellama_barrier) and nothing else of the pool.
//
//===----------------------------------------------------------------------===//

#ifndef CORELLAMA_RUNTIME_THREADS_DISPATCHER_H
#define CORELLAMA_RUNTIME_THREADS_DISPATCHER_H

#include "runtime/ABI/Kernel.h"
#include "runtime/Threads/Waiting.h"

#include <array>
#include <atomic>
#include <cstdint>
#include <vector>

namespace corellama::runtime {

class Dispatcher {
public:
  /// What one call of a kernel computes, of all calls of a dispatch.
  struct Work {
    abi::KernelFunction kernel;
    const abi::Context *context;
    void *scratch;
    uint32_t layer;
  };

  /// `crowded`: see Waiting.
  Dispatcher(uint32_t workers, bool crowded);

  /// All workers of a step call run() and wait() in the same order. Dispatches
  /// are numbered as they are run; a step's first one is `number` for each.
  void beginStep(uint32_t worker, uint32_t number) {
    positions[worker].next = number;
    positions[worker].open = 0;
  }
  /// The number behind the last dispatch that the worker has run.
  uint32_t endStep(uint32_t worker) { return positions[worker].next; }

  /// Computes parts of a dispatch until none is left that nobody has begun.
  void run(uint32_t worker, const Work &work, uint64_t parts);
  /// Returns when all parts are computed of all dispatches that the worker has
  /// run. What they wrote is visible then.
  void wait(uint32_t worker);

  uint32_t workers() const { return count; }
  Waiting waiting;

private:
  /// Dispatches without a barrier between them: more wait for the first.
  static constexpr uint32_t kOpen = 8;
  /// Half of what is left of a share is taken at a time, but at least this part
  /// of the whole: a call of a kernel costs some 50 ns beside its parts, and
  /// the last pieces are as far apart as workers can end.
  static constexpr uint32_t kPieces = 8;

  /// A number of a dispatch and two of 16 bits, in one atomic word: of a share
  /// what is left of it, [begin, end); of a dispatch how much is computed. A
  /// word with an older number is as at the dispatch's start; one with a newer
  /// number says that the dispatch is over.
  struct Word {
    uint32_t number;
    uint32_t first, second;
    static Word of(uint64_t bits) {
      return {uint32_t(bits >> 32), uint32_t(bits >> 16) & 0xffff,
              uint32_t(bits) & 0xffff};
    }
    uint64_t bits() const {
      return uint64_t(number) << 32 | first << 16 | second;
    }
    bool isNewerThan(uint32_t other) const {
      return int32_t(number - other) > 0;
    }
  };
  struct alignas(64) Share {
    std::atomic<uint64_t> word{0};
  };
  /// Where a worker is; only its own thread reads it.
  struct alignas(64) Position {
    uint32_t next = 1;
    uint32_t open = 0;
    /// Units of the `open` dispatches before `next`, by number.
    std::array<uint32_t, kOpen> units{};
  };
  struct Range {
    uint32_t begin, end;
    bool isEmpty() const { return begin == end; }
  };

  Range take(uint32_t worker, uint32_t number, uint32_t units);
  void finish(uint32_t number, uint32_t computed, uint32_t units);
  bool isOver(uint32_t number, uint32_t units) const;

  const uint32_t count;
  std::vector<Share> shares;
  std::vector<Position> positions;
  std::array<Share, kOpen> computed;
};

} // namespace corellama::runtime

#endif // CORELLAMA_RUNTIME_THREADS_DISPATCHER_H
