//===- Native.cpp - compiled code for `corellama eval` --------------------===//
//
// See Native.h. Here is what is measured and how it is printed.
//
//===----------------------------------------------------------------------===//

#include "compiler/Native/Native.h"
#include "compiler/Native/CheckpointWeights.h"
#include "compiler/Native/NativeFunction.h"
#include "compiler/Native/StudyFunction.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/JSON.h"
#include <chrono>

using namespace corellama;
using namespace corellama::llama::reference;
using llvm::Error;
using llvm::Expected;

/// A sample is as many calls as take so long, so that reading the clock (tens
/// of nanoseconds) is no part of the figure.
static constexpr double kSampleNanoseconds = 200e3;

static double measure(llvm::function_ref<void()> call, uint64_t calls) {
  auto begin = std::chrono::steady_clock::now();
  for (uint64_t i = 0; i < calls; ++i)
    call();
  std::chrono::duration<double, std::nano> taken =
      std::chrono::steady_clock::now() - begin;
  return taken.count();
}

/// Nanoseconds a call, of each sample, behind one that warms up.
static std::vector<double> sample(llvm::function_ref<void()> call,
                                  long samples) {
  uint64_t calls = 1;
  while (measure(call, calls) < kSampleNanoseconds && calls < (1u << 30))
    calls *= 2;
  std::vector<double> nanoseconds;
  for (long i = 0; i < samples; ++i)
    nanoseconds.push_back(measure(call, calls) / static_cast<double>(calls));
  return nanoseconds;
}

/// Of an even number the upper one: a time that was measured.
static double median(std::vector<double> values) {
  auto middle = values.begin() + values.size() / 2;
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

static void printTimes(NativeFunction &function, const EvalOptions &options,
                       llvm::StringRef target, int64_t rows,
                       llvm::raw_ostream &out) {
  std::vector<double> whole = sample([&] { function.run(); }, options.repeat);
  llvm::json::OStream json(out);
  json.object([&] {
    json.attribute("entry", options.entry);
    json.attribute("target", target);
    json.attribute("rows", rows);
    json.attribute("ns", median(whole));
    json.attributeArray("samples", [&] {
      for (double nanoseconds : whole)
        json.value(nanoseconds);
    });
    json.attributeArray("kernels", [&] {
      for (size_t i = 0; i < function.kernelCount(); ++i)
        json.object([&] {
          json.attribute("name", function.kernelName(i));
          json.attribute("ns", median(sample([&] { function.runKernel(i); },
                                             options.repeat)));
        });
    });
  });
  out << "\n";
}

static Expected<std::vector<Datum>>
callNative(mlir::func::FuncOp function, WeightSource *weights,
           llvm::ArrayRef<Datum> arguments, const EvalOptions &options,
           llvm::raw_ostream &out, const PassAdder &behindTile) {
  auto inEntry = [&](Error error) {
    return llvm::createStringError("@" + options.entry + ": " +
                                   llvm::toString(std::move(error)));
  };
  if (!options.phases.empty())
    if (std::error_code code =
            llvm::sys::fs::create_directories(options.phases))
      return llvm::createStringError(options.phases + ": " + code.message());
  if (!options.lowering.empty()) {
    auto results = callStudyFunction(function, arguments, options);
    if (!results)
      return inEntry(results.takeError());
    return results;
  }
  auto module = buildNativeModule(function, arguments, options.target,
                                  options.phases, behindTile);
  if (!module)
    return inEntry(module.takeError());
  std::string target = module->target.getName().str();
  int64_t rows = module->rows;
  auto native = NativeFunction::load(std::move(*module), weights, arguments,
                                     /*fillCache=*/options.time);
  if (!native)
    return inEntry(native.takeError());
  if (options.time)
    printTimes(*native, options, target, rows, out);
  else
    native->run();
  auto results = native->results(arguments);
  if (!results)
    return inEntry(results.takeError());
  return results;
}

EvalServices corellama::makeEvalServices(const mlir::DialectRegistry &registry,
                                         const PassAdder &behindTile) {
  return {&registry, openCheckpointWeights,
          [behindTile](mlir::func::FuncOp function, WeightSource *weights,
                       llvm::ArrayRef<Datum> arguments,
                       const EvalOptions &options, llvm::raw_ostream &out) {
            return callNative(function, weights, arguments, options, out,
                              behindTile);
          }};
}
