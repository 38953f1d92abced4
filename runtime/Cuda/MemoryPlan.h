//===- MemoryPlan.h - what a program takes of a GPU's memory --------------===//
//
// All sizes, known before anything is allocated: a program that does not fit is
// refused with its numbers, and --plan prints them without a GPU.
//
//===----------------------------------------------------------------------===//

#ifndef CORELLAMA_RUNTIME_CUDA_MEMORYPLAN_H
#define CORELLAMA_RUNTIME_CUDA_MEMORYPLAN_H

#include "runtime/ABI/Device.h"
#include "runtime/KVCache/KVCacheShape.h"
#include "runtime/Weights/MappedImage.h"

#include <optional>
#include <string>

namespace corellama::runtime::cuda {

/// What is left free for what the driver takes later, of its own accord: it
/// keeps graphs on the device, which are made when a model has started. They
/// have five times a step's kernels, some 2600 of a model of 64 layers. 8 KiB
/// each, twice the largest list of parameters that a kernel can have, are 21
/// MiB; nobody could measure it here, so three times that.
inline constexpr uint64_t kGraphMargin = uint64_t(64) << 20;

/// What a call brings, side by side in one copy: lists of int32_t. Offsets are
/// bytes.
struct CallBlock {
  /// Of a step: ids, then positions. Of a head: the wanted rows, and no second
  /// list.
  uint64_t secondList = 0;
  uint64_t bytes = 0;

  static CallBlock of(uint64_t lists, uint64_t rows);
};

/// What the token loop has, side by side: abi::Choice, its steps' lists of one
/// row, a bit for each id that ends an answer, and
/// behind what is copied to the device the lists of its kernels. Offsets are
/// bytes.
struct LoopBlock {
  uint64_t token = 0, position = 0, wanted = 0, ends = 0;
  uint64_t copied = 0;
  uint64_t bytes = 0;

  static LoopBlock of(uint64_t vocabulary);
};

struct MemoryPlan {
  KVCacheShape cache;
  CallBlock step, head;
  /// Empty where the program has no code that chooses.
  LoopBlock loop;

  /// Bytes of each kind.
  uint64_t weights = 0;
  uint64_t keys = 0, values = 0;
  uint64_t workspace = 0;
  uint64_t rope = 0;
  /// Offsets of the weights; these with regions of the cache and the calls.
  uint64_t offsets = 0, tables = 0;

  /// What a position more takes; layers with a ring have no part in it.
  uint64_t keysEach = 0, valuesEach = 0, ropeEach = 0;

  /// For a cache of `context` positions.
  static Result<MemoryPlan> create(const abi::DeviceProgram &program,
                                   const MappedImage &image, uint64_t context);

  uint64_t all() const {
    return weights + keys + values + workspace + rope + tables;
  }
  /// What the driver takes for it where the cache has `tokens` positions, at
  /// most its capacity: each allocation is whole pages.
  uint64_t taken(uint64_t tokens) const;
  /// Whether it fits `free` bytes, and the margin; the error has the numbers.
  std::optional<Error> check(uint64_t free, const std::string &device) const;
};

/// "3.42 GiB", or "12.00 MiB" below one of them.
std::string formatBytes(uint64_t bytes);

} // namespace corellama::runtime::cuda

#endif // CORELLAMA_RUNTIME_CUDA_MEMORYPLAN_H
