//===- RopeFrequencies.cpp - the angle of each pair, a position -----------===//
//
// See RopeFrequencies.h, and LlamaRotation.td for the formulas. Computed by
// series instead of libm, whose bits differ between versions of glibc and
// between CPUs. Arguments are reduced first, which keeps the series short.
//
//===----------------------------------------------------------------------===//

#include "compiler/Image/RopeFrequencies.h"
#include "compiler/Checkpoint/ModelConfig.h"
#include "compiler/Image/Manifest.h"
#include <algorithm>
#include <bit>
#include <cmath>

using namespace corellama;
using abi::DoubleDouble;
using abi::PairRotation;
using llvm::Expected;

//===----------------------------------------------------------------------===//
// Powers
//===----------------------------------------------------------------------===//

static constexpr DoubleDouble kLn2 = {0x1.62e42fefa39efp-1,
                                      0x1.abc9e3b39803fp-56};

/// 2^exponent, for exponents of normal numbers.
static double powerOfTwo(int exponent) {
  return std::bit_cast<double>(uint64_t(exponent + 1023) << 52);
}

/// e^x for |x| below 1.
static DoubleDouble exponentialOfSmall(DoubleDouble x) {
  // e^x = (e^(x / 256))^256. The series' terms then fall by 2^-8 and more, so
  // that 13 of them reach 2^-136; the eight squarings cost 8 of 104 bits.
  constexpr int kSquarings = 8;
  x = {x.high * powerOfTwo(-kSquarings), x.low * powerOfTwo(-kSquarings)};
  DoubleDouble sum = {1, 0};
  for (int term = 13; term > 0; --term)
    sum = DoubleDouble{1, 0} + x * sum / term;
  for (int i = 0; i < kSquarings; ++i)
    sum = sum * sum;
  return sum;
}

/// The natural logarithm of a normal number.
static DoubleDouble logarithm(double x) {
  uint64_t bits = std::bit_cast<uint64_t>(x);
  int exponent = int(bits >> 52) - 1023;
  double m = std::bit_cast<double>((bits & ((uint64_t(1) << 52) - 1)) |
                                   uint64_t(1023) << 52);
  if (m > 1.4142135623730951) { // so that |log m| < 0.35
    m *= 0.5;
    ++exponent;
  }
  // log m = 2 artanh((m - 1) / (m + 1)); the quotient is below 0.1716, so the
  // term of t^27 is below 2^-72.
  double t = (m - 1) / (m + 1);
  double series = 0;
  for (int power = 27; power > 0; power -= 2)
    series = 1.0 / power + t * t * series;
  // One Newton step on e^y = m turns float64's digits into twice as many.
  DoubleDouble y = {2 * t * series, 0};
  DoubleDouble error =
      DoubleDouble{m, 0} * exponentialOfSmall(-y) + DoubleDouble{-1, 0};
  return y + error + kLn2 * DoubleDouble{double(exponent), 0};
}

DoubleDouble image::inversePower(double base, uint64_t numerator,
                                 uint64_t denominator) {
  DoubleDouble x = logarithm(base) * DoubleDouble{double(numerator), 0} /
                   double(denominator);
  // e^-x = 2^-n e^(n log 2 - x)
  int n = int(std::floor(x.high / kLn2.high + 0.5));
  DoubleDouble rest = kLn2 * DoubleDouble{double(n), 0} + -x;
  DoubleDouble result = exponentialOfSmall(rest);
  return {result.high * powerOfTwo(-n), result.low * powerOfTwo(-n)};
}

//===----------------------------------------------------------------------===//
// Frequencies
//===----------------------------------------------------------------------===//

static constexpr double kTwoPi = 6.283185307179586;

/// The pair of `dims` / 2 that makes `turns` turns in `original` positions.
static double pairOfTurns(double turns, double original, double base,
                          uint64_t dims) {
  return double(dims) * logarithm(original / (kTwoPi * turns)).high /
         (2 * logarithm(base).high);
}

namespace {
/// The frequencies that a rule leaves as they are, wholly or in part.
class Scaling {
public:
  Scaling(llama::RotationAttr rotation, double base, uint64_t dims)
      : rotation(rotation), rule(rotation.getRule()) {
    if (rule != llama::RopeRule::YaRN)
      return;
    auto original = double(rotation.getOriginal());
    first = std::max(
        0.0, std::floor(pairOfTurns(rotation.getHigh().getValueAsDouble(),
                                    original, base, dims)));
    last = std::min(double(dims) - 1,
                    std::ceil(pairOfTurns(rotation.getLow().getValueAsDouble(),
                                          original, base, dims)));
  }

  DoubleDouble scale(DoubleDouble frequency, uint64_t pair) const {
    if (rule == llama::RopeRule::None)
      return frequency;
    DoubleDouble scaled = frequency / rotation.getFactor().getValueAsDouble();
    double kept = std::clamp(keptShare(frequency.high, pair), 0.0, 1.0);
    return frequency * DoubleDouble{kept, 0} +
           scaled * DoubleDouble{1 - kept, 0};
  }

  double magnitude() const {
    if (rotation.getMagnitude())
      return rotation.getMagnitude().getValueAsDouble();
    if (rule != llama::RopeRule::YaRN)
      return 1;
    return 0.1 * logarithm(rotation.getFactor().getValueAsDouble()).high + 1;
  }

private:
  double keptShare(double frequency, uint64_t pair) const {
    if (rule == llama::RopeRule::Linear)
      return 0;
    if (rule == llama::RopeRule::YaRN)
      return 1 - (double(pair) - first) / std::max(last - first, 0.001);
    double low = rotation.getLow().getValueAsDouble(),
           high = rotation.getHigh().getValueAsDouble();
    return (double(rotation.getOriginal()) * frequency / kTwoPi - low) /
           (high - low);
  }

  llama::RotationAttr rotation;
  llama::RopeRule rule;
  double first = 0, last = 0; ///< of yarn's pairs that are scaled in part
};
} // namespace

Expected<std::vector<PairRotation>>
image::makeRopeFrequencies(llama::RopeTableOp table) {
  double base = table.getBase().convertToDouble();
  // Of a dump; readers of checkpoints refuse such a base by its key. Within the
  // bounds inversePower keeps its precision, and angles stay in the range of
  // runtime/KVCache.
  if (!(base >= checkpoint::kLeastRopeBase &&
        base <= checkpoint::kMostRopeBase))
    return refuseModule("a RoPE base below 1 or above 1e30 cannot be computed");
  auto rotation = table.getRotationAttr();
  if (!rotation)
    rotation =
        llama::RotationAttr::get(table.getContext(), /*dims=*/0,
                                 llama::RopeRule::None, {}, 0, {}, {}, {}, {});
  auto headSize = static_cast<uint64_t>(table.getHead());
  auto dims = static_cast<uint64_t>(rotation.getTurned(table.getHead()));
  if (rotation.getRule() == llama::RopeRule::YaRN && base == 1)
    return refuseModule("a RoPE base of 1 has no wavelengths for yarn");
  Scaling scaling(rotation, base, dims);
  // Columns behind `dims` are pairs of frequency 0.
  std::vector<PairRotation> pairs(headSize / 2);
  for (uint64_t pair = 0; pair < dims / 2; ++pair) {
    DoubleDouble frequency = inversePower(base, 2 * pair, dims);
    if (rotation.getFactors())
      frequency =
          frequency / mlir::cast<mlir::FloatAttr>(rotation.getFactors()[pair])
                          .getValueAsDouble();
    pairs[pair] = {scaling.scale(frequency, pair), scaling.magnitude()};
  }
  return pairs;
}
