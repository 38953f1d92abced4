//===- TileDialect.h - the tile dialect -----------------------------------===//

#ifndef CORELLAMA_DIALECTS_TILE_IR_TILEDIALECT_H
#define CORELLAMA_DIALECTS_TILE_IR_TILEDIALECT_H

#include "dialects/Llama/IR/LlamaDialect.h"

#include "dialects/Tile/IR/TileDialect.h.inc"
#define GET_TYPEDEF_CLASSES
#include "dialects/Tile/IR/TileTypes.h.inc"
#define GET_OP_CLASSES
#include "dialects/Tile/IR/TileOps.h.inc"

#endif // CORELLAMA_DIALECTS_TILE_IR_TILEDIALECT_H
