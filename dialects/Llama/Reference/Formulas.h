//===- Formulas.h - what each op computes -----------------------*- C++ -*-===//
//
// The formula of each op of the graph, from values to values, as its ODS
// description has it. There is no IR here, so that a reader can check a
// function against the paper that the op cites.
//
// Shapes have been verified on the IR; what depends on numbers (an id, a
// position, what the cache holds) is checked here.
//
//===----------------------------------------------------------------------===//

#ifndef CORELLAMA_DIALECTS_LLAMA_REFERENCE_FORMULAS_H
#define CORELLAMA_DIALECTS_LLAMA_REFERENCE_FORMULAS_H

#include "dialects/Llama/IR/LlamaDialect.h"
#include "dialects/Llama/Reference/Datum.h"
#include "dialects/Llama/Reference/Rounding.h"
#include <limits>
#include <optional>
#include <vector>

namespace corellama::llama::reference {

llvm::Expected<Tensor> embed(const IntTensor &ids, const WeightData &weight);
/// A row is `heads` rows side by side.
Tensor rmsNorm(const Tensor &x, const WeightData &weight, double eps,
               int64_t heads);
Tensor bias(const Tensor &x, const WeightData &weight);
llvm::Expected<Tensor> linear(const Tensor &x, const WeightData &weight);
/// The parameters of LlamaRotation.td, with their defaults.
struct Rotation {
  double base;
  int64_t dims; ///< columns of a head that turn
  RopeRule rule = RopeRule::None;
  double factor = 1, original = 0, low = 0, high = 0;
  std::optional<double> magnitude = std::nullopt;
  std::vector<double> factors = {};
};
/// What `rope` and `rope_table` say in their attributes; `attribute` may be
/// null.
Rotation toRotation(const llvm::APFloat &base, RotationAttr attribute,
                    int64_t headSize);
/// The angle by which one position turns pair `pair`.
double ropeFrequency(const Rotation &rotation, int64_t pair);
/// What cosines and sines are multiplied by.
double ropeMagnitude(const Rotation &rotation);
Tensor rope(const Tensor &x, const IntTensor &positions,
            const Rotation &rotation, int64_t heads);

/// Rounds a row of all heads to what the cache holds.
using RoundRow = llvm::function_ref<void(llvm::MutableArrayRef<double>)>;
llvm::Error kvAppend(Cache &cache, int64_t layer, const Tensor &keys,
                     const Tensor &values, const IntTensor &positions,
                     RoundRow roundKeys, RoundRow roundValues,
                     int64_t ring = 0);
/// What attention has beside its operands.
struct AttentionShape {
  int64_t heads;
  double scale;
  /// A row sees so many positions up to its own.
  int64_t window = std::numeric_limits<int64_t>::max();
};
llvm::Expected<Tensor> attention(const Tensor &query, const Cache &cache,
                                 int64_t layer, const IntTensor &positions,
                                 const AttentionShape &shape);
/// The softmax of `attention`: heads x rows x positions up to the last, zero
/// where a row does not see one.
llvm::Expected<Tensor> attentionProbabilities(const Tensor &query,
                                              const Cache &cache, int64_t layer,
                                              const IntTensor &positions,
                                              const AttentionShape &shape);
llvm::Expected<Tensor> attentionPart(const Tensor &query, const Cache &cache,
                                     int64_t layer, const IntTensor &positions,
                                     const AttentionShape &shape, int64_t keys);
Tensor attentionMerge(const Tensor &parts);

/// A position of more than `columns` bits is an error.
llvm::Expected<Tensor> encodeBinary(const IntTensor &positions,
                                    int64_t columns);
/// Columns of sines, or pairs of sine and cosine. Positions, frequencies and
/// their products are rounded to `angles`.
llvm::Expected<Tensor> encodeSines(const IntTensor &positions, int64_t columns,
                                   double base, bool inPairs, Number angles);
/// `bias` may be null. The variance from the deviations, or in one pass from
/// the squares.
Tensor layerNorm(const Tensor &x, const WeightData &weight,
                 const WeightData *bias, double eps, bool inOnePass);
Tensor relu(const Tensor &x);
Tensor gelu(const Tensor &x);
Tensor silu(const Tensor &x);
Tensor mul(const Tensor &lhs, const Tensor &rhs);
Tensor add(const Tensor &lhs, const Tensor &rhs);
Tensor swiglu(const Tensor &gate, const Tensor &up);
Tensor scale(const Tensor &x, double by);

Tensor quantize(const Tensor &x, Number number);
/// By a function of Rounding.h that rounds a row.
Tensor quantizeRows(const Tensor &x,
                    void (*round)(llvm::MutableArrayRef<double>));

} // namespace corellama::llama::reference

#endif // CORELLAMA_DIALECTS_LLAMA_REFERENCE_FORMULAS_H
