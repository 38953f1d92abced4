//===- EmulatorDevice.h - a GPU of one core, on the emulator --------------===//
//
// Executes launches of kernels that cuda-to-emulator lowered: block after
// block, each thread of a block a fibre that runs until it must wait for
// others. Faults that on a GPU cause a hang, a fault or an occasional wrong
// number are errors here: a barrier that not all threads reach, a shuffle in a
// part of a warp, an access out of bounds, two accesses without order
// (EmulatorMemory.h).
//
// It does not emulate weak memory between blocks, because blocks of a launch
// may not communicate.
//
//===----------------------------------------------------------------------===//

#ifndef CORELLAMA_TEST_EMULATOR_EMULATORDEVICE_H
#define CORELLAMA_TEST_EMULATOR_EMULATORDEVICE_H

#include "runtime/ABI/Device.h"
#include "test/emulator/EmulatorMemory.h"
#include "test/emulator/EmulatorTraffic.h"
#include "llvm/Support/Error.h"
#include <optional>

namespace corellama {

/// What is wrong with a kernel in a test.
struct EmulatorFault {
  /// The number of the kernel, and the site of a barrier, copy_commit,
  /// copy_wait or wait_previous of it (EmulatorABI.h).
  uint32_t kernel, site;
  enum Kind {
    /// Threads pass the op as if it were not there.
    LeftOut,
    /// A copy_wait waits for one group less.
    WaitsForLess,
  } kind = LeftOut;
};

struct EmulatorOptions {
  /// Runs blocks in an order that it decides, and at each point where threads
  /// wait, which one goes on. Without it: ascending.
  std::optional<uint64_t> seed;
  /// Off only to time kernels, or to see what a conflict does.
  bool findConflicts = true;
  std::optional<EmulatorFault> fault = {};
  /// Launches begin before those before them have ended.
  bool overlaps = false;
  /// Counts what launches ask memory for, and decides which blocks run.
  EmulatorTraffic *traffic = nullptr;
};

/// One thread of this process may use it at a time.
class EmulatorDevice {
public:
  /// `kernels` have code for the emulator; `ranges` is all memory that they may
  /// touch besides their workgroup memory. Both outlive the device.
  EmulatorDevice(llvm::ArrayRef<abi::DeviceKernel> kernels,
                 llvm::ArrayRef<MemoryRange> ranges,
                 EmulatorOptions options = {});
  ~EmulatorDevice();
  EmulatorDevice(const EmulatorDevice &) = delete;

  /// Runs blocks [0, blocks) of a kernel. `overlaps` is of this launch.
  llvm::Error launch(uint32_t kernel, const abi::Context &context,
                     uint32_t layer, uint64_t blocks, bool overlaps = false);

  /// Runs a step of generated code. Once a launch has failed, those after it do
  /// nothing.
  llvm::Error run(abi::DeviceStepFunction step, const abi::Context &context);

  /// What the functions of EmulatorABI.h and corellama_launch call.
  class Impl;

private:
  std::unique_ptr<Impl> impl;
};

} // namespace corellama

#endif // CORELLAMA_TEST_EMULATOR_EMULATORDEVICE_H
