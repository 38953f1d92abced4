//===- Passes.td - llama kernels to tile ----------------------------------===//

#ifndef CORELLAMA_PASSES_TILE_PASSES
#define CORELLAMA_PASSES_TILE_PASSES

include "mlir/Pass/PassBase.td"

def LlamaToTile : Pass<"llama-to-tile", "::mlir::ModuleOp"> {
  let summary = "Write each kernel's body as loops over tiles";
  let description = [{
    Phase: tile. Needs: kernels as functions with strategy, partition and orders, buffers
    and weight references stamped. Leaves: each kernel a function (context,
    layer, begin, end) of scf, arith, math, vector and tile; no tensor. Never:
    decides how a kernel runs, or reads more of the module than the kernel and
    the declarations of buffers and of the cache's layout.

    What is read as whole rows (the result of a norm, of a merge, a buffer) is
    staged once a call; then each part loops over tiles of the groups it was partitioned
    into, contracts, and applies the rest of the graph as arithmetic on the tile.
    Iterations that do not depend on each other (heads that are merged) are an
    scf.parallel.

    EXAMPLE test/passes/Tile/llama-to-tile.mlir @down.decode
  }];
  let dependentDialects = [
    "::corellama::tile::TileDialect", "::mlir::arith::ArithDialect",
    "::mlir::math::MathDialect", "::mlir::memref::MemRefDialect",
    "::mlir::scf::SCFDialect", "::mlir::vector::VectorDialect"];
}

def TileExpandExp : Pass<"tile-expand-exp"> {
  let summary = "Write math.exp as one polynomial, the same on every target";
  let description = [{
    Phase: tile. Needs: math.exp on f32 or vectors of it. Leaves: arith, and
    math.fma; exp(x) is within 1.2 units in the last place for x in [-87, 88],
    +0 below -87.33 (so that a masked score of -inf weighs nothing), and
    exp(88) above 88. Never: calls a library.

    x = n ln 2 + f with n rounded by adding 1.5 * 2^23, log2(e) in two parts so
    that f keeps its bits; 2^f by a polynomial of degree 6 (minimax on
    [-0.5, 0.5], relative error 1.9e-9, constant term 1); n is added to the
    exponent.

    EXAMPLE test/passes/Tile/tile-expand-exp.mlir @a_vector
  }];
  let dependentDialects = ["::mlir::arith::ArithDialect", "::mlir::math::MathDialect"];
}

#endif
