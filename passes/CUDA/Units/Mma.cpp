//===- Mma.cpp - #cuda.mma: products in tensor cores ----------------------===//
//
// tile -> vector: 64 rows of activations times 64 rows of a weight, 32 columns
// a stage. Four warps; warp w has rows 16 w to 16 w + 15 of the result and all
// of its columns.
//
// A stage is, in workgroup memory, 64 x 32 f16 of each operand and, for
// quantised weights, the 64 scales. While the tensor cores work on one stage,
// the rows of the next are copied (cp.async) and the weight's bytes are loaded
// to registers; when stored they are converted to f16, exactly. One barrier a
// stage is enough:
//
//     wait for my copies of stage s; store my part of the weight to stage s
//     barrier                    all of s is there, and no thread still reads
//                                1 - s
//     start the copies to 1 - s and the loads for it
//     multiply s
//
// The sums of 32 columns start from zero and are then scaled and added (`scale
// = outer`); f16 weights have no scale, so their blocks share one accumulator.
//
//===----------------------------------------------------------------------===//

#include "passes/CUDA/CUDAKernel.h"
#include "passes/CUDA/Fragments.h"
#include "passes/CUDA/UnitLowering.h"
#include "passes/CUDA/WeightChunks.h"
#include "llvm/ADT/STLExtras.h"

using namespace mlir;
using namespace corellama;
using corellama::cuda::CUDAKernel;

/// The tile of a block, columns of a stage, stages and threads: what the code
/// below is written for, as the strategy table says it.
static constexpr int64_t kRows = 64, kColumns = 64, kDepth = cuda::kMmaBlock,
                         kStages = 2, kThreads = 128;
/// Depth of the product of one cuda.mma.
static constexpr int64_t kMmaDepth = 16;
/// f16 in 16 bytes, the unit of copies and of ldmatrix's rows; units in a row
/// of a stage.
static constexpr int64_t kUnit = 8, kUnits = kDepth / kUnit;

namespace corellama::cuda {

class MmaContract {
public:
  MmaContract(CUDAKernel &kernel, tile::ContractOp op)
      : k(kernel), b(kernel.b), op(op) {}
  Value write();

private:
  using Values = SmallVector<Value>;
  LogicalResult verify();
  void allocateStages();
  Value place(Value row, Value unit);
  void copyRows(Value depth, Value stage);
  Values loadWeight(Value depth);
  SmallVector<Value> halvesOf(ValueRange words);
  bool isNibbles() const { return format.getPlanes().front().bits == 4; }
  Value exactHalves(Value word);
  void storeWeight(ValueRange loaded, Value stage);
  Values multiply(Value stage, ValueRange sums);

  CUDAKernel &k;
  ImplicitLocOpBuilder &b;
  tile::ContractOp op;
  CUDAKernel::Rows rows;
  CUDAKernel::Weight weight;
  llama::FormatInterface format;
  /// Columns of both operands.
  int64_t depth = 0;
  /// The thread's row of the weight: its number in the tile, the existing row
  /// that is read for it, and which half of the 32 columns it stores.
  Value weightRow, sourceRow, half;
};

} // namespace corellama::cuda

using corellama::cuda::MmaContract;

LogicalResult MmaContract::verify() {
  if (k.strategy.getM() != kRows || k.strategy.getN() != kColumns ||
      k.strategy.getK() != kDepth || k.strategy.getStages() != kStages ||
      k.threads != kThreads)
    return op.emitOpError()
           << "has code for " << kThreads << " threads, m = " << kRows
           << ", n = " << kColumns << ", k = " << kDepth << " and " << kStages
           << " stages in tensor cores, found " << k.strategy;
  if (depth % kUnit != 0)
    return op.emitOpError()
           << "multiplies rows of a multiple of " << kUnit
           << " columns in tensor cores, found " << op.getRows().getType();
  // The free stage is known from the number of stages so far, which a loop
  // would make unknown.
  for (Operation *parent = b.getInsertionBlock()->getParentOp();
       !isa<func::FuncOp>(parent); parent = parent->getParentOp())
    if (isa<LoopLikeOpInterface>(parent))
      return op.emitOpError() << "stands in a loop; a block computes one tile "
                                 "in tensor cores";
  return success();
}

/// One set of stages for all contractions of a kernel, which run one after the
/// other.
void MmaContract::allocateStages() {
  Type half = b.getF16Type();
  if (!k.stages.rows) {
    k.stages.rows = k.allocate({kStages, kRows, kDepth}, half);
    k.stages.weight = k.allocate({kStages, kColumns, kDepth}, half);
  }
  if (format.hasScale() && !k.stages.scales)
    k.stages.scales = k.allocate({kStages, kColumns}, b.getF32Type());
}

/// The column at which unit `unit` (16 bytes) of row `row` is stored. Rows are
/// 64 bytes, so unpermuted the first units of a matrix's 8 rows would share two
/// of the eight places in the 128 bytes that memory serves at once. With the
/// unit's number XORed with half the row's, the 8 rows that ldmatrix reads at
/// once are in eight different places, and so are the 8 that threads write at
/// once.
Value MmaContract::place(Value row, Value unit) {
  Value high = k.rem(k.div(row, 2), kUnits);
  return k.mul(arith::XOrIOp::create(b, unit, high), kUnit);
}

/// Starts the copies of 64 rows, `from` being their first column. A result row
/// past the call's last is not stored, so the last row is read in its place;
/// columns past the last are zero, as the weight's may hold anything.
void MmaContract::copyRows(Value from, Value stage) {
  Value last = k.sub(k.field(context::Field::Rows), 1);
  for (int64_t item = 0; item < kRows * kUnits; item += kThreads) {
    Value number = k.add(k.thread, item);
    Value row = k.div(number, kUnits), unit = k.rem(number, kUnits);
    Value source = k.minimum(k.add(k.lookup(op.getRow()), row), last);
    Value column = k.add(from, k.mul(unit, kUnit));
    Value valid = k.index(CopyAsyncOp::kBytes);
    if (depth % kDepth != 0) {
      Value inside = k.lessThan(column, depth);
      valid = arith::SelectOp::create(b, inside, valid, k.index(0));
      column = k.minimum(column, depth - kUnit);
    }
    CopyAsyncOp::create(b, rows.memory, ValueRange{source, column},
                        k.stages.rows, ValueRange{stage, row, place(row, unit)},
                        valid);
  }
  CopyCommitOp::create(b);
}

/// This thread's 16 columns of its row from column `from` on, as encoded in the
/// checkpoint, and the scale. With 4-bit quants both halves of a block are in
/// the same 16 bytes: two threads load them from the same address.
SmallVector<Value> MmaContract::loadWeight(Value from) {
  Value start = k.mul(sourceRow, k.planeStride(weight, 0));
  auto load = [&](Value at) -> Value {
    return LoadWeightOp::create(b, weight.memory, k.add(start, at));
  };
  Values loaded;
  if (isNibbles()) {
    loaded.push_back(load(k.div(from, 2)));
  } else if (format.hasScale()) {
    loaded.push_back(load(k.add(from, k.mul(half, kDepth / 2))));
  } else {
    for (int64_t unit = 0; unit < kUnits / 2; ++unit) {
      Value column =
          k.add(from, k.mul(k.add(k.mul(half, kUnits / 2), unit), kUnit));
      Value inside = depth % kDepth == 0 ? Value() : k.lessThan(column, depth);
      Value zero = k.zeros(VectorType::get({4}, b.getI32Type()));
      loaded.push_back(k.guardedValues(inside, zero, [&]() -> Values {
        return {load(k.mul(column, 2))};
      })[0]);
    }
  }
  if (format.hasScale())
    loaded.push_back(k.loadScale(weight, sourceRow, k.div(from, kDepth)));
  return loaded;
}

/// Four bytes as f16. The f16 with the bits 0x6400 + n is 1024 + n, exactly,
/// for n below 1024. So each byte is combined with 0x64, and one subtraction,
/// of two f16 at once, removes 1024 and the quants' zero.
Value MmaContract::exactHalves(Value word) {
  auto pairType = VectorType::get({2}, b.getF16Type());
  double zero = 1024.0 - format.getFacts().quantRange().first;
  Value away = arith::ConstantOp::create(
      b, DenseElementsAttr::get(pairType, b.getF16FloatAttr(zero).getValue()));
  // Bytes 0 and 2, or 1 and 3.
  auto pair = [&](Value bytes) -> Value {
    Value number = arith::AndIOp::create(b, bytes, k.i32(0x00FF00FF));
    number = arith::OrIOp::create(b, number, k.i32(0x64006400));
    Value one = vector::BroadcastOp::create(
        b, VectorType::get({1}, b.getI32Type()), number);
    return arith::SubFOp::create(b, vector::BitCastOp::create(b, pairType, one),
                                 away);
  };
  if (!format.getPlanes().front().table.empty()) {
    // Of two bytes at a time, the nibbles of this thread's half.
    Value shift = arith::IndexCastOp::create(b, b.getI32Type(), k.mul(half, 8));
    auto two = [&](Value bytes) {
      bytes = lookUpNibbles(b, format.getFacts(), bytes);
      return pair(arith::ShRUIOp::create(b, bytes, shift));
    };
    Value first = two(word);
    Value second = two(arith::ShRUIOp::create(b, word, k.i32(16)));
    return vector::ShuffleOp::create(b, first, second,
                                     ArrayRef<int64_t>{0, 1, 2, 3});
  }
  if (!isNibbles())
    // q + 128 is q with its sign bit flipped.
    word = arith::XOrIOp::create(b, word, k.i32(0x80808080));
  Value even = pair(word);
  Value odd = pair(arith::ShRUIOp::create(b, word, k.i32(8)));
  return vector::ShuffleOp::create(b, even, odd, ArrayRef<int64_t>{0, 2, 1, 3});
}

/// This thread's 16 columns: two groups of eight f16.
SmallVector<Value> MmaContract::halvesOf(ValueRange loaded) {
  auto eight = VectorType::get({kUnit}, b.getF16Type());
  Values groups;
  if (!format.hasScale()) {
    for (Value words : loaded)
      groups.push_back(vector::BitCastOp::create(b, eight, words));
    return groups;
  }
  Value words = loaded[0];
  if (isNibbles() && format.getPlanes().front().table.empty()) {
    // Columns 0 to 15 are the low four bits of the 16 bytes, 16 to 31 the high.
    Value shift = arith::IndexCastOp::create(b, b.getI32Type(), k.mul(half, 4));
    words = arith::ShRUIOp::create(b, words, k.splat(shift, 4));
    words = arith::AndIOp::create(b, words, k.splat(k.i32(0x0F0F0F0F), 4));
  }
  for (int64_t group = 0; group < 2; ++group) {
    auto four = [&](int64_t word) {
      return exactHalves(vector::ExtractOp::create(b, words, 2 * group + word));
    };
    Value low = four(0), high = four(1);
    groups.push_back(vector::ShuffleOp::create(
        b, low, high, llvm::to_vector(llvm::seq<int64_t>(0, kUnit))));
  }
  return groups;
}

void MmaContract::storeWeight(ValueRange loaded, Value stage) {
  bool scaled = format.hasScale();
  Values groups = halvesOf(scaled ? loaded.drop_back() : loaded);
  for (auto [i, group] : llvm::enumerate(groups)) {
    Value unit = k.add(k.mul(half, kUnits / 2), i);
    k.storeVector(group, k.stages.weight,
                  {stage, weightRow, place(weightRow, unit)},
                  CopyAsyncOp::kBytes);
  }
  if (scaled)
    k.guarded(k.isZero(half), [&] {
      memref::StoreOp::create(b, loaded.back(), k.stages.scales,
                              ValueRange{stage, weightRow});
    });
}

/// The 32 columns of a stage. `sums`: the accumulators of each 8 columns of the
/// result.
SmallVector<Value> MmaContract::multiply(Value stage, ValueRange sums) {
  auto registers = VectorType::get({4, 2}, b.getF16Type());
  // Matrices of 8 x 8 in the order of mma's registers: rows 0 to 7 and 8 to 15
  // of columns 0 to 7, then of columns 8 to 15.
  Values a;
  Value firstRow = k.mul(k.warp, kMmaRows);
  Value row = k.add(firstRow, k.rem(k.lane, kMmaRows));
  for (int64_t unit = 0; unit < kUnits; unit += kMmaDepth / kUnit) {
    Value column = place(row, k.add(k.div(k.lane, kMmaRows), unit));
    a.push_back(LdMatrixOp::create(b, registers, k.stages.rows,
                                   ValueRange{stage, row, column}));
  }
  Values results;
  for (auto [j, sum] : llvm::enumerate(sums)) {
    // All four units of 8 rows of the weight, for both depths of 16.
    Value other = k.add(k.rem(k.lane, kMmaColumns), j * kMmaColumns);
    Value column = place(other, k.div(k.lane, kMmaColumns));
    Value all = LdMatrixOp::create(b, registers, k.stages.weight,
                                   ValueRange{stage, other, column});
    Value product = format.hasScale() ? k.zeros(sum.getType()) : sum;
    for (auto [i, rowsOfA] : llvm::enumerate(a)) {
      Value part = vector::ExtractStridedSliceOp::create(
          b, all, ArrayRef<int64_t>{static_cast<int64_t>(2 * i)},
          ArrayRef<int64_t>{2}, ArrayRef<int64_t>{1});
      product = MmaOp::create(b, rowsOfA, part, product);
    }
    if (format.hasScale()) {
      Value first = k.add(k.mul(k.rem(k.lane, 4), 2), j * kMmaColumns);
      Value two = k.loadVector(k.stages.scales, {stage, first}, 2, 8);
      Value left = k.element(two, 0), right = k.element(two, 1);
      product = k.fma(product, k.fromElements({left, right, left, right}), sum);
    }
    results.push_back(product);
  }
  return results;
}

Value MmaContract::write() {
  auto weightIt = k.weights.find(op.getWeight());
  auto rowsIt = k.rows.find(op.getRows());
  if (weightIt == k.weights.end() || rowsIt == k.rows.end()) {
    op.emitOpError() << "reads rows and a weight from memory in tensor "
                        "cores, found "
                     << op.getWeight().getType();
    return {};
  }
  rows = rowsIt->second;
  weight = weightIt->second;
  format = weight.type.getFormat();
  depth = weight.type.getColumns();
  if (failed(verify()))
    return {};
  allocateStages();

  // Two threads a row of the weight. A row past the last is not stored, so the
  // last is read in its place.
  weightRow = k.div(k.thread, 2);
  half = k.rem(k.thread, 2);
  sourceRow = k.add(k.lookup(op.getFirst()), weightRow);
  if (weight.type.getRows() % kColumns != 0)
    sourceRow = k.minimum(sourceRow, weight.type.getRows() - 1);

  // Slower warps may still read the last stage of the contraction before this
  // one, so this one begins with the other stage.
  int64_t first = k.stages.next, steps = llvm::divideCeil(depth, kDepth);
  k.stages.next = (first + steps) % kStages;
  Value firstStep = k.index(0);
  copyRows(firstStep, k.index(first));
  Values carried(kColumns / kMmaColumns,
                 k.zeros(VectorType::get({4}, b.getF32Type())));
  int64_t tiles = carried.size();
  llvm::append_range(carried, loadWeight(k.index(0)));

  carried = k.loop(
      0, steps, 1, carried, [&](Value step, ValueRange values) -> Values {
        Value stage = k.rem(k.add(step, first), kStages);
        ValueRange sums = values.take_front(tiles),
                   loaded = values.drop_front(tiles);
        CopyWaitOp::create(b, 0);
        storeWeight(loaded, stage);
        // Orders the copies and both stages, which accesses of buffers
        // cannot express.
        k.barriers.barrier();
        Value following = k.add(step, 1);
        Value more = k.lessThan(following, steps);
        Values next = k.guardedValues(more, loaded, [&]() -> Values {
          Value from = k.mul(following, kDepth);
          copyRows(from, k.rem(k.add(following, first), kStages));
          return loadWeight(from);
        });
        Values results = multiply(stage, sums);
        llvm::append_range(results, next);
        return results;
      });

  Values elements;
  for (Value sum : ArrayRef<Value>(carried).take_front(tiles))
    for (int64_t i = 0; i < 4; ++i)
      elements.push_back(k.element(sum, i));
  return k.fromElements(elements);
}

namespace {
struct MmaLowering
    : cuda::UnitLoweringInterface::ExternalModel<MmaLowering, cuda::MmaAttr> {
  Value lowerContract(Attribute, CUDAKernel &kernel,
                      tile::ContractOp op) const {
    return MmaContract(kernel, op).write();
  }
};
} // namespace

void corellama::cuda::registerMma(DialectRegistry &registry) {
  registry.addExtension(+[](MLIRContext *context, CUDADialect *) {
    MmaAttr::attachInterface<MmaLowering>(*context);
  });
}
