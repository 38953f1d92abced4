//===- Targets.h - the table of targets -----------------------------------===//
//
// A row a target: what of a machine the compiler has to know. Apart from
// Target.h because only this folder sees rows; everybody else sees the
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
  /// The name on the command line. Of a CPU it is LLVM's, which is also its
  /// features' source; of a GPU "cuda:" and LLVM's.
  llvm::StringLiteral name;
  /// For people: which machines these are.
  llvm::StringLiteral machines;
  /// Cache of one core that a worker may fill; 0 of a GPU, whose blocks have
  /// what their strategies say.
  uint64_t l2Bytes;
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
/// LLVM's spelling. What a CPU has besides (random numbers, cryptography,
/// cache control, system instructions) no kernel needs, so a program does not
/// ask its machine for it.
llvm::ArrayRef<llvm::StringLiteral> usableFeatures();

/// The features of x86-64-v3, the least that code is generated for: 256-bit
/// integers and floats, fma, halves.
llvm::ArrayRef<llvm::StringLiteral> requiredFeatures();

} // namespace corellama

#endif // CORELLAMA_COMPILER_TARGET_TARGETS_H
