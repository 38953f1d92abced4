//===- NativeFunction.h - a compiled function, in memory ------------------===//
//
// The kernels of a function with all that they read and write: weights in their
// layouts, buffers, cache, RoPE's table. Called as a program of one worker
// calls them: kernel after kernel, the parts of each in order.
//
//===----------------------------------------------------------------------===//

#ifndef CORELLAMA_COMPILER_NATIVE_NATIVEFUNCTION_H
#define CORELLAMA_COMPILER_NATIVE_NATIVEFUNCTION_H

#include "compiler/Native/NativeModule.h"
#include "compiler/Runner/KernelContext.h"
#include "compiler/Runner/Runner.h"
#include "dialects/Llama/Reference/Evaluator.h"

namespace corellama {

class NativeFunction {
public:
  /// Loads the code and fills in arguments and weights. The cache is empty:
  /// what nobody appended is not a number, or zero if `fillCache`.
  static llvm::Expected<NativeFunction>
  load(NativeModule module, llama::reference::WeightSource *weights,
       llvm::ArrayRef<llama::reference::Datum> arguments, bool fillCache);

  size_t kernelCount() const { return kernels.size(); }
  llvm::StringRef kernelName(size_t kernel) const {
    return module.kernels[kernel];
  }
  void runKernel(size_t kernel) { context.run(*kernels[kernel], /*layer=*/0); }
  /// All kernels, once.
  void run();

  /// What the last run has left, in the order of the function's results.
  llvm::Expected<std::vector<llama::reference::Datum>>
  results(llvm::ArrayRef<llama::reference::Datum> arguments) const;

private:
  NativeFunction(NativeModule module, RunnerModule code, KernelContext context)
      : module(std::move(module)), code(std::move(code)),
        context(std::move(context)) {}

  NativeModule module;
  RunnerModule code;
  KernelContext context;
  std::vector<const abi::Kernel *> kernels;
};

} // namespace corellama

#endif // CORELLAMA_COMPILER_NATIVE_NATIVEFUNCTION_H
