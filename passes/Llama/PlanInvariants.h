//===- PlanInvariants.h - invariants of kernel plans ----------------------===//
//
// Reads kernels with strategies, partitions and orders, from a table or an
// override, and checks what later phases rely on: on rows of one type decode
// and prefill make each sum in the same order, and a part that rounds its
// result holds whole blocks of it. Called by llama-plan-kernels, so that the
// error names the kernel at once, and by llama-verify-phase.
//
//===----------------------------------------------------------------------===//

#ifndef CORELLAMA_PASSES_LLAMA_PLANINVARIANTS_H
#define CORELLAMA_PASSES_LLAMA_PLANINVARIANTS_H

#include "dialects/Llama/IR/LlamaDialect.h"

namespace corellama::llama {

mlir::LogicalResult verifyPlanInvariants(mlir::ModuleOp module);

} // namespace corellama::llama

#endif // CORELLAMA_PASSES_LLAMA_PLANINVARIANTS_H
