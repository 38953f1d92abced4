//===- CUDADialect.cpp - registration and verifiers of cuda ---------------===//

#include "dialects/CUDA/IR/CUDADialect.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/OpImplementation.h"

using namespace mlir;
using namespace corellama::cuda;

#include "dialects/CUDA/IR/CUDADialect.cpp.inc"
#define GET_OP_CLASSES
#include "dialects/CUDA/IR/CUDAOps.cpp.inc"

void CUDADialect::initialize() {
  addOperations<
#define GET_OP_LIST
#include "dialects/CUDA/IR/CUDAOps.cpp.inc"
      >();
  registerAttributes();
}

int64_t SharedOp::getEnd() {
  auto type = cast<MemRefType>(getType());
  return static_cast<int64_t>(getAt()) +
         type.getNumElements() * type.getElementTypeBitWidth() / 8;
}

LogicalResult SharedOp::verify() {
  if (getAt() % 16 != 0)
    return emitOpError() << "stands at a multiple of 16 bytes, found "
                         << getAt();
  return success();
}
