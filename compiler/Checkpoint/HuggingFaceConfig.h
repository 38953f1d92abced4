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
#include "llvm/Support/Error.h"

namespace corellama::checkpoint {

/// Reads the configuration, but for its name. The error, which names the file
/// `path`, lists all keys that are refused.
llvm::Expected<ModelConfig> readModelConfig(JsonValue root,
                                            llvm::StringRef path);

} // namespace corellama::checkpoint

#endif // CORELLAMA_COMPILER_CHECKPOINT_HUGGINGFACECONFIG_H
