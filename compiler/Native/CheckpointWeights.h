//===- CheckpointWeights.h - weights of a module from its checkpoint ------===//
//
// For `corellama eval --weights=CHECKPOINT`: what the evaluator asks for by
// symbol and layer, found in the file by its name there. A file of its own
// because the evaluator knows no checkpoints.
//
//===----------------------------------------------------------------------===//

#ifndef CORELLAMA_COMPILER_NATIVE_CHECKPOINTWEIGHTS_H
#define CORELLAMA_COMPILER_NATIVE_CHECKPOINTWEIGHTS_H

#include "dialects/Llama/Reference/Evaluator.h"
#include <memory>
#include <string>

namespace corellama {

/// Opens a checkpoint; messages name it.
llvm::Expected<std::unique_ptr<llama::reference::WeightSource>>
openCheckpointWeights(mlir::ModuleOp module, const std::string &path);

} // namespace corellama

#endif // CORELLAMA_COMPILER_NATIVE_CHECKPOINTWEIGHTS_H
