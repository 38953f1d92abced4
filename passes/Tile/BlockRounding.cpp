//===- BlockRounding.cpp - sinks that round blocks of a row ---------------===//
//
// schedule -> tile: rows of records and a cache in q8_0, whose 32 elements
// share a scale. A tile is no whole block, so a part stores its tiles to
// scratch and rounds them when they are all there. Apart from KernelBody.cpp,
// as every kind of kernel uses it and the rest of that file does not depend on
// it.
//
//===----------------------------------------------------------------------===//

#include "passes/Tile/KernelBody.h"

using namespace mlir;
using namespace corellama;
using namespace corellama::llama;
using namespace corellama::tile;

/// Whether the sink rounds blocks of a row, which a tile may be less than.
bool KernelBody::roundsBlocks(const Sink &sink) {
  auto append = dyn_cast<KVAppendOp>(sink.op);
  if (!append)
    return isa<RowRecordInterface>(
        cast<RankedTensorType>(sink.value.getType()).getElementType());
  CacheType cache = append.getCache().getType();
  return isa<Q8_0Type>(sink.what == "keys" ? cache.getKeyType()
                                           : cache.getValueType());
}

KernelBody::Unrounded *KernelBody::findUnrounded(const Sink &sink) {
  for (auto &[other, place] : unrounded)
    if (other.op == sink.op && other.what == sink.what)
      return &place;
  return nullptr;
}

/// Scratch for values that are stored a tile at a time and rounded by blocks,
/// for each sink that rounds.
void KernelBody::prepareRounding(ArrayRef<Sink> sinks, int64_t rows,
                                 int64_t columns) {
  for (const Sink &sink : sinks)
    if (roundsBlocks(sink))
      unrounded.push_back(
          {sink,
           {ScratchOp::create(b,
                              MemRefType::get({rows, columns}, b.getF32Type())),
            index(0), index(0)}});
}

/// The first element of scratch is (row, column) of the buffer from here on.
void KernelBody::beginRounding(ArrayRef<Sink> sinks, IndexOperand row,
                               IndexOperand column) {
  Value firstRow = index(row);
  Value firstColumn = index(column);
  for (const Sink &sink : sinks)
    if (Unrounded *place = findUnrounded(sink)) {
      place->row = firstRow;
      place->column = firstColumn;
    }
}

/// Rounds the first `count` rows of scratch into the buffer or the cache.
void KernelBody::finishRounding(ArrayRef<Sink> sinks, Value count) {
  for (const Sink &sink : sinks) {
    const Unrounded *from = findUnrounded(sink);
    if (!from)
      continue;
    if (auto write = dyn_cast<BufferWriteOp>(sink.op))
      RoundRowsOp::create(b, from->memory,
                          bufferRows(write.getBufferAttr(), write.getAtAttr()),
                          from->row, from->column, count);
    else
      appendBlocks(sink, *from, count);
  }
}

/// Blocks of scratch, row by row, into a cache in q8_0.
void KernelBody::appendBlocks(const Sink &sink, const Unrounded &from,
                              Value count) {
  constexpr int64_t kBlock = Q8_0Type::kBlock;
  auto append = cast<KVAppendOp>(sink.op);
  Value cache = cacheOf(append.getCache(), append.getLayer());
  auto tileType = VectorType::get({1, kBlock}, b.getF32Type());
  int64_t width = cast<MemRefType>(from.memory.getType()).getDimSize(1),
          columns = cast<RankedTensorType>(sink.value.getType()).getDimSize(1);
  // The last part of a weight's rows may have less.
  Value limit = index(width);
  if (columns % width != 0)
    limit = minimum(limit, sub(columns, from.column));
  loop(0, count, 1, [&](Value row) {
    loop(0, limit, kBlock, [&](Value column) {
      Value block = tile::LoadOp::create(b, tileType, from.memory, row, column,
                                         Value(), Value());
      Value at = add(from.row, row);
      Value first = add(from.column, column);
      AppendOp::create(b, block, cache, context, at, first, rowCount(),
                       sink.what);
    });
  });
}
