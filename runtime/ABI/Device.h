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

/// One thread of one block of a kernel. On a device: the entry point. On the
/// host: what a fibre runs. The context is in the device's memory (see
/// corellama_launch), and threads read it as constant.
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

/// `extern "C" const DeviceProgram corellama_device_program`.
struct DeviceProgram {
  uint32_t version;
  uint32_t reserved;
  const char *target;
  const DeviceEntry *entries;
  uint64_t entryCount;
  const DeviceEntry *lmHeads;
  uint64_t lmHeadCount;
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
/// wrote is seen by it.
///
/// Kernels read the context through a pointer, and as constant
/// (`ld.global.nc`), so they get a copy in the device's memory. Whoever defines
/// this function makes it: from the host's context, in the order of launches,
/// before a step's first one. Nothing may change the copy until the step's last
/// launch has ended, nor the host's context until it is copied. Fibres share
/// the host's memory and read the host's.
void corellama_launch(void *device, uint32_t kernel,
                      const corellama::abi::Context *, uint32_t layer,
                      uint64_t blocks);
}

#endif // CORELLAMA_RUNTIME_ABI_DEVICE_H
