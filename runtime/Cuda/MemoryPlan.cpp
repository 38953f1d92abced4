//===- MemoryPlan.cpp - what a program takes of a GPU's memory ------------===//
//
// See MemoryPlan.h.
//
//===----------------------------------------------------------------------===//

#include "runtime/Cuda/MemoryPlan.h"

#include "runtime/Executor/GeneratedCode.h"
#include "runtime/Memory/Reservation.h"

#include <algorithm>
#include <cstdio>

namespace corellama::runtime::cuda {

/// By which the driver takes memory of a GPU.
static constexpr uint64_t kPageBytes = uint64_t(2) << 20;

/// Kernels load 16 bytes at a time; the ABI promises 64.
static constexpr uint64_t kAlignment = 64;

static uint64_t aligned(uint64_t bytes) {
  return (bytes + kAlignment - 1) / kAlignment * kAlignment;
}

CallBlock CallBlock::of(uint64_t lists, uint64_t rows) {
  const uint64_t list = aligned(rows * sizeof(int32_t));
  CallBlock block;
  block.secondList = list;
  block.bytes = lists * list;
  return block;
}

LoopBlock LoopBlock::of(uint64_t vocabulary) {
  const uint64_t row = aligned(sizeof(int32_t));
  const uint64_t lists = (vocabulary + abi::kChoiceIds - 1) / abi::kChoiceIds;
  LoopBlock block;
  block.token = aligned(sizeof(abi::Choice));
  block.position = block.token + row;
  block.wanted = block.position + row;
  block.ends = block.wanted + row;
  block.copied = block.ends + aligned((vocabulary + 7) / 8);
  block.bytes = block.copied + lists * abi::kChoiceKept * sizeof(uint64_t);
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
  if (program.choose)
    plan.loop = LoopBlock::of(header.vocabulary);
  plan.weights = header.weights.bytes;
  plan.workspace = program.workspaceBytes;
  plan.offsets = image.offsets.size_bytes();
  plan.tables = plan.offsets + plan.cache.regions().size_bytes() +
                plan.step.bytes + plan.head.bytes + plan.loop.bytes;
  bool fits =
      !__builtin_mul_overflow(plan.cache.positions(), header.keyBytes,
                              &plan.keys) &&
      !__builtin_mul_overflow(plan.cache.positions(), header.valueBytes,
                              &plan.values) &&
      !__builtin_mul_overflow(plan.cache.capacity(),
                              header.ropeRow * sizeof(float), &plan.rope);
  uint64_t sum = 5 * kPageBytes, pages; // the tables are five allocations
  for (uint64_t bytes : {plan.weights, plan.keys, plan.values, plan.workspace,
                         plan.rope, plan.tables})
    fits &= roundUp(bytes, kPageBytes, pages) &&
            !__builtin_add_overflow(sum, pages, &sum);
  if (!fits)
    return Error{"a context of " + std::to_string(context) +
                 " tokens is too large; give a smaller -c"};
  const uint64_t growing =
      image.rings.empty() ? header.layers : std::ranges::count(image.rings, 0u);
  plan.keysEach = growing * header.keyBytes;
  plan.valuesEach = growing * header.valueBytes;
  plan.ropeEach = header.ropeRow * sizeof(float);
  return plan;
}

uint64_t MemoryPlan::taken(uint64_t tokens) const {
  const uint64_t fewer = cache.capacity() - tokens;
  uint64_t sum = 0, pages = 0;
  for (uint64_t bytes :
       {weights, keys - fewer * keysEach, values - fewer * valuesEach,
        workspace, rope - fewer * ropeEach, offsets,
        uint64_t(cache.regions().size_bytes()), step.bytes, head.bytes,
        loop.bytes}) {
    roundUp(bytes, kPageBytes, pages);
    sum += pages;
  }
  return sum;
}

std::optional<Error> MemoryPlan::check(uint64_t free,
                                       const std::string &device) const {
  auto wanted = [&](uint64_t tokens) { return taken(tokens) + kGraphMargin; };
  const uint64_t most = wanted(cache.capacity());
  if (most <= free)
    return std::nullopt;
  // The cache may be smaller, by whole blocks: `fits` of them, not `above`.
  uint64_t fits = 0, above = cache.capacity() / abi::kCacheBlock;
  while (fits + 1 < above) {
    const uint64_t half = fits + (above - fits) / 2;
    (wanted(half * abi::kCacheBlock) <= free ? fits : above) = half;
  }
  const std::string remedy =
      fits == 0 ? "give another --device, or compile the model with --quantize"
                : "give -c " + std::to_string(fits * abi::kCacheBlock) +
                      ", or end other programs that use it";
  return Error{
      "the model takes " + formatBytes(most) + " of GPU memory (" +
      formatBytes(weights) + " of weights, " + formatBytes(keys + values) +
      " of cache for " + std::to_string(cache.capacity()) + " tokens, " +
      formatBytes(workspace) + " of workspace, " + formatBytes(rope + tables) +
      " of tables, each in pages of " + formatBytes(kPageBytes) + ", and " +
      formatBytes(kGraphMargin) + " for the driver's graphs), and " + device +
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
