//===- Passes.h - the passes on the context -------------------------------===//

#ifndef CORELLAMA_PASSES_CONTEXT_PASSES_H
#define CORELLAMA_PASSES_CONTEXT_PASSES_H

#include "mlir/Pass/Pass.h"

namespace corellama::context {

#define GEN_PASS_DECL
#include "passes/Context/Passes.h.inc"
#define GEN_PASS_REGISTRATION
#include "passes/Context/Passes.h.inc"

} // namespace corellama::context

#endif // CORELLAMA_PASSES_CONTEXT_PASSES_H
