//===- Passes.h - the passes on the context -------------------------------===//

#ifndef CORELLAMA_PASSES_CONTEXT_PASSES_H
#define CORELLAMA_PASSES_CONTEXT_PASSES_H

#include "mlir/Pass/Pass.h"

namespace mlir {
class OpPassManager;
} // namespace mlir

namespace corellama::context {

#define GEN_PASS_DECL
#include "passes/Context/Passes.h.inc"
#define GEN_PASS_REGISTRATION
#include "passes/Context/Passes.h.inc"

/// Upstream's conversions of upstream's dialects to the llvm dialect; they run
/// after a target's own lowerings and context-to-llvm.
void addUpstreamConversions(mlir::OpPassManager &manager);

} // namespace corellama::context

#endif // CORELLAMA_PASSES_CONTEXT_PASSES_H
