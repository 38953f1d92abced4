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
#include "compiler/Checkpoint/Refusal.h"
#include "compiler/Checkpoint/WeightIndex.h"
#include "llvm/ADT/StringRef.h"
#include <optional>

namespace corellama::checkpoint {

/// The tensor of one factor a pair by which RoPE's frequencies are divided;
/// part of the configuration, not a weight.
inline constexpr llvm::StringLiteral kRopeFactors = "rope_freqs.weight";

/// Reads the configuration; each key that is not supported is refused. Nothing
/// where the architecture or a size is.
std::optional<ModelConfig> readModelConfig(const GGUF &file,
                                           Refusals &refusals);

/// In which order files of the configuration's architecture have the rows of
/// queries and keys.
RowOrder getRowOrder(const ModelConfig &config);

} // namespace corellama::checkpoint

#endif // CORELLAMA_COMPILER_CHECKPOINT_GGUFCONFIG_H
