//===- HuggingFaceConfig.cpp - the configuration of a folder --------------===//
//
// What a key means is what `transformers` does with it in LlamaForCausalLM and
// its relatives (models/NAME/configuration_NAME.py and modeling_NAME.py), which
// read a closed set of keys and ignore all others; so does this reader.
// Defaults of keys that are missing are those of the configuration's class.
//
//===----------------------------------------------------------------------===//

#include "compiler/Checkpoint/HuggingFaceConfig.h"
#include "compiler/Checkpoint/Roles.h"
#include "compiler/Checkpoint/TensorType.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/Twine.h"
#include <limits>

using llvm::StringRef;
using llvm::Twine;

namespace corellama::checkpoint {
namespace {

/// A key that may be missing or have this one harmless value.
struct NeutralKey {
  StringRef key;
  StringRef neutral; ///< as JsonValue::describe spells it
  StringRef advice;
  bool mayBeNull = true; ///< which is as good as missing
};

constexpr StringRef kPlainWeights =
    "give the checkpoint of plain weights that it was made from";

constexpr NeutralKey kNeutralKeys[] = {
    {"hidden_act", "'silu'", "give a checkpoint with SwiGLU",
     /*mayBeNull=*/false},
    {"partial_rotary_factor", "1.0",
     "give a checkpoint whose heads are rotated whole"},
    {"quantization_config", "null", kPlainWeights},
    {"compression_config", "null", kPlainWeights},
    // Code in the checkpoint gives the keys another meaning.
    {"auto_map", "null", "give a checkpoint that needs no code of its own"},
    // Not read by transformers' Llama, but by the trainers that wrote it.
    {"rope_interleaved", "false", "convert the checkpoint to half-split heads"},
};

/// Which layers of a class have a window.
enum class Windows {
  None,
  All,
  /// Those that `layer_types` or `max_window_layers` says, if
  /// `use_sliding_window` does.
  Some
};

/// An architecture, and what its class does beyond LlamaForCausalLM.
struct Family {
  StringRef type;      ///< model_type
  StringRef className; ///< in `architectures`
  uint64_t context;    ///< where max_position_embeddings is missing
  Windows windows = Windows::None;
  /// Queries, keys and values always have biases, and nothing else has.
  bool hasQKVBiases = false;
  bool hasHeadNorms = false;
  uint64_t headSize = 0; ///< where head_dim is missing; 0: hidden_size / heads
};

constexpr Family kFamilies[] = {
    {"llama", "LlamaForCausalLM", 2048},
    {"mistral", "MistralForCausalLM", 131072, Windows::All},
    {"qwen2", "Qwen2ForCausalLM", 32768, Windows::Some, /*hasQKVBiases=*/true},
    {"qwen3", "Qwen3ForCausalLM", 32768, Windows::Some, /*hasQKVBiases=*/false,
     /*hasHeadNorms=*/true, /*headSize=*/128},
};

constexpr StringRef kGiveWhole =
    "give the folder of a Llama for transformers, as it was published";

/// Collects refusals, so that a step can read on.
class ConfigReader {
public:
  ConfigReader(JsonValue root, StringRef path, Refusals &refusals)
      : root(root), path(path), refusals(refusals) {}

  std::optional<ModelConfig> run() {
    if (!root.isObject()) {
      refusals.add(path, "file",
                   "is " + root.describe() +
                       ", expected an object of keys; give the config.json of "
                       "a Llama");
      return std::nullopt;
    }
    // The keys of another one mean what they mean there.
    if (!readArchitecture())
      return std::nullopt;
    readSizes();
    readHeads();
    readRope();
    readFamily();
    readWindows();
    for (const NeutralKey &rule : kNeutralKeys)
      if (auto value = rule.mayBeNull ? find(rule.key) : root.find(rule.key);
          value && value->describe() != rule.neutral)
        refuse(rule.key, value, rule.neutral, rule.advice);
    if (!hasSizes)
      config.headSize = 0;
    return std::move(config);
  }

private:
  /// Null is as good as missing.
  std::optional<JsonValue> find(StringRef key) const {
    auto value = root.find(key);
    return value && !value->isNull() ? value : std::nullopt;
  }
  void refuse(StringRef key, std::optional<JsonValue> value,
              const Twine &expected, const Twine &advice) {
    refusals.add(path, "key '" + key + "'",
                 "is " + (value ? value->describe() : "missing") +
                     ", expected " + expected + "; " + advice);
  }
  void refuseSize(StringRef key, std::optional<JsonValue> value,
                  const Twine &expected) {
    refuse(key, value, expected, kGiveWhole);
    hasSizes = false;
  }

  /// Whether it is a known one.
  bool readArchitecture();
  void readSizes();
  void readHeads();
  void readRope();
  void readScaling(StringRef key, JsonValue scaling);
  void readFamily();
  void readWindows();
  /// A whole number from 1 to `most`. If the value is missing, `fallback`, or
  /// refused if `fallback` is 0. Nothing after a refusal, so that no value is
  /// compared that the file does not have.
  std::optional<uint64_t> readSize(StringRef key,
                                   std::optional<JsonValue> value,
                                   uint64_t most, uint64_t fallback = 0);
  std::optional<uint64_t> readSize(StringRef key, uint64_t most,
                                   uint64_t fallback = 0) {
    return readSize(key, find(key), most, fallback);
  }
  bool readFlag(StringRef key);
  /// A number above 0 that is finite and from `least` to `most`; the same.
  std::optional<double>
  readFloat(StringRef key, std::optional<JsonValue> value, double fallback,
            double least = 0,
            double most = std::numeric_limits<double>::infinity());

  JsonValue root;
  StringRef path;
  Family family = kFamilies[0];
  ModelConfig config;
  Refusals &refusals;
  bool hasSizes = true;
};

bool ConfigReader::readArchitecture() {
  auto type = find("model_type");
  const Family *found = llvm::find_if(kFamilies, [&](const Family &one) {
    return type && type->isString(one.type);
  });
  if (found == std::end(kFamilies)) {
    refuse("model_type", type, "'llama', 'mistral', 'qwen2' or 'qwen3'",
           "give a checkpoint of one of these");
    return false;
  }
  family = *found;
  config.architecture = family.type;
  auto classes = find("architectures");
  if (!classes)
    return true;
  std::vector<JsonValue> names = classes->first(2);
  if (names.size() != 1 || !names[0].isString(family.className))
    refuse("architectures", names.size() == 1 ? names[0] : *classes,
           "'" + family.className + "'", "give a model that predicts tokens");
  return true;
}

std::optional<uint64_t> ConfigReader::readSize(StringRef key,
                                               std::optional<JsonValue> value,
                                               uint64_t most,
                                               uint64_t fallback) {
  if (!value && fallback != 0)
    return fallback;
  std::optional<uint64_t> number = value ? value->asUnsigned() : std::nullopt;
  if (number && *number >= 1 && *number <= most)
    return *number;
  refuseSize(key, value, "a whole number from 1 to " + Twine(most));
  return std::nullopt;
}

std::optional<double> ConfigReader::readFloat(StringRef key,
                                              std::optional<JsonValue> value,
                                              double fallback, double least,
                                              double most) {
  std::optional<double> number = value ? value->asNumber() : fallback;
  if (number && isWithin(*number, least, most))
    return number;
  refuse(key, value, describeRange(least, most), kGiveWhole);
  return std::nullopt;
}

void ConfigReader::readSizes() {
  config.layers = readSize("num_hidden_layers", kMaxLayers).value_or(0);
  config.context =
      readSize("max_position_embeddings", kMaxDimension, family.context)
          .value_or(1);
  config.dim = readSize("hidden_size", kMaxDimension).value_or(1);
  config.hidden = readSize("intermediate_size", kMaxDimension).value_or(1);
  config.vocab = readSize("vocab_size", kMaxDimension).value_or(1);
  config.eps =
      readFloat("rms_norm_eps", find("rms_norm_eps"), 1e-6).value_or(1);
  config.tiedLMHead = readFlag("tie_word_embeddings");
}

/// True or false, which is what it is if the key is missing.
bool ConfigReader::readFlag(StringRef key) {
  auto value = find(key);
  if (value && !value->asBool())
    refuse(key, value, "true or false", kGiveWhole);
  return value && value->asBool().value_or(false);
}

void ConfigReader::readHeads() {
  constexpr StringRef headsKey = "num_attention_heads",
                      keysKey = "num_key_value_heads", sizeKey = "head_dim";
  config.heads = readSize(headsKey, kMaxDimension).value_or(1);
  // The defaults of others than Llama are the sizes of one model.
  config.kvHeads = readSize(keysKey, kMaxDimension,
                            family.type == "llama" ? config.heads : 0)
                       .value_or(1);
  // What follows from a refused size is not worth a line.
  if (!hasSizes)
    return;
  if (config.heads % config.kvHeads != 0)
    refuseSize(keysKey, find(keysKey),
               "a divisor of " + headsKey + " " + Twine(config.heads));
  if (!find(sizeKey) && !family.headSize && config.dim % config.heads != 0)
    return refuseSize(headsKey, find(headsKey),
                      "a divisor of hidden_size " + Twine(config.dim));
  std::optional<uint64_t> headSize = readSize(
      sizeKey, kMaxDimension,
      family.headSize ? family.headSize
                      : std::max<uint64_t>(1, config.dim / config.heads));
  if (!headSize)
    return;
  config.headSize = config.rotated = *headSize;
  if (config.headSize % 2 != 0) {
    if (auto size = find(sizeKey))
      refuseSize(sizeKey, size, "an even size of a head");
    else
      refuseSize(headsKey, find(headsKey),
                 "heads of an even size, not " + Twine(config.headSize));
  }
  if (config.headSize > kMaxDimension / config.heads)
    refuseSize(headsKey, find(headsKey),
               "heads of " + Twine(config.headSize) + " with at most " +
                   Twine(kMaxDimension) + " columns");
}

/// transformers 4 has `rope_theta` and `rope_scaling`, 5 both in
/// `rope_parameters`. Of a file with both objects 5 takes `rope_scaling` alone,
/// unless it is empty, and 4 does not know the other one.
void ConfigReader::readRope() {
  auto base = find("rope_theta");
  std::string baseKey = "rope_theta";
  StringRef key = "rope_scaling";
  auto rope = find(key);
  if (!rope || (rope->isObject() && rope->count() == 0)) {
    key = "rope_parameters";
    rope = find(key);
  }
  if (rope) {
    readScaling(key, *rope);
    for (const auto &[name, value] : rope->members())
      if (name.isString("rope_theta")) {
        base = value;
        baseKey = (key + ".rope_theta").str();
      } else if (name.isString("partial_rotary_factor") &&
                 value.describe() != "1.0") {
        refuse((key + ".partial_rotary_factor").str(), value, "1.0",
               "give a checkpoint whose heads are rotated whole");
      } else if (value.isObject()) {
        // One for each type of layers; these classes have one for all.
        refuse(key, *rope, "the parameters themselves, not objects of them",
               "give a checkpoint whose layers turn alike");
        break;
      }
  }
  auto number =
      readFloat(baseKey, base, 10000.0, kLeastRopeBase, kMostRopeBase);
  config.ropeBase = number.value_or(kLeastRopeBase);
  if (number == kLeastRopeBase && config.rope.rule == RopeScaling::Rule::YaRN)
    refuse(baseKey, base, "more than 1 with YaRN", kGiveWhole);
}

/// As modeling_rope_utils.py has it; what a parameter means is in the
/// description of `#llama.rotation`.
void ConfigReader::readScaling(StringRef key, JsonValue scaling) {
  using Rule = RopeScaling::Rule;
  auto in = [&](StringRef name) -> std::optional<JsonValue> {
    auto value = scaling.find(name);
    return value && !value->isNull() ? value : std::nullopt;
  };
  auto own = [&](StringRef name) { return (key + "." + name).str(); };
  auto type = in("rope_type");
  if (!type)
    type = in("type"); // its name until transformers 4.43
  if (scaling.isObject() && (!type || type->isString("default")))
    return;
  RopeScaling &rope = config.rope;
  std::optional<StringRef> name = type ? type->asString() : std::nullopt;
  rope.rule = name == "linear"   ? Rule::Linear
              : name == "llama3" ? Rule::Llama3
              : name == "yarn"   ? Rule::YaRN
                                 : Rule::None;
  if (rope.rule == Rule::None)
    return refuse(type ? own("rope_type") : key.str(), type ? type : scaling,
                  "'default', 'linear', 'llama3' or 'yarn'",
                  "give a checkpoint with one of them");
  // A fallback of 0 is refused.
  auto number = [&](StringRef parameter, double fallback, double least = 0) {
    return readFloat(own(parameter), in(parameter), fallback, least);
  };
  rope.factor = number("factor", /*fallback=*/0, /*least=*/1).value_or(2);
  if (rope.rule != Rule::Linear) {
    const bool isYaRN = rope.rule == Rule::YaRN;
    rope.original = readSize(own("original_max_position_embeddings"),
                             in("original_max_position_embeddings"),
                             kMaxDimension, isYaRN ? config.context : 0)
                        .value_or(1);
    auto low = number(isYaRN ? "beta_slow" : "low_freq_factor", isYaRN ? 1 : 0);
    auto high =
        number(isYaRN ? "beta_fast" : "high_freq_factor", isYaRN ? 32 : 0);
    rope.low = low.value_or(1);
    rope.high = high.value_or(32);
    if (low && high && *low >= *high)
      refuse(key, scaling, "a lower bound of turns below the upper one",
             kGiveWhole);
    if (isYaRN && in("attention_factor"))
      rope.magnitude = number("attention_factor", 0);
  }
  // Of other models' YaRN.
  for (StringRef other : {"mscale", "mscale_all_dim"})
    if (in(other))
      refuse(own(other), in(other), "none", "give a checkpoint without it");
  if (auto truncate = in("truncate"); truncate && truncate->asBool() != true)
    refuse(own("truncate"), truncate, "true", "give a checkpoint with it");
  // A factor of 1 scales nothing.
  if (rope.factor == 1)
    rope = {.magnitude = rope.magnitude, .factors = {}};
}

/// Biases and norms of heads.
void ConfigReader::readFamily() {
  const bool isLlama = family.type == "llama",
             hasAllBiases =
                 (isLlama || family.hasHeadNorms) && readFlag("attention_bias");
  if (hasAllBiases || family.hasQKVBiases)
    for (Role role : {Role::AttnQBias, Role::AttnKBias, Role::AttnVBias})
      addRole(config, role);
  if (hasAllBiases)
    addRole(config, Role::AttnOutputBias);
  if (isLlama && readFlag("mlp_bias"))
    for (Role role : {Role::FfnGateBias, Role::FfnUpBias, Role::FfnDownBias})
      addRole(config, role);
  if (family.hasHeadNorms)
    for (Role role : {Role::AttnQNorm, Role::AttnKNorm})
      addRole(config, role);
}

void ConfigReader::readWindows() {
  bool isAll = family.windows == Windows::All,
       isSome = family.windows == Windows::Some;
  if (!isAll && !isSome)
    return;
  // A missing window is one of 4096, and null is none.
  auto window = root.find("sliding_window");
  if (!(window && window->isNull()) &&
      (isAll || readFlag("use_sliding_window")))
    config.window =
        readSize("sliding_window", window, kMaxDimension, 4096).value_or(1);
  // Lists of layers follow from their number.
  if (config.layers == 0)
    return;
  if (auto types = find("layer_types")) {
    if (!types->isArray() || types->count() != config.layers)
      refuse("layer_types", types,
             "a list of " + Twine(config.layers) + ", one for each layer",
             kGiveWhole);
    for (JsonValue one : types->elements()) {
      const bool isWindowed = one.isString("sliding_attention");
      if (!isWindowed && !one.isString("full_attention"))
        return refuse("layer_types", one,
                      "'full_attention' or 'sliding_attention'",
                      "give a checkpoint whose layers are of these types");
      if (isWindowed && config.window == 0)
        return refuse("layer_types", one, "'full_attention'",
                      "the other keys ask for no window; give them");
      // MistralForCausalLM does not read the list.
      if (isAll && !isWindowed && config.window != 0)
        return refuse("layer_types", one, "'sliding_attention'",
                      "give a checkpoint whose layers are alike");
      config.windowed.push_back(isWindowed);
    }
    // Where the file was written to since its elements were counted.
    config.windowed.resize(config.layers);
  } else if (config.window != 0 && isSome) {
    uint64_t first = 28;
    if (auto most = find("max_window_layers")) {
      first = most->asUnsigned().value_or(kMaxLayers);
      if (!most->asUnsigned())
        refuse("max_window_layers", most, "a number of layers", kGiveWhole);
    }
    for (uint64_t layer = 0; layer < config.layers; ++layer)
      config.windowed.push_back(layer >= first);
  }
  if (refusals.empty())
    config.simplifyWindows();
}

} // namespace

std::optional<ModelConfig> readModelConfig(JsonValue root, StringRef path,
                                           Refusals &refusals) {
  return ConfigReader(root, path, refusals).run();
}

} // namespace corellama::checkpoint
