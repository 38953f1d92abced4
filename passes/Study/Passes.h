//===- Passes.h - the passes of the study ---------------------------------===//
//
// Constructors, options and registration, as TableGen makes them of Passes.td.
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
