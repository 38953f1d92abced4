//===- CPUStepToWorkers.cpp - what each worker does in a step -------------===//
//
// vector -> llvm. A step, whose workers are implicit, becomes a function that
// every worker calls with its number. Last of the schedule's ideas to be
// spelt out, because the same step becomes launches on a GPU.
//
//===----------------------------------------------------------------------===//

#include "dialects/CPU/IR/CPUDialect.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/IR/AffineExpr.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"
#include "passes/CPU/Passes.h"

namespace corellama::cpu {
#define GEN_PASS_DEF_CPUSTEPTOWORKERS
#include "passes/CPU/Passes.h.inc"
} // namespace corellama::cpu

using namespace mlir;
using namespace corellama;
using namespace corellama::cpu;

namespace {

constexpr llvm::StringLiteral kBarrier = "corellama_barrier";

/// rows and keys -> a number of parts, on i64.
Value emitAffine(ImplicitLocOpBuilder &b, AffineExpr expr, ValueRange dims) {
  if (auto constant = dyn_cast<AffineConstantExpr>(expr))
    return arith::ConstantIntOp::create(b, b.getI64Type(), constant.getValue());
  if (auto dim = dyn_cast<AffineDimExpr>(expr))
    return dims[dim.getPosition()];
  auto binary = cast<AffineBinaryOpExpr>(expr);
  Value x = emitAffine(b, binary.getLHS(), dims),
        y = emitAffine(b, binary.getRHS(), dims);
  switch (expr.getKind()) {
  case AffineExprKind::Add:
    return arith::AddIOp::create(b, x, y);
  case AffineExprKind::Mul:
    return arith::MulIOp::create(b, x, y);
  case AffineExprKind::CeilDiv:
    // Rows and keys are not negative.
    return arith::CeilDivUIOp::create(b, x, y);
  case AffineExprKind::FloorDiv:
    return arith::DivUIOp::create(b, x, y);
  default:
    return arith::RemUIOp::create(b, x, y);
  }
}

struct StepWriter {
  ModuleOp module;
  Type pointer, i32, i64;

  explicit StepWriter(ModuleOp module)
      : module(module),
        pointer(LLVM::LLVMPointerType::get(module.getContext())),
        i32(IntegerType::get(module.getContext(), 32)),
        i64(IntegerType::get(module.getContext(), 64)) {}

  static std::string partsName(StringRef kernel) {
    return (kernel + ".parts").str();
  }

  /// i64 @kernel.parts(rows, keys)
  void writeParts(func::FuncOp kernel) {
    auto map =
        kernel->getAttrOfType<AffineMapAttr>(llama::kPartsAttr).getValue();
    OpBuilder builder(kernel);
    auto function = func::FuncOp::create(
        builder, kernel.getLoc(), partsName(kernel.getName()),
        builder.getFunctionType({i64, i64}, {i64}));
    ImplicitLocOpBuilder b(kernel.getLoc(), builder);
    Block *entry = function.addEntryBlock();
    b.setInsertionPointToStart(entry);
    Value parts = emitAffine(b, map.getResult(0), entry->getArguments());
    func::ReturnOp::create(b, parts);
  }

  /// This worker's share of one callee's parts.
  void writeCall(ImplicitLocOpBuilder &b, FlatSymbolRefAttr callee, Value layer,
                 ValueRange worker) {
    Value context = worker[0], scratch = worker[1], number = worker[2],
          workers = worker[3];
    auto count = [&](Field field) -> Value {
      Value value = FieldOp::create(b, b.getIndexType(), context, field);
      return arith::IndexCastOp::create(b, i64, value);
    };
    Value parts = func::CallOp::create(
                      b, partsName(callee.getValue()), TypeRange{i64},
                      ValueRange{count(Field::Rows), count(Field::KeyCount)})
                      .getResult(0);
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
    func::CallOp::create(b, callee.getValue(), TypeRange{},
                         ValueRange{context, scratch, layer, begin, end});
  }

  void writeRun(ImplicitLocOpBuilder &b, llama::RunOp run, ValueRange worker) {
    Value layer = arith::ConstantIntOp::create(b, i32, 0);
    if (run.getLayer())
      layer = arith::IndexCastOp::create(b, i32, run.getLayer());
    auto callees = run.getCallees().getAsRange<FlatSymbolRefAttr>();
    if (run.getCallees().size() == 1)
      return writeCall(b, *callees.begin(), layer, worker);
    // Which callee: the layer's entry of the table, as nested comparisons of
    // the layer with the ranges that share a callee.
    Value which = arith::ConstantIntOp::create(b, i32, (*run.getOf())[0]);
    for (auto [l, callee] : llvm::enumerate(*run.getOf())) {
      if (l == 0 || callee == (*run.getOf())[l - 1])
        continue;
      Value from = arith::CmpIOp::create(
          b, arith::CmpIPredicate::uge, layer,
          arith::ConstantIntOp::create(b, i32, static_cast<int64_t>(l))
              .getResult());
      which = arith::SelectOp::create(
          b, from, arith::ConstantIntOp::create(b, i32, callee).getResult(),
          which);
    }
    for (auto [i, callee] : llvm::enumerate(callees)) {
      Value own = arith::CmpIOp::create(
          b, arith::CmpIPredicate::eq, which,
          arith::ConstantIntOp::create(b, i32, static_cast<int64_t>(i))
              .getResult());
      auto chosen = scf::IfOp::create(b, own, /*withElseRegion=*/false);
      OpBuilder::InsertionGuard guard(b);
      b.setInsertionPointToStart(chosen.thenBlock());
      writeCall(b, callee, layer, worker);
    }
  }

  void writeBarrier(ImplicitLocOpBuilder &b, ValueRange worker) {
    Value threads = FieldOp::create(b, pointer, worker[0], Field::Threads);
    func::CallOp::create(b, kBarrier, TypeRange{},
                         ValueRange{threads, worker[2]});
  }

  void writeStep(llama::StepOp step) {
    OpBuilder builder(step);
    auto function = func::FuncOp::create(
        builder, step.getLoc(), ("corellama_step_" + step.getSymName()).str(),
        builder.getFunctionType({pointer, pointer, i32, i32}, {}));
    Block *entry = function.addEntryBlock();
    ImplicitLocOpBuilder b(step.getLoc(), builder);
    b.setInsertionPointToStart(entry);
    func::ReturnOp::create(b);
    // The body moves over as it is, then runs and barriers are replaced.
    entry->getOperations().splice(std::prev(entry->end()),
                                  step.getBody().front().getOperations());
    SmallVector<Operation *> ops;
    function.walk([&](Operation *op) {
      if (isa<llama::RunOp, llama::BarrierOp>(op))
        ops.push_back(op);
    });
    for (Operation *op : ops) {
      b.setInsertionPoint(op);
      b.setLoc(op->getLoc());
      if (auto run = dyn_cast<llama::RunOp>(op))
        writeRun(b, run, entry->getArguments());
      else
        writeBarrier(b, entry->getArguments());
      op->erase();
    }
  }
};

/// The attributes from which the program's descriptor is made.
void describeProgram(ModuleOp module, ArrayRef<func::FuncOp> kernels) {
  Builder b(module.getContext());
  int64_t workspace = 0, scratch = 0, logits = 0, chunk = 1;
  for (auto slot : module.getOps<llama::SlotOp>()) {
    workspace = std::max<int64_t>(workspace, *slot.getAt() + slot.getBytes());
    if (slot.getSymName() == "logits")
      logits = *slot.getAt();
  }
  for (auto step : module.getOps<llama::StepOp>())
    chunk = std::max<int64_t>(chunk, step.getRows());
  SmallVector<Attribute> list;
  for (func::FuncOp kernel : kernels) {
    int64_t bytes =
        kernel->getAttrOfType<IntegerAttr>(llama::kScratchAttr).getInt();
    scratch = std::max(scratch, bytes);
    list.push_back(b.getDictionaryAttr(
        {b.getNamedAttr("name", b.getStringAttr(kernel.getName())),
         b.getNamedAttr("function", FlatSymbolRefAttr::get(kernel)),
         b.getNamedAttr("parts", FlatSymbolRefAttr::get(
                                     module.getContext(),
                                     StepWriter::partsName(kernel.getName()))),
         b.getNamedAttr("scratch_bytes", b.getI64IntegerAttr(bytes))}));
  }
  module->setAttr("llama.kernels", b.getArrayAttr(list));
  module->setAttr(
      "llama.program",
      b.getDictionaryAttr(
          {b.getNamedAttr("workspace_bytes", b.getI64IntegerAttr(workspace)),
           b.getNamedAttr("scratch_bytes", b.getI64IntegerAttr(scratch)),
           b.getNamedAttr("logits_offset", b.getI64IntegerAttr(logits)),
           b.getNamedAttr("chunk", b.getI64IntegerAttr(chunk))}));
}

struct CPUStepToWorkers : cpu::impl::CPUStepToWorkersBase<CPUStepToWorkers> {
  void runOnOperation() override {
    ModuleOp module = getOperation();
    for (auto slot : module.getOps<llama::SlotOp>())
      if (!slot.getAt()) {
        slot.emitOpError() << "has no offset; run llama-assign-slots";
        return signalPassFailure();
      }
    StepWriter writer(module);
    SmallVector<func::FuncOp> kernels;
    for (auto function : module.getOps<func::FuncOp>())
      if (function->hasAttr(llama::kPartsAttr))
        kernels.push_back(function);
    for (func::FuncOp kernel : kernels) {
      if (!kernel->hasAttr(llama::kScratchAttr) ||
          kernel.getNumArguments() != 5) {
        kernel.emitOpError() << "is not yet a function of (context, scratch, "
                                "layer, begin, end); "
                                "run tile-to-vector-cpu first";
        return signalPassFailure();
      }
      writer.writeParts(kernel);
      // Seen by profilers and by the program's table of kernels.
      kernel.setPublic();
    }
    describeProgram(module, kernels);

    OpBuilder builder = OpBuilder::atBlockEnd(module.getBody());
    auto barrier = func::FuncOp::create(
        builder, module.getLoc(), kBarrier,
        builder.getFunctionType({writer.pointer, writer.i32}, {}));
    barrier.setPrivate();
    SmallVector<llama::StepOp> steps(module.getOps<llama::StepOp>());
    for (llama::StepOp step : steps) {
      writer.writeStep(step);
      step.erase();
    }
    // The model named the steps, which are functions now.
    for (auto model :
         llvm::make_early_inc_range(module.getOps<llama::ModelOp>()))
      model.erase();
  }
};

} // namespace
