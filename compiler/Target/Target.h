//===- Target.h - names of machines -> the target attribute ---------------===//
//
// The name of a target as on the command line -> the attribute that passes
// see. A file of its own because nothing else in the compiler examines the
// machine it runs on, and this does so only for `native`.
//
//===----------------------------------------------------------------------===//

#ifndef CORELLAMA_COMPILER_TARGET_TARGET_H
#define CORELLAMA_COMPILER_TARGET_TARGET_H

#include "dialects/Llama/IR/LlamaDialect.h"
#include "llvm/ADT/StringMap.h"
#include "llvm/Support/Error.h"
#include <string>

namespace corellama {

/// The attribute of a target's row in the table (Targets.cpp), or of this
/// machine for `native`, whose name is then "native:" and LLVM's name of its
/// CPU. Its features, "+avx,+avx2,...", are those that code may use beyond
/// baseline x86-64, implied ones included, in the order of `usableFeatures`.
/// For a GPU they are the version of PTX. An unknown name is an error that
/// lists the nearest names. Loads the dialect of the target.
llvm::Expected<llama::TargetInterface> resolveTarget(mlir::MLIRContext &context,
                                                     llvm::StringRef name);

/// The features of this machine, in LLVM's spelling, with whether it has them.
/// Those of AMX it has where the kernel lets this process use its registers,
/// for which this function asks.
llvm::StringMap<bool> hostFeatures();

/// The error for an unknown name, with the nearest ones; empty for a known
/// name.
std::string whyNoTarget(llvm::StringRef name);

/// Whether code can be generated for a target that was written into a
/// module: a GPU of the table, or a CPU with the features that every program
/// needs and no others than a program can check when it starts.
llvm::Error verifyTarget(llama::TargetInterface target);

/// For --list-targets: a line a target, and one for this machine.
void listTargets(llvm::raw_ostream &out);

} // namespace corellama

#endif // CORELLAMA_COMPILER_TARGET_TARGET_H
