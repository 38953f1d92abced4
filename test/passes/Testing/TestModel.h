//===- TestModel.h - a small model, compiled for tests of kernels ---------===//
//
// Sizes and a format -> a module at phase import with random weights, the same
// at phase schedule for the evaluator, and its kernels, loaded. For every
// target: what differs between them is behind LoadedKernels. How one kernel is
// called and judged is in KernelCall.h.
//
//===----------------------------------------------------------------------===//

#ifndef CORELLAMA_TEST_PASSES_TESTING_TESTMODEL_H
#define CORELLAMA_TEST_PASSES_TESTING_TESTMODEL_H

#include "compiler/Runner/KernelContext.h"
#include "dialects/Llama/IR/KVCacheLayout.h"
#include "dialects/Llama/IR/Phase.h"
#include "dialects/Llama/Reference/Evaluator.h"
#include "mlir/IR/OwningOpRef.h"
#include "test/passes/Testing/LoadedKernels.h"
#include <map>
#include <memory>
#include <string>

namespace corellama::test {

struct ModelShape {
  int64_t dim, heads, kvHeads, headSize, hidden, vocabulary;
  int64_t layers = 2;
  /// Of attention in all layers; 0: none.
  int64_t window = 0;
};

struct ModelChoice {
  llama::reference::Format format;
  /// A name that resolveTarget knows.
  std::string target;
  /// "f32" or "f16".
  std::string cacheType;
  ModelShape shape;
  /// Vectors of another width than the CPU has, which LLVM splits: the table's
  /// row for it, on a machine without such a CPU. 0: the target's own.
  int64_t vectorBits = 0;
  /// Rows of the largest call: no multiple of a tile.
  int64_t chunk = 11;
  /// Bounds of forms between one row and that.
  std::vector<int64_t> forms = {};
  /// Positions that a test's cache has room for, and the checkpoint's context.
  int64_t capacity = 512;
  /// The target is a GPU, and the emulator runs its kernels.
  bool emulated = false;
  /// As the pipelines' option.
  std::string activations = "auto";
  /// Instructions that this machine lacks are expanded (Expansion.h), so that
  /// it runs the target's code all the same.
  bool expands = false;
  /// Weights, and what buffers hold, are small integers: where no norm comes
  /// before a product, each partial sum is exact in float32 in any order, and
  /// so must be the result. Of a sum of thousands of terms a tolerance cannot
  /// see that one is missing.
  bool integers = false;
  /// Layers with windows keep the whole context all the same: no rings.
  bool keepsContext = false;
  /// The kernels to compile; empty: all.
  std::vector<std::string> only = {};
  /// The module at phase import, its target as $TARGET; empty: a Llama's, whose
  /// matrices are all of `format`. Elementwise ops may be nested in it, which
  /// tolerances have to follow: see `growth` of KernelCall.cpp.
  std::string text = {};
};

/// Weights in the checkpoint's order, by symbol and layer.
class RandomWeights : public llama::reference::WeightSource {
public:
  llvm::Expected<llama::reference::WeightData>
  get(mlir::SymbolRefAttr weight, std::optional<int64_t> layer) override;

  /// "blk::attn_q" for a weight that exists once a layer.
  static std::string nameOf(mlir::SymbolRefAttr weight);

  struct Entry {
    llama::reference::Format format;
    llama::reference::Shape shape;
    std::vector<uint8_t> bytes;
  };
  std::map<std::pair<std::string, int64_t>, Entry> entries;
};

/// An element of the cache, whatever its layout.
struct CacheElement {
  bool keys;
  int64_t layer, head, position, element;
};

class TestModel {
public:
  /// Null, with a message, where something fails.
  static std::unique_ptr<TestModel> compile(const ModelChoice &choice,
                                            std::string &message);

  const ModelChoice choice;
  /// At phase schedule: what the evaluator runs.
  mlir::OwningOpRef<mlir::ModuleOp> schedule;
  RandomWeights weights;
  /// The same graph with F32 weights that are the absolute values: from it
  /// comes how large the sums of a kernel are, which its tolerance is relative
  /// to.
  mlir::OwningOpRef<mlir::ModuleOp> magnitudeSchedule;
  RandomWeights magnitudes;
  /// At phase vector, from which a test may make kernels that are wrong.
  mlir::OwningOpRef<mlir::ModuleOp> vector;

  /// Whether this machine executes the target's code; else it was compiled
  /// to phase llvm and not loaded.
  bool canRun() const { return loaded != nullptr; }
  LoadedKernels &kernels() const { return *loaded; }
  /// Kernels made from a changed module of phase vector.
  llvm::Expected<std::unique_ptr<LoadedKernels>>
  load(mlir::ModuleOp vector) const;
  /// Buffers with the weights in their layouts and RoPE's table filled in, all
  /// else NaN: memory that must not be read.
  KernelContext makeContext() const;

  /// The keys of the cache, or its values: their type, where they stand, and
  /// how many bytes they are.
  struct CachePlan {
    mlir::Type element;
    llama::KVCacheStrides strides = {};
    uint64_t bytes = 0;
  };
  const CachePlan &cachePlan(bool ofKeys) const {
    return ofKeys ? keys : values;
  }
  /// The first byte of an element, from the first of the keys or of the values,
  /// and of its scale, where it has one.
  size_t cacheByte(CacheElement at) const;
  size_t scaleByte(CacheElement at) const;
  /// Format, shape and target in a line: what a failure is said to be of.
  std::string describe() const;

private:
  explicit TestModel(const ModelChoice &choice) : choice(choice) {}
  llvm::Error packWeights(std::mt19937 &random);
  /// Of a scale, or of an element, from the first byte of keys or of values.
  size_t byteInRegion(CacheElement at, bool ofScale) const;
  void makeMagnitudeSchedule();

  std::unique_ptr<LoadedKernels> loaded;
  CachePlan keys, values;
  /// Heads of the cache in a layer.
  int64_t cacheHeads = 0;
  /// Of each layer: where its region begins, in positions of a head, and the
  /// positions of its ring.
  std::vector<uint64_t> regions;
  std::vector<int64_t> rings;
  std::vector<abi::PairRotation> frequencies;
  std::vector<uint8_t> packed;
  std::vector<uint64_t> offsets;
};

/// Leaves of a module of phase vector the kernels that `keep` accepts, and no
/// step.
void keepKernels(mlir::ModuleOp module,
                 llvm::function_ref<bool(llvm::StringRef)> keep);

/// A model at phase import, as text; all matrices in one format.
std::string importText(const ModelChoice &choice, llvm::StringRef format);

/// The context of all modules of these tests: one that knows every pass.
mlir::MLIRContext &kernelContext();

/// The attribute of a target as text, and whether this machine has it.
bool hostHas(const std::string &target);
std::string targetText(const std::string &target);

} // namespace corellama::test

#endif // CORELLAMA_TEST_PASSES_TESTING_TESTMODEL_H
