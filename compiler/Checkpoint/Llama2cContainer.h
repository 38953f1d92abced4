//===- Llama2cContainer.h - a file of llama2.c ------------------*- C++ -*-===//
//
// A .bin file as karpathy/llama2.c exports it, versions 0 to 2 (export.py), of
// which 2 is shown and refused, and the tokenizer.bin beside it (tokenizer.py).
// Such a file has no names: sizes, then all weights in a fixed order.
//
//===----------------------------------------------------------------------===//

#ifndef CORELLAMA_COMPILER_CHECKPOINT_LLAMA2CCONTAINER_H
#define CORELLAMA_COMPILER_CHECKPOINT_LLAMA2CCONTAINER_H

#include "compiler/Checkpoint/Container.h"
#include <optional>
#include <string>
#include <vector>

namespace corellama::checkpoint {

/// What a file of llama2.c begins with.
struct Llama2cHeader {
  ModelConfig config;
  /// What is wrong with it, in words of `refuse`.
  std::vector<std::string> problems;
  /// Whether the sizes are those of a model, so that weights have shapes.
  bool hasSizes = false;
  /// Whether all layers' norms stand in front, as from version 1 on.
  bool hasNormsFirst = false;
  /// Of version 2: numbers of a matrix that share a scale; 0: all are float32.
  uint32_t group = 0;
  uint64_t dataBegin = 0;
};

class Llama2cContainer final : public Container {
public:
  /// By its magic number, for version 0, which has none, by the name ".bin" or
  /// by sizes that make exactly this file.
  static bool looksLike(const MappedFile &file);
  /// The error has all that is wrong with the sizes; of what else is refused
  /// `inspect` can show the weights.
  static llvm::Expected<std::unique_ptr<Container>>
  read(MappedFile file, std::optional<MappedFile> tokenizer);
  /// The same with the tokenizer.bin beside it, where there is one.
  static llvm::Expected<std::unique_ptr<Container>> open(MappedFile file);
  static bool classof(const Container *container) {
    return container->kind() == Kind::Llama2c;
  }

  /// The file tokenizer.bin, or nothing.
  const MappedFile *tokenizer() const {
    return files().size() > 1 ? &files()[1] : nullptr;
  }
  const ModelConfig &sizes() const { return header.config; }

  bool hasTensors() const override { return true; }
  std::optional<ModelConfig> readConfig(Refusals &refusals) const override;
  std::vector<TensorInfo> readWeights(const ModelConfig &config,
                                      Refusals &refusals) const override;
  void visitTensors(
      llvm::function_ref<void(const TensorSummary &)> use) const override;

private:
  Llama2cContainer(std::string path, std::vector<MappedFile> files,
                   Llama2cHeader header)
      : Container(Kind::Llama2c, std::move(path), std::move(files)),
        header(std::move(header)) {}

  Llama2cHeader header;
};

} // namespace corellama::checkpoint

#endif // CORELLAMA_COMPILER_CHECKPOINT_LLAMA2CCONTAINER_H
