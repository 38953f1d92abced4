//===- Ceilings.cpp - what memory and units do at best --------------------===//
//
// See Ceilings.h.
//
//===----------------------------------------------------------------------===//

#include "compiler/Bench/Ceilings.h"
#include "compiler/Pipelines/Pipelines.h"
#include "compiler/Target/Target.h"
#include "passes/CPU/CeilingLoops.h"
#include <algorithm>
#include <atomic>
#include <barrier>
#include <chrono>
#include <sched.h>
#include <thread>

using namespace corellama;
using namespace corellama::bench;
using llvm::Expected;

/// How long each loop runs at least: the clock and the start of threads cost
/// some microseconds, and a shared machine changes its speed within seconds.
static constexpr double kSeconds = 0.04;
/// The same of a sample between kernels, whose results are many.
static constexpr double kSampleSeconds = 0.004;
/// Pieces that parts are dealt in, for each thread: of 100 MB, 3 MB each.
static constexpr uint64_t kPieces = 16;
/// Bytes that are read where a program has less: more than a cache holds.
static constexpr uint64_t kStandInBytes = 256 << 20;

Expected<std::unique_ptr<Ceilings>>
Ceilings::create(mlir::MLIRContext &context,
                 llvm::ArrayRef<mlir::Attribute> units,
                 llvm::ArrayRef<uint8_t> weights) {
  Expected<llama::TargetInterface> native = resolveTarget(context, "native");
  if (!native)
    return native.takeError();
  auto target = llvm::dyn_cast<cpu::TargetAttr>(*native);
  if (!target || target.getVectorBits() < 256)
    return llvm::createStringError(
        "this machine has no vectors of 256 bits (AVX2); programs need them");
  cpu::CeilingLoops made = cpu::buildCeilingLoops(target, units);
  mlir::PassManager manager(&context);
  buildLLVMPipeline(manager, PipelineOptions());
  if (failed(manager.run(*made.module)))
    return llvm::createStringError("the loops of ceilings do not compile");
  Expected<RunnerModule> loaded = RunnerModule::load(*made.module);
  if (!loaded)
    return loaded.takeError();

  std::unique_ptr<Ceilings> ceilings(new Ceilings(std::move(*loaded)));
  for (const std::string &name : made.reads)
    ceilings->reads.push_back(
        {ceilings->loops.lookup(name), double(cpu::kReadPart)});
  for (const auto &peak : made.peaks)
    ceilings->peaks.push_back(
        {ceilings->loops.lookup(peak.kernel), double(peak.operations)});
  if (weights.size() < kStandInBytes / 16) {
    ceilings->standIn = AlignedBytes(kStandInBytes);
    weights = {ceilings->standIn.data(), kStandInBytes};
  }
  ceilings->call.weights = weights.data();
  ceilings->parts = weights.size() / cpu::kReadPart;
  return ceilings;
}

/// Pins the calling thread to the `index`-th CPU that it may use, as the
/// workers of a program are where there is one for each CPU.
static void bindTo(unsigned index, const cpu_set_t &allowed) {
  cpu_set_t one;
  CPU_ZERO(&one);
  for (size_t cpu = 0; cpu < CPU_SETSIZE; ++cpu)
    if (CPU_ISSET(cpu, &allowed) && index-- == 0) {
      CPU_SET(cpu, &one);
      sched_setaffinity(0, sizeof(one), &one);
      return;
    }
}

double Ceilings::secondsOf(const abi::Kernel &kernel, uint64_t first,
                           uint64_t count, unsigned threads) const {
  using Clock = std::chrono::steady_clock;
  cpu_set_t allowed;
  bool pin = sched_getaffinity(0, sizeof(allowed), &allowed) == 0 &&
             CPU_COUNT(&allowed) == int(threads);
  // Workers time themselves: where they take all CPUs, this thread would see
  // them begin only when one has ended.
  std::barrier start(threads);
  // As a program's workers do: one that is slower computes fewer parts.
  std::atomic<uint64_t> next = first;
  const uint64_t after = first + count;
  const uint64_t piece = count / (uint64_t(threads) * kPieces) + 1;
  std::vector<Clock::time_point> begins(threads), ends(threads);
  std::vector<std::thread> workers;
  for (unsigned worker = 0; worker < threads; ++worker)
    workers.emplace_back([&, worker] {
      if (pin)
        bindTo(worker, allowed);
      AlignedBytes scratch(kernel.scratchBytes);
      start.arrive_and_wait();
      begins[worker] = Clock::now();
      for (uint64_t begin; (begin = next.fetch_add(piece)) < after;)
        kernel.function(&call, scratch.data(), /*layer=*/0, uint32_t(begin),
                        uint32_t(std::min(begin + piece, after)), /*first=*/1);
      ends[worker] = Clock::now();
    });
  for (std::thread &worker : workers)
    worker.join();
  return std::chrono::duration<double>(*llvm::max_element(ends) -
                                       *llvm::min_element(begins))
      .count();
}

Rates Ceilings::measure(unsigned threads) const {
  Rates rates;
  for (auto [i, loop] : llvm::enumerate(reads)) {
    double seconds = 0, done = 0;
    while (seconds < kSeconds) {
      seconds += secondsOf(*loop.kernel, 0, parts, threads);
      done += double(parts) * loop.unitsOfWork;
    }
    if (done / seconds > rates.bytes) {
      rates.bytes = done / seconds;
      rates.reader = i;
    }
  }
  for (const Loop &loop : peaks) {
    uint64_t count = threads;
    double seconds = 0;
    while ((seconds = secondsOf(*loop.kernel, 0, count, threads)) < kSeconds &&
           count < UINT32_MAX / 4)
      count *= 4;
    rates.operations.push_back(double(count) * loop.unitsOfWork / seconds);
  }
  return rates;
}

Rates Ceilings::sample(unsigned threads, const Rates &measured) {
  auto rateOf = [&](const Loop &loop, uint64_t first, uint64_t count) {
    return double(count) * loop.unitsOfWork /
           secondsOf(*loop.kernel, first, count, threads);
  };
  auto countOf = [&](const Loop &loop, double rate) {
    return uint64_t(rate * kSampleSeconds / loop.unitsOfWork);
  };
  Rates rates;
  rates.reader = measured.reader;
  const Loop &reader = reads[measured.reader];
  const uint64_t count =
      std::clamp<uint64_t>(countOf(reader, measured.bytes), 1, parts);
  if (nextPart + count > parts)
    nextPart = 0;
  rates.bytes = rateOf(reader, nextPart, count);
  nextPart += count;
  for (auto [loop, rate] : llvm::zip_equal(peaks, measured.operations))
    rates.operations.push_back(
        rateOf(loop, 0, std::max<uint64_t>(countOf(loop, rate), threads)));
  return rates;
}
