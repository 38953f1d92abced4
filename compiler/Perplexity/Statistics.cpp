//===- Statistics.cpp - logits to figures of quality ----------------------===//
//
// See Statistics.h.
//
//===----------------------------------------------------------------------===//

#include "compiler/Perplexity/Statistics.h"
#include "llvm/ADT/STLExtras.h"
#include <algorithm>
#include <cmath>
#include <numeric>

using namespace corellama::perplexity;
using llvm::ArrayRef;

Estimate corellama::perplexity::meanOf(ArrayRef<double> values) {
  double count = double(values.size());
  double mean = std::accumulate(values.begin(), values.end(), 0.0) / count;
  if (values.size() < 2)
    return {mean, 0};
  double squares = 0;
  for (double value : values)
    squares += (value - mean) * (value - mean);
  return {mean, std::sqrt(squares / (count - 1) / count)};
}

Estimate
corellama::perplexity::perplexityOf(ArrayRef<double> negativeLogLikelihoods) {
  Estimate mean = meanOf(negativeLogLikelihoods);
  double value = std::exp(mean.value);
  return {value, value * mean.error};
}

double corellama::perplexity::quantile(std::vector<double> values,
                                       double share) {
  size_t rank = size_t(std::ceil(share * double(values.size())));
  auto at = values.begin() + std::max<size_t>(rank, 1) - 1;
  std::nth_element(values.begin(), at, values.end());
  return *at;
}

/// ln of the sum of exp over a row; the largest is taken out, so that nothing
/// overflows.
static double logSumExp(ArrayRef<float> logits) {
  double largest = *llvm::max_element(logits), sum = 0;
  for (float logit : logits)
    sum += std::exp(logit - largest);
  return largest + std::log(sum);
}

Prediction corellama::perplexity::predict(ArrayRef<float> logits, size_t id) {
  return {logSumExp(logits) - logits[id],
          size_t(llvm::max_element(logits) - logits.begin())};
}

double corellama::perplexity::divergence(ArrayRef<float> reference,
                                         ArrayRef<float> logits) {
  double referenceSum = logSumExp(reference), sum = logSumExp(logits);
  double result = 0;
  for (auto [r, l] : llvm::zip_equal(reference, logits)) {
    double logP = r - referenceSum;
    result += std::exp(logP) * (logP - (l - sum));
  }
  return result;
}
