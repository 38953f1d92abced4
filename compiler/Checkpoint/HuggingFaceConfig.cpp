//===- HuggingFaceConfig.cpp - the configuration of a folder --------------===//
//
// What a key means is what `transformers` does with it in its LlamaForCausalLM
// (models/llama/configuration_llama.py and modeling_llama.py), which reads a
// closed set of keys and ignores all others; so does this reader. Defaults of
// keys that are missing are those of LlamaConfig.
//
//===----------------------------------------------------------------------===//

#include "compiler/Checkpoint/HuggingFaceConfig.h"
#include "compiler/Checkpoint/Refusal.h"
#include "compiler/Checkpoint/TensorType.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/Twine.h"
#include <cmath>

using llvm::Expected;
using llvm::StringRef;
using llvm::Twine;

namespace corellama::checkpoint {
namespace {

/// A key that may be missing or null, or have this one harmless value.
struct NeutralKey {
  StringRef key;
  StringRef neutral; ///< as JsonValue::describe spells it
  StringRef advice;
};

constexpr StringRef kWithoutBiases = "give a checkpoint without biases";
constexpr StringRef kPlainWeights =
    "give the checkpoint of plain weights that it was made from";

constexpr NeutralKey kNeutralKeys[] = {
    {"attention_bias", "false", kWithoutBiases},
    {"mlp_bias", "false", kWithoutBiases},
    {"hidden_act", "'silu'", "give a checkpoint with SwiGLU"},
    {"partial_rotary_factor", "1.0",
     "give a checkpoint whose heads are rotated whole"},
    {"quantization_config", "null", kPlainWeights},
    {"compression_config", "null", kPlainWeights},
    // Code in the checkpoint gives the keys another meaning.
    {"auto_map", "null", "give a checkpoint that needs no code of its own"},
    // Not read by transformers' Llama, but by the trainers that wrote them.
    {"sliding_window", "null", "give a checkpoint without a sliding window"},
    {"rope_interleaved", "false", "convert the checkpoint to half-split heads"},
};

class ConfigReader {
public:
  ConfigReader(JsonValue root, StringRef path) : root(root), path(path) {}

  Expected<ModelConfig> run() {
    if (!root.isObject())
      return checkpoint::refuse(path, "file",
                                "is " + root.describe() +
                                    ", expected an object of keys; give the "
                                    "config.json of a Llama");
    readArchitecture();
    readSizes();
    readHeads();
    readRope();
    for (const NeutralKey &rule : kNeutralKeys)
      if (auto value = find(rule.key);
          value && value->describe() != rule.neutral)
        refuse(rule.key, value, rule.neutral, rule.advice);
    if (refusals.empty())
      return std::move(config);
    return llvm::createStringError(path + ": " +
                                   llvm::join(refusals, "; also "));
  }

private:
  /// Null is as good as missing.
  std::optional<JsonValue> find(StringRef key) const {
    auto value = root.find(key);
    return value && !value->isNull() ? value : std::nullopt;
  }
  void refuse(StringRef key, std::optional<JsonValue> value,
              const Twine &expected, const Twine &advice) {
    refusals.push_back(("key '" + key + "': is " +
                        (value ? value->describe() : "missing") +
                        ", expected " + expected + "; " + advice)
                           .str());
  }

  void readArchitecture();
  void readSizes();
  void readHeads();
  void readRope();
  /// A whole number from 1 to `most`. If the key is missing, `fallback`, or
  /// refused if `fallback` is 0. 1 after a refusal.
  uint64_t readSize(StringRef key, uint64_t most, uint64_t fallback = 0);
  double readFloat(StringRef key, std::optional<JsonValue> value, double least,
                   double fallback);

  JsonValue root;
  StringRef path;
  ModelConfig config;
  std::vector<std::string> refusals;
};

constexpr StringRef kGiveWhole =
    "give the folder of a Llama for transformers, as it was published";

void ConfigReader::readArchitecture() {
  auto type = find("model_type");
  if (!type || type->asString() != "llama")
    return refuse("model_type", type, "'llama'",
                  "give a checkpoint of a Llama model");
  config.architecture = "llama";
  auto classes = find("architectures");
  if (!classes)
    return;
  std::vector<JsonValue> names = classes->elements();
  if (names.size() != 1 || names[0].asString() != "LlamaForCausalLM")
    refuse("architectures", names.size() == 1 ? names[0] : *classes,
           "'LlamaForCausalLM'", "give a model that predicts tokens");
}

uint64_t ConfigReader::readSize(StringRef key, uint64_t most,
                                uint64_t fallback) {
  auto value = find(key);
  if (!value && fallback != 0)
    return fallback;
  std::optional<uint64_t> number = value ? value->asUnsigned() : std::nullopt;
  if (number && *number >= 1 && *number <= most)
    return *number;
  refuse(key, value, "a whole number from 1 to " + Twine(most), kGiveWhole);
  return 1;
}

double ConfigReader::readFloat(StringRef key, std::optional<JsonValue> value,
                               double least, double fallback) {
  if (!value)
    return fallback;
  std::optional<double> number = value->asNumber();
  if (number && std::isfinite(*number) && *number > 0 && *number >= least)
    return *number;
  refuse(key, value,
         least > 0 ? "a finite number of at least 1"
                   : "a finite number above 0",
         kGiveWhole);
  return 1;
}

void ConfigReader::readSizes() {
  config.layers = readSize("num_hidden_layers", kMaxLayers);
  config.context = readSize("max_position_embeddings", kMaxDimension, 2048);
  config.dim = readSize("hidden_size", kMaxDimension);
  config.hidden = readSize("intermediate_size", kMaxDimension);
  config.vocab = readSize("vocab_size", kMaxDimension);
  config.eps = readFloat("rms_norm_eps", find("rms_norm_eps"), /*least=*/0,
                         /*fallback=*/1e-6);
  auto tied = find("tie_word_embeddings");
  if (tied && !tied->asBool())
    refuse("tie_word_embeddings", tied, "true or false", kGiveWhole);
  config.tiedLMHead = tied && tied->asBool().value_or(false);
}

void ConfigReader::readHeads() {
  constexpr StringRef headsKey = "num_attention_heads",
                      keysKey = "num_key_value_heads", sizeKey = "head_dim";
  config.heads = readSize(headsKey, kMaxDimension);
  config.kvHeads = readSize(keysKey, kMaxDimension, config.heads);
  if (config.heads % config.kvHeads != 0)
    refuse(keysKey, find(keysKey),
           "a divisor of " + headsKey + " " + Twine(config.heads), kGiveWhole);
  if (!find(sizeKey) && config.dim % config.heads != 0)
    return refuse(headsKey, find(headsKey),
                  "a divisor of hidden_size " + Twine(config.dim), kGiveWhole);
  config.headSize = readSize(sizeKey, kMaxDimension,
                             std::max<uint64_t>(1, config.dim / config.heads));
  config.rotated = config.headSize;
  if (config.headSize % 2 != 0)
    refuse(find(sizeKey) ? sizeKey : headsKey,
           find(find(sizeKey) ? sizeKey : headsKey),
           "an even size of a head, not " + Twine(config.headSize), kGiveWhole);
  if (config.headSize > kMaxDimension / config.heads)
    refuse(headsKey, find(headsKey),
           "heads of " + Twine(config.headSize) + " with at most " +
               Twine(kMaxDimension) + " columns",
           kGiveWhole);
}

/// transformers 4 has `rope_theta` and `rope_scaling`, 5 both in
/// `rope_parameters`.
void ConfigReader::readRope() {
  auto base = find("rope_theta");
  for (StringRef key : {"rope_scaling", "rope_parameters"}) {
    auto scaling = find(key);
    if (!scaling)
      continue;
    auto type = scaling->find("rope_type");
    if (!type)
      type = scaling->find("type"); // its name until transformers 4.43
    if (!scaling->isObject() || (type && type->asString() != "default"))
      refuse((key + (type ? ".rope_type" : "")).str(), type ? type : scaling,
             "'default'", "give a checkpoint without RoPE scaling");
    for (const auto &[name, value] : scaling->members())
      if (name == "rope_theta")
        base = value;
      else if (name == "partial_rotary_factor" && value.describe() != "1.0")
        refuse((key + "." + name).str(), value, "1.0",
               "give a checkpoint whose heads are rotated whole");
  }
  // Below 1 the frequencies would rise.
  config.ropeBase = readFloat("rope_theta", base, /*least=*/1, 10000.0);
}

} // namespace

Expected<ModelConfig> readModelConfig(JsonValue root, StringRef path) {
  return ConfigReader(root, path).run();
}

} // namespace corellama::checkpoint
