//===- Bench.h - how fast a program is, and how fast it could be ----------===//
//
// `corellama bench PROGRAM`: tests of llama-bench (a prompt of so many tokens,
// so many generated ones, behind so many others), beside the ceilings of the
// machine in the same minutes. Rounds are interleaved, so that a slow minute of
// a shared machine meets all tests and ceilings alike.
//
//===----------------------------------------------------------------------===//

#ifndef CORELLAMA_COMPILER_BENCH_BENCH_H
#define CORELLAMA_COMPILER_BENCH_BENCH_H

#include "compiler/Bench/Work.h"
#include "llvm/ADT/STLFunctionalExtras.h"
#include "llvm/Support/raw_ostream.h"

namespace corellama::bench {

enum class Format { Markdown, CSV, JSON, JSONLines };

struct Options {
  std::string program;
  /// Tokens of a prompt and generated tokens, each a test; 0: none.
  std::vector<uint64_t> prompts = {512}, generated = {128};
  /// Tokens in the cache before each test.
  std::vector<uint64_t> depths = {0};
  /// Empty: one for each CPU that this process may use.
  std::vector<uint64_t> threads;
  uint64_t rounds = 5;
  bool kernels = false;
  bool predict = false;
  Format format = Format::Markdown;
};

/// What a kernel took in one call of the model, all layers together.
struct KernelTimes {
  std::string name;
  uint64_t calls = 0;
  /// Microseconds, without barriers; what it takes of them for no part at all:
  /// what each worker does before its first, a norm and its rounding among it;
  /// what they would be at the ceilings of the same hundredths of a second, and
  /// at the bound of the kernel's instructions. One entry a round.
  std::vector<double> microseconds, empty, floor, bound;
  Cost cost;
};

struct Result {
  bool isPrompt;
  uint64_t tokens, depth, threads;
  /// One entry a round.
  std::vector<double> nanoseconds;
  /// The sum of its kernels' floors, by the round's ceilings.
  std::vector<double> floor;
  /// What the cost model says that it takes, by the round's ceilings.
  std::vector<double> prediction;
  std::vector<Rates> rates;
  /// With --kernels, of one call: of a prompt the first.
  std::vector<KernelTimes> kernels;
  uint64_t barriers = 0;
  std::vector<double> barrierMicroseconds;

  std::string name() const;
};

/// Measures; `progress` is told what is being done.
llvm::Expected<std::vector<Result>>
measure(const Options &options, const Work &work,
        llvm::ArrayRef<uint8_t> weights, mlir::MLIRContext &context,
        llvm::function_ref<void(const llvm::Twine &)> progress);

/// Writes tables or records.
void report(const Options &options, const Work &work,
            llvm::ArrayRef<Result> results, llvm::raw_ostream &out);

/// The whole command.
llvm::Error run(const Options &options, llvm::raw_ostream &out,
                llvm::function_ref<void(const llvm::Twine &)> progress);

} // namespace corellama::bench

#endif // CORELLAMA_COMPILER_BENCH_BENCH_H
