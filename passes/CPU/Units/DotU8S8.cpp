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
#include "passes/CPU/UnitLowering.h"
#include "passes/CPU/VectorKernel.h"

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
  Product(VectorKernel &k, tile::ContractOp op)
      : k(k), b(k.b), op(op), form(Form::of(k.target)),
        weight(k.weights.find(op.getWeight())->second),
        facts(weight.type.getFormat().getFacts()),
        loads(b, weight.memory, weight.type, k.tables, op.getFirst()),
        memory(k.rows.lookup(op.getRows())) {
    for (int64_t i = 0, m = cast<VectorType>(op.getType()).getDimSize(0); i < m;
         ++i)
      rows.push_back(k.add(op.getRow(), i));
  }

  Value write() {
    SmallVector<Value> accumulators(rows.size(), k.zeros(k.floats()));
    k.loop(
        0, k.index(weight.type.getColumns() / kColumnBlock), 1,
        SmallVector<Value>(accumulators),
        [&](Value block, ValueRange carried) -> SmallVector<Value> {
          return addBlock(block, carried);
        },
        &accumulators);
    return k.pack(accumulators, op.getType());
  }

private:
  static_assert(kColumnBlock == Q8B32::kBlock);

  /// A number in the record of a row's block.
  Value field(Value row, Value block, int64_t byte, Type type) {
    Value at = k.add(k.mul(block, Q8B32::kRecordBytes), byte);
    Value raw = vector::LoadOp::create(b, VectorType::get({4}, b.getI8Type()),
                                       memory, ValueRange{row, at});
    return vector::ExtractOp::create(
        b, vector::BitCastOp::create(b, VectorType::get({1}, type), raw), 0);
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

  Value splat(Value scalar, int64_t lanes) {
    return vector::BroadcastOp::create(
        b, VectorType::get({lanes}, scalar.getType()), scalar);
  }
  /// Part `part` of a vector of 64 bytes: as many as one instruction takes.
  Value partOf(Value bytes, int64_t part) {
    int64_t count = 4 * form.lanes;
    if (count == 4 * kLanes)
      return bytes;
    return vector::ExtractStridedSliceOp::create(
        b, bytes, ArrayRef<int64_t>{part * count}, ArrayRef<int64_t>{count},
        ArrayRef<int64_t>{1});
  }
  Value bytesOf(int64_t value) {
    return arith::ConstantOp::create(
        b, DenseElementsAttr::get(
               VectorType::get({4 * form.lanes}, b.getI8Type()),
               b.getI8IntegerAttr(static_cast<int8_t>(value)).getValue()));
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
      Value start = k.zeros(b.getI32Type());
      if (bias != 0)
        start = arith::MulIOp::create(
            b, sumOf(row, block, from, count),
            arith::ConstantOp::create(b, b.getI32IntegerAttr(bias)));
      sums.emplace_back(parts, splat(start, form.lanes));
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
          w = arith::XOrIOp::create(b, w, bytesOf(-128));
        Value isNegative, magnitude;
        if (!form.isDot && isSigned()) {
          isNegative = arith::CmpIOp::create(b, arith::CmpIPredicate::slt, w,
                                             bytesOf(0));
          magnitude = math::AbsIOp::create(b, w);
        }
        for (auto [i, row] : llvm::enumerate(rows)) {
          Value x = vector::BitCastOp::create(
              b, w.getType(),
              splat(field(row, block, c, b.getI32Type()), form.lanes));
          if (form.isDot) {
            sums[i][part] = DotU8S8Op::create(b, sums[i][part], w, x);
            continue;
          }
          if (isNegative)
            x = arith::SelectOp::create(
                b, isNegative, arith::SubIOp::create(b, bytesOf(0), x), x);
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

  SmallVector<Value> addBlock(Value block, ValueRange carried) {
    SmallVector<Value> accumulators(carried);
    int64_t scaleBlock = facts.scaleBlock();
    for (int64_t from = 0; from < kColumnBlock; from += scaleBlock) {
      Sums sums = sumIntegers(block, from, scaleBlock);
      Value scale = loads.scale(block, from), minimum;
      if (facts.has(llama::PlaneKind::Minima))
        minimum = loads.minimum(block, from);
      for (auto [i, row] : llvm::enumerate(rows)) {
        Value d = field(row, block, Q8B32::kScaleByte, b.getF32Type());
        Value isum = arith::SIToFPOp::create(b, k.floats(), join(sums[i]));
        Value factor = arith::MulFOp::create(b, scale, splat(d, kLanes));
        accumulators[i] = k.fma(isum, factor, accumulators[i]);
        if (!minimum)
          continue;
        Value sum = arith::SIToFPOp::create(
            b, b.getF32Type(), sumOf(row, block, from, scaleBlock));
        accumulators[i] =
            k.fma(minimum, splat(arith::MulFOp::create(b, d, sum), kLanes),
                  accumulators[i]);
      }
    }
    return accumulators;
  }

  VectorKernel &k;
  ImplicitLocOpBuilder &b;
  tile::ContractOp op;
  const Form form;
  const VectorKernel::Weight &weight;
  const llama::FormatFacts &facts;
  GroupLoads loads;
  Value memory;
  SmallVector<Value> rows;
};

struct DotU8S8Lowering
    : UnitLoweringInterface::ExternalModel<DotU8S8Lowering, DotU8S8Attr> {
  LogicalResult lowerPanel(Attribute self, VectorKernel &,
                           tile::PanelOp op) const {
    return op.emitOpError() << "the unit " << self
                            << " multiplies quants where they stand and has no "
                               "panels; multiply by the weight";
  }

  LogicalResult lowerContract(Attribute, VectorKernel &k,
                              tile::ContractOp op) const {
    op.getResult().replaceAllUsesWith(Product(k, op).write());
    return success();
  }
};

} // namespace

void cpu::registerDotU8S8(DialectRegistry &registry) {
  registry.addExtension(+[](MLIRContext *context, CPUDialect *) {
    DotU8S8Attr::attachInterface<DotU8S8Lowering>(*context);
  });
}
