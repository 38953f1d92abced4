//===- Report.cpp - how long it took --------------------------------------===//
//
// See Report.h.
//
//===----------------------------------------------------------------------===//

#include "runtime/Main/Report.h"

#include <cstdio>
#include <ctime>

namespace corellama::runtime {

int64_t Stopwatch::now() {
  timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return int64_t(time.tv_sec) * 1'000'000'000 + time.tv_nsec;
}

static double rate(uint64_t tokens, double seconds) {
  return seconds > 0 ? double(tokens) / seconds : 0;
}

std::string closingLine(double loadSeconds, const Generation &generation) {
  // Two counts of 20 digits and three numbers of a clock fit with room to
  // spare.
  char line[256];
  snprintf(line, sizeof(line),
           "load %.1f ms | prompt %llu tokens %.1f tok/s | decode %llu tokens "
           "%.1f tok/s\n",
           loadSeconds * 1e3,
           static_cast<unsigned long long>(generation.promptTokens),
           rate(generation.promptTokens, generation.promptSeconds),
           static_cast<unsigned long long>(generation.decodeTokens),
           rate(generation.decodeTokens, generation.decodeSeconds));
  return line;
}

} // namespace corellama::runtime
