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
#include <string>

namespace corellama::checkpoint {

/// Can be moved, not copied; views stay valid while the last owner lives.
/// All members may be called from several threads at once.
class Checkpoint {
public:
  Checkpoint(Checkpoint &&);
  Checkpoint &operator=(Checkpoint &&);
  ~Checkpoint();

  /// The path as it was given, or the name of the memory buffer.
  llvm::StringRef path() const;
  const ModelConfig &config() const;

  /// The weights in the order of the file.
  llvm::ArrayRef<TensorInfo> tensors() const;
  /// The weight of that name, or null.
  const TensorInfo *find(llvm::StringRef name) const;
  /// The bytes of a weight of this checkpoint. They begin at a multiple of the
  /// file's alignment, but their address may be unaligned: read elements as
  /// unaligned.
  llvm::ArrayRef<uint8_t> bytes(const TensorInfo &tensor) const;

  /// The container's metadata, key by key.
  const GGUF &gguf() const;
  /// The raw bytes of the metadata, from the first key to the last value, for
  /// another parser (that of the program's tokenizer).
  llvm::ArrayRef<uint8_t> metadata() const;
  /// The number of keys in these bytes.
  uint64_t metadataCount() const;

  uint64_t fileBytes() const;
  /// BLAKE3 of the whole file, 64 lower-case hexadecimal digits. Computed by
  /// the first call, which reads the file from start to end.
  std::string identity() const;

private:
  struct State;
  explicit Checkpoint(std::unique_ptr<State> state);
  friend llvm::Expected<Checkpoint>
  readCheckpoint(std::unique_ptr<llvm::MemoryBuffer> buffer);

  std::unique_ptr<State> state;
};

/// Maps and checks a file. The messages name the file as `path`.
llvm::Expected<Checkpoint> openCheckpoint(llvm::StringRef path);

/// The same for a file in memory; the messages name the buffer.
llvm::Expected<Checkpoint>
readCheckpoint(std::unique_ptr<llvm::MemoryBuffer> buffer);

} // namespace corellama::checkpoint

#endif // CORELLAMA_COMPILER_CHECKPOINT_CHECKPOINT_H
