//===- Bench.cpp - how fast a program is, and how fast it could be --------===//
//
// See Bench.h.
//
//===----------------------------------------------------------------------===//

#include "compiler/Bench/Bench.h"
#include "compiler/Bench/Ceilings.h"
#include "compiler/Image/ProgramImage.h"
#include "compiler/ProgramClient/ProgramClient.h"
#include "compiler/Registration/Registration.h"
#include "llvm/ADT/MapVector.h"
#include "llvm/Support/Threading.h"
#include <algorithm>

using namespace corellama;
using namespace corellama::bench;
using llvm::Error;
using llvm::Expected;
using llvm::Twine;

/// Barriers that are measured together: one is below the clock's resolution.
static constexpr uint64_t kBarriers = 2000;
/// Dispatches that take about so long together have ceilings of their own.
static constexpr double kGroupSeconds = 0.02;
/// Microseconds that the clock tells apart: what a kernel takes at least, even
/// if a barrier of that round took longer than usual.
static constexpr double kResolution = 1e-3;

std::string Result::name() const {
  std::string name = (isPrompt ? "pp" : "tg") + std::to_string(tokens);
  return depth ? name + " @ d" + std::to_string(depth) : name;
}

/// What a group of dispatches between two samples could do.
static Rates mean(const Rates &before, const Rates &after) {
  Rates rates = before;
  rates.bytes = (before.bytes + after.bytes) / 2;
  for (auto [rate, later] : llvm::zip_equal(rates.operations, after.operations))
    rate = (rate + later) / 2;
  return rates;
}

namespace {
/// The measurements with one number of threads.
class Session {
public:
  Session(const Options &options, const Work &work, Ceilings &ceilings,
          ProgramClient &program, uint64_t threads)
      : options(options), work(work), ceilings(ceilings), program(program),
        threads(threads) {}

  Error round(llvm::MutableArrayRef<Result> results,
              llvm::function_ref<void(const Twine &)> progress) {
    progress("the machine's ceilings");
    Rates rates = ceilings.measure(unsigned(threads));
    for (Result &result : results) {
      progress(result.name());
      Expected<std::vector<int64_t>> times =
          program.ask(Twine(result.isPrompt ? "prompt " : "generate ") +
                      Twine(result.tokens) + " " + Twine(result.depth));
      if (!times)
        return times.takeError();
      result.nanoseconds.push_back(double(times->front()));
      result.rates.push_back(rates);
      auto estimate = [&](Estimate which) {
        return 1e9 * (result.isPrompt
                          ? work.promptTime(which, result.tokens, result.depth,
                                            work.mostRows(), rates)
                          : work.generateTime(which, result.tokens,
                                              result.depth, rates));
      };
      result.floor.push_back(estimate(Estimate::Floor));
      result.prediction.push_back(estimate(Estimate::Prediction));
      if (options.kernels)
        if (Error error = trace(result, rates))
          return error;
    }
    return Error::success();
  }

private:
  /// Adds this round's times of each kernel in the test's first call.
  Error trace(Result &result, const Rates &rates) {
    Expected<std::vector<int64_t>> times =
        program.ask("barriers " + Twine(kBarriers));
    if (!times)
      return times.takeError();
    double barrier = 0;
    for (int64_t time : *times)
      barrier += double(time) * 1e-3 / kBarriers;
    result.barrierMicroseconds.push_back(barrier);
    result.barriers = 0;

    llvm::MapVector<size_t, KernelTimes> kernels;
    auto run = [&](const Form &form, uint64_t rows, uint64_t wanted) -> Error {
      auto costOf = [&](const Dispatch &dispatch) {
        return work.costOf(dispatch, wanted ? wanted : rows, result.depth);
      };
      std::string request = ("trace " + Twine(rows) + " " +
                             Twine(result.depth) + " " + Twine(wanted))
                                .str();
      auto ask = [&](const Twine &request,
                     size_t count) -> Expected<std::vector<int64_t>> {
        Expected<std::vector<int64_t>> times = program.ask(request);
        if (times && times->size() != count)
          return llvm::createStringError(
              options.program + ": answered with too few or too many times");
        return times;
      };
      Rates before = ceilings.sample(unsigned(threads), rates);
      llvm::ArrayRef<Dispatch> left = form.dispatches;
      while (!left.empty()) {
        size_t count = 0;
        std::string list;
        for (double seconds = 0; count < left.size() && seconds < kGroupSeconds;
             ++count) {
          seconds += costOf(left[count]).floor(rates);
          list += " " + std::to_string(left[count].kernel) + ":" +
                  std::to_string(left[count].layer);
        }
        Expected<std::vector<int64_t>> times = ask(request + list, count);
        if (!times)
          return times.takeError();
        Rates after = ceilings.sample(unsigned(threads), rates);
        const Rates between = mean(before, after);
        Expected<std::vector<int64_t>> empty = ask("empty" + list, count);
        if (!empty)
          return empty.takeError();
        for (auto [dispatch, time, without] : llvm::zip(left, *times, *empty)) {
          KernelTimes &kernel = kernels[dispatch.kernel];
          if (kernel.calls++ == 0) {
            kernel.name = work.kernels[dispatch.kernel].name;
            kernel.microseconds = kernel.empty = {0};
            kernel.floor = kernel.bound = {0};
          }
          const Cost cost = costOf(dispatch);
          kernel.cost.bytes += cost.bytes;
          kernel.cost.operations += cost.operations;
          kernel.cost.unit = cost.unit;
          const double own =
              std::max(kResolution, double(time) * 1e-3 - barrier);
          kernel.microseconds[0] += own;
          kernel.empty[0] +=
              std::clamp(double(without) * 1e-3 - barrier, 0.0, own);
          kernel.floor[0] += cost.floor(between) * 1e6;
          kernel.bound[0] += cost.bound(between) * 1e6;
        }
        result.barriers += count;
        left = left.drop_front(count);
        before = std::move(after);
        request = "again";
      }
      return Error::success();
    };
    uint64_t rows =
        result.isPrompt ? std::min(result.tokens, work.mostRows()) : 1;
    if (Error error = run(*work.formFor(rows), rows, 0))
      return error;
    if (Error error = run(*work.headFor(1), rows, 1))
      return error;
    bool first = result.kernels.empty();
    for (auto [i, entry] : llvm::enumerate(kernels)) {
      if (first) {
        result.kernels.push_back(std::move(entry.second));
        continue;
      }
      result.kernels[i].microseconds.push_back(entry.second.microseconds[0]);
      result.kernels[i].empty.push_back(entry.second.empty[0]);
      result.kernels[i].floor.push_back(entry.second.floor[0]);
      result.kernels[i].bound.push_back(entry.second.bound[0]);
    }
    return Error::success();
  }

  const Options &options;
  const Work &work;
  Ceilings &ceilings;
  ProgramClient &program;
  uint64_t threads;
};
} // namespace

/// The tests of one number of threads, in the order of llama-bench.
static std::vector<Result> testsOf(const Options &options, uint64_t threads) {
  std::vector<Result> tests;
  for (uint64_t depth : options.depths)
    for (bool isPrompt : {true, false})
      for (uint64_t tokens : isPrompt ? options.prompts : options.generated)
        if (tokens) {
          Result &test = tests.emplace_back();
          test.isPrompt = isPrompt;
          test.tokens = tokens;
          test.depth = depth;
          test.threads = threads;
        }
  return tests;
}

Expected<std::vector<Result>>
bench::measure(const Options &options, const Work &work,
               llvm::ArrayRef<uint8_t> weights, mlir::MLIRContext &context,
               llvm::function_ref<void(const Twine &)> progress) {
  std::vector<uint64_t> threads = options.threads;
  if (threads.empty())
    threads = {llvm::hardware_concurrency().compute_thread_count()};
  std::vector<Result> all;
  uint64_t room = 0;
  for (const Result &test : testsOf(options, 0)) {
    room = std::max(room, test.tokens + test.depth);
    if (room > work.context)
      return llvm::createStringError(test.name() + ": needs a context of " +
                                     Twine(room) + ", " + options.program +
                                     " has room for " + Twine(work.context));
  }
  if (room == 0)
    return llvm::createStringError("no test; give -p or -n a number above 0");

  progress("compiling loops that only read or only multiply");
  Expected<std::unique_ptr<Ceilings>> ceilings =
      Ceilings::create(context, work.units, weights);
  if (!ceilings)
    return ceilings.takeError();
  for (uint64_t count : threads) {
    Expected<std::unique_ptr<ProgramClient>> program =
        ProgramClient::start(options.program, "--bench", count, room);
    if (!program)
      return program.takeError();
    std::vector<Result> results = testsOf(options, count);
    Session session(options, work, **ceilings, **program, count);
    // Warm-up: pages of the weights, of the cache and of the workspace.
    for (const char *request : {"prompt 1 0", "generate 1 0"})
      if (auto times = (*program)->ask(request); !times)
        return times.takeError();
    for (uint64_t round = 0; round < options.rounds; ++round)
      if (Error error = session.round(results, [&](const Twine &what) {
            progress("round " + Twine(round + 1) + " of " +
                     Twine(options.rounds) + ": " + what);
          }))
        return error;
    llvm::append_range(all, results);
  }
  return all;
}

Error bench::run(const Options &options, llvm::raw_ostream &out,
                 llvm::function_ref<void(const Twine &)> progress) {
  Expected<image::ImageView> view = image::openProgramImage(options.program);
  if (!view)
    return view.takeError();
  mlir::DialectRegistry registry;
  registerAllDialects(registry);
  mlir::MLIRContext context(registry, mlir::MLIRContext::Threading::DISABLED);
  context.loadAllAvailableDialects();
  Expected<llvm::json::Object> manifest = image::readManifest(*view);
  if (!manifest)
    return manifest.takeError();
  if (const llvm::json::Object *target = manifest->getObject("target"))
    if (target->getString("name").value_or("").starts_with("cuda:"))
      return llvm::createStringError(
          options.program +
          ": is a program for a GPU, and its times would be compared with a "
          "CPU's ceilings; give one that was compiled for a CPU");
  if (manifest->get("variants")) {
    auto client = ProgramClient::start(options.program, "--bench", 1, 0);
    if (!client)
      return client.takeError();
    auto place = (*client)->ask("variant");
    if (!place)
      return place.takeError();
    if (Error error = image::selectVariant(
            *manifest, place->empty() ? size_t(-1) : size_t(place->front())))
      return error;
  }
  Expected<Work> work = Work::create(*manifest, options.program, context);
  if (!work)
    return work.takeError();
  Expected<std::vector<Result>> results =
      measure(options, *work, view->weights, context, progress);
  if (!results)
    return results.takeError();
  report(options, *work, *results, out);
  return Error::success();
}
