//===- HuggingFaceConfig.h - the configuration of a folder ------*- C++ -*-===//
//
// The keys of a Hugging Face config.json -> ModelConfig. A file of its own
// because it alone decides which of them are harmless.
//
//===----------------------------------------------------------------------===//

#ifndef CORELLAMA_COMPILER_CHECKPOINT_HUGGINGFACECONFIG_H
#define CORELLAMA_COMPILER_CHECKPOINT_HUGGINGFACECONFIG_H

#include "compiler/Checkpoint/Json.h"
#include "compiler/Checkpoint/ModelConfig.h"
#include "compiler/Checkpoint/Refusal.h"
#include <optional>

namespace corellama::checkpoint {

/// Reads the configuration of the file `path`, but for its name; each key that
/// is not supported is refused. Nothing where the architecture or a size is.
std::optional<ModelConfig> readModelConfig(JsonValue root, llvm::StringRef path,
                                           Refusals &refusals);

} // namespace corellama::checkpoint

#endif // CORELLAMA_COMPILER_CHECKPOINT_HUGGINGFACECONFIG_H
