//===- Device.h - what generated host code and a device agree on ----------===//
//
// A program for a GPU is kernels for the device and, for the host, one function
// a step that launches them in order. This header is the seam between those
// functions and whoever executes launches: a CUDA stream, or fibres in a test.
//
//===----------------------------------------------------------------------===//

#ifndef CORELLAMA_RUNTIME_ABI_DEVICE_H
#define CORELLAMA_RUNTIME_ABI_DEVICE_H

#include "runtime/ABI/Kernel.h"

namespace corellama::abi {

/// One thread of one block of a kernel. On a device: the entry point, whose
/// first parameter is the context itself. On the host: what a fibre runs.
using ThreadFunction = void (*)(const Context *, uint32_t layer);

/// A kernel of the device.
struct DeviceKernel {
  const char *name;
  /// Its entry point in the device's modules; null where the code is the
  /// host's.
  const char *entry;
  /// Null where the code is the device's.
  ThreadFunction thread;
  /// Blocks of a launch: parts(rows, capacity). The capacity, not the keys that
  /// are there: a captured graph cannot change its grid. A block past the parts
  /// that there are returns at once.
  PartsFunction parts;
  /// Threads of a block, a multiple of 32.
  uint32_t threads;
  /// Bytes of workgroup memory of a block.
  uint32_t sharedBytes;
};

/// Launches all of a step, in order, on `device`. The context is the host's,
/// its addresses are the device's: the function reads `rows` and `capacity`,
/// for the numbers of blocks, and passes the pointer on.
using DeviceStepFunction = void (*)(const Context *, void *device);

/// As Entry.
struct DeviceEntry {
  const char *name;
  uint64_t rows;
  DeviceStepFunction step;
};

/// The number of the first architecture, 9.0, whose launches can overlap. Its
/// kernels, and those of later ones, wait for the launches before theirs by
/// themselves, before they read or write what these do, and let those behind
/// begin; they may be launched either way. Those of earlier ones must be
/// launched one after the other.
inline constexpr int kFirstThatOverlaps = 90;

/// All kernels for one architecture.
struct DeviceModule {
  /// NVIDIA's name: "sm_80" is 8.0. PTX of it runs on that and every later GPU,
  /// a cubin on those with the same first number and that second one or a later
  /// one; what ends in `a` on that alone.
  const char *architecture;
  /// At a multiple of 64. PTX ends in a zero.
  const void *code;
  uint64_t bytes;
  /// 1: a cubin, 0: PTX, which the driver assembles.
  uint64_t isAssembled;
};

/// Ids of which one block of a choice keeps the best, and the most that it
/// keeps: a block has as many threads, each of which reads 8 logits, and in the
/// end a thread for each of these lists. So a device chooses from at most
/// kChoiceIds * kChoiceKept ids.
inline constexpr uint64_t kChoiceIds = 2048;
inline constexpr uint64_t kChoiceKept = 256;
/// How many chosen ids a Choice holds.
inline constexpr uint64_t kChosenIds = 16;

/// An id, and the logit by which it was chosen.
struct ChosenId {
  int32_t id;
  float logit;
};

/// How a device chooses ids, in its memory: at Context::threads of the context
/// that DeviceProgram::choose is launched with. It is runtime/Sampling's choice
/// without bias and penalties, bit for bit. Each field has 8 bytes.
struct Choice {
  /// Ids that may still be chosen. At 0 a launch does nothing; an id of `ends`
  /// sets it to 0.
  uint64_t left;
  /// Ids that were chosen: number i is ids[i % kChosenIds].
  uint64_t count;
  ChosenId ids[kChosenIds];
  /// How many of the largest logits are kept: 1 to kChoiceKept.
  uint64_t kept;
  /// At `kept` 1 no draw depends on it.
  double temperature;
  /// Off at 1 and at 0, or beyond.
  double topP, minP;
  /// The generator's state: one draw an id, none where no logit is above minus
  /// infinity.
  uint64_t random[4];
  /// Bytes from the first of the workspace to the row of logits, and from the
  /// Choice to: a bit for each id, set where none follows it; room for the
  /// lists of blocks, kChoiceKept words each.
  uint64_t logits, ends, lists;
};

/// `extern "C" const DeviceProgram corellama_device_program`.
struct DeviceProgram {
  uint32_t version;
  uint32_t reserved;
  const char *target;
  const DeviceEntry *entries;
  uint64_t entryCount;
  const DeviceEntry *lmHeads;
  uint64_t lmHeadCount;
  /// Behind a head's step of one row: chooses an id and, if another may follow
  /// it, makes it the context's only row: it writes its token and adds 1 to its
  /// position. Null where the vocabulary is too large.
  DeviceStepFunction choose;
  const DeviceKernel *kernels;
  uint64_t kernelCount;
  const DeviceModule *modules;
  uint64_t moduleCount;
  uint64_t workspaceBytes;
  /// Where a head leaves `vocabulary` float32 logits for each of its rows, in
  /// the workspace.
  uint64_t logitsOffset;
};

} // namespace corellama::abi

extern "C" {
/// Defined by generated code: the code of each target, that which is to be
/// preferred first, and a null.
extern const corellama::abi::DeviceProgram *const corellama_device_programs[];

/// Defined by whoever executes: launches `blocks` blocks of kernel number
/// `kernel`. It starts when all launches before it have ended, and what they
/// wrote is seen by it; or before, where it waits for that by itself
/// (kFirstThatOverlaps).
///
/// The context goes by value, into the launch's parameters, which a captured
/// graph keeps: what changes between its launches is in memory that the context
/// points to. So kernels do not read keyCount, which is the last row's position
/// and 1.
void corellama_launch(void *device, uint32_t kernel,
                      const corellama::abi::Context *, uint32_t layer,
                      uint64_t blocks);
}

#endif // CORELLAMA_RUNTIME_ABI_DEVICE_H
