//===- IndexBuilder.h - arithmetic on indices, as code is written ---------===//
//
// What the writers of kernels share, at tile and, for each kind of target,
// from tile to vector: all of them compute addresses. Values are of type index;
// a number of the compiler that changes nothing (plus 0, times 1) makes no op.
//
//===----------------------------------------------------------------------===//

#ifndef CORELLAMA_PASSES_TILE_INDEXBUILDER_H
#define CORELLAMA_PASSES_TILE_INDEXBUILDER_H

#include "mlir/IR/ImplicitLocOpBuilder.h"
#include "llvm/ADT/STLFunctionalExtras.h"
#include <concepts>

namespace corellama::tile {

/// A value of the code, or a number of the compiler, which becomes a constant
/// where it is used. C++ leaves the order open in which the arguments of a call
/// are evaluated: with numbers that make no op themselves, at most one argument
/// does, and the ops stand in one order whatever compiled the compiler.
struct IndexOperand {
  IndexOperand(std::convertible_to<mlir::Value> auto value) : value(value) {}
  IndexOperand(std::integral auto number)
      : number(static_cast<int64_t>(number)) {}

  bool is(int64_t wanted) const { return !value && number == wanted; }

  mlir::Value value;
  int64_t number = 0;
};

/// A builder with this arithmetic; also the base of a class that writes code.
class IndexBuilder : public mlir::ImplicitLocOpBuilder {
public:
  explicit IndexBuilder(const mlir::ImplicitLocOpBuilder &builder)
      : ImplicitLocOpBuilder(builder) {}
  IndexBuilder(const IndexBuilder &) = delete; // `b` would be the other's

  mlir::Value index(IndexOperand operand);
  mlir::Value add(IndexOperand x, IndexOperand y);
  mlir::Value sub(IndexOperand x, IndexOperand y);
  mlir::Value mul(IndexOperand x, IndexOperand y);
  mlir::Value div(IndexOperand x, IndexOperand y);      // unsigned
  mlir::Value rem(IndexOperand x, IndexOperand y);      // unsigned
  mlir::Value minimum(IndexOperand x, IndexOperand y);  // signed
  mlir::Value maximum(IndexOperand x, IndexOperand y);  // signed
  mlir::Value lessThan(IndexOperand x, IndexOperand y); // signed

  /// Where a cache keeps `position`: in a ring of R positions at place position
  /// mod R, without one (0) there itself.
  mlir::Value placeIn(int64_t ring, IndexOperand position);

  void loop(IndexOperand from, IndexOperand to, int64_t step,
            llvm::function_ref<void(mlir::Value)> body);
  /// A loop that carries values: `body` makes the next ones; the last of them.
  llvm::SmallVector<mlir::Value>
  fold(IndexOperand from, IndexOperand to, int64_t step, mlir::ValueRange start,
       llvm::function_ref<llvm::SmallVector<mlir::Value>(mlir::Value,
                                                         mlir::ValueRange)>
           body);

protected:
  /// Itself, by the name that derived classes pass to `create`.
  mlir::ImplicitLocOpBuilder &b = *this;
};

} // namespace corellama::tile

#endif // CORELLAMA_PASSES_TILE_INDEXBUILDER_H
