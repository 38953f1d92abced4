//===- Targets.h - the table of targets -----------------------------------===//
//
// One row for each target, with the facts that the compiler needs. A file apart
// from Target.h because only this folder uses rows; other code uses the
// attribute.
//
//===----------------------------------------------------------------------===//

#ifndef CORELLAMA_COMPILER_TARGET_TARGETS_H
#define CORELLAMA_COMPILER_TARGET_TARGETS_H

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/StringRef.h"
#include <cstdint>

namespace corellama {

struct TargetInfo {
  /// The name on the command line. For a CPU it is LLVM's name, from which the
  /// features are derived; for a GPU "cuda:" and LLVM's name.
  llvm::StringLiteral name;
  /// The machines that it is for, for --list-targets.
  llvm::StringLiteral machines;
  /// Of a GPU: its features in LLVM's spelling; empty: it is a CPU.
  llvm::StringLiteral features = "";
  /// Of a GPU: the most workgroup memory of a block, in bytes.
  uint64_t workgroupBytes = 0;

  constexpr bool isCPU() const { return features.empty(); }
};

/// From the least to the most capable of each maker.
llvm::ArrayRef<TargetInfo> allTargets();
/// The row of that name, or null.
const TargetInfo *findTarget(llvm::StringRef name);

/// The features of x86-64 that generated code may use beyond the baseline, in
/// LLVM's spelling. Kernels need no other features (random numbers,
/// cryptography, cache control, system instructions), so a program does not
/// require them.
llvm::ArrayRef<llvm::StringLiteral> usableFeatures();

/// The features of x86-64-v3, the least that code is generated for: 256-bit
/// integers and floats, fma, f16 conversions.
llvm::ArrayRef<llvm::StringLiteral> requiredFeatures();

} // namespace corellama

#endif // CORELLAMA_COMPILER_TARGET_TARGETS_H
