//===- CUDAStepToLaunches.cpp - what the host does in a step --------------===//
//
// vector -> llvm. A step becomes a function of the host that launches kernel
// after kernel. Barriers are dropped: launches run in order, so each sees all
// writes of those before it. For a CPU see passes/CPU/CPUStepToWorkers.cpp.
//
//===----------------------------------------------------------------------===//

#include "dialects/CUDA/IR/CUDADialect.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "passes/CUDA/DeviceNames.h"
#include "passes/CUDA/Passes.h"
#include "passes/Context/StepFunctions.h"

namespace corellama::cuda {
#define GEN_PASS_DEF_CUDASTEPTOLAUNCHES
#include "passes/CUDA/Passes.h.inc"
} // namespace corellama::cuda

using namespace mlir;
using namespace corellama;

namespace {

constexpr llvm::StringLiteral kLaunch = "corellama_launch";

struct CUDAStepToLaunches
    : corellama::cuda::impl::CUDAStepToLaunchesBase<CUDAStepToLaunches> {
  void runOnOperation() override {
    ModuleOp module = getOperation();
    if (failed(context::verifySteps(module)))
      return signalPassFailure();
    SmallVector<func::FuncOp> kernels = context::kernelsOf(module);
    if (failed(verifyWorkgroup(module)))
      return signalPassFailure();
    for (func::FuncOp kernel : kernels) {
      if (!kernel->hasAttr(llama::kScratchAttr) ||
          kernel.getNumArguments() != 2) {
        kernel.emitOpError() << "is not yet a function of (context, layer); "
                                "run tile-to-vector-cuda first";
        return signalPassFailure();
      }
      if (!strategyOf(kernel)) {
        kernel.emitOpError() << "has no strategy of a GPU, which says how many "
                                "threads a block has; run llama-plan-kernels "
                                "for a GPU";
        return signalPassFailure();
      }
    }
    describe(module, kernels);
    for (func::FuncOp kernel : kernels) {
      context::writePartsFunction(kernel);
      // Named by the program's table.
      kernel.setPublic();
    }
    declareLaunch(module);
    Type pointer = LLVM::LLVMPointerType::get(module.getContext());
    context::openSteps(
        module, {pointer, pointer},
        [&](ImplicitLocOpBuilder &b, Operation *op, ValueRange arguments) {
          // Barriers are only erased.
          if (auto run = dyn_cast<llama::DispatchOp>(op))
            writeLaunch(b, run, kernels, arguments[0], arguments[1]);
        });
  }

  /// Accesses past a block's `llama.scratch` bytes are out of bounds.
  static LogicalResult verifyWorkgroup(ModuleOp module) {
    WalkResult result = module.walk([](corellama::cuda::SharedOp op) {
      auto kernel = op->getParentOfType<func::FuncOp>();
      auto bytes = kernel->getAttrOfType<IntegerAttr>(llama::kScratchAttr);
      if (bytes && op.getEnd() <= bytes.getInt())
        return WalkResult::advance();
      op.emitOpError() << "ends at byte " << op.getEnd() << ", '"
                       << kernel.getName() << "' has "
                       << (bytes ? bytes.getInt() : 0)
                       << " bytes of workgroup memory (llama.scratch)";
      return WalkResult::interrupt();
    });
    return failure(result.wasInterrupted());
  }

  static corellama::cuda::StrategyAttr strategyOf(func::FuncOp kernel) {
    return kernel->getAttrOfType<corellama::cuda::StrategyAttr>(
        llama::kStrategyAttr);
  }

  /// The attributes from which the program's descriptor is made. With
  /// `launches` it is a DeviceProgram.
  static void describe(ModuleOp module, ArrayRef<func::FuncOp> kernels) {
    Builder b(module.getContext());
    SmallVector<Attribute> rows;
    for (func::FuncOp kernel : kernels)
      rows.push_back(context::describeKernel(
          kernel,
          b.getNamedAttr("threads", b.getI64IntegerAttr(
                                        strategyOf(kernel).getThreads()))));
    module->setAttr(llama::kKernelsAttr, b.getArrayAttr(rows));
    SmallVector<NamedAttribute> more = {
        b.getNamedAttr("launches", b.getUnitAttr())};
    if (auto choose =
            module.lookupSymbol<llama::StepOp>(corellama::cuda::kChooseStep))
      more.push_back(b.getNamedAttr(
          "choose", FlatSymbolRefAttr::get(
                        module.getContext(),
                        context::functionNameOf(choose.getSymName()))));
    module->setAttr(llama::kProgramAttr,
                    context::describeProgram(module, more));
  }

  /// The function of runtime/ABI/Device.h.
  static void declareLaunch(ModuleOp module) {
    OpBuilder b = OpBuilder::atBlockEnd(module.getBody());
    Type pointer = LLVM::LLVMPointerType::get(module.getContext());
    func::FuncOp::create(b, module.getLoc(), kLaunch,
                         b.getFunctionType({pointer, b.getI32Type(), pointer,
                                            b.getI32Type(), b.getI64Type()},
                                           {}))
        .setPrivate();
  }

  static void writeLaunch(ImplicitLocOpBuilder &b, llama::DispatchOp run,
                          ArrayRef<func::FuncOp> kernels, Value context,
                          Value device) {
    context::forEachCallee(b, run, [&](StringRef kernel, Value layer) {
      auto *at = llvm::find_if(kernels, [&](func::FuncOp other) {
        return other.getName() == kernel;
      });
      Value number =
          arith::ConstantIntOp::create(b, b.getI32Type(), at - kernels.begin());
      // Sized for the capacity: between two replays of a CUDA graph the number
      // of keys may change, the sizes of its grids may not.
      Value blocks =
          context::callParts(b, kernel, context, context::Field::Capacity);
      func::CallOp::create(b, kLaunch, TypeRange{},
                           ValueRange{device, number, context, layer, blocks});
    });
  }
};

} // namespace
