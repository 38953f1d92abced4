//===- Formulas.cpp - what each op computes -------------------------------===//
//
// Written for reading: loops over rows, heads and positions in the order of the
// formula, float64 throughout, nothing blocked, cached or reordered.
//
//===----------------------------------------------------------------------===//

#include "dialects/Llama/Reference/Formulas.h"
#include "llvm/ADT/STLExtras.h"
#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>

using namespace llvm;
using namespace corellama::llama;
using namespace corellama::llama::reference;

static double dot(ArrayRef<double> a, ArrayRef<double> b) {
  double sum = 0;
  for (auto [x, y] : zip_equal(a, b))
    sum += x * y;
  return sum;
}

//===----------------------------------------------------------------------===//
// embed, rms_norm, linear, rope
//===----------------------------------------------------------------------===//

// y[r, :] = w[ids[r], :]
Expected<Tensor> reference::embed(const IntTensor &ids,
                                  const WeightData &weight) {
  int64_t rows = ids.values.size();
  if (Expected<int64_t> count = countElements({rows, weight.columns()}); !count)
    return count.takeError();
  Tensor y = Tensor::zeros({rows, weight.columns()});
  for (int64_t r = 0; r < rows; ++r) {
    int64_t id = ids.values[r];
    if (id < 0 || id >= weight.rows())
      return formatError("id {0} in row {1} is not one of the vocabulary's {2}",
                         id, r, weight.rows());
    copy(weight.row(id), y.row(r).begin());
  }
  return y;
}

/// The part of a row that belongs to head h of size d.
static ArrayRef<double> head(ArrayRef<double> row, int64_t h, int64_t d) {
  return row.slice(h * d, d);
}

// y[r, i] = x[r, i] / sqrt(mean_j x[r, j]^2 + eps) * w[i], a row being a head
Tensor reference::rmsNorm(const Tensor &x, const WeightData &weight, double eps,
                          int64_t heads) {
  std::vector<double> w = weight.row(0);
  int64_t d = x.columns() / heads;
  Tensor y = x;
  for (int64_t r = 0; r < x.rows(); ++r)
    for (int64_t h = 0; h < heads; ++h) {
      ArrayRef<double> own = head(x.row(r), h, d);
      double rms = std::sqrt(dot(own, own) / d + eps);
      for (int64_t i = 0; i < d; ++i)
        y.row(r)[h * d + i] = own[i] / rms * w[i];
    }
  return y;
}

// y[r, i] = x[r, i] + w[i]
Tensor reference::bias(const Tensor &x, const WeightData &weight) {
  std::vector<double> w = weight.row(0);
  Tensor y = x;
  for (int64_t r = 0; r < x.rows(); ++r)
    for (int64_t i = 0; i < x.columns(); ++i)
      y.row(r)[i] += w[i];
  return y;
}

// y[r, n] = sum_k x[r, k] * w[n, k]
Expected<Tensor> reference::linear(const Tensor &x, const WeightData &weight) {
  if (Expected<int64_t> count = countElements({x.rows(), weight.rows()});
      !count)
    return count.takeError();
  Tensor y = Tensor::zeros({x.rows(), weight.rows()});
  // n outside: a row of the weight is decoded once for all rows of x.
  for (int64_t n = 0; n < weight.rows(); ++n) {
    std::vector<double> w = weight.row(n);
    for (int64_t r = 0; r < x.rows(); ++r)
      y.row(r)[n] = dot(x.row(r), w);
  }
  return y;
}

Rotation reference::toRotation(const APFloat &base, RotationAttr attribute,
                               int64_t headSize) {
  Rotation rotation{base.convertToDouble(), headSize};
  if (!attribute)
    return rotation;
  auto set = [](double &field, mlir::FloatAttr given) {
    if (given)
      field = given.getValueAsDouble();
  };
  rotation.dims = attribute.getTurned(headSize);
  rotation.rule = attribute.getRule();
  rotation.original = static_cast<double>(attribute.getOriginal());
  set(rotation.factor, attribute.getFactor());
  set(rotation.low, attribute.getLow());
  set(rotation.high, attribute.getHigh());
  if (attribute.getMagnitude())
    rotation.magnitude = attribute.getMagnitude().getValueAsDouble();
  if (attribute.getFactors())
    for (auto factor : attribute.getFactors().getAsRange<mlir::FloatAttr>())
      rotation.factors.push_back(factor.getValueAsDouble());
  return rotation;
}

// The formulas of LlamaRotation.td, with its names.
double reference::ropeFrequency(const Rotation &o, int64_t i) {
  constexpr double kTurn = 2 * 3.14159265358979323846;
  double f = std::pow(o.base, -2.0 * i / o.dims);
  if (!o.factors.empty())
    f /= o.factors[i];
  double w = 1; // the share of f that is not scaled
  if (o.rule == RopeRule::Linear)
    w = 0;
  if (o.rule == RopeRule::Llama3)
    w = (o.original * f / kTurn - o.low) / (o.high - o.low);
  if (o.rule == RopeRule::YaRN) {
    auto c = [&](double turns) {
      return o.dims * std::log(o.original / (kTurn * turns)) /
             (2 * std::log(o.base));
    };
    double a = std::max(std::floor(c(o.high)), 0.0);
    double b = std::min(std::ceil(c(o.low)), o.dims - 1.0);
    w = 1 - (i - a) / std::max(b - a, 0.001);
  }
  w = std::clamp(w, 0.0, 1.0);
  return w * f + (1 - w) * f / o.factor;
}

double reference::ropeMagnitude(const Rotation &o) {
  double usual = o.rule == RopeRule::YaRN ? 0.1 * std::log(o.factor) + 1 : 1;
  return o.magnitude.value_or(usual);
}

// Pair i of a head turns by t = pos[r] * ropeFrequency(i).
Tensor reference::rope(const Tensor &x, const IntTensor &positions,
                       const Rotation &rotation, int64_t heads) {
  int64_t d = x.columns() / heads;
  double m = ropeMagnitude(rotation);
  Tensor y = x;
  for (int64_t r = 0; r < x.rows(); ++r)
    for (int64_t h = 0; h < heads; ++h)
      for (int64_t i = 0; i < rotation.dims / 2; ++i) {
        double t = positions.values[r] * ropeFrequency(rotation, i);
        int64_t even = h * d + 2 * i, odd = even + 1;
        double a = x.row(r)[even], b = x.row(r)[odd];
        y.row(r)[even] = m * (a * std::cos(t) - b * std::sin(t));
        y.row(r)[odd] = m * (a * std::sin(t) + b * std::cos(t));
      }
  return y;
}

//===----------------------------------------------------------------------===//
// position_encoding, layer_norm
//===----------------------------------------------------------------------===//

static Error checkPosition(int64_t position, int64_t row) {
  if (position < 0)
    return formatError("position {0} in row {1} is negative", position, row);
  return Error::success();
}

/// A row for each position, of elements that `at` makes of position and column.
static Expected<Tensor> encode(const IntTensor &positions, int64_t columns,
                               function_ref<double(int64_t, int64_t)> at) {
  int64_t rows = positions.values.size();
  if (Expected<int64_t> count = countElements({rows, columns}); !count)
    return count.takeError();
  Tensor y = Tensor::zeros({rows, columns});
  for (int64_t r = 0; r < rows; ++r) {
    if (Error error = checkPosition(positions.values[r], r))
      return error;
    for (int64_t i = 0; i < columns; ++i)
      y.row(r)[i] = at(positions.values[r], i);
  }
  return y;
}

// y[r, i] = floor(p / 2^i) mod 2
Expected<Tensor> reference::encodeBinary(const IntTensor &positions,
                                         int64_t columns) {
  for (auto [r, p] : enumerate(positions.values))
    if (p >> columns > 0)
      return formatError("position {0} in row {1} has more than {2} bits", p, r,
                         columns);
  return encode(positions, columns, [](int64_t p, int64_t i) {
    return static_cast<double>(p >> i & 1);
  });
}

// y[r, i] = sin(p base^(-i / d)); in pairs the sine in column 2i and the cosine
// in column 2i + 1 of p base^(-2i / d)
Expected<Tensor> reference::encodeSines(const IntTensor &positions,
                                        int64_t columns, double base,
                                        bool inPairs, Number angles) {
  return encode(positions, columns, [&](int64_t p, int64_t i) {
    bool isCosine = inPairs && i % 2 != 0;
    double frequency =
        std::pow(base, -static_cast<double>(i - isCosine) / columns);
    double t = roundTo(angles, roundTo(angles, static_cast<double>(p)) *
                                   roundTo(angles, frequency));
    return isCosine ? std::cos(t) : std::sin(t);
  });
}

// y[r, i] = (x[r, i] - m) / sqrt(v + eps) * w[i] + b[i]
Tensor reference::layerNorm(const Tensor &x, const WeightData &weight,
                            const WeightData *bias, double eps,
                            bool inOnePass) {
  std::vector<double> w = weight.row(0), b(x.columns());
  if (bias)
    b = bias->row(0);
  Tensor y = x;
  for (int64_t r = 0; r < x.rows(); ++r) {
    double mean = 0, variance = 0;
    for (double value : x.row(r))
      mean += value / x.columns();
    if (inOnePass)
      variance =
          std::max(dot(x.row(r), x.row(r)) / x.columns() - mean * mean, 0.0);
    else
      for (double value : x.row(r))
        variance += (value - mean) * (value - mean) / x.columns();
    double deviation = std::sqrt(variance + eps);
    for (int64_t i = 0; i < x.columns(); ++i)
      y.row(r)[i] = (x.row(r)[i] - mean) / deviation * w[i] + b[i];
  }
  return y;
}

//===----------------------------------------------------------------------===//
// The cache: kv_append, attention, attention_part, attention_merge
//===----------------------------------------------------------------------===//

static Error checkLayer(const Cache &cache, int64_t layer) {
  if (layer < 0 || layer >= cache.layers)
    return formatError("layer {0} is not one of the cache's {1}", layer,
                       cache.layers);
  return Error::success();
}

static std::vector<double> rounded(ArrayRef<double> row, RoundRow round) {
  std::vector<double> result(row);
  round(result);
  return result;
}

Error reference::kvAppend(Cache &cache, int64_t layer, const Tensor &keys,
                          const Tensor &values, const IntTensor &positions,
                          RoundRow roundKeys, RoundRow roundValues,
                          int64_t ring) {
  if (Error error = checkLayer(cache, layer))
    return error;
  for (int64_t r = 0; r < keys.rows(); ++r) {
    if (Error error = checkPosition(positions.values[r], r))
      return error;
    cache.store(
        layer, positions.values[r],
        {rounded(keys.row(r), roundKeys), rounded(values.row(r), roundValues)},
        ring);
  }
  return Error::success();
}

/// The entries of positions `first` to `last` of a layer, all of which must be
/// there.
static Expected<std::vector<const Cache::Entry *>>
readCache(const Cache &cache, int64_t layer, int64_t first, int64_t last) {
  if (Error error = checkLayer(cache, layer))
    return error;
  std::vector<const Cache::Entry *> entries;
  for (int64_t p = first; p <= last; ++p) {
    const Cache::Entry *entry = cache.find(layer, p);
    if (!entry)
      return formatError("position {0} of layer {1} of the cache "
                         "was never appended, or is gone from its ring; "
                         "attention reads {2} to {3}",
                         p, layer, first, last);
    entries.push_back(entry);
  }
  return entries;
}

/// The sum over positions [begin, end) of w[p] v[p] with w[p] = exp(s[p] - m),
/// the maximum m of the scores s[p] = scale * q . k[p], and the sum of w[p].
namespace {
struct Partial {
  std::vector<double> weights;
  std::vector<double> accumulator;
  double maximum;
  double sum;
};
} // namespace

static Partial attend(ArrayRef<double> q,
                      ArrayRef<const Cache::Entry *> entries, int64_t kvHead,
                      double scale) {
  int64_t d = q.size();
  Partial partial{{},
                  std::vector<double>(d),
                  -std::numeric_limits<double>::infinity(),
                  0.0};
  std::vector<double> scores;
  for (const Cache::Entry *entry : entries) {
    scores.push_back(scale * dot(q, head(entry->keys, kvHead, d)));
    partial.maximum = std::max(partial.maximum, scores.back());
  }
  for (auto [entry, score] : zip_equal(entries, scores)) {
    double p = std::exp(score - partial.maximum);
    ArrayRef<double> v = head(entry->values, kvHead, d);
    for (int64_t i = 0; i < d; ++i)
      partial.accumulator[i] += p * v[i];
    partial.weights.push_back(p);
    partial.sum += p;
  }
  return partial;
}

/// The first position that a row at `position` sees.
static int64_t firstSeen(int64_t position, const AttentionShape &shape) {
  return std::max<int64_t>(position - shape.window + 1, 0);
}

namespace {
/// The positions that some row sees, both ends included; 0 and -1 without rows.
struct Seen {
  int64_t first = 0, last = -1;
};
} // namespace

static Expected<Seen> positionsSeen(const IntTensor &positions,
                                    const AttentionShape &shape) {
  Seen seen;
  for (auto [r, position] : enumerate(positions.values)) {
    if (Error error = checkPosition(position, r))
      return error;
    int64_t first = firstSeen(position, shape);
    seen.first = r == 0 ? first : std::min(seen.first, first);
    seen.last = std::max(seen.last, position);
  }
  return seen;
}

// y = sum_p softmax_p(scale * q . k[p]) v[p] over
// positions[r] - window < p <= positions[r]
Expected<Tensor> reference::attention(const Tensor &query, const Cache &cache,
                                      int64_t layer, const IntTensor &positions,
                                      const AttentionShape &shape) {
  int64_t d = cache.headSize, heads = shape.heads, group = heads / cache.heads;
  Tensor y = Tensor::zeros(query.shape);
  for (int64_t r = 0; r < query.rows(); ++r) {
    if (Error error = checkPosition(positions.values[r], r))
      return error;
    auto entries =
        readCache(cache, layer, firstSeen(positions.values[r], shape),
                  positions.values[r]);
    if (!entries)
      return entries.takeError();
    for (int64_t h = 0; h < heads; ++h) {
      Partial all =
          attend(head(query.row(r), h, d), *entries, h / group, shape.scale);
      for (int64_t i = 0; i < d; ++i)
        y.row(r)[h * d + i] = all.accumulator[i] / all.sum;
    }
  }
  return y;
}

// y[h, r, p] = softmax_p(scale * q . k[p]) over the positions of `attention`
Expected<Tensor> reference::attentionProbabilities(const Tensor &query,
                                                   const Cache &cache,
                                                   int64_t layer,
                                                   const IntTensor &positions,
                                                   const AttentionShape &own) {
  int64_t d = cache.headSize, heads = own.heads, group = heads / cache.heads;
  Expected<Seen> seen = positionsSeen(positions, own);
  if (!seen)
    return seen.takeError();
  auto entries = readCache(cache, layer, seen->first, seen->last);
  if (!entries)
    return entries.takeError();
  int64_t shape[] = {heads, query.rows(), seen->last + 1};
  if (Expected<int64_t> count = countElements(shape); !count)
    return count.takeError();
  Tensor y = Tensor::zeros(shape);
  for (int64_t h = 0; h < heads; ++h)
    for (int64_t r = 0; r < query.rows(); ++r) {
      int64_t position = positions.values[r], first = firstSeen(position, own);
      Partial all = attend(
          head(query.row(r), h, d),
          ArrayRef(*entries).slice(first - seen->first, position + 1 - first),
          h / group, own.scale);
      MutableArrayRef<double> out =
          y.row(h * query.rows() + r).drop_front(first);
      for (auto [p, weight] : enumerate(all.weights))
        out[p] = weight / all.sum;
    }
  return y;
}

// y[r, h, b, :] = accumulator, maximum, sum of block b alone
Expected<Tensor> reference::attentionPart(const Tensor &query,
                                          const Cache &cache, int64_t layer,
                                          const IntTensor &positions,
                                          const AttentionShape &attention,
                                          int64_t keys) {
  int64_t d = cache.headSize, heads = attention.heads,
          group = heads / cache.heads;
  Expected<Seen> seen = positionsSeen(positions, attention);
  if (!seen)
    return seen.takeError();
  auto entries = readCache(cache, layer, seen->first, seen->last);
  if (!entries)
    return entries.takeError();
  int64_t blocks = seen->last < 0 ? 0 : seen->last / keys + 1;
  int64_t shape[] = {query.rows(), heads, blocks, d + 2};
  if (Expected<int64_t> count = countElements(shape); !count)
    return count.takeError();
  Tensor y = Tensor::zeros(shape);
  for (int64_t r = 0; r < query.rows(); ++r)
    for (int64_t h = 0; h < heads; ++h)
      for (int64_t b = 0; b < blocks; ++b) {
        // A block that the row does not see has no key: maximum -inf, sum 0.
        int64_t first = b * keys;
        int64_t next = first + std::min(keys, seen->last + 1 - first);
        int64_t begin =
            std::clamp(firstSeen(positions.values[r], attention), first, next);
        int64_t end = std::clamp(positions.values[r] + 1, begin, next);
        ArrayRef<const Cache::Entry *> inBlock;
        if (begin < end)
          inBlock = ArrayRef(*entries).slice(begin - seen->first, end - begin);
        Partial part = attend(head(query.row(r), h, d), inBlock, h / group,
                              attention.scale);
        MutableArrayRef<double> out = y.row((r * heads + h) * blocks + b);
        copy(part.accumulator, out.begin());
        out[d] = part.maximum;
        out[d + 1] = part.sum;
      }
  return y;
}

// From m = -inf, s = 0, o = 0, for each block (oi, mi, si) in order:
// m' = max(m, mi), a = exp(m - m'), c = exp(mi - m'),
// s' = s a + si c, o' = o a + oi c; then y = o / s.
Tensor reference::attentionMerge(const Tensor &parts) {
  int64_t rows = parts.shape[0], heads = parts.shape[1],
          blocks = parts.shape[2];
  int64_t d = parts.columns() - 2;
  Tensor y = Tensor::zeros({rows, heads * d});
  for (int64_t r = 0; r < rows; ++r)
    for (int64_t h = 0; h < heads; ++h) {
      double m = -std::numeric_limits<double>::infinity(), s = 0;
      std::vector<double> o(d);
      for (int64_t b = 0; b < blocks; ++b) {
        ArrayRef<double> part = parts.row((r * heads + h) * blocks + b);
        double mi = part[d], si = part[d + 1];
        // This row attends to no key of this block: -inf - -inf would be NaN.
        if (si == 0)
          continue;
        double top = std::max(m, mi);
        double a = std::exp(m - top), c = std::exp(mi - top);
        s = s * a + si * c;
        for (int64_t i = 0; i < d; ++i)
          o[i] = o[i] * a + part[i] * c;
        m = top;
      }
      for (int64_t i = 0; i < d; ++i)
        y.row(r)[h * d + i] = o[i] / s;
    }
  return y;
}

//===----------------------------------------------------------------------===//
// Element by element; quantize
//===----------------------------------------------------------------------===//

Tensor reference::relu(const Tensor &x) {
  Tensor y = x;
  for (double &value : y.values)
    value = value < 0 ? 0 : value;
  return y;
}

// x / 2 (1 + tanh(sqrt(2 / pi) (x + 0.044715 x^3)))
Tensor reference::gelu(const Tensor &x) {
  Tensor y = x;
  for (double &value : y.values) {
    double u = std::sqrt(2 / std::numbers::pi) *
               (value + 0.044715 * value * value * value);
    value = value / 2 * (1 + std::tanh(u));
  }
  return y;
}

Tensor reference::silu(const Tensor &x) {
  Tensor y = x;
  for (double &value : y.values)
    value = value / (1 + std::exp(-value));
  return y;
}

Tensor reference::mul(const Tensor &lhs, const Tensor &rhs) {
  Tensor y = lhs;
  for (auto [value, factor] : zip_equal(y.values, rhs.values))
    value *= factor;
  return y;
}

Tensor reference::add(const Tensor &lhs, const Tensor &rhs) {
  Tensor y = lhs;
  for (auto [value, term] : zip_equal(y.values, rhs.values))
    value += term;
  return y;
}

Tensor reference::swiglu(const Tensor &gate, const Tensor &up) {
  return mul(silu(gate), up);
}

Tensor reference::scale(const Tensor &x, double by) {
  Tensor y = x;
  for (double &value : y.values)
    value *= by;
  return y;
}

Tensor reference::quantize(const Tensor &x, Number number) {
  Tensor y = x;
  for (double &value : y.values)
    value = roundTo(number, value);
  return y;
}

Tensor reference::quantizeRows(const Tensor &x,
                               void (*round)(llvm::MutableArrayRef<double>)) {
  Tensor y = x;
  int64_t rows = y.columns() == 0 ? 0 : y.values.size() / y.columns();
  for (int64_t r = 0; r < rows; ++r)
    round(y.row(r));
  return y;
}
