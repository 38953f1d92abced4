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
#include "compiler/Checkpoint/WeightIndex.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"
#include <string>
#include <vector>

namespace corellama::checkpoint {

/// The tensor of one factor a pair by which RoPE's frequencies are divided;
/// part of the configuration, not a weight.
inline constexpr llvm::StringLiteral kRopeFactors = "rope_freqs.weight";

/// Reads the configuration; an error names the key that is not supported, the
/// first of them.
llvm::Expected<ModelConfig> readModelConfig(const GGUF &file);

/// All that readModelConfig would refuse, each as its own message.
std::vector<std::string> listRefusals(const GGUF &file);

/// In which order files of the configuration's architecture have the rows of
/// queries and keys.
RowOrder getRowOrder(const ModelConfig &config);

} // namespace corellama::checkpoint

#endif // CORELLAMA_COMPILER_CHECKPOINT_GGUFCONFIG_H
