//===- CPUStepToWorkers.cpp - what each worker does in a step -------------===//
//
// vector -> llvm. A step, whose workers are implicit, becomes a function that
// every worker calls with its number. It is lowered this late because the same
// step becomes launches on a GPU (passes/CUDA/CUDAStepToLaunches.cpp).
//
//===----------------------------------------------------------------------===//

#include "dialects/CPU/IR/CPUDialect.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
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

constexpr llvm::StringLiteral kBarrier = "corellama_barrier";

/// The ops that replace dispatches and barriers.
struct StepWriter {
  ModuleOp module;
  Type pointer, i32, i64;

  explicit StepWriter(ModuleOp module)
      : module(module),
        pointer(LLVM::LLVMPointerType::get(module.getContext())),
        i32(IntegerType::get(module.getContext(), 32)),
        i64(IntegerType::get(module.getContext(), 64)) {}

  /// This worker's share of one kernel's parts.
  void writeCall(ImplicitLocOpBuilder &b, StringRef kernel, Value layer,
                 ValueRange worker) {
    Value context = worker[0], scratch = worker[1], number = worker[2],
          workers = worker[3];
    Value parts =
        context::callParts(b, kernel, context, context::Field::KeyCount);
    Value wide = arith::ExtUIOp::create(b, i64, number);
    Value all = arith::ExtUIOp::create(b, i64, workers);
    Value one = arith::ConstantIntOp::create(b, i64, 1);
    auto bound = [&](Value w) -> Value {
      Value share =
          arith::DivUIOp::create(b, arith::MulIOp::create(b, parts, w), all);
      return arith::TruncIOp::create(b, i32, share);
    };
    Value begin = bound(wide);
    Value end = bound(arith::AddIOp::create(b, wide, one));
    Value any = arith::CmpIOp::create(b, arith::CmpIPredicate::ult, begin, end);
    auto work = scf::IfOp::create(b, any, /*withElseRegion=*/false);
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToStart(work.thenBlock());
    func::CallOp::create(b, kernel, TypeRange{},
                         ValueRange{context, scratch, layer, begin, end});
  }

  void writeBarrier(ImplicitLocOpBuilder &b, ValueRange worker) {
    Value threads = context::FieldOp::create(b, pointer, worker[0],
                                             context::Field::Threads);
    func::CallOp::create(b, kBarrier, TypeRange{},
                         ValueRange{threads, worker[2]});
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
          kernel.getNumArguments() != 5) {
        kernel.emitOpError() << "is not yet a function of (context, scratch, "
                                "layer, begin, end); "
                                "run tile-to-vector-cpu first";
        return signalPassFailure();
      }
      context::writePartsFunction(kernel);
      // Seen by profilers and by the program's table of kernels.
      kernel.setPublic();
    }
    describe(module, kernels);

    StepWriter writer(module);
    OpBuilder builder = OpBuilder::atBlockEnd(module.getBody());
    auto barrier = func::FuncOp::create(
        builder, module.getLoc(), kBarrier,
        builder.getFunctionType({writer.pointer, writer.i32}, {}));
    barrier.setPrivate();
    context::openSteps(
        module, {writer.pointer, writer.pointer, writer.i32, writer.i32},
        [&](ImplicitLocOpBuilder &b, Operation *op, ValueRange worker) {
          auto run = dyn_cast<llama::DispatchOp>(op);
          if (!run)
            return writer.writeBarrier(b, worker);
          context::forEachCallee(b, run, [&](StringRef kernel, Value layer) {
            writer.writeCall(b, kernel, layer, worker);
          });
        });
  }
};

} // namespace
