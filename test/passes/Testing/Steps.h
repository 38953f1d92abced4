//===- Steps.h - whole steps, kernel by kernel ----------------------------===//
//
// A step's kernels in order, each on what the one before left, as a program
// runs them: decode and prefill must leave the same bits, wherever both sum in
// one order.
//
//===----------------------------------------------------------------------===//

#ifndef CORELLAMA_TEST_PASSES_TESTING_STEPS_H
#define CORELLAMA_TEST_PASSES_TESTING_STEPS_H

#include "test/passes/Testing/KernelCall.h"

namespace corellama::test {

/// Runs ids through prefill at once, through prefill in two calls and through
/// decode one by one; reports through GoogleTest where rows or caches differ.
void checkDecodeEqualsPrefill(TestModel &model, std::mt19937 &random);

} // namespace corellama::test

#endif // CORELLAMA_TEST_PASSES_TESTING_STEPS_H
