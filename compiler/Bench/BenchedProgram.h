//===- BenchedProgram.h - a program that measures itself ------------------===//
//
// Starts `PROGRAM --bench` (runtime/Main/Bench.h) and passes it requests: a
// line in, times out. A process of its own, because what is measured is the
// program that people run.
//
//===----------------------------------------------------------------------===//

#ifndef CORELLAMA_COMPILER_BENCH_BENCHEDPROGRAM_H
#define CORELLAMA_COMPILER_BENCH_BENCHEDPROGRAM_H

#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"
#include <cstdint>
#include <cstdio>
#include <string>
#include <sys/types.h>
#include <vector>

namespace corellama::bench {

class BenchedProgram {
public:
  /// `threads` and `context` are the program's -t and -c; 0: its default.
  static llvm::Expected<BenchedProgram>
  start(llvm::StringRef path, uint64_t threads, uint64_t context);
  BenchedProgram(BenchedProgram &&other);
  ~BenchedProgram();

  /// The nanoseconds with which the program answers a request.
  llvm::Expected<std::vector<int64_t>> ask(const llvm::Twine &request);

private:
  BenchedProgram(std::string path, pid_t process, FILE *requests, FILE *answers)
      : path(std::move(path)), process(process), requests(requests),
        answers(answers) {}

  std::string path;
  pid_t process;
  FILE *requests, *answers;
};

} // namespace corellama::bench

#endif // CORELLAMA_COMPILER_BENCH_BENCHEDPROGRAM_H
