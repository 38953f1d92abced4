//===- VectorContract.cpp - the loops over k in a CPU's vectors -----------===//
//
// tile -> vector: products with weights, scores with keys, sums of values. One
// vector holds 16 rows of a weight (or 16 keys, or 16 elements of a value), so
// no sum crosses lanes; activations are broadcast, which folds into the fma.
// The order of each sum is the one written on the op.
//
//===----------------------------------------------------------------------===//

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "passes/CPU/VectorKernel.h"

using namespace mlir;
using namespace corellama;
using namespace corellama::cpu;

GroupStream VectorKernel::groupStream(const Weight &weight, Value firstRow) {
  // The size of one group is the layout's size of 16 rows.
  llama::FormatInterface format = weight.type.getFormat();
  int64_t k = format.getBlock() != 1 ? 4 : isa<llama::BF16Attr>(format) ? 2 : 1;
  auto layout = cast<llama::LayoutInterface>(
      llama::Interleaved16Attr::get(b.getContext(), k));
  int64_t bytes = *layout.byteSize(format, kLanes, weight.type.getColumns());
  Value group = arith::DivUIOp::create(b, firstRow, index(kLanes));
  return {b, weight.memory, mul(group, bytes), weight.type.getColumns(),
          tables};
}

//===----------------------------------------------------------------------===//
// Panels
//===----------------------------------------------------------------------===//

void VectorKernel::rewritePanel(tile::PanelOp op) {
  const Weight &weight = weights.find(op.getWeight())->second;
  llama::FormatInterface format = weight.type.getFormat();
  auto loads = cast<GroupLoadInterface>(format);
  int64_t columns = weight.type.getColumns(),
          scaleBlock = format.getScaleBlock();
  Type f32 = b.getF32Type();
  Panel panel;
  panel.quants = allocate(MemRefType::get({columns, kLanes}, f32));
  if (format.hasScale())
    panel.scales =
        allocate(MemRefType::get({columns / scaleBlock, kLanes}, f32));
  if (format.hasMinimum())
    panel.minima =
        allocate(MemRefType::get({columns / scaleBlock, kLanes}, f32));

  GroupStream stream = groupStream(weight, op.getFirst());
  auto decode = [&](Value block, int64_t count) {
    Value first = mul(block, kColumnBlock);
    loads.emitQuants(stream, block, 0, count, [&](int64_t c, Value quants) {
      vector::StoreOp::create(b, quants, panel.quants,
                              ValueRange{add(first, index(c)), index(0)});
    });
    if (!format.hasScale())
      return;
    for (int64_t c = 0; c < count; c += scaleBlock) {
      Value number =
          arith::DivUIOp::create(b, add(first, index(c)), index(scaleBlock));
      vector::StoreOp::create(b, loads.emitScale(stream, block, c),
                              panel.scales, ValueRange{number, index(0)});
      if (panel.minima)
        vector::StoreOp::create(b, loads.emitMinimum(stream, block),
                                panel.minima, ValueRange{number, index(0)});
    }
  };
  int64_t blocks = columns / kColumnBlock;
  loop(0, index(blocks), 1, {}, [&](Value block, ValueRange) -> Vec<Value> {
    decode(block, kColumnBlock);
    return {};
  });
  if (columns % kColumnBlock)
    decode(index(blocks), columns % kColumnBlock);
  panels[op] = panel;
}

//===----------------------------------------------------------------------===//
// Products
//===----------------------------------------------------------------------===//

void VectorKernel::rewriteContract(tile::ContractOp op) {
  auto type = cast<VectorType>(op.getType());
  int64_t m = type.getDimSize(0);
  Value source = rows.lookup(op.getRows());
  SmallVector<Value> rowIndex;
  for (int64_t i = 0; i < m; ++i)
    rowIndex.push_back(i ? add(op.getRow(), index(i)) : op.getRow());

  // Where quants, scales and minima come from: memory, or a decoded panel.
  auto panelIt = panels.find(op.getWeight());
  bool isPanel = panelIt != panels.end();
  llama::FormatInterface format;
  int64_t columns;
  std::optional<GroupStream> stream;
  if (isPanel) {
    auto panelType = cast<tile::PanelType>(op.getWeight().getType());
    format = panelType.getFormat();
    columns = panelType.getColumns();
  } else {
    const Weight &weight = weights.find(op.getWeight())->second;
    format = weight.type.getFormat();
    columns = weight.type.getColumns();
    stream.emplace(groupStream(weight, op.getFirst()));
  }
  auto loads = cast<GroupLoadInterface>(format);
  int64_t scaleBlock = format.getScaleBlock();

  auto quants = [&](Value block, Value firstColumn, int64_t from, int64_t to,
                    llvm::function_ref<void(int64_t, Value)> visit) {
    if (!isPanel)
      return loads.emitQuants(*stream, block, from, to, visit);
    for (int64_t c = from; c < to; ++c)
      visit(c, vector::LoadOp::create(
                   b, floats(), panelIt->second.quants,
                   ValueRange{add(firstColumn, index(c)), index(0)}));
  };
  auto fromPanel = [&](Value memory, Value number) -> Value {
    return vector::LoadOp::create(b, floats(), memory,
                                  ValueRange{number, index(0)});
  };

  // One block of columns: each scale's share summed from +0, then added.
  auto sumBlock = [&](Value block, int64_t count, ValueRange carried) {
    SmallVector<Value> accumulators(carried.begin(), carried.end());
    Value firstColumn = mul(block, kColumnBlock);
    for (int64_t from = 0; from < count; from += scaleBlock) {
      SmallVector<Value> sums(m, zeros(floats()));
      quants(block, firstColumn, from, std::min(from + scaleBlock, count),
             [&](int64_t c, Value q) {
               Value column = add(firstColumn, index(c));
               for (int64_t i = 0; i < m; ++i)
                 sums[i] =
                     fma(q, splat(loadScalar(source, {rowIndex[i], column})),
                         sums[i]);
             });
      Value number;
      if (isPanel || op.getSums())
        number = arith::DivUIOp::create(b, add(firstColumn, index(from)),
                                        index(scaleBlock));
      Value scale, minimum;
      if (format.hasScale())
        scale = isPanel ? fromPanel(panelIt->second.scales, number)
                        : loads.emitScale(*stream, block, from);
      if (format.hasMinimum())
        minimum = isPanel ? fromPanel(panelIt->second.minima, number)
                          : loads.emitMinimum(*stream, block);
      for (int64_t i = 0; i < m; ++i) {
        accumulators[i] =
            scale ? fma(sums[i], scale, accumulators[i])
                  : arith::AddFOp::create(b, accumulators[i], sums[i])
                        .getResult();
        if (minimum)
          accumulators[i] = fma(
              minimum, splat(loadScalar(op.getSums(), {rowIndex[i], number})),
              accumulators[i]);
      }
    }
    return accumulators;
  };

  SmallVector<Value> accumulators(m, zeros(floats()));
  int64_t blocks = columns / kColumnBlock;
  loop(
      0, index(blocks), 1, SmallVector<Value>(accumulators),
      [&](Value block, ValueRange carried) -> Vec<Value> {
        return sumBlock(block, kColumnBlock, carried);
      },
      &accumulators);
  if (columns % kColumnBlock)
    accumulators =
        sumBlock(index(blocks), columns % kColumnBlock, accumulators);
  op.getResult().replaceAllUsesWith(pack(accumulators, type));
}

//===----------------------------------------------------------------------===//
// Attention
//===----------------------------------------------------------------------===//

Value VectorKernel::loadCache(Value memory, Value element, Type elementType) {
  Value lanes = vector::LoadOp::create(
      b, VectorType::get({kLanes}, elementType), memory, ValueRange{element});
  if (elementType.isF32())
    return lanes;
  return arith::ExtFOp::create(b, floats(), lanes);
}

void VectorKernel::rewriteScores(tile::ScoreKeysOp op) {
  const Cache &cache = caches.find(op.getCache())->second;
  int64_t size = cache.type.getHeadSize();
  auto type = cast<VectorType>(op.getType());
  int64_t m = type.getDimSize(0);
  Value source = rows.lookup(op.getRows());
  // keys_interleaved16: a group of 16 positions is [head size][16].
  Value region = mul(add(cache.firstHead, op.getHead()), cache.capacity);
  Value base = mul(add(region, op.getFirst()), size);
  SmallVector<Value> sums(m, zeros(floats()));
  loop(
      0, index(size), 1, SmallVector<Value>(sums),
      [&](Value d, ValueRange carried) {
        Value keys = loadCache(cache.keys, add(base, mul(d, kLanes)),
                               cache.type.getElementType());
        SmallVector<Value> next;
        for (int64_t i = 0; i < m; ++i) {
          Value row = i ? add(op.getRow(), index(i)) : op.getRow();
          next.push_back(
              fma(keys, splat(loadScalar(source, {row, d})), carried[i]));
        }
        return next;
      },
      &sums);
  op.getResult().replaceAllUsesWith(pack(sums, type));
}

void VectorKernel::rewriteSumValues(tile::SumValuesOp op) {
  const Cache &cache = caches.find(op.getCache())->second;
  auto type = cast<VectorType>(op.getType());
  int64_t m = type.getDimSize(0), chunks = type.getDimSize(1) / kLanes;
  int64_t keys = cast<MemRefType>(op.getWeights().getType()).getDimSize(1);
  Value region = mul(add(cache.firstHead, op.getHead()), cache.capacity);
  Value base =
      add(mul(add(region, op.getFirst()), cache.paddedHead), op.getElement());
  auto limitOf = [&](int64_t row) {
    Value limit =
        row ? add(op.getCount(), index(row * op.getAdvance())) : op.getCount();
    return minimum(maximum(limit, index(0)), index(keys));
  };

  // accumulators[i * chunks + c]: row i, elements 16 c to 16 c + 15.
  auto addKey = [&](Value key, ValueRange carried,
                    llvm::function_ref<Value(int64_t)> sees) {
    Value at = add(base, mul(key, cache.paddedHead));
    SmallVector<Value> values, next;
    for (int64_t c = 0; c < chunks; ++c)
      values.push_back(loadCache(cache.values,
                                 c ? add(at, index(c * kLanes)) : at,
                                 cache.type.getElementType()));
    for (int64_t i = 0; i < m; ++i) {
      Value weight = splat(loadScalar(op.getWeights(), {index(i), key}));
      Value condition = sees(i);
      for (int64_t c = 0; c < chunks; ++c) {
        Value last = carried[i * chunks + c];
        Value sum = fma(values[c], weight, last);
        next.push_back(
            condition
                ? arith::SelectOp::create(b, condition, sum, last).getResult()
                : sum);
      }
    }
    return next;
  };

  SmallVector<Value> sums(m * chunks, zeros(floats()));
  Value common = limitOf(0);
  loop(
      0, common, 1, SmallVector<Value>(sums),
      [&](Value key, ValueRange carried) {
        return addKey(key, carried, [](int64_t) { return Value(); });
      },
      &sums);
  if (op.getAdvance() != 0 && m > 1) {
    SmallVector<Value> limits;
    for (int64_t i = 0; i < m; ++i)
      limits.push_back(limitOf(i));
    // Keys that only the later rows see. The loop starts where the first row
    // ends, so its counter is added.
    loop(
        0, sub(limits.back(), common), 1, SmallVector<Value>(sums),
        [&](Value more, ValueRange carried) {
          Value key = add(common, more);
          return addKey(key, carried,
                        [&](int64_t i) { return lessThan(key, limits[i]); });
        },
        &sums);
  }
  SmallVector<Value> packed;
  for (int64_t i = 0; i < m; ++i)
    packed.push_back(
        joinChunks(ArrayRef<Value>(sums).slice(i * chunks, chunks)));
  op.getResult().replaceAllUsesWith(pack(packed, type));
}
