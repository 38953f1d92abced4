//===- ContextDialect.cpp - registration and verifiers of context ---------===//

#include "dialects/Context/IR/ContextDialect.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/OpImplementation.h"
#include "runtime/ABI/Kernel.h"

using namespace mlir;
using namespace corellama::context;

#include "dialects/Context/IR/ContextDialect.cpp.inc"
#include "dialects/Context/IR/ContextEnums.cpp.inc"
#define GET_OP_CLASSES
#include "dialects/Context/IR/ContextOps.cpp.inc"

void ContextDialect::initialize() {
  addOperations<
#define GET_OP_LIST
#include "dialects/Context/IR/ContextOps.cpp.inc"
      >();
}

uint64_t corellama::context::offsetOf(Field field) {
  using abi = corellama::abi::Context;
  switch (field) {
  case Field::Weights:
    return offsetof(abi, weights);
  case Field::Offsets:
    return offsetof(abi, offsets);
  case Field::Workspace:
    return offsetof(abi, workspace);
  case Field::Keys:
    return offsetof(abi, keys);
  case Field::Values:
    return offsetof(abi, values);
  case Field::Rope:
    return offsetof(abi, rope);
  case Field::Tokens:
    return offsetof(abi, tokens);
  case Field::Positions:
    return offsetof(abi, positions);
  case Field::Rows:
    return offsetof(abi, rows);
  case Field::KeyCount:
    return offsetof(abi, keyCount);
  case Field::Capacity:
    return offsetof(abi, capacity);
  case Field::Wanted:
    return offsetof(abi, wanted);
  case Field::Threads:
    return offsetof(abi, threads);
  case Field::Regions:
    return offsetof(abi, regions);
  }
  llvm_unreachable("every field has an offset");
}

bool corellama::context::isPointer(Field field) {
  switch (field) {
  case Field::Rows:
  case Field::KeyCount:
  case Field::Capacity:
    return false;
  default:
    return true;
  }
}

LogicalResult FieldOp::verify() {
  if (isPointer(getField()) != isa<LLVM::LLVMPointerType>(getType()))
    return emitOpError() << stringifyField(getField()) << " is "
                         << (isPointer(getField()) ? "a pointer" : "an index")
                         << ", found " << getType();
  return success();
}

LogicalResult ViewOp::verify() {
  auto type = cast<MemRefType>(getType());
  if (!type.getLayout().isIdentity())
    return emitOpError() << "views memory row by row, found " << type;
  for (int64_t extent : type.getShape().drop_front(type.getRank() ? 1 : 0))
    if (ShapedType::isDynamic(extent))
      return emitOpError() << "only the first extent may be dynamic, found "
                           << type;
  return success();
}
