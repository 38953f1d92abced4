//===- StatisticsTest.cpp - logits to figures of quality ------------------===//
//
// Rows of logits whose probabilities are known -> likelihoods, divergence,
// means and quantiles, compared with what they are on paper.
//
//===----------------------------------------------------------------------===//

#include "compiler/Perplexity/Statistics.h"
#include "gtest/gtest.h"
#include <cmath>
#include <limits>

namespace corellama::perplexity {
namespace {

constexpr double kClose = 1e-7; // logits are float32

/// Logits of probabilities 1/2, 1/4, 1/8, 1/8.
const float kHalves[] = {std::log(4.0f), std::log(2.0f), 0, 0};

TEST(Distribution, GivesTheLikelihoodInNats) {
  EXPECT_NEAR(Distribution(kHalves).negativeLogLikelihood(0), std::log(2.0),
              kClose);
  EXPECT_NEAR(Distribution(kHalves).negativeLogLikelihood(3), std::log(8.0),
              kClose);
}

TEST(Distribution, DoesNotOverflow) {
  const float large[] = {1e4f, -1e4f, 1e4f};
  EXPECT_NEAR(Distribution(large).negativeLogLikelihood(0), std::log(2.0),
              kClose);
}

TEST(Distribution, PrefersTheFirstOfEqualLogits) {
  const float logits[] = {1, 7, 7, 2};
  EXPECT_EQ(Distribution(logits).likeliest(), 1u);
}

TEST(Distribution, KeepsNaN) {
  const float logits[] = {0, std::numeric_limits<float>::quiet_NaN(), 0};
  EXPECT_TRUE(std::isnan(Distribution(logits).negativeLogLikelihood(0)));
}

TEST(Divergence, OfARowFromItselfIsZero) {
  EXPECT_EQ(Distribution(kHalves).divergenceFrom(Distribution(kHalves)), 0);
}

TEST(Divergence, DoesNotDependOnWhatIsAddedToAllLogits) {
  const float shifted[] = {std::log(4.0f) + 5, std::log(2.0f) + 5, 5, 5};
  EXPECT_NEAR(Distribution(shifted).divergenceFrom(Distribution(kHalves)), 0,
              1e-6);
}

TEST(Divergence, WeighsByTheReference) {
  const float even[] = {1, 1, 1, 1};
  // sum of p ln(4 p): 1/2 ln 2 + 1/4 ln 1 + 2/8 ln 1/2
  EXPECT_NEAR(Distribution(even).divergenceFrom(Distribution(kHalves)),
              std::log(2.0) / 4, kClose);
  // sum of 1/4 ln(1 / (4 q)): 1/4 (ln 1/2 + ln 1 + 2 ln 2)
  EXPECT_NEAR(Distribution(kHalves).divergenceFrom(Distribution(even)),
              std::log(2.0) / 4, kClose);
  const float first[] = {std::log(9.0f), 0}, second[] = {0, std::log(9.0f)};
  // 0.9 ln 9 - 0.1 ln 9
  EXPECT_NEAR(Distribution(second).divergenceFrom(Distribution(first)),
              0.8 * std::log(9.0), 1e-6);
}

TEST(MeanOf, HasItsStandardError) {
  Estimate mean = meanOf({1, 2, 3, 6});
  EXPECT_DOUBLE_EQ(mean.value, 3);
  // Deviation sqrt(14 / 3) of four values.
  EXPECT_DOUBLE_EQ(mean.error, std::sqrt(14.0 / 3 / 4));
  EXPECT_EQ(meanOf({5}).error, 0);
}

TEST(PerplexityOf, IsTheExponentialOfTheMean) {
  Estimate perplexity = perplexityOf({std::log(2.0), std::log(8.0)});
  EXPECT_DOUBLE_EQ(perplexity.value, 4);
  EXPECT_DOUBLE_EQ(perplexity.error, 4 * std::log(2.0));
}

TEST(Quantile, IsOneOfTheValues) {
  EXPECT_EQ(quantile({3, 1, 2, 4}, 0.5), 2);
  EXPECT_EQ(quantile({3, 1, 2, 4}, 0.99), 4);
  EXPECT_EQ(quantile({3, 1, 2, 4}, 1), 4);
  EXPECT_EQ(quantile({3}, 0), 3);
}

} // namespace
} // namespace corellama::perplexity
