//===- Container.h - the files that a checkpoint lies in --------*- C++ -*-===//
//
// A path -> mapped files, and a reader of what their format says: the model's
// configuration, and where each weight lies. A file of its own because it is
// the wall between formats of checkpoints and the compiler: a new format is
// another class of this interface, and nothing but its reader of text
// (compiler/Text) knows its names.
//
//===----------------------------------------------------------------------===//

#ifndef CORELLAMA_COMPILER_CHECKPOINT_CONTAINER_H
#define CORELLAMA_COMPILER_CHECKPOINT_CONTAINER_H

#include "compiler/Checkpoint/ModelConfig.h"
#include "compiler/Checkpoint/Refusal.h"
#include "compiler/Checkpoint/WeightIndex.h"
#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/STLFunctionalExtras.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/Error.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/MemoryBuffer.h"
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace corellama::checkpoint {

/// A file of a checkpoint. Its bytes stay where they are when it is moved.
class MappedFile {
public:
  explicit MappedFile(std::unique_ptr<llvm::MemoryBuffer> buffer)
      : buffer(std::move(buffer)) {}
  /// Maps a regular file, a link to one included.
  static llvm::Expected<MappedFile> open(llvm::StringRef path);
  /// An error where the file was written to since it was opened, as far as its
  /// size and time say. One that was removed or replaced by another is whole.
  llvm::Error checkUnchanged() const;

  /// As it was given, or the name of the memory buffer.
  llvm::StringRef path() const { return buffer->getBufferIdentifier(); }
  llvm::ArrayRef<uint8_t> data() const {
    return llvm::arrayRefFromStringRef(buffer->getBuffer());
  }

private:
  std::unique_ptr<llvm::MemoryBuffer> buffer;
  /// When it was opened; nothing of a buffer in memory.
  std::optional<llvm::sys::fs::file_status> opened;
};

/// A tensor as people see it, of a model that can be compiled or not.
struct TensorSummary {
  llvm::StringRef name; ///< any bytes
  std::string type;
  std::vector<uint64_t> shape; ///< rows first
};

/// What the files say, checked as far as their format goes: a model it need
/// not be, for a vocabulary without weights has the same container. Immutable.
class Container {
public:
  enum class Kind { GGUF, HuggingFace, Llama2c };

  virtual ~Container() = default;
  Container(const Container &) = delete;
  Container &operator=(const Container &) = delete;

  Kind kind() const { return ownKind; }
  /// The path as it was given, or the name of the memory buffer.
  llvm::StringRef path() const { return givenPath; }
  /// All files that the checkpoint is read from, in an order that depends on
  /// their contents and names only. TensorInfo::file counts them.
  llvm::ArrayRef<MappedFile> files() const { return mapped; }

  virtual bool hasTensors() const = 0;
  /// Denies by default: what would change the graph's meaning and cannot be
  /// compiled is refused by name. Nothing where not even the architecture is
  /// known. Where sizes are refused `headSize` is 0, and where the number of
  /// layers is `layers` as well; readWeights can say what else is refused, with
  /// what could be read.
  virtual std::optional<ModelConfig> readConfig(Refusals &refusals) const = 0;
  /// The weights of such a model and no others, in the order of the files; see
  /// indexWeights. None where one is refused.
  virtual std::vector<TensorInfo> readWeights(const ModelConfig &config,
                                              Refusals &refusals) const = 0;
  virtual void
  visitTensors(llvm::function_ref<void(const TensorSummary &)> use) const = 0;

  /// All that readConfig and readWeights refuse.
  Refusals listRefusals() const;

  /// Of all files; see MappedFile.
  llvm::Error checkUnchanged() const;

protected:
  Container(Kind kind, std::string path, std::vector<MappedFile> files)
      : ownKind(kind), givenPath(std::move(path)), mapped(std::move(files)) {}

private:
  Kind ownKind;
  std::string givenPath;
  std::vector<MappedFile> mapped;
};

/// Opens what the path names and checks no more than its container: a folder is
/// Hugging Face's, and a file is what it begins with (llama2.c's first version,
/// which begins with nothing of its own, by its size or the name ".bin").
llvm::Expected<std::unique_ptr<Container>> openContainer(llvm::StringRef path);

/// The same for a file in memory; the messages name the buffer.
llvm::Expected<std::unique_ptr<Container>> readContainer(MappedFile file);

} // namespace corellama::checkpoint

#endif // CORELLAMA_COMPILER_CHECKPOINT_CONTAINER_H
