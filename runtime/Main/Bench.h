//===- Bench.h - the program measures itself for `corellama bench` --------===//
//
// `PROGRAM --bench` reads requests from standard input, a line each, and
// answers each with a line of nanoseconds. Ids are made up, and nothing is
// sampled, but for `answer`.
//
//   prompt ROWS DEPTH      ROWS ids behind DEPTH others, as many a call as -b
//                          says, and the logits that follow the last
//   generate STEPS DEPTH   STEPS ids behind DEPTH others, one a call, each with
//                          the logits that follow, as llama-bench does
//   answer STEPS DEPTH     a greedy answer behind DEPTH ids and one, from its
//                          first id to the STEPS-th behind that: where a GPU
//                          chooses ids, several steps are one graph
//   trace ROWS DEPTH WANTED KERNEL:LAYER ...
//                          kernels by their number in abi::Program, one after
//                          the other with a barrier behind each, in a call of
//                          ROWS ids behind DEPTH others; of its head, which is
//                          asked for WANTED rows, unless that is 0. A time for
//                          each kernel: to the barrier's end
//   again KERNEL:LAYER ... other kernels of the call that was traced last
//   empty KERNEL:LAYER ... the same for no part: what each worker does before
//                          its first one. 0 on a GPU, where blocks do all
//   barriers COUNT         COUNT barriers of all workers
//   variant                not a time: the place in corellama_programs of the
//                          code that runs
//
// What fills the cache up to DEPTH is not measured.
//
//===----------------------------------------------------------------------===//

#ifndef CORELLAMA_RUNTIME_MAIN_BENCH_H
#define CORELLAMA_RUNTIME_MAIN_BENCH_H

#include "runtime/Main/Model.h"

#include <cstdio>
#include <optional>

namespace corellama::runtime {

/// See RequestServer::serve.
std::optional<Error> serveBench(Model &model, FILE *in, FILE *out);

} // namespace corellama::runtime

#endif // CORELLAMA_RUNTIME_MAIN_BENCH_H
