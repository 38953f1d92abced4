//===- Runner.h - compiled kernels, loaded into this process --------------===//
//
// The one way to execute generated code in a tool or a test: an object is made
// as for a program, linked to a shared library and loaded; kernels are called
// through the ABI. There is no second code generator (a JIT), so a test runs
// the same code as a program; only what no program runs, the study's linalg,
// has one (compiler/Native/StudyFunction.cpp). Only kernels can be called:
// steps need threads, which only programs have.
//
//===----------------------------------------------------------------------===//

#ifndef CORELLAMA_COMPILER_RUNNER_RUNNER_H
#define CORELLAMA_COMPILER_RUNNER_RUNNER_H

#include "compiler/Runner/SharedObject.h"
#include "dialects/Llama/IR/LlamaDialect.h"
#include "runtime/ABI/Kernel.h"
#include "llvm/ADT/ArrayRef.h"
#include "llvm/Support/Error.h"
#include <string>

namespace corellama {

/// The kernels of one module. They stay loaded as long as this lives.
/// Whether code for `target` runs on this CPU; otherwise `missing` lists the
/// features that it lacks, "avx512f, avx512bw".
bool hostSupports(llama::TargetInterface target, std::string &missing);

class RunnerModule {
public:
  /// Compiles a module at phase llvm (CodeGen.h says what it must hold) and
  /// loads it. The caller checks that this machine has the target's features
  /// (hostSupports).
  static llvm::Expected<RunnerModule> load(mlir::ModuleOp module);

  const abi::Program &program() const { return *descriptor; }
  llvm::ArrayRef<abi::Kernel> kernels() const {
    return {descriptor->kernels, descriptor->kernelCount};
  }
  /// Null where there is no kernel of this name.
  const abi::Kernel *lookup(llvm::StringRef name) const;

private:
  RunnerModule(SharedObject object, const abi::Program *descriptor)
      : object(std::move(object)), descriptor(descriptor) {}

  SharedObject object;
  const abi::Program *descriptor;
};

} // namespace corellama

#endif // CORELLAMA_COMPILER_RUNNER_RUNNER_H
