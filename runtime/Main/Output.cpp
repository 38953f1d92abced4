//===- Output.cpp - generated ids to standard output ----------------------===//
//
// See Output.h. Unbuffered: a system call for each token is cheap compared with
// computing the token, and the output is complete however the program ends.
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
      // A signal arrived while the pipe was full: writing the end of the line
      // would block as well. The generation loop sees the signal.
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
  // The text is not changed, but on a terminal the shell's prompt should start
  // on a new line.
  if ((asIds || isatty(STDOUT_FILENO)) && !write("\n") && !failure.empty()) {
    generation.end = End::failed;
    generation.error = failure;
  }
}

} // namespace corellama::runtime
