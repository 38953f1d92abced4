//===- Draws.h - inputs without a fuzzer ------------------------*- C++ -*-===//
//
// Damage that is drawn from a seed, and the main function of the replays: files
// on the command line, such as those that a fuzzer found, are judged before the
// tests run. A file of its own because several replays draw in the same way.
//
//===----------------------------------------------------------------------===//

#ifndef CORELLAMA_TEST_FUZZ_DRAWS_H
#define CORELLAMA_TEST_FUZZ_DRAWS_H

#include "gtest/gtest.h"
#include <cstdio>
#include <fstream>
#include <iterator>
#include <random>
#include <string>
#include <string_view>

namespace corellama::test {

using Random = std::mt19937; // the same numbers everywhere

/// Up to three small changes; never empty.
inline std::string damaged(std::string input, Random &random) {
  auto below = [&](size_t n) { return random() % n; };
  for (size_t i = below(4); i > 0 && !input.empty(); --i)
    switch (below(4)) {
    case 0: // a flipped bit
      input[below(input.size())] ^= static_cast<char>(1 << below(8));
      break;
    case 1: // a piece goes
      input.erase(below(input.size()), below(9));
      break;
    case 2: { // a piece comes twice
      const std::string part = input.substr(below(input.size()), below(40));
      input.insert(below(input.size()), part);
      break;
    }
    default: // a number grows
      input.insert(below(input.size()), "9999999999");
    }
  return input.empty() ? " " : input;
}

/// `faultOf` is what a fuzz target judges an input by.
inline int replay(int argc, char **argv,
                  std::string (*faultOf)(std::string_view input)) {
  testing::InitGoogleTest(&argc, argv);
  for (int i = 1; i < argc; ++i) {
    std::ifstream file(argv[i], std::ios::binary);
    const std::string bytes{std::istreambuf_iterator<char>(file), {}};
    const std::string fault = faultOf(bytes);
    if (!file || !fault.empty()) {
      std::fprintf(stderr, "%s: %s\n", argv[i],
                   file ? fault.c_str() : "cannot be read");
      return 1;
    }
  }
  return RUN_ALL_TESTS();
}

} // namespace corellama::test

#endif // CORELLAMA_TEST_FUZZ_DRAWS_H
