//===- Evaluator.h - runs llama functions and steps in float64 --*- C++ -*-===//
//
// A module of any phase from import to schedule and values -> values: the
// meaning of the dialect, against which compiled code is checked. It walks the
// IR; what an op computes is in Formulas.h.
//
//===----------------------------------------------------------------------===//

#ifndef CORELLAMA_DIALECTS_LLAMA_REFERENCE_EVALUATOR_H
#define CORELLAMA_DIALECTS_LLAMA_REFERENCE_EVALUATOR_H

#include "dialects/Llama/IR/LlamaDialect.h"
#include "dialects/Llama/Reference/Datum.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/SymbolTable.h"
#include "llvm/ADT/StringMap.h"

namespace corellama::llama::reference {

/// Where `llama.weight_ref` finds bytes.
class WeightSource {
public:
  virtual ~WeightSource() = default;
  /// The weight that a reference names, in the checkpoint's order; `layer` is
  /// absent where the weight is declared once. The evaluator has checked the
  /// layer against the declaration; it checks format, shape and size of what
  /// comes back.
  virtual llvm::Expected<WeightData> get(mlir::SymbolRefAttr weight,
                                         std::optional<int64_t> layer) = 0;
};

/// What the runtime provides to a step: `llama.input` reads it.
struct StepInputs {
  IntTensor ids;
  /// One position a row.
  IntTensor positions;
  CacheRef cache;
  /// The rows of the last call that an LM head reads.
  IntTensor wanted;
};

/// Sees values as they are computed, as the dump of `eval` does.
class Observer {
public:
  virtual ~Observer() = default;
  /// A value of `function`, which was called with `layer` if it takes one
  /// index.
  virtual llvm::Error value(llvm::StringRef function,
                            std::optional<int64_t> layer, mlir::Value value,
                            const Datum &datum) = 0;
  /// What `attention` weights the values of the cache by: heads x rows x
  /// positions, zero behind the position of a row.
  virtual llvm::Error probabilities(llvm::StringRef function,
                                    std::optional<int64_t> layer,
                                    mlir::Value attention,
                                    const Tensor &probabilities) = 0;
};

/// An empty cache of a type's shape.
CacheRef makeCache(CacheType type);

/// Whether a value is of a type; dynamic extents take any size.
llvm::Error checkType(const Datum &value, mlir::Type type);

class Evaluator {
public:
  /// `weights` may be null: then weights are arguments. The module must stay as
  /// it is while the evaluator lives.
  Evaluator(mlir::ModuleOp module, WeightSource *weights, Mode mode);

  /// Tells `seer`, which outlives the evaluator, of all values from now on.
  void setObserver(Observer *seer) { observer = seer; }

  /// Calls a function. Values in and out are in the function's order.
  llvm::Expected<std::vector<Datum>> call(llvm::StringRef function,
                                          std::vector<Datum> arguments);

  /// Runs a step: each `llama.dispatch` is one call of its callee on whole
  /// buffers. Buffers keep their values from step to step.
  llvm::Error runStep(llvm::StringRef step, const StepInputs &inputs);

  /// For a function of phase schedule that is called alone: what its inputs
  /// and buffers hold.
  void setInputs(StepInputs values) { inputs = std::move(values); }
  void setBuffer(llvm::StringRef buffer, Tensor value);

  /// What a buffer holds; null before the buffer is written, and again after
  /// another buffer that shares its bytes is written.
  const Tensor *getBuffer(llvm::StringRef buffer) const;
  /// The buffer written last; empty before any was written.
  llvm::StringRef getLastBufferWritten() const { return lastBufferWritten; }

private:
  class Frame;

  mlir::ModuleOp module;
  WeightSource *weights;
  Mode mode;
  Observer *observer = nullptr;
  mlir::SymbolTableCollection symbols;
  std::optional<StepInputs> inputs;
  llvm::StringMap<Tensor> buffers;
  std::string lastBufferWritten;
  /// Depth of nested calls, to end a recursion with a message.
  unsigned depth = 0;
};

} // namespace corellama::llama::reference

#endif // CORELLAMA_DIALECTS_LLAMA_REFERENCE_EVALUATOR_H
