//===- Phase.h - the IR phases of the compiler ----------------------------===//
//
// The phases between a checkpoint and an object, in order, as ops know them.
// The pipelines that lead from one to the next are in compiler/Pipelines; this
// header is here because each op of our dialects names its phases in ODS.
//
//===----------------------------------------------------------------------===//

#ifndef CORELLAMA_DIALECTS_LLAMA_IR_PHASE_H
#define CORELLAMA_DIALECTS_LLAMA_IR_PHASE_H

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/StringRef.h"
#include <optional>

namespace corellama::llama {

enum class Phase {
  Import,
  Specialize,
  Fuse,
  Plan,
  Schedule,
  Tile,
  Vector,
  LLVM,
};

/// The phases in which an op may stand, both ends included.
struct PhaseRange {
  Phase first;
  Phase last;
};

/// One row a phase: its name on the command line and what else may be in it.
struct PhaseInfo {
  Phase phase;
  llvm::StringLiteral name;
  llvm::StringLiteral summary;
  /// Upstream's dialects whose ops are allowed, besides `builtin`. Ops of our
  /// own dialects name their phases themselves.
  llvm::ArrayRef<llvm::StringLiteral> dialects;
};

llvm::ArrayRef<PhaseInfo> allPhases();
const PhaseInfo &infoOf(Phase phase);
std::optional<Phase> parsePhase(llvm::StringRef name);

} // namespace corellama::llama

#endif // CORELLAMA_DIALECTS_LLAMA_IR_PHASE_H
