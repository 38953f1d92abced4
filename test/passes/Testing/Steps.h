//===- Steps.h - whole steps, kernel by kernel ----------------------------===//
//
// A step's kernels in order, each on what the one before left, as a program
// runs them: all forms must leave the same bits, wherever they sum in one
// order.
//
//===----------------------------------------------------------------------===//

#ifndef CORELLAMA_TEST_PASSES_TESTING_STEPS_H
#define CORELLAMA_TEST_PASSES_TESTING_STEPS_H

#include "test/passes/Testing/KernelCall.h"

namespace corellama::test {

/// The forms that `choice.forms` asked for, and of the LM head the one of
/// several rows: steps, and their bounds.
std::vector<std::pair<std::string, int64_t>> otherForms(TestModel &model);

/// The kernels of all steps are those that were compiled; reports through
/// GoogleTest.
void checkNoneIsForgotten(TestModel &model);

/// Runs ids through prefill at once, in calls of four, through decode one by
/// one and through the model's other forms in calls as large as they take;
/// reports through GoogleTest where rows or caches differ.
void checkFormsAgree(TestModel &model, std::mt19937 &random);
/// The same of prefill alone, at once and in calls of four.
void checkCallsAgree(TestModel &model, std::mt19937 &random);

/// Runs eleven rows from position `first` on in each form, in a model whose
/// cache is rings and in the same one that keeps the context; reports through
/// GoogleTest where bits of rows differ.
void checkRingAgrees(TestModel &ring, TestModel &whole, int64_t first,
                     std::mt19937 &random);

/// Runs a call in which one row is not a number, infinite, denormal or as large
/// as a float gets; reports through GoogleTest where a row before it differs
/// from those of a call without it, where a row that is not finite became so,
/// or where the forms of few rows make something else of it.
void checkHostileRows(TestModel &model, std::mt19937 &random);

} // namespace corellama::test

#endif // CORELLAMA_TEST_PASSES_TESTING_STEPS_H
