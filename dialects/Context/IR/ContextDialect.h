//===- ContextDialect.h - the context dialect -----------------------------===//

#ifndef CORELLAMA_DIALECTS_CONTEXT_IR_CONTEXTDIALECT_H
#define CORELLAMA_DIALECTS_CONTEXT_IR_CONTEXTDIALECT_H

#include "dialects/Llama/IR/LlamaDialect.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"

#include "dialects/Context/IR/ContextDialect.h.inc"
#include "dialects/Context/IR/ContextEnums.h.inc"
#define GET_OP_CLASSES
#include "dialects/Context/IR/ContextOps.h.inc"

namespace corellama::context {

/// Byte offset of a field in abi::Context, and whether it is a pointer.
uint64_t offsetOf(Field field);
bool isPointer(Field field);

} // namespace corellama::context

#endif // CORELLAMA_DIALECTS_CONTEXT_IR_CONTEXTDIALECT_H
