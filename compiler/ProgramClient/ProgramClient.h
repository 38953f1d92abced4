//===- ProgramClient.h - a program that answers a tool's requests ---------===//
//
// Starts `PROGRAM --bench` or `--score`, writes requests to it and reads its
// answers (runtime/Main/Requests.h). A process of its own, because what is
// measured is the program that people run. While a client lives, a write to a
// program that has ended is an error and no signal.
//
//===----------------------------------------------------------------------===//

#ifndef CORELLAMA_COMPILER_PROGRAMCLIENT_PROGRAMCLIENT_H
#define CORELLAMA_COMPILER_PROGRAMCLIENT_PROGRAMCLIENT_H

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"
#include <cstdint>
#include <cstdio>
#include <memory>
#include <string>
#include <sys/types.h>
#include <vector>

namespace corellama {

class ProgramClient {
public:
  /// `mode` is "--bench" or "--score"; `threads` and `context` are the
  /// program's -t and -c, 0: its default.
  static llvm::Expected<std::unique_ptr<ProgramClient>>
  start(llvm::StringRef path, llvm::StringRef mode, uint64_t threads,
        uint64_t context);
  ~ProgramClient();
  ProgramClient(const ProgramClient &) = delete;
  ProgramClient &operator=(const ProgramClient &) = delete;

  /// Writes a request: a line, and the bytes that belong to it.
  void request(const llvm::Twine &line, llvm::StringRef bytes = {});
  /// Reads an answer of one line: numbers.
  llvm::Expected<std::vector<int64_t>> numbers();
  /// Reads an answer of so many floats.
  llvm::Error floats(llvm::MutableArrayRef<float> values);

  /// A request whose answer is a line.
  llvm::Expected<std::vector<int64_t>> ask(const llvm::Twine &line) {
    request(line);
    return numbers();
  }

private:
  using Handler = void (*)(int);
  ProgramClient(std::string path, pid_t process, FILE *requests, FILE *answers);
  llvm::Error ended() const;

  std::string path;
  pid_t process;
  FILE *requests, *answers;
  /// What a write to a closed pipe did before.
  Handler before;
};

} // namespace corellama

#endif // CORELLAMA_COMPILER_PROGRAMCLIENT_PROGRAMCLIENT_H
