//===- CacheMemory.cpp - numbers of the cache in a kernel's memory --------===//
//
// See KernelCall.h: keys and values of any type and layout, read, and random
// ones written. Apart from KernelCall.cpp, which calls kernels and judges them.
//
//===----------------------------------------------------------------------===//

#include "test/passes/Testing/BufferPlaces.h"
#include "test/passes/Testing/KernelCall.h"
#include "llvm/ADT/STLExtras.h"
#include <cmath>

namespace corellama::test {

using namespace llama::reference;

using Q8B32 = llama::Q8B32Type;

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
  std::vector<double> values(head.begin(), head.end());
  roundToQ8_0(head);
  for (size_t k = 0; k < head.size(); ++k, ++at.element) {
    if (k % Q8B32::kBlock != 0)
      continue;
    float amax = 0;
    for (size_t j = k; j < k + Q8B32::kBlock; ++j)
      amax = std::max(amax, std::abs(static_cast<float>(values[j])));
    double scale = writeNumber(bytes + model.scaleByte(at), Number::F16,
                               amax / Q8B32::kLargest);
    CacheElement quant = at;
    for (size_t j = k; j < k + Q8B32::kBlock; ++j, ++quant.element)
      bytes[model.cacheByte(quant)] =
          static_cast<uint8_t>(std::lround(head[j] / scale));
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
