//===- Model.h - the compiled model, running ------------------------------===//
//
// An executor and how many tokens it holds: the limits of -c and -b, what a
// prompt may be, calls of as many rows as there is code for. Who chooses tokens
// and where they go is not its business, nor what computes.
//
//===----------------------------------------------------------------------===//

#ifndef CORELLAMA_RUNTIME_MAIN_MODEL_H
#define CORELLAMA_RUNTIME_MAIN_MODEL_H

#include "runtime/Executor/Backend.h"
#include "runtime/Main/Options.h"
#include "runtime/Weights/MappedImage.h"

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>

namespace corellama::runtime {

class Model {
public:
  /// Starts what the backend has chosen, which must outlive the model, as must
  /// the image. Checks -c and -b against them.
  static Result<std::unique_ptr<Model>>
  create(Backend &backend, const MappedImage &image, const Options &options);

  /// Whether the prompt can be given to this model.
  std::optional<Error> checkPrompt(std::span<const int32_t> ids) const;

  /// Appends 1 to batch() ids to the cache.
  std::optional<Error> append(std::span<const int32_t> ids);
  /// The logits that follow 1 to wanted() rows of the last call, side by side;
  /// valid until the next call of any of these.
  Result<std::span<const float>> logits(std::span<const int32_t> rows) {
    return executor->logits(rows);
  }

  /// Calls `visit` with the logits that follow each of the first `count` rows
  /// of the last call, in order, until it returns false.
  std::optional<Error>
  visitLogits(uint64_t count,
              const std::function<bool(std::span<const float>)> &visit);

  /// Forgets all but the first `tokens` of the cache's tokens, if it has more.
  /// It forgets all of them if attention has a window and the cache no longer
  /// holds what a row behind these sees: filled() says what is left.
  void truncate(uint64_t tokens) {
    if (tokens < tokensInCache)
      tokensInCache = executor->truncate(tokens);
  }
  /// Whether ids can be chosen where they are computed, and the loop that does:
  /// see TokenLoop. At its end the cache holds `tokens` tokens, or what is left
  /// of them.
  bool canLoop(const SamplerSettings &settings) const;
  std::optional<Error> beginLoop(const Sampler &sampler, int32_t row,
                                 uint64_t most, std::span<const int32_t> ends);
  Result<TokenLoop::Id> nextId();
  std::optional<Error> endLoop(uint64_t tokens);

  /// See Executor::trace; kernels are below kernels(), layers below layers().
  Result<std::vector<int64_t>> trace(std::span<const Dispatch> dispatches) {
    return executor->trace(dispatches);
  }

  /// See Executor::close.
  std::optional<Error> close() { return executor->close(); }

  /// Tokens in the cache, and how many it may take.
  uint64_t filled() const { return tokensInCache; }
  uint64_t context() const { return maxTokens; }
  uint64_t batch() const { return maxRows; }
  uint64_t wanted() const { return code.wanted; }
  uint64_t kernels() const { return code.kernels; }
  uint64_t variant() const { return code.variant; }
  uint64_t layers() const { return header.layers; }
  uint64_t vocabulary() const { return header.vocabulary; }

private:
  Model(const CodeFacts &code, const abi::ImageHeader &header)
      : code(code), header(header) {}

  CodeFacts code;
  const abi::ImageHeader &header;
  uint64_t maxTokens = 0;
  uint64_t maxRows = 0;
  uint64_t tokensInCache = 0;
  /// Ids of the loop that are not given yet.
  std::span<const TokenLoop::Id> ready;
  std::unique_ptr<Executor> executor;
};

} // namespace corellama::runtime

#endif // CORELLAMA_RUNTIME_MAIN_MODEL_H
