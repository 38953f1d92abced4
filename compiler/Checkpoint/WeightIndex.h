//===- WeightIndex.h - where each weight of a model lies --------*- C++ -*-===//
//
// A GGUF tensor table and a ModelConfig -> the weights of a Llama graph, each
// with its shape, type and byte range. It is a file of its own because it is
// the only place that knows which tensors a Llama has and which shape each of
// them must have: a tensor that the graph does not use is refused by name.
//
//===----------------------------------------------------------------------===//

#ifndef CORELLAMA_COMPILER_CHECKPOINT_WEIGHTINDEX_H
#define CORELLAMA_COMPILER_CHECKPOINT_WEIGHTINDEX_H

#include "compiler/Checkpoint/ModelConfig.h"
#include "compiler/Checkpoint/TensorType.h"
#include "llvm/Support/Error.h"
#include <cstdint>
#include <string>
#include <vector>

namespace corellama::checkpoint {

/// One weight. `columns` is the length of a stored row (k of a product), GGUF's
/// ne[0]; `rows` is ne[1], and 1 for a vector.
struct TensorInfo {
  std::string name;
  TensorType type;
  uint64_t rows;
  uint64_t columns;
  uint64_t offset; ///< of the first byte, counted from the start of the file
  uint64_t bytes;
};

/// Checks every tensor of the file against the configuration: the weights of
/// the model are there and no other tensor, in the order of `file.tensors()`.
/// Each range lies inside the file and no two overlap.
llvm::Expected<std::vector<TensorInfo>> readWeights(const GGUF &file,
                                                    const ModelConfig &config);

} // namespace corellama::checkpoint

#endif // CORELLAMA_COMPILER_CHECKPOINT_WEIGHTINDEX_H
