//===- Statistics.h - logits to figures of quality ------------------------===//
//
// What `corellama perplexity` computes from rows of logits, in float64. Apart
// from the programs that the logits come from, so that it can be tested.
//
//===----------------------------------------------------------------------===//

#ifndef CORELLAMA_COMPILER_PERPLEXITY_STATISTICS_H
#define CORELLAMA_COMPILER_PERPLEXITY_STATISTICS_H

#include "llvm/ADT/ArrayRef.h"
#include <vector>

namespace corellama::perplexity {

/// A mean and its standard error, deviation / sqrt(count); 0 for one value.
struct Estimate {
  double value, error;
};
Estimate meanOf(llvm::ArrayRef<double> values);

/// exp(mean); its error to first order, exp(mean) times the mean's.
Estimate perplexityOf(llvm::ArrayRef<double> negativeLogLikelihoods);

/// The value below which the given share of the values lies; nearest rank.
double quantile(std::vector<double> values, double share);

/// One predicted token.
struct Prediction {
  /// -ln of the probability that the logits give to `id`, in nats.
  double negativeLogLikelihood;
  /// The id with the largest logit; of equal ones the first.
  size_t likeliest;
};
Prediction predict(llvm::ArrayRef<float> logits, size_t id);

/// The Kullback-Leibler divergence of softmax(logits) from
/// softmax(reference), in nats: sum of p ln(p / q) with p the reference's.
/// NaN where a logit is one.
double divergence(llvm::ArrayRef<float> reference,
                  llvm::ArrayRef<float> logits);

} // namespace corellama::perplexity

#endif // CORELLAMA_COMPILER_PERPLEXITY_STATISTICS_H
