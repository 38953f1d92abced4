//===- LoadedKernels.cpp - compiled kernels of any target, to be called ---===//
//
// See LoadedKernels.h.
//
//===----------------------------------------------------------------------===//

#include "test/passes/Testing/LoadedKernels.h"
#include "compiler/Runner/Runner.h"
#include "test/emulator/EmulatorModule.h"

using namespace corellama;
using namespace corellama::test;

static llvm::Error noKernel(llvm::StringRef name) {
  return llvm::createStringError("there is no kernel " + name);
}

namespace {

class CPUKernels : public LoadedKernels {
public:
  explicit CPUKernels(RunnerModule runner) : runner(std::move(runner)) {}

  std::vector<std::string> names() const override {
    std::vector<std::string> names;
    for (const abi::Kernel &kernel : runner.kernels())
      names.push_back(kernel.name);
    return names;
  }
  uint64_t workspaceBytes() const override {
    return runner.program().workspaceBytes;
  }
  uint64_t scratchBytes() const override {
    return runner.program().scratchBytes;
  }
  llvm::Error run(llvm::StringRef name, uint32_t layer, KernelContext &context,
                  std::mt19937 &random, bool) override {
    const abi::Kernel *kernel = runner.lookup(name);
    if (!kernel)
      return noKernel(name);
    context.runShuffled(*kernel, layer, random);
    return llvm::Error::success();
  }

private:
  RunnerModule runner;
};

class EmulatorKernels : public LoadedKernels {
public:
  explicit EmulatorKernels(EmulatorModule module) : module(std::move(module)) {}

  std::vector<std::string> names() const override {
    std::vector<std::string> names;
    for (const abi::DeviceKernel &kernel : module.kernels())
      names.push_back(kernel.name);
    return names;
  }
  uint64_t workspaceBytes() const override {
    return module.program().workspaceBytes;
  }
  llvm::Error run(llvm::StringRef name, uint32_t layer, KernelContext &context,
                  std::mt19937 &random, bool findConflicts) override {
    if (!module.lookup(name))
      return noKernel(name);
    EmulatorOptions options;
    options.seed = random();
    options.findConflicts = findConflicts;
    options.overlaps = true;
    return module.run(name, context, layer, options);
  }
  const EmulatorModule *emulated() const override { return &module; }

private:
  EmulatorModule module;
};

} // namespace

llvm::Expected<std::unique_ptr<LoadedKernels>>
test::loadKernels(mlir::ModuleOp module, bool emulated) {
  if (!emulated) {
    auto runner = RunnerModule::load(module);
    if (!runner)
      return runner.takeError();
    return std::make_unique<CPUKernels>(std::move(*runner));
  }
  auto kernels = EmulatorModule::load(module);
  if (!kernels)
    return kernels.takeError();
  return std::make_unique<EmulatorKernels>(std::move(*kernels));
}
