//===- EmulatorMemory.h - which memory a thread may touch, and when -------===//
//
// Every access of a kernel on the emulator comes here: it must lie in memory
// that the launch was given, and no other thread may touch the same bytes
// without order if one of the two writes. A file apart from EmulatorDevice
// because it does not depend on fibres: its input is which thread accesses
// what, and when barriers and blocks end.
//
// The rules are those of a GPU. Threads of a block are ordered by barriers and
// by nothing else (a shuffle orders no memory); blocks of a launch are not
// ordered at all; launches run in order. A conflict is found in any order of
// fibres, because accesses are compared, not values.
//
//===----------------------------------------------------------------------===//

#ifndef CORELLAMA_TEST_EMULATOR_EMULATORMEMORY_H
#define CORELLAMA_TEST_EMULATOR_EMULATORMEMORY_H

#include "compiler/Runner/KernelContext.h"
#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/SmallVector.h"
#include <cstdlib>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace corellama {

class EmulatorMemory {
public:
  /// The record of each byte that kernels may write.
  static constexpr uint64_t kWatchBytes = 12;

  /// Bounds are always checked; accesses without order are looked for where
  /// `findConflicts`, which takes kWatchBytes of memory a byte.
  EmulatorMemory(llvm::ArrayRef<MemoryRange> ranges, bool findConflicts);

  //===--- Time
  //------------------------------------------------------------===//

  void beginLaunch();
  /// A block with `sharedBytes` of workgroup memory, which is filled with bytes
  /// that are not a number in any of our types.
  void beginBlock(uint32_t block, size_t sharedBytes);
  void barrier() { ++now; }
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
  /// From now on an asynchronous copy may write these bytes at any time.
  bool beginCopy(uint32_t thread, const void *target, size_t bytes) {
    return access(thread, target, bytes, bytes, Access::BeginCopy);
  }
  /// The copy has arrived: no thread has touched the bytes since it started,
  /// and none may before a barrier.
  bool endCopy(uint32_t thread, const void *target, size_t bytes) {
    return access(thread, target, bytes, bytes, Access::EndCopy);
  }
  /// The copy never arrives, because its block has ended.
  void dropCopy(const void *target, size_t bytes);

  const std::string &what() const { return message; }

private:
  enum class Access { Read, Write, BeginCopy, EndCopy };

  /// The record of two bytes, the smallest store of a kernel. Times are
  /// values of `now`; 0 is before all of them.
  struct Cell {
    uint32_t writeTime, readTime;
    /// The last read by an earlier block than that of readTime.
    uint32_t earlierTime;
    uint16_t writer, reader;
    /// Another thread that read at the same time, + 1; 0: none.
    uint16_t otherReader;
    uint16_t earlierReader;
    /// The thread whose copy has not arrived, + 1; 0: none.
    uint16_t copier;
  };
  static constexpr size_t kCellBytes = 2;
  static_assert(sizeof(Cell) == kCellBytes * kWatchBytes);

  struct Range {
    std::string name;
    uint8_t *begin;
    size_t bytes;
    bool writable;
    /// Null for read-only memory, and where no conflict is looked for. Zeroed
    /// by calloc, so pages that no kernel touches cost nothing.
    struct Free {
      void operator()(Cell *cells) const { std::free(cells); }
    };
    std::unique_ptr<Cell, Free> cells;
  };
  /// The places of two ranges that every launch has.
  static constexpr size_t kWorkgroup = 0, kWeights = 1;

  /// Makes the records of a range's accesses.
  void watch(Range &range, size_t bytes);
  bool access(uint32_t thread, const void *address, size_t bytes,
              size_t alignment, Access kind);
  bool order(const Range &range, size_t at, size_t bytes, uint32_t thread,
             Access kind);
  bool conflict(const Range &range, size_t cell, uint32_t thread, Access kind,
                uint32_t other, uint32_t otherTime, const char *otherDoes);
  static const char *doing(Access kind);
  bool fail(const std::string &text) {
    message = text;
    return false;
  }
  uint32_t blockAt(uint32_t time) const;
  void growWorkgroup(size_t bytes);

  std::vector<Range> ranges;
  AlignedBytes workgroup;
  const bool findConflicts;
  /// Counts barriers, blocks and launches; two accesses at the same time by
  /// different threads have no order.
  uint32_t now = 1;
  uint32_t launchStart = 1, blockStart = 1;
  /// When each block of this launch began.
  std::vector<std::pair<uint32_t, uint32_t>> blockStarts;
  std::string message;
};

} // namespace corellama

#endif // CORELLAMA_TEST_EMULATOR_EMULATORMEMORY_H
