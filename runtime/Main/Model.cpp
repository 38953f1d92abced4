//===- Model.cpp - the compiled model, running ----------------------------===//
//
// See Model.h.
//
//===----------------------------------------------------------------------===//

#include "runtime/Main/Model.h"

#include "runtime/Main/Signals.h"

#include <algorithm>
#include <numeric>
#include <string>
#include <vector>

namespace corellama::runtime {

Result<std::unique_ptr<Model>> Model::create(Backend &backend,
                                             const MappedImage &image,
                                             const Options &options) {
  const abi::ImageHeader &header = *image.header;
  if (options.context.value_or(1) > header.context)
    return Error{"-c: is " + std::to_string(*options.context) +
                 ", this model was made for at most " +
                 std::to_string(header.context) + " tokens; give a smaller -c"};
  const CodeFacts code = backend.facts();
  if (options.batch.value_or(1) > code.rows)
    return Error{"-b: is " + std::to_string(*options.batch) +
                 ", this program was compiled for at most " +
                 std::to_string(code.rows) +
                 "; give a smaller -b or compile it with --chunk=" +
                 std::to_string(*options.batch)};

  std::unique_ptr<Model> model(new Model(code, header));
  model->maxTokens = options.context.value_or(header.context);
  model->maxRows = options.batch.value_or(code.rows);
  if (auto error =
          backend
              .start(image, {.context = model->maxTokens,
                             .threads = options.threads,
                             .device = options.device,
                             .goesOn = [] { return !pendingSignal(); }})
              .moveTo(model->executor))
    return *error;
  model->code = backend.facts();
  return model;
}

std::optional<Error> Model::checkPrompt(std::span<const int32_t> ids) const {
  if (ids.empty())
    return Error{"the prompt is empty; give at least one character"};
  for (int32_t id : ids)
    if (id < 0 || uint64_t(id) >= vocabulary())
      return Error{"prompt: token id " + std::to_string(id) +
                   " is outside of the vocabulary; give ids from 0 to " +
                   std::to_string(vocabulary() - 1)};
  if (ids.size() > maxTokens)
    return Error{"the prompt has " + std::to_string(ids.size()) +
                 " tokens, the context has room for " +
                 std::to_string(maxTokens) + "; " +
                 (maxTokens < header.context
                      ? "give a larger -c or a shorter prompt"
                      : "give a shorter prompt")};
  return std::nullopt;
}

std::optional<Error> Model::append(std::span<const int32_t> ids) {
  if (auto error = executor->append(ids, tokensInCache))
    return error;
  tokensInCache += ids.size();
  return std::nullopt;
}

bool Model::canLoop(const SamplerSettings &settings) const {
  const TokenLoop *loop = executor->loop();
  return loop && loop->takes(settings);
}

std::optional<Error> Model::beginLoop(const Sampler &sampler, int32_t row,
                                      uint64_t most,
                                      std::span<const int32_t> ends) {
  ready = {};
  return executor->loop()->begin(sampler, row, most, ends);
}

Result<TokenLoop::Id> Model::nextId() {
  if (ready.empty())
    if (auto error = executor->loop()->next().moveTo(ready))
      return *error;
  const TokenLoop::Id next = ready.front();
  ready = ready.subspan(1);
  return next;
}

std::optional<Error> Model::endLoop(uint64_t tokens) {
  return executor->loop()->end(tokens).moveTo(tokensInCache);
}

std::optional<Error>
Model::visitLogits(uint64_t count,
                   const std::function<bool(std::span<const float>)> &visit) {
  // As many rows at once as the head takes.
  std::vector<int32_t> rows(wanted());
  for (uint64_t first = 0; first < count; first += rows.size()) {
    rows.resize(std::min<uint64_t>(rows.size(), count - first));
    std::iota(rows.begin(), rows.end(), int32_t(first));
    std::span<const float> all;
    if (auto error = logits(rows).moveTo(all))
      return error;
    for (size_t row = 0; row < rows.size(); ++row)
      if (!visit(all.subspan(row * vocabulary(), vocabulary())))
        return std::nullopt;
  }
  return std::nullopt;
}

} // namespace corellama::runtime
