//===- Score.h - a text's ids and logits for `corellama perplexity` -------===//
//
// `PROGRAM --score` answers requests (Requests.h):
//
//   ids BYTES                  that many bytes of text follow the line. A line:
//                              1 if texts begin with BOS, else 0; the bytes
//                              that have no token; the text's ids, BOS first
//   logits DEPTH WANTED ID ... the cache keeps its first DEPTH ids, the others
//                              are appended. The logits that follow the last
//                              WANTED of them, float32 as in memory, row by row
//
// So a tool chooses the windows of a text and holds as many rows of logits as
// it likes to.
//
//===----------------------------------------------------------------------===//

#ifndef CORELLAMA_RUNTIME_MAIN_SCORE_H
#define CORELLAMA_RUNTIME_MAIN_SCORE_H

#include "runtime/Main/Model.h"
#include "runtime/Main/Text.h"

#include <cstdio>
#include <optional>

namespace corellama::runtime {

/// See RequestServer::serve.
std::optional<Error> serveScore(Model &model, Text &text, FILE *in, FILE *out);

} // namespace corellama::runtime

#endif // CORELLAMA_RUNTIME_MAIN_SCORE_H
