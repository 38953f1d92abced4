//===- TilePatterns.h - the patterns of tile-to-vector-cpu ----------------===//
//
// What the files of patterns and units share: the class of a pattern, and the
// plan of a worker's scratch memory, which is made before the conversion.
// Private to passes/CPU.
//
//===----------------------------------------------------------------------===//

#ifndef CORELLAMA_PASSES_CPU_TILEPATTERNS_H
#define CORELLAMA_PASSES_CPU_TILEPATTERNS_H

#include "dialects/CPU/IR/CPUDialect.h"
#include "dialects/Tile/IR/TileDialect.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Transforms/DialectConversion.h"
#include "passes/CPU/VectorBuilder.h"
#include "llvm/ADT/DenseMap.h"
#include <array>

namespace corellama::cpu {

/// Where each op that allocates, or whose unit needs it, has its memory in a
/// worker's scratch, which is one for the whole call: no two ops of a kernel
/// share bytes.
class ScratchPlan {
public:
  /// Places the ops of a kernel; the bytes that they take.
  int64_t place(mlir::func::FuncOp kernel, const mlir::TypeConverter &types);
  /// The memory of an op, a memref for each value that its result becomes, or
  /// for each that its unit needs.
  Values memoryOf(VectorBuilder &b, mlir::Operation *op) const;

private:
  struct Place {
    int64_t offset;
    mlir::MemRefType type;
  };
  llvm::DenseMap<mlir::Operation *, llvm::SmallVector<Place, 1>> places;
};

/// The adaptor of an op of which an operand (a context, a cache, a panel)
/// becomes several values: a range of values for each operand.
template <typename OpT>
using Ranges =
    typename OpT::template GenericAdaptor<llvm::ArrayRef<mlir::ValueRange>>;

/// The pattern of one op, from the function that creates what replaces the op
/// and returns the values that its result becomes. The function takes the op's
/// adaptor or its ranges and, where the op allocates, its memory in scratch.
/// Patterns never fail: what a CPU cannot do is refused before the conversion.
template <auto lower> struct TilePattern;

template <typename OpT, typename AdaptorT, typename... Memory,
          Values (*lower)(VectorBuilder &, OpT, AdaptorT, Memory...)>
struct TilePattern<lower> : mlir::OpConversionPattern<OpT> {
  TilePattern(const mlir::TypeConverter &types, mlir::MLIRContext *context,
              const ScratchPlan &scratch)
      : mlir::OpConversionPattern<OpT>(types, context), scratch(scratch) {}

  mlir::LogicalResult
  matchAndRewrite(OpT op, AdaptorT adaptor,
                  mlir::ConversionPatternRewriter &rewriter) const final {
    VectorBuilder b(op.getLoc(), rewriter);
    Values values;
    if constexpr (sizeof...(Memory) == 0)
      values = lower(b, op, adaptor);
    else
      values = lower(b, op, adaptor, scratch.memoryOf(b, op));
    if (op->getNumResults() == 0)
      rewriter.eraseOp(op);
    else
      rewriter.replaceOpWithMultiple(
          op, llvm::ArrayRef<mlir::ValueRange>(mlir::ValueRange(values)));
    return mlir::success();
  }

private:
  const ScratchPlan &scratch;
};

template <auto... lower>
void addPatterns(mlir::RewritePatternSet &patterns,
                 const mlir::TypeConverter &types, const ScratchPlan &scratch) {
  patterns.add<TilePattern<lower>...>(types, patterns.getContext(), scratch);
}

/// What an element of a cache of this type is in memory: bf16 and the quants of
/// q8_0 are read and written as integers.
mlir::Type getCacheMemory(mlir::Type element);

/// 32 values rounded together: docs/bits.md has the formulas.
struct RoundedBlock {
  mlir::Value scale; // f32
  /// Of each digit, the highest first, 16 i32 for each half of the values.
  llvm::SmallVector<std::array<mlir::Value, 2>, 3> digits;
};
RoundedBlock roundBlock(VectorBuilder &b, mlir::Value low, mlir::Value high,
                        llama::RowRecordInterface record);
/// The sum of integers from the sum of each of their digits: all are i32, or
/// vectors of it.
mlir::Value sumDigits(VectorBuilder &b, mlir::ValueRange sums,
                      llama::RowRecordInterface record);

/// Those of VectorRows.cpp and of VectorAttention.cpp.
void populateRowPatterns(mlir::RewritePatternSet &patterns,
                         const mlir::TypeConverter &types,
                         const ScratchPlan &scratch);
void populateAttentionPatterns(mlir::RewritePatternSet &patterns,
                               const mlir::TypeConverter &types,
                               const ScratchPlan &scratch);

} // namespace corellama::cpu

#endif // CORELLAMA_PASSES_CPU_TILEPATTERNS_H
