//===- corellama-sample.cpp - many draws from one row of logits -----------===//
//
// For test/e2e/test_sampling.py, which compares the filters and the frequencies
// with numpy's. The settings are a program's own flags; --prompt-ids are the
// tokens that came before.
//
//   corellama-sample ROW DRAWS [--temp T ...]
//
// ROW is a file of float32. Prints the ids that the first draw chose from, the
// likeliest first (empty where it is greedy), and in a second line those that
// were drawn.
//
//===----------------------------------------------------------------------===//

#include "runtime/Main/Files.h"
#include "runtime/Main/Options.h"
#include "runtime/Sampling/Sampler.h"

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <span>
#include <string>
#include <vector>

using namespace corellama::runtime;

static int fail(const std::string &message) {
  fprintf(stderr, "corellama-sample: %s\n", message.c_str());
  return 1;
}

int main(int argc, char **argv) {
  if (argc < 3)
    return fail("give ROW DRAWS and a program's flags");
  auto bytes = readFile(argv[1], "give a file of float32");
  if (!bytes)
    return fail(bytes.error());
  std::vector<float> row(bytes->size() / sizeof(float));
  std::memcpy(row.data(), bytes->data(), row.size() * sizeof(float));
  auto options = parseOptions({argv + 3, argv + argc}, Machine::cpu);
  if (!options)
    return fail(options.error());
  SamplerSettings settings = options->sampling;
  settings.seed = options->seed.value_or(1);

  Sampler sampler(settings);
  sampler.begin(options->promptIds.value_or(std::vector<int32_t>()));
  std::string kept, drawn;
  auto append = [](std::string &line, int32_t id) {
    line += (line.empty() ? "" : " ") + std::to_string(id);
  };
  for (long draw = 0, draws = atol(argv[2]); draw < draws; ++draw) {
    append(drawn, sampler.sample(row));
    if (draw == 0)
      for (const Sampler::Candidate &candidate : sampler.kept())
        append(kept, candidate.id);
  }
  printf("%s\n%s\n", kept.c_str(), drawn.c_str());
  return 0;
}
