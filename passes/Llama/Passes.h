//===- Passes.h - the passes on the graph ---------------------------------===//
//
// The constructors, options and registration of the passes from import to
// schedule, as TableGen makes them from Passes.td, which says what each does.
//
//===----------------------------------------------------------------------===//

#ifndef CORELLAMA_PASSES_LLAMA_PASSES_H
#define CORELLAMA_PASSES_LLAMA_PASSES_H

#include "dialects/Llama/IR/LlamaDialect.h"
#include "mlir/Pass/Pass.h"
#include <memory>

namespace corellama::llama {

#define GEN_PASS_DECL
#include "passes/Llama/Passes.h.inc"

#define GEN_PASS_REGISTRATION
#include "passes/Llama/Passes.h.inc"

} // namespace corellama::llama

#endif // CORELLAMA_PASSES_LLAMA_PASSES_H
