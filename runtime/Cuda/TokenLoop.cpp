//===- TokenLoop.cpp - ids that the GPU chooses ---------------------------===//
//
// The loop of CudaExecutor. A step of one row, a head and a choice make the
// next step's row in the device's memory, so steps can follow each other
// without this machine: some of them are one graph. While one graph runs the
// next is there already, and ids are read one graph behind. An end, or the last
// id, turns what was launched too far into steps that repeat the last one: they
// write the same keys and values at the same position.
//
//===----------------------------------------------------------------------===//

#include "runtime/Cuda/CudaExecutor.h"
#include "runtime/Executor/GeneratedCode.h"
#include "runtime/Sampling/Sampler.h"

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <string>

namespace corellama::runtime::cuda {

/// Steps of a graph. Launching one takes this machine some tens of
/// microseconds, and as many steps in vain, twice, is what an answer's end may
/// cost: of a model of 7 billion weights 20 ms.
static constexpr uint64_t kSteps = 4;
static_assert(kSteps <= abi::kChosenIds);

/// What comes back of a Choice.
static constexpr size_t kComingBytes = offsetof(abi::Choice, kept);

bool CudaExecutor::takes(const SamplerSettings &settings) const {
  return settings.bias.empty() && !settings.hasPenalties() &&
         (settings.isGreedy() ||
          (settings.topK >= 1 && uint64_t(settings.topK) <= abi::kChoiceKept));
}

std::optional<Error> CudaExecutor::copyLoop() {
  return ask(driver->copyToDevice, loopBlock,
             static_cast<const void *>(hostLoop), size_t(plan.loop.copied),
             stream);
}

/// Has the Choice copied as it is then.
std::optional<Error> CudaExecutor::collect() {
  const uint64_t place = loopState.sent++ % Loop::kCopies;
  if (auto error =
          ask(driver->copyToHost, static_cast<void *>(loopState.copies[place]),
              loopBlock, kComingBytes, stream))
    return error;
  return ask(driver->eventRecord, loopState.isThere[place], stream);
}

std::optional<Error> CudaExecutor::begin(const Sampler &sampler, int32_t row,
                                         uint64_t most,
                                         std::span<const int32_t> ends) {
  // What is rewritten was copied before the last call's block.
  if (auto error = ask(driver->eventSynchronize, isCopied))
    return error;
  loopState.first = call.keyCount;
  loopState.most = most;
  loopState.asked = 1;
  loopState.taken = loopState.sent = loopState.read = 0;

  memset(hostLoop, 0, plan.loop.copied);
  const SamplerSettings &settings = sampler.given();
  abi::Choice choice{};
  choice.left = most;
  choice.kept = settings.isGreedy() ? 1 : uint64_t(settings.topK);
  choice.temperature = settings.isGreedy() ? 1 : settings.temperature;
  choice.topP = settings.topP;
  choice.minP = settings.minP;
  std::ranges::copy(sampler.generator(), choice.random);
  choice.logits = program.logitsOffset;
  choice.ends = plan.loop.ends;
  choice.lists = plan.loop.copied;
  memcpy(hostLoop, &choice, sizeof(choice));
  const auto position = int32_t(call.keyCount - 1);
  memcpy(hostLoop + plan.loop.position, &position, sizeof(position));
  for (int32_t id : ends)
    if (id >= 0 && uint64_t(id) < image.header->vocabulary)
      hostLoop[plan.loop.ends + size_t(id) / 8] |= uint8_t(1 << id % 8);

  call.rows = 1;
  memcpy(hostHead, &row, sizeof(row));
  if (auto error =
          run(heads.front(), hostHead, headBlock, plan.head.bytes, headGraph))
    return error;
  if (auto error = copyLoop())
    return error;
  program.choose(&loopCall, this);
  return collect();
}

Result<std::span<const TokenLoop::Id>> CudaExecutor::next() {
  if (loopState.asked < loopState.most &&
      loopState.sent - loopState.read < Loop::kCopies) {
    // The last of these ids is appended by another graph, if at all.
    loopState.asked += kSteps;
    if (auto error = reachRope(loopState.first - 1 +
                               std::min(loopState.asked, loopState.most)))
      return *error;
    if (auto error = replay(loopGraph, [&] {
          for (uint64_t i = 0; i < kSteps; ++i) {
            forms.front().step(&loopCall, this);
            heads.front().step(&loopCall, this);
            program.choose(&loopCall, this);
          }
        }))
      return *error;
    if (auto error = collect())
      return *error;
  }
  const uint64_t place = loopState.read++ % Loop::kCopies;
  if (auto error = ask(driver->eventSynchronize, loopState.isThere[place]))
    return *error;
  const abi::Choice &choice = *loopState.copies[place];
  const uint64_t came = choice.count - loopState.taken;
  if (came == 0 || came > abi::kChosenIds)
    return damagedProgram();
  for (uint64_t i = 0; i < came; ++i) {
    const abi::ChosenId &chosen =
        choice.ids[(loopState.taken + i) % abi::kChosenIds];
    if (chosen.id < 0 || uint64_t(chosen.id) >= image.header->vocabulary)
      return damagedProgram();
    loopState.ids[i] = {chosen.id, chosen.logit};
  }
  loopState.taken = choice.count;
  return std::span<const Id>(loopState.ids, came);
}

Result<uint64_t> CudaExecutor::end(uint64_t tokens) {
  if (auto error = ask(driver->streamSynchronize, stream))
    return *error;
  // All ids but the last that was chosen have been appended.
  const abi::Choice &last =
      *loopState.copies[(loopState.sent - 1) % Loop::kCopies];
  const uint64_t filled = loopState.first + last.count - 1;
  plan.cache.reach(filled);
  return tokens < filled ? truncate(tokens) : tokens;
}

} // namespace corellama::runtime::cuda
