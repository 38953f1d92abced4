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
#include "passes/Llama/PlanInvariants.h"
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

/// More rows, columns and elements than a register tile of any unit has, and
/// few enough to be written out. The widest is a row that a GPU's block shares.
static constexpr int64_t kMostRows = 256, kMostColumns = 4096,
                         kMostElements = 65536;

static LogicalResult verifyStrategy(func::FuncOp kernel) {
  auto strategy = kernel->getAttrOfType<StrategyInterface>(kStrategyAttr);
  if (!strategy)
    return kernel.emitOpError()
           << "has no strategy as " << kStrategyAttr
           << ", which says how large a tile is; llama-outline-kernels sets it "
              "from the kernel";
  int64_t m = strategy.getM(), n = strategy.getN();
  if (m < 1 || m > kMostRows || n < 16 || n > kMostColumns || n % 16 != 0 ||
      m * n > kMostElements)
    return kernel.emitOpError()
           << "has a strategy of " << m << " x " << n
           << " rows; a tile has 1 to " << kMostRows
           << " rows of x and a multiple of 16 up to " << kMostColumns
           << " of a weight, of keys or of columns, and at most "
           << kMostElements << " elements";
  return success();
}

namespace {
struct LlamaToTile : tile::impl::LlamaToTileBase<LlamaToTile> {
  void runOnOperation() override {
    // What the bodies take for granted: earlier passes wrote it, or a user
    // wrote the module by hand.
    ModuleOp module = getOperation();
    for (auto buffer : module.getOps<llama::BufferOp>())
      if (cast<RankedTensorType>(buffer.getType()).getRank() < 2) {
        buffer.emitOpError()
            << "is of rows x columns, found " << buffer.getType();
        return signalPassFailure();
      }
    SmallVector<func::FuncOp> kernels;
    for (auto function : module.getOps<func::FuncOp>())
      if (function->hasAttr(llama::kPartitionAttr)) {
        if (failed(verifyStrategy(function)))
          return signalPassFailure();
        kernels.push_back(function);
      }
    if (failed(verifyStamps(module)) || failed(verifyCache(module)) ||
        failed(verifyPlanInvariants(module)))
      return signalPassFailure();
    // The ops go, what they say of the table stays.
    FailureOr<RopeOp> rotation = getRotation(module);
    if (failed(rotation))
      return signalPassFailure();
    if (*rotation && !kernels.empty()) {
      OpBuilder builder(kernels.front());
      RopeTableOp::create(builder, rotation->getLoc(), rotation->getHeadSize(),
                          rotation->getBase(), rotation->getRotationAttr());
    }

    for (func::FuncOp source : kernels) {
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
