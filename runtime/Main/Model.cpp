//===- Model.cpp - the compiled model, running ----------------------------===//
//
// See Model.h.
//
//===----------------------------------------------------------------------===//

#include "runtime/Main/Model.h"

#include "runtime/Threads/Cpus.h"

#include <algorithm>
#include <string>
#include <utility>

namespace corellama::runtime {

/// The logits lie inside the workspace.
static bool logitsFit(const abi::Program &program, uint64_t vocabulary) {
  uint64_t end;
  return program.logitsOffset % alignof(float) == 0 &&
         !__builtin_add_overflow(program.logitsOffset,
                                 vocabulary * sizeof(float), &end) &&
         end <= program.workspaceBytes;
}

Result<std::unique_ptr<Model>> Model::create(const abi::Program &program,
                                             const MappedImage &image,
                                             const Options &options) {
  const abi::ImageHeader &header = *image.header;
  if (program.chunk == 0 || program.chunk > INT32_MAX ||
      !logitsFit(program, header.vocabulary))
    return Error{"the generated code and the image do not fit each other; the "
                 "program is damaged, compile it again"};
  if (options.context.value_or(1) > header.context)
    return Error{"-c: is " + std::to_string(*options.context) +
                 ", this model was made for at most " +
                 std::to_string(header.context) + " tokens; give a smaller -c"};
  if (options.batch.value_or(1) > program.chunk)
    return Error{"-b: is " + std::to_string(*options.batch) +
                 ", this program was compiled for at most " +
                 std::to_string(program.chunk) +
                 "; give a smaller -b or compile it with --chunk=" +
                 std::to_string(*options.batch)};

  std::unique_ptr<Model> model(new Model(program, image));
  model->maxTokens = options.context.value_or(header.context);
  model->maxRows = options.batch.value_or(program.chunk);

  auto cache = KVCache::reserve(header, model->maxTokens);
  if (!cache)
    return Error{cache.error()};
  model->cache = std::move(*cache);
  auto rope = RopeTable::reserve(image.frequencies, header.ropeRow,
                                 model->cache.capacity());
  if (!rope)
    return Error{rope.error()};
  model->rope = std::move(*rope);
  const struct {
    const char *what;
    uint64_t bytes;
    Reservation &memory;
  } others[] = {
      {"the workspace", program.workspaceBytes, model->workspace},
      {"the rows' ids", program.chunk * sizeof(int32_t), model->tokens},
      {"the rows' positions", program.chunk * sizeof(int32_t),
       model->positions}};
  for (const auto &[what, bytes, memory] : others) {
    auto reserved = Reservation::create(what, 1, bytes);
    if (!reserved)
      return Error{reserved.error()};
    memory = std::move(*reserved);
  }
  auto threads = ThreadPool::create(options.threads.value_or(allowedCpus()),
                                    program.scratchBytes);
  if (!threads)
    return Error{threads.error()};
  model->threads = std::move(*threads);

  model->call = {
      .weights = image.weights,
      .offsets = image.offsets.data(),
      .workspace = model->workspace.data(),
      .keys = model->cache.keys(),
      .values = model->cache.values(),
      .rope = model->rope.data(),
      .tokens = reinterpret_cast<const int32_t *>(model->tokens.data()),
      .positions = reinterpret_cast<const int32_t *>(model->positions.data()),
      .rows = 0,
      .keyCount = 0,
      .capacity = model->cache.capacity(),
      .lmHeadRow = 0,
      .threads = model->threads->barrier(),
  };
  return model;
}

std::optional<Error> Model::checkPrompt(std::span<const int32_t> ids) const {
  if (ids.empty())
    return Error{"the prompt is empty; give at least one character"};
  const uint64_t vocabulary = image.header->vocabulary;
  for (int32_t id : ids)
    if (id < 0 || uint64_t(id) >= vocabulary)
      return Error{"prompt: token id " + std::to_string(id) +
                   " is outside of the vocabulary; give ids from 0 to " +
                   std::to_string(vocabulary - 1)};
  if (ids.size() > maxTokens)
    return Error{"the prompt has " + std::to_string(ids.size()) +
                 " tokens, the context has room for " +
                 std::to_string(maxTokens) + "; " +
                 (maxTokens < image.header->context
                      ? "give a larger -c or a shorter prompt"
                      : "give a shorter prompt")};
  return std::nullopt;
}

void Model::append(abi::StepFunction step, std::span<const int32_t> ids) {
  auto *rowTokens = reinterpret_cast<int32_t *>(tokens.data());
  auto *rowPositions = reinterpret_cast<int32_t *>(positions.data());
  for (size_t row = 0; row < ids.size(); ++row) {
    rowTokens[row] = ids[row];
    rowPositions[row] = int32_t(tokensInCache + row);
  }
  tokensInCache += ids.size();
  rope.reach(tokensInCache);
  call.rows = ids.size();
  call.keyCount = tokensInCache;
  call.lmHeadRow = 0;
  threads->run(step, call);
}

void Model::prefill(std::span<const int32_t> ids) {
  append(program.prefill, ids);
}

void Model::decode(int32_t id) { append(program.decode, {&id, 1}); }

std::span<const float> Model::logits(uint64_t row) {
  call.lmHeadRow = row;
  threads->run(program.lmHead, call);
  return {
      reinterpret_cast<const float *>(workspace.data() + program.logitsOffset),
      image.header->vocabulary};
}

} // namespace corellama::runtime
