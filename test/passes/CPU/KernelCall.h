//===- KernelCall.h - one kernel, called and judged -----------------------===//
//
// A model, the name of a kernel, rows and a position -> the compiled kernel on
// random inputs, part by part in random order, beside the evaluator on the same
// inputs. Everything that the kernel may not write must be as it was.
//
//===----------------------------------------------------------------------===//

#ifndef CORELLAMA_TEST_PASSES_CPU_KERNELCALL_H
#define CORELLAMA_TEST_PASSES_CPU_KERNELCALL_H

#include "dialects/Llama/IR/LlamaDialect.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "test/passes/CPU/KernelTesting.h"

namespace corellama::test {

/// How far a float32 result may be from float64's, where `magnitude` is the
/// result with every term positive and the longest sum has `k` terms.
///
/// Each addition or fma errs by half a unit in the last place of a partial sum,
/// and no partial sum is larger than `magnitude`; a term passes through at most
/// k of them, whatever the order. Scores err likewise before exp turns their
/// error into a relative one (hence 2 k). 64 covers what does not depend on k:
/// norm, exp, rotation, division, the residual.
inline double tolerance(int64_t k, double magnitude) {
  return 0x1p-24 * static_cast<double>(64 + 2 * k) * magnitude;
}

struct KernelCall {
  std::string kernel;
  int64_t layer;
  /// Rows of the call and the position of the first.
  int64_t rows, position;
};

/// Calls and compares; reports through GoogleTest.
void checkKernel(TestModel &model, const KernelCall &call,
                 std::mt19937 &random);

/// The kernels of a step, in order, each with its layer.
std::vector<std::pair<std::string, int64_t>> kernelsOf(TestModel &model,
                                                       llvm::StringRef step);

/// The slot's elements in the workspace: `shape` of its capacity, last extent
/// fastest. As pointers, so that they can be read and written.
std::vector<float *> slotElements(TestModel &model, KernelContext &context,
                                  llvm::StringRef slot,
                                  llvm::ArrayRef<int64_t> shape);

/// Elements of the cache, by their place in the layouts keys16 and rowmajor.
struct CacheElement {
  bool keys;
  int64_t layer, head, position, element;
};
double readCache(const TestModel &model, const KernelContext &context,
                 CacheElement at);
/// The value as it is kept, which is what the evaluator gets.
double writeCache(const TestModel &model, KernelContext &context,
                  CacheElement at, double value);
/// Gives `positions` positions of every layer random keys and values.
void fillCache(const TestModel &model, KernelContext &context,
               llama::reference::Cache *cache,
               llama::reference::Cache *magnitudes, int64_t positions,
               std::mt19937 &random);

} // namespace corellama::test

#endif // CORELLAMA_TEST_PASSES_CPU_KERNELCALL_H
