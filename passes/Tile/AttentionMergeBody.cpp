//===- AttentionMergeBody.cpp - blocks of keys that were computed alone ---===//
//
// schedule -> tile: what attention on few rows leaves is merged, in the
// prologue of a product that reads it, or by a kernel that does no more. A file
// apart from AttentionBody.cpp because no key and no value is read here.
//
//===----------------------------------------------------------------------===//

#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "passes/Tile/KernelBody.h"

using namespace mlir;
using namespace corellama;
using namespace corellama::llama;
using namespace corellama::tile;

/// Blocks whose parts a kernel that only merges has loaded before it merges the
/// first: each load waits for the second-level cache.
static constexpr int64_t kMergedAtOnce = 8;

/// A head whose blocks are merged, to its columns of a row.
void KernelBody::storeMerged(const KeyBlock &all, Value target, Value row,
                             Value column, int64_t headSize) {
  Value limit = headLimit(column, headSize);
  int64_t element = 0;
  for (Value o : all.accumulators) {
    Value sum = BroadcastRowsOp::create(b, o.getType(), all.sum);
    Value y = arith::DivFOp::create(b, o, sum);
    tile::StoreOp::create(b, y, target, row, add(column, element), Value(),
                          limit);
    element += cast<VectorType>(o.getType()).getDimSize(1);
  }
}

/// The blocks of every head, merged into rows of scratch.
Value KernelBody::mergeHeads(AttentionMergeOp merge) {
  auto read = merge.getParts().getDefiningOp<BufferReadOp>();
  if (!read || !merge.getKeys()) {
    merge.emitOpError()
        << "reads its parts from a buffer and names the keys of a block; run "
           "llama-split-attention";
    return {};
  }
  FailureOr<int64_t> staged = stagedRows(merge, read);
  if (failed(staged))
    return {};
  int64_t heads = merge.getHeads(),
          stride = capacityOf(read.getBufferAttr()).getShape().back(),
          headSize = stride - 2;
  Type f32 = b.getF32Type();
  auto one = VectorType::get({1}, f32);
  Value source = bufferMemory(read.getBufferAttr(), read.getAtAttr(), heads);
  Value target =
      ScratchOp::create(b, MemRefType::get({*staged, heads * headSize}, f32));
  SmallVector<int64_t> widths = headTiles(1, headSize);

  std::optional<int64_t> window;
  if (merge.getWindow())
    window = static_cast<int64_t>(*merge.getWindow());
  // Row `row` of the call, whose heads are rows from `first` on and before
  // which there are `keyCount` keys with its own. Each head writes its own
  // columns of the row.
  auto mergeRow = [&](Value row, Value first, Value keyCount) {
    int64_t keys = merge.getKeysAttr().getInt();
    Value blocks = arith::CeilDivSIOp::create(b, keyCount, index(keys));
    IndexOperand firstSeen = 0;
    if (window)
      firstSeen = firstBlock(sub(keyCount, 1), window, keys);
    parallelLoop(heads, [&](Value head) {
      Value part = first ? add(first, head) : head;
      KeyBlock all = foldBlocks(
          firstSeen, blocks, 1, headSize,
          [&](Value number, const KeyBlock &before) {
            Value column = mul(number, stride);
            Value limit = add(column, headSize);
            auto scalar = [&](Value at) -> Value {
              Value x = memref::LoadOp::create(b, source, ValueRange{part, at});
              return vector::BroadcastOp::create(b, one, x);
            };
            KeyBlock next;
            next.maximum = scalar(limit);
            next.sum = scalar(add(limit, 1));
            int64_t element = 0;
            for (int64_t width : widths) {
              Value at = add(column, element);
              next.accumulators.push_back(tile::LoadOp::create(
                  b, VectorType::get({1, width}, f32), source, part, at,
                  Value(), headLimit(column, headSize)));
              element += width;
            }
            return this->merge(before, next);
          });
      storeMerged(all, target, row, mul(head, headSize), headSize);
    });
  };
  if (!dynamicRows) {
    Value keyCount = KeyCountOp::create(b, b.getIndexType(), context);
    mergeRow(index(0), {}, keyCount);
    return target;
  }
  // Up to the row's own position, as decode has it: a block without keys would
  // add zeros, which makes +0 of -0.
  loop(0, rowCount(), 1, [&](Value row) {
    Value position = PositionOp::create(b, b.getIndexType(), context, row);
    Value first = mul(row, heads);
    mergeRow(row, first, add(position, 1));
  });
  return target;
}

/// A kernel that merges and no more: a part is a head of a row.
LogicalResult KernelBody::writeAttentionMerge(AttentionMergeOp merge,
                                              const Sink &sink) {
  auto read = merge.getParts().getDefiningOp<BufferReadOp>();
  auto write = cast<BufferWriteOp>(sink.op);
  if (!read || !merge.getKeys())
    return merge.emitOpError()
           << "reads its parts from a buffer and names the keys of a block; "
              "run llama-split-attention";
  ArrayRef<int64_t> shape = capacityOf(read.getBufferAttr()).getShape();
  int64_t heads = merge.getHeads(), blocks = shape[2], headSize = shape[3] - 2,
          keys = merge.getKeysAttr().getInt();
  auto one = VectorType::get({1}, b.getF32Type());
  // A block of a head is a row.
  Value source =
      bufferMemory(read.getBufferAttr(), read.getAtAttr(), heads * blocks);
  Value target = bufferMemory(write.getBufferAttr(), write.getAtAttr(), heads);
  SmallVector<int64_t> widths = headTiles(1, headSize);
  auto load = [&](Value row) {
    auto scalar = [&](int64_t at) -> Value {
      Value x = memref::LoadOp::create(b, source, ValueRange{row, index(at)});
      return vector::BroadcastOp::create(b, one, x);
    };
    KeyBlock block;
    block.maximum = scalar(headSize);
    block.sum = scalar(headSize + 1);
    int64_t element = 0;
    for (int64_t width : widths) {
      block.accumulators.push_back(tile::LoadOp::create(
          b, VectorType::get({1, width}, b.getF32Type()), source, row,
          index(element), Value(), headLimit(index(0), headSize)));
      element += width;
    }
    return block;
  };

  loopOverParts([&](Value number) {
    Value position =
        PositionOp::create(b, b.getIndexType(), context,
                           dynamicRows ? div(number, heads) : index(0));
    Value last = div(position, keys), after = add(last, 1);
    std::optional<int64_t> window;
    if (merge.getWindow())
      window = static_cast<int64_t>(*merge.getWindow());
    Value first = index(firstBlock(position, window, keys));
    Value row = mul(number, blocks);
    KeyBlock all = KeyBlock::unpack(fold(
        first, after, kMergedAtOnce, emptyBlock(1, headSize).pack(),
        [&](Value begin, ValueRange carried) {
          SmallVector<KeyBlock> loaded;
          for (int64_t i = 0; i < kMergedAtOnce; ++i)
            loaded.push_back(load(add(row, minimum(add(begin, i), last))));
          SmallVector<Value> merged(carried);
          for (auto [i, block] : llvm::enumerate(loaded)) {
            SmallVector<Value> next =
                this->merge(KeyBlock::unpack(merged), block).pack();
            Value exists = i ? lessThan(add(begin, i), after) : Value();
            for (auto [made, before] : llvm::zip(next, merged))
              before = exists ? arith::SelectOp::create(b, exists, made, before)
                                    .getResult()
                              : made;
          }
          return merged;
        }));
    storeMerged(all, target, number, index(0), headSize);
  });
  return success();
}
