//===- Fma.cpp - #cpu.fma: products in float32 on vectors -----------------===//
//
// tile -> vector: the loop over k of a product, and panels of decoded rows for
// it. One vector holds 16 rows of a weight, so no sum crosses lanes;
// activations are broadcast, which folds into the fma. The order of each sum is
// the one that the unit states (FmaAttr::getOrder) and the op carries.
//
//===----------------------------------------------------------------------===//

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "passes/CPU/UnitLowering.h"
#include "passes/CPU/VectorKernel.h"

using namespace mlir;
using namespace corellama;
using namespace corellama::cpu;

namespace {
struct FmaLowering
    : UnitLoweringInterface::ExternalModel<FmaLowering, FmaAttr> {
  /// 16 rows decoded into scratch: quants as float32, scales and minima beside.
  LogicalResult lowerPanel(Attribute, VectorKernel &k, tile::PanelOp op) const {
    const VectorKernel::Weight &weight = k.weights.find(op.getWeight())->second;
    llama::FormatInterface format = weight.type.getFormat();
    int64_t columns = weight.type.getColumns(),
            scaleBlock = format.getScaleBlock();
    Type f32 = k.b.getF32Type();
    VectorKernel::Panel panel;
    panel.quants = k.allocate(MemRefType::get({columns, kLanes}, f32));
    if (format.hasScale())
      panel.scales =
          k.allocate(MemRefType::get({columns / scaleBlock, kLanes}, f32));
    if (format.hasMinimum())
      panel.minima =
          k.allocate(MemRefType::get({columns / scaleBlock, kLanes}, f32));

    GroupLoads loads(k.b, weight.memory, weight.type, k.tables, op.getFirst());
    auto decode = [&](Value block, int64_t count) {
      Value first = k.mul(block, kColumnBlock);
      loads.quants(block, 0, count, [&](int64_t c, Value quants) {
        vector::StoreOp::create(
            k.b, quants, panel.quants,
            ValueRange{k.add(first, k.index(c)), k.index(0)});
      });
      if (!format.hasScale())
        return;
      for (int64_t c = 0; c < count; c += scaleBlock) {
        Value number = arith::DivUIOp::create(k.b, k.add(first, k.index(c)),
                                              k.index(scaleBlock));
        vector::StoreOp::create(k.b, loads.scale(block, c), panel.scales,
                                ValueRange{number, k.index(0)});
        if (panel.minima)
          vector::StoreOp::create(k.b, loads.minimum(block, c), panel.minima,
                                  ValueRange{number, k.index(0)});
      }
    };
    int64_t blocks = columns / kColumnBlock;
    k.loop(0, k.index(blocks), 1, {},
           [&](Value block, ValueRange) -> SmallVector<Value> {
             decode(block, kColumnBlock);
             return {};
           });
    if (columns % kColumnBlock)
      decode(k.index(blocks), columns % kColumnBlock);
    k.panels[op] = panel;
    return success();
  }

  LogicalResult lowerContract(Attribute, VectorKernel &k,
                              tile::ContractOp op) const {
    auto type = cast<VectorType>(op.getType());
    int64_t m = type.getDimSize(0);
    Value source = k.rows.lookup(op.getRows());
    SmallVector<Value> rowIndex;
    for (int64_t i = 0; i < m; ++i)
      rowIndex.push_back(i ? k.add(op.getRow(), k.index(i)) : op.getRow());

    // Where quants, scales and minima come from: memory, or a decoded panel.
    auto panelIt = k.panels.find(op.getWeight());
    bool isPanel = panelIt != k.panels.end();
    llama::FormatInterface format;
    int64_t columns;
    std::optional<GroupLoads> loads;
    if (isPanel) {
      auto panelType = cast<tile::PanelType>(op.getWeight().getType());
      format = panelType.getFormat();
      columns = panelType.getColumns();
    } else {
      const VectorKernel::Weight &weight =
          k.weights.find(op.getWeight())->second;
      format = weight.type.getFormat();
      columns = weight.type.getColumns();
      loads.emplace(k.b, weight.memory, weight.type, k.tables, op.getFirst());
    }
    int64_t scaleBlock = format.getScaleBlock();

    auto quants = [&](Value block, Value firstColumn, int64_t from, int64_t to,
                      llvm::function_ref<void(int64_t, Value)> visit) {
      if (!isPanel)
        return loads->quants(block, from, to, visit);
      for (int64_t c = from; c < to; ++c)
        visit(c, vector::LoadOp::create(
                     k.b, k.floats(), panelIt->second.quants,
                     ValueRange{k.add(firstColumn, k.index(c)), k.index(0)}));
    };
    auto fromPanel = [&](Value memory, Value number) -> Value {
      return vector::LoadOp::create(k.b, k.floats(), memory,
                                    ValueRange{number, k.index(0)});
    };

    // One block of columns: each scale's share summed from +0, then added.
    auto sumBlock = [&](Value block, int64_t count, ValueRange carried) {
      SmallVector<Value> accumulators(carried.begin(), carried.end());
      Value firstColumn = k.mul(block, kColumnBlock);
      for (int64_t from = 0; from < count; from += scaleBlock) {
        SmallVector<Value> sums(m, k.zeros(k.floats()));
        quants(block, firstColumn, from, std::min(from + scaleBlock, count),
               [&](int64_t c, Value q) {
                 Value column = k.add(firstColumn, k.index(c));
                 for (int64_t i = 0; i < m; ++i)
                   sums[i] = k.fma(
                       q, k.splat(k.loadScalar(source, {rowIndex[i], column})),
                       sums[i]);
               });
        Value number;
        if (isPanel || op.getSums())
          number = arith::DivUIOp::create(
              k.b, k.add(firstColumn, k.index(from)), k.index(scaleBlock));
        Value scale, minimum;
        if (format.hasScale())
          scale = isPanel ? fromPanel(panelIt->second.scales, number)
                          : loads->scale(block, from);
        if (format.hasMinimum())
          minimum = isPanel ? fromPanel(panelIt->second.minima, number)
                            : loads->minimum(block, from);
        for (int64_t i = 0; i < m; ++i) {
          accumulators[i] =
              scale ? k.fma(sums[i], scale, accumulators[i])
                    : arith::AddFOp::create(k.b, accumulators[i], sums[i])
                          .getResult();
          if (minimum)
            accumulators[i] = k.fma(
                minimum,
                k.splat(k.loadScalar(op.getSums(), {rowIndex[i], number})),
                accumulators[i]);
        }
      }
      return accumulators;
    };

    SmallVector<Value> accumulators(m, k.zeros(k.floats()));
    int64_t blocks = columns / kColumnBlock;
    k.loop(
        0, k.index(blocks), 1, SmallVector<Value>(accumulators),
        [&](Value block, ValueRange carried) -> SmallVector<Value> {
          return sumBlock(block, kColumnBlock, carried);
        },
        &accumulators);
    if (columns % kColumnBlock)
      accumulators =
          sumBlock(k.index(blocks), columns % kColumnBlock, accumulators);
    op.getResult().replaceAllUsesWith(k.pack(accumulators, type));
    return success();
  }
};
} // namespace

void cpu::registerFma(DialectRegistry &registry) {
  registry.addExtension(+[](MLIRContext *context, CPUDialect *) {
    FmaAttr::attachInterface<FmaLowering>(*context);
  });
}
