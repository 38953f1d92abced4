//===- Checkpoint.h - an opened, checked checkpoint -------------*- C++ -*-===//
//
// A GGUF file -> ModelConfig, weights, and the bytes of both. It is a file of
// its own because the rest of the compiler includes only this of the folder: it
// owns the mapped file, and users of a Checkpoint need not check its sizes
// again.
//
//===----------------------------------------------------------------------===//

#ifndef CORELLAMA_COMPILER_CHECKPOINT_CHECKPOINT_H
#define CORELLAMA_COMPILER_CHECKPOINT_CHECKPOINT_H

#include "compiler/Checkpoint/GGUF.h"
#include "compiler/Checkpoint/ModelConfig.h"
#include "compiler/Checkpoint/TensorType.h"
#include "compiler/Checkpoint/WeightIndex.h"
#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"
#include "llvm/Support/MemoryBuffer.h"
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

namespace corellama::checkpoint {

/// Can be moved, not copied; views stay valid while the last owner lives.
/// All members may be called from several threads at once.
class Checkpoint {
public:
  /// The path as it was given, or the name of the memory buffer.
  llvm::StringRef path() const { return state->container.path(); }
  const ModelConfig &config() const { return state->config; }

  /// The weights in the order of the file.
  llvm::ArrayRef<TensorInfo> tensors() const { return state->weights; }
  /// The weight of that name, or null.
  const TensorInfo *find(llvm::StringRef name) const;
  /// The bytes of a weight of this checkpoint. They begin at a multiple of the
  /// file's alignment, but their address may be unaligned: read elements as
  /// unaligned.
  llvm::ArrayRef<uint8_t> bytes(const TensorInfo &tensor) const {
    return state->container.data().slice(tensor.offset, tensor.bytes);
  }

  /// The container's metadata, key by key.
  const GGUF &gguf() const { return state->container; }
  uint64_t fileBytes() const { return state->container.data().size(); }
  /// BLAKE3 of the whole file, 64 lower-case hexadecimal digits. Computed by
  /// the first call, which reads the file from start to end.
  std::string identity() const;

private:
  /// Held by pointer, so that moving a Checkpoint moves no mutex and
  /// invalidates no view.
  struct State {
    std::unique_ptr<llvm::MemoryBuffer> buffer;
    GGUF container;
    ModelConfig config;
    std::vector<TensorInfo> weights; ///< one for each tensor of the container

    std::mutex hashing; ///< guards `identity`
    std::string identity;
  };

  explicit Checkpoint(std::unique_ptr<State> state) : state(std::move(state)) {}
  friend llvm::Expected<Checkpoint>
  readCheckpoint(std::unique_ptr<llvm::MemoryBuffer> buffer);

  std::unique_ptr<State> state;
};

/// Maps and checks a file. The messages name the file as `path`.
llvm::Expected<Checkpoint> openCheckpoint(llvm::StringRef path);

/// The same for a file in memory; the messages name the buffer.
llvm::Expected<Checkpoint>
readCheckpoint(std::unique_ptr<llvm::MemoryBuffer> buffer);

/// A file's metadata and tensor table, which need not be those of a model: a
/// vocabulary without tensors is a GGUF file, too.
struct Container {
  std::unique_ptr<llvm::MemoryBuffer> buffer;
  GGUF gguf;
};

/// Maps a file and checks no more than its container.
llvm::Expected<Container> openContainer(llvm::StringRef path);

} // namespace corellama::checkpoint

#endif // CORELLAMA_COMPILER_CHECKPOINT_CHECKPOINT_H
