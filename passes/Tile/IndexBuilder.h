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

namespace corellama::tile {

/// Base of a class that writes code at `b`.
class IndexBuilder {
public:
  explicit IndexBuilder(const mlir::ImplicitLocOpBuilder &b) : b(b) {}

  mlir::Value index(int64_t value);
  mlir::Value add(mlir::Value x, mlir::Value y);
  mlir::Value add(mlir::Value x, int64_t y);
  mlir::Value sub(mlir::Value x, mlir::Value y);
  mlir::Value mul(mlir::Value x, mlir::Value y);
  mlir::Value mul(mlir::Value x, int64_t y);
  mlir::Value div(mlir::Value x, int64_t y);          // unsigned
  mlir::Value rem(mlir::Value x, int64_t y);          // unsigned
  mlir::Value minimum(mlir::Value x, mlir::Value y);  // signed
  mlir::Value maximum(mlir::Value x, mlir::Value y);  // signed
  mlir::Value lessThan(mlir::Value x, mlir::Value y); // signed

protected:
  mlir::ImplicitLocOpBuilder b;
};

} // namespace corellama::tile

#endif // CORELLAMA_PASSES_TILE_INDEXBUILDER_H
