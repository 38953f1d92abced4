//===- MemoryPlan.cpp - what a program takes of a GPU's memory ------------===//
//
// See MemoryPlan.h.
//
//===----------------------------------------------------------------------===//

#include "runtime/Cuda/MemoryPlan.h"

#include "runtime/Executor/GeneratedCode.h"

#include <cstdio>

namespace corellama::runtime::cuda {

/// Kernels load 16 bytes at a time; the ABI promises 64.
static constexpr uint64_t kAlignment = 64;

static uint64_t aligned(uint64_t bytes) {
  return (bytes + kAlignment - 1) / kAlignment * kAlignment;
}

CallBlock CallBlock::of(uint64_t lists, uint64_t rows) {
  const uint64_t list = aligned(rows * sizeof(int32_t));
  CallBlock block;
  block.firstList = aligned(sizeof(abi::Context));
  block.secondList = block.firstList + list;
  block.bytes = block.firstList + lists * list;
  return block;
}

Result<MemoryPlan> MemoryPlan::create(const abi::DeviceProgram &program,
                                      const MappedImage &image,
                                      uint64_t context) {
  const abi::ImageHeader &header = *image.header;
  MemoryPlan plan;
  if (auto error =
          KVCacheShape::create(header, image.rings, context).moveTo(plan.cache))
    return *error;
  const CodeFacts facts = factsOf(program, 0);
  plan.step = CallBlock::of(2, facts.rows);
  plan.head = CallBlock::of(1, facts.wanted);
  plan.weights = header.weights.bytes;
  plan.workspace = program.workspaceBytes;
  plan.tables = aligned(image.offsets.size_bytes()) +
                aligned(plan.cache.regions().size_bytes()) + plan.step.bytes +
                plan.head.bytes;
  bool fits =
      !__builtin_mul_overflow(plan.cache.positions(), header.keyBytes,
                              &plan.keys) &&
      !__builtin_mul_overflow(plan.cache.positions(), header.valueBytes,
                              &plan.values) &&
      !__builtin_mul_overflow(plan.cache.capacity(),
                              header.ropeRow * sizeof(float), &plan.rope);
  uint64_t sum = 0;
  for (uint64_t bytes : {plan.weights, plan.keys, plan.values, plan.workspace,
                         plan.rope, plan.tables})
    fits &= !__builtin_add_overflow(sum, bytes, &sum);
  if (!fits)
    return Error{"a context of " + std::to_string(context) +
                 " tokens is too large; give a smaller -c"};
  return plan;
}

std::optional<Error> MemoryPlan::check(uint64_t free,
                                       const std::string &device) const {
  if (all() <= free)
    return std::nullopt;
  const uint64_t cacheBytes = keys + values + rope, others = all() - cacheBytes;
  std::string remedy =
      "give another --device, or compile the model with --quantize";
  // The cache may be smaller, by whole blocks. Rings do not shrink with -c, so
  // with them this asks for less than there is room for.
  if (others < free) {
    const uint64_t each =
        (cacheBytes + cache.capacity() - 1) / cache.capacity();
    const uint64_t fits =
        (free - others) / each / abi::kCacheBlock * abi::kCacheBlock;
    if (fits > 0)
      remedy = "give -c " + std::to_string(fits) +
               ", or end other programs that use it";
  }
  return Error{"the model takes " + formatBytes(all()) + " of GPU memory (" +
               formatBytes(weights) + " of weights, " +
               formatBytes(keys + values) + " of cache for " +
               std::to_string(cache.capacity()) + " tokens, " +
               formatBytes(workspace) + " of workspace, " +
               formatBytes(rope + tables) + " of tables), and " + device +
               " has " + formatBytes(free) + " free; " + remedy};
}

std::string formatBytes(uint64_t bytes) {
  constexpr double kMiB = 1 << 20, kGiB = 1 << 30;
  char text[40];
  if (double(bytes) >= kGiB)
    snprintf(text, sizeof(text), "%.2f GiB", double(bytes) / kGiB);
  else
    snprintf(text, sizeof(text), "%.2f MiB", double(bytes) / kMiB);
  return text;
}

} // namespace corellama::runtime::cuda
