//===- Checkpoint.cpp - opening a checkpoint ------------------------------===//
//
// A path -> a mapped file, its container, configuration and weights, in this
// order; and the hash that identifies the file in dumps and manifests.
//
//===----------------------------------------------------------------------===//

#include "compiler/Checkpoint/Checkpoint.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/BLAKE3.h"
#include "llvm/Support/FileSystem.h"

using llvm::ArrayRef;
using llvm::Expected;
using llvm::StringRef;

namespace corellama::checkpoint {

const TensorInfo *Checkpoint::find(StringRef name) const {
  const TensorRecord *record = state->container.findTensor(name);
  if (!record)
    return nullptr;
  return &state->weights[record - state->container.tensors().data()];
}

std::string Checkpoint::identity() const {
  std::lock_guard<std::mutex> lock(state->hashing);
  if (state->identity.empty()) {
    auto hash = llvm::BLAKE3::hash(state->container.data());
    state->identity = llvm::toHex(hash, /*LowerCase=*/true);
  }
  return state->identity;
}

static Expected<GGUF> parseContainer(const llvm::MemoryBuffer &buffer) {
  ArrayRef<uint8_t> data(
      reinterpret_cast<const uint8_t *>(buffer.getBufferStart()),
      buffer.getBufferSize());
  return GGUF::parse(data, buffer.getBufferIdentifier());
}

Expected<Checkpoint>
readCheckpoint(std::unique_ptr<llvm::MemoryBuffer> buffer) {
  Expected<GGUF> container = parseContainer(*buffer);
  if (!container)
    return container.takeError();
  Expected<ModelConfig> config = readModelConfig(*container);
  if (!config)
    return config.takeError();
  Expected<std::vector<TensorInfo>> weights = readWeights(*container, *config);
  if (!weights)
    return weights.takeError();

  auto state = std::make_unique<Checkpoint::State>();
  state->buffer = std::move(buffer);
  state->container = std::move(*container);
  state->config = std::move(*config);
  state->weights = std::move(*weights);
  return Checkpoint(std::move(state));
}

static Expected<std::unique_ptr<llvm::MemoryBuffer>> mapFile(StringRef path) {
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
  return std::move(*buffer);
}

Expected<Checkpoint> openCheckpoint(StringRef path) {
  auto buffer = mapFile(path);
  if (!buffer)
    return buffer.takeError();
  return readCheckpoint(std::move(*buffer));
}

Expected<Container> openContainer(StringRef path) {
  auto buffer = mapFile(path);
  if (!buffer)
    return buffer.takeError();
  Expected<GGUF> gguf = parseContainer(**buffer);
  if (!gguf)
    return gguf.takeError();
  return Container{std::move(*buffer), std::move(*gguf)};
}

} // namespace corellama::checkpoint
