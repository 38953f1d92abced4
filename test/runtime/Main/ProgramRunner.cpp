//===- ProgramRunner.cpp - run a program as a shell does ------------------===//
//
// See ProgramRunner.h.
//
//===----------------------------------------------------------------------===//

#include "test/runtime/Main/ProgramRunner.h"

#include <csignal>
#include <fcntl.h>
#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

namespace corellama::test {

Running start(const std::string &program,
              const std::vector<std::string> &arguments) {
  int in[2], out[2], err[2];
  if (pipe2(in, O_CLOEXEC) || pipe2(out, O_CLOEXEC) || pipe2(err, O_CLOEXEC))
    return {};
  std::vector<char *> pointers{const_cast<char *>(program.c_str())};
  for (const std::string &argument : arguments)
    pointers.push_back(const_cast<char *>(argument.c_str()));
  pointers.push_back(nullptr);
  pid_t process = fork();
  if (process == 0) {
    dup2(in[0], 0);
    dup2(out[1], 1);
    dup2(err[1], 2);
    // A shell's background job ignores SIGINT and hands that down.
    signal(SIGINT, SIG_DFL);
    execv(program.c_str(), pointers.data());
    _exit(126);
  }
  close(in[0]);
  close(out[1]);
  close(err[1]);
  return {process, in[1], out[0], err[0]};
}

Outcome finish(Running running) {
  close(running.in);
  Outcome outcome;
  std::string *texts[] = {&outcome.out, &outcome.err};
  pollfd files[] = {{running.out, POLLIN, 0}, {running.err, POLLIN, 0}};
  for (int open = 2; open > 0;) {
    poll(files, 2, -1);
    for (int i = 0; i < 2; ++i) {
      if (files[i].fd < 0 || files[i].revents == 0)
        continue;
      char buffer[4096];
      ssize_t count = read(files[i].fd, buffer, sizeof(buffer));
      if (count > 0) {
        texts[i]->append(buffer, size_t(count));
        continue;
      }
      files[i].fd = -1;
      --open;
    }
  }
  close(running.out);
  close(running.err);
  int status = 0;
  waitpid(running.process, &status, 0);
  outcome.code =
      WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  return outcome;
}

Outcome run(const std::string &program,
            const std::vector<std::string> &arguments,
            const std::string &input) {
  signal(SIGPIPE, SIG_IGN);
  Running running = start(program, arguments);
  // Inputs of these tests fit a pipe's buffer.
  [[maybe_unused]] ssize_t written =
      write(running.in, input.data(), input.size());
  return finish(running);
}

} // namespace corellama::test
