//===- Kernel.h - what generated code and the runtime agree on ------------===//
//
// The calling convention between generated code (object code that the compiler
// emits) and whoever calls it: the runtime in a program, the Runner in a tool
// or a test. It has no dependency but <stdint.h>, because both sides include
// it: code generation reads the offsets of the fields, the runtime fills them.
//
// One rule shapes the context: generated code finds every address in it, so an
// object needs no relocation into the image, which may be far beyond 4 GiB.
//
//===----------------------------------------------------------------------===//

#ifndef CORELLAMA_RUNTIME_ABI_KERNEL_H
#define CORELLAMA_RUNTIME_ABI_KERNEL_H

#include <cstddef>
#include <cstdint>

namespace corellama::abi {

/// Raised whenever a struct of this folder changes its meaning; the runtime
/// refuses generated code of another version.
inline constexpr uint32_t kVersion = 12;

/// Positions of the cache come in blocks of this many keys; capacities are
/// multiples of it. So do, on a CPU, those that attention computes alone and
/// then merges: the scores of a block for a tile of rows (8 x 256 floats, 8
/// KiB) stay in a core's first-level cache and merging is a small share of the
/// work. A GPU, which wants more parts, has blocks of a divisor of it.
inline constexpr uint64_t kCacheBlock = 256;

/// Rows that a head is asked for at once, at most. Their logits are one
/// product, which reads the head's weight once: eight are the rows of one
/// register tile on a CPU with 512-bit vectors, and as many ids are drafted at
/// once, or sequences answered, before the head would be bound by arithmetic.
inline constexpr uint64_t kWantedRows = 8;

/// What a kernel may read and write. One for each call of a step; constant
/// while the step runs. All pointers are at least 64-byte aligned.
struct Context {
  /// First byte of the weights in the image.
  const uint8_t *weights;
  /// Byte offset from `weights` of each weight: offsets[index + layer], where
  /// index is the one that `schedule` stamped on the weight's reference.
  const uint64_t *offsets;
  /// The buffers of the steps; Program::workspaceBytes long.
  uint8_t *workspace;
  /// The keys and the values of the cache: for each block of kCacheBlock
  /// positions, for each layer and head of keys and values, those positions in
  /// the layout the program was compiled for. Where layers have rings (Image.h)
  /// each layer has such blocks of its own, of `capacity` positions or those of
  /// its ring. keyBytes and valueBytes are for one position of all heads of a
  /// layer.
  uint8_t *keys;
  uint8_t *values;
  /// The RoPE table, Image.h: ropeRow floats a position: cosines, then sines.
  const float *rope;
  /// Token ids and positions of this call's rows; positions are consecutive.
  const int32_t *tokens;
  const int32_t *positions;
  /// Rows of this step, at most Entry::rows: of the call, or wanted ones in a
  /// head's.
  uint64_t rows;
  /// Positions that are filled once this call has appended its own: the last
  /// position + 1.
  uint64_t keyCount;
  /// Positions that the cache has room for, a multiple of kCacheBlock.
  uint64_t capacity;
  /// What a head's step reads: `rows` rows of the last call, in any order.
  const int32_t *wanted;
  /// Passed through to corellama_dispatch and corellama_barrier; on a device a
  /// Choice (Device.h).
  void *threads;
  /// Where the regions of layers begin in `keys` and `values`, in positions of
  /// one head. Read by programs with rings alone.
  const uint64_t *regions;
};

/// Computes parts [begin, end) of a kernel for one layer. `scratch` is the
/// calling worker's own memory, Kernel::scratchBytes long, 64-byte aligned. A
/// worker's `first` call of a dispatch prepares there what all parts read; the
/// calls behind it, on the same scratch, find it.
using KernelFunction = void (*)(const Context *, void *scratch, uint32_t layer,
                                uint32_t begin, uint32_t end, uint32_t first);

/// How many parts a kernel has in a call of `rows` rows and `keys` positions.
using PartsFunction = uint64_t (*)(uint64_t rows, uint64_t keys);

/// One step, of a form or of a head, as worker `worker` sees it: dispatches and
/// barriers, of which the context's numbers decide how many there are. All
/// workers call it with the same context; the step has ended when all parts of
/// its dispatches are computed.
using StepFunction = void (*)(const Context *, void *scratch, uint32_t worker);

/// A compiled kernel, alone: what a test or a profiler needs to know of it.
struct Kernel {
  const char *name;
  KernelFunction function;
  PartsFunction parts;
  uint64_t scratchBytes;
};

/// A step and the most rows that it is called with. Lists of entries stand with
/// ascending bounds; all entries of a list do the same to a row that they have
/// room for.
struct Entry {
  const char *name;
  uint64_t rows;
  StepFunction step;
};

/// The first of `count` entries that has room for `rows` rows, or null.
template <typename AnyEntry>
constexpr const AnyEntry *findEntry(const AnyEntry *entries, uint64_t count,
                                    uint64_t rows) {
  for (uint64_t i = 0; i < count; ++i)
    if (rows <= entries[i].rows)
      return &entries[i];
  return nullptr;
}

/// The code of a model for one target: `corellama_program`. A program may hold
/// the code of several, over one image: corellama_programs lists them.
struct Program {
  uint32_t version;
  uint32_t reserved;
  /// The target's name as it was asked for, and the CPU features that the code
  /// uses, in LLVM's spelling, separated by commas.
  const char *target;
  const char *features;
  /// The forms of the model, at least one in a program, and of its head.
  const Entry *entries;
  uint64_t entryCount;
  const Entry *lmHeads;
  uint64_t lmHeadCount;
  const Kernel *kernels;
  uint64_t kernelCount;
  /// Bytes of the workspace, and of the scratch memory of each worker.
  uint64_t workspaceBytes;
  uint64_t scratchBytes;
  /// Where a head leaves `vocabulary` float32 logits for each of its rows, in
  /// the workspace.
  uint64_t logitsOffset;
};

} // namespace corellama::abi

extern "C" {
/// The one symbol of generated code that the runtime refers to: the code of
/// each target, that which is to be preferred first, and a null.
extern const corellama::abi::Program *const corellama_programs[];

/// Defined by runtime/Threads: computes those of the kernel's `parts` that fall
/// to this worker, and returns when none is left that nobody has begun.
void corellama_dispatch(void *threads, uint32_t worker,
                        corellama::abi::KernelFunction kernel,
                        const corellama::abi::Context *, void *scratch,
                        uint32_t layer, uint64_t parts);

/// Defined by runtime/Threads: returns when the dispatches before it are
/// computed, by whichever worker. What they wrote is seen after it.
void corellama_barrier(void *threads, uint32_t worker);
}

#endif // CORELLAMA_RUNTIME_ABI_KERNEL_H
