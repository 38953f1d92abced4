//===- Sampler.cpp - logits to one token id -------------------------------===//
//
// The chain bias, penalties, top-k, top-p, min-p, temperature, draw. After
// top-k the candidates are sorted by falling logits (rising ids on a tie), so
// each further filter only shortens the list.
//
//===----------------------------------------------------------------------===//

#include "runtime/Sampling/Sampler.h"

#include "runtime/Sampling/Exp.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

using namespace corellama::runtime;

static constexpr float infinity = std::numeric_limits<float>::infinity();

Sampler::Sampler(const SamplerSettings &settings)
    : settings(settings), random(settings.seed) {}

/// Whether one of `row`, whose length is a multiple of 16, is above `bar`. The
/// compiler makes vectors of it: one comparison after the other takes 40 us for
/// 50,000 logits, as long as some kernels.
static bool hasAbove(std::span<const float> row, float bar) {
  std::array<float, 16> largest;
  largest.fill(bar);
  for (size_t i = 0; i < row.size(); i += largest.size())
    for (size_t lane = 0; lane < largest.size(); ++lane)
      largest[lane] =
          row[i + lane] > largest[lane] ? row[i + lane] : largest[lane];
  return std::any_of(largest.begin(), largest.end(),
                     [&](float logit) { return logit > bar; });
}

int32_t Sampler::greedy(std::span<const float> logits) {
  constexpr size_t kBlock = 256;
  float largest = -infinity;
  size_t best = 0;
  for (size_t first = 0; first < logits.size(); first += kBlock) {
    const size_t end = std::min(first + kBlock, logits.size());
    if (end - first == kBlock &&
        !hasAbove(logits.subspan(first, kBlock), largest))
      continue;
    for (size_t id = first; id < end; ++id)
      // False for NaN, and for a later one of equal logits.
      if (logits[id] > largest) {
        largest = logits[id];
        best = id;
      }
  }
  return static_cast<int32_t>(best);
}

void Sampler::begin(std::span<const int32_t> ids) {
  recent.clear();
  counts.clear();
  for (int32_t id : ids)
    accept(id);
}

void Sampler::accept(int32_t id) {
  if (!settings.hasPenalties())
    return;
  recent.push_back(id);
  ++counts[id];
  if (settings.repeatLast < 0 || recent.size() <= size_t(settings.repeatLast))
    return;
  if (auto oldest = counts.find(recent.front()); --oldest->second == 0)
    counts.erase(oldest);
  recent.pop_front();
}

void Sampler::chosen(int32_t id, float logit) {
  // As choose() draws: not where no logit is above minus infinity.
  if (!settings.isGreedy() && logit > -infinity)
    random.next();
  accept(id);
}

/// Bias and penalties. Each id is penalised by itself, so the order of `counts`
/// does not matter.
std::span<const float> Sampler::adjust(std::span<const float> logits) {
  if (!settings.hasPenalties() && settings.bias.empty())
    return logits;
  adjusted.assign(logits.begin(), logits.end());
  for (auto [id, bias] : settings.bias)
    if (id >= 0 && size_t(id) < adjusted.size())
      adjusted[size_t(id)] += bias;
  const auto repeat = float(settings.repeat);
  for (auto [id, count] : counts) {
    if (id < 0 || size_t(id) >= adjusted.size())
      continue;
    float &logit = adjusted[size_t(id)];
    logit = logit > 0 ? logit / repeat : logit * repeat;
    logit -=
        float(count) * float(settings.frequency) + float(settings.presence);
  }
  return adjusted;
}

void Sampler::selectTopK(std::span<const float> logits) {
  auto before = [](const Candidate &a, const Candidate &b) {
    return a.logit != b.logit ? a.logit > b.logit : a.id < b.id;
  };
  size_t k = logits.size();
  if (settings.topK > 0)
    k = std::min<size_t>(k, static_cast<size_t>(settings.topK));

  // Up to 2k candidates are gathered, then the worse half is dropped and the
  // best logit of that half becomes the threshold for later ones: one pass over
  // the row with few selections, instead of a selection over a copy of the row.
  // A logit equal to the threshold is not taken: ids rise, and the lower id
  // wins a tie.
  candidates.clear();
  float bar = -infinity;
  bool full = false;
  for (size_t id = 0; id < logits.size(); ++id) {
    float logit = std::isnan(logits[id]) ? -infinity : logits[id];
    if (full && !(logit > bar))
      continue;
    candidates.push_back({logit, static_cast<int32_t>(id)});
    if (candidates.size() == 2 * k) {
      std::nth_element(candidates.begin(), candidates.begin() + (k - 1),
                       candidates.end(), before);
      bar = candidates[k - 1].logit;
      full = true;
      candidates.resize(k);
    }
  }
  std::sort(candidates.begin(), candidates.end(), before);
  candidates.resize(std::min(k, candidates.size()));
}

double Sampler::weigh(size_t count, double temperature) {
  weights.resize(count);
  double largest = candidates[0].logit;
  double sum = 0.0;
  for (size_t i = 0; i < count; ++i) {
    double logit = candidates[i].logit;
    // Equal logits have distance 0 even where both are infinite.
    double distance = logit == largest ? 0.0 : (logit - largest) / temperature;
    weights[i] = expOfNonPositive(distance);
    sum += weights[i];
  }
  return sum;
}

static bool isIn(std::span<const uint64_t> ids, size_t id) {
  return id / 64 < ids.size() && (ids[id / 64] >> (id % 64) & 1);
}

std::span<const float> Sampler::restricted(std::span<const float> logits,
                                           std::span<const uint64_t> allowed) {
  if (logits.data() != adjusted.data())
    adjusted.assign(logits.begin(), logits.end());
  for (size_t id = 0; id < adjusted.size(); ++id)
    if (!isIn(allowed, id))
      adjusted[id] = -infinity;
  return adjusted;
}

int32_t Sampler::sample(std::span<const float> row,
                        std::span<const uint64_t> allowed) {
  const std::span<const float> logits = adjust(row);
  if (allowed.empty())
    return choose(logits);
  int32_t id = choose(restricted(logits, allowed));
  if (!isIn(allowed, size_t(id)))
    for (id = 0;
         size_t(id) / 64 < allowed.size() && !isIn(allowed, size_t(id));)
      ++id;
  return id;
}

int32_t Sampler::choose(std::span<const float> logits) {
  candidates.clear();
  if (logits.empty() || settings.isGreedy())
    return greedy(logits);
  selectTopK(logits);
  if (candidates[0].logit == -infinity)
    return 0;

  size_t count = candidates.size();
  if (settings.topP < 1.0 || settings.minP > 0.0) {
    // Both filters see the probabilities at temperature 1.
    double sum = weigh(count, 1.0);
    if (settings.topP < 1.0) {
      double reached = weights[0];
      size_t kept = 1;
      while (kept < count && reached < settings.topP * sum)
        reached += weights[kept++];
      count = kept;
    }
    if (settings.minP > 0.0)
      // weights[0] is 1, so the best candidate always stays.
      while (count > 1 && weights[count - 1] < settings.minP)
        --count;
  }

  candidates.resize(count);
  double sum = weigh(count, settings.temperature);
  double target = random.uniform() * sum;
  double reached = 0.0;
  size_t chosen = 0;
  for (size_t i = 0; i < count; ++i) {
    if (weights[i] == 0.0)
      break; // so are all later ones
    chosen = i;
    reached += weights[i];
    if (target < reached)
      break;
  }
  return candidates[chosen].id;
}
