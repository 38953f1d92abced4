//===- CacheMemory.cpp - numbers of the cache in a kernel's memory --------===//
//
// See KernelCall.h: keys and values of any type and layout, read, and random
// ones written. Apart from KernelCall.cpp, which calls kernels and judges them.
//
//===----------------------------------------------------------------------===//

#include "test/passes/Testing/BufferPlaces.h"
#include "test/passes/Testing/KernelCall.h"
#include "test/passes/Testing/RowBlock.h"
#include "llvm/ADT/STLExtras.h"
#include <cmath>

namespace corellama::test {

using namespace llama::reference;

static bool isInBlocks(const TestModel &model, bool ofKeys) {
  return model.cachePlan(ofKeys).strides.block != 0;
}
/// What an element is, where it has no scale.
static Number cacheNumber(const TestModel &model, bool ofKeys) {
  return numberOf(model.cachePlan(ofKeys).element);
}

double readCache(const TestModel &model, const uint8_t *bytes,
                 CacheElement at) {
  const uint8_t *element = bytes + model.cacheByte(at);
  if (!isInBlocks(model, at.keys))
    return readNumber(element, cacheNumber(model, at.keys));
  return static_cast<int8_t>(*element) *
         readNumber(bytes + model.scaleByte(at), Number::F16);
}

double readCache(const TestModel &model, const KernelContext &context,
                 CacheElement at) {
  return readCache(model, (at.keys ? context.keys : context.values).data(), at);
}

/// Rounds the values of one head and writes them; `at` is the first of them.
static void writeCache(const TestModel &model, uint8_t *bytes, CacheElement at,
                       llvm::MutableArrayRef<double> head) {
  if (!isInBlocks(model, at.keys)) {
    for (double &value : head) {
      value = writeNumber(bytes + model.cacheByte(at),
                          cacheNumber(model, at.keys), value);
      ++at.element;
    }
    return;
  }
  for (size_t first = 0; first < head.size(); first += RowBlock::kSize) {
    auto values = head.slice(first, RowBlock::kSize);
    float floats[RowBlock::kSize];
    llvm::copy(values, floats);
    RowBlock block = RowBlock::round(floats, /*digits=*/1);
    double scale =
        writeNumber(bytes + model.scaleByte(at), Number::F16, block.scale);
    for (auto [value, quant] : llvm::zip(values, block.digit[0])) {
      bytes[model.cacheByte(at)] = static_cast<uint8_t>(quant);
      value = scale * quant;
      ++at.element;
    }
  }
}

static double uniform(std::mt19937 &random) {
  return std::uniform_real_distribution<float>(-1.0f, 1.0f)(random);
}

void fillCache(const TestModel &model, KernelContext &context, Cache *cache,
               Cache *magnitudes, int64_t positions, std::mt19937 &random) {
  const ModelShape &s = model.choice.shape;
  for (int64_t layer = 0; layer < s.layers; ++layer)
    for (int64_t position = 0; position < positions; ++position) {
      Cache::Entry entry;
      for (bool keys : {true, false})
        for (int64_t head = 0; head < s.kvHeads; ++head) {
          std::vector<double> row;
          for (int64_t e = 0; e < s.headSize; ++e)
            row.push_back(uniform(random));
          writeCache(model, (keys ? context.keys : context.values).data(),
                     {keys, layer, head, position, 0}, row);
          llvm::append_range(keys ? entry.keys : entry.values, row);
        }
      Cache::Entry positive = entry;
      for (auto *values : {&positive.keys, &positive.values})
        for (double &value : *values)
          value = std::abs(value);
      if (cache)
        cache->store(layer, position, std::move(entry));
      if (magnitudes)
        magnitudes->store(layer, position, std::move(positive));
    }
}

} // namespace corellama::test
