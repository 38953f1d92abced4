//===- TileFragments.cpp - tiles in memory, by fragments ------------------===//
//
// tile -> vector: the ops that depend on which rows and columns of a tile a
// thread has. No access is out of bounds: where a tile may pass the end of its
// memory, each element is checked first.
//
//===----------------------------------------------------------------------===//

#include "passes/CUDA/CUDAKernel.h"
#include "runtime/ABI/Image.h"

using namespace mlir;
using namespace corellama;
using corellama::cuda::CUDAKernel;
using corellama::cuda::Fragment;
using corellama::cuda::kMmaColumns;
using corellama::cuda::kMmaRows;
using corellama::cuda::kRowsOfThread;
using corellama::cuda::Spread;
using corellama::cuda::Touch;

//===----------------------------------------------------------------------===//
// Rows and columns of elements
//===----------------------------------------------------------------------===//

std::optional<Fragment> CUDAKernel::fragmentOf(Operation *op, Type type) {
  auto shape = cast<VectorType>(type).getShape();
  std::optional<Fragment> fragment =
      corellama::cuda::fragmentOf(shape, strategy);
  if (!fragment)
    op->emitOpError() << "has a tile of " << shape[0] << " x " << shape[1]
                      << ", which a block of " << strategy
                      << " has no way to share";
  return fragment;
}

Value CUDAKernel::rowOfThread(int64_t which) {
  return add(add(mul(warp, kMmaRows), div(lane, 4)),
             which * kMmaRows / kRowsOfThread);
}

Value CUDAKernel::rowOf(const Fragment &fragment, int64_t element) {
  if (fragment.spread == Spread::Accumulators)
    return rowOfThread(element % 4 / 2);
  int64_t row = element / fragment.perRow;
  return row ? index(row) : Value();
}

Value CUDAKernel::columnOf(const Fragment &fragment, int64_t element) {
  switch (fragment.spread) {
  case Spread::WarpColumns:
    return add(mul(warp, fragment.perRow), element);
  case Spread::ThreadColumns:
    return add(thread, element % fragment.perRow * fragment.stride);
  case Spread::EachWarp:
    return add(lane, element % fragment.perRow * fragment.stride);
  case Spread::Accumulators:
    return add(mul(rem(lane, 4), 2), element / 4 * 8 + element % 2);
  }
  llvm_unreachable("all spreads are above");
}

Value CUDAKernel::isStored(const Fragment &fragment) {
  if (fragment.spread == Spread::EachWarp)
    return isZero(warp);
  if (fragment.spread != Spread::WarpColumns)
    return {};
  return isZero(lane);
}

Touch CUDAKernel::touchOf(const Fragment &fragment) {
  // Tiles begin at multiples of their width.
  bool own = fragment.spread == Spread::ThreadColumns &&
             fragment.columns % fragment.stride == 0;
  return own ? Touch::OwnColumns : Touch::Anyone;
}

Value CUDAKernel::build(const Fragment &fragment,
                        function_ref<Value(Value, Value)> make) {
  Vec<Value> made;
  for (int64_t e = 0; e < fragment.size(); ++e) {
    Value row = rowOf(fragment, e);
    made.push_back(make(row, columnOf(fragment, e)));
  }
  return fromElements(made);
}

Value CUDAKernel::rowIn(Value first, Value offset) {
  return offset ? add(first, offset) : first;
}

/// Whether column `first` + `column` is inside the tile and below the limit
/// (without one, the extent). Null: it always is, because tiles begin at
/// multiples of their width.
Value CUDAKernel::below(Value first, const Fragment &fragment, Value column,
                        int64_t extent, Value limit) {
  Value inside =
      fragment.passesColumns() ? lessThan(column, fragment.columns) : Value();
  if (!limit && extent % fragment.columns == 0)
    return inside;
  Value at = add(first, column);
  return both(inside, limit ? lessThan(at, limit) : lessThan(at, extent));
}

Value CUDAKernel::buildInside(const Fragment &fragment, Value first,
                              int64_t extent, function_ref<Value(Value)> make) {
  Vec<Value> otherwise{zeros(b.getF32Type())};
  return build(fragment, [&](Value, Value column) {
    Value inside = below(first, fragment, column, extent, {});
    return guardedValues(inside, otherwise, [&]() -> Vec<Value> {
      return {make(add(first, column))};
    })[0];
  });
}

/// Elements that are adjacent in memory and in the fragment, so that one access
/// moves them: two, or one.
static int64_t unitOf(const Fragment &fragment, int64_t extent, bool limited) {
  return fragment.hasPairs() && !limited && extent % 2 == 0 ? 2 : 1;
}

//===----------------------------------------------------------------------===//
// Memory
//===----------------------------------------------------------------------===//

FailureOr<Value> CUDAKernel::write(tile::LoadOp op, const Fragment &fragment) {
  Value memory = lookup(op.getSource()), row = lookup(op.getRow()),
        column = lookup(op.getColumn());
  Value limit = op.getColumns() ? lookup(op.getColumns()) : Value();
  auto type = cast<MemRefType>(memory.getType());
  Type number = type.getElementType();
  int64_t extent = type.getDimSize(1),
          unit = unitOf(fragment, extent, static_cast<bool>(limit));
  barriers.read(bufferOf(memory), touchOf(fragment));

  Vec<Value> loaded;
  for (int64_t e = 0; e < fragment.size(); e += unit) {
    Value offset = columnOf(fragment, e), inTile = rowOf(fragment, e);
    Value at = rowIn(row, inTile);
    // Rows from `rows` on are unspecified; an existing row is read instead.
    if (op.getRows() && inTile)
      at = minimum(at, sub(lookup(op.getRows()), 1));
    Value inside = below(column, fragment, offset, extent, limit);
    Vec<Value> otherwise(unit, inside ? zeros(number) : Value());
    auto read = [&]() -> Vec<Value> {
      Value place[] = {at, add(column, offset)};
      if (unit == 1)
        return {load(memory, place)};
      Value pair = loadVector(memory, place, unit,
                              unit * number.getIntOrFloatBitWidth() / 8);
      return {element(pair, 0), element(pair, 1)};
    };
    llvm::append_range(loaded, guardedValues(inside, otherwise, read));
  }
  return fromElements(loaded);
}

LogicalResult CUDAKernel::write(tile::StoreOp op, const Fragment &fragment) {
  Value memory = lookup(op.getTarget()), row = lookup(op.getRow()),
        column = lookup(op.getColumn()), value = lookup(op.getValue());
  Value limit = op.getColumns() ? lookup(op.getColumns()) : Value();
  auto type = cast<MemRefType>(memory.getType());
  int64_t extent = type.getDimSize(1),
          unit = unitOf(fragment, extent, static_cast<bool>(limit));
  int64_t bytes = type.getElementTypeBitWidth() / 8;
  barriers.write(bufferOf(memory), touchOf(fragment));
  // Two numbers of 16 bits are a word from the beginning: taken apart and put
  // together again, LLVM would convert them on the emulator's CPU.
  const bool isWord = unit == 2 && bytes == 2;
  Value words =
      isWord ? vector::BitCastOp::create(
                   b, VectorType::get({fragment.size() / unit}, b.getI32Type()),
                   value)
                   .getResult()
             : Value();
  auto pairOf = [&](int64_t e) -> Value {
    if (!isWord)
      return fromElements({element(value, e), element(value, e + 1)});
    return vector::BitCastOp::create(
        b, VectorType::get({unit}, type.getElementType()),
        fromElements({element(words, e / unit)}));
  };

  guarded(isStored(fragment), [&] {
    for (int64_t e = 0; e < fragment.size(); e += unit) {
      Value offset = columnOf(fragment, e), inTile = rowOf(fragment, e);
      Value at = rowIn(row, inTile);
      Value inside = below(column, fragment, offset, extent, limit);
      // The first row of a tile always belongs to the call.
      if (op.getRows() && inTile)
        inside = both(lessThan(at, lookup(op.getRows())), inside);
      guarded(inside, [&] {
        Value place[] = {at, add(column, offset)};
        if (unit == 1)
          memref::StoreOp::create(b, element(value, e), memory, place);
        else
          storeVector(pairOf(e), memory, place, unit * bytes);
      });
    }
  });
  return success();
}

LogicalResult CUDAKernel::write(tile::AppendOp op, const Fragment &fragment) {
  const Cache &cache = caches.find(op.getCache())->second;
  int64_t size = cache.type.getHeadSize(),
          extent = cache.type.getHeads() * size;
  bool keys = op.getWhat() == "keys";
  Type narrow = keys ? cache.type.getKeyType() : cache.type.getValueType();
  Value memory = keys ? cache.keys : cache.values;
  llama::KVCacheStrides strides = keys ? cache.keyStrides : cache.valueStrides;
  Value value = lookup(op.getValue()), row = lookup(op.getRow()),
        first = lookup(op.getFirst());
  Value position = positionOf(row);

  guarded(isStored(fragment), [&] {
    for (int64_t e = 0; e < fragment.size(); ++e) {
      Value offset = columnOf(fragment, e), inTile = rowOf(fragment, e);
      Value inside = below(first, fragment, offset, extent, {});
      if (inTile)
        inside = both(lessThan(add(row, inTile), lookup(op.getRows())), inside);
      guarded(inside, [&] {
        Value column = add(first, offset);
        IndexBuilder &math = *this;
        Value head = add(cache.firstHead, div(column, size));
        Value place = placeIn(cache.type.getRing(), rowIn(position, inTile));
        Value at = strides.groupAddress(math, cache.heads, head, place);
        Value number = element(value, e);
        if (!narrow.isF32())
          number = arith::TruncFOp::create(b, narrow, number);
        memref::StoreOp::create(b, number, memory,
                                ValueRange{add(at, rem(column, size))});
      });
    }
  });
  return success();
}

//===----------------------------------------------------------------------===//
// Values that depend on row and column
//===----------------------------------------------------------------------===//

FailureOr<Value> CUDAKernel::write(tile::RopeRowOp op,
                                   const Fragment &fragment) {
  int64_t head = op.getHead();
  // A row of the table: cosines, then signed sines.
  int64_t half = abi::ropeRowOf(head) / 2;
  Value table = array(context::Field::Rope, b.getF32Type());
  Value position = positionOf(lookup(op.getRow()));
  // Rows past the call's last are computed and not stored; their positions are
  // kept inside the table.
  Value last =
      fragment.rows > 1 ? sub(field(context::Field::KeyCount), 1) : Value();
  return build(fragment, [&](Value row, Value column) {
    Value at = position;
    if (row)
      at = minimum(add(position, row), last);
    Value base = add(mul(at, 2 * half), op.getSine() ? half : 0);
    Value inHead = rem(add(lookup(op.getFirst()), column), head);
    return load(table, {add(base, inHead)});
  });
}

FailureOr<Value> CUDAKernel::write(tile::CausalMaskOp op) {
  auto type = cast<VectorType>(op.getType());
  Value key = lookup(op.getKey()), position = lookup(op.getPosition());
  auto sees = [&](Value row, Value column) -> Value {
    Value last = row ? add(position, mul(row, op.getAdvance())) : position;
    Value own = column ? add(key, column) : key;
    Value seen = arith::CmpIOp::create(b, arith::CmpIPredicate::sle, own, last);
    if (!op.getWindow())
      return seen;
    auto window = static_cast<int64_t>(*op.getWindow());
    return both(seen, lessThan(last, add(own, window)));
  };
  if (type.getRank() == 1) {
    Vec<Value> seen;
    const int64_t rows = isSpread(type) ? kRowsOfThread : type.getDimSize(0);
    for (int64_t i = 0; i < rows; ++i)
      seen.push_back(sees(isSpread(type) ? rowOfThread(i)
                          : i            ? index(i)
                                         : Value(),
                          {}));
    return fromElements(seen);
  }
  std::optional<Fragment> fragment = fragmentOf(op, type);
  if (!fragment)
    return failure();
  if (fragment->spread != Spread::Accumulators)
    return build(*fragment, sees);
  // What a row sees is counted from the thread's first column on, so that each
  // element is compared with a constant: a number for each would be registers
  // that sums need.
  Vec<Value> left, seen;
  for (int64_t i = 0; i < kRowsOfThread; ++i) {
    Value last = add(position, mul(rowOfThread(i), op.getAdvance()));
    last = sub(sub(last, key), columnOf(*fragment, 0));
    left.push_back(arith::IndexCastOp::create(b, b.getI32Type(), last));
  }
  for (int64_t e = 0; e < fragment->size(); ++e) {
    Value last = left[e % 4 / 2];
    const int64_t column = e / 4 * kMmaColumns + e % 2;
    Value sees =
        arith::CmpIOp::create(b, arith::CmpIPredicate::sge, last, i32(column));
    if (op.getWindow())
      sees =
          both(sees, arith::CmpIOp::create(
                         b, arith::CmpIPredicate::slt, last,
                         i32(column + static_cast<int64_t>(*op.getWindow()))));
    seen.push_back(sees);
  }
  return fromElements(seen);
}

FailureOr<Value> CUDAKernel::write(tile::ColumnValuesOp op,
                                   const Fragment &fragment) {
  const Weight &weight = weights.find(op.getWeight())->second;
  Value first = lookup(op.getFirst());
  return buildInside(
      fragment, first, weight.type.getColumns(),
      [&](Value column) { return load(weight.memory, {column}); });
}

FailureOr<Value> CUDAKernel::write(tile::DecodeOp op,
                                   const Fragment &fragment) {
  const Weight &weight = weights.find(op.getWeight())->second;
  Value row = lookup(op.getRow()), first = lookup(op.getColumn());
  return buildInside(
      fragment, first, weight.type.getColumns(),
      [&](Value column) { return decodeValue(weight, row, column); });
}

//===----------------------------------------------------------------------===//
// Values between elements
//===----------------------------------------------------------------------===//

FailureOr<Value> CUDAKernel::write(tile::BroadcastRowsOp op,
                                   const Fragment &fragment) {
  Value source = lookup(op.getSource());
  Vec<Value> spread;
  for (int64_t e = 0; e < fragment.size(); ++e)
    spread.push_back(element(source, fragment.spread == Spread::Accumulators
                                         ? e % 4 / 2
                                         : e / fragment.perRow));
  return fromElements(spread);
}

FailureOr<Value> CUDAKernel::write(tile::SwapPairsOp op,
                                   const Fragment &fragment) {
  Value source = lookup(op.getSource());
  Vec<Value> swapped;
  if (fragment.spread == Spread::WarpColumns && !fragment.hasPairs())
    return op.emitOpError() << "swaps columns of two warps: a warp has "
                            << fragment.perRow << " of " << fragment.columns;
  for (int64_t e = 0; e < fragment.size(); ++e)
    // Neighbouring columns are in one thread, or in neighbouring lanes.
    swapped.push_back(
        fragment.hasPairs()
            ? element(source, e ^ 1)
            : ShuffleXorOp::create(b, element(source, e), 1).getResult());
  return fromElements(swapped);
}
