//===- EvaluateModel.h - logits of a whole model ----------------*- C++ -*-===//
//
// From a module with a `llama.model`, in any phase from import to schedule, and
// token ids to logits. Apart from the evaluator, which knows functions and
// steps but not what a model does with them.
//
//===----------------------------------------------------------------------===//

#ifndef CORELLAMA_DIALECTS_LLAMA_REFERENCE_EVALUATEMODEL_H
#define CORELLAMA_DIALECTS_LLAMA_REFERENCE_EVALUATEMODEL_H

#include "dialects/Llama/Reference/Evaluator.h"

namespace corellama::llama::reference {

/// The form of the model to run, and in which portions.
struct ModelRun {
  /// By its name; empty: the one that takes the most rows.
  std::string form;
  /// Ids given to one call; 0: as many as the form takes.
  int64_t chunk = 0;
  /// Sees all values; null: nobody does.
  Observer *observer = nullptr;
};

/// The logits after each id, ids x vocabulary, from an empty cache.
llvm::Expected<Tensor> evaluateModel(mlir::ModuleOp module,
                                     WeightSource &weights,
                                     llvm::ArrayRef<int32_t> ids, Mode mode,
                                     const ModelRun &run = {});

} // namespace corellama::llama::reference

#endif // CORELLAMA_DIALECTS_LLAMA_REFERENCE_EVALUATEMODEL_H
