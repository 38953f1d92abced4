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

#include "dialects/Llama/Reference/Datum.h"
#include "dialects/Llama/Reference/Rounding.h"

namespace corellama::llama::reference {

llvm::Expected<Tensor> embed(const IntTensor &ids, const WeightData &weight);
Tensor rmsNorm(const Tensor &x, const WeightData &weight, double eps);
llvm::Expected<Tensor> linear(const Tensor &x, const WeightData &weight);
/// The angle by which one position turns a pair of a head.
double ropeFrequency(double base, int64_t pair, int64_t headSize);
Tensor rope(const Tensor &x, const IntTensor &positions, double base,
            int64_t heads);

/// `number` is the type that an element of the cache is rounded to.
llvm::Error kvAppend(Cache &cache, int64_t layer, const Tensor &keys,
                     const Tensor &values, const IntTensor &positions,
                     Number number);
llvm::Expected<Tensor> attention(const Tensor &query, const Cache &cache,
                                 int64_t layer, const IntTensor &positions,
                                 int64_t heads);
/// The softmax of `attention`: heads x rows x positions up to the last, zero
/// behind the position of a row.
llvm::Expected<Tensor> attentionProbabilities(const Tensor &query,
                                              const Cache &cache, int64_t layer,
                                              const IntTensor &positions,
                                              int64_t heads);
llvm::Expected<Tensor> attentionPart(const Tensor &query, const Cache &cache,
                                     int64_t layer, const IntTensor &positions,
                                     int64_t heads, int64_t keys);
Tensor attentionMerge(const Tensor &parts);

Tensor silu(const Tensor &x);
Tensor mul(const Tensor &lhs, const Tensor &rhs);
Tensor add(const Tensor &lhs, const Tensor &rhs);
Tensor swiglu(const Tensor &gate, const Tensor &up);

Tensor quantize(const Tensor &x, Number number);
Tensor quantizeToQ8B32(const Tensor &x);

} // namespace corellama::llama::reference

#endif // CORELLAMA_DIALECTS_LLAMA_REFERENCE_FORMULAS_H
