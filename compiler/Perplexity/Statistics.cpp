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

Distribution::Distribution(ArrayRef<float> logits)
    : logits(logits), largest(llvm::max_element(logits) - logits.begin()) {
  // Without the largest logit exp would overflow.
  double top = logits[largest], sum = 0;
  for (float logit : logits)
    sum += std::exp(logit - top);
  logSum = top + std::log(sum);
}

double Distribution::divergenceFrom(const Distribution &reference) const {
  double result = 0;
  for (auto [r, l] : llvm::zip_equal(reference.logits, logits)) {
    double logP = r - reference.logSum;
    result += std::exp(logP) * (logP - (l - logSum));
  }
  return result;
}
