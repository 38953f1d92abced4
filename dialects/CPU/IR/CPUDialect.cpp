//===- CPUDialect.cpp - registration and ops of cpu -----------------------===//

#include "dialects/CPU/IR/CPUDialect.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/OpImplementation.h"

using namespace mlir;
using namespace corellama::cpu;

#include "dialects/CPU/IR/CPUDialect.cpp.inc"
#define GET_OP_CLASSES
#include "dialects/CPU/IR/CPUOps.cpp.inc"

void CPUDialect::initialize() {
  addOperations<
#define GET_OP_LIST
#include "dialects/CPU/IR/CPUOps.cpp.inc"
      >();
  registerAttributes();
}
