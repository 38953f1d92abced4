//===- LoadedKernels.h - compiled kernels of any target, to be called -----===//
//
// What a test needs of kernels that are loaded, whether a worker of a CPU calls
// them part by part or the emulator plays the threads of a GPU.
//
//===----------------------------------------------------------------------===//

#ifndef CORELLAMA_TEST_PASSES_TESTING_LOADEDKERNELS_H
#define CORELLAMA_TEST_PASSES_TESTING_LOADEDKERNELS_H

#include "compiler/Runner/KernelContext.h"
#include "mlir/IR/BuiltinOps.h"
#include <memory>
#include <string>
#include <vector>

namespace corellama {
class EmulatorModule;
} // namespace corellama

namespace corellama::test {

class LoadedKernels {
public:
  virtual ~LoadedKernels() = default;

  virtual std::vector<std::string> names() const = 0;
  virtual uint64_t workspaceBytes() const = 0;
  /// Of a worker of a CPU.
  virtual uint64_t scratchBytes() const { return 0; }

  /// Computes all parts of a kernel, in an order that `random` decides: of
  /// parts on a CPU, of blocks and threads on a GPU. An error says what the
  /// kernel did that it may not, where the device can tell; on a GPU with
  /// `findConflicts` also which accesses have no order.
  virtual llvm::Error run(llvm::StringRef kernel, uint32_t layer,
                          KernelContext &context, std::mt19937 &random,
                          bool findConflicts) = 0;

  /// Kernels of a GPU, for tests that ask more of the emulator; else null.
  virtual const EmulatorModule *emulated() const { return nullptr; }
};

/// Compiles a module of phase llvm and loads it; `emulated` as in ModelChoice.
llvm::Expected<std::unique_ptr<LoadedKernels>>
loadKernels(mlir::ModuleOp module, bool emulated);

} // namespace corellama::test

#endif // CORELLAMA_TEST_PASSES_TESTING_LOADEDKERNELS_H
