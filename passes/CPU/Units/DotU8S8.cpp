//===- DotU8S8.cpp - #cpu.dot_u8s8: exact sums of products of bytes -------===//
//
// tile -> vector: the loop over k of a product of quants and rows of q8b32. A
// vector has four columns of 16 rows of a weight, where they stand in memory;
// four columns of a row are broadcast. Sums of a scale block are exact
// integers, so the target's features choose the instructions and no bit of the
// result depends on the choice (docs/bits.md).
//
//===----------------------------------------------------------------------===//

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "passes/CPU/GroupLoads.h"
#include "passes/CPU/UnitLowering.h"

using namespace mlir;
using namespace corellama;
using namespace corellama::cpu;
using Q8B32 = llama::Q8B32Type;

namespace {

/// The instructions of a target: lanes of 32 bits of one, and whether it adds
/// in them (vpdpbusd) or in 16 bits first (vpmaddubsw).
struct Form {
  int64_t lanes;
  bool isDot;

  static Form of(TargetAttr target) {
    auto has = [&](StringRef name) { return llama::hasFeature(target, name); };
    if (has("avx512vnni") && target.getVectorBits() >= 512)
      return {16, true};
    return {8, has("avxvnni") || (has("avx512vnni") && has("avx512vl"))};
  }
};

/// One product: a tile of m rows by groups of 16 rows of a weight. Each group
/// is a stream of memory: several side by side are read faster than one.
class Product {
  /// The largest sum that vpmaddubsw keeps.
  static constexpr int64_t kMostPairs = 32767;

public:
  Product(VectorBuilder &b, tile::ContractOp op, Ranges<tile::ContractOp> in,
          TargetAttr target)
      : b(b), tile(cast<VectorType>(op.getType())), form(Form::of(target)),
        weight(cast<llama::WeightType>(op.getWeight().getType())),
        facts(weight.getFormat().getFacts()), memory(in.getRows()[0]),
        ahead(prefetchOf(op)) {
    auto [least, greatest] = facts.quantRange();
    keepsSigns = !form.isDot && 2 * 127 * (greatest - least) > kMostPairs;
    zero = keepsSigns ? 0 : least;
    largest = keepsSigns ? std::max(-least, greatest) : greatest - least;
    for (int64_t i = 0; i < tile.getDimSize(0); ++i)
      rows.push_back(b.add(in.getRow()[0], i));
    for (int64_t j = 0; j < tile.getDimSize(1); j += kLanes)
      groups.emplace_back(b, in.getWeight()[0], weight, hasTables(target),
                          b.add(in.getFirst()[0], j));
  }

  Value write() {
    // The sums of several rows fill the registers with one part, so each part
    // has a loop of its own.
    const int64_t all = kLanes / form.lanes;
    const int64_t parts = rows.size() == 1 ? all : 1;
    SmallVector<Values> columns; // by part, by group and row
    for (int64_t part = 0; part < all; part += parts)
      columns.push_back(sumParts(part, parts));
    return b.tileOf(tile, [&](int64_t i, int64_t j) {
      Values halves;
      for (const Values &column : columns)
        halves.push_back(column[indexOf(j / kLanes, i)]);
      return join(halves);
    });
  }

private:
  static_assert(kColumnBlock == Q8B32::kBlock);

  /// The place of a group's accumulator for a row among all.
  size_t indexOf(int64_t group, int64_t row) const {
    return static_cast<size_t>(group) * rows.size() + static_cast<size_t>(row);
  }

  /// A number in the record of a row's block.
  Value field(Value row, Value block, int64_t byte, Type type) {
    Value at = b.add(b.mul(block, Q8B32::kRecordBytes), byte);
    return vector::ExtractOp::create(b, b.loadBytes(memory, {row, at}, 1, type),
                                     0);
  }

  /// The sum of a row's quants in the block, or in a half of it.
  Value sumOf(Value row, Value block, int64_t from, int64_t count) {
    auto sum = [&](int64_t byte) {
      return field(row, block, byte, b.getI32Type());
    };
    if (count == Q8B32::kBlock)
      return sum(Q8B32::kSumByte);
    assert(count == Q8B32::kHalf &&
           "a scale is for a block of x or half of it");
    Value last = sum(Q8B32::kLastHalfSumByte);
    if (from != 0)
      return last;
    return arith::SubIOp::create(b, sum(Q8B32::kSumByte), last);
  }

  /// The sum times the block's scale: what a minimum is multiplied by.
  Value scaledSumOf(Value row, Value block, int64_t from, int64_t count,
                    Value scale) {
    if (count == Q8B32::kBlock)
      return field(row, block, Q8B32::kScaledSumByte, b.getF32Type());
    Value sum = arith::SIToFPOp::create(b, b.getF32Type(),
                                        sumOf(row, block, from, count));
    return arith::MulFOp::create(b, scale, sum);
  }

  /// Part `part` of a vector of 64 bytes: as many as one instruction takes.
  Value partOf(Value bytes, int64_t part) {
    int64_t count = 4 * form.lanes;
    return b.chunk(bytes, part * count, count);
  }

  /// The products of all rows of x with parts of the 16 rows of the weight.
  Values sumParts(int64_t firstPart, int64_t parts) {
    Values accumulators(groups.size() * rows.size(),
                        b.zeros(b.floats(parts * form.lanes)));
    Value blocks = b.index(weight.getColumns() / kColumnBlock);
    return b.fold(
        0, blocks, 1, accumulators, [&](Value block, ValueRange carried) {
          Values sums(carried);
          for (auto [i, loads] : llvm::enumerate(groups)) {
            if (ahead && firstPart == 0)
              loads.prefetch(block, ahead, int64_t(groups.size()));
            addBlock(loads, block,
                     MutableArrayRef(sums).slice(i * rows.size(), rows.size()),
                     firstPart, parts);
          }
          return sums;
        });
  }

  /// Four columns of the rows of a part: unsigned bytes, and the quants
  /// themselves where `keepsSigns`.
  struct Quants {
    Value bytes, quants;

    /// x with the signs of the quants.
    Value signedBy(VectorBuilder &b, Value x) const {
      return quants ? MultiplySignsOp::create(b, x, quants).getResult() : x;
    }
  };

  SmallVector<Quants, 2> loadQuants(GroupLoads &loads, Value block,
                                    int64_t column, int64_t firstPart,
                                    int64_t parts) {
    Value all = loads.bytes(block, column);
    const llama::Plane &first = facts.planes.front();
    SmallVector<Quants, 2> parted;
    for (int64_t part = firstPart; part < firstPart + parts; ++part) {
      Value w = partOf(all, part), quants;
      if (!first.table.empty())
        w = b.lookUp(first.table, zero, w);
      else if (first.type == llama::FieldType::Signed && !keepsSigns)
        // q + 128 is q with its sign bit flipped.
        w = arith::XOrIOp::create(b, w, b.constant(w.getType(), -128));
      if (keepsSigns) {
        quants = w;
        w = math::AbsIOp::create(b, w);
      }
      parted.push_back({w, quants});
    }
    return parted;
  }

  /// Four columns of a row of x, for each lane.
  Value fourColumns(Value row, Value block, int64_t column) {
    Value four = field(row, block, column, b.getI32Type());
    return vector::BitCastOp::create(b,
                                     b.vectorOf(b.getI8Type(), 4 * form.lanes),
                                     b.splat(four, form.lanes));
  }

  using Sums = SmallVector<SmallVector<Value, 2>>; // by row, by part

  /// isum of each row over `count` columns of a block, a scale block.
  Sums sumIntegers(GroupLoads &loads, Value block, int64_t from, int64_t count,
                   int64_t firstPart, int64_t parts) {
    Sums sums;
    for (Value row : rows) {
      auto type = b.vectorOf(b.getI32Type(), form.lanes);
      Value start = b.zeros(type);
      if (zero != 0) {
        Value sum = b.splat(sumOf(row, block, from, count), form.lanes);
        start = arith::MulIOp::create(b, sum, b.constant(type, zero));
      }
      sums.emplace_back(parts, start);
    }

    // Sums of integers have no order: columns that are in one load follow each
    // other.
    SmallVector<int64_t> columns;
    for (int64_t c = from; c < from + count; c += 4)
      columns.push_back(c);
    llvm::sort(columns, [&](int64_t c, int64_t other) {
      return std::pair(loads.placeOf(c), c) <
             std::pair(loads.placeOf(other), other);
    });
    // Four columns of the parts, each loaded and converted once: where its
    // first product is, so that LLVM keeps few of them.
    SmallVector<SmallVector<Quants, 2>> loaded(columns.size());
    auto quants = [&](size_t c) -> ArrayRef<Quants> {
      if (loaded[c].empty())
        loaded[c] = loadQuants(loads, block, columns[c], firstPart, parts);
      return loaded[c];
    };
    if (form.isDot) {
      for (size_t c = 0; c < columns.size(); ++c)
        for (auto [i, row] : llvm::enumerate(rows))
          for (auto [sum, w] : llvm::zip(sums[i], quants(c)))
            sum = DotU8S8Op::create(b, sum, w.bytes,
                                    fourColumns(row, block, columns[c]));
      return sums;
    }
    // Vectors of products that 16 bits hold the sum of, pairs of +-127 * quant.
    const size_t most = kMostPairs / (largest * 2 * 127);
    // All rows meet a vector of quants while it is in a register.
    SmallVector<SmallVector<Value, 2>> narrow(rows.size());
    for (size_t c = 0; c < columns.size(); ++c)
      for (auto [i, row] : llvm::enumerate(rows)) {
        Value x = fourColumns(row, block, columns[c]);
        narrow[i].resize(parts);
        for (auto [sum, w] : llvm::zip(narrow[i], quants(c))) {
          Value products =
              MultiplyPairsOp::create(b, w.bytes, w.signedBy(b, x));
          sum = sum ? arith::AddIOp::create(b, sum, products).getResult()
                    : products;
        }
        if ((c + 1) % most != 0 && c + 1 != columns.size())
          continue;
        for (auto [sum, part] : llvm::zip(sums[i], narrow[i]))
          sum = arith::AddIOp::create(b, sum, AddPairsOp::create(b, part));
        narrow[i].clear();
      }
    return sums;
  }

  /// 16 lanes from parts.
  Value join(ArrayRef<Value> parts) {
    if (parts.size() == 1)
      return parts[0];
    auto lanes = llvm::to_vector(llvm::seq<int64_t>(kLanes));
    return vector::ShuffleOp::create(b, parts[0], parts[1], lanes);
  }

  /// Adds a block of a group to an accumulator for each row.
  void addBlock(GroupLoads &loads, Value block,
                MutableArrayRef<Value> accumulators, int64_t firstPart,
                int64_t parts) {
    int64_t scaleBlock = facts.scaleBlock();
    for (int64_t from = 0; from < kColumnBlock; from += scaleBlock) {
      Sums sums = sumIntegers(loads, block, from, scaleBlock, firstPart, parts);
      const int64_t lanes = parts * form.lanes;
      auto partsOf = [&](Value of) {
        return of ? b.chunk(of, firstPart * form.lanes, lanes) : of;
      };
      Value scale = partsOf(loads.scale(block, from));
      Value minimum = partsOf(loads.minimum(block, from));
      for (auto [i, row] : llvm::enumerate(rows)) {
        Value d = field(row, block, Q8B32::kScaleByte, b.getF32Type());
        Value isum = arith::SIToFPOp::create(b, b.floats(lanes), join(sums[i]));
        Value factor = arith::MulFOp::create(b, scale, b.splat(d, lanes));
        accumulators[i] = b.fma(isum, factor, accumulators[i]);
        if (!minimum)
          continue;
        Value sum = scaledSumOf(row, block, from, scaleBlock, d);
        accumulators[i] = b.fma(minimum, b.splat(sum, lanes), accumulators[i]);
      }
    }
  }

  VectorBuilder &b;
  VectorType tile;
  const Form form;
  llama::WeightType weight;
  const llama::FormatFacts &facts;
  Value memory;
  const int64_t ahead;
  /// How a quant becomes the unsigned byte of a product: less `zero`, which the
  /// sum of x is multiplied by; or, where vpmaddubsw could not add two such
  /// products, its size, and x gets its sign.
  bool keepsSigns = false;
  int32_t zero = 0;
  /// The largest such byte.
  int64_t largest = 0;
  Values rows;
  SmallVector<GroupLoads> groups;
};

struct DotU8S8Lowering
    : UnitLoweringInterface::ExternalModel<DotU8S8Lowering, DotU8S8Attr> {
  Value lowerContract(Attribute, VectorBuilder &b, tile::ContractOp op,
                      Ranges<tile::ContractOp> in, TargetAttr target) const {
    return Product(b, op, in, target).write();
  }

  PeakStep getPeakStep(Attribute, TargetAttr target) const {
    int64_t lanes = Form::of(target).lanes;
    return {lanes, 8 * lanes}; // four products a lane, added
  }
  Value emitPeakStep(Attribute, VectorBuilder &b, Value chain, Value x,
                     TargetAttr target) const {
    Form form = Form::of(target);
    auto type = b.vectorOf(b.getI8Type(), 4 * form.lanes);
    Value bytes = vector::BitCastOp::create(b, type, x);
    if (form.isDot)
      return DotU8S8Op::create(b, chain, bytes, bytes);
    // What adds the products of vpmaddubsw is another instruction.
    Value link = vector::BitCastOp::create(b, type, chain);
    Value products = MultiplyPairsOp::create(b, link, bytes);
    return vector::BitCastOp::create(b, x.getType(), products);
  }
};

} // namespace

void cpu::registerDotU8S8(DialectRegistry &registry) {
  registry.addExtension(+[](MLIRContext *context, CPUDialect *) {
    DotU8S8Attr::attachInterface<DotU8S8Lowering>(*context);
  });
}
