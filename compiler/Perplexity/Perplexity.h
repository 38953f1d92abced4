//===- Perplexity.h - how well a program predicts a text ------------------===//
//
// `corellama perplexity PROGRAM -f TEXT`: the perplexity of a text, as
// llama.cpp's tool of that name computes it, so that figures can be compared:
// the text's ids are cut into windows, each begins with an empty cache (and
// with BOS, if the model's texts do), and the second half of a window is
// predicted. With --reference, a second program of the same vocabulary says
// what the logits should be, such as one with --activations=f32: the mean
// Kullback-Leibler divergence from it, and how often both prefer the same id.
//
//===----------------------------------------------------------------------===//

#ifndef CORELLAMA_COMPILER_PERPLEXITY_PERPLEXITY_H
#define CORELLAMA_COMPILER_PERPLEXITY_PERPLEXITY_H

#include "llvm/ADT/STLFunctionalExtras.h"
#include "llvm/ADT/Twine.h"
#include "llvm/Support/Error.h"
#include "llvm/Support/raw_ostream.h"
#include <cstdint>
#include <string>

namespace corellama::perplexity {

struct Options {
  std::string program;
  /// "-" is standard input.
  std::string text;
  /// Empty: none.
  std::string reference;
  /// Tokens of a window.
  uint64_t context = 512;
  /// The programs' -t; 0: their default.
  uint64_t threads = 0;
  bool json = false;
};

/// The whole command; `progress` is told what is being done.
llvm::Error run(const Options &options, llvm::raw_ostream &out,
                llvm::function_ref<void(const llvm::Twine &)> progress);

} // namespace corellama::perplexity

#endif // CORELLAMA_COMPILER_PERPLEXITY_PERPLEXITY_H
