//===- LlamaScheduleOps.cpp - kernels, buffers, steps ---------------------===//
//
// Syntax and verifiers of what a step is made of.
//
//===----------------------------------------------------------------------===//

#include "dialects/Llama/IR/LlamaDialect.h"
#include "mlir/IR/Builders.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace corellama::llama;

//===----------------------------------------------------------------------===//
// kernel: "qkv" (%i = %x : T, ...) -> T strategy S partition C { ... }
//===----------------------------------------------------------------------===//

ParseResult KernelOp::parse(OpAsmParser &parser, OperationState &result) {
  StringAttr name;
  SmallVector<OpAsmParser::Argument> arguments;
  SmallVector<OpAsmParser::UnresolvedOperand> operands;
  SmallVector<Type> types;
  if (parser.parseAttribute(name, "name", result.attributes))
    return failure();
  SMLoc loc = parser.getCurrentLocation();
  auto binding = [&]() -> ParseResult {
    OpAsmParser::Argument &argument = arguments.emplace_back();
    if (parser.parseArgument(argument) || parser.parseEqual() ||
        parser.parseOperand(operands.emplace_back()) ||
        parser.parseColonType(argument.type))
      return failure();
    types.push_back(argument.type);
    return success();
  };
  if (parser.parseCommaSeparatedList(OpAsmParser::Delimiter::Paren, binding) ||
      parser.parseOptionalArrowTypeList(result.types))
    return failure();
  if (succeeded(parser.parseOptionalKeyword("strategy"))) {
    Attribute strategy;
    if (parser.parseAttribute(strategy, "strategy", result.attributes))
      return failure();
  }
  if (succeeded(parser.parseOptionalKeyword("partition"))) {
    PartitionAttr partition;
    if (parser.parseCustomAttributeWithFallback(partition, Type(), "partition",
                                                result.attributes))
      return failure();
  }
  return failure(
      parser.resolveOperands(operands, types, loc, result.operands) ||
      parser.parseOptionalAttrDictWithKeyword(result.attributes) ||
      parser.parseRegion(*result.addRegion(), arguments));
}

void KernelOp::print(OpAsmPrinter &printer) {
  printer << ' ' << getNameAttr() << " (";
  llvm::interleaveComma(llvm::zip(getBody().getArguments(), getInputs()),
                        printer, [&](auto pair) {
                          auto [argument, operand] = pair;
                          printer << argument << " = " << operand << " : "
                                  << operand.getType();
                        });
  printer << ")";
  printer.printOptionalArrowTypeList(getOutputs().getTypes());
  if (getStrategyAttr())
    printer << " strategy " << getStrategyAttr();
  if (getPartitionAttr()) {
    printer << " partition ";
    printer.printStrippedAttrOrType(getPartitionAttr());
  }
  printer.printOptionalAttrDictWithKeyword((*this)->getAttrs(),
                                           {"name", "strategy", "partition"});
  printer << ' ';
  printer.printRegion(getBody(), /*printEntryBlockArgs=*/false);
}

LogicalResult KernelOp::verify() {
  if (getNumResults() > 3) // kernel A1
    return emitOpError() << "\"" << getName() << "\" has " << getNumResults()
                         << " results, a kernel has at most three";
  if (getBody().getArgumentTypes() != getInputs().getTypes())
    return emitOpError() << "\"" << getName()
                         << "\": its inputs and what its body takes differ";
  auto yield = dyn_cast<YieldOp>(getBody().front().getTerminator());
  if (!yield ||
      yield.getValues().getTypes() != getOutputs().getTypes()) // kernel A2
    return emitOpError() << "\"" << getName()
                         << "\" ends in a llama.yield of its result types";
  return success();
}

//===----------------------------------------------------------------------===//
// buffer, buffer_read, buffer_write
//===----------------------------------------------------------------------===//

/// Bytes of one row of `columns` elements.
static uint64_t rowBytes(Type element, uint64_t columns) {
  if (auto record = dyn_cast<RowRecordInterface>(element))
    return record.getRowBytes(columns);
  return columns * llvm::divideCeil(element.getIntOrFloatBitWidth(), 8);
}

uint64_t BufferOp::getBytes() {
  auto type = cast<RankedTensorType>(getType());
  uint64_t rows = 1;
  for (int64_t extent : type.getShape().drop_back())
    rows *= extent;
  return rows * rowBytes(type.getElementType(), type.getShape().back());
}

LogicalResult BufferOp::verify() {
  auto type = cast<RankedTensorType>(getType());
  if (!type.hasStaticShape() || type.getRank() == 0) // buffer A1
    return emitOpError()
           << "the type of a buffer is its capacity, all extents known, found "
           << type;
  return success();
}

static LogicalResult verifyBufferUse(Operation *op, FlatSymbolRefAttr symbol,
                                     Value value,
                                     SymbolTableCollection &symbols) {
  auto buffer = symbols.lookupNearestSymbolFrom<BufferOp>(op, symbol);
  if (!buffer)
    return op->emitOpError() << symbol << " is not a buffer of this module";
  auto have = cast<RankedTensorType>(buffer.getType());
  auto want = cast<RankedTensorType>(value.getType());
  bool fits = have.getRank() == want.getRank() &&
              have.getElementType() == want.getElementType();
  for (int64_t i = 0; fits && i < want.getRank(); ++i) {
    if (want.isDynamicDim(i))
      continue;
    // A value may have fewer rows, or blocks of keys, than the buffer holds.
    fits = i == 0 ? want.getDimSize(i) <= have.getDimSize(i)
                  : want.getDimSize(i) == have.getDimSize(i);
  }
  if (!fits) // buffer_read A1, buffer_write A1
    return op->emitOpError() << "buffer " << symbol << " of type " << have
                             << " does not hold a " << want;
  // Without a bound nothing says how many rows there will be.
  int64_t rows = getRowBound(value);
  if (rows != kAnyRows && rows > have.getDimSize(0)) // as above
    return op->emitOpError() << "buffer " << symbol << " of type " << have
                             << " has no room for " << rows << " rows";
  return success();
}

LogicalResult BufferReadOp::verifySymbolUses(SymbolTableCollection &symbols) {
  if (getRows() &&
      getRows().getType().getDimSize(0) !=
          cast<RankedTensorType>(getType()).getDimSize(0)) // buffer_read A2
    return emitOpError() << "reads rows " << getRows().getType() << ", found "
                         << getType();
  return verifyBufferUse(*this, getBufferAttr(), getResult(), symbols);
}

LogicalResult BufferWriteOp::verifySymbolUses(SymbolTableCollection &symbols) {
  return verifyBufferUse(*this, getBufferAttr(), getValue(), symbols);
}

//===----------------------------------------------------------------------===//
// step, dispatch
//===----------------------------------------------------------------------===//

LogicalResult StepOp::verify() {
  WalkResult result = getBody().walk([&](Operation *op) -> WalkResult {
    StringRef name = op->getName().getStringRef();
    if (isa<DispatchOp, BarrierOp>(op) || name == "arith.constant" ||
        name == "scf.for" || name == "scf.yield") // step A1
      return WalkResult::advance();
    return op->emitOpError()
           << "stands in llama.step, which holds dispatches, barriers "
              "and loops over layers";
  });
  return failure(result.wasInterrupted());
}

LogicalResult DispatchOp::verify() {
  if (getCallees().size() > 1 && (!getOf() || !getLayer())) // dispatch A2
    return emitOpError()
           << "picks its callee by a table and a layer, one of them is missing";
  if (getOf())
    for (int32_t index : getOfAttr().asArrayRef())
      if (index < 0 ||
          static_cast<size_t>(index) >= getCallees().size()) // dispatch A2
        return emitOpError()
               << "callee " << index << " of " << getCallees().size();
  return success();
}

LogicalResult DispatchOp::verifySymbolUses(SymbolTableCollection &symbols) {
  for (auto callee : getCallees().getAsRange<FlatSymbolRefAttr>()) {
    Operation *op = symbols.lookupNearestSymbolFrom(*this, callee);
    if (!op || op->getName().getStringRef() != "func.func") // dispatch A1
      return emitOpError() << callee << " is not a function of this module";
    // Tensors of rows have them as their first extent.
    int64_t rows = getRowBound(op);
    op->walk([&](Operation *inner) {
      for (Value value : inner->getResults())
        if (isa<RankedTensorType>(value.getType()))
          rows = std::min(rows, getRowBound(value));
    });
    if (auto step = (*this)->getParentOfType<StepOp>();
        step && rows < step.getRowsAttr().getInt()) // step A3
      return emitOpError() << "runs " << callee << ", which takes " << rows
                           << " rows at most, in a step of " << step.getRows();
  }
  return success();
}
