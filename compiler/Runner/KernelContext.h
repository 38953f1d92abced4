//===- KernelContext.h - memory for calls of a kernel ---------------------===//
//
// Owns the memory that abi::Context points to, aligned as generated code
// expects it: a test fills in bytes and calls a kernel. A file apart from
// Runner.h because a test may call hand-written kernels on it too.
//
//===----------------------------------------------------------------------===//

#ifndef CORELLAMA_COMPILER_RUNNER_KERNELCONTEXT_H
#define CORELLAMA_COMPILER_RUNNER_KERNELCONTEXT_H

#include "runtime/ABI/Image.h"
#include "runtime/ABI/Kernel.h"
#include "llvm/ADT/ArrayRef.h"
#include <random>
#include <utility>
#include <vector>

namespace corellama {

/// Zeroed bytes at a multiple of 64, between two pages that cannot be accessed:
/// the one behind begins where they end (rounded up to 64), so that a kernel
/// that reads past a tail crashes instead of reading what happens to be there.
class AlignedBytes {
public:
  AlignedBytes() = default;
  explicit AlignedBytes(size_t bytes);
  AlignedBytes(AlignedBytes &&other) { *this = std::move(other); }
  AlignedBytes &operator=(AlignedBytes &&other) {
    std::swap(mapping, other.mapping);
    std::swap(mapped, other.mapped);
    std::swap(first, other.first);
    std::swap(bytes, other.bytes);
    return *this;
  }
  ~AlignedBytes();
  uint8_t *data() const { return first; }
  size_t size() const { return bytes; }
  template <typename T> T *as() const { return reinterpret_cast<T *>(first); }

private:
  /// With both pages.
  uint8_t *mapping = nullptr;
  size_t mapped = 0;
  uint8_t *first = nullptr;
  size_t bytes = 0;
};

/// Memory that a kernel may touch, under its name in abi::Context.
struct MemoryRange {
  const char *name;
  uint8_t *begin;
  size_t bytes;
  bool writable;
  /// Whether no kernel of any launch writes it.
  bool constant = false;
};

/// The size of each buffer; zero means that the kernel does not use it.
struct KernelContextSizes {
  size_t weightBytes = 0;
  size_t workspaceBytes = 0;
  /// Of all layers and heads, for the whole capacity; in rings for theirs.
  size_t keyBytes = 0;
  size_t valueBytes = 0;
  /// Floats in one position's row of RoPE's table, and the number of positions.
  size_t ropeRow = 0;
  uint64_t capacity = abi::kCacheBlock;
  /// The positions that RoPE's table has: all, or those of one call.
  uint64_t ropeFirst = 0, ropePositions = 0;
  size_t scratchBytes = 0;
};

/// The buffers of one context. Everything starts as zero.
class KernelContext {
public:
  explicit KernelContext(const KernelContextSizes &sizes);

  AlignedBytes weights, workspace, keys, values, rope, scratch;
  std::vector<uint64_t> offsets;
  /// As abi::Context has them.
  std::vector<uint64_t> regions;
  std::vector<int32_t> tokens;
  /// What a head is asked for.
  std::vector<int32_t> wanted;

  /// Sets rows, their consecutive positions and the number of keys after them.
  void setRows(uint64_t rows, uint64_t firstPosition);

  /// Fills RoPE's table as runtime/ABI/Image.h has it, for its positions, from
  /// the frequencies that an image would hold.
  void fillRope(llvm::ArrayRef<abi::PairRotation> pairs);

  /// Fills workspace and cache with bits that are NaN in every type, so that a
  /// read of unwritten memory shows.
  void poison();

  /// The context as a kernel gets it; valid as long as nothing here is resized.
  abi::Context context() const;

  /// All memory that context() points to; valid as long as it is.
  std::vector<MemoryRange> ranges() const;

  /// Computes all parts of a kernel in one call, as a single worker would.
  void run(const abi::Kernel &kernel, uint32_t layer);

  /// Computes them one at a time in a random order, each call on scratch memory
  /// that holds garbage: a part's result must not depend on either.
  void runShuffled(const abi::Kernel &kernel, uint32_t layer,
                   std::mt19937 &random);

private:
  std::vector<int32_t> positions;
  uint64_t rows = 1;
  uint64_t keyCount = 1;
  uint64_t capacity;
  uint64_t ropeFirst, ropePositions;
  size_t ropeRow;
};

} // namespace corellama

#endif // CORELLAMA_COMPILER_RUNNER_KERNELCONTEXT_H
