//===- ModelConfig.cpp - the sizes of a Llama model -----------------------===//
//
// See ModelConfig.h; each container has a reader of its own that fills it.
//
//===----------------------------------------------------------------------===//

#include "compiler/Checkpoint/ModelConfig.h"

namespace corellama::checkpoint {

llvm::json::Object toJSON(const ModelConfig &config) {
  // The name may hold any bytes.
  return llvm::json::Object{{"architecture", config.architecture},
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
}

} // namespace corellama::checkpoint
