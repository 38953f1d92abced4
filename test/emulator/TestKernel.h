//===- TestKernel.h - a kernel of a test, written by hand -----------------===//
//
// Text of phase vector -> a kernel on the emulator, with memory to call it on.
// A file of its own because tests of what the emulator computes and of what it
// says of accesses without order both write kernels.
//
//===----------------------------------------------------------------------===//

#ifndef CORELLAMA_TEST_EMULATOR_TESTKERNEL_H
#define CORELLAMA_TEST_EMULATOR_TESTKERNEL_H

#include "mlir/IR/OwningOpRef.h"
#include "mlir/Parser/Parser.h"
#include "mlir/Pass/PassManager.h"
#include "test/emulator/EmulatorModule.h"
#include "test/emulator/Passes.h"
#include "test/passes/Testing/TestModel.h"

namespace corellama::test {

/// Lowers and loads a module's contents.
inline llvm::Expected<EmulatorModule> loadBody(const std::string &body) {
  auto module = mlir::parseSourceString<mlir::ModuleOp>(
      "module attributes {llama.target = #cuda.target<name = "
      "\"cuda:sm_80\">} {" +
          body + "}",
      &kernelContext());
  if (!module)
    return llvm::createStringError("the text does not parse");
  mlir::PassManager manager(module->getContext());
  emulator::buildLLVMPasses(manager);
  if (mlir::failed(manager.run(*module)))
    return llvm::createStringError("a pass failed");
  return EmulatorModule::load(*module);
}

/// A kernel with 1024 bytes of workgroup memory. The body has %t and %b,
/// numbers of thread and block, %in and %out, the two halves of 4096 bytes of
/// workspace as float32, and %w, the weights.
inline std::string kernelText(const std::string &name, int blocks, int threads,
                              const std::string &body) {
  return "func.func private @" + name +
         "(%ctx: !llvm.ptr, %layer: i32) attributes {llama.partition = "
         "#llama.partition<rows = [" +
         std::to_string(blocks) +
         "], by = 1>, llama.strategy = #cuda.strategy<unit = #cuda.simt, "
         "threads = " +
         std::to_string(threads) + ">, llama.scratch = 1024 : i64} {" + R"mlir(
    %c0 = arith.constant 0 : index
    %c1 = arith.constant 1 : index
    %c4 = arith.constant 4 : index
    %c16 = arith.constant 16 : index
    %c32 = arith.constant 32 : index
    %c63 = arith.constant 63 : index
    %half = arith.constant 2048 : index
    %t = cuda.thread_id
    %b = cuda.block_id
    %workspace = context.field %ctx workspace : !llvm.ptr -> !llvm.ptr
    %weights = context.field %ctx weights : !llvm.ptr -> !llvm.ptr
    %in = context.view %workspace[%c0] : !llvm.ptr -> memref<512xf32, 1>
    %out = context.view %workspace[%half] : !llvm.ptr -> memref<512xf32, 1>
    %w = context.view %weights[%c0] : !llvm.ptr -> memref<?xi8, 1>
)mlir" + body +
         "return }\n";
}

/// A module of one kernel @k, and memory to call it on.
struct Kernel {
  explicit Kernel(const std::string &body, int blocks = 1, int threads = 64)
      : module(loadBody(kernelText("k", blocks, threads, body))), context([] {
          KernelContextSizes sizes;
          sizes.weightBytes = 256;
          sizes.workspaceBytes = 4096;
          return sizes;
        }()) {
    if (!module)
      failure = llvm::toString(module.takeError());
    for (int i = 0; i < 512; ++i)
      context.workspace.as<float>()[i] = in(i);
    for (size_t i = 0; i < context.weights.size(); ++i)
      context.weights.data()[i] = static_cast<uint8_t>(i);
  }

  /// Sums of these depend on their order.
  static float in(int i) { return 1.0f / static_cast<float>(i + 1); }
  float out(int i) const { return context.workspace.as<float>()[512 + i]; }

  /// The error, or nothing.
  std::string run(EmulatorOptions options = {}) {
    if (!failure.empty())
      return failure;
    return llvm::toString(module->run("k", context, 0, options));
  }
  std::string runUnchecked() {
    EmulatorOptions options;
    options.findConflicts = false;
    return run(options);
  }

  llvm::Expected<EmulatorModule> module;
  KernelContext context;
  std::string failure;
};

inline EmulatorOptions seeded(uint64_t seed) {
  EmulatorOptions options;
  options.seed = seed;
  return options;
}

} // namespace corellama::test

#endif // CORELLAMA_TEST_EMULATOR_TESTKERNEL_H
