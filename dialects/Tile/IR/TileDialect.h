//===- TileDialect.h - the tile dialect -----------------------------------===//

#ifndef CORELLAMA_DIALECTS_TILE_IR_TILEDIALECT_H
#define CORELLAMA_DIALECTS_TILE_IR_TILEDIALECT_H

#include "dialects/Llama/IR/LlamaDialect.h"

namespace corellama::tile {

/// Weights, caches, rows and panels are names of memory that lowerings resolve
/// where they are used: each such operand of `op` is the result of the op that
/// makes its kind, not a block's argument or a choice between two.
mlir::LogicalResult verifyHandles(mlir::Operation *op);

/// Of every op of the dialect.
template <typename ConcreteOp>
struct ResolvesHandles : mlir::OpTrait::TraitBase<ConcreteOp, ResolvesHandles> {
  static mlir::LogicalResult verifyTrait(mlir::Operation *op) {
    return verifyHandles(op);
  }
};

} // namespace corellama::tile

#include "dialects/Tile/IR/TileDialect.h.inc"
#define GET_TYPEDEF_CLASSES
#include "dialects/Tile/IR/TileTypes.h.inc"
#define GET_OP_CLASSES
#include "dialects/Tile/IR/TileOps.h.inc"

#endif // CORELLAMA_DIALECTS_TILE_IR_TILEDIALECT_H
