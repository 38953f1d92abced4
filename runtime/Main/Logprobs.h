//===- Logprobs.h - how likely a token was, as JSON -----------------------===//
//
// What --logprobs prints for a token. The probabilities are the model's own, by
// the logits before bias, penalties, filters and temperature.
//
//===----------------------------------------------------------------------===//

#ifndef CORELLAMA_RUNTIME_MAIN_LOGPROBS_H
#define CORELLAMA_RUNTIME_MAIN_LOGPROBS_H

#include "runtime/Main/Text.h"

#include <cstdint>
#include <span>
#include <string>

namespace corellama::runtime {

/// {"id": 28, "token": ",", "bytes": [44], "logprob": -0.25, "top_logprobs":
/// [...]} and a line end: llama-server's names. `top_logprobs` has the `most`
/// likeliest tokens, the likeliest first. A token's bytes need not be text;
/// `token` has U+FFFD for those that are none. The logarithm of a probability
/// of 0 is null.
std::string logprobLine(int32_t id, std::span<const float> logits, size_t most,
                        const Text &text);

} // namespace corellama::runtime

#endif // CORELLAMA_RUNTIME_MAIN_LOGPROBS_H
