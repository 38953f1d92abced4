//===- GGUFConfig.cpp - a GGUF file's model configuration -----------------===//
//
// Reads the sizes of a Llama out of GGUF metadata. Denies by default: a key of
// the architecture's own namespace (`llama.*`) is read into the configuration,
// or listed below with its one harmless value, or refused. Keys of other
// namespaces describe the model's origin or the tokenizer; the few of them that
// change the graph's meaning are listed as well.
//
//===----------------------------------------------------------------------===//

#include "compiler/Checkpoint/GGUFConfig.h"
#include "compiler/Checkpoint/Refusal.h"
#include "compiler/Checkpoint/TensorType.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/Twine.h"
#include <cmath>

using llvm::Expected;
using llvm::StringRef;
using llvm::Twine;

namespace corellama::checkpoint {
namespace {

constexpr StringRef kArchitecture = "llama";

/// Keys that ConfigReader reads into the configuration or compares with it.
constexpr StringRef kReadKeys[] = {
    "llama.attention.head_count",   "llama.attention.head_count_kv",
    "llama.attention.key_length",   "llama.attention.layer_norm_rms_epsilon",
    "llama.attention.value_length", "llama.block_count",
    "llama.context_length",         "llama.embedding_length",
    "llama.feed_forward_length",    "llama.rope.dimension_count",
    "llama.rope.freq_base",         "llama.vocab_size",
};

/// A key that is harmless with exactly this value (a number, a bool as 0 or 1,
/// or a text), and what to do where it has another.
struct NeutralKey {
  StringRef key;
  double number;
  StringRef text; ///< compared instead of the number where not empty
  StringRef advice;
};

constexpr NeutralKey kNeutralKeys[] = {
    // Files of an adapter or a projector have tensors of the same names.
    {"general.type", 0, "model", "give the model that it belongs to"},
    // Version 1 packed the quantised types in another order.
    {"general.quantization_version", 2, "",
     "quantize the model again with a current llama.cpp"},
    {"llama.attention.causal", 1, "",
     "give a checkpoint whose attention looks back only"},
    {"llama.attention.clamp_kqv", 0, "",
     "give a checkpoint without clamped q, k and v"},
    {"llama.attention.max_alibi_bias", 0, "",
     "give a checkpoint without ALiBi"},
    {"llama.attention.sliding_window", 0, "",
     "give a checkpoint without a sliding window"},
    {"llama.embedding_scale", 1, "",
     "give a checkpoint without a scaled embedding"},
    {"llama.expert_count", 0, "", "give a checkpoint without experts"},
    {"llama.expert_used_count", 0, "", "give a checkpoint without experts"},
    {"llama.logit_scale", 1, "", "give a checkpoint without scaled logits"},
    {"llama.residual_scale", 1, "",
     "give a checkpoint without a scaled residual"},
    {"llama.rope.scale_linear", 1, "",
     "give a checkpoint without RoPE scaling"},
    {"llama.rope.scaling.attn_factor", 1, "",
     "give a checkpoint without RoPE scaling"},
    {"llama.rope.scaling.factor", 1, "",
     "give a checkpoint without RoPE scaling"},
    {"llama.rope.scaling.type", 0, "none",
     "give a checkpoint without RoPE scaling"},
    // Old converters wrote it although the rows are in the usual order.
    {"llama.tensor_data_layout", 0, "Meta AI original pth", kConvertAgain},
    {"llama.use_parallel_residual", 0, "",
     "give a checkpoint without a parallel residual"},
};

/// What a key that is in neither list means, by its prefix; the first match
/// counts. Only for the message: the key is refused in any case.
struct Feature {
  StringRef prefix;
  StringRef meaning;
};

constexpr Feature kFeatures[] = {
    {"llama.rope.scaling.", "RoPE scaling"},
    {"llama.rope.", "another form of RoPE"},
    {"llama.attention.sliding_window", "a sliding window"},
    {"llama.attention.", "another form of attention"},
    {"llama.expert", "experts"},
};

/// Keeps its first error, so that a step can read on.
class ConfigReader {
public:
  explicit ConfigReader(const GGUF &file) : file(file) {}

  Expected<ModelConfig> run() {
    checkArchitecture();
    checkKeys();
    readSizes();
    readHeads();
    readFloats();
    readVocabulary();
    if (!failure.empty())
      return llvm::createStringError(failure);
    return std::move(config);
  }

private:
  void checkArchitecture();
  void checkKeys();
  void checkNeutral(const NeutralKey &rule, const Value &value);
  void readSizes();
  void readHeads();
  void readFloats();
  void readVocabulary();

  /// A whole number from 1 to `most`. If the key is missing, `fallback`, or an
  /// error if `fallback` is 0. 1 after an error.
  uint64_t readSize(StringRef key, uint64_t most, uint64_t fallback = 0);
  double readFloat(StringRef key, double least,
                   std::optional<double> fallback = std::nullopt);
  void refuseAt(const Twine &place, const Twine &problem) {
    if (failure.empty())
      failure = llvm::toString(checkpoint::refuse(file.path(), place, problem));
  }
  void refuse(StringRef key, const Twine &problem) {
    refuseAt("metadata '" + key + "'", problem);
  }

  const GGUF &file;
  ModelConfig config;
  std::string failure;
};

void ConfigReader::checkArchitecture() {
  constexpr StringRef key = "general.architecture";
  std::optional<Value> value = file.find(key);
  if (!value)
    return refuse(key, "is missing, expected '" + kArchitecture + "'; " +
                           kConvertAgain);
  std::optional<StringRef> text = value->asString();
  if (text != kArchitecture)
    return refuse(key, "is " + value->describe() + ", expected '" +
                           kArchitecture +
                           "'; give a checkpoint of a Llama model");
  config.architecture = text->str();
  if (std::optional<Value> name = file.find("general.name"))
    config.name = name->asString().value_or("").str();
}

void ConfigReader::checkKeys() {
  for (uint64_t i = 0; i < file.keyCount(); ++i) {
    StringRef key = file.key(i);
    const auto *rule = llvm::find_if(
        kNeutralKeys, [&](const NeutralKey &row) { return row.key == key; });
    if (rule != std::end(kNeutralKeys)) {
      checkNeutral(*rule, file.value(i));
      continue;
    }
    if (!key.starts_with("llama.") || llvm::is_contained(kReadKeys, key))
      continue;
    StringRef meaning = "something that this compiler does not know";
    for (const Feature &feature : kFeatures) {
      if (!key.starts_with(feature.prefix))
        continue;
      meaning = feature.meaning;
      break;
    }
    return refuseAt("metadata " + quoted(key),
                    "asks for " + meaning +
                        ", expected a plain Llama; give a "
                        "checkpoint without it");
  }
}

void ConfigReader::checkNeutral(const NeutralKey &rule, const Value &value) {
  std::optional<bool> flag = value.asBool();
  bool isNeutral;
  if (!rule.text.empty())
    isNeutral = value.asString() == rule.text;
  else if (flag)
    isNeutral = double(*flag) == rule.number;
  else if (std::optional<double> number = value.asFloat())
    isNeutral = *number == rule.number;
  else if (std::optional<uint64_t> whole = value.asUnsigned())
    isNeutral = double(*whole) == rule.number;
  else
    isNeutral = false;
  if (isNeutral)
    return;
  std::string neutral;
  if (!rule.text.empty())
    neutral = quoted(rule.text);
  else if (flag)
    neutral = rule.number != 0 ? "true" : "false";
  else
    neutral = std::to_string(static_cast<int>(rule.number));
  return refuse(rule.key, "is " + value.describe() + ", expected " + neutral +
                              "; " + rule.advice);
}

uint64_t ConfigReader::readSize(StringRef key, uint64_t most,
                                uint64_t fallback) {
  std::optional<Value> value = file.find(key);
  if (!value && fallback != 0)
    return fallback;
  std::optional<uint64_t> number = value ? value->asUnsigned() : std::nullopt;
  if (number && *number >= 1 && *number <= most)
    return *number;
  refuse(key, (value ? "is " + value->describe() : "is missing") +
                  ", expected a whole number from 1 to " + Twine(most) + "; " +
                  kConvertAgain);
  return 1;
}

double ConfigReader::readFloat(StringRef key, double least,
                               std::optional<double> fallback) {
  std::optional<Value> value = file.find(key);
  if (!value && fallback)
    return *fallback;
  std::optional<double> number = value ? value->asFloat() : std::nullopt;
  if (number && std::isfinite(*number) && *number > 0 && *number >= least)
    return *number;
  std::string limit =
      least > 0 ? "of at least " + std::to_string(int(least)) : "above 0";
  refuse(key, (value ? "is " + value->describe() : "is missing") +
                  ", expected a finite number " + limit + "; " + kConvertAgain);
  return 1;
}

void ConfigReader::readSizes() {
  config.layers = readSize("llama.block_count", kMaxLayers);
  config.context = readSize("llama.context_length", kMaxDimension);
  config.dim = readSize("llama.embedding_length", kMaxDimension);
  config.hidden = readSize("llama.feed_forward_length", kMaxDimension);
}

void ConfigReader::readHeads() {
  constexpr StringRef headsKey = "llama.attention.head_count";
  constexpr StringRef kvHeadsKey = "llama.attention.head_count_kv";
  constexpr StringRef keyLengthKey = "llama.attention.key_length";
  constexpr StringRef valueLengthKey = "llama.attention.value_length";
  constexpr StringRef rotatedKey = "llama.rope.dimension_count";

  config.heads = readSize(headsKey, kMaxDimension);
  config.kvHeads = readSize(kvHeadsKey, kMaxDimension, config.heads);
  if (config.heads % config.kvHeads != 0)
    return refuse(kvHeadsKey, "is " + Twine(config.kvHeads) +
                                  ", expected a divisor of " + headsKey + " " +
                                  Twine(config.heads) + "; " + kConvertAgain);

  // Both lengths default to dim / heads, so if only one is given they may
  // differ.
  uint64_t usual =
      config.dim % config.heads == 0 ? config.dim / config.heads : 0;
  bool bothGiven = file.find(keyLengthKey) && file.find(valueLengthKey);
  if (!usual && !bothGiven)
    return refuse(headsKey, "is " + Twine(config.heads) +
                                ", expected a divisor of "
                                "llama.embedding_length " +
                                Twine(config.dim) + "; " + kConvertAgain);
  config.headSize = readSize(keyLengthKey, kMaxDimension, usual);
  uint64_t valueLength = readSize(valueLengthKey, kMaxDimension, usual);
  if (valueLength != config.headSize)
    return refuse(valueLengthKey,
                  "is " + Twine(valueLength) + ", expected " +
                      Twine(config.headSize) + ", the length of a key (" +
                      keyLengthKey + "); give a checkpoint with one head size");
  if (config.headSize % 2 != 0)
    return refuse(file.find(keyLengthKey) ? keyLengthKey : headsKey,
                  "gives heads of " + Twine(config.headSize) +
                      ", expected an even size for RoPE's pairs; " +
                      kConvertAgain);
  if (config.headSize > kMaxDimension / config.heads)
    return refuse(headsKey, "gives " + Twine(config.heads) + " heads of " +
                                Twine(config.headSize) +
                                ", expected a product of at most " +
                                Twine(kMaxDimension) + "; " + kConvertAgain);

  uint64_t rotated = readSize(rotatedKey, kMaxDimension, config.headSize);
  if (rotated != config.headSize)
    return refuse(rotatedKey, "is " + Twine(rotated) + ", expected " +
                                  Twine(config.headSize) +
                                  " as the size of a head; give a checkpoint "
                                  "whose heads are rotated whole");
}

void ConfigReader::readFloats() {
  config.eps = readFloat("llama.attention.layer_norm_rms_epsilon", /*least=*/0);
  // The default is Llama's own. Below 1 the frequencies would rise.
  config.ropeBase = readFloat("llama.rope.freq_base", /*least=*/1, 10000.0);
}

void ConfigReader::readVocabulary() {
  // From the embedding's shape, not from a key: llama.vocab_size is optional.
  const TensorRecord *embedding = file.findTensor("token_embd.weight");
  if (!embedding)
    return refuseAt("tensor 'token_embd.weight'",
                    Twine("is missing, expected the embedding; ") +
                        kConvertAgain);
  config.vocab = embedding->dimensions[1];
  config.tiedLMHead = !file.findTensor("output.weight");

  uint64_t stated = readSize("llama.vocab_size", kMaxDimension, config.vocab);
  if (stated != config.vocab)
    return refuse("llama.vocab_size",
                  "is " + Twine(stated) + ", expected " + Twine(config.vocab) +
                      " as the rows of token_embd.weight; " + kConvertAgain);

  constexpr StringRef tokensKey = "tokenizer.ggml.tokens";
  std::optional<Value> tokens = file.find(tokensKey);
  if (tokens && (tokens->element != ValueType::String || !tokens->isArray() ||
                 tokens->count != config.vocab))
    return refuse(tokensKey, "is " + tokens->describe() +
                                 ", expected an array of " +
                                 Twine(config.vocab) +
                                 " x string, one for each row of "
                                 "token_embd.weight; " +
                                 kConvertAgain);
}

} // namespace

Expected<ModelConfig> readModelConfig(const GGUF &file) {
  return ConfigReader(file).run();
}

} // namespace corellama::checkpoint
