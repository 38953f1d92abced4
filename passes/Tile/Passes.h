//===- Passes.h - llama kernels to tile -----------------------------------===//

#ifndef CORELLAMA_PASSES_TILE_PASSES_H
#define CORELLAMA_PASSES_TILE_PASSES_H

#include "mlir/IR/BuiltinOps.h"
#include "mlir/Pass/Pass.h"

namespace corellama::tile {

#define GEN_PASS_DECL
#include "passes/Tile/Passes.h.inc"
#define GEN_PASS_REGISTRATION
#include "passes/Tile/Passes.h.inc"

} // namespace corellama::tile

#endif // CORELLAMA_PASSES_TILE_PASSES_H
