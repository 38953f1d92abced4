//===- ModelConfig.cpp - the sizes of a Llama model -----------------------===//
//
// See ModelConfig.h; each container has a reader of its own that fills it.
//
//===----------------------------------------------------------------------===//

#include "compiler/Checkpoint/ModelConfig.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/FormatVariadic.h"
#include <cmath>

namespace corellama::checkpoint {

void ModelConfig::simplifyWindows() {
  bool isNowhere = !windowed.empty() && !llvm::is_contained(windowed, true);
  if (window >= context || isNowhere)
    window = 0;
  if (window == 0 || !llvm::is_contained(windowed, false))
    windowed.clear();
}

bool isWithin(double number, double least, double most) {
  return std::isfinite(number) && number > 0 && number >= least &&
         number <= most;
}

std::string describeRange(double least, double most) {
  if (std::isfinite(most))
    return llvm::formatv("a number from {0:f0} to {1:e0}", least, most).str();
  return least > 0
             ? llvm::formatv("a finite number of at least {0:f0}", least).str()
             : "a finite number above 0";
}

llvm::json::Object toJSON(const ModelConfig &config) {
  // The name may hold any bytes.
  llvm::json::Object object{{"architecture", config.architecture},
                            {"name", llvm::json::fixUTF8(config.name)},
                            {"dim", config.dim},
                            {"heads", config.heads},
                            {"kv_heads", config.kvHeads},
                            {"head_size", config.headSize},
                            {"hidden", config.hidden},
                            {"vocabulary", config.vocab},
                            {"layers", config.layers},
                            {"context", config.context},
                            {"eps", config.eps},
                            {"rope_base", config.ropeBase},
                            {"tied_lm_head", config.tiedLMHead}};
  for (const auto &[key, value] : listFeatures(config))
    object[key] = value;
  return object;
}

std::vector<std::pair<llvm::StringRef, llvm::json::Value>>
listFeatures(const ModelConfig &config) {
  static constexpr llvm::StringRef kRules[] = {"none", "linear", "llama3",
                                               "yarn"};
  const RopeScaling &rope = config.rope;
  std::vector<std::pair<llvm::StringRef, llvm::json::Value>> list;
  auto add = [&](bool isThere, llvm::StringRef key, llvm::json::Value value) {
    if (isThere)
      list.emplace_back(key, std::move(value));
  };
  bool scales = rope.rule != RopeScaling::Rule::None;
  add(config.turned() != config.headSize, "rope_dimensions", config.turned());
  add(scales, "rope_scaling", kRules[unsigned(rope.rule)]);
  add(scales, "rope_factor", rope.factor);
  add(rope.original != 0, "rope_original_context", rope.original);
  add(rope.magnitude.has_value(), "rope_magnitude", rope.magnitude.value_or(1));
  add(!rope.factors.empty(), "rope_factors", rope.factors.size());
  add(config.window != 0, "window", config.window);
  llvm::json::Array layers;
  for (size_t layer = 0; layer < config.windowed.size(); ++layer)
    if (config.windowed[layer])
      layers.push_back(layer);
  add(!config.windowed.empty(), "window_layers", std::move(layers));
  add(config.embeddingScale != 1, "embedding_scale", config.embeddingScale);
  add(config.residualScale != 1, "residual_scale", config.residualScale);
  add(config.attentionScale.has_value(), "attention_scale",
      config.attentionScale.value_or(1));
  add(config.logitScale != 1, "logit_scale", config.logitScale);
  return list;
}

} // namespace corellama::checkpoint
