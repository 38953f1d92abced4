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

/// What logits say of the next token: softmax(logits).
class Distribution {
public:
  /// Views the logits.
  explicit Distribution(llvm::ArrayRef<float> logits);

  /// -ln of the probability of `id`, in nats.
  double negativeLogLikelihood(size_t id) const { return logSum - logits[id]; }
  /// The id with the largest logit; of equal ones the first.
  size_t likeliest() const { return largest; }
  /// The Kullback-Leibler divergence from a reference, in nats: the sum of
  /// p ln(p / q) with p the reference's. NaN where a logit is one.
  double divergenceFrom(const Distribution &reference) const;

private:
  llvm::ArrayRef<float> logits;
  size_t largest;
  /// ln of the sum of exp over the logits.
  double logSum;
};

} // namespace corellama::perplexity

#endif // CORELLAMA_COMPILER_PERPLEXITY_STATISTICS_H
