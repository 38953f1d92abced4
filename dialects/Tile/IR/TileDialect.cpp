//===- TileDialect.cpp - registration and types of tile -------------------===//

#include "dialects/Tile/IR/TileDialect.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/DialectImplementation.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace corellama::tile;

/// `rows x columns`, and `x` again where a type of elements follows.
static ParseResult parseExtents(AsmParser &parser, int64_t &rows,
                                int64_t &columns, bool elementFollows) {
  SmallVector<int64_t> shape;
  SMLoc loc = parser.getCurrentLocation();
  if (parser.parseDimensionList(shape, /*allowDynamic=*/false, elementFollows))
    return failure();
  if (shape.size() != 2)
    return parser.emitError(loc)
           << "expected rows x columns, found " << shape.size() << " extents";
  rows = shape[0];
  columns = shape[1];
  return success();
}

static void printExtents(AsmPrinter &printer, int64_t rows, int64_t columns,
                         bool elementFollows) {
  printer << rows << 'x' << columns << (elementFollows ? "x" : "");
}

#include "dialects/Tile/IR/TileDialect.cpp.inc"
#define GET_TYPEDEF_CLASSES
#include "dialects/Tile/IR/TileTypes.cpp.inc"

void TileDialect::initialize() {
  addOperations<
#define GET_OP_LIST
#include "dialects/Tile/IR/TileOps.cpp.inc"
      >();
#ifndef __clang_analyzer__ // It takes a lambda that MLIR calls for a leak.
  addTypes<
#define GET_TYPEDEF_LIST
#include "dialects/Tile/IR/TileTypes.cpp.inc"
      >();
#endif
}
