//===- OrderedCalls.h - a kernel's call under many orders of threads ------===//
//
// Blocks and threads of a launch may run in any order: the bits must not know.
//
//===----------------------------------------------------------------------===//

#ifndef CORELLAMA_TEST_PASSES_CUDA_ORDEREDCALLS_H
#define CORELLAMA_TEST_PASSES_CUDA_ORDEREDCALLS_H

#include "test/passes/Testing/KernelCall.h"

namespace corellama::test {

/// Orders that a call is run under: enough that of two accesses, either came
/// first in some of them (but for one call in 2^19).
inline constexpr int kOrders = 20;

/// Orders of a call with many threads, of which another order is no other case.
int fewOrders();

/// Compares a kernel with the evaluator, then its bytes under `orders` orders;
/// reports through GoogleTest.
void checkInOrders(TestModel &model, const KernelCall &call,
                   std::mt19937 &random, int orders = kOrders);

} // namespace corellama::test

#endif // CORELLAMA_TEST_PASSES_CUDA_ORDEREDCALLS_H
