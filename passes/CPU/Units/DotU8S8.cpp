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

/// One product: a tile of m rows by 16 rows of a weight.
class Product {
public:
  Product(VectorBuilder &b, tile::ContractOp op, Ranges<tile::ContractOp> in,
          TargetAttr target)
      : b(b), tile(cast<VectorType>(op.getType())), form(Form::of(target)),
        weight(cast<llama::WeightType>(op.getWeight().getType())),
        facts(weight.getFormat().getFacts()),
        loads(b, in.getWeight()[0], weight, hasTables(target),
              in.getFirst()[0]),
        memory(in.getRows()[0]) {
    for (int64_t i = 0; i < tile.getDimSize(0); ++i)
      rows.push_back(b.add(in.getRow()[0], i));
  }

  Value write() {
    Values accumulators(rows.size(), b.zeros(b.floats()));
    Value blocks = b.index(weight.getColumns() / kColumnBlock);
    accumulators = b.fold(0, blocks, 1, accumulators,
                          [&](Value block, ValueRange carried) {
                            return addBlock(block, carried);
                          });
    return b.pack(accumulators, tile);
  }

private:
  static_assert(kColumnBlock == Q8B32::kBlock);

  /// A number in the record of a row's block.
  Value field(Value row, Value block, int64_t byte, Type type) {
    Value at = b.add(b.mul(block, Q8B32::kRecordBytes), byte);
    return vector::ExtractOp::create(b, b.loadBytes(memory, {row, at}, 1, type),
                                     0);
  }

  /// The sum of a row's quants in columns from to from + count of a block.
  Value sumOf(Value row, Value block, int64_t from, int64_t count) {
    Value sum;
    for (int64_t c = from; c < from + count; c += Q8B32::kSumColumns) {
      Value next =
          field(row, block, Q8B32::kSumsByte + c / Q8B32::kSumColumns * 4,
                b.getI32Type());
      sum = sum ? arith::AddIOp::create(b, sum, next).getResult() : next;
    }
    return sum;
  }

  /// Part `part` of a vector of 64 bytes: as many as one instruction takes.
  Value partOf(Value bytes, int64_t part) {
    int64_t count = 4 * form.lanes;
    return b.chunk(bytes, part * count, count);
  }
  bool isSigned() const {
    return facts.planes.front().type == llama::FieldType::Signed;
  }
  /// The largest byte that multiply_pairs gets as its unsigned operand.
  int64_t largestQuant() const {
    return isSigned() ? 128 : (int64_t{1} << loads.quantBits()) - 1;
  }

  using Sums = SmallVector<SmallVector<Value, 2>>; // by row, by part

  /// isum of each row over `count` columns of a block, a scale block.
  Sums sumIntegers(Value block, int64_t from, int64_t count) {
    int64_t parts = kLanes / form.lanes;
    // vpdpbusd takes signed quants as quant + 128.
    bool isShifted = form.isDot && isSigned();
    int64_t bias = isShifted ? -128 : facts.planes.front().bias;
    Sums sums;
    for (Value row : rows) {
      Value start = b.zeros(b.getI32Type());
      if (bias != 0) {
        Value sum = sumOf(row, block, from, count);
        start = arith::MulIOp::create(b, sum, b.constant(b.getI32Type(), bias));
      }
      sums.emplace_back(parts, b.splat(start, form.lanes));
    }

    // Vectors of products that 16 bits hold the sum of, pairs of +-127 * quant.
    const int64_t most = 32767 / (largestQuant() * 2 * 127);
    Sums narrow(rows.size(), SmallVector<Value, 2>(parts));
    int64_t added = 0;
    auto widen = [&] {
      for (auto [wide, parts] : llvm::zip(sums, narrow))
        for (auto [sum, part] : llvm::zip(wide, parts)) {
          sum = arith::AddIOp::create(b, sum, AddPairsOp::create(b, part));
          part = {};
        }
      added = 0;
    };
    for (int64_t c = from; c < from + count; c += 4) {
      Value quants = loads.bytes(block, c);
      for (int64_t part = 0; part < parts; ++part) {
        Value w = partOf(quants, part);
        if (isShifted)
          w = arith::XOrIOp::create(b, w, b.constant(w.getType(), -128));
        Value isNegative, magnitude;
        if (!form.isDot && isSigned()) {
          isNegative = arith::CmpIOp::create(b, arith::CmpIPredicate::slt, w,
                                             b.zeros(w.getType()));
          magnitude = math::AbsIOp::create(b, w);
        }
        for (auto [i, row] : llvm::enumerate(rows)) {
          Value x = vector::BitCastOp::create(
              b, w.getType(),
              b.splat(field(row, block, c, b.getI32Type()), form.lanes));
          if (form.isDot) {
            sums[i][part] = DotU8S8Op::create(b, sums[i][part], w, x);
            continue;
          }
          if (isNegative) {
            Value negated = arith::SubIOp::create(b, b.zeros(w.getType()), x);
            x = arith::SelectOp::create(b, isNegative, negated, x);
          }
          Value products =
              MultiplyPairsOp::create(b, magnitude ? magnitude : w, x);
          Value &sum = narrow[i][part];
          sum = sum ? arith::AddIOp::create(b, sum, products).getResult()
                    : products;
        }
      }
      if (!form.isDot && ++added == most)
        widen();
    }
    if (added)
      widen();
    return sums;
  }

  /// 16 lanes from parts.
  Value join(ArrayRef<Value> parts) {
    if (parts.size() == 1)
      return parts[0];
    auto lanes = llvm::to_vector(llvm::seq<int64_t>(kLanes));
    return vector::ShuffleOp::create(b, parts[0], parts[1], lanes);
  }

  Values addBlock(Value block, ValueRange carried) {
    Values accumulators(carried);
    int64_t scaleBlock = facts.scaleBlock();
    for (int64_t from = 0; from < kColumnBlock; from += scaleBlock) {
      Sums sums = sumIntegers(block, from, scaleBlock);
      Value scale = loads.scale(block, from);
      Value minimum = loads.minimum(block, from);
      for (auto [i, row] : llvm::enumerate(rows)) {
        Value d = field(row, block, Q8B32::kScaleByte, b.getF32Type());
        Value isum = arith::SIToFPOp::create(b, b.floats(), join(sums[i]));
        Value factor = arith::MulFOp::create(b, scale, b.splat(d));
        accumulators[i] = b.fma(isum, factor, accumulators[i]);
        if (!minimum)
          continue;
        Value sum = arith::SIToFPOp::create(
            b, b.getF32Type(), sumOf(row, block, from, scaleBlock));
        Value share = arith::MulFOp::create(b, d, sum);
        accumulators[i] = b.fma(minimum, b.splat(share), accumulators[i]);
      }
    }
    return accumulators;
  }

  VectorBuilder &b;
  VectorType tile;
  const Form form;
  llama::WeightType weight;
  const llama::FormatFacts &facts;
  GroupLoads loads;
  Value memory;
  Values rows;
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
