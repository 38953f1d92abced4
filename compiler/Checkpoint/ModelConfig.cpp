//===- ModelConfig.cpp - metadata to ModelConfig --------------------------===//
//
// Reads the sizes of a Llama out of GGUF metadata. Denies by default: a key of
// the architecture's own namespace (`llama.*`) is read into the configuration,
// or listed below with its one harmless value, or refused. Keys of other
// namespaces describe the model's origin or the tokenizer; the few of them that
// change the graph's meaning are listed as well.
//
//===----------------------------------------------------------------------===//

#include "compiler/Checkpoint/ModelConfig.h"
#include "compiler/Checkpoint/GGUF.h"
#include "compiler/Checkpoint/TensorType.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/Twine.h"
#include <cmath>

using llvm::Error;
using llvm::Expected;
using llvm::StringRef;
using llvm::Twine;

namespace corellama::checkpoint {
namespace {

constexpr StringRef kArchitecture = "llama";
constexpr const char *kConvertAgain =
    "convert the model again with a current llama.cpp";

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
    {"split.count", 1, "", "join the parts with llama-gguf-split --merge"},
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
    {"llama.tensor_data_layout", 0, "Meta AI original pth",
     "convert the model again with a current llama.cpp"},
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

class ConfigReader {
public:
  explicit ConfigReader(const GGUF &file) : file(file) {}

  Expected<ModelConfig> run() {
    for (auto step :
         {&ConfigReader::checkArchitecture, &ConfigReader::checkKeys,
          &ConfigReader::readSizes, &ConfigReader::readHeads,
          &ConfigReader::readFloats, &ConfigReader::readVocabulary})
      if (Error error = (this->*step)())
        return error;
    return std::move(config);
  }

private:
  Error checkArchitecture();
  Error checkKeys();
  Error checkNeutral(const NeutralKey &rule, const Value &value);
  Error readSizes();
  Error readHeads();
  Error readFloats();
  Error readVocabulary();

  /// A whole number from 1 to `most`. If the key is missing, `fallback`, or an
  /// error if `fallback` is 0.
  Error readSize(StringRef key, uint64_t most, uint64_t fallback,
                 uint64_t &result);
  Error readFloat(StringRef key, double least, std::optional<double> fallback,
                  double &result);
  Error refuse(StringRef key, const Twine &problem) {
    return checkpoint::refuse(file.path(), "metadata '" + key + "'", problem);
  }

  const GGUF &file;
  ModelConfig config;
};

Error ConfigReader::checkArchitecture() {
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
  return Error::success();
}

Error ConfigReader::checkKeys() {
  for (uint64_t i = 0; i < file.keyCount(); ++i) {
    StringRef key = file.key(i);
    const auto *rule = llvm::find_if(
        kNeutralKeys, [&](const NeutralKey &row) { return row.key == key; });
    if (rule != std::end(kNeutralKeys)) {
      if (Error error = checkNeutral(*rule, file.value(i)))
        return error;
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
    return checkpoint::refuse(file.path(), "metadata " + quoted(key),
                              "asks for " + meaning +
                                  ", expected a plain Llama; give a "
                                  "checkpoint without it");
  }
  return Error::success();
}

Error ConfigReader::checkNeutral(const NeutralKey &rule, const Value &value) {
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
    return Error::success();
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

Error ConfigReader::readSize(StringRef key, uint64_t most, uint64_t fallback,
                             uint64_t &result) {
  std::optional<Value> value = file.find(key);
  if (!value && fallback != 0) {
    result = fallback;
    return Error::success();
  }
  std::optional<uint64_t> number = value ? value->asUnsigned() : std::nullopt;
  if (number && *number >= 1 && *number <= most) {
    result = *number;
    return Error::success();
  }
  return refuse(key, (value ? "is " + value->describe() : "is missing") +
                         ", expected a whole number from 1 to " + Twine(most) +
                         "; " + kConvertAgain);
}

Error ConfigReader::readFloat(StringRef key, double least,
                              std::optional<double> fallback, double &result) {
  std::optional<Value> value = file.find(key);
  if (!value && fallback) {
    result = *fallback;
    return Error::success();
  }
  std::optional<double> number = value ? value->asFloat() : std::nullopt;
  if (number && std::isfinite(*number) && *number > 0 && *number >= least) {
    result = *number;
    return Error::success();
  }
  std::string limit =
      least > 0 ? "of at least " + std::to_string(int(least)) : "above 0";
  return refuse(key, (value ? "is " + value->describe() : "is missing") +
                         ", expected a finite number " + limit + "; " +
                         kConvertAgain);
}

Error ConfigReader::readSizes() {
  if (Error error = readSize("llama.block_count", kMaxLayers, 0, config.layers))
    return error;
  if (Error error =
          readSize("llama.context_length", kMaxDimension, 0, config.context))
    return error;
  if (Error error =
          readSize("llama.embedding_length", kMaxDimension, 0, config.dim))
    return error;
  return readSize("llama.feed_forward_length", kMaxDimension, 0, config.hidden);
}

Error ConfigReader::readHeads() {
  constexpr StringRef headsKey = "llama.attention.head_count";
  constexpr StringRef kvHeadsKey = "llama.attention.head_count_kv";
  constexpr StringRef keyLengthKey = "llama.attention.key_length";
  constexpr StringRef valueLengthKey = "llama.attention.value_length";
  constexpr StringRef rotatedKey = "llama.rope.dimension_count";

  if (Error error = readSize(headsKey, kMaxDimension, 0, config.heads))
    return error;
  if (Error error =
          readSize(kvHeadsKey, kMaxDimension, config.heads, config.kvHeads))
    return error;
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
  uint64_t valueLength;
  if (Error error =
          readSize(keyLengthKey, kMaxDimension, usual, config.headSize))
    return error;
  if (Error error = readSize(valueLengthKey, kMaxDimension, usual, valueLength))
    return error;
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

  uint64_t rotated;
  if (Error error =
          readSize(rotatedKey, kMaxDimension, config.headSize, rotated))
    return error;
  if (rotated != config.headSize)
    return refuse(rotatedKey, "is " + Twine(rotated) + ", expected " +
                                  Twine(config.headSize) +
                                  " as the size of a head; give a checkpoint "
                                  "whose heads are rotated whole");
  return Error::success();
}

Error ConfigReader::readFloats() {
  if (Error error = readFloat("llama.attention.layer_norm_rms_epsilon",
                              /*least=*/0, std::nullopt, config.eps))
    return error;
  // The default is Llama's own. Below 1 the frequencies would rise.
  return readFloat("llama.rope.freq_base", /*least=*/1, 10000.0,
                   config.ropeBase);
}

Error ConfigReader::readVocabulary() {
  // From the embedding's shape, not from a key: llama.vocab_size is optional.
  const TensorRecord *embedding = file.findTensor("token_embd.weight");
  if (!embedding)
    return checkpoint::refuse(file.path(), "tensor 'token_embd.weight'",
                              Twine("is missing, expected the embedding; ") +
                                  kConvertAgain);
  config.vocab = embedding->dimensions[1];
  config.tiedLMHead = !file.findTensor("output.weight");

  uint64_t stated;
  if (Error error =
          readSize("llama.vocab_size", kMaxDimension, config.vocab, stated))
    return error;
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
  return Error::success();
}

} // namespace

Expected<ModelConfig> readModelConfig(const GGUF &file) {
  return ConfigReader(file).run();
}

} // namespace corellama::checkpoint
