//===- Work.h - what a program has to read and to multiply ----------------===//
//
// The manifest of a program -> bytes and operations of each dispatch of a call:
// what the time of a call is compared with. The cost model is in
// docs/performance.md.
//
//===----------------------------------------------------------------------===//

#ifndef CORELLAMA_COMPILER_BENCH_WORK_H
#define CORELLAMA_COMPILER_BENCH_WORK_H

#include "mlir/IR/Attributes.h"
#include "mlir/IR/MLIRContext.h"
#include "llvm/ADT/SmallVector.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"
#include "llvm/Support/JSON.h"
#include <cstdint>
#include <string>
#include <vector>

namespace corellama::bench {

/// What memory and units do in a second: measured beside the program.
struct Rates {
  double bytes = 0;
  /// Operations of each of Work's units.
  llvm::SmallVector<double> operations;
  /// The loop that read fastest.
  size_t reader = 0;
};

/// What a dispatch reads and multiplies.
struct Cost {
  double bytes = 0, operations = 0;
  /// The unit that multiplies, of Work's units.
  size_t unit = 0;

  /// Operations that the unit could make in the time that its instructions for
  /// these take: scaling sums and converting weights keep it busy, too.
  double slots = 0;

  /// Seconds that it takes at least.
  double floor(const Rates &rates) const;
  /// The same where the unit is busy with all of `slots`.
  double bound(const Rates &rates) const;
  /// Seconds that our kernels take, by the cost model.
  double prediction(const Rates &rates) const;
};

enum class Estimate { Floor, Prediction };

struct Kernel {
  std::string name;
  size_t unit = 0;
  bool readsCache = false;
  /// Of each weight its tensors: one a layer, or one.
  struct Weight {
    std::vector<uint64_t> bytes, elements;
    /// Of each tensor the share of the unit's peak that its format allows.
    std::vector<double> bounds;
  };
  std::vector<Weight> weights;
};

/// One kernel that runs, for one layer.
struct Dispatch {
  size_t kernel;
  uint64_t layer;
};

/// A form of the model or of its head: the dispatches of a call of up to `rows`
/// rows, in order.
struct Form {
  uint64_t rows;
  std::vector<Dispatch> dispatches;
};

class Work {
public:
  /// Errors name `path`. The context has our dialects.
  static llvm::Expected<Work> create(const llvm::json::Object &manifest,
                                     llvm::StringRef path,
                                     mlir::MLIRContext &context);

  /// The form that a call of so many rows runs; null: it is too large.
  const Form *formFor(uint64_t rows) const;
  const Form *headFor(uint64_t rows) const;
  uint64_t mostRows() const { return forms.back().rows; }

  /// Of a dispatch in a call of `rows` rows behind `depth` others; of a head,
  /// `rows` are those that it is asked for.
  Cost costOf(const Dispatch &dispatch, uint64_t rows, uint64_t depth) const;

  /// Seconds of a prompt of `rows` ids, or of `steps` calls of one id.
  double promptTime(Estimate estimate, uint64_t rows, uint64_t depth,
                    uint64_t batch, const Rates &rates) const;
  double generateTime(Estimate estimate, uint64_t steps, uint64_t depth,
                      const Rates &rates) const;

  std::vector<Kernel> kernels;
  std::vector<Form> forms, heads;
  /// The distinct units of the kernels; the CPU that the program is for.
  llvm::SmallVector<mlir::Attribute> units;
  std::string model, target, activations, keyType, valueType;
  uint64_t weightBytes = 0, parameters = 0, context = 0;

private:
  llvm::Error read(const llvm::json::Object &manifest,
                   mlir::MLIRContext &context);
  double callTime(Estimate estimate, uint64_t rows, uint64_t depth,
                  const Rates &rates) const;
  double headTime(Estimate estimate, const Rates &rates) const;

  uint64_t layers = 0, queryHeads = 0, kvHeads = 0, headSize = 0,
           cacheBytes = 0;
  /// Share of the peak that attention reaches at most on many rows.
  double attentionBound = 1;
  /// Positions that a row sees, and in which layers; empty: in all.
  uint64_t window = UINT64_MAX;
  std::vector<uint64_t> windowed;
};

} // namespace corellama::bench

#endif // CORELLAMA_COMPILER_BENCH_WORK_H
