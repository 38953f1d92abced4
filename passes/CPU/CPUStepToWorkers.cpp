//===- CPUStepToWorkers.cpp - what each worker does in a step -------------===//
//
// vector -> llvm. A step, whose workers are implicit, becomes a function that
// every worker calls with its number. It is lowered this late because the same
// step becomes launches on a GPU (passes/CUDA/CUDAStepToLaunches.cpp).
//
//===----------------------------------------------------------------------===//

#include "dialects/CPU/IR/CPUDialect.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "passes/CPU/Passes.h"
#include "passes/Context/StepFunctions.h"

namespace corellama::cpu {
#define GEN_PASS_DEF_CPUSTEPTOWORKERS
#include "passes/CPU/Passes.h.inc"
} // namespace corellama::cpu

using namespace mlir;
using namespace corellama;
using namespace corellama::cpu;

namespace {

constexpr llvm::StringLiteral kDispatch = "corellama_dispatch",
                              kBarrier = "corellama_barrier";

/// A kernel's arguments, see runtime/ABI/Kernel.h.
constexpr unsigned kKernelArguments = 6;

/// The ops that replace dispatches and barriers. A worker is the arguments of a
/// step: context, scratch and its number.
struct StepWriter {
  ModuleOp module;
  Type pointer, i32, i64;

  explicit StepWriter(ModuleOp module)
      : module(module),
        pointer(LLVM::LLVMPointerType::get(module.getContext())),
        i32(IntegerType::get(module.getContext(), 32)),
        i64(IntegerType::get(module.getContext(), 64)) {}

  FunctionType kernelType() {
    return FunctionType::get(module.getContext(),
                             {pointer, pointer, i32, i32, i32, i32}, {});
  }

  void declareRuntime() {
    OpBuilder b = OpBuilder::atBlockEnd(module.getBody());
    auto declare = [&](StringRef name, TypeRange arguments) {
      func::FuncOp::create(b, module.getLoc(), name,
                           b.getFunctionType(arguments, {}))
          .setPrivate();
    };
    declare(kDispatch,
            {pointer, i32, kernelType(), pointer, pointer, i32, i64});
    declare(kBarrier, {pointer, i32});
  }

  static Value threadsOf(ImplicitLocOpBuilder &b, ValueRange worker) {
    return context::FieldOp::create(b,
                                    LLVM::LLVMPointerType::get(b.getContext()),
                                    worker[0], context::Field::Threads);
  }

  void writeDispatch(ImplicitLocOpBuilder &b, StringRef kernel, Value layer,
                     ValueRange worker) {
    Value parts =
        context::callParts(b, kernel, worker[0], context::Field::KeyCount);
    Value function = func::ConstantOp::create(b, kernelType(), kernel);
    func::CallOp::create(b, kDispatch, TypeRange{},
                         ValueRange{threadsOf(b, worker), worker[2], function,
                                    worker[0], worker[1], layer, parts});
  }

  void writeBarrier(ImplicitLocOpBuilder &b, ValueRange worker) {
    func::CallOp::create(b, kBarrier, TypeRange{},
                         ValueRange{threadsOf(b, worker), worker[2]});
  }
};

/// The attributes from which the program's descriptor is made.
void describe(ModuleOp module, ArrayRef<func::FuncOp> kernels) {
  Builder b(module.getContext());
  int64_t scratch = 0;
  SmallVector<Attribute> rows;
  for (func::FuncOp kernel : kernels) {
    auto bytes = kernel->getAttrOfType<IntegerAttr>(llama::kScratchAttr);
    scratch = std::max(scratch, bytes.getInt());
    rows.push_back(context::describeKernel(kernel));
  }
  module->setAttr(llama::kKernelsAttr, b.getArrayAttr(rows));
  module->setAttr(llama::kProgramAttr,
                  context::describeProgram(
                      module, b.getNamedAttr("scratch_bytes",
                                             b.getI64IntegerAttr(scratch))));
}

struct CPUStepToWorkers : cpu::impl::CPUStepToWorkersBase<CPUStepToWorkers> {
  void runOnOperation() override {
    ModuleOp module = getOperation();
    if (failed(context::verifySteps(module)))
      return signalPassFailure();
    SmallVector<func::FuncOp> kernels = context::kernelsOf(module);
    for (func::FuncOp kernel : kernels) {
      if (!kernel->hasAttr(llama::kScratchAttr) ||
          kernel.getNumArguments() != kKernelArguments) {
        kernel.emitOpError()
            << "is not yet a function of (context, scratch, layer, begin, end, "
               "first); run tile-to-vector-cpu and cpu-prologue-once first";
        return signalPassFailure();
      }
      context::writePartsFunction(kernel);
      // Seen by profilers and by the program's table of kernels.
      kernel.setPublic();
    }
    describe(module, kernels);

    StepWriter writer(module);
    writer.declareRuntime();
    context::openSteps(
        module, {writer.pointer, writer.pointer, writer.i32},
        [&](ImplicitLocOpBuilder &b, Operation *op, ValueRange worker) {
          auto run = dyn_cast<llama::DispatchOp>(op);
          if (!run)
            return writer.writeBarrier(b, worker);
          context::forEachCallee(b, run, [&](StringRef kernel, Value layer) {
            writer.writeDispatch(b, kernel, layer, worker);
          });
        });
  }
};

} // namespace
