//===- GGUFContainer.cpp - GGUF's tensors as weights ----------------------===//
//
// GGUF's names of a Llama's weights, and of what is refused; the checks are
// those of every container (WeightIndex).
//
//===----------------------------------------------------------------------===//

#include "compiler/Checkpoint/GGUFContainer.h"
#include "compiler/Checkpoint/GGUFConfig.h"
#include "llvm/ADT/Twine.h"
#include "llvm/Support/MathExtras.h"

using llvm::Expected;

namespace corellama::checkpoint {

/// Names of tensors that would change the graph's meaning.
static constexpr WeightNames::Feature kFeatures[] = {
    {".bias", "a bias"},
    {"rope_freqs", "a table of RoPE factors"},
    {"rope_factors", "a table of RoPE factors"},
    {"_exps", "a weight of experts"},
    {"shexp", "a weight of experts"},
    {"ffn_gate_inp", "a weight of experts"},
    {"attn_q_norm", "a norm of queries"},
    {"attn_k_norm", "a norm of keys"},
};

static constexpr WeightNames kNames = {
    .layerPrefix = "blk.",
    .weights = {"token_embd.weight", "output_norm.weight", "output.weight",
                "attn_norm.weight", "attn_q.weight", "attn_k.weight",
                "attn_v.weight", "attn_output.weight", "ffn_norm.weight",
                "ffn_gate.weight", "ffn_up.weight", "ffn_down.weight"},
    .sizes = {"1", "llama.embedding_length",
              "llama.attention.head_count * head size",
              "llama.attention.head_count_kv * head size",
              "llama.feed_forward_length", "vocabulary"},
    .layers = "llama.block_count",
    .features = kFeatures,
    .makeAgain = kConvertAgain,
    .supplyType = "quantize the model to one of them",
    .supplyBlocks = "quantize the model again with a current llama.cpp",
    .supplyBytes = "the download is incomplete, fetch it again",
    .columnsFirst = true,
};

Expected<std::unique_ptr<Container>> GGUFContainer::read(MappedFile file) {
  Expected<GGUF> parsed = GGUF::parse(file.data(), file.path());
  if (!parsed)
    return parsed.takeError();
  std::string path = file.path().str();
  std::vector<MappedFile> files;
  files.push_back(std::move(file));
  return std::unique_ptr<Container>(
      new GGUFContainer(std::move(path), std::move(files), std::move(*parsed)));
}

Expected<ModelConfig> GGUFContainer::readConfig() const {
  return readModelConfig(parsed);
}

static ListedTensor list(const TensorRecord &record, const GGUF &file) {
  ListedTensor tensor;
  tensor.name = record.name;
  tensor.extents = llvm::ArrayRef(record.dimensions, record.dimensionCount);
  tensor.type = toTensorType(record.typeId);
  if (!tensor.type) {
    std::optional<llvm::StringRef> known = typeName(record.typeId);
    tensor.typeName =
        known ? known->str()
              : std::to_string(record.typeId) + ", which is no type of ggml";
  }
  // On overflow of 64 bits the largest value, which is beyond any file.
  tensor.offset = llvm::SaturatingAdd(file.dataOffset(), record.offset);
  return tensor;
}

Expected<std::vector<TensorInfo>>
GGUFContainer::readWeights(const ModelConfig &config) const {
  // A Llama's tensor names have at least 18 characters (output_norm.weight), so
  // the TensorInfos take at most twice the bytes of the tensor table.
  static_assert(sizeof(TensorInfo) <= 2UL * (8 + 18 + 4 + 8 + 4 + 8),
                "the index may not exceed twice the file");
  return indexWeights(
      parsed.tensors().size(),
      [&](size_t i) { return list(parsed.tensors()[i], parsed); }, files(),
      config, kNames);
}

} // namespace corellama::checkpoint
