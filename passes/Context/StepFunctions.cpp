//===- StepFunctions.cpp - what all targets' steps have in common ---------===//
//
// See StepFunctions.h.
//
//===----------------------------------------------------------------------===//

#include "passes/Context/StepFunctions.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/IR/AffineExpr.h"

using namespace mlir;
using namespace corellama;
using namespace corellama::context;

static std::string partsName(StringRef kernel) {
  return (kernel + ".parts").str();
}

static Value emitAffine(ImplicitLocOpBuilder &b, AffineExpr expr,
                        ValueRange dims) {
  if (auto constant = dyn_cast<AffineConstantExpr>(expr))
    return arith::ConstantOp::create(
        b, b.getIntegerAttr(dims[0].getType(), constant.getValue()));
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

Value context::emitParts(ImplicitLocOpBuilder &b, AffineMap parts,
                         ValueRange rowsAndKeys) {
  return emitAffine(b, parts.getResult(0), rowsAndKeys);
}

LogicalResult context::verifySteps(ModuleOp module) {
  for (auto buffer : module.getOps<llama::BufferOp>())
    if (!buffer.getAt())
      return buffer.emitOpError() << "has no offset; run llama-assign-buffers";
  for (auto model : module.getOps<llama::ModelOp>())
    if (!model.getSteps())
      return model.emitOpError() << "has no steps; run llama-outline-kernels";
  WalkResult runs = module.walk([&](llama::DispatchOp run) {
    for (auto callee : run.getCallees().getAsRange<FlatSymbolRefAttr>()) {
      auto kernel = module.lookupSymbol<func::FuncOp>(callee);
      if (kernel && kernel->hasAttr(llama::kPartitionAttr))
        continue;
      run.emitOpError() << "runs " << callee << ", which has no "
                        << llama::kPartitionAttr
                        << "; run llama-outline-kernels";
      return WalkResult::interrupt();
    }
    return WalkResult::advance();
  });
  return failure(runs.wasInterrupted());
}

SmallVector<func::FuncOp> context::kernelsOf(ModuleOp module) {
  SmallVector<func::FuncOp> kernels;
  for (auto function : module.getOps<func::FuncOp>())
    if (function->hasAttr(llama::kPartitionAttr))
      kernels.push_back(function);
  return kernels;
}

void context::writePartsFunction(func::FuncOp kernel) {
  auto partition =
      kernel->getAttrOfType<llama::PartitionAttr>(llama::kPartitionAttr);
  OpBuilder builder(kernel);
  Type i64 = builder.getI64Type();
  auto function = func::FuncOp::create(
      builder, kernel.getLoc(), partsName(kernel.getName()),
      builder.getFunctionType({i64, i64}, {i64}));
  ImplicitLocOpBuilder b(kernel.getLoc(), builder);
  Block *entry = function.addEntryBlock();
  b.setInsertionPointToStart(entry);
  Value parts = emitParts(b, partition.getParts(), entry->getArguments());
  func::ReturnOp::create(b, parts);
}

Value context::callParts(ImplicitLocOpBuilder &b, StringRef kernel,
                         Value context, Field keys) {
  auto count = [&](Field field) -> Value {
    Value value = FieldOp::create(b, b.getIndexType(), context, field);
    return arith::IndexCastOp::create(b, b.getI64Type(), value);
  };
  Value rows = count(Field::Rows);
  return func::CallOp::create(b, partsName(kernel), TypeRange{b.getI64Type()},
                              ValueRange{rows, count(keys)})
      .getResult(0);
}

void context::forEachCallee(ImplicitLocOpBuilder &b, llama::DispatchOp run,
                            function_ref<void(StringRef, Value)> write) {
  Type i32 = b.getI32Type();
  auto constant = [&](int64_t value) -> Value {
    return arith::ConstantIntOp::create(b, i32, value);
  };
  Value layer = constant(0);
  if (run.getLayer())
    layer = arith::IndexCastOp::create(b, i32, run.getLayer());
  auto callees = run.getCallees().getAsRange<FlatSymbolRefAttr>();
  if (run.getCallees().size() == 1)
    return write((*callees.begin()).getValue(), layer);
  // Selects the layer's callee from the table, by nested comparisons of the
  // layer with the ranges of layers that share a callee.
  ArrayRef<int32_t> table = run.getOfAttr();
  Value which = constant(table[0]);
  for (auto [l, callee] : llvm::enumerate(table)) {
    if (l == 0 || callee == table[l - 1])
      continue;
    Value from = arith::CmpIOp::create(b, arith::CmpIPredicate::uge, layer,
                                       constant(static_cast<int64_t>(l)));
    which = arith::SelectOp::create(b, from, constant(callee), which);
  }
  for (auto [i, callee] : llvm::enumerate(callees)) {
    Value own = arith::CmpIOp::create(b, arith::CmpIPredicate::eq, which,
                                      constant(static_cast<int64_t>(i)));
    auto chosen = scf::IfOp::create(b, own, /*withElseRegion=*/false);
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToStart(chosen.thenBlock());
    write(callee.getValue(), layer);
  }
}

std::string context::functionNameOf(StringRef step) {
  return ("corellama_step_" + step).str();
}

/// Moves the step's body to a function before it and erases the step.
static func::FuncOp moveStepBody(llama::StepOp step, TypeRange arguments) {
  OpBuilder builder(step);
  auto function = func::FuncOp::create(builder, step.getLoc(),
                                       functionNameOf(step.getSymName()),
                                       builder.getFunctionType(arguments, {}));
  Block *entry = function.addEntryBlock();
  builder.setInsertionPointToStart(entry);
  func::ReturnOp::create(builder, step.getLoc());
  entry->getOperations().splice(std::prev(entry->end()),
                                step.getBody().front().getOperations());
  step.erase();
  return function;
}

void context::openSteps(
    ModuleOp module, TypeRange arguments,
    function_ref<void(ImplicitLocOpBuilder &, Operation *, ValueRange)> write) {
  SmallVector<llama::StepOp> steps(module.getOps<llama::StepOp>());
  for (llama::StepOp step : steps) {
    func::FuncOp function = moveStepBody(step, arguments);
    SmallVector<Operation *> ops;
    function.walk([&](Operation *op) {
      if (isa<llama::DispatchOp, llama::BarrierOp>(op))
        ops.push_back(op);
    });
    for (Operation *op : ops) {
      ImplicitLocOpBuilder b(op->getLoc(), op);
      write(b, op, function.getArguments());
      op->erase();
    }
  }
  // The steps are functions now, so the model that names them is erased.
  for (auto model : llvm::make_early_inc_range(module.getOps<llama::ModelOp>()))
    model.erase();
}

Attribute context::describeKernel(func::FuncOp kernel,
                                  ArrayRef<NamedAttribute> more) {
  Builder b(kernel.getContext());
  SmallVector<NamedAttribute> row = {
      b.getNamedAttr("name", b.getStringAttr(kernel.getName())),
      b.getNamedAttr("function", FlatSymbolRefAttr::get(kernel)),
      b.getNamedAttr("parts",
                     FlatSymbolRefAttr::get(kernel.getContext(),
                                            partsName(kernel.getName()))),
      b.getNamedAttr("scratch_bytes", kernel->getAttr(llama::kScratchAttr))};
  row.append(more.begin(), more.end());
  return b.getDictionaryAttr(row);
}

namespace {
/// The dispatches of a step in the order in which they run.
struct Dispatches {
  SmallVector<Attribute> kernels;
  SmallVector<int64_t> layers;

  /// Appends those of a block; `index` has the values of the loops around it.
  void append(Block &block, llvm::DenseMap<Value, int64_t> &index) {
    auto valueOf = [&](Value value) {
      auto found = index.find(value);
      return found != index.end() ? found->second
                                  : getConstantIntValue(value).value_or(0);
    };
    for (Operation &op : block) {
      if (auto run = dyn_cast<llama::DispatchOp>(op)) {
        int64_t layer = run.getLayer() ? valueOf(run.getLayer()) : 0;
        int64_t callee = run.getOf() ? (*run.getOf())[layer] : 0;
        kernels.push_back(run.getCallees()[callee]);
        layers.push_back(layer);
      } else if (auto loop = dyn_cast<scf::ForOp>(op)) {
        int64_t from = valueOf(loop.getLowerBound()),
                to = valueOf(loop.getUpperBound()),
                step = valueOf(loop.getStep());
        for (int64_t i = from; step > 0 && i < to; i += step) {
          index[loop.getInductionVar()] = i;
          append(*loop.getBody(), index);
        }
      }
    }
  }
};
} // namespace

Attribute context::describeProgram(ModuleOp module,
                                   ArrayRef<NamedAttribute> more) {
  Builder b(module.getContext());
  int64_t workspace = 0, logits = 0;
  for (auto buffer : module.getOps<llama::BufferOp>()) {
    int64_t at = buffer.getAtAttr().getInt();
    workspace = std::max<int64_t>(workspace, at + buffer.getBytes());
    if (buffer.getSymName() == "logits")
      logits = at;
  }
  // The model's lists, whose bounds ascend; kernels alone have none.
  SmallVector<Attribute> entries, heads;
  auto describeSteps = [&](ArrayAttr steps, SmallVector<Attribute> &into) {
    for (auto symbol : steps.getAsRange<FlatSymbolRefAttr>()) {
      auto step = module.lookupSymbol<llama::StepOp>(symbol);
      Dispatches dispatches;
      llvm::DenseMap<Value, int64_t> index;
      dispatches.append(step.getBody().front(), index);
      into.push_back(b.getDictionaryAttr(
          {b.getNamedAttr("name", symbol.getAttr()),
           b.getNamedAttr("rows", step.getRowsAttr()),
           b.getNamedAttr("dispatches", b.getArrayAttr(dispatches.kernels)),
           b.getNamedAttr("layers", b.getDenseI64ArrayAttr(dispatches.layers)),
           b.getNamedAttr("step", FlatSymbolRefAttr::get(
                                      module.getContext(),
                                      functionNameOf(symbol.getValue())))}));
    }
  };
  for (auto model : module.getOps<llama::ModelOp>()) {
    describeSteps(model.getStepsAttr(), entries);
    describeSteps(model.getLmHeads(), heads);
  }
  SmallVector<NamedAttribute> fields = {
      b.getNamedAttr("workspace_bytes", b.getI64IntegerAttr(workspace)),
      b.getNamedAttr("logits_offset", b.getI64IntegerAttr(logits)),
      b.getNamedAttr("entries", b.getArrayAttr(entries)),
      b.getNamedAttr("lm_heads", b.getArrayAttr(heads))};
  fields.append(more.begin(), more.end());
  return b.getDictionaryAttr(fields);
}
