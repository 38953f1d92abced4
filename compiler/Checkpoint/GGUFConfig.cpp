//===- GGUFConfig.cpp - a GGUF file's model configuration -----------------===//
//
// Reads what a Llama or a model of its family is out of GGUF metadata. Denies
// by default: a key of the architecture's own namespace (`llama.*`) is read
// into the configuration, or listed below with its one harmless value, or
// refused. Keys of other namespaces describe the model's origin or the
// tokenizer; the few of them that change the graph's meaning are listed as
// well.
//
//===----------------------------------------------------------------------===//

#include "compiler/Checkpoint/GGUFConfig.h"
#include "compiler/Checkpoint/Refusal.h"
#include "compiler/Checkpoint/Roles.h"
#include "compiler/Checkpoint/TensorType.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/Twine.h"
#include "llvm/ADT/bit.h"
#include "llvm/Support/Endian.h"
#include "llvm/Support/MathExtras.h"
#include <cmath>
#include <limits>
#include <utility>

using llvm::StringRef;
using llvm::Twine;

namespace corellama::checkpoint {
namespace {

/// What files of an architecture have beside the keys.
struct Architecture {
  StringRef name;
  RowOrder queriesKeys;
  bool hasHeadNorms; ///< of queries and keys
};

constexpr Architecture kArchitectures[] = {
    {"llama", RowOrder::Pairs, false},
    {"qwen2", RowOrder::HalfSplit, false},
    {"qwen3", RowOrder::HalfSplit, true},
    {"granite", RowOrder::Pairs, false},
};
constexpr StringRef kArchitectureNames =
    "'llama', 'qwen2', 'qwen3' or 'granite'";

const Architecture *findArchitecture(StringRef name) {
  const auto *row = llvm::find_if(kArchitectures, [&](const Architecture &row) {
    return row.name == name;
  });
  return row == std::end(kArchitectures) ? nullptr : row;
}

/// Keys that ConfigReader reads into the configuration or compares with it, as
/// all keys below without the name of the architecture before them.
constexpr StringRef kReadKeys[] = {
    "attention.head_count",
    "attention.head_count_kv",
    "attention.key_length",
    "attention.layer_norm_rms_epsilon",
    "attention.scale",
    "attention.sliding_window",
    "attention.sliding_window_pattern",
    "attention.value_length",
    "block_count",
    "context_length",
    "embedding_length",
    "embedding_scale",
    "feed_forward_length",
    "logit_scale",
    "residual_scale",
    "rope.dimension_count",
    "rope.freq_base",
    "rope.scale_linear",
    "rope.scaling.attn_factor",
    "rope.scaling.factor",
    // What the model was trained with; the other keys say what it computes.
    "rope.scaling.finetuned",
    "rope.scaling.original_context_length",
    "rope.scaling.type",
    "rope.scaling.yarn_beta_fast",
    "rope.scaling.yarn_beta_slow",
    "vocab_size",
};

/// A key that is harmless with exactly this value (a number, a bool as 0 or 1,
/// or a text), and what to do where it has another.
struct NeutralKey {
  StringRef key;
  double number;
  StringRef text; ///< compared instead of the number where not empty
  StringRef advice;
};

/// Of any architecture.
constexpr NeutralKey kGeneralKeys[] = {
    // Files of an adapter or a projector have tensors of the same names.
    {"general.type", 0, "model", "give the model that it belongs to"},
    // Version 1 packed the quantised types in another order.
    {"general.quantization_version", 2, "",
     "quantize the model again with a current llama.cpp"},
};

constexpr NeutralKey kNeutralKeys[] = {
    {"attention.causal", 1, "",
     "give a checkpoint whose attention looks back only"},
    {"attention.clamp_kqv", 0, "",
     "give a checkpoint without clamped q, k and v"},
    {"attention.max_alibi_bias", 0, "", "give a checkpoint without ALiBi"},
    {"expert_count", 0, "", "give a checkpoint without experts"},
    {"expert_used_count", 0, "", "give a checkpoint without experts"},
    {"rope.scaling.yarn_attn_factor", 1, "",
     "give a checkpoint with YaRN's own factor of attention"},
    {"rope.scaling.yarn_ext_factor", 1, "",
     "give a checkpoint with YaRN's own range of pairs"},
    {"rope.scaling.yarn_log_multiplier", 0, "",
     "give a checkpoint with YaRN's own factor of attention"},
    // Old converters wrote it although the rows are in the usual order.
    {"tensor_data_layout", 0, "Meta AI original pth", kConvertAgain},
    {"use_parallel_residual", 0, "",
     "give a checkpoint without a parallel residual"},
};

/// What a key that is in no list means, by its prefix; the first match counts.
/// Only for the message: the key is refused in any case.
struct Feature {
  StringRef prefix;
  StringRef meaning;
};

constexpr Feature kFeatures[] = {
    {"rope.scaling.", "another scaling of RoPE"},
    {"rope.", "another form of RoPE"},
    {"attention.sliding_window", "another form of window"},
    {"attention.", "another form of attention"},
    {"expert", "experts"},
};

/// Collects refusals, so that a step can read on.
class ConfigReader {
public:
  ConfigReader(const GGUF &file, Refusals &refusals)
      : file(file), refusals(refusals) {}

  std::optional<ModelConfig> run() {
    checkArchitecture();
    // The keys of another one mean what they mean there.
    if (!architecture)
      return std::nullopt;
    checkKeys();
    readSizes();
    readHeads();
    readWindow();
    readFloats();
    readRope();
    readVocabulary();
    readOptionalRoles();
    if (!hasSizes)
      config.headSize = 0;
    return std::move(config);
  }

private:
  void checkArchitecture();
  void checkKeys();
  void checkNeutral(StringRef key, const NeutralKey &rule, const Value &value);
  void readSizes();
  void readHeads();
  void readWindow();
  void readFloats();
  void readRope();
  void readRopeFactors();
  void readVocabulary();
  void readOptionalRoles();

  /// A key of the architecture, whole.
  std::string own(StringRef key) {
    return (config.architecture + "." + key).str();
  }

  /// A whole number from `least` to `most`. If the key is missing, `fallback`,
  /// or an error if `fallback` is 0. Nothing after an error, so that no value
  /// is compared that the file does not have.
  std::optional<uint64_t> readSize(StringRef key, uint64_t most,
                                   uint64_t fallback = 0, uint64_t least = 1);
  /// A number above 0 that is finite and from `least` to `most`; the same.
  std::optional<double>
  readFloat(StringRef key, std::optional<double> fallback = std::nullopt,
            double least = 0,
            double most = std::numeric_limits<double>::infinity());
  void refuseAt(const Twine &place, const Twine &problem) {
    refusals.add(file.path(), place, problem);
  }
  void refuse(StringRef key, const Twine &problem) {
    refuseAt("metadata '" + key + "'", problem);
  }

  void refuseSize(StringRef key, const Twine &problem) {
    refuse(key, problem);
    hasSizes = false;
  }

  const GGUF &file;
  Refusals &refusals;
  ModelConfig config;
  bool hasSizes = true;
  const Architecture *architecture = nullptr; ///< where it is a known one
};

void ConfigReader::checkArchitecture() {
  constexpr StringRef key = "general.architecture";
  std::optional<Value> value = file.find(key);
  if (!value)
    return refuse(key, "is missing, expected " + kArchitectureNames + "; " +
                           kConvertAgain);
  config.architecture = value->asString().value_or("").str();
  architecture = findArchitecture(config.architecture);
  if (!architecture)
    refuse(key, "is " + value->describe() + ", expected " + kArchitectureNames +
                    "; give a checkpoint of one of them");
  if (std::optional<Value> name = file.find("general.name"))
    config.name = name->asString().value_or("").str();
}

void ConfigReader::checkKeys() {
  for (uint64_t i = 0; i < file.keyCount(); ++i) {
    StringRef key = file.key(i), within = key;
    bool isOwn =
        within.consume_front(architecture->name) && within.consume_front(".");
    auto check = [&](llvm::ArrayRef<NeutralKey> rules, StringRef name) {
      const NeutralKey *rule = llvm::find_if(
          rules, [&](const NeutralKey &row) { return row.key == name; });
      if (rule == rules.end())
        return false;
      checkNeutral(key, *rule, file.value(i));
      return true;
    };
    if (check(kGeneralKeys, key) || !isOwn || check(kNeutralKeys, within) ||
        llvm::is_contained(kReadKeys, within))
      continue;
    StringRef meaning = "something that this compiler does not know";
    for (const Feature &feature : kFeatures) {
      if (!within.starts_with(feature.prefix))
        continue;
      meaning = feature.meaning;
      break;
    }
    refuseAt("metadata " + quoted(key),
             "is " + file.value(i).describe() + ", which asks for " + meaning +
                 ", expected a plain Llama; give a checkpoint without it");
  }
}

void ConfigReader::checkNeutral(StringRef key, const NeutralKey &rule,
                                const Value &value) {
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
  return refuse(key, "is " + value.describe() + ", expected " + neutral + "; " +
                         rule.advice);
}

std::optional<uint64_t> ConfigReader::readSize(StringRef key, uint64_t most,
                                               uint64_t fallback,
                                               uint64_t least) {
  std::optional<Value> value = file.find(key);
  if (!value && fallback != 0)
    return fallback;
  std::optional<uint64_t> number = value ? value->asUnsigned() : std::nullopt;
  if (number && *number >= least && *number <= most)
    return *number;
  refuseSize(key, (value ? "is " + value->describe() : "is missing") +
                      ", expected a whole number from " + Twine(least) +
                      " to " + Twine(most) + "; " + kConvertAgain);
  return std::nullopt;
}

std::optional<double> ConfigReader::readFloat(StringRef key,
                                              std::optional<double> fallback,
                                              double least, double most) {
  std::optional<Value> value = file.find(key);
  if (!value && fallback)
    return fallback;
  std::optional<double> number = value ? value->asFloat() : std::nullopt;
  if (number && isWithin(*number, least, most))
    return number;
  refuse(key, (value ? "is " + value->describe() : "is missing") +
                  ", expected " + describeRange(least, most) + "; " +
                  kConvertAgain);
  return std::nullopt;
}

void ConfigReader::readSizes() {
  config.layers = readSize(own("block_count"), kMaxLayers).value_or(0);
  config.context = readSize(own("context_length"), kMaxDimension).value_or(1);
  config.dim = readSize(own("embedding_length"), kMaxDimension).value_or(1);
  config.hidden =
      readSize(own("feed_forward_length"), kMaxDimension).value_or(1);
}

void ConfigReader::readHeads() {
  const std::string headsKey = own("attention.head_count"),
                    kvHeadsKey = own("attention.head_count_kv"),
                    keyLengthKey = own("attention.key_length"),
                    valueLengthKey = own("attention.value_length");

  config.heads = readSize(headsKey, kMaxDimension).value_or(1);
  config.kvHeads =
      readSize(kvHeadsKey, kMaxDimension, config.heads).value_or(1);
  // What follows from a refused size is not worth a line.
  if (!hasSizes)
    return;
  if (config.heads % config.kvHeads != 0)
    return refuseSize(kvHeadsKey, "is " + Twine(config.kvHeads) +
                                      ", expected a divisor of " + headsKey +
                                      " " + Twine(config.heads) + "; " +
                                      kConvertAgain);

  // Both lengths default to dim / heads, so if only one is given they may
  // differ.
  uint64_t usual =
      config.dim % config.heads == 0 ? config.dim / config.heads : 0;
  bool bothGiven = file.find(keyLengthKey) && file.find(valueLengthKey);
  if (!usual && !bothGiven)
    return refuseSize(headsKey, "is " + Twine(config.heads) +
                                    ", expected a divisor of " +
                                    own("embedding_length") + " " +
                                    Twine(config.dim) + "; " + kConvertAgain);
  std::optional<uint64_t> keyLength =
      readSize(keyLengthKey, kMaxDimension, usual);
  std::optional<uint64_t> valueLength =
      readSize(valueLengthKey, kMaxDimension, usual);
  if (!keyLength || !valueLength)
    return;
  config.headSize = *keyLength;
  if (*valueLength != config.headSize)
    return refuseSize(valueLengthKey,
                      "is " + Twine(*valueLength) + ", expected " +
                          Twine(config.headSize) + ", the length of a key (" +
                          keyLengthKey +
                          "); give a checkpoint with one head size");
  if (config.headSize % 2 != 0)
    return refuseSize(file.find(keyLengthKey) ? keyLengthKey : headsKey,
                      "gives heads of " + Twine(config.headSize) +
                          ", expected an even size for RoPE's pairs; " +
                          kConvertAgain);
  if (config.headSize > kMaxDimension / config.heads)
    return refuseSize(headsKey, "gives " + Twine(config.heads) + " heads of " +
                                    Twine(config.headSize) +
                                    ", expected a product of at most " +
                                    Twine(kMaxDimension) + "; " +
                                    kConvertAgain);
}

void ConfigReader::readWindow() {
  config.window = readSize(own("attention.sliding_window"), kMaxDimension,
                           /*fallback=*/kMaxDimension, /*least=*/0)
                      .value_or(0);
  // gguf has a flag for each layer; llama.cpp's writer makes uint32 of them. A
  // number, every how many layers, means another order in each architecture.
  const std::string key = own("attention.sliding_window_pattern");
  std::optional<Value> pattern = file.find(key);
  // Its length follows from the number of layers.
  if (pattern && config.layers != 0) {
    bool isFlags = pattern->element == ValueType::Bool,
         isList = pattern->isArray() && pattern->count == config.layers &&
                  (isFlags || pattern->element == ValueType::UInt32 ||
                   pattern->element == ValueType::Int32);
    size_t size = isFlags ? 1 : sizeof(uint32_t);
    for (uint64_t layer = 0; isList && layer < config.layers; ++layer) {
      llvm::ArrayRef<uint8_t> flag = pattern->bytes.slice(layer * size, size);
      isList =
          flag[0] <= 1 && llvm::all_of(flag.drop_front(),
                                       [](uint8_t byte) { return byte == 0; });
      config.windowed.push_back(flag[0] != 0);
    }
    if (!isList) {
      config.windowed.clear();
      refuse(key, "is " + pattern->describe() +
                      ", expected a list of a flag for each of " +
                      Twine(config.layers) + " layers, true for a window; " +
                      (pattern->isArray()
                           ? kConvertAgain
                           : "give a checkpoint with a list of flags"));
    }
  }
  config.simplifyWindows();
}

void ConfigReader::readFloats() {
  config.eps = readFloat(own("attention.layer_norm_rms_epsilon")).value_or(1);
  config.embeddingScale = readFloat(own("embedding_scale"), 1).value_or(1);
  config.residualScale = readFloat(own("residual_scale"), 1).value_or(1);
  // Granite's, by which logits are divided.
  config.logitScale = 1 / readFloat(own("logit_scale"), 1).value_or(1);
  if (file.find(own("attention.scale")))
    config.attentionScale = readFloat(own("attention.scale"));
}

void ConfigReader::readRope() {
  // The default is Llama's own.
  const std::string baseKey = own("rope.freq_base");
  std::optional<double> base =
      readFloat(baseKey, 10000.0, kLeastRopeBase, kMostRopeBase);
  config.ropeBase = base.value_or(kLeastRopeBase);
  const std::string rotatedKey = own("rope.dimension_count");
  if (hasSizes)
    if (auto rotated = readSize(rotatedKey, kMaxDimension, config.headSize)) {
      config.rotated = *rotated;
      if (*rotated % 2 != 0 || *rotated > config.headSize)
        refuseSize(rotatedKey, "is " + Twine(*rotated) +
                                   ", expected an even number up to the size "
                                   "of a head, " +
                                   Twine(config.headSize) + "; " +
                                   kConvertAgain);
    }

  using Rule = RopeScaling::Rule;
  RopeScaling &rope = config.rope;
  // The older name of a linear scaling's factor stands alone.
  const std::string typeKey = own("rope.scaling.type"),
                    factorKey = own("rope.scaling.factor"),
                    oldKey = own("rope.scale_linear");
  const std::string &factor = file.find(factorKey) ? factorKey : oldKey;
  std::optional<Value> type = file.find(typeKey);
  std::optional<StringRef> name =
      type ? type->asString()
           : StringRef(file.find(factor) ? "linear" : "none");
  if (name == "linear")
    rope.rule = Rule::Linear;
  else if (name == "yarn")
    rope.rule = Rule::YaRN;
  else if (name != "none")
    refuse(typeKey, "is " + type->describe() +
                        ", expected 'none', 'linear' or 'yarn'; give a "
                        "checkpoint with one of them");
  // A factor of 0 is none.
  bool isZero = file.find(factor) && file.find(factor)->asFloat() == 0.0;
  double scale = isZero ? 1 : readFloat(factor, 1, /*least=*/1).value_or(1);
  if (rope.rule == Rule::None || scale == 1)
    rope.rule = Rule::None;
  else
    rope.factor = scale;
  double attention = readFloat(own("rope.scaling.attn_factor"), 1).value_or(1);
  if (rope.rule == Rule::YaRN) {
    if (base == kLeastRopeBase)
      refuse(baseKey,
             "is 1.0, expected more than 1 with YaRN; " + Twine(kConvertAgain));
    rope.original = readSize(own("rope.scaling.original_context_length"),
                             kMaxDimension, config.context)
                        .value_or(1);
    auto low = readFloat(own("rope.scaling.yarn_beta_slow"), 1);
    auto high = readFloat(own("rope.scaling.yarn_beta_fast"), 32);
    rope.low = low.value_or(1);
    rope.high = high.value_or(32);
    if (low && high && *low >= *high)
      refuse(own("rope.scaling.yarn_beta_slow"),
             "is " + Twine(std::to_string(*low)) +
                 ", expected less than yarn_beta_fast; " + kConvertAgain);
  }
  if (attention != 1)
    rope.magnitude =
        attention *
        (rope.rule == Rule::YaRN ? 0.1 * std::log(rope.factor) + 1 : 1);
  // It turns RoPE off in Granite, and says nothing elsewhere.
  const std::string tunedKey = own("rope.scaling.finetuned");
  if (std::optional<Value> tuned = file.find(tunedKey);
      tuned && config.architecture == "granite" && tuned->asBool() != true)
    refuse(tunedKey, "is " + tuned->describe() +
                         ", expected true; give a checkpoint that uses RoPE");
  if (hasSizes)
    readRopeFactors();
}

void ConfigReader::readRopeFactors() {
  const TensorRecord *record = file.findTensor(kRopeFactors);
  if (!record)
    return;
  auto refuseFactors = [&](const Twine &problem) {
    refuseAt("tensor " + quoted(kRopeFactors), problem);
  };
  const uint64_t pairs = config.rotated / 2;
  if (toTensorType(record->typeId) != TensorType::F32 ||
      record->dimensionCount != 1 || record->dimensions[0] != pairs)
    return refuseFactors("is no vector of " + Twine(pairs) +
                         " numbers in F32, expected one for each pair that "
                         "RoPE turns; " +
                         kConvertAgain);
  const uint64_t offset =
      llvm::SaturatingAdd(file.dataOffset(), record->offset);
  const uint64_t end = llvm::SaturatingAdd(offset, pairs * sizeof(float));
  if (end > file.data().size())
    return refuseFactors("ends at byte " + Twine(end) + ", file has " +
                         Twine(file.data().size()) +
                         "; the download is incomplete, fetch it again");
  for (uint64_t i = 0; i < pairs; ++i) {
    auto factor = llvm::bit_cast<float>(llvm::support::endian::read32le(
        file.data().data() + offset + i * sizeof(float)));
    if (!(factor >= 1 && std::isfinite(factor)))
      return refuseFactors(
          "element " + Twine(i) + " is " + std::to_string(factor) +
          ", expected a number of at least 1; " + kConvertAgain);
    config.rope.factors.push_back(factor);
  }
}

/// Biases are known by those of the first layer; all others have to be there,
/// too, or the index of weights refuses them.
void ConfigReader::readOptionalRoles() {
  constexpr std::pair<Role, const char *> kBiases[] = {
      {Role::AttnQBias, "blk.0.attn_q.bias"},
      {Role::AttnKBias, "blk.0.attn_k.bias"},
      {Role::AttnVBias, "blk.0.attn_v.bias"},
      {Role::AttnOutputBias, "blk.0.attn_output.bias"},
      {Role::FfnGateBias, "blk.0.ffn_gate.bias"},
      {Role::FfnUpBias, "blk.0.ffn_up.bias"},
      {Role::FfnDownBias, "blk.0.ffn_down.bias"},
  };
  for (auto [role, name] : kBiases)
    if (file.findTensor(name))
      addRole(config, role);
  if (architecture->hasHeadNorms)
    for (Role role : {Role::AttnQNorm, Role::AttnKNorm})
      addRole(config, role);
}

void ConfigReader::readVocabulary() {
  // From the embedding's shape, not from a key: vocab_size is optional.
  const TensorRecord *embedding = file.findTensor("token_embd.weight");
  if (!embedding) {
    hasSizes = false;
    return refuseAt("tensor 'token_embd.weight'",
                    Twine("is missing, expected the embedding; ") +
                        kConvertAgain);
  }
  config.vocab = embedding->dimensions[1];
  config.tiedLMHead = !file.findTensor("output.weight");

  std::optional<uint64_t> stated =
      readSize(own("vocab_size"), kMaxDimension, config.vocab);
  if (stated && *stated != config.vocab)
    return refuse(own("vocab_size"),
                  "is " + Twine(*stated) + ", expected " + Twine(config.vocab) +
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

std::optional<ModelConfig> readModelConfig(const GGUF &file,
                                           Refusals &refusals) {
  return ConfigReader(file, refusals).run();
}

RowOrder getRowOrder(const ModelConfig &config) {
  const Architecture *row = findArchitecture(config.architecture);
  return row ? row->queriesKeys : RowOrder::Pairs;
}

} // namespace corellama::checkpoint
