//===- HuggingFaceContainer.h - a folder of safetensors ---------*- C++ -*-===//
//
// A folder as Hugging Face publishes checkpoints: config.json, one safetensors
// file or several with an index, and files of text beside them. Links are
// followed, so that a snapshot in the Hugging Face cache is such a folder.
//
//===----------------------------------------------------------------------===//

#ifndef CORELLAMA_COMPILER_CHECKPOINT_HUGGINGFACECONTAINER_H
#define CORELLAMA_COMPILER_CHECKPOINT_HUGGINGFACECONTAINER_H

#include "compiler/Checkpoint/Container.h"
#include "compiler/Checkpoint/Json.h"
#include "compiler/Checkpoint/Safetensors.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/STLFunctionalExtras.h"

namespace corellama::checkpoint {

class HuggingFaceContainer final : public Container {
public:
  /// Finds a file of the folder by its name; nothing where there is none.
  using OpenFile = llvm::function_ref<llvm::Expected<std::optional<MappedFile>>(
      llvm::StringRef name)>;
  /// `instead` is of `open`, for messages: what the folder has in place of
  /// weights.
  static llvm::Expected<std::unique_ptr<Container>>
  read(llvm::StringRef folder, OpenFile open, std::string instead = "");
  static llvm::Expected<std::unique_ptr<Container>>
  open(llvm::StringRef folder);
  static bool classof(const Container *container) {
    return container->kind() == Kind::HuggingFace;
  }

  /// A file beside the weights, or nothing.
  std::optional<llvm::StringRef> textOf(llvm::StringRef name) const;
  /// The value of one that is JSON: nothing where there is none, an error where
  /// it is no JSON.
  llvm::Expected<std::optional<JsonValue>> jsonOf(llvm::StringRef name) const;

  bool hasTensors() const override {
    return llvm::any_of(shards, [](const Safetensors &shard) {
      return !shard.tensors().empty();
    });
  }
  std::optional<ModelConfig> readConfig(Refusals &refusals) const override;
  std::vector<TensorInfo> readWeights(const ModelConfig &config,
                                      Refusals &refusals) const override;
  void visitTensors(
      llvm::function_ref<void(const TensorSummary &)> use) const override;

private:
  class Reader;
  struct Side {
    std::string name;
    uint32_t file;
    std::optional<JsonDocument> json;
    std::string whyNoJson;
  };

  HuggingFaceContainer(std::string path, std::vector<MappedFile> files)
      : Container(Kind::HuggingFace, std::move(path), std::move(files)) {}
  const Side *find(llvm::StringRef name) const;

  std::vector<Safetensors> shards; ///< of the first files
  std::vector<Side> sides;
  /// For messages of a folder without weights: what it has in their place, as
  /// ", but 'pytorch_model.bin'".
  std::string instead;
};

/// What people call the model: a folder's name, or that of the repository where
/// it is a snapshot in the Hugging Face cache.
std::string nameOfFolder(llvm::StringRef path);

} // namespace corellama::checkpoint

#endif // CORELLAMA_COMPILER_CHECKPOINT_HUGGINGFACECONTAINER_H
