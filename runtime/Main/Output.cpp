//===- Output.cpp - generated ids to standard output ----------------------===//
//
// See Output.h. Unbuffered: a system call for each token is cheap compared with
// computing the token, and the output is complete however the program ends.
//
//===----------------------------------------------------------------------===//

#include "runtime/Main/Output.h"

#include "runtime/Main/Logprobs.h"
#include "runtime/Main/Signals.h"

#include <algorithm>
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

/// What may be written now that `bytes` have come. Valid until the next call.
std::string_view Output::untilStop(std::string_view bytes) {
  if (stops.empty())
    return bytes;
  pending.erase(0, ready);
  pending += bytes;
  ready = pending.size();
  for (const std::string &stop : stops) {
    size_t place = pending.find(stop);
    stopped |= place != pending.npos;
    ready = std::min(ready, place);
  }
  if (stopped)
    return std::string_view(pending).substr(0, ready);
  // The longest end of the text that a stop text begins with.
  for (const std::string &stop : stops)
    for (size_t size = std::min(stop.size() - 1, pending.size()); size > 0;
         --size)
      if (pending.ends_with(std::string_view(stop).substr(0, size))) {
        ready = std::min(ready, pending.size() - size);
        break;
      }
  return std::string_view(pending).substr(0, ready);
}

bool Output::put(int32_t id, std::span<const float> logits) {
  buffer.clear();
  if (text.canDecode())
    text.decode(id, buffer);
  const std::string_view next = untilStop(characters.push(buffer));
  shown += next;
  if (logprobs)
    return write(logprobLine(id, logits, *logprobs, text));
  if (!asIds)
    return write(next);
  buffer.clear();
  if (!first)
    buffer += ',';
  buffer += std::to_string(id);
  first = false;
  return write(buffer);
}

void Output::finish(Generation &generation, bool inConversation) {
  if (closed)
    return;
  pending.erase(0, ready);
  if (!stopped)
    shown += pending;
  if (logprobs)
    return;
  if (!asIds && !stopped && !write(pending) && !failure.empty()) {
    generation.end = End::failed;
    generation.error = failure;
    return;
  }
  // The text is not changed, but on a terminal the shell's prompt should start
  // on a new line.
  if ((asIds || inConversation || isatty(STDOUT_FILENO)) && !write("\n") &&
      !failure.empty()) {
    generation.end = End::failed;
    generation.error = failure;
  }
}

} // namespace corellama::runtime
