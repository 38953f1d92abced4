//===- KernelCall.h - one kernel, called and judged -----------------------===//
//
// A model, the name of a kernel, rows and a position -> the compiled kernel on
// random inputs, in random order, beside the evaluator on the same inputs.
// Everything that the kernel may not write must be as it was.
//
//===----------------------------------------------------------------------===//

#ifndef CORELLAMA_TEST_PASSES_TESTING_KERNELCALL_H
#define CORELLAMA_TEST_PASSES_TESTING_KERNELCALL_H

#include "dialects/Llama/IR/LlamaDialect.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "test/passes/Testing/TestModel.h"

namespace corellama::test {

struct BufferPlaces;

/// How far a float32 result may be from float64's, where `magnitude` is the
/// result with every term positive and the longest sum has `k` terms.
///
/// Each addition or fma errs by half a unit in the last place of a partial sum,
/// and no partial sum is larger than `magnitude`; a term passes through at most
/// k of them, whatever the order: a chain, a tree of lanes, blocks of tensor
/// cores. Scores err likewise before exp turns their error into a relative one
/// (hence 2 k). 64 covers what does not depend on k: norm, exp, rotation,
/// division, the residual.
inline double tolerance(int64_t k, double magnitude) {
  return 0x1p-24 * static_cast<double>(64 + 2 * k) * magnitude;
}

struct KernelCall {
  std::string kernel;
  int64_t layer;
  /// Rows of the call and the position of the first.
  int64_t rows, position;

  std::string describe() const;
};

/// What a kernel may write to.
struct Memory {
  std::vector<uint8_t> workspace, keys, values;
  bool operator==(const Memory &) const = default;
};

/// A call with its inputs, which can be run more than once.
class CheckedCall {
public:
  /// What the kernel reads is random, all else not a number.
  CheckedCall(TestModel &model, const KernelCall &call, std::mt19937 &random);

  /// Runs a kernel on the inputs: the call's own, or one made from it;
  /// `findConflicts` as in LoadedKernels::run.
  llvm::Expected<Memory> run(LoadedKernels &kernels, llvm::StringRef kernel,
                             std::mt19937 &random, bool findConflicts = true);

  /// Nothing, or in which element the result is wrong, and by how much.
  std::string judge(Memory result);

private:
  bool appends() { return !kernel.getOps<llama::KVAppendOp>().empty(); }
  llama::reference::Shape shapeOf(mlir::Type type);
  int64_t longestSum();
  double growth();
  void setInputs(std::mt19937 &random);
  void setBuffers(std::mt19937 &random);
  llvm::Error evaluate();
  void compare(double got, double expected, double bound,
               const std::string &where);
  void compareRounded(Memory &result, const BufferPlaces &places, size_t i,
                      double expected, double bound, const std::string &where);
  void compareBuffers(Memory &result);
  void compareCache(Memory &result);

  TestModel &model;
  const KernelCall call;
  KernelContext context;
  mlir::func::FuncOp kernel;
  llama::reference::Evaluator exact, positive;
  llama::reference::CacheRef cache, positiveCache;
  /// Before the call.
  Memory before;
  bool evaluated = false;

  /// Of the comparison under way.
  int64_t wrong = 0, rounded = 0, otherQuants = 0;
  double worst = 0;
  std::string message;
};

/// Calls once and compares; reports through GoogleTest.
void checkKernel(TestModel &model, const KernelCall &call,
                 std::mt19937 &random);

/// Runs a kernel on what is there; reports an error through GoogleTest.
void runKernel(TestModel &model, const std::string &kernel, int64_t layer,
               KernelContext &context, std::mt19937 &random);

/// The kernels of a step, in order, each with its layer.
std::vector<std::pair<std::string, int64_t>> kernelsOf(TestModel &model,
                                                       llvm::StringRef step);

/// The elements of a buffer of float32 in the workspace: `shape` of its
/// capacity, last extent fastest. As pointers, so that they can be read and
/// written.
std::vector<float *> bufferElements(TestModel &model, KernelContext &context,
                                    llvm::StringRef buffer,
                                    llvm::ArrayRef<int64_t> shape);

/// An element of the keys or the values, which begin at `bytes`.
double readCache(const TestModel &model, const uint8_t *bytes, CacheElement at);
double readCache(const TestModel &model, const KernelContext &context,
                 CacheElement at);
/// Gives `positions` positions of every layer random keys and values.
void fillCache(const TestModel &model, KernelContext &context,
               llama::reference::Cache *cache,
               llama::reference::Cache *magnitudes, int64_t positions,
               std::mt19937 &random);

} // namespace corellama::test

#endif // CORELLAMA_TEST_PASSES_TESTING_KERNELCALL_H
