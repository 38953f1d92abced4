//===- Output.cpp - generated ids to standard output ----------------------===//
//
// See Output.h. Unbuffered: a token a system call is nothing beside a token's
// computation, and what was written survives any end of the program.
//
//===----------------------------------------------------------------------===//

#include "runtime/Main/Output.h"

#include "runtime/Main/Signals.h"

#include <cerrno>
#include <cstring>
#include <unistd.h>

namespace corellama::runtime {

bool Output::write(std::string_view bytes) {
  while (!bytes.empty()) {
    ssize_t count = ::write(STDOUT_FILENO, bytes.data(), bytes.size());
    if (count >= 0) {
      bytes.remove_prefix(size_t(count));
      continue;
    }
    if (errno == EINTR) {
      if (!pendingSignal())
        continue;
      // Nobody reads what is in the pipe: the end of the line would wait as
      // well. The loop of the generation sees the signal.
      closed = true;
      return true;
    }
    closed = true;
    if (errno != EPIPE)
      failure = std::string("standard output cannot be written: ") +
                strerror(errno) + "; the answer is not complete";
    return false;
  }
  return true;
}

bool Output::put(int32_t id) {
  buffer.clear();
  if (asIds) {
    if (!first)
      buffer += ',';
    buffer += std::to_string(id);
    first = false;
    return write(buffer);
  }
  text.decode(id, buffer);
  return write(characters.push(buffer));
}

void Output::finish(Generation &generation) {
  if (closed)
    return;
  // Text ends as the model ended it, but a prompt of the shell should not
  // follow it on its line.
  if ((asIds || isatty(STDOUT_FILENO)) && !write("\n") && !failure.empty()) {
    generation.end = End::failed;
    generation.error = failure;
  }
}

} // namespace corellama::runtime
