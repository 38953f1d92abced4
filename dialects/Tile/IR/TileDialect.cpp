//===- TileDialect.cpp - registration and types of tile -------------------===//

#include "dialects/Tile/IR/TileDialect.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/DialectImplementation.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace corellama::tile;

#include "dialects/Tile/IR/TileDialect.cpp.inc"
#define GET_TYPEDEF_CLASSES
#include "dialects/Tile/IR/TileTypes.cpp.inc"

void TileDialect::initialize() {
  addOperations<
#define GET_OP_LIST
#include "dialects/Tile/IR/TileOps.cpp.inc"
      >();
  addTypes<
#define GET_TYPEDEF_LIST
#include "dialects/Tile/IR/TileTypes.cpp.inc"
      >();
}

// !tile.rows<512x576xf32>
Type RowsType::parse(AsmParser &parser) {
  SmallVector<int64_t> shape;
  Type element;
  SMLoc loc = parser.getCurrentLocation();
  if (parser.parseLess() ||
      parser.parseDimensionList(shape, /*allowDynamic=*/false) ||
      parser.parseType(element) || parser.parseGreater())
    return {};
  if (shape.size() != 2) {
    parser.emitError(loc) << "rows are rows x columns";
    return {};
  }
  return RowsType::get(parser.getContext(), shape[0], shape[1], element);
}

void RowsType::print(AsmPrinter &printer) const {
  printer << "<" << getRows() << "x" << getColumns() << "x" << getElementType()
          << ">";
}

// !tile.panel<16x576, #llama.q4_1, #cpu.fma>
Type PanelType::parse(AsmParser &parser) {
  SmallVector<int64_t> shape;
  corellama::llama::FormatInterface format;
  corellama::llama::ContractionUnitInterface unit;
  SMLoc loc = parser.getCurrentLocation();
  if (parser.parseLess() ||
      parser.parseDimensionList(shape, /*allowDynamic=*/false,
                                /*withTrailingX=*/false) ||
      parser.parseComma() || parser.parseAttribute(format) ||
      parser.parseComma() || parser.parseAttribute(unit) ||
      parser.parseGreater())
    return {};
  if (shape.size() != 2) {
    parser.emitError(loc) << "a panel is rows x columns";
    return {};
  }
  return PanelType::get(parser.getContext(), shape[0], shape[1], format, unit);
}

void PanelType::print(AsmPrinter &printer) const {
  printer << "<" << getRows() << "x" << getColumns() << ", " << getFormat()
          << ", " << getUnit() << ">";
}
