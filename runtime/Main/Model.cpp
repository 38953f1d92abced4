//===- Model.cpp - the compiled model, running ----------------------------===//
//
// See Model.h.
//
//===----------------------------------------------------------------------===//

#include "runtime/Main/Model.h"

#include "runtime/Threads/Cpus.h"

#include <algorithm>
#include <numeric>
#include <string>
#include <utility>
#include <vector>

namespace corellama::runtime {

/// Whether the entries' bounds on rows ascend, so that a call of as many rows
/// as the last one takes, or of fewer, has an entry.
static bool isList(const abi::Entry *entries, uint64_t count) {
  uint64_t last = 0;
  for (uint64_t i = 0; i < count; ++i) {
    if (!entries[i].step || entries[i].rows <= last ||
        entries[i].rows > INT32_MAX)
      return false;
    last = entries[i].rows;
  }
  return last != 0;
}

/// The logits of as many rows as a head takes lie inside the workspace.
static bool logitsFit(const abi::Program &program, uint64_t vocabulary) {
  uint64_t rows = program.lmHeads[program.lmHeadCount - 1].rows, bytes, end;
  return program.logitsOffset % alignof(float) == 0 &&
         !__builtin_mul_overflow(rows * sizeof(float), vocabulary, &bytes) &&
         !__builtin_add_overflow(program.logitsOffset, bytes, &end) &&
         end <= program.workspaceBytes;
}

Result<std::unique_ptr<Model>> Model::create(const abi::Program &program,
                                             const MappedImage &image,
                                             const Options &options) {
  const abi::ImageHeader &header = *image.header;
  if (!isList(program.entries, program.entryCount) ||
      !isList(program.lmHeads, program.lmHeadCount) ||
      !logitsFit(program, header.vocabulary))
    return Error{"the generated code and the image do not fit each other; the "
                 "program is damaged, compile it again"};
  if (options.context.value_or(1) > header.context)
    return Error{"-c: is " + std::to_string(*options.context) +
                 ", this model was made for at most " +
                 std::to_string(header.context) + " tokens; give a smaller -c"};
  const uint64_t most = program.entries[program.entryCount - 1].rows;
  if (options.batch.value_or(1) > most)
    return Error{"-b: is " + std::to_string(*options.batch) +
                 ", this program was compiled for at most " +
                 std::to_string(most) +
                 "; give a smaller -b or compile it with --chunk=" +
                 std::to_string(*options.batch)};

  std::unique_ptr<Model> model(new Model(program, image));
  model->maxTokens = options.context.value_or(header.context);
  model->maxRows = options.batch.value_or(most);

  if (auto error = KVCache::reserve(header, image.rings, model->maxTokens)
                       .moveTo(model->cache))
    return *error;
  if (auto error = RopeTable::reserve(image.frequencies, header.ropeRow,
                                      model->cache.capacity())
                       .moveTo(model->rope))
    return *error;
  const struct {
    const char *what;
    uint64_t bytes;
    Reservation &memory;
  } others[] = {
      {"the workspace", program.workspaceBytes, model->workspace},
      {"the rows' ids", most * sizeof(int32_t), model->tokens},
      {"the rows' positions", most * sizeof(int32_t), model->positions},
      {"the wanted rows", model->wanted() * sizeof(int32_t),
       model->wantedRows}};
  for (const auto &[what, bytes, memory] : others)
    if (auto error = Reservation::create(what, 1, bytes).moveTo(memory))
      return *error;
  if (auto error = ThreadPool::create(options.threads.value_or(allowedCpus()),
                                      program.scratchBytes)
                       .moveTo(model->threads))
    return *error;

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
      .wanted = reinterpret_cast<const int32_t *>(model->wantedRows.data()),
      .threads = nullptr, // of the pool, which knows it
      .regions = model->cache.regions().data(),
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

void Model::append(std::span<const int32_t> ids) {
  auto *rowTokens = reinterpret_cast<int32_t *>(tokens.data());
  auto *rowPositions = reinterpret_cast<int32_t *>(positions.data());
  for (size_t row = 0; row < ids.size(); ++row) {
    rowTokens[row] = ids[row];
    rowPositions[row] = int32_t(tokensInCache + row);
  }
  tokensInCache += ids.size();
  cache.reach(tokensInCache);
  rope.reach(tokensInCache);
  call.rows = ids.size();
  call.keyCount = tokensInCache;
  threads->run(abi::findEntry(forms.data(), forms.size(), ids.size())->step,
               call);
}

std::span<const float> Model::logits(std::span<const int32_t> rows) {
  std::ranges::copy(rows, reinterpret_cast<int32_t *>(wantedRows.data()));
  call.rows = rows.size();
  threads->run(abi::findEntry(heads.data(), heads.size(), rows.size())->step,
               call);
  return {
      reinterpret_cast<const float *>(workspace.data() + program.logitsOffset),
      rows.size() * vocabulary()};
}

bool Model::visitLogits(
    uint64_t count, const std::function<bool(std::span<const float>)> &visit) {
  // As many rows at once as the head takes.
  std::vector<int32_t> rows(wanted());
  for (uint64_t first = 0; first < count; first += rows.size()) {
    rows.resize(std::min<uint64_t>(rows.size(), count - first));
    std::iota(rows.begin(), rows.end(), int32_t(first));
    const auto all = logits(rows);
    for (size_t row = 0; row < rows.size(); ++row)
      if (!visit(all.subspan(row * vocabulary(), vocabulary())))
        return false;
  }
  return true;
}

} // namespace corellama::runtime
