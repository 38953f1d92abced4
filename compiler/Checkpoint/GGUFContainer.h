//===- GGUFContainer.h - a GGUF file as a container of weights --*- C++ -*-===//
//
// A parsed GGUF file, or the parts of one that was split, behind the interface
// of all containers. A file of its own because GGUF.h knows nothing of Llama.
//
//===----------------------------------------------------------------------===//

#ifndef CORELLAMA_COMPILER_CHECKPOINT_GGUFCONTAINER_H
#define CORELLAMA_COMPILER_CHECKPOINT_GGUFCONTAINER_H

#include "compiler/Checkpoint/Container.h"
#include "compiler/Checkpoint/GGUF.h"

namespace corellama::checkpoint {

class GGUFContainer final : public Container {
public:
  /// The parts of a checkpoint that llama-gguf-split cut, in their order, or
  /// the only file.
  static llvm::Expected<std::unique_ptr<Container>>
  read(std::vector<MappedFile> files);
  /// The same with the parts beside it where the file is the first of them:
  /// NAME-00001-of-00003.gguf.
  static llvm::Expected<std::unique_ptr<Container>> open(MappedFile file);
  static bool classof(const Container *container) {
    return container->kind() == Kind::GGUF;
  }

  /// The metadata, key by key.
  const GGUF &gguf() const { return parsed; }

  bool hasTensors() const override { return !parsed.tensors().empty(); }
  std::optional<ModelConfig> readConfig(Refusals &refusals) const override;
  std::vector<TensorInfo> readWeights(const ModelConfig &config,
                                      Refusals &refusals) const override;
  void visitTensors(
      llvm::function_ref<void(const TensorSummary &)> use) const override;

private:
  GGUFContainer(std::string path, std::vector<MappedFile> files, GGUF parsed)
      : Container(Kind::GGUF, std::move(path), std::move(files)),
        parsed(std::move(parsed)) {}

  GGUF parsed;
};

} // namespace corellama::checkpoint

#endif // CORELLAMA_COMPILER_CHECKPOINT_GGUFCONTAINER_H
