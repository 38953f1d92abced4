//===- FuseKernels.cpp - gather ops into kernels --------------------------===//
//
// From a graph of ops to the same graph inside `llama.kernel` regions. Which
// ops go together is decided in FusionGroups; this file builds the regions and
// reports each decision as a remark.
//
//===----------------------------------------------------------------------===//

#include "mlir/IR/Builders.h"
#include "mlir/IR/IRMapping.h"
#include "mlir/IR/Remarks.h"
#include "mlir/Interfaces/FunctionInterfaces.h"
#include "passes/Llama/FusionGroups.h"
#include "passes/Llama/Passes.h"
#include "passes/Llama/Planner.h"
#include "llvm/ADT/SetVector.h"

namespace corellama::llama {
#define GEN_PASS_DEF_LLAMAFUSEKERNELS
#include "passes/Llama/Passes.h.inc"
} // namespace corellama::llama

using namespace mlir;
using namespace corellama::llama;

/// What a kernel takes: rows, positions and the cache in the order of their
/// first reader, the layer last.
static llvm::SetVector<Value> inputsOf(const FusionGroup &group) {
  llvm::SetVector<Value> inputs, layers;
  llvm::DenseSet<Operation *> inside(group.ops.begin(), group.ops.end());
  for (Operation *op : group.ops)
    for (Value operand : op->getOperands()) {
      Operation *producer = operand.getDefiningOp();
      if (producer && inside.contains(producer))
        continue;
      if (producer && isSunkIntoKernels(producer)) {
        for (Value layer : producer->getOperands())
          if (Operation *constant = layer.getDefiningOp();
              !constant || !isSunkIntoKernels(constant))
            layers.insert(layer);
      } else if (operand.getType().isIndex()) {
        layers.insert(operand);
      } else {
        inputs.insert(operand);
      }
    }
  inputs.insert(layers.begin(), layers.end());
  return inputs;
}

/// What others read of a group, in the order of its ops.
static SmallVector<Value> outputsOf(const FusionGroup &group) {
  llvm::DenseSet<Operation *> inside(group.ops.begin(), group.ops.end());
  SmallVector<Value> outputs;
  for (Operation *op : group.ops)
    for (Value result : op->getResults())
      if (llvm::any_of(result.getUsers(),
                       [&](Operation *user) { return !inside.contains(user); }))
        outputs.push_back(result);
  return outputs;
}

/// Copies `op`, and first those of its operands that may be sunk as well, to
/// where the builder inserts.
static Operation *sink(Operation *op, OpBuilder &builder, IRMapping &sunk) {
  for (Value operand : op->getOperands())
    if (Operation *producer = operand.getDefiningOp();
        producer && isSunkIntoKernels(producer) && !sunk.contains(operand))
      sink(producer, builder, sunk);
  return builder.clone(*op, sunk);
}

static void buildKernel(const FusionGroup &group, Operation *before) {
  SmallVector<Location> locations;
  for (Operation *op : group.ops)
    locations.push_back(op->getLoc());
  llvm::SetVector<Value> inputs = inputsOf(group);
  SmallVector<Value> outputs = outputsOf(group);

  OpBuilder builder(before);
  auto kernel = KernelOp::create(
      builder, builder.getFusedLoc(locations), TypeRange(ValueRange(outputs)),
      builder.getStringAttr(group.role), inputs.getArrayRef(), Attribute(),
      PartitionAttr());
  Block &body = kernel.getBody().emplaceBlock();
  IRMapping inside;
  for (Value input : inputs)
    inside.map(input, body.addArgument(input.getType(), input.getLoc()));

  for (auto [result, output] : llvm::zip(kernel.getResults(), outputs))
    output.replaceUsesWithIf(result, [&](OpOperand &use) {
      return !llvm::is_contained(group.ops, use.getOwner());
    });
  for (Operation *op : group.ops) {
    op->moveBefore(&body, body.end());
    OpBuilder inner(op);
    for (OpOperand &operand : op->getOpOperands()) {
      Operation *producer = operand.get().getDefiningOp();
      if (producer && isSunkIntoKernels(producer) &&
          producer->getBlock() != &body && !inside.contains(operand.get()))
        sink(producer, inner, inside);
      operand.set(inside.lookupOrDefault(operand.get()));
    }
  }
  builder.setInsertionPointToEnd(&body);
  YieldOp::create(builder, kernel.getLoc(), outputs);
}

/// The functions whose result takes the place of the rows that they are given:
/// the layers of the model's entries.
static llvm::DenseSet<StringAttr> layersOf(ModuleOp module) {
  llvm::DenseSet<StringAttr> layers;
  for (auto model : module.getOps<ModelOp>())
    if (model.getEntries())
      for (auto entry : model.getEntries()->getAsRange<EntryAttr>())
        for (auto layer : entry.getLayers().getAsRange<FlatSymbolRefAttr>())
          layers.insert(layer.getAttr());
  return layers;
}

/// The functions that read some of the rows that a form leaves.
static llvm::DenseSet<StringAttr> lmHeadsOf(ModuleOp module) {
  llvm::DenseSet<StringAttr> lmHeads;
  for (auto model : module.getOps<ModelOp>())
    for (auto lmHead : model.getLmHeads().getAsRange<FlatSymbolRefAttr>())
      lmHeads.insert(lmHead.getAttr());
  return lmHeads;
}

/// A kernel in front of `before` that copies `value`.
static KernelOp buildCopy(StringRef role, Value value, Operation *before,
                          Location loc) {
  OpBuilder builder(before);
  auto copy = KernelOp::create(builder, loc, TypeRange(ValueRange(value)),
                               builder.getStringAttr(role), value, Attribute(),
                               PartitionAttr());
  Block &body = copy.getBody().emplaceBlock();
  Value copied = body.addArgument(value.getType(), loc);
  builder.setInsertionPointToEnd(&body);
  YieldOp::create(builder, loc, copied);
  return copy;
}

/// A kernel that gathers the rows that an LM head is asked for, where there may
/// be several: what follows has them side by side, as a form has the rows of
/// its call. One row is read where it is.
static void gatherWanted(Block &block) {
  auto isOpen = [](BlockArgument given) {
    auto type = dyn_cast<RankedTensorType>(given.getType());
    return type && type.getRank() == 2 && type.isDynamicDim(0);
  };
  BlockArgument *given = llvm::find_if(block.getArguments(), isOpen);
  if (given == block.getArguments().end() ||
      llvm::all_of(given->getUsers(), llvm::IsaPred<KernelOp>))
    return;
  KernelOp wanted =
      buildCopy("wanted", *given, &block.front(), block.front().getLoc());
  given->replaceAllUsesExcept(wanted.getResult(0), wanted);
}

/// A kernel that copies the result of a layer, where the kernel that makes it
/// reads the rows of the layer, or a later one does: the two share a buffer,
/// and no part may overwrite what another one reads.
static void carryResult(Block &block) {
  Operation *end = block.getTerminator();
  if (end->getNumOperands() != 1)
    return;
  Value result = end->getOperand(0);
  auto last = result.getDefiningOp<KernelOp>();
  bool isOverwritten =
      last && llvm::any_of(block.getArguments(), [&](BlockArgument given) {
        return given.getType() == result.getType() &&
               llvm::any_of(given.getUsers(), [&](Operation *user) {
                 return !user->isBeforeInBlock(last);
               });
      });
  if (!isOverwritten)
    return;
  end->setOperand(0,
                  buildCopy("carry", result, end, last.getLoc()).getResult(0));
}

namespace {
struct FuseKernels : corellama::llama::impl::LlamaFuseKernelsBase<FuseKernels> {
  void runOnOperation() override {
    llvm::DenseSet<StringAttr> layers = layersOf(getOperation()),
                               lmHeads = lmHeadsOf(getOperation());
    // Without a target, as in tests, only calls of one row count as few rows.
    int64_t fewRows = 1;
    if (getTarget(getOperation())) {
      FailureOr<PlannerInterface> planner = getPlanner(getOperation());
      if (failed(planner))
        return signalPassFailure();
      fewRows = planner->getFewRows();
    }
    for (auto function : getOperation().getOps<FunctionOpInterface>()) {
      if (function.isExternal())
        continue;
      if (!function.getFunctionBody().hasOneBlock()) {
        function.emitOpError()
            << "has " << function.getFunctionBody().getBlocks().size()
            << " blocks, a function of the model has one";
        return signalPassFailure();
      }
      if (lmHeads.contains(function.getNameAttr()))
        gatherWanted(function.getFunctionBody().front());
      fuse(function, fewRows);
      if (layers.contains(function.getNameAttr()))
        carryResult(function.getFunctionBody().front());
    }
  }

  void fuse(FunctionOpInterface function, int64_t fewRows) {
    Block &block = function.getFunctionBody().front();
    // Unused ops are erased first: in a kernel they would be computed, though
    // the kernel has no result for them.
    for (Operation &op : llvm::make_early_inc_range(llvm::reverse(block)))
      if (isOpTriviallyDead(&op))
        op.erase();
    FusionPlan plan = planFusion(block, fewRows);
    for (const FusionDecision &decision : plan.decisions) {
      auto options = remark::RemarkOpts::name(decision.kind)
                         .category("llama-fuse")
                         .function(function.getName());
      Location loc = decision.op->getLoc();
      std::string text = decision.op->getName().getStringRef().str();
      if (decision.joined)
        remark::passed(loc, options) << remark::add("{0}", text)
                                     << remark::reason("{0}", decision.reason);
      else
        remark::missed(loc, options) << remark::add("{0}", text)
                                     << remark::reason("{0}", decision.reason);
    }

    Operation *end = block.getTerminator();
    for (const FusionGroup &group : plan.groups) {
      if (group.role.empty()) {
        for (Operation *op : group.ops)
          op->moveBefore(end);
        continue;
      }
      buildKernel(group, end);
    }
    for (Operation &op : llvm::make_early_inc_range(llvm::reverse(block)))
      if (isSunkIntoKernels(&op) && op.use_empty())
        op.erase();
  }
};
} // namespace
