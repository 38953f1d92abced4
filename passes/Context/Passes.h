//===- Passes.h - the passes on the context -------------------------------===//

#ifndef CORELLAMA_PASSES_CONTEXT_PASSES_H
#define CORELLAMA_PASSES_CONTEXT_PASSES_H

#include "mlir/Pass/Pass.h"
#include <string>

namespace mlir {
class OpPassManager;
} // namespace mlir

namespace corellama::context {

#define GEN_PASS_DECL
#include "passes/Context/Passes.h.inc"
#define GEN_PASS_REGISTRATION
#include "passes/Context/Passes.h.inc"

/// Upstream's conversions of upstream's dialects to the llvm dialect; they run
/// after a target's own lowerings and context-to-llvm. `more`: dialects that
/// only the target has, which one of its passes loads.
void addUpstreamConversions(mlir::OpPassManager &manager,
                            llvm::ArrayRef<std::string> more = {});

} // namespace corellama::context

#endif // CORELLAMA_PASSES_CONTEXT_PASSES_H
