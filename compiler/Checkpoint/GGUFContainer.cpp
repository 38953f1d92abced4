//===- GGUFContainer.cpp - GGUF's tensors as weights ----------------------===//
//
// GGUF's names of a Llama's weights, and of what is refused; the checks are
// those of every container (WeightIndex).
//
//===----------------------------------------------------------------------===//

#include "compiler/Checkpoint/GGUFContainer.h"
#include "compiler/Checkpoint/GGUFConfig.h"
#include "compiler/Checkpoint/Refusal.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/Twine.h"
#include "llvm/Support/MathExtras.h"

using llvm::Expected;
using llvm::StringRef;
using llvm::Twine;

namespace corellama::checkpoint {

/// Names of tensors that would change the graph's meaning.
static constexpr WeightNames::Feature kFeatures[] = {
    {".bias", "a bias that not all layers have, or of another product"},
    {"rope_factors", "a table of RoPE factors for two lengths of context"},
    {"_exps", "a weight of experts"},
    {"shexp", "a weight of experts"},
    {"ffn_gate_inp", "a weight of experts"},
    {"attn_q_norm", "a norm of queries, which only qwen3 has"},
    {"attn_k_norm", "a norm of keys, which only qwen3 has"},
};

static constexpr WeightNames kNames = {
    .layerPrefix = "blk.",
    .weights =
        {"token_embd.weight",  "output_norm.weight", "output.weight",
         "attn_norm.weight",   "attn_q.weight",      "attn_q.bias",
         "attn_k.weight",      "attn_k.bias",        "attn_v.weight",
         "attn_v.bias",        "attn_q_norm.weight", "attn_k_norm.weight",
         "attn_output.weight", "attn_output.bias",   "ffn_norm.weight",
         "ffn_gate.weight",    "ffn_gate.bias",      "ffn_up.weight",
         "ffn_up.bias",        "ffn_down.weight",    "ffn_down.bias"},
    .features = kFeatures,
    .makeAgain = kConvertAgain,
    .supplyType = "quantize the model to one of them",
    .supplyBlocks = "quantize the model again with a current llama.cpp",
    .supplyBytes = "the download is incomplete, fetch it again",
    .columnsFirst = true,
};

/// The number of a key of llama-gguf-split, which writes 16 bits; or nothing.
static std::optional<uint64_t> splitNumber(const GGUF &file, StringRef key) {
  std::optional<Value> value = file.find(key);
  std::optional<uint64_t> number = value ? value->asUnsigned() : std::nullopt;
  return number && *number <= 65535 ? number : std::nullopt;
}

Expected<std::unique_ptr<Container>>
GGUFContainer::read(std::vector<MappedFile> files) {
  std::vector<GGUF> parts;
  for (const auto &[i, file] : llvm::enumerate(files)) {
    Expected<GGUF> part = GGUF::parse(file.data(), file.path());
    if (!part)
      return part.takeError();
    auto expect = [&](StringRef key, uint64_t number,
                      StringRef advice) -> llvm::Error {
      std::optional<Value> value = part->find(key);
      if (splitNumber(*part, key) == number || (!value && files.size() == 1))
        return llvm::Error::success();
      return refuse(file.path(), "metadata '" + key + "'",
                    "is " + (value ? value->describe() : "missing") +
                        ", expected " + Twine(number) + "; " + advice);
    };
    if (llvm::Error error =
            expect("split.no", i,
                   i == 0 ? "give the first part, whose name has -00001-of-"
                          : "fetch the parts again, named as they were "
                            "published"))
      return error;
    if (llvm::Error error =
            expect("split.count", files.size(),
                   "give the first of the parts with the others beside it, "
                   "named as they were published"))
      return error;
    parts.push_back(std::move(*part));
  }
  Expected<GGUF> whole = GGUF::join(std::move(parts));
  if (!whole)
    return whole.takeError();
  std::optional<Value> count = whole->find("split.tensors.count");
  if (count && count->asUnsigned() != whole->tensors().size())
    return refuse(whole->path(), "metadata 'split.tensors.count'",
                  "is " + count->describe() + ", expected " +
                      Twine(whole->tensors().size()) +
                      ", which the parts have; the download is incomplete, "
                      "fetch it again");
  std::string path = files.front().path().str();
  return std::unique_ptr<Container>(
      new GGUFContainer(std::move(path), std::move(files), std::move(*whole)));
}

Expected<std::unique_ptr<Container>> GGUFContainer::open(MappedFile file) {
  std::vector<MappedFile> files;
  files.push_back(std::move(file));
  const std::string first = files.front().path().str();
  StringRef stem = first;
  constexpr StringRef digits = "00000";
  uint64_t count = 0;
  if (!stem.consume_back(".gguf") ||
      stem.take_back(digits.size()).getAsInteger(10, count) ||
      !(stem = stem.drop_back(digits.size())).consume_back("-00001-of-"))
    return read(std::move(files));
  auto pad = [&](uint64_t number) {
    std::string text = std::to_string(number);
    return digits.drop_back(text.size()).str() + text;
  };
  for (uint64_t i = 2; i <= count; ++i) {
    auto next = MappedFile::open(
        (stem + "-" + pad(i) + "-of-" + pad(count) + ".gguf").str());
    if (!next)
      return next.takeError();
    files.push_back(std::move(*next));
  }
  return read(std::move(files));
}

std::optional<ModelConfig> GGUFContainer::readConfig(Refusals &refusals) const {
  return readModelConfig(parsed, refusals);
}

static ListedTensor list(const TensorRecord &record, const GGUF &file) {
  ListedTensor tensor;
  tensor.name = record.name;
  tensor.extents.assign(record.dimensions,
                        record.dimensions + record.dimensionCount);
  tensor.type = toTensorType(record.typeId);
  if (!tensor.type) {
    std::optional<llvm::StringRef> known = typeName(record.typeId);
    tensor.typeName =
        known ? known->str()
              : std::to_string(record.typeId) + ", which is no type of ggml";
  }
  // On overflow of 64 bits the largest value, which is beyond any file.
  tensor.file = record.part;
  tensor.offset =
      llvm::SaturatingAdd(file.dataOffset(record.part), record.offset);
  return tensor;
}

void GGUFContainer::visitTensors(
    llvm::function_ref<void(const TensorSummary &)> use) const {
  for (const TensorRecord &record : parsed.tensors()) {
    const ListedTensor tensor = list(record, parsed);
    use({tensor.name,
         tensor.type ? getName(*tensor.type).str() : tensor.typeName,
         {tensor.extents.rbegin(), tensor.extents.rend()}});
  }
}

std::vector<TensorInfo> GGUFContainer::readWeights(const ModelConfig &config,
                                                   Refusals &refusals) const {
  // A Llama's tensor names have at least 17 characters (blk.0.attn_q.bias), so
  // the TensorInfos take at most twice the bytes of the tensor table.
  static_assert(sizeof(TensorInfo) <= 2UL * (8 + 17 + 4 + 8 + 4 + 8),
                "the index may not exceed twice the file");
  // Keys begin with the name of the architecture.
  auto key = [&](const char *text) { return config.architecture + text; };
  const std::string dim = key(".embedding_length"),
                    queries = key(".attention.head_count * head size"),
                    keys = key(".attention.head_count_kv * head size"),
                    hidden = key(".feed_forward_length"),
                    layers = key(".block_count");
  WeightNames names = kNames;
  const StringRef sizes[kSideCount] = {"1",    dim,          queries,    keys,
                                       hidden, "vocabulary", "head size"};
  llvm::copy(sizes, names.sizes);
  names.layers = layers;
  names.queriesKeys = getRowOrder(config);
  // The factors are data of the configuration.
  std::vector<const TensorRecord *> weights;
  weights.reserve(parsed.tensors().size());
  for (const TensorRecord &record : parsed.tensors())
    if (record.name != kRopeFactors)
      weights.push_back(&record);
  return indexWeights(
      weights.size(), [&](size_t i) { return list(*weights[i], parsed); },
      files(), config, names, refusals);
}

} // namespace corellama::checkpoint
