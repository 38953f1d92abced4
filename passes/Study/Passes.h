//===- Passes.h - the passes of the study ---------------------------------===//
//
// The registration of what corellama-opt has beside the compiler's passes, as
// TableGen makes it from Passes.td.
//
//===----------------------------------------------------------------------===//

#ifndef CORELLAMA_PASSES_STUDY_PASSES_H
#define CORELLAMA_PASSES_STUDY_PASSES_H

#include "dialects/Llama/IR/LlamaDialect.h"
#include "mlir/Pass/Pass.h"
#include <memory>

namespace corellama::study {

#define GEN_PASS_DECL
#include "passes/Study/Passes.h.inc"

#define GEN_PASS_REGISTRATION
#include "passes/Study/Passes.h.inc"

} // namespace corellama::study

#endif // CORELLAMA_PASSES_STUDY_PASSES_H
