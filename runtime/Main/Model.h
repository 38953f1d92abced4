//===- Model.h - the compiled model, running ------------------------------===//
//
// Owns all that generated code reads and writes besides the weights (workers,
// workspace, cache, RoPE table, the rows of the call) and calls its steps: of
// its forms, and of those of its head, the first that has room. Who chooses
// tokens and where they go is not its business.
//
//===----------------------------------------------------------------------===//

#ifndef CORELLAMA_RUNTIME_MAIN_MODEL_H
#define CORELLAMA_RUNTIME_MAIN_MODEL_H

#include "runtime/ABI/Kernel.h"
#include "runtime/KVCache/KVCache.h"
#include "runtime/KVCache/RopeTable.h"
#include "runtime/Main/Options.h"
#include "runtime/Memory/Reservation.h"
#include "runtime/Threads/ThreadPool.h"
#include "runtime/Weights/MappedImage.h"

#include <algorithm>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>

namespace corellama::runtime {

class Model {
public:
  /// Program and image must outlive it. Checks -c and -b against them.
  static Result<std::unique_ptr<Model>> create(const abi::Program &program,
                                               const MappedImage &image,
                                               const Options &options);

  /// Whether the prompt can be given to this model.
  std::optional<Error> checkPrompt(std::span<const int32_t> ids) const;

  /// Appends 1 to batch() ids to the cache.
  void append(std::span<const int32_t> ids);
  /// The logits that follow 1 to wanted() rows of the last call, side by side;
  /// valid until the next call of any of these.
  std::span<const float> logits(std::span<const int32_t> rows);

  /// Calls `visit` with the logits that follow each of the first `count` rows
  /// of the last call, in order, until it returns false. Returns whether it did
  /// not.
  bool visitLogits(uint64_t count,
                   const std::function<bool(std::span<const float>)> &visit);

  /// Forgets all but the first `tokens` of the cache's tokens, if it has more.
  /// It forgets all of them if attention has a window and the cache no longer
  /// holds what a row behind these sees: filled() says what is left.
  void truncate(uint64_t tokens) {
    if (tokens < tokensInCache)
      tokensInCache = cache.truncate(tokens, forms.back().rows);
  }
  /// Runs a step of the caller's in all workers, with the context of the last
  /// call, and returns when all have left it.
  void runStep(abi::StepFunction step) {
    threads->run(step, call);
    threads->settle();
  }

  /// Tokens in the cache, and how many it may take.
  uint64_t filled() const { return tokensInCache; }
  uint64_t context() const { return maxTokens; }
  uint64_t batch() const { return maxRows; }
  uint64_t wanted() const { return heads.back().rows; }
  uint64_t layers() const { return image.header->layers; }
  uint64_t vocabulary() const { return image.header->vocabulary; }

private:
  Model(const abi::Program &program, const MappedImage &image)
      : program(program), forms(program.entries, program.entryCount),
        heads(program.lmHeads, program.lmHeadCount), image(image) {}

  const abi::Program &program;
  const std::span<const abi::Entry> forms, heads;
  const MappedImage image;
  uint64_t maxTokens = 0;
  uint64_t maxRows = 0;
  uint64_t tokensInCache = 0;
  KVCache cache;
  RopeTable rope;
  Reservation workspace;
  Reservation tokens;
  Reservation positions;
  Reservation wantedRows;
  std::unique_ptr<ThreadPool> threads;
  /// What generated code is called with.
  abi::Context call{};
};

} // namespace corellama::runtime

#endif // CORELLAMA_RUNTIME_MAIN_MODEL_H
