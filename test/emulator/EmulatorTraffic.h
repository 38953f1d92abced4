//===- EmulatorTraffic.h - what a kernel asks memory for ------------------===//
//
// Accesses of a launch's threads -> for each instruction the sectors and the
// passes of workgroup memory that its warps need, and the bytes that go over
// the second-level cache. Exact and the same on every machine, because these
// follow from addresses; times do not. A file apart from EmulatorMemory because
// that says whether accesses are right, and this what they cost.
//
// The n-th access of each lane at a site is taken as one request of its warp.
// That is what a warp does whose lanes run a loop equally often.
//
//===----------------------------------------------------------------------===//

#ifndef CORELLAMA_TEST_EMULATOR_EMULATORTRAFFIC_H
#define CORELLAMA_TEST_EMULATOR_EMULATORTRAFFIC_H

#include "compiler/Runner/KernelContext.h"
#include "llvm/ADT/ArrayRef.h"
#include <map>
#include <string>
#include <tuple>
#include <unordered_map>
#include <unordered_set>
#include <vector>

namespace corellama {

class EmulatorTraffic {
public:
  /// Global memory is asked for by sectors of this many bytes.
  static constexpr uint64_t kSector = 32, kLine = 128;

  /// An asynchronous copy is two: of its source and of its target.
  enum class Kind : uint8_t { Load, Store, Copy, CopyTo, Matrix, Prefetch };
  static const char *nameOf(Kind kind);

  /// Counts at most `blocks` blocks of a launch, evenly spread over its grid;
  /// they alone are run.
  EmulatorTraffic(llvm::ArrayRef<MemoryRange> ranges, uint64_t blocks)
      : ranges(ranges), mostBlocks(blocks) {}

  /// What warps asked for at one site, in one memory.
  struct Site {
    Kind kind;
    uint32_t number;
    /// A range's name, or "workgroup".
    std::string memory;
    /// Of a lane, in one request.
    uint32_t width = 0;
    uint64_t requests = 0;
    /// Of global memory: sectors and lines that requests touch, and the fewest
    /// sectors that could hold the bytes that they ask for.
    uint64_t sectors = 0, lines = 0, fewest = 0;
    /// Of workgroup memory: passes of 128 bytes (CUDA C++ Programming Guide,
    /// "Shared Memory": 32 banks of 4 bytes), and those without conflicts: 8
    /// bytes a lane take a pass for each half of a warp, 16 bytes one for each
    /// quarter. `worst`: the most passes that a request has too many.
    uint64_t passes = 0, leastPasses = 0, worst = 0;
  };

  /// A launch, scaled from the blocks that were run to its grid.
  struct Launch {
    std::string kernel;
    uint64_t blocks, ran;
    /// Between the second-level cache and multiprocessors, if these keep what
    /// one block reads; stores all go there.
    double l2Bytes;
    /// Distinct bytes, read or prefetched: what several blocks read comes once.
    double dramBytes;
    std::vector<Site> sites;
  };
  const std::vector<Launch> &launches() const { return done; }

  //===--- What the device calls
  //-------------------------------------------===//

  /// The blocks of a launch that are to be run.
  std::vector<uint32_t> begin(const std::string &kernel, uint64_t blocks);
  /// `alignment` is what the access promises, and so the most that one
  /// instruction moves.
  void record(Kind kind, uint32_t site, uint32_t thread, const void *address,
              uint32_t bytes, uint32_t alignment);
  void endBlock(const uint8_t *shared, size_t sharedBytes);
  void end();

  /// What one lane asks for.
  struct Access {
    /// Kind, site, warp, which of its accesses there, and which piece of that.
    std::tuple<Kind, uint32_t, uint32_t, uint64_t, uint32_t> request;
    uint64_t address;
    uint32_t lane, width;
    uint32_t memory = 0;
  };

private:
  void place(Access &access, const uint8_t *shared, size_t sharedBytes) const;
  void countWorkgroup(llvm::ArrayRef<Access> request, Site &site);
  void countGlobal(llvm::ArrayRef<Access> request, Site &site);

  const std::vector<MemoryRange> ranges;
  const uint64_t mostBlocks;
  std::vector<Launch> done;

  // The launch that runs.
  uint64_t storedSectors = 0, readSectors = 0;
  std::map<std::tuple<Kind, uint32_t, std::string>, Site> sites;
  /// How many blocks have read or prefetched a sector.
  std::unordered_map<uint64_t, uint32_t> blocksOf;
  // The block that runs.
  std::vector<Access> accesses;
  std::map<std::tuple<Kind, uint32_t, uint32_t>, uint64_t> counts;
  /// Sectors that it has read, and those that it has read or prefetched.
  std::unordered_set<uint64_t> blockSectors, blockBytes;
};

} // namespace corellama

#endif // CORELLAMA_TEST_EMULATOR_EMULATORTRAFFIC_H
