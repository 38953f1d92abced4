//===- Checkpoint.cpp - opening a checkpoint ------------------------------===//
//
// A path -> a container, its configuration and weights, in this order; and the
// hash that identifies the files in dumps and manifests.
//
//===----------------------------------------------------------------------===//

#include "compiler/Checkpoint/Checkpoint.h"
#include "compiler/Checkpoint/Refusal.h"
#include "compiler/Checkpoint/Rows.h"
#include "compiler/Quantize/RowConverter.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/BLAKE3.h"
#include <algorithm>
#include <numeric>

using llvm::ArrayRef;
using llvm::Expected;
using llvm::StringRef;

namespace corellama::checkpoint {

const TensorInfo *Checkpoint::find(WeightId id) const {
  auto idOf = [&](uint32_t index) { return state->weights[index].id; };
  auto place = std::ranges::lower_bound(state->byId, id, {}, idOf);
  if (place == state->byId.end() || idOf(*place) != id)
    return nullptr;
  return &state->weights[*place];
}

Expected<ArrayRef<uint8_t>>
Checkpoint::readRows(const TensorInfo &tensor, uint64_t first, uint64_t count,
                     std::vector<uint8_t> &scratch) const {
  Expected<ArrayRef<uint8_t>> rows = checkpoint::readRows(
      tensor, bytes(tensor), state->config, first, count, scratch);
  if (!rows)
    return refuse(path(), "tensor " + quoted(tensor.name),
                  llvm::toString(rows.takeError()));
  return rows;
}

llvm::Error Checkpoint::quantize(StringRef format) {
  if (!llvm::is_contained(quantize::kFormats, format))
    return refuse(path(), "--quantize",
                  "is " + quoted(format) + ", expected one of " +
                      llvm::join(ArrayRef(quantize::kFormats), ", ") +
                      "; give one of them");
  const TensorType to = *toTensorType(llama::findFormat(format)->ggmlType);
  constexpr auto kHalf = static_cast<TensorType>(1); // ggml's number of F16
  bool hasAny = false;
  for (TensorInfo &tensor : state->weights) {
    if (getInfo(tensor.id.role).isVector() ||
        !quantize::isSource(getFacts(tensor.storedType)))
      continue;
    hasAny = tensor.isRounded = true;
    tensor.type = byteSize(to, 1, tensor.columns) ? to : kHalf;
  }
  if (hasAny)
    return llvm::Error::success();
  return refuse(path(), "--quantize",
                "no weight is F32, F16 or BF16, expected one that can be "
                "rounded to " +
                    getName(to) + "; leave the option out");
}

bool Checkpoint::isQuantized() const {
  return llvm::any_of(state->weights, [](const TensorInfo &tensor) {
    return tensor.isRounded && tensor.type != tensor.storedType;
  });
}

uint64_t Checkpoint::fileBytes() const {
  uint64_t bytes = 0; // all of it is mapped
  for (const MappedFile &file : state->container->files())
    bytes += file.data().size();
  return bytes;
}

std::string Checkpoint::identity() const {
  std::lock_guard<std::mutex> lock(state->hashing);
  if (state->identity.empty()) {
    ArrayRef<MappedFile> files = state->container->files();
    auto hash = llvm::BLAKE3::hash(files.front().data());
    if (files.size() > 1) {
      llvm::BLAKE3 all;
      all.update(hash);
      for (const MappedFile &file : files.drop_front())
        all.update(llvm::BLAKE3::hash(file.data()));
      hash = all.final();
    }
    state->identity = llvm::toHex(hash, /*LowerCase=*/true);
  }
  return state->identity;
}

Expected<Checkpoint> readCheckpoint(std::unique_ptr<Container> container) {
  Refusals refusals;
  std::optional<ModelConfig> config = container->readConfig(refusals);
  // As many keys as a person reads in a line; tensors are seldom refused for
  // several reasons.
  constexpr size_t kMostKeys = 10;
  if (!refusals.empty())
    return refusals.error(kMostKeys);
  std::vector<TensorInfo> weights = container->readWeights(*config, refusals);
  if (!refusals.empty())
    return refusals.error(1);

  auto state = std::make_unique<Checkpoint::State>();
  state->container = std::move(container);
  state->config = std::move(*config);
  state->weights = std::move(weights);
  state->byId.resize(state->weights.size());
  std::iota(state->byId.begin(), state->byId.end(), 0u);
  llvm::sort(state->byId, [&](uint32_t a, uint32_t b) {
    return state->weights[a].id < state->weights[b].id;
  });
  return Checkpoint(std::move(state));
}

Expected<Checkpoint>
readCheckpoint(std::unique_ptr<llvm::MemoryBuffer> buffer) {
  auto container = readContainer(MappedFile(std::move(buffer)));
  if (!container)
    return container.takeError();
  return readCheckpoint(std::move(*container));
}

Expected<Checkpoint> openCheckpoint(StringRef path) {
  auto container = openContainer(path);
  if (!container)
    return container.takeError();
  return readCheckpoint(std::move(*container));
}

} // namespace corellama::checkpoint
