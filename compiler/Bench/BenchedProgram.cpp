//===- BenchedProgram.cpp - a program that measures itself ----------------===//
//
// See BenchedProgram.h.
//
//===----------------------------------------------------------------------===//

#include "compiler/Bench/BenchedProgram.h"
#include "llvm/ADT/SmallVector.h"
#include "llvm/ADT/StringExtras.h"
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>
#include <utility>

using namespace corellama::bench;
using llvm::StringRef;

extern char **environ;

static llvm::Error failed(StringRef path, const llvm::Twine &what, int code) {
  return llvm::createStringError(path + ": " + what + ": " + strerror(code));
}

llvm::Expected<BenchedProgram>
BenchedProgram::start(StringRef path, uint64_t threads, uint64_t context) {
  // Closed in other children, of a shell that starts one at the same time.
  int toProgram[2], fromProgram[2];
  if (pipe2(toProgram, O_CLOEXEC) != 0)
    return failed(path, "cannot be started", errno);
  if (pipe2(fromProgram, O_CLOEXEC) != 0) {
    int code = errno;
    close(toProgram[0]);
    close(toProgram[1]);
    return failed(path, "cannot be started", code);
  }
  // A name without a slash is a file here, not a command of the PATH.
  std::string file = path.contains('/') ? path.str() : ("./" + path).str();
  std::vector<std::string> words = {file, "--bench"};
  for (auto [flag, value] :
       {std::pair("-t", threads), std::pair("-c", context)})
    if (value) {
      words.push_back(flag);
      words.push_back(std::to_string(value));
    }
  std::vector<char *> argv;
  for (std::string &word : words)
    argv.push_back(word.data());
  argv.push_back(nullptr);

  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, toProgram[0], STDIN_FILENO);
  posix_spawn_file_actions_adddup2(&actions, fromProgram[1], STDOUT_FILENO);
  pid_t process;
  int code = posix_spawn(&process, file.c_str(), &actions, nullptr, argv.data(),
                         environ);
  posix_spawn_file_actions_destroy(&actions);
  close(toProgram[0]);
  close(fromProgram[1]);
  if (code != 0) {
    close(toProgram[1]);
    close(fromProgram[0]);
    return failed(path, "cannot be started", code);
  }
  return BenchedProgram(path.str(), process, fdopen(toProgram[1], "w"),
                        fdopen(fromProgram[0], "r"));
}

BenchedProgram::BenchedProgram(BenchedProgram &&other)
    : path(std::move(other.path)), process(std::exchange(other.process, -1)),
      requests(std::exchange(other.requests, nullptr)),
      answers(std::exchange(other.answers, nullptr)) {}

BenchedProgram::~BenchedProgram() {
  if (process < 0)
    return;
  fclose(requests); // the end of its input ends the program
  fclose(answers);
  waitpid(process, nullptr, 0);
}

llvm::Expected<std::vector<int64_t>>
BenchedProgram::ask(const llvm::Twine &request) {
  std::string line = request.str() + "\n";
  // A program that has ended gives an error of the write, which the missing
  // answer tells, too.
  fwrite(line.data(), 1, line.size(), requests);
  fflush(requests);
  std::string answer;
  for (int character; (character = fgetc(answers)) != '\n';) {
    if (character == EOF)
      return llvm::createStringError(
          path + ": ended during a measurement; its own message says why");
    answer += static_cast<char>(character);
  }
  std::vector<int64_t> times;
  for (StringRef word : llvm::split(answer, ' ')) {
    int64_t time;
    if (word.getAsInteger(10, time) || time < 0)
      return llvm::createStringError(
          path + ": answered '" + answer +
          "' instead of times; is it a program of this compiler's version?");
    times.push_back(time);
  }
  return times;
}
