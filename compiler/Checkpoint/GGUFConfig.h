//===- GGUFConfig.h - a GGUF file's model configuration ---------*- C++ -*-===//
//
// The keys of a GGUF file -> ModelConfig. It is a file of its own because it
// alone decides which metadata of such a file is harmless: a key that would
// change the meaning of the graph is refused by name.
//
//===----------------------------------------------------------------------===//

#ifndef CORELLAMA_COMPILER_CHECKPOINT_GGUFCONFIG_H
#define CORELLAMA_COMPILER_CHECKPOINT_GGUFCONFIG_H

#include "compiler/Checkpoint/GGUF.h"
#include "compiler/Checkpoint/ModelConfig.h"
#include "llvm/Support/Error.h"

namespace corellama::checkpoint {

/// Reads the configuration; an error names the key that is not supported.
llvm::Expected<ModelConfig> readModelConfig(const GGUF &file);

} // namespace corellama::checkpoint

#endif // CORELLAMA_COMPILER_CHECKPOINT_GGUFCONFIG_H
