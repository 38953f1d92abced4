//===- RowWiseBody.cpp - kernels that go row by row ----------------------===//
//
// schedule -> tile, kernels without products and without attention: the
// embedding, norms of rows and of heads, roundings, and what joined them. A
// part is some rows of the call, and each row is made whole before the next.
//
//===----------------------------------------------------------------------===//

#include "passes/Tile/KernelBody.h"

using namespace mlir;
using namespace corellama;
using namespace corellama::llama;
using namespace corellama::tile;

LogicalResult KernelBody::writeEmbed(EmbedOp embed, const Sink &sink) {
  auto type = cast<WeightType>(embed.getWeight().getType());
  Value table = weight(embed.getWeight());
  loopOverParts([&](Value part) {
    Value first = mul(part, partition.getBy());
    Value next = add(first, partition.getBy());
    Value last = minimum(next, rowCount());
    loop(first, last, 1, [&](Value row) {
      Value token = TokenOp::create(b, b.getIndexType(), context, row);
      loop(0, type.getColumns(), n, [&](Value column) {
        Value x = DecodeOp::create(b, VectorType::get({1, n}, b.getF32Type()),
                                   table, token, column);
        store(sink, x, {row, column, 1, n});
      });
    });
  });
  return success();
}

/// Norms the heads of one row into a row of scratch: a head is a row of the
/// buffer's memory, seen as rows of one head.
LogicalResult KernelBody::normHeads(RmsNormOp norm, Value row) {
  auto read = norm.getX().getDefiningOp<BufferReadOp>();
  if (!read)
    return norm.emitOpError() << "normalises a value that is not in a buffer";
  auto heads = static_cast<int64_t>(*norm.getHeads());
  Value memory = bufferMemory(read.getBufferAttr(), read.getAtAttr(), heads);
  int64_t headSize = cast<MemRefType>(memory.getType()).getDimSize(1);
  Value target = normedHeads.lookup(norm);
  auto type = VectorType::get({1, n}, b.getF32Type());
  Value first = mul(rowIn(read, row), heads);
  // On a GPU all threads of a block make a sum, so heads come one by one.
  loop(0, heads, 1, [&](Value head) {
    Value own = add(first, head);
    Value begin = mul(head, headSize);
    Value limit = add(begin, headSize);
    Value inverse = inverseRms(norm, memory, own, 1);
    Value spread = BroadcastRowsOp::create(b, type, inverse);
    loop(0, headSize, n, [&](Value column) {
      Value x =
          tile::LoadOp::create(b, type, memory, own, column, Value(), Value());
      Value scaled = arith::MulFOp::create(b, x, spread);
      Value gain =
          ColumnValuesOp::create(b, type, weight(norm.getWeight()), column);
      Value y = arith::MulFOp::create(b, scaled, gain);
      tile::StoreOp::create(b, y, target, index(0), add(begin, column), Value(),
                            limit);
    });
  });
  return success();
}

LogicalResult KernelBody::writeRowWise() {
  SmallVector<Sink> all = sinks();
  for (const Sink &sink : all) {
    if (auto embed = sink.value.getDefiningOp<EmbedOp>())
      return writeEmbed(embed, sink);
    if (auto merge = sink.value.getDefiningOp<AttentionMergeOp>();
        merge && merge->hasOneUse())
      return writeAttentionMerge(merge, sink);
  }
  for (auto merge : source.getBody().front().getOps<AttentionMergeOp>()) {
    merged[merge] = mergeHeads(merge);
    if (!merged[merge])
      return failure();
  }

  auto norms = source.getBody().front().getOps<RmsNormOp>();
  for (RmsNormOp norm : norms)
    if (norm.getHeads())
      normedHeads[norm] = ScratchOp::create(
          b,
          MemRefType::get({1, norm.getType().getDimSize(1)}, b.getF32Type()));

  for (const Sink &sink : all)
    prepareRounding(sink, 1,
                    cast<RankedTensorType>(sink.value.getType()).getDimSize(1));

  LogicalResult result = success();
  loopOverParts([&](Value part) {
    Value first = mul(part, partition.getBy());
    Value next = add(first, partition.getBy());
    Value last = minimum(next, rowCount());
    loop(first, last, 1, [&](Value row) {
      if (!unrounded.empty())
        beginRounding(all, row, 0);
      for (RmsNormOp norm : norms) {
        if (norm.getHeads()) {
          if (failed(normHeads(norm, row)))
            result = failure();
          continue;
        }
        auto read = norm.getX().getDefiningOp<BufferReadOp>();
        if (!read) {
          result = norm.emitOpError()
                   << "normalises a value that is not in a buffer";
          return;
        }
        Value memory = bufferMemory(read);
        inverses[norm] = inverseRms(norm, memory, rowIn(read, row), 1);
      }
      for (auto norm : source.getBody().front().getOps<LayerNormOp>())
        if (failed(prepareMoments(norm, row))) {
          result = failure();
          return;
        }
      for (const Sink &sink : all) {
        int64_t columns =
            cast<RankedTensorType>(sink.value.getType()).getShape().back();
        loop(0, columns, n, [&](Value column) {
          Position at{row, column, 1, n};
          Value tile = tileOf(sink.value, at);
          if (!tile) {
            result = failure();
            return;
          }
          store(sink, tile, at);
        });
      }
      if (!unrounded.empty())
        finishRounding(all, index(1));
    });
  });
  return result;
}
