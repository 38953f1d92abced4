//===- FolderBuilder.h - a small Hugging Face folder in memory --*- C++ -*-===//
//
// A configuration and tensors, which tests change -> the files of a folder, and
// what the reader makes of them. Shared by the readers' tests and the fuzz
// target.
//
//===----------------------------------------------------------------------===//

#ifndef CORELLAMA_TEST_COMPILER_CHECKPOINT_FOLDERBUILDER_H
#define CORELLAMA_TEST_COMPILER_CHECKPOINT_FOLDERBUILDER_H

#include "compiler/Checkpoint/Checkpoint.h"
#include "compiler/Checkpoint/HuggingFaceContainer.h"
#include "llvm/Support/MemoryBuffer.h"
#include <map>
#include <string>
#include <vector>

namespace corellama::test {

/// Names and bytes of the files of a folder.
using FolderFiles = std::map<std::string, std::string>;

inline llvm::Expected<std::unique_ptr<checkpoint::Container>>
openFolder(const FolderFiles &files) {
  return checkpoint::HuggingFaceContainer::read(
      "folder",
      [&](llvm::StringRef name)
          -> llvm::Expected<std::optional<checkpoint::MappedFile>> {
        auto file = files.find(name.str());
        if (file == files.end())
          return std::nullopt;
        return std::optional(
            checkpoint::MappedFile(llvm::MemoryBuffer::getMemBuffer(
                file->second, "folder/" + file->first,
                /*RequiresNullTerminator=*/false)));
      });
}

struct FolderBuilder {
  struct Tensor {
    std::string name, type;
    std::vector<uint64_t> extents;
    int64_t shift = 0; ///< of where the table says that it begins
  };

  std::map<std::string, std::string> config = {
      {"model_type", "\"llama\""},      {"hidden_size", "8"},
      {"num_attention_heads", "2"},     {"num_key_value_heads", "1"},
      {"intermediate_size", "6"},       {"vocab_size", "5"},
      {"num_hidden_layers", "1"},       {"max_position_embeddings", "32"},
      {"rms_norm_eps", "1e-05"},        {"rope_theta", "20000.0"},
      {"tie_word_embeddings", "false"}, {"rope_scaling", "null"},
  };
  std::string wholeConfig; ///< in place of `config` where not empty
  std::vector<Tensor> tensors = {
      {"model.embed_tokens.weight", "F32", {5, 8}},
      {"model.layers.0.input_layernorm.weight", "F32", {8}},
      {"model.layers.0.self_attn.q_proj.weight", "F32", {8, 8}},
      {"model.layers.0.self_attn.k_proj.weight", "F32", {4, 8}},
      {"model.layers.0.self_attn.v_proj.weight", "F32", {4, 8}},
      {"model.layers.0.self_attn.o_proj.weight", "F32", {8, 8}},
      {"model.layers.0.post_attention_layernorm.weight", "F32", {8}},
      {"model.layers.0.mlp.gate_proj.weight", "F32", {6, 8}},
      {"model.layers.0.mlp.up_proj.weight", "F32", {6, 8}},
      {"model.layers.0.mlp.down_proj.weight", "F32", {8, 6}},
      {"model.norm.weight", "F32", {8}},
      {"lm_head.weight", "F32", {5, 8}},
  };
  std::optional<uint64_t> headerBytes; ///< what the file says
  size_t cut = 0;                      ///< bytes that are missing at its end

  std::string configFile() const {
    if (!wholeConfig.empty())
      return wholeConfig;
    std::string text;
    for (const auto &[key, value] : config)
      text += (text.empty() ? "{" : ", ") + ("\"" + key + "\": ") + value;
    return text + "}";
  }

  /// Each number of a tensor is another one.
  std::string weightsFile() const {
    std::string header, data;
    for (const Tensor &tensor : tensors) {
      const auto begin = static_cast<int64_t>(data.size());
      uint64_t count = 1;
      std::string shape;
      for (uint64_t extent : tensor.extents) {
        count *= extent;
        shape += (shape.empty() ? "" : ",") + std::to_string(extent);
      }
      for (uint64_t i = 0; i < count; ++i) {
        auto number = static_cast<float>(i);
        data.append(reinterpret_cast<const char *>(&number), sizeof(number));
      }
      header +=
          (header.empty() ? "{\"" : ",\"") + tensor.name + R"(":{"dtype":")" +
          tensor.type + R"(","shape":[)" + shape + R"(],"data_offsets":[)" +
          std::to_string(begin + tensor.shift) + "," +
          std::to_string(static_cast<int64_t>(data.size()) + tensor.shift) +
          "]}";
    }
    header += "}";
    const uint64_t length = headerBytes.value_or(header.size());
    std::string bytes(reinterpret_cast<const char *>(&length), sizeof(length));
    bytes += header + data;
    bytes.resize(bytes.size() - cut);
    return bytes;
  }

  FolderFiles files() const {
    return {{"config.json", configFile()},
            {"model.safetensors", weightsFile()}};
  }

  /// What the files are stays alive with the builder.
  llvm::Expected<checkpoint::Checkpoint> read() {
    made = files();
    auto container = openFolder(made);
    if (!container)
      return container.takeError();
    return checkpoint::readCheckpoint(std::move(*container));
  }

private:
  FolderFiles made;
};

} // namespace corellama::test

#endif // CORELLAMA_TEST_COMPILER_CHECKPOINT_FOLDERBUILDER_H
