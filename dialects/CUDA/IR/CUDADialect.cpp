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
  auto type = cast<MemRefType>(getType());
  if (type.getMemorySpaceAsInt() != kWorkgroupSpace || !type.hasStaticShape() ||
      !type.getLayout().isIdentity())
    return emitOpError() << "is memory of static shape in space "
                         << kWorkgroupSpace << ", found " << type;
  if (getAt() % 16 != 0)
    return emitOpError() << "stands at a multiple of 16 bytes, found "
                         << getAt();
  return success();
}

/// 4 registers: a pair of f16 in each.
static bool isRegisters(Type type, ArrayRef<int64_t> counts) {
  auto vector = cast<VectorType>(type);
  return vector.getDimSize(1) == 2 &&
         llvm::is_contained(counts, vector.getDimSize(0));
}

LogicalResult LdMatrixOp::verify() {
  auto memory = cast<MemRefType>(getMemory().getType());
  if (!isRegisters(getType(), {1, 2, 4}))
    return emitOpError() << "gives 1, 2 or 4 pairs of halves, found "
                         << getType();
  if (memory.getMemorySpaceAsInt() != kWorkgroupSpace ||
      memory.getElementType() != cast<VectorType>(getType()).getElementType())
    return emitOpError() << "reads workgroup memory of its result's elements, "
                            "found "
                         << memory;
  return success();
}

LogicalResult MmaOp::verify() {
  if (!isRegisters(getA().getType(), {4}) ||
      !isRegisters(getB().getType(), {2}))
    return emitOpError() << "multiplies 4 by 2 pairs of f16, "
                            "found "
                         << getA().getType() << " and " << getB().getType();
  return success();
}
