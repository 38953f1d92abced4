//===- Checkpoint.h - an opened, checked checkpoint -------------*- C++ -*-===//
//
// A container -> ModelConfig, weights by role, and the bytes of both. It is a
// file of its own because the rest of the compiler includes only this of the
// folder: it owns the mapped files, and users of a Checkpoint need not check
// its sizes again, nor know its format.
//
//===----------------------------------------------------------------------===//

#ifndef CORELLAMA_COMPILER_CHECKPOINT_CHECKPOINT_H
#define CORELLAMA_COMPILER_CHECKPOINT_CHECKPOINT_H

#include "compiler/Checkpoint/Container.h"
#include "compiler/Checkpoint/ModelConfig.h"
#include "compiler/Checkpoint/Roles.h"
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
  llvm::StringRef path() const { return state->container->path(); }
  const ModelConfig &config() const { return state->config; }

  /// The weights in the order of the files.
  llvm::ArrayRef<TensorInfo> tensors() const { return state->weights; }
  /// The weight of that role and layer, or null.
  const TensorInfo *find(WeightId id) const;
  const TensorInfo *find(Role role, uint64_t layer = 0) const {
    return find({static_cast<uint32_t>(layer), role});
  }
  /// The bytes of a weight of this checkpoint as they are stored. Their address
  /// may be unaligned: read elements as unaligned.
  llvm::ArrayRef<uint8_t> bytes(const TensorInfo &tensor) const {
    return state->container->files()[tensor.file].data().slice(tensor.offset,
                                                               tensor.bytes);
  }
  /// Rows [first, first + count) of a weight as the graph has them; see Rows.h.
  llvm::Expected<llvm::ArrayRef<uint8_t>>
  readRows(const TensorInfo &tensor, uint64_t first, uint64_t count,
           std::vector<uint8_t> &scratch) const;

  /// Makes a format, one of quantize::kFormats, the type of each matrix that is
  /// stored as plain numbers; of those whose rows are no whole blocks of it
  /// F16. Others, and vectors, stay. To be called before anything asks for
  /// types; an error if no weight is such a matrix, or the format another one.
  llvm::Error quantize(llvm::StringRef format);
  /// Whether that changes a weight.
  bool isQuantized() const;

  const Container &container() const { return *state->container; }
  /// Of all files.
  uint64_t fileBytes() const;
  /// See MappedFile.
  llvm::Error checkUnchanged() const {
    return state->container->checkUnchanged();
  }
  /// BLAKE3 of the whole file, 64 lower-case hexadecimal digits; of several
  /// files that of their BLAKE3 digests, one after the other. Computed by the
  /// first call, which reads the files from start to end.
  std::string identity() const;

private:
  /// Held by pointer, so that moving a Checkpoint moves no mutex and
  /// invalidates no view.
  struct State {
    std::unique_ptr<Container> container;
    ModelConfig config;
    std::vector<TensorInfo> weights; ///< one for each tensor of the container
    std::vector<uint32_t> byId;      ///< indices into `weights`, sorted

    std::mutex hashing; ///< guards `identity`
    std::string identity;
  };

  explicit Checkpoint(std::unique_ptr<State> state) : state(std::move(state)) {}
  friend llvm::Expected<Checkpoint>
  readCheckpoint(std::unique_ptr<Container> container);

  std::unique_ptr<State> state;
};

/// Maps and checks what the path names. The messages name files by it.
llvm::Expected<Checkpoint> openCheckpoint(llvm::StringRef path);

/// The checkpoint of a container that was opened.
llvm::Expected<Checkpoint> readCheckpoint(std::unique_ptr<Container> container);

/// The same for a file in memory; the messages name the buffer.
llvm::Expected<Checkpoint>
readCheckpoint(std::unique_ptr<llvm::MemoryBuffer> buffer);

} // namespace corellama::checkpoint

#endif // CORELLAMA_COMPILER_CHECKPOINT_CHECKPOINT_H
