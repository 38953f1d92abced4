//===- LlamaToTile.cpp - kernels become loops over tiles ------------------===//
//
// schedule -> tile. Each kernel function (from buffer_read to buffer_write, on
// tensors) becomes a function (context, layer, begin, end) on memory and tiles.
// What the bodies look like is in KernelBody.cpp and AttentionBody.cpp; here is
// only the walk over the module.
//
//===----------------------------------------------------------------------===//

#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "passes/Tile/KernelBody.h"
#include "passes/Tile/Passes.h"

namespace corellama::tile {
#define GEN_PASS_DEF_LLAMATOTILE
#include "passes/Tile/Passes.h.inc"
} // namespace corellama::tile

using namespace mlir;
using namespace corellama;
using namespace corellama::llama;
using namespace corellama::tile;

/// The function that takes a kernel's place: same name, same strategy and
/// partition.
static func::FuncOp declareKernel(func::FuncOp source, OpBuilder &builder) {
  MLIRContext *context = source.getContext();
  Type i32 = builder.getI32Type();
  auto type =
      builder.getFunctionType({ContextType::get(context), i32, i32, i32}, {});
  auto target =
      func::FuncOp::create(builder, source.getLoc(), source.getName(), type);
  target.setPrivate();
  for (NamedAttribute attribute : source->getDiscardableAttrs())
    target->setAttr(attribute.getName(), attribute.getValue());
  return target;
}

/// More rows or columns than a register tile of any unit has, and few enough to
/// be written out.
static constexpr int64_t kMostTile = 256;

/// What the bodies take for granted: earlier passes wrote it, or somebody wrote
/// the module by hand.
static LogicalResult verifyStamped(func::FuncOp kernel) {
  Attribute stamped = kernel->getAttr(kStrategyAttr);
  auto strategy = dyn_cast_or_null<StrategyInterface>(stamped);
  if (!strategy) {
    InFlightDiagnostic diagnostic = kernel.emitOpError();
    if (stamped)
      diagnostic << "has " << stamped << " as " << kStrategyAttr;
    else
      diagnostic << "has no " << kStrategyAttr;
    return diagnostic << ", expected a strategy, which says how large a tile "
                         "is; llama-outline-kernels sets it from the kernel";
  }
  int64_t m = strategy.getM(), n = strategy.getN();
  if (m < 1 || m > kMostTile || n < 16 || n > kMostTile || n % 16 != 0)
    return kernel.emitOpError()
           << "has a strategy of " << m << " x " << n
           << " rows; a tile has 1 to " << kMostTile
           << " rows of x and a multiple of 16 up to " << kMostTile
           << " of a weight, of keys or of columns";

  auto buffers = [&](Operation *op, FlatSymbolRefAttr name,
                     bool stamped) -> LogicalResult {
    if (!stamped)
      return op->emitOpError() << "has no offset; run llama-assign-buffers";
    auto buffer =
        SymbolTable::lookupNearestSymbolFrom<llama::BufferOp>(op, name);
    if (!buffer)
      return op->emitOpError() << name << " is not a declared buffer";
    if (cast<RankedTensorType>(buffer.getType()).getRank() < 2)
      return op->emitOpError()
             << "uses a buffer of rows x columns, found " << buffer.getType();
    return success();
  };
  bool placed =
      !kernel->getParentOfType<ModuleOp>().getOps<CacheLayoutOp>().empty();
  WalkResult result = kernel.walk([&](Operation *op) -> WalkResult {
    if (auto read = dyn_cast<BufferReadOp>(op))
      return buffers(op, read.getBufferAttr(), read.getAt().has_value());
    if (auto write = dyn_cast<BufferWriteOp>(op))
      return buffers(op, write.getBufferAttr(), write.getAt().has_value());
    if (auto ref = dyn_cast<WeightRefOp>(op);
        ref && (!ref.getLayout() || !ref.getIndex()))
      return op->emitOpError()
             << "has no layout and index; run llama-resolve-weight-references";
    if (!placed &&
        llvm::any_of(op->getOperandTypes(), llvm::IsaPred<CacheType>))
      return op->emitOpError()
             << "uses a cache and the module has no llama.cache_layout; run "
                "llama-plan-layouts";
    if (auto reduction = dyn_cast<ReductionOpInterface>(op);
        reduction && !reduction.getOrderAttr())
      return op->emitOpError()
             << "has no order for its sum; run llama-plan-kernels";
    return WalkResult::advance();
  });
  return failure(result.wasInterrupted());
}

namespace {
struct LlamaToTile : tile::impl::LlamaToTileBase<LlamaToTile> {
  void runOnOperation() override {
    SmallVector<func::FuncOp> kernels;
    for (auto function : getOperation().getOps<func::FuncOp>())
      if (function->hasAttr(llama::kPartitionAttr))
        kernels.push_back(function);
    // The ops go, what they say of the table stays.
    FailureOr<RopeOp> rotation = getRotation(getOperation());
    if (failed(rotation))
      return signalPassFailure();
    if (*rotation && !kernels.empty()) {
      OpBuilder builder(kernels.front());
      RopeTableOp::create(builder, rotation->getLoc(), rotation->getHeadSize(),
                          rotation->getBase());
    }

    for (func::FuncOp source : kernels) {
      if (failed(verifyStamped(source)))
        return signalPassFailure();
      OpBuilder builder(source);
      func::FuncOp target = declareKernel(source, builder);
      Block *entry = target.addEntryBlock();
      builder.setInsertionPointToStart(entry);
      if (failed(KernelBody(source, target, builder).write()))
        return signalPassFailure();
      source.erase();
    }
  }
};
} // namespace
