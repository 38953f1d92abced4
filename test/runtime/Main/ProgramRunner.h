//===- ProgramRunner.h - run a program as a shell does --------------------===//
//
// Starts a program with arguments, feeds its standard input and collects what
// it writes, with its exit code. Apart from the tests because none of it is
// about what is tested.
//
//===----------------------------------------------------------------------===//

#ifndef CORELLAMA_TEST_RUNTIME_MAIN_PROGRAMRUNNER_H
#define CORELLAMA_TEST_RUNTIME_MAIN_PROGRAMRUNNER_H

#include <string>
#include <sys/types.h>
#include <vector>

namespace corellama::test {

struct Outcome {
  /// 128 + number for a signal, as in a shell.
  int code = -1;
  std::string out;
  std::string err;
};

/// A program that runs, its output in pipes.
struct Running {
  pid_t process = -1;
  int in = -1;
  int out = -1;
  int err = -1;
};

Running start(const std::string &program,
              const std::vector<std::string> &arguments);
/// Closes its input, reads what it still writes and waits for its end.
Outcome finish(Running running);

Outcome run(const std::string &program,
            const std::vector<std::string> &arguments,
            const std::string &input = "");

} // namespace corellama::test

#endif // CORELLAMA_TEST_RUNTIME_MAIN_PROGRAMRUNNER_H
