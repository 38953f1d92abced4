//===- Checkpoint.cpp - opening a checkpoint ------------------------------===//
//
// A path -> a mapped file, its container, configuration and weights, in this
// order; and the hash that identifies the file in dumps and manifests.
//
//===----------------------------------------------------------------------===//

#include "compiler/Checkpoint/Checkpoint.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/Twine.h"
#include "llvm/Support/BLAKE3.h"
#include "llvm/Support/FileSystem.h"
#include <mutex>

using llvm::ArrayRef;
using llvm::Error;
using llvm::Expected;
using llvm::StringRef;
using llvm::Twine;

namespace corellama::checkpoint {

/// Held by pointer, so that moving a Checkpoint moves no mutex and invalidates
/// no view.
struct Checkpoint::State {
  std::unique_ptr<llvm::MemoryBuffer> buffer;
  GGUF container;
  ModelConfig config;
  WeightIndex weights;

  std::mutex hashing; ///< guards `identity`
  std::string identity;
};

Checkpoint::Checkpoint(std::unique_ptr<State> state)
    : state(std::move(state)) {}
Checkpoint::Checkpoint(Checkpoint &&) = default;
Checkpoint &Checkpoint::operator=(Checkpoint &&) = default;
Checkpoint::~Checkpoint() = default;

StringRef Checkpoint::path() const { return state->container.path(); }
const ModelConfig &Checkpoint::config() const { return state->config; }
const GGUF &Checkpoint::gguf() const { return state->container; }

ArrayRef<TensorInfo> Checkpoint::tensors() const {
  return state->weights.tensors();
}

const TensorInfo *Checkpoint::find(StringRef name) const {
  return state->weights.find(name);
}

ArrayRef<uint8_t> Checkpoint::bytes(const TensorInfo &tensor) const {
  return state->container.data().slice(tensor.offset, tensor.bytes);
}

ArrayRef<uint8_t> Checkpoint::metadata() const {
  return state->container.metadata();
}

uint64_t Checkpoint::metadataCount() const {
  return state->container.keyCount();
}

uint64_t Checkpoint::fileBytes() const {
  return state->container.data().size();
}

std::string Checkpoint::identity() const {
  std::lock_guard<std::mutex> lock(state->hashing);
  if (state->identity.empty()) {
    auto hash = llvm::BLAKE3::hash(state->container.data());
    state->identity = llvm::toHex(hash, /*LowerCase=*/true);
  }
  return state->identity;
}

Expected<Checkpoint>
readCheckpoint(std::unique_ptr<llvm::MemoryBuffer> buffer) {
  ArrayRef<uint8_t> data(
      reinterpret_cast<const uint8_t *>(buffer->getBufferStart()),
      buffer->getBufferSize());
  Expected<GGUF> container = GGUF::parse(data, buffer->getBufferIdentifier());
  if (!container)
    return container.takeError();
  Expected<ModelConfig> config = readModelConfig(*container);
  if (!config)
    return config.takeError();
  Expected<WeightIndex> weights = readWeightIndex(*container, *config);
  if (!weights)
    return weights.takeError();

  auto state = std::make_unique<Checkpoint::State>();
  state->buffer = std::move(buffer);
  state->container = std::move(*container);
  state->config = std::move(*config);
  state->weights = std::move(*weights);
  return Checkpoint(std::move(state));
}

Expected<Checkpoint> openCheckpoint(StringRef path) {
  auto unreadable = [&](std::error_code why) {
    return refuse(path, "file",
                  "cannot be read (" + StringRef(why.message()).lower() +
                      "), expected a checkpoint; check the path");
  };
  llvm::sys::fs::file_status status;
  if (std::error_code error = llvm::sys::fs::status(path, status))
    return unreadable(error);
  // A directory cannot be read, and a device may never end.
  if (!llvm::sys::fs::is_regular_file(status))
    return refuse(path, "file",
                  "is not a regular file, expected a checkpoint; give the path "
                  "of a .gguf file");
  llvm::ErrorOr<std::unique_ptr<llvm::MemoryBuffer>> buffer =
      llvm::MemoryBuffer::getFile(path, /*IsText=*/false,
                                  /*RequiresNullTerminator=*/false);
  if (!buffer)
    return unreadable(buffer.getError());
  return readCheckpoint(std::move(*buffer));
}

} // namespace corellama::checkpoint
