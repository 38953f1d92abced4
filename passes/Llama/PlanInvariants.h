//===- PlanInvariants.h - what a plan keeps, whatever made it -------------===//
//
// Reads kernels with strategies, partitions and orders and proves what other
// phases rely on, whichever table or override they come from: on float32 rows
// decode and prefill make each sum in the same order, and a part that rounds
// its result holds whole blocks of it. Asked by llama-plan-kernels, which names
// the culprit at once, and by llama-verify-phase.
//
//===----------------------------------------------------------------------===//

#ifndef CORELLAMA_PASSES_LLAMA_PLANINVARIANTS_H
#define CORELLAMA_PASSES_LLAMA_PLANINVARIANTS_H

#include "dialects/Llama/IR/LlamaDialect.h"

namespace corellama::llama {

mlir::LogicalResult verifyPlanInvariants(mlir::ModuleOp module);

} // namespace corellama::llama

#endif // CORELLAMA_PASSES_LLAMA_PLANINVARIANTS_H
