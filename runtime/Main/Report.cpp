//===- Report.cpp - how long it took --------------------------------------===//
//
// See Report.h.
//
//===----------------------------------------------------------------------===//

#include "runtime/Main/Report.h"

#include <cstdio>

namespace corellama::runtime {

static double rate(uint64_t tokens, double seconds) {
  return seconds > 0 ? double(tokens) / seconds : 0;
}

std::string closingLine(std::optional<double> loadSeconds,
                        const Generation &generation) {
  // Seven counts of 20 digits and three times fit with bytes to spare.
  char line[416], drafts[128] = "", kept[32] = "", load[32] = "",
                  prompt[48] = "";
  if (loadSeconds)
    snprintf(load, sizeof(load), "load %.1f ms | ", *loadSeconds * 1e3);
  if (generation.keptTokens > 0)
    snprintf(kept, sizeof(kept), " (%llu kept)",
             static_cast<unsigned long long>(generation.keptTokens));
  if (generation.drafted > 0)
    snprintf(drafts, sizeof(drafts),
             " | drafts %llu of %llu right, %.2f tokens a call",
             static_cast<unsigned long long>(generation.accepted),
             static_cast<unsigned long long>(generation.drafted),
             rate(generation.decodeTokens, double(generation.decodeCalls)));
  // A prompt that was interrupted took no time that is known.
  if (generation.promptSeconds > 0)
    snprintf(prompt, sizeof(prompt), " %.1f tok/s",
             rate(generation.promptTokens, generation.promptSeconds));
  snprintf(line, sizeof(line),
           "%sprompt %llu tokens%s%s | decode %llu tokens "
           "%.1f tok/s%s | seed %llu\n",
           load, static_cast<unsigned long long>(generation.promptTokens), kept,
           prompt, static_cast<unsigned long long>(generation.decodeTokens),
           rate(generation.decodeTokens, generation.decodeSeconds), drafts,
           static_cast<unsigned long long>(generation.seed));
  return line;
}

} // namespace corellama::runtime
