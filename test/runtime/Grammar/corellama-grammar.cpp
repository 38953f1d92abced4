//===- corellama-grammar.cpp - the runtime's grammars on their own --------===//
//
// A developer's tool: runs the grammars of compiled programs on a GGUF file's
// vocabulary. test/e2e/test_grammar.py compares the masks with a matcher of its
// own; nothing is installed.
//
//   corellama-grammar MODEL.gguf --grammar|--json-schema FILE --masks
//       a text in hexadecimal digits a line on stdin, the beginning of an
//       answer; for each a line `END COUNT HASH`: 1 where the answer may end
//       there, how many tokens may follow (without those that end it), and the
//       sum of a hash of each; or `dead`
//   ... --ids    the same, with the ids in place of their number and hash
//   ... --answers  a seed a line of stdin; for each a drawn answer in
//       hexadecimal digits
//   ... --times  a whole answer a line of stdin, as it is; one line of
//       microseconds on a CPU: until the first mask, and the median, the 99th
//       percentile and the largest of all later ones
//
//===----------------------------------------------------------------------===//

#include "runtime/Grammar/Constraint.h"
#include "runtime/Grammar/Gbnf.h"
#include "runtime/Grammar/JsonSchema.h"
#include "runtime/Sampling/Random.h"
#include "test/runtime/Tokenizer/ModelFile.h"

#include <algorithm>
#include <bit>
#include <charconv>
#include <cstdio>
#include <ctime>
#include <iostream>
#include <string>
#include <string_view>
#include <vector>

using namespace corellama::runtime;

static int fail(const std::string &message) {
  std::fprintf(stderr, "corellama-grammar: %s\n", message.c_str());
  return 1;
}

/// Of this thread's time on a CPU, which other programs hardly change.
static double microseconds() {
  timespec now = {};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return double(now.tv_sec) * 1e6 + double(now.tv_nsec) / 1e3;
}

/// 64 bits of an id (splitmix64's last steps); test_grammar.py has the same.
static uint64_t hashOf(uint64_t id) {
  id = (id + 1) * 0x9E3779B97F4A7C15;
  id = (id ^ id >> 30) * 0xBF58476D1CE4E5B9;
  return id ^ id >> 27;
}

static bool isIn(std::span<const int32_t> ids, int32_t id) {
  return std::binary_search(ids.begin(), ids.end(), id);
}

static std::vector<int32_t> idsOf(std::span<const uint64_t> mask) {
  std::vector<int32_t> ids;
  for (size_t word = 0; word < mask.size(); ++word)
    for (uint64_t bits = mask[word]; bits; bits &= bits - 1)
      ids.push_back(int32_t(word * 64) + std::countr_zero(bits));
  return ids;
}

static int printMasks(Constraint &constraint, std::span<const int32_t> ends,
                      bool asIds) {
  std::string line;
  while (std::getline(std::cin, line)) {
    std::string text;
    for (size_t i = 0; i + 1 < line.size(); i += 2) {
      uint8_t byte = 0;
      std::from_chars(line.data() + i, line.data() + i + 2, byte, 16);
      text += char(byte);
    }
    constraint.restart();
    if (!constraint.accept(text)) {
      std::puts("dead");
      continue;
    }
    std::vector<int32_t> ids;
    if (constraint.mayGoOn())
      ids = idsOf(constraint.allowed());
    if (!constraint.failure().empty())
      return fail(constraint.failure());
    std::erase_if(ids, [&](int32_t id) { return isIn(ends, id); });
    uint64_t sum = 0;
    for (int32_t id : ids)
      sum += hashOf(uint64_t(id));
    std::printf("%d", constraint.mayEnd());
    if (asIds)
      for (int32_t id : ids)
        std::printf(" %d", id);
    else
      std::printf(" %zu %llu", ids.size(),
                  static_cast<unsigned long long>(sum));
    std::printf("\n");
  }
  return 0;
}

/// Draws tokens, each fourth time of those that begin with what JSON ends
/// things by, if there are any, so that strings and lists come to an end.
static int printAnswers(Constraint &constraint, const Tokenizer &tokenizer,
                        std::span<const int32_t> ends) {
  std::string line;
  while (std::getline(std::cin, line)) {
    uint64_t seed = 0;
    std::from_chars(line.data(), line.data() + line.size(), seed);
    Random random(seed);
    auto below = [&](size_t count) {
      return size_t(random.uniform() * double(count));
    };
    std::string answer;
    constraint.restart();
    while (constraint.mayGoOn()) {
      std::vector<int32_t> ids = idsOf(constraint.allowed()), closing;
      std::string bytes;
      for (int32_t id : ids) {
        bytes.clear();
        tokenizer.decode(id, bytes);
        if (isIn(ends, id) ||
            std::string_view("\",]}").find(bytes[0]) != std::string_view::npos)
          closing.push_back(id);
      }
      const std::vector<int32_t> &some =
          !closing.empty() && below(4) == 0 ? closing : ids;
      const int32_t id = some[below(some.size())];
      if (isIn(ends, id))
        break;
      constraint.accept(id);
      tokenizer.decode(id, answer);
    }
    if (!constraint.failure().empty())
      return fail(constraint.failure());
    for (char byte : answer)
      std::printf("%02x", uint8_t(byte));
    std::printf("\n");
  }
  return 0;
}

static int printTimes(const grammar::Grammar &grammar, Tokenizer &tokenizer,
                      std::span<const int32_t> ends) {
  const double start = microseconds();
  auto constraint = Constraint::create(grammar, tokenizer, ends, false);
  if (!constraint)
    return fail(constraint.error());
  std::vector<double> times;
  std::string line;
  while (std::getline(std::cin, line)) {
    std::vector<int32_t> ids;
    if (auto lost = tokenizer.encode(line, ids); !lost)
      return fail(lost.error());
    (*constraint)->restart();
    for (int32_t id : ids) {
      const double before = times.empty() ? start : microseconds();
      if (!(*constraint)->mayGoOn())
        return fail((*constraint)->failure());
      times.push_back(microseconds() - before);
      const uint64_t word = (*constraint)->allowed()[size_t(id) / 64];
      if (!(word >> (id % 64) & 1))
        return fail("the answer has a token that is not allowed: " +
                    quoted(tokenizer.textOf(id)) + " in " + quoted(line));
      (*constraint)->accept(id);
    }
  }
  if (times.size() < 2)
    return fail("no answers on standard input");
  std::sort(times.begin() + 1, times.end());
  const size_t count = times.size() - 1;
  std::printf("first %.0f us, then %zu masks: median %.1f us, 99%% %.0f us, "
              "most %.0f us\n",
              times[0], count, times[1 + count / 2],
              times[1 + count * 99 / 100], times[count]);
  return 0;
}

int main(int argc, char **argv) {
  const std::string_view kind = argc == 5 ? argv[2] : "";
  const std::string_view mode = argc == 5 ? argv[4] : "";
  if ((kind != "--grammar" && kind != "--json-schema") ||
      (mode != "--masks" && mode != "--ids" && mode != "--answers" &&
       mode != "--times"))
    return fail("usage: corellama-grammar MODEL.gguf --grammar|--json-schema "
                "FILE --masks|--ids|--answers|--times");
  ModelFile file;
  auto tokenizer = file.readTokenizer(argv[1]);
  if (!tokenizer)
    return fail(tokenizer.error());
  auto source = llvm::MemoryBuffer::getFile(argv[3]);
  if (!source)
    return fail(std::string(argv[3]) + ": " + source.getError().message());
  const std::string_view text = (*source)->getBuffer();
  auto grammar = kind == "--grammar" ? grammar::parseGbnf(text)
                                     : grammar::parseJsonSchema(text);
  if (!grammar)
    return fail(std::string(argv[3]) + ": " + grammar.error());
  if (mode == "--times")
    return printTimes(*grammar, *tokenizer, file.ends);
  auto constraint = Constraint::create(*grammar, *tokenizer, file.ends, false);
  if (!constraint)
    return fail(std::string(argv[3]) + ": " + constraint.error());
  if (mode == "--answers")
    return printAnswers(**constraint, *tokenizer, file.ends);
  return printMasks(**constraint, file.ends, mode == "--ids");
}
