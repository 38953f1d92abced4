//===- Logprobs.cpp - how likely a token was, as JSON ---------------------===//
//
// See Logprobs.h.
//
//===----------------------------------------------------------------------===//

#include "runtime/Main/Logprobs.h"

#include "runtime/Sampling/Exp.h"
#include "runtime/Sampling/Log.h"
#include "runtime/Templates/Json.h"
#include "runtime/Tokenizer/Utf8.h"

#include <algorithm>
#include <limits>
#include <memory>
#include <numeric>
#include <vector>

namespace corellama::runtime {

using templates::Value;

static constexpr float kInfinity = std::numeric_limits<float>::infinity();

/// NaN counts as minus infinity, as in the sampler.
static float logitOf(float logit) {
  return logit > -kInfinity ? logit : -kInfinity;
}

static std::shared_ptr<templates::Dict>
describe(int32_t id, double logit, double logOfSum, const Text &text) {
  std::string bytes;
  if (text.canDecode())
    text.decode(id, bytes);
  std::vector<Value> numbers;
  for (char byte : bytes)
    numbers.emplace_back(int64_t(uint8_t(byte)));
  auto token = std::make_shared<templates::Dict>();
  auto set = [&](const char *name, Value value) {
    token->set(templates::makeString(name), std::move(value));
  };
  set("id", int64_t(id));
  set("token", templates::makeString(validUtf8(bytes)));
  set("bytes", templates::makeList(std::move(numbers)));
  set("logprob", logit > -double(kInfinity) ? Value(logit - logOfSum)
                                            : Value(templates::None()));
  return token;
}

std::string logprobLine(int32_t id, std::span<const float> logits, size_t most,
                        const Text &text) {
  std::vector<int32_t> ids(logits.size());
  std::iota(ids.begin(), ids.end(), 0);
  auto before = [&](int32_t a, int32_t b) {
    const float left = logitOf(logits[size_t(a)]);
    const float right = logitOf(logits[size_t(b)]);
    return left != right ? left > right : a < b;
  };
  const auto top = ids.begin() + ptrdiff_t(std::min(most, ids.size()));
  std::partial_sort(ids.begin(), top, ids.end(), before);

  const double largest = logitOf(*std::ranges::max_element(
      logits, {}, [](float logit) { return logitOf(logit); }));
  double sum = 0;
  for (float logit : logits)
    if (logitOf(logit) > -kInfinity)
      sum += expOfNonPositive(logit == largest ? 0 : logit - largest);
  const double logOfSum = largest + (sum > 0 ? logOf(sum) : 0);

  auto one = [&](int32_t which) {
    return describe(which, logitOf(logits[size_t(which)]), logOfSum, text);
  };
  auto line = one(id);
  std::vector<Value> others;
  for (auto which = ids.begin(); which != top; ++which)
    others.emplace_back(one(*which));
  line->set(templates::makeString("top_logprobs"),
            templates::makeList(std::move(others)));
  auto json = writeJson(std::move(line), {});
  return std::string(json ? json->view() : "null") + "\n";
}

} // namespace corellama::runtime
