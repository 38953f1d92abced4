//===- BlockRows.cpp - whole rows, and sums across a block ----------------===//
//
// tile -> vector: a norm's work on a row, rows that a product reads from
// workgroup memory, and reductions over all threads by the tree that the ops
// prescribe.
//
//===----------------------------------------------------------------------===//

#include "mlir/IR/IRMapping.h"
#include "passes/CUDA/CUDAKernel.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace corellama;
using corellama::cuda::CUDAKernel;
using corellama::cuda::Fragment;
using corellama::cuda::Spread;

/// Loads of a thread that are in flight at once: a row of 4096 is two such
/// batches of 256 threads, so a norm waits for memory twice and not 16 times.
static constexpr int64_t kLoadsInFlight = 8;

//===----------------------------------------------------------------------===//
// Rows in workgroup memory
//===----------------------------------------------------------------------===//

CUDAKernel::Rows CUDAKernel::allocateRows(int64_t count, int64_t columns,
                                          bool swizzled) {
  int64_t padded = llvm::alignTo(columns, kChunkColumns);
  Value memory = allocate({count, padded}, b.getF32Type());
  return {memory, columns, bufferOf(memory), swizzled};
}

/// The place of group `group` of 4 columns. Lanes read 16 bytes at once, eight
/// lanes in one turn, at a stride of 1 (f32 weights), 2, 4 or 8 groups
/// (nibbles); unpermuted, a stride of 8 groups is 128 bytes and all eight lanes
/// would meet in the same four banks. With the low three bits of the number
/// combined with the next three, any eight neighbouring lanes have eight
/// different ones.
Value CUDAKernel::swizzle(Value group) {
  Value high = arith::ShRUIOp::create(b, group, index(3));
  high = arith::AndIOp::create(b, high, index(7));
  return arith::XOrIOp::create(b, group, high);
}

/// Whether a product, with its lanes along k, reads the rows.
static bool isContracted(Value rows) {
  return llvm::any_of(rows.getUsers(), [](Operation *user) {
    return isa<tile::ContractOp>(user);
  });
}

/// The region of a sum or a stage, on scalars or on vectors of one length.
Value CUDAKernel::mapBody(Region &body, ArrayRef<Value> arguments) {
  IRMapping mapping;
  mapping.map(body.front().getArguments(), arguments);
  Type type = arguments[0].getType();
  auto count = isa<VectorType>(type) ? cast<VectorType>(type).getDimSize(0) : 0;
  // A scalar from outside of the region, such as a hoisted constant.
  auto lanes = [&](Value value) {
    if (mapping.contains(value))
      return mapping.lookup(value);
    Value scalar = lookup(value);
    Value spread = count ? splat(scalar, count) : scalar;
    mapping.map(value, spread);
    return spread;
  };
  for (Operation &op : body.front().without_terminator()) {
    if (auto constant = dyn_cast<arith::ConstantOp>(op)) {
      Value scalar = b.clone(op)->getResult(0);
      mapping.map(constant.getResult(), count ? splat(scalar, count) : scalar);
      continue;
    }
    Vec<Value> operands;
    for (Value operand : op.getOperands())
      operands.push_back(lanes(operand));
    Vec<Type> types;
    for (Type result : op.getResultTypes())
      types.push_back(count ? Type(VectorType::get({count}, result)) : result);
    Operation *mapped = b.create(op.getLoc(), op.getName().getIdentifier(),
                                 operands, types, op.getAttrs());
    mapping.map(op.getResults(), mapped->getResults());
  }
  return lanes(body.front().getTerminator()->getOperand(0));
}

/// Writes `rows.columns` columns of one row, each by one thread, four at a time
/// where rows are whole groups of four; zeros in the padding. `make` returns
/// the columns from `column` on.
void CUDAKernel::fillRow(
    const Rows &target, int64_t row, bool byFour,
    function_ref<Value(Value column, int64_t count)> make) {
  int64_t padded = cast<MemRefType>(target.memory.getType()).getDimSize(1);
  int64_t unit = byFour ? 4 : 1, columns = target.columns;
  rounds(padded / unit, kLoadsInFlight, {},
         [&](ArrayRef<Value> items, ValueRange) -> Vec<Value> {
           Vec<Value> made;
           for (Value item : items) {
             Value column = mul(item, unit);
             Value inside =
                 padded == columns ? Value() : lessThan(column, columns);
             Vec<Value> zero{unit == 1 ? constant(0.0f) : zeros(floats(4))};
             made.push_back(guardedValues(inside, zero, [&]() -> Vec<Value> {
               return {make(column, unit)};
             })[0]);
           }
           for (auto [item, value] : llvm::zip(items, made)) {
             Value group = unit == 4 ? item : div(item, 4);
             if (target.swizzled)
               group = swizzle(group);
             Value at = mul(group, 4);
             if (unit == 4)
               storeVector(value, target.memory, {index(row), at}, 16);
             else
               memref::StoreOp::create(
                   b, value, target.memory,
                   ValueRange{index(row), add(at, rem(item, 4))});
           }
           return {};
         });
}

void CUDAKernel::write(tile::BufferRowsOp op) {
  tile::RowsType type = op.getType();
  Value memory =
      view(field(context::Field::Workspace), op.getAt(),
           global({type.getRows(), type.getColumns()}, type.getElementType()));
  if (type.getRows() != 1 || !type.getElementType().isF32()) {
    rows[op] = {memory, type.getColumns()};
    return;
  }
  // All warps of the block read one row repeatedly.
  Rows target = allocateRows(1, type.getColumns(), isContracted(op));
  barriers.write(target.buffer);
  fillRow(target, 0, type.getColumns() % 4 == 0,
          [&](Value column, int64_t count) {
            return count == 1 ? load(memory, {index(0), column})
                              : loadVector(memory, {index(0), column}, 4, 16);
          });
  rows[op] = target;
}

void CUDAKernel::write(tile::StageOp op) {
  int64_t columns = op.getType().getColumns(), count = op.getType().getRows();
  Value memory = lookup(op.getSource());
  Rows target = allocateRows(count, columns, isContracted(op));
  barriers.read(bufferOf(memory));
  barriers.write(target.buffer);
  bool byFour = columns % 4 == 0 &&
                cast<MemRefType>(memory.getType()).getDimSize(1) % 4 == 0;
  for (int64_t i = 0; i < count; ++i) {
    Value source = add(lookup(op.getRow()), i * op.getEvery());
    fillRow(target, i, byFour, [&](Value column, int64_t width) {
      auto read = [&](Value from, ValueRange at) {
        return width == 1 ? load(from, at) : loadVector(from, at, 4, 16);
      };
      Vec<Value> arguments{read(memory, {source, column})};
      for (Value values : op.getPerRow()) {
        Value scalar = element(lookup(values), i);
        arguments.push_back(width == 1 ? scalar : splat(scalar, 4));
      }
      for (Value weight : op.getPerColumn())
        arguments.push_back(
            read(weights.find(weight)->second.memory, {column}));
      return mapBody(op.getBody(), arguments);
    });
  }
  rows[op] = target;
}

//===----------------------------------------------------------------------===//
// Across threads
//===----------------------------------------------------------------------===//

Value CUDAKernel::combine(Value x, Value y, bool isMaximum) {
  if (!isMaximum)
    return arith::AddFOp::create(b, x, y);
  Value greater = arith::CmpFOp::create(b, arith::CmpFPredicate::OGT, y, x);
  return arith::SelectOp::create(b, greater, y, x);
}

/// Adds values j and j + half, halving; in place.
Value CUDAKernel::reduceTree(SmallVector<Value> values, bool isMaximum) {
  for (size_t half = values.size() / 2; half; half /= 2)
    for (size_t j = 0; j < half; ++j)
      values[j] = combine(values[j], values[j + half], isMaximum);
  return values[0];
}

/// The tree adds lanes j and j + half, which is lanes j and j xor half.
/// Addition commutes, so all lanes end with the same result.
Value CUDAKernel::reduceWarp(Value value, bool isMaximum) {
  for (int64_t mask = kWarp / 2; mask; mask /= 2) {
    Value other = ShuffleXorOp::create(b, value, mask);
    value = combine(value, other, isMaximum);
  }
  return value;
}

/// The tree over all threads. Every warp reads all values and reduces them to
/// 32 by itself, which takes one barrier instead of one a level.
SmallVector<Value> CUDAKernel::reduceBlock(ArrayRef<Value> mine,
                                           bool isMaximum) {
  int64_t count = mine.size();
  Value memory = allocate({count, threads}, b.getF32Type());
  barriers.write(bufferOf(memory), Touch::OwnColumns);
  for (int64_t i = 0; i < count; ++i)
    memref::StoreOp::create(b, mine[i], memory, ValueRange{index(i), thread});
  barriers.read(bufferOf(memory));
  Vec<Value> reduced;
  for (int64_t i = 0; i < count; ++i) {
    Vec<Value> read;
    for (int64_t j = 0; j < threads; j += kWarp)
      read.push_back(load(memory, {index(i), add(lane, j)}));
    reduced.push_back(reduceWarp(reduceTree(read, isMaximum), isMaximum));
  }
  return reduced;
}

FailureOr<Value> CUDAKernel::write(tile::SumOp op) {
  if (op.getOrder().getLanes() != threads)
    return op.emitOpError()
           << "is a sum over the " << threads
           << " threads of a block on a GPU, found " << op.getOrder();
  Value memory = lookup(op.getSource());
  int64_t columns = cast<MemRefType>(memory.getType()).getDimSize(1);
  barriers.read(bufferOf(memory));
  Vec<Value> mine;
  for (int64_t i = 0, e = cast<VectorType>(op.getType()).getDimSize(0); i < e;
       ++i) {
    Value row = add(lookup(op.getRow()), i);
    Value zero = constant(0.0f);
    mine.push_back(rounds(
        columns, kLoadsInFlight, zero,
        [&](ArrayRef<Value> items, ValueRange carried) -> Vec<Value> {
          Vec<Value> read;
          for (Value column : items)
            read.push_back(load(memory, {row, column}));
          Value sum = carried[0];
          for (Value x : read)
            sum = arith::AddFOp::create(b, sum, mapBody(op.getBody(), {x}));
          return {sum};
        })[0]);
  }
  return fromElements(reduceBlock(mine, /*isMaximum=*/false));
}

FailureOr<Value> CUDAKernel::write(tile::ReduceLanesOp op,
                                   const Fragment &fragment) {
  bool isMaximum = op.getKind() == "max";
  if ((fragment.spread != Spread::ThreadColumns &&
       fragment.spread != Spread::LaneColumns) ||
      fragment.passesColumns() || !llvm::isPowerOf2_64(fragment.columns))
    return op.emitOpError()
           << "adds columns that are whole strides of the threads, a power of "
              "two, found "
           << fragment.columns << " for " << strategy;
  Value source = lookup(op.getSource());
  Vec<Value> mine, reduced;
  for (int64_t i = 0; i < fragment.rows; ++i) {
    Vec<Value> own;
    for (int64_t j = 0; j < fragment.perRow; ++j)
      own.push_back(element(source, i * fragment.perRow + j));
    mine.push_back(reduceTree(own, isMaximum));
  }
  if (fragment.spread == Spread::ThreadColumns)
    reduced = reduceBlock(mine, isMaximum);
  else
    for (Value value : mine)
      reduced.push_back(reduceWarp(value, isMaximum));
  return fromElements(reduced);
}
