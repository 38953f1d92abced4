//===- EmulatorMemory.h - which memory a thread may touch, and when -------===//
//
// Every access of a kernel on the emulator comes here: it must lie in memory
// that the launch was given, and of two accesses to the same bytes, one of them
// a write, one must happen before the other. A file apart from EmulatorDevice
// because it does not depend on fibres: its input is who accesses what, and
// when threads, copies, blocks and launches meet.
//
// What is ordered is what PTX orders, and nothing else:
//
//   a thread     what it does, one after the other
//   a barrier    all threads of the block before it, all of them behind it
//   a converge   all lanes of the warp (bar.warp.sync); a shuffle, an ldmatrix
//                and an mma order no memory
//   copy_async   begins an agent of its own, which knows what its thread knew
//   copy_wait    what the copies of finished groups did is before what the
//                thread does next
//   a launch     all launches before it; blocks of one are not ordered. One
//                that overlaps those: only what a thread does behind its
//                wait_previous
//
// Before its wait_previous a thread of such a launch has no order with all that
// earlier launches do, whichever these are and whatever they do: they may write
// all memory that is not constant. So it reads constant memory, and writes
// none.
//
// A conflict is found in any order of fibres, because accesses are compared and
// not values: an access without order to another is reported whichever the
// fibres did first.
//
// Vector clocks in the form of FastTrack (Flanagan and Freund, "FastTrack:
// Efficient and Precise Dynamic Race Detection", PLDI 2009): an access is an
// epoch, who and when, and of a place the last write and the last reads are
// kept. A clock of n threads is not n numbers here but two, as in BARRACUDA
// (Eizenberg et al., PLDI 2017), because threads meet only as whole warps and
// whole blocks: of lanes of its own warp a thread knows all until the warp met
// last, of other threads all until the block did.
//
//===----------------------------------------------------------------------===//

#ifndef CORELLAMA_TEST_EMULATOR_EMULATORMEMORY_H
#define CORELLAMA_TEST_EMULATOR_EMULATORMEMORY_H

#include "compiler/Runner/KernelContext.h"
#include "test/emulator/TensorCore.h"
#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/SmallVector.h"
#include <algorithm>
#include <cstdlib>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace corellama {

/// CUDA's limit of threads in a block.
inline constexpr uint32_t kMaxThreads = 1024;

/// A cp.async: 16 bytes of workgroup memory, of which the first `valid` come
/// from `source` and the others are zero.
struct AsyncCopy {
  uint8_t *target;
  const uint8_t *source;
  uint32_t valid;

  static constexpr size_t kBytes = 16;
};

class EmulatorMemory {
public:
  /// The record of each byte that kernels may write.
  static constexpr uint64_t kWatchBytes = 12;

  /// Bounds are always checked; accesses without order are looked for where
  /// `findConflicts`, which takes kWatchBytes of memory a byte.
  EmulatorMemory(llvm::ArrayRef<MemoryRange> ranges, bool findConflicts);

  //===--- Who has met whom
  //------------------------------------------------===//

  /// `overlaps`: before the launches before it have ended.
  void beginLaunch(bool overlaps);
  /// A wait_previous of a thread, and whether it has come to one, or need not.
  void waitPrevious(uint32_t thread) { hasWaited[thread] = true; }
  bool isBehindLaunches(uint32_t thread) const { return hasWaited[thread]; }
  /// A block with `sharedBytes` of workgroup memory, which is filled with bytes
  /// that are not a number in any of our types.
  void beginBlock(uint32_t block, size_t sharedBytes);
  void barrier() {
    barrierTime = tick();
    std::fill(std::begin(warpTimes), std::end(warpTimes), barrierTime);
  }
  void converge(uint32_t warp) { warpTimes[warp] = tick(); }
  uint8_t *shared() const { return ranges[kWorkgroup].begin; }

  //===--- Accesses, each by `thread` of the block that runs
  //---------------===//
  // False where one is wrong: what() then says how, without kernel and block.

  bool read(uint32_t thread, const void *address, size_t bytes,
            size_t alignment) {
    // Most accesses are of weights, which are never written.
    size_t at = static_cast<const uint8_t *>(address) - ranges[kWeights].begin;
    if (at < ranges[kWeights].bytes && bytes <= ranges[kWeights].bytes - at &&
        (reinterpret_cast<uintptr_t>(address) & (alignment - 1)) == 0)
      return true;
    return access(thread, address, bytes, alignment, Access::Read);
  }
  bool write(uint32_t thread, const void *address, size_t bytes,
             size_t alignment) {
    return access(thread, address, bytes, alignment, Access::Write);
  }
  /// Only that it is memory of the launch: a prefetch reads no value.
  bool prefetch(uint32_t thread, const void *address) {
    return find(static_cast<const uint8_t *>(address)) ||
           refuse(thread, address, 1, 1, Access::Read);
  }
  /// From now on the copy may read its source and write its target at any time.
  bool beginCopy(uint32_t thread, const AsyncCopy &copy);
  /// A copy_wait of its thread covers the copy.
  bool endCopy(uint32_t thread, const AsyncCopy &copy);
  /// No copy_wait does, and its block has ended.
  void dropCopy(const AsyncCopy &copy) { mark(copy, /*copier=*/0, -1); }

  const std::string &what() const { return message; }

private:
  enum class Access { Read, Write, Copy };

  /// The record of two bytes, the smallest store of a kernel. A time is the
  /// value of `now` at which the warp of the accessing thread met last.
  ///
  /// Two readers stand for all since the last barrier: of one warp the last,
  /// and another of the same time if there is one; of several warps two of
  /// different ones. Whoever writes without order to any reader has no order to
  /// one of these: a thread of a third warp to both, of a warp of the two to
  /// the other, and what its own lanes read before they met last is before all
  /// that they do.
  struct Cell {
    uint32_t writeTime, readTime;
    /// The last read by an earlier block than that of readTime.
    uint32_t earlierTime;
    uint16_t writer, reader;
    /// Another reader, + 1; 0: none.
    uint16_t otherReader;
    uint16_t earlierReader;
    /// The thread whose copy fills this and has not arrived, + 1; 0: none.
    uint16_t copier;
    /// Copies that read this and have not arrived.
    uint16_t copies;
  };
  static constexpr size_t kCellBytes = 2;
  static_assert(sizeof(Cell) == kCellBytes * kWatchBytes);

  struct Range {
    std::string name;
    uint8_t *begin;
    size_t bytes;
    bool writable, constant;
    /// Null for read-only memory, and where no conflict is looked for. Zeroed
    /// by calloc, so pages that no kernel touches cost nothing.
    struct Free {
      void operator()(Cell *cells) const { std::free(cells); }
    };
    std::unique_ptr<Cell, Free> cells;
  };
  /// The places of two ranges that every launch has.
  static constexpr size_t kWorkgroup = 0, kWeights = 1;

  uint32_t tick();
  /// Makes the records of a range's accesses.
  void watch(Range &range, size_t bytes);
  void growWorkgroup(size_t bytes);

  const Range *find(const uint8_t *first) const {
    for (const Range &range : ranges)
      if (size_t(first - range.begin) < range.bytes)
        return &range;
    return nullptr;
  }
  llvm::MutableArrayRef<Cell> cellsOf(const uint8_t *first, size_t bytes) const;
  void mark(const AsyncCopy &copy, uint16_t copier, int more);
  bool access(uint32_t thread, const void *address, size_t bytes,
              size_t alignment, Access kind);
  bool order(const Range &range, size_t at, size_t bytes, uint32_t thread,
             Access kind);
  bool follows(uint32_t thread, uint32_t time, uint32_t other) const;
  void noteRead(Cell &cell, uint32_t thread) const;

  // Reports, apart from what is called for each access.
  bool refuse(uint32_t thread, const void *address, size_t bytes,
              size_t alignment, Access kind);
  bool conflict(const Range &range, const Cell &cell, uint32_t thread,
                Access kind, uint32_t other, uint32_t otherTime,
                const char *otherDoes);
  bool unfinished(const Range &range, const Cell &cell, uint32_t thread,
                  Access kind);
  bool early(const Range &range, size_t at, uint32_t thread, Access kind);
  uint32_t blockAt(uint32_t time) const;
  std::string place(const Range &range, size_t at, uint32_t thread,
                    Access kind) const;
  std::string place(const Range &range, const Cell &cell, uint32_t thread,
                    Access kind) const;
  bool fail(const std::string &text) {
    message = text;
    return false;
  }

  std::vector<Range> ranges;
  AlignedBytes workgroup;
  const bool findConflicts;
  /// Counts what threads meet at: barriers, converges, blocks, launches.
  uint32_t now = 1;
  uint32_t launchStart = 1, blockStart = 1;
  /// When the block met last, and each of its warps.
  uint32_t barrierTime = 1, warpTimes[kMaxThreads / kWarpLanes] = {};
  bool overlaps = false, hasWaited[kMaxThreads] = {};
  /// When each block of this launch began.
  std::vector<std::pair<uint32_t, uint32_t>> blockStarts;
  std::string message;
};

} // namespace corellama

#endif // CORELLAMA_TEST_EMULATOR_EMULATORMEMORY_H
