//===- Mma.cpp - #cuda.mma: products in tensor cores ----------------------===//
//
// tile -> vector: 64 rows of activations times 64 rows of a weight, 32 columns
// a stage. Four warps; warp w has rows 16 w to 16 w + 15 of the result and all
// of its columns.
//
// A stage is, in workgroup memory, 64 x 32 f16 of each operand and, for
// quantised weights, their scales and minima. While the tensor cores work on
// one stage, the rows of the next are copied (cp.async), and so are weights of
// f16 or bf16; quants are loaded to registers, as they are, and are converted
// to f16, exactly, when they are stored. One barrier a stage is enough:
//
//     wait for my copies of stage s; store my part of the weight to stage s
//     barrier                    all of s is there, and no thread still reads
//                                1 - s
//     start the copies to 1 - s and the loads for it
//     multiply s
//
// The sums of a scale's 32 or 16 columns start from zero and are then scaled
// and added (`scale = outer`); numbers without a scale share one accumulator. A
// minimum multiplies the sum of x over these columns, which is a product of x
// by ones: its sums are where a thread has the elements of these rows.
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
/// f16 in 16 bytes, the unit of copies and of ldmatrix's rows; units in a row
/// of a stage; bytes of an f16 or a bf16.
static constexpr int64_t kUnit = 8, kUnits = kDepth / kUnit, kHalfBytes = 2;

namespace corellama::cuda {

class MmaContract {
public:
  MmaContract(CUDAKernel &kernel, tile::ContractOp op)
      : k(kernel), b(kernel.b), op(op) {}
  Value write();

private:
  using Values = SmallVector<Value>;
  LogicalResult verify();
  Value stageOf(int64_t &at, ArrayRef<int64_t> shape, Type element);
  void allocateStages();
  Value place(Value row, Value unit);
  void copyTile(Value from, Value stage, Value source, Value target,
                function_ref<Values(Value row, Value column)> placeOf);
  void copyStage(Value from, Value stage);
  Value existing(Value row);
  Value scaleBlockOf(Value from);
  Values loadWeight(Value from);
  void storeWeight(Value from, ValueRange loaded, Value stage);
  Value numbersOf(Value memory, Value stage, int64_t block, int64_t column);
  Values multiply(Value stage, ValueRange sums);

  CUDAKernel &k;
  ImplicitLocOpBuilder &b;
  tile::ContractOp op;
  CUDAKernel::Rows rows;
  CUDAKernel::Weight weight;
  llama::FormatInterface format;
  /// f16 or bf16.
  Type element;
  /// Columns of both operands.
  int64_t depth = 0;
  /// Columns of a scale, and scales of a row in a stage.
  int64_t block = kDepth, blocks = 1;
  /// The stages; scales and minima if the format has them.
  Value stagedRows, stagedWeight, scales, minima;
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

/// A kernel's contractions run one after the other, or in branches of which one
/// is taken: they have one set of stages, each its own name of it.
Value MmaContract::stageOf(int64_t &at, ArrayRef<int64_t> shape, Type type) {
  if (at < 0) {
    Value memory = k.allocate(shape, type);
    at = static_cast<int64_t>(memory.getDefiningOp<SharedOp>().getAt());
    return memory;
  }
  auto memory = MemRefType::get(shape, type, MemRefLayoutAttrInterface(),
                                b.getI64IntegerAttr(kWorkgroupSpace));
  return SharedOp::create(b, memory, at);
}

void MmaContract::allocateStages() {
  stagedRows = stageOf(k.stages.rows, {kStages, kRows, kDepth}, element);
  stagedWeight = stageOf(k.stages.weight, {kStages, kColumns, kDepth}, element);
  // Room for two scales a stage, which the weights of a kernel may have.
  const int64_t numbers[] = {kStages, kDepth / kMmaDepth, kColumns};
  if (format.hasScale())
    scales = stageOf(k.stages.scales, numbers, b.getF32Type());
  if (format.hasMinimum())
    minima = stageOf(k.stages.minima, numbers, b.getF32Type());
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

/// Starts the copies of 64 rows from column `from` on; `placeOf` says where in
/// `source` a row's column is. Columns past the last are zero.
void MmaContract::copyTile(Value from, Value stage, Value source, Value target,
                           function_ref<Values(Value, Value)> placeOf) {
  for (int64_t item = 0; item < kRows * kUnits; item += kThreads) {
    Value number = k.add(k.thread, item);
    Value row = k.div(number, kUnits), unit = k.rem(number, kUnits);
    Value column = k.add(from, k.mul(unit, kUnit));
    Value valid = k.index(CopyAsyncOp::kBytes);
    if (depth % kDepth != 0) {
      Value inside = k.lessThan(column, depth);
      valid = arith::SelectOp::create(b, inside, valid, k.index(0));
      column = k.minimum(column, depth - kUnit);
    }
    CopyAsyncOp::create(b, source, placeOf(row, column), target,
                        ValueRange{stage, row, place(row, unit)}, valid);
  }
}

/// The row of the weight that is read for row `row` of the tile: a row past the
/// last is not stored, so the last is read in its place.
Value MmaContract::existing(Value row) {
  row = k.add(k.lookup(op.getFirst()), row);
  if (weight.type.getRows() % kColumns != 0)
    row = k.minimum(row, weight.type.getRows() - 1);
  return row;
}

/// What is copied as it is.
void MmaContract::copyStage(Value from, Value stage) {
  // Of the call's rows the last is read likewise.
  Value last = k.sub(k.field(context::Field::Rows), 1);
  copyTile(from, stage, rows.memory, stagedRows,
           [&](Value row, Value column) -> Values {
             row = k.add(k.lookup(op.getRow()), row);
             return {k.minimum(row, last), column};
           });
  if (!format.hasScale())
    copyTile(from, stage, weight.memory, stagedWeight,
             [&](Value row, Value column) -> Values {
               Value start = k.mul(existing(row), k.planeStride(weight, 0));
               return {k.add(start, k.mul(column, kHalfBytes))};
             });
  CopyCommitOp::create(b);
}

/// The number of the scale block of this thread's 16 columns of a stage.
Value MmaContract::scaleBlockOf(Value from) {
  Value number = k.div(from, block);
  return blocks == 1 ? number : k.add(number, half);
}

/// This thread's 16 columns of its row, as they are encoded, with the fields of
/// their scale and minimum. Where columns 16 apart are in one byte two threads
/// load the same.
SmallVector<Value> MmaContract::loadWeight(Value from) {
  Values loaded;
  if (!format.hasScale())
    return loaded;
  const ChunkFormat chunks(format);
  const unsigned planes =
      format.getFacts().planesOf(llama::PlaneKind::Quants).size();
  for (unsigned plane = 0; plane < planes; ++plane) {
    int64_t columns = chunks.pieceColumns(plane),
            bytes = chunks.pieceBytes(plane);
    Value column =
        columns == kDepth ? from : k.add(from, k.mul(half, kMmaDepth));
    Value piece = k.div(column, columns);
    if (bytes == kChunkBytes) {
      Value start =
          k.add(k.mul(sourceRow, k.planeStride(weight, plane)),
                static_cast<int64_t>(k.planeOffset(weight, plane, 0)));
      loaded.push_back(LoadWeightOp::create(b, weight.memory,
                                            k.add(start, k.mul(piece, bytes))));
    } else {
      loaded.push_back(
          k.loadOfPlane(weight, plane, b.getI32Type(), sourceRow, piece));
    }
  }
  Value number = scaleBlockOf(from);
  llvm::append_range(loaded, k.loadLevels(weight, llama::PlaneKind::Scales,
                                          sourceRow, number));
  if (format.hasMinimum())
    llvm::append_range(loaded, k.loadLevels(weight, llama::PlaneKind::Minima,
                                            sourceRow, number));
  return loaded;
}

void MmaContract::storeWeight(Value from, ValueRange loaded, Value stage) {
  if (!format.hasScale())
    return;
  const llama::FormatFacts &facts = format.getFacts();
  auto take = [&](llama::PlaneKind kind) {
    const size_t count = facts.planesOf(kind).size();
    ValueRange fields = loaded.take_front(count);
    loaded = loaded.drop_front(count);
    return fields;
  };
  Values fours = ChunkFormat(format).sixteen(
      b, Values(take(llama::PlaneKind::Quants)), half);
  for (int64_t i = 0; i < 2; ++i) {
    Value eight = vector::ShuffleOp::create(
        b, fours[2 * i], fours[2 * i + 1],
        llvm::to_vector(llvm::seq<int64_t>(0, kUnit)));
    Value unit = k.add(k.mul(half, kUnits / 2), i);
    k.storeVector(eight, stagedWeight,
                  {stage, weightRow, place(weightRow, unit)},
                  CopyAsyncOp::kBytes);
  }
  Value number = scaleBlockOf(from);
  // Both halves have a scale of 32 columns, and one stores it.
  auto store = [&](llama::PlaneKind kind, Value memory) {
    Value value = k.decodeLevels(weight, kind, take(kind), number);
    k.guarded(blocks == 1 ? k.isZero(half) : Value(), [&] {
      Value at = blocks == 1 ? k.index(0) : half;
      memref::StoreOp::create(b, value, memory,
                              ValueRange{stage, at, weightRow});
    });
  };
  store(llama::PlaneKind::Scales, scales);
  if (format.hasMinimum())
    store(llama::PlaneKind::Minima, minima);
}

/// Scales or minima of the two columns, from `column` on, that this thread has
/// sums of, for its two rows.
Value MmaContract::numbersOf(Value memory, Value stage, int64_t block,
                             int64_t column) {
  Value first = k.add(k.mul(k.rem(k.lane, 4), 2), column);
  Value two = k.loadVector(memory, {stage, k.index(block), first}, 2, 8);
  Value left = k.element(two, 0), right = k.element(two, 1);
  return k.fromElements({left, right, left, right});
}

/// The 32 columns of a stage. `sums`: the accumulators of each 8 columns of the
/// result.
SmallVector<Value> MmaContract::multiply(Value stage, ValueRange sums) {
  auto registers = VectorType::get({4, 2}, element);
  // Matrices of 8 x 8 in the order of mma's registers: rows 0 to 7 and 8 to 15
  // of columns 0 to 7, then of columns 8 to 15.
  Values a;
  Value firstRow = k.mul(k.warp, kMmaRows);
  Value row = k.add(firstRow, k.rem(k.lane, kMmaRows));
  for (int64_t unit = 0; unit < kUnits; unit += kMmaDepth / kUnit) {
    Value column = place(row, k.add(k.div(k.lane, kMmaRows), unit));
    a.push_back(LdMatrixOp::create(b, registers, stagedRows,
                                   ValueRange{stage, row, column}));
  }
  // Products of a scale's columns; `second` gives the other operand of each
  // depth.
  const int64_t depths = block / kMmaDepth;
  auto product = [&](int64_t block, Value sum,
                     function_ref<Value(int64_t)> second) {
    for (int64_t i = block * depths; i < (block + 1) * depths; ++i)
      sum = MmaOp::create(b, a[i], second(i), sum);
    return sum;
  };
  Value zero = k.zeros(sums.front().getType());
  Values sumsOfX;
  if (format.hasMinimum()) {
    auto pairs = VectorType::get({2, 2}, element);
    Value ones = arith::ConstantOp::create(
        b, DenseElementsAttr::get(pairs, b.getFloatAttr(element, 1)));
    for (int64_t i = 0; i < blocks; ++i)
      sumsOfX.push_back(product(i, zero, [&](int64_t) { return ones; }));
  }
  Values results(sums);
  for (auto [j, sum] : llvm::enumerate(results)) {
    // Or ptxas would load what all tiles need at once, and spill, where they
    // have more numbers than a scale each.
    if ((format.hasMinimum() || blocks > 1) && 2 * j == sums.size())
      ConvergeOp::create(b);
    // All four units of 8 rows of the weight, for both depths of 16.
    const int64_t column = j * kMmaColumns;
    Value other = k.add(k.rem(k.lane, kMmaColumns), column);
    Value all = LdMatrixOp::create(
        b, registers, stagedWeight,
        ValueRange{stage, other, place(other, k.div(k.lane, kMmaColumns))});
    auto second = [&](int64_t i) -> Value {
      return vector::ExtractStridedSliceOp::create(
          b, all, ArrayRef<int64_t>{2 * i}, ArrayRef<int64_t>{2},
          ArrayRef<int64_t>{1});
    };
    if (!format.hasScale()) {
      sum = product(0, sum, second);
      continue;
    }
    for (int64_t i = 0; i < blocks; ++i) {
      sum = k.fma(product(i, zero, second), numbersOf(scales, stage, i, column),
                  sum);
      if (format.hasMinimum())
        sum = k.fma(numbersOf(minima, stage, i, column), sumsOfX[i], sum);
    }
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
  element = cast<tile::RowsType>(op.getRows().getType()).getElementType();
  depth = weight.type.getColumns();
  if (format.hasScale()) {
    block = format.getScaleBlock();
    blocks = kDepth / block;
  }
  if (failed(verify()))
    return {};
  allocateStages();

  // Two threads a row of the weight.
  weightRow = k.div(k.thread, 2);
  half = k.rem(k.thread, 2);
  sourceRow = existing(weightRow);

  // Slower warps may still read the last stage of the contraction before this
  // one, so this one begins with the other stage.
  int64_t first = k.stages.next, steps = llvm::divideCeil(depth, kDepth);
  k.stages.next = (first + steps) % kStages;
  Value firstStep = k.index(0);
  copyStage(firstStep, k.index(first));
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
        storeWeight(k.mul(step, kDepth), loaded, stage);
        // Orders the copies and both stages, which accesses of buffers
        // cannot express.
        k.barriers.barrier();
        Value following = k.add(step, 1);
        Value more = k.lessThan(following, steps);
        Values next = k.guardedValues(more, loaded, [&]() -> Values {
          Value from = k.mul(following, kDepth);
          copyStage(from, k.rem(k.add(following, first), kStages));
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
