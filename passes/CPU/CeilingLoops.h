//===- CeilingLoops.h - loops that meet one bound of a CPU ----------------===//
//
// A module at phase `vector` whose kernels read memory and do nothing else, or
// multiply in registers and do nothing else. `corellama bench` measures them
// beside a program: what its kernels could reach at most, in the same minutes
// and by the same code generation.
//
//===----------------------------------------------------------------------===//

#ifndef CORELLAMA_PASSES_CPU_CEILINGLOOPS_H
#define CORELLAMA_PASSES_CPU_CEILINGLOOPS_H

#include "dialects/CPU/IR/CPUDialect.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/OwningOpRef.h"
#include "llvm/ADT/ArrayRef.h"
#include <string>
#include <vector>

namespace corellama::cpu {

/// Bytes of the weights that one part of a reading kernel reads.
inline constexpr int64_t kReadPart = int64_t{64} * 1024;

struct CeilingLoops {
  mlir::OwningOpRef<mlir::ModuleOp> module;
  /// Kernels that read the weights, in several ways: the best is the ceiling.
  std::vector<std::string> reads;
  /// For each unit the kernel that multiplies, and the operations (a
  /// multiplication or an addition is one) of one part.
  struct Peak {
    std::string kernel;
    int64_t operations;
  };
  std::vector<Peak> peaks;
};

/// `units` are units of a CPU whose features the target has.
CeilingLoops buildCeilingLoops(TargetAttr target,
                               llvm::ArrayRef<mlir::Attribute> units);

} // namespace corellama::cpu

#endif // CORELLAMA_PASSES_CPU_CEILINGLOOPS_H
