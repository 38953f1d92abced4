//===- CPUDialect.h - the cpu dialect -------------------------------------===//

#ifndef CORELLAMA_DIALECTS_CPU_IR_CPUDIALECT_H
#define CORELLAMA_DIALECTS_CPU_IR_CPUDIALECT_H

#include "dialects/Llama/IR/LlamaDialect.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"

#include "dialects/CPU/IR/CPUDialect.h.inc"
#include "dialects/CPU/IR/CPUEnums.h.inc"
#define GET_OP_CLASSES
#include "dialects/CPU/IR/CPUOps.h.inc"

namespace corellama::cpu {

/// Byte offset of a field in abi::Context, and whether it is a pointer.
uint64_t offsetOf(Field field);
bool isPointer(Field field);

} // namespace corellama::cpu

#endif // CORELLAMA_DIALECTS_CPU_IR_CPUDIALECT_H
