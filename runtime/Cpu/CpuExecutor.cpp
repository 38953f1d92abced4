//===- CpuExecutor.cpp - a model on the CPUs of this machine --------------===//
//
// See CpuExecutor.h.
//
//===----------------------------------------------------------------------===//

#include "runtime/Cpu/CpuExecutor.h"

#include "runtime/Executor/GeneratedCode.h"
#include "runtime/Support/Stopwatch.h"
#include "runtime/Threads/Cpus.h"

#include <algorithm>
#include <utility>

namespace corellama::runtime {

Result<std::unique_ptr<Executor>>
CpuExecutor::create(const abi::Program &program, const MappedImage &image,
                    const ExecutorSettings &settings) {
  const abi::ImageHeader &header = *image.header;
  if (!isSound(program, header.vocabulary))
    return damagedProgram();
  std::unique_ptr<CpuExecutor> executor(new CpuExecutor(program, image));

  if (auto error = KVCache::reserve(header, image.rings, settings.context)
                       .moveTo(executor->cache))
    return *error;
  if (auto error = RopeTable::reserve(image.frequencies, header.ropeRow,
                                      executor->cache.capacity())
                       .moveTo(executor->rope))
    return *error;
  const CodeFacts facts = factsOf(program, 0);
  const struct {
    const char *what;
    uint64_t bytes;
    Reservation &memory;
  } others[] = {
      {"the workspace", program.workspaceBytes, executor->workspace},
      {"the rows' ids", facts.rows * sizeof(int32_t), executor->tokens},
      {"the rows' positions", facts.rows * sizeof(int32_t),
       executor->positions},
      {"the wanted rows", facts.wanted * sizeof(int32_t),
       executor->wantedRows}};
  for (const auto &[what, bytes, memory] : others)
    if (auto error = Reservation::create(what, 1, bytes).moveTo(memory))
      return *error;
  if (auto error = ThreadPool::create(settings.threads.value_or(allowedCpus()),
                                      program.scratchBytes)
                       .moveTo(executor->threads))
    return *error;

  executor->call = {
      .weights = image.weights,
      .offsets = image.offsets.data(),
      .workspace = executor->workspace.data(),
      .keys = executor->cache.keys(),
      .values = executor->cache.values(),
      .rope = executor->rope.data(),
      .tokens = reinterpret_cast<const int32_t *>(executor->tokens.data()),
      .positions =
          reinterpret_cast<const int32_t *>(executor->positions.data()),
      .rows = 0,
      .keyCount = 0,
      .capacity = executor->cache.capacity(),
      .wanted = reinterpret_cast<const int32_t *>(executor->wantedRows.data()),
      .threads = nullptr, // of the pool, which knows it
      .regions = executor->cache.regions().data(),
  };
  return std::unique_ptr<Executor>(std::move(executor));
}

std::optional<Error> CpuExecutor::append(std::span<const int32_t> ids,
                                         uint64_t first) {
  auto *rowTokens = reinterpret_cast<int32_t *>(tokens.data());
  auto *rowPositions = reinterpret_cast<int32_t *>(positions.data());
  for (size_t row = 0; row < ids.size(); ++row) {
    rowTokens[row] = ids[row];
    rowPositions[row] = int32_t(first + row);
  }
  call.rows = ids.size();
  call.keyCount = first + ids.size();
  cache.reach(call.keyCount);
  rope.reach(call.keyCount);
  threads->run(abi::findEntry(forms.data(), forms.size(), ids.size())->step,
               call);
  return std::nullopt;
}

Result<std::span<const float>>
CpuExecutor::logits(std::span<const int32_t> rows) {
  std::ranges::copy(rows, reinterpret_cast<int32_t *>(wantedRows.data()));
  call.rows = rows.size();
  threads->run(abi::findEntry(heads.data(), heads.size(), rows.size())->step,
               call);
  return std::span<const float>(
      reinterpret_cast<const float *>(workspace.data() + program.logitsOffset),
      rows.size() * vocabulary);
}

//===----------------------------------------------------------------------===//
// Times of kernels
//===----------------------------------------------------------------------===//

namespace {
/// What a traced step does: a step's function has no argument for it. All
/// workers read it, worker 0 writes the times. It changes when no worker is in
/// a step.
struct Trace {
  const abi::Kernel *kernels;
  std::span<const Dispatch> dispatches;
  std::vector<int64_t> times;
};
Trace traced;

/// Parts that are none, several for each worker.
constexpr uint64_t kNoWork = 64;
void doNothing(const abi::Context *, void *, uint32_t, uint32_t, uint32_t,
               uint32_t) {}

void traceStep(const abi::Context *context, void *scratch, uint32_t worker) {
  int64_t before = Stopwatch::now();
  for (size_t i = 0; i < traced.dispatches.size(); ++i) {
    const auto &[number, layer, isEmpty] = traced.dispatches[i];
    const abi::Kernel *kernel = number ? &traced.kernels[*number] : nullptr;
    // As passes/CPU/CPUStepToWorkers.cpp has it; a barrier alone is one of a
    // dispatch without work.
    if (kernel && isEmpty)
      kernel->function(context, scratch, layer, 0, 0, /*first=*/1);
    else
      corellama_dispatch(
          context->threads, worker, kernel ? kernel->function : doNothing,
          context, scratch, layer,
          kernel ? kernel->parts(context->rows, context->keyCount) : kNoWork);
    corellama_barrier(context->threads, worker);
    if (worker == 0) {
      const int64_t after = Stopwatch::now();
      traced.times[i] = after - before;
      before = after;
    }
  }
}
} // namespace

Result<std::vector<int64_t>>
CpuExecutor::trace(std::span<const Dispatch> dispatches) {
  traced = {program.kernels, dispatches,
            std::vector<int64_t>(dispatches.size())};
  threads->run(traceStep, call);
  threads->settle();
  return std::move(traced.times);
}

} // namespace corellama::runtime
