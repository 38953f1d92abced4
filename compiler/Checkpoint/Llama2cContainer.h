//===- Llama2cContainer.h - a file of llama2.c ------------------*- C++ -*-===//
//
// A .bin file as karpathy/llama2.c exports it, versions 0 and 1 (export.py),
// and the tokenizer.bin beside it (tokenizer.py). Such a file has no names:
// sizes, then all weights in a fixed order.
//
//===----------------------------------------------------------------------===//

#ifndef CORELLAMA_COMPILER_CHECKPOINT_LLAMA2CCONTAINER_H
#define CORELLAMA_COMPILER_CHECKPOINT_LLAMA2CCONTAINER_H

#include "compiler/Checkpoint/Container.h"
#include <optional>

namespace corellama::checkpoint {

class Llama2cContainer final : public Container {
public:
  /// By its magic number, for version 0, which has none, by the name ".bin" or
  /// by sizes that make exactly this file.
  static bool looksLike(const MappedFile &file);
  /// The error has all that is wrong with the header.
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
  const ModelConfig &sizes() const { return config; }

  bool hasTensors() const override { return true; }
  std::optional<ModelConfig> readConfig(Refusals &) const override {
    return config;
  }
  std::vector<TensorInfo> readWeights(const ModelConfig &config,
                                      Refusals &refusals) const override;
  /// None: what is wrong with such a file is known when it is opened, so that
  /// there is no refused checkpoint whose tensors could be shown.
  void
  visitTensors(llvm::function_ref<void(const TensorSummary &)>) const override {
  }

private:
  Llama2cContainer(std::string path, std::vector<MappedFile> files,
                   ModelConfig config, bool isVersion1)
      : Container(Kind::Llama2c, std::move(path), std::move(files)),
        config(std::move(config)), isVersion1(isVersion1) {}

  ModelConfig config;
  bool isVersion1;
};

} // namespace corellama::checkpoint

#endif // CORELLAMA_COMPILER_CHECKPOINT_LLAMA2CCONTAINER_H
