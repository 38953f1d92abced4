//===- Fibre.h - one thread of a block on the emulator --------------------===//
//
// What EmulatorDevice keeps of a thread of the block that runs: its stack,
// where it waits and for what. A file apart from the scheduler, which only
// moves them.
//
//===----------------------------------------------------------------------===//

#ifndef CORELLAMA_TEST_EMULATOR_FIBRE_H
#define CORELLAMA_TEST_EMULATOR_FIBRE_H

#include "test/emulator/EmulatorMemory.h"
#include "test/emulator/TensorCore.h"
#include "llvm/Support/ErrorHandling.h"
#include <boost/context/detail/fcontext.hpp>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace corellama {

/// Kernels spill at most a few KiB; the rest is for our own functions, which an
/// error calls on the fibre's stack.
inline constexpr size_t kStackBytes = size_t(64) << 10;
/// From one stack to the next: four cache lines more. Stacks that begin at
/// multiples of a power of two would share few sets of the caches, so that each
/// switch of fibres would miss; that was most of the time of a kernel.
inline constexpr size_t kStackStride = kStackBytes + 256;
/// A mark at a stack's last bytes; overwritten, it shows an overflow.
inline constexpr uint64_t kStackEnd = 0x5ca1ab1e0ddba11;
/// In place of a shuffle's mask: all of a warp's sum. Lanes have 5 bits.
inline constexpr uint32_t kSumOfWarp = kWarpLanes;

/// The state of a fibre.
enum class State { Ready, Barrier, Converge, ShuffleXor, LdMatrix, Mma, Ended };

inline const char *describe(State state) {
  switch (state) {
  case State::Ready:
    return "runs";
  case State::Barrier:
    return "waits at a barrier";
  case State::Converge:
    return "waits at a converge";
  case State::ShuffleXor:
    return "waits at a shuffle_xor";
  case State::LdMatrix:
    return "waits at an ldmatrix";
  case State::Mma:
    return "waits at an mma";
  case State::Ended:
    return "has ended";
  }
  llvm_unreachable("no such state");
}

struct Copy : AsyncCopy {
  /// The number of the copy's group, committed or not.
  uint32_t group;
};

/// One thread of the block that runs; then one of the next block. The first
/// cache line is what a switch and a shuffle touch.
struct alignas(64) Fibre {
  boost::context::detail::fcontext_t context;
  uint8_t *stack;
  uint32_t thread;
  State state;
  /// The op at which the fibre waits, by its number in the kernel, to
  /// distinguish two barriers.
  uint32_t site;
  // Operands of the op at which it waits.
  uint32_t value, mask, count;
  const void *row;
  uint32_t *registers;
  bool isTransposed;
  MmaOperands operands;
  std::vector<Copy> copies;
  uint32_t committedGroups;
};

} // namespace corellama

#endif // CORELLAMA_TEST_EMULATOR_FIBRE_H
