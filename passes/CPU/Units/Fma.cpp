//===- Fma.cpp - #cpu.fma: products in float32 on vectors -----------------===//
//
// tile -> vector: the loop over k of a product, and panels of decoded rows for
// it. One vector holds 16 rows of a weight, so no sum crosses lanes;
// activations are broadcast, which folds into the fma. The order of each sum is
// the one that the unit states (FmaAttr::getOrder) and the op carries.
//
//===----------------------------------------------------------------------===//

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "passes/CPU/GroupLoads.h"
#include "passes/CPU/UnitLowering.h"

using namespace mlir;
using namespace corellama;
using namespace corellama::cpu;

namespace {

/// The memrefs of a panel: quants as float32, the panel's rows of a column side
/// by side; scales and minima likewise for each block, where the format has
/// them.
enum PanelPart : unsigned { kQuants, kScales, kMinima };

/// Where a product reads quants, scales and minima: a decoded panel, or the
/// weight in memory. `block` counts blocks of 32 columns, `number` blocks of a
/// scale.
struct Source {
  VectorBuilder &b;
  llama::FormatInterface format;
  int64_t columns;
  ValueRange panel;
  int64_t firstRow;
  std::optional<GroupLoads> loads;
  int64_t ahead = 0;

  /// The 16 rows from row `row` of the tile on.
  Source(VectorBuilder &b, tile::ContractOp op, Ranges<tile::ContractOp> in,
         int64_t row, bool tables)
      : b(b), panel(in.getWeight()), firstRow(row) {
    Type type = op.getWeight().getType();
    if (auto decoded = dyn_cast<tile::PanelType>(type)) {
      format = decoded.getFormat();
      columns = decoded.getColumns();
      return;
    }
    auto weight = cast<llama::WeightType>(type);
    format = weight.getFormat();
    columns = weight.getColumns();
    loads.emplace(b, in.getWeight()[0], weight, tables,
                  b.add(in.getFirst()[0], row));
    ahead = prefetchOf(op);
  }

  /// Panels are in a cache.
  void prefetch(Value block, size_t groups) {
    if (ahead)
      loads->prefetch(block, ahead, int64_t(groups));
  }

  void quants(Value block, Value firstColumn, int64_t from, int64_t to,
              llvm::function_ref<void(int64_t, Value)> visit) {
    if (loads)
      return loads->quants(block, from, to, visit);
    for (int64_t c = from; c < to; ++c)
      visit(c, load(kQuants, b.add(firstColumn, c)));
  }
  /// Null where the format has none.
  Value scale(Value block, int64_t column, Value number) {
    return loads ? loads->scale(block, column) : load(kScales, number);
  }
  Value minimum(Value block, int64_t column, Value number) {
    return loads ? loads->minimum(block, column) : load(kMinima, number);
  }

private:
  Value load(PanelPart part, Value row) {
    return part < panel.size()
               ? b.loadFloats(panel[part], {row, b.index(firstRow)})
               : Value();
  }
};

struct FmaPanels : PanelLoweringInterface::ExternalModel<FmaPanels, FmaAttr> {
  SmallVector<Type> getPanelTypes(Attribute, tile::PanelType panel,
                                  TargetAttr) const {
    llama::FormatInterface format = panel.getFormat();
    Type f32 = Float32Type::get(panel.getContext());
    int64_t scaleBlocks = panel.getColumns() / format.getScaleBlock();
    SmallVector<Type> types(
        1 + format.hasScale() + format.hasMinimum(),
        MemRefType::get({scaleBlocks, panel.getRows()}, f32));
    types[0] = MemRefType::get({panel.getColumns(), panel.getRows()}, f32);
    return types;
  }

  void lowerPanel(Attribute, VectorBuilder &b, tile::PanelOp op,
                  tile::PanelOp::Adaptor in, ValueRange panel,
                  TargetAttr target) const {
    auto type = cast<llama::WeightType>(op.getWeight().getType());
    llama::FormatInterface format = type.getFormat();
    int64_t columns = type.getColumns(), scaleBlock = format.getScaleBlock();
    std::vector<GroupLoads> groups;
    for (int64_t row = 0; row < op.getType().getRows(); row += kLanes)
      groups.emplace_back(b, in.getWeight(), type, hasTables(target),
                          b.add(in.getFirst(), row));
    auto decodeGroup = [&](GroupLoads &loads, Value block, int64_t count,
                           int64_t group) {
      Value first = b.mul(block, kColumnBlock);
      auto store = [&](PanelPart part, Value row, Value lanes) {
        b.storeLanes(lanes, panel[part], {row, b.index(group)});
      };
      loads.quants(block, 0, count, [&](int64_t c, Value quants) {
        store(kQuants, b.add(first, c), quants);
      });
      for (int64_t c = 0; c < count && format.hasScale(); c += scaleBlock) {
        Value number = b.div(b.add(first, c), scaleBlock);
        store(kScales, number, loads.scale(block, c));
        if (format.hasMinimum())
          store(kMinima, number, loads.minimum(block, c));
      }
    };
    auto decode = [&](Value block, int64_t count) {
      for (auto [i, loads] : llvm::enumerate(groups))
        decodeGroup(loads, block, count, int64_t(i) * kLanes);
    };
    Value blocks = b.index(columns / kColumnBlock);
    b.loop(0, blocks, 1, [&](Value block) { decode(block, kColumnBlock); });
    if (columns % kColumnBlock)
      decode(blocks, columns % kColumnBlock);
  }
};

struct FmaLowering
    : UnitLoweringInterface::ExternalModel<FmaLowering, FmaAttr> {
  SmallVector<Type> getScratchTypes(Attribute, tile::ContractOp) const {
    return {};
  }
  Value lowerContract(Attribute, VectorBuilder &b, tile::ContractOp op,
                      Ranges<tile::ContractOp> in, ValueRange,
                      TargetAttr target) const {
    auto type = cast<VectorType>(op.getType());
    int64_t m = type.getDimSize(0);
    Values rows;
    for (int64_t i = 0; i < m; ++i)
      rows.push_back(b.add(in.getRow()[0], i));
    // Each group of 16 rows is a stream of memory.
    std::vector<Source> sources;
    for (int64_t j = 0; j < type.getDimSize(1); j += kLanes)
      sources.emplace_back(b, op, in, j, hasTables(target));
    const int64_t scaleBlock = sources[0].format.getScaleBlock(),
                  columns = sources[0].columns;

    // One block of columns of some groups: each scale's share summed from +0,
    // then added.
    auto sumBlock = [&](MutableArrayRef<Source> some, Value block,
                        int64_t count, MutableArrayRef<Value> accumulators) {
      some[0].prefetch(block, sources.size());
      Value firstColumn = b.mul(block, kColumnBlock);
      for (int64_t from = 0; from < count; from += scaleBlock) {
        const int64_t to = std::min(from + scaleBlock, count);
        Values sums(accumulators.size(), b.zeros(b.floats()));
        auto multiply = [&](int64_t c, ArrayRef<Value> quants) {
          Value column = b.add(firstColumn, c);
          for (int64_t i = 0; i < m; ++i) {
            Value x = b.splat(b.loadScalar(in.getRows()[0], {rows[i], column}));
            for (auto [j, w] : llvm::enumerate(quants)) {
              Value &sum = sums[j * rows.size() + size_t(i)];
              sum = b.fma(w, x, sum);
            }
          }
        };
        if (some.size() == 1)
          some[0].quants(block, firstColumn, from, to, multiply);
        // A number of x is broadcast once for all groups.
        for (int64_t c = from; c < to && some.size() > 1; ++c) {
          Values quants;
          for (Source &source : some)
            source.quants(block, firstColumn, c, c + 1,
                          [&](int64_t, Value w) { quants.push_back(w); });
          multiply(c, quants);
        }
        Value number = b.div(b.add(firstColumn, from), scaleBlock);
        for (auto [j, source] : llvm::enumerate(some)) {
          Value scale = source.scale(block, from, number);
          Value minimum = source.minimum(block, from, number);
          for (int64_t i = 0; i < m; ++i) {
            const size_t at = j * rows.size() + size_t(i);
            Value &product = accumulators[at];
            product =
                scale ? b.fma(sums[at], scale, product)
                      : arith::AddFOp::create(b, product, sums[at]).getResult();
            if (!minimum)
              continue;
            Value sum = b.loadScalar(in.getSums()[0], {rows[i], number});
            product = b.fma(minimum, b.splat(sum), product);
          }
        }
      }
    };
    // In memory each group is a stream of its own, from which a load gives
    // several columns.
    const size_t atOnce = sources[0].loads ? 1 : sources.size();
    auto sumGroups = [&](Value block, int64_t count, ValueRange carried) {
      Values accumulators(carried); // by group, by row
      for (size_t j = 0; j < sources.size(); j += atOnce)
        sumBlock(MutableArrayRef(sources).slice(j, atOnce), block, count,
                 MutableArrayRef(accumulators)
                     .slice(j * rows.size(), atOnce * rows.size()));
      return accumulators;
    };

    Values accumulators(sources.size() * rows.size(), b.zeros(b.floats()));
    Value blocks = b.index(columns / kColumnBlock);
    accumulators = b.fold(0, blocks, 1, accumulators,
                          [&](Value block, ValueRange carried) {
                            return sumGroups(block, kColumnBlock, carried);
                          });
    if (columns % kColumnBlock)
      accumulators = sumGroups(blocks, columns % kColumnBlock, accumulators);
    return b.tileOf(type, [&](int64_t i, int64_t j) -> Value {
      return accumulators[size_t(j / kLanes * m + i)];
    });
  }

  int64_t getPeakOperations(Attribute, TargetAttr target) const {
    return kPeakChains * 2 * (target.getVectorBits() / 32);
  }
  double getBound(Attribute, const llama::FormatFacts &format,
                  TargetAttr target) const {
    double steps = double(format.scaleBlock());
    // Scaling a sum, or adding it; a minimum.
    double share = steps / (steps + 1 + format.has(llama::PlaneKind::Minima));
    // Of a loop written by hand with as many loads: ten for 16 fmas.
    constexpr double kBesideLoads = 0.88;
    return hasTwoPipes(target) ? kBesideLoads * share : share;
  }
  void emitPeakLoop(Attribute, VectorBuilder &b, Value memory, Value turns,
                    TargetAttr target) const {
    const int64_t lanes = target.getVectorBits() / 32;
    auto step = [&](Value chain, Value x) -> Value {
      auto type = b.floats(lanes);
      Value sum = vector::BitCastOp::create(b, type, chain);
      Value factor = vector::BitCastOp::create(b, type, x);
      Value next = b.fma(sum, factor, factor);
      return vector::BitCastOp::create(b, x.getType(), next);
    };
    emitVectorPeak(b, memory, turns, lanes, step);
  }
};
} // namespace

void cpu::registerFma(DialectRegistry &registry) {
  registry.addExtension(+[](MLIRContext *context, CPUDialect *) {
    FmaAttr::attachInterface<FmaLowering, FmaPanels>(*context);
  });
}
