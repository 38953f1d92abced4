//===- OrderedCalls.cpp - a kernel's call under many orders of threads ----===//
//
// See OrderedCalls.h.
//
//===----------------------------------------------------------------------===//

#include "test/passes/CUDA/OrderedCalls.h"
#include "test/passes/CUDA/Models.h"
#include "gtest/gtest.h"
#include <optional>

using namespace corellama;
using namespace corellama::test;

int test::fewOrders() { return takesAll() ? kOrders : 3; }

void test::checkInOrders(TestModel &model, const KernelCall &call,
                         std::mt19937 &random, int orders) {
  ASSERT_TRUE(model.schedule->lookupSymbol(call.kernel)) << call.kernel;
  CheckedCall checked(model, call, random);
  std::optional<Memory> first;
  for (int seed = 1; seed <= orders; ++seed) {
    std::mt19937 order(seed);
    // One order finds all accesses without order. Without any, no thread's way
    // depends on who comes first, so there are none in other orders either.
    llvm::Expected<Memory> result = checked.run(
        model.kernels(), call.kernel, order, /*findConflicts=*/seed == 1);
    std::string problem;
    if (!result)
      problem = llvm::toString(result.takeError());
    else if (!first)
      problem = checked.judge(*(first = std::move(*result)));
    else if (*result != *first)
      problem = "other bytes than under order 1";
    if (!problem.empty()) {
      ADD_FAILURE() << model.describe() << ": " << call.describe() << ", order "
                    << seed << ": " << problem;
      return;
    }
  }
}
