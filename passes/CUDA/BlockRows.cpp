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

/// Loads of a thread that are in flight at once.
static constexpr int64_t kLoadsInFlight = 8;
/// Columns of a thread that a norm keeps from their sum until they are scaled,
/// with as many of the norm's weights: of a row of 4096 all that it has, in 32
/// registers, so that it waits for memory once.
static constexpr int64_t kKeptColumns = 16;

//===----------------------------------------------------------------------===//
// Rows in workgroup memory
//===----------------------------------------------------------------------===//

/// The products that read rows.
static auto productsOf(Value rows) {
  return llvm::make_filter_range(rows.getUsers(), [](Operation *user) {
    return isa<tile::ContractOp>(user);
  });
}

int64_t CUDAKernel::Rows::lines() const {
  return static_cast<int64_t>(llvm::divideCeil(columns, kLineColumns));
}

/// `readBy` are the old kernel's rows, whose readers decide how they lie.
CUDAKernel::Rows CUDAKernel::allocateRows(int64_t count, int64_t columns,
                                          Value readBy) {
  Rows target;
  target.columns = columns;
  bool isSplit = false;
  for (Operation *user : productsOf(readBy)) {
    auto product = cast<tile::ContractOp>(user);
    // Lanes of a product go along k.
    target.swizzled = true;
    auto weight = dyn_cast<llama::WeightType>(product.getWeight().getType());
    target.hasSums |= weight && weight.getFormat().hasMinimum();
    isSplit |= isa<MmaSplitAttr>(product.getOrder().getUnit());
  }
  isSplit &= count == 1;
  target.swizzled &= !isSplit;
  int64_t width = isSplit ? target.lines() * kLineWords + kZeroWords
                          : llvm::alignTo(columns, kChunkColumns);
  target.memory = allocate({count, width}, b.getF32Type());
  target.buffer = bufferOf(target.memory);
  if (isSplit) {
    auto words =
        MemRefType::get({width}, b.getI32Type(), MemRefLayoutAttrInterface(),
                        b.getI64IntegerAttr(kWorkgroupSpace));
    auto at = target.memory.getDefiningOp<SharedOp>().getAt();
    target.split = SharedOp::create(b, words, at);
  }
  return target;
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

/// Writes `rows.columns` columns of `count` rows from `first` on, each by one
/// thread, four at a time where rows are whole groups of four; zeros in the
/// padding. `make` returns the columns from `column` on of a row.
void CUDAKernel::fillRows(
    const Rows &target, int64_t first, int64_t count, bool byFour,
    int64_t atOnce,
    function_ref<Value(Value row, Value column, int64_t count)> make) {
  int64_t columns = target.columns, unit = byFour ? 4 : 1;
  int64_t padded = llvm::alignTo(columns, kChunkColumns), each = padded / unit;
  auto placeOf = [&](Value item) -> std::pair<Value, Value> {
    if (count == 1)
      return {index(first), item};
    return {add(div(item, each), first), rem(item, each)};
  };
  rounds(count * each, atOnce, {},
         [&](ArrayRef<Value> items, ValueRange) -> Vec<Value> {
           Vec<Value> made;
           for (Value item : items) {
             auto [row, inRow] = placeOf(item);
             Value column = mul(inRow, unit);
             Value inside =
                 padded == columns ? Value() : lessThan(column, columns);
             Vec<Value> zero{unit == 1 ? constant(0.0f) : zeros(floats(4))};
             made.push_back(guardedValues(inside, zero, [&]() -> Vec<Value> {
               return {make(row, column, unit)};
             })[0]);
           }
           for (auto [item, value] : llvm::zip(items, made)) {
             auto [row, inRow] = placeOf(item);
             Value group = unit == 4 ? inRow : div(inRow, 4);
             if (target.swizzled)
               group = swizzle(group);
             else if (target.split)
               group = add(group, div(group, kLineColumns / 4));
             Value at = mul(group, 4);
             if (unit == 4)
               storeVector(value, target.memory, {row, at}, 16);
             else
               memref::StoreOp::create(b, value, target.memory,
                                       ValueRange{row, add(at, rem(inRow, 4))});
           }
           return {};
         });
}

/// 2^-e and 2^e, of which the first brings a number of size `largest`, given as
/// bits, to 2^14 or above and below 2^15: none that is smaller overflows, and
/// what the lower of two halves cannot hold is 2^-22 of its value or 2^-39 of
/// the largest.
std::pair<Value, Value> CUDAKernel::powersFor(Value largest) {
  constexpr uint32_t kExponent = 0x7F800000, kBit = 1u << 23, kBias = 127,
                     kTop = 14;
  // Below it the power that brings a number up would be no float.
  constexpr uint32_t kLeast = 15;
  Value exponent = arith::AndIOp::create(b, largest, i32(kExponent));
  exponent = arith::MaxUIOp::create(b, exponent, i32(kLeast * kBit));
  Value up = arith::SubIOp::create(b, i32((2 * kBias + kTop) * kBit), exponent);
  Value down = arith::SubIOp::create(b, exponent, i32(kTop * kBit));
  return {arith::BitcastOp::create(b, b.getF32Type(), up),
          arith::BitcastOp::create(b, b.getF32Type(), down)};
}

/// Each number as the sum of two f16, but for what the second cannot hold.
std::pair<Value, Value> CUDAKernel::splitHalves(Value numbers) {
  Type halves = cast<VectorType>(numbers.getType()).clone(b.getF16Type());
  Value upper = arith::TruncFOp::create(b, halves, numbers);
  Value rest = arith::SubFOp::create(b, numbers, toFloat(upper));
  return {upper, arith::TruncFOp::create(b, halves, rest)};
}

/// A line's last four words are the power and the sum, and room for them: of
/// eight lines they are in the first two, of the next eight in the others.
/// Threads t and t + 8 store them at once, and eight lines are whole rounds of
/// the banks.
Value CUDAKernel::factorPlace(Value line) {
  return add(mul(rem(div(line, 8), 2), 2), kLineColumns);
}

/// Makes of a row of float32 in memory, in place, what tensor cores multiply:
/// 32 columns, a line, become x = (upper + lower) 2^e, two f16 each, with e of
/// their largest. 2^e is written behind them with the sum of x. Of four
/// columns 0 and 2 are a pair, then 1 and 3, as ChunkFormat::pairs has them. A
/// thread has whole lines, so that no other one reads what it replaces. Behind
/// the lines are zeros.
void CUDAKernel::splitRow(const Rows &target) {
  constexpr int64_t kGroups = kLineColumns / 4, kHalves = kLineColumns / 2;
  auto four = VectorType::get({4}, b.getI32Type());
  auto asWords = [&](Value eight) -> Value {
    return vector::BitCastOp::create(b, four, eight);
  };
  barriers.write(target.buffer);
  guarded(lessThan(thread, kZeroWords / 4), [&] {
    Value at = add(mul(thread, 4), target.lines() * kLineWords);
    storeVector(zeros(four), target.split, {at}, 16);
  });
  auto split = [&](Value line) {
    Value start = mul(line, kLineWords), most, sum;
    Vec<Value> groups;
    for (int64_t g = 0; g < kGroups; ++g) {
      groups.push_back(
          loadVector(target.memory, {index(0), add(start, 4 * g)}, 4, 16));
      Value size = arith::AndIOp::create(b, asWords(groups[g]),
                                         splat(i32(kMagnitude), 4));
      most = most ? arith::MaxUIOp::create(b, most, size).getResult() : size;
      for (int64_t i = 0; target.hasSums && i < 4; ++i) {
        Value x = element(groups[g], i);
        sum = sum ? arith::AddFOp::create(b, sum, x).getResult() : x;
      }
    }
    Value largest = element(most, 0);
    for (int64_t i = 1; i < 4; ++i)
      largest = arith::MaxUIOp::create(b, largest, element(most, i));
    auto [up, down] = powersFor(largest);
    up = splat(up, 4);

    Vec<Value> uppers, lowers;
    for (Value group : groups) {
      Value x = arith::MulFOp::create(b, group, up);
      x = vector::ShuffleOp::create(b, x, x, ArrayRef<int64_t>{0, 2, 1, 3});
      auto [upper, lower] = splitHalves(x);
      uppers.push_back(upper);
      lowers.push_back(lower);
    }
    for (int64_t g = 0; g < kGroups; g += 2)
      for (auto [made, at] :
           {std::pair(&uppers, int64_t(0)), std::pair(&lowers, kHalves)}) {
        Value eight = vector::ShuffleOp::create(
            b, (*made)[g], (*made)[g + 1],
            ArrayRef<int64_t>{0, 1, 2, 3, 4, 5, 6, 7});
        storeVector(asWords(eight), target.split, {add(start, at + 2 * g)}, 16);
      }
    down = arith::BitcastOp::create(b, b.getI32Type(), down);
    sum = sum ? arith::BitcastOp::create(b, b.getI32Type(), sum).getResult()
              : i32(0);
    storeVector(fromElements({down, sum}), target.split,
                {add(start, factorPlace(line))}, 8);
  };
  rounds(target.lines(), 1, {},
         [&](ArrayRef<Value> items, ValueRange) -> Vec<Value> {
           llvm::for_each(items, split);
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
  Rows target = allocateRows(1, type.getColumns(), op);
  barriers.write(target.buffer);
  fillRows(target, 0, 1, type.getColumns() % 4 == 0, kLoadsInFlight,
           [&](Value row, Value column, int64_t width) {
             return width == 1 ? load(memory, {row, column})
                               : loadVector(memory, {row, column}, 4, 16);
           });
  if (target.split)
    splitRow(target);
  rows[op] = target;
}

void CUDAKernel::write(tile::StageOp op) {
  if (llvm::any_of(op->getUsers(), [](Operation *user) {
        auto score = dyn_cast<tile::ScoreKeysOp>(user);
        return score && score.getOrderAttr() && score.getOrderAttr().getUnit();
      }))
    return splitQuery(op);
  int64_t columns = op.getType().getColumns(), count = op.getType().getRows();
  Value memory = lookup(op.getSource());
  Rows target = allocateRows(count, columns, op);
  barriers.read(bufferOf(memory));
  barriers.write(target.buffer);
  bool byFour = columns % 4 == 0 &&
                cast<MemRefType>(memory.getType()).getDimSize(1) % 4 == 0;
  if (auto kept = keptRows.find(op); kept != keptRows.end()) {
    // In the order in which columns are asked for, which is a thread's own.
    size_t next = 0;
    fillRows(target, 0, 1, /*byFour=*/false, kKeptColumns,
             [&](Value, Value, int64_t) {
               Vec<Value> arguments{kept->second[next][0]};
               for (Value values : op.getPerRow())
                 arguments.push_back(element(lookup(values), 0));
               llvm::append_range(arguments,
                                  ArrayRef(kept->second[next++]).drop_front());
               return mapBody(op.getBody(), arguments);
             });
    if (target.split)
      splitRow(target);
    rows[op] = target;
    return;
  }
  // What is a row's own is known row by row.
  int64_t together = op.getPerRow().empty() ? count : 1;
  for (int64_t i = 0; i < count; i += together) {
    auto make = [&](Value row, Value column, int64_t width) {
      auto read = [&](Value from, ValueRange at) {
        return width == 1 ? load(from, at) : loadVector(from, at, 4, 16);
      };
      Value source = add(lookup(op.getRow()), mul(row, op.getEvery()));
      Vec<Value> arguments{read(memory, {source, column})};
      for (Value values : op.getPerRow()) {
        Value scalar = element(lookup(values), i);
        arguments.push_back(width == 1 ? scalar : splat(scalar, 4));
      }
      for (Value weight : op.getPerColumn())
        arguments.push_back(
            read(weights.find(weight)->second.memory, {column}));
      return mapBody(op.getBody(), arguments);
    };
    fillRows(target, i, together, byFour, kLoadsInFlight, make);
  }
  if (target.split)
    splitRow(target);
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

/// The stage that reads the one row of a sum, if each thread has a few whole
/// columns of it.
tile::StageOp CUDAKernel::stageBehind(tile::SumOp op) {
  int64_t columns = cast<MemRefType>(op.getSource().getType()).getDimSize(1);
  if (cast<VectorType>(op.getType()).getDimSize(0) != 1 ||
      columns % threads != 0 || columns / threads > kKeptColumns)
    return {};
  for (Operation *user : op.getSource().getUsers())
    if (auto stage = dyn_cast<tile::StageOp>(user);
        stage && stage->getBlock() == op->getBlock() &&
        stage.getRow() == op.getRow() && stage.getType().getRows() == 1 &&
        stage.getType().getColumns() == columns)
      return stage;
  return {};
}

FailureOr<Value> CUDAKernel::write(tile::SumOp op) {
  if (op.getOrder().getLanes() != threads)
    return op.emitOpError()
           << "is a sum over the " << threads
           << " threads of a block on a GPU, found " << op.getOrder();
  Value memory = lookup(op.getSource());
  int64_t columns = cast<MemRefType>(memory.getType()).getDimSize(1);
  barriers.read(bufferOf(memory));
  // Of two sums of a row the first keeps it.
  tile::StageOp stage = stageBehind(op);
  if (stage && !keptRows.contains(stage)) {
    // What the stage reads besides is on its way meanwhile.
    Vec<Vec<Value>> &kept = keptRows[stage];
    for (int64_t j = 0; j < columns / threads; ++j) {
      Value column = add(thread, j * threads);
      kept.push_back({load(memory, {lookup(op.getRow()), column})});
      for (Value weight : stage.getPerColumn())
        kept.back().push_back(
            load(weights.find(weight)->second.memory, {column}));
    }
    Value sum = constant(0.0f);
    for (const Vec<Value> &column : kept)
      sum = arith::AddFOp::create(b, sum, mapBody(op.getBody(), {column[0]}));
    return fromElements(reduceBlock(sum, /*isMaximum=*/false));
  }
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

/// Columns that are 8 or more apart are in one thread, those of a pair too; the
/// pairs between are in four lanes.
Value CUDAKernel::reduceAccumulators(Value source, bool isMaximum) {
  const int64_t count = cast<VectorType>(source.getType()).getDimSize(0);
  Vec<Value> reduced;
  for (int64_t row = 0; row < kRowsOfThread; ++row) {
    Vec<Value> pair;
    for (int64_t column = 0; column < 2; ++column) {
      Vec<Value> own;
      for (int64_t e = 2 * row + column; e < count; e += 4)
        own.push_back(element(source, e));
      pair.push_back(reduceTree(own, isMaximum));
    }
    // A maximum is the same in any order.
    if (isMaximum)
      pair = {reduceTree(pair, isMaximum)};
    for (Value &value : pair)
      for (int64_t mask : {2, 1})
        value = combine(value, ShuffleXorOp::create(b, value, mask), isMaximum);
    reduced.push_back(reduceTree(pair, isMaximum));
  }
  return fromElements(reduced);
}

FailureOr<Value> CUDAKernel::write(tile::ReduceLanesOp op,
                                   const Fragment &fragment) {
  bool isMaximum = op.getKind() == "max";
  if (fragment.spread == Spread::WarpColumns || fragment.passesColumns() ||
      !llvm::isPowerOf2_64(fragment.columns))
    return op.emitOpError()
           << "adds columns that are whole strides of the threads, a power of "
              "two, found "
           << fragment.columns << " for " << strategy;
  Value source = lookup(op.getSource());
  if (fragment.spread == Spread::Accumulators)
    return reduceAccumulators(source, isMaximum);
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
