//===- ProgramClient.cpp - a program that answers a tool's requests -------===//
//
// See ProgramClient.h.
//
//===----------------------------------------------------------------------===//

#include "compiler/ProgramClient/ProgramClient.h"
#include "llvm/ADT/SmallVector.h"
#include "llvm/ADT/StringExtras.h"
#include <cerrno>
#include <csignal>
#include <cstring>
#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

using namespace corellama;
using llvm::StringRef;

extern char **environ;

static llvm::Error failed(StringRef path, const llvm::Twine &what, int code) {
  return llvm::createStringError(path + ": " + what + ": " + strerror(code));
}

llvm::Expected<std::unique_ptr<ProgramClient>>
ProgramClient::start(StringRef path, StringRef mode, uint64_t threads,
                     uint64_t context) {
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
  std::vector<std::string> words = {file, mode.str()};
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
  return std::unique_ptr<ProgramClient>(
      new ProgramClient(path.str(), process, fdopen(toProgram[1], "w"),
                        fdopen(fromProgram[0], "r")));
}

ProgramClient::ProgramClient(std::string path, pid_t process, FILE *requests,
                             FILE *answers)
    : path(std::move(path)), process(process), requests(requests),
      answers(answers), before(std::signal(SIGPIPE, SIG_IGN)) {}

ProgramClient::~ProgramClient() {
  fclose(requests); // the end of its input ends the program
  fclose(answers);
  waitpid(process, nullptr, 0);
  std::signal(SIGPIPE, before);
}

void ProgramClient::request(const llvm::Twine &line, StringRef bytes) {
  // Errors of these writes show as a missing answer, which is an error, too.
  std::string text = line.str() + "\n";
  fwrite(text.data(), 1, text.size(), requests);
  fwrite(bytes.data(), 1, bytes.size(), requests);
  fflush(requests);
}

llvm::Error ProgramClient::ended() const {
  return llvm::createStringError(
      path + ": ended before its answer; its own message says why");
}

llvm::Expected<std::vector<int64_t>> ProgramClient::numbers() {
  std::string answer;
  for (int character; (character = fgetc(answers)) != '\n';) {
    if (character == EOF)
      return ended();
    answer += static_cast<char>(character);
  }
  std::vector<int64_t> values;
  for (StringRef word : llvm::split(answer, ' ')) {
    int64_t value;
    if (word.getAsInteger(10, value) || value < 0)
      return llvm::createStringError(
          path + ": answered '" + answer.substr(0, 60) +
          "' instead of numbers; is it a program of this compiler's version?");
    values.push_back(value);
  }
  return values;
}

llvm::Error ProgramClient::floats(llvm::MutableArrayRef<float> values) {
  return fread(values.data(), sizeof(float), values.size(), answers) ==
                 values.size()
             ? llvm::Error::success()
             : ended();
}
