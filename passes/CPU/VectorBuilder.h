//===- VectorBuilder.h - a builder of vectors of 16 lanes -----------------===//
//
// What the patterns of tile-to-vector-cpu and the units create ops with: a
// builder with arithmetic on indices (IndexBuilder), vectors, loops and
// memory. It has no state but the insertion point, so any pattern can make one.
// Private to passes/CPU.
//
//===----------------------------------------------------------------------===//

#ifndef CORELLAMA_PASSES_CPU_VECTORBUILDER_H
#define CORELLAMA_PASSES_CPU_VECTORBUILDER_H

#include "dialects/CPU/IR/CPUDialect.h"
#include "dialects/Context/IR/ContextDialect.h"
#include "passes/Tile/IndexBuilder.h"

namespace corellama::cpu {

/// Lanes of a vector: the rows of a group of `interleaved16`, one a lane.
inline constexpr int64_t kLanes = llama::kInterleavedRows;

/// Bytes of a line of a cache, on every x86-64 CPU.
inline constexpr int64_t kCacheLine = 64;

using Values = llvm::SmallVector<mlir::Value>;

class VectorBuilder : public tile::IndexBuilder {
public:
  using Value = mlir::Value;
  using ValueRange = mlir::ValueRange;

  VectorBuilder(mlir::Location loc, mlir::OpBuilder &builder)
      : IndexBuilder({loc, builder}) {}

  mlir::VectorType vectorOf(mlir::Type element, int64_t lanes = kLanes);
  mlir::VectorType floats(int64_t lanes = kLanes);
  Value zeros(mlir::Type type);
  /// An integer, in all lanes of a vector.
  Value constant(mlir::Type type, int64_t value);
  Value constant(float value);
  Value splat(Value scalar, int64_t lanes = kLanes);
  /// table[index] - `zero` of each byte of `index`, all below 16:
  /// cpu.lookup_bytes.
  Value lookUp(llvm::ArrayRef<int8_t> table, int32_t zero, Value index);
  /// The same of 64 bytes by two instructions of 32, which AVX2 has.
  Value lookUpHalves(llvm::ArrayRef<int8_t> table, int32_t zero, Value index);
  Value fma(Value x, Value y, Value z);
  /// Lanes j < limit, as a mask of 16.
  Value maskBelow(tile::IndexOperand limit);
  /// Lanes j and j + half of a vector are combined, halving.
  Value sumLanes(Value vector);
  Value maxLanes(Value vector);

  /// Rows of a tile, as one vector each; and back.
  Values unpack(Value tile);
  Value pack(llvm::ArrayRef<Value> rows, mlir::Type type);
  /// Lanes `first` to `first` + `count` of a vector, which may be all.
  Value chunk(Value vector, int64_t first, int64_t count = kLanes);
  /// A tile, from its 16 lanes at each row and column.
  Value tileOf(mlir::VectorType type,
               llvm::function_ref<Value(int64_t, int64_t)> chunkAt);

  /// `body` where the condition holds; null: always.
  void guarded(Value condition, llvm::function_ref<void()> body);

  Value field(Value context, context::Field which);
  Value view(Value pointer, tile::IndexOperand byteOffset, mlir::Type type);
  /// Memory that a field of the context points to, as memref<? x element>.
  Value table(Value context, context::Field which, mlir::Type element);
  /// An element of a table of i32, such as the positions of the call's rows.
  Value loadIndex(Value context, context::Field which, Value at);
  Value loadScalar(Value memory, ValueRange at);
  /// 16 floats. Where `limit` is given, lanes from it on are not accessed;
  /// loaded they are zero.
  Value loadFloats(Value memory, ValueRange at, Value limit = {});
  void storeLanes(Value vector, Value memory, ValueRange at, Value limit = {});
  /// Fetches the line of a byte of memory into the first-level cache.
  void prefetch(Value memory, ValueRange at);
  /// Two bf16 that stand side by side, for each of 16 lanes.
  Value splatPair(Value memory, ValueRange at);
  /// `lanes` numbers of a type in memory of bytes.
  Value loadBytes(Value memory, ValueRange at, int64_t lanes,
                  mlir::Type element);

private:
  Value reduceLanes(Value vector,
                    llvm::function_ref<Value(Value, Value)> combine);
};

} // namespace corellama::cpu

#endif // CORELLAMA_PASSES_CPU_VECTORBUILDER_H
