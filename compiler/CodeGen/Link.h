//===- Link.h - from an object to a file that runs ------------------------===//
//
// lld, in process: an object and the runtime (rt/) to a program, or an object
// alone to a shared library, which the Runner loads.
//
// lld resets every cl::opt of the process, so a link is the last thing that an
// invocation does with LLVM's options: read them before.
//
//===----------------------------------------------------------------------===//

#ifndef CORELLAMA_COMPILER_CODEGEN_LINK_H
#define CORELLAMA_COMPILER_CODEGEN_LINK_H

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"
#include <string>

namespace corellama::codegen {

/// The folder that programs are linked from: ../rt beside the folder of the
/// executable `tool` (a build tree), or ../lib/corellama/rt (installed).
llvm::Expected<std::string> findRuntimeFolder(llvm::StringRef tool);

/// The runtimes of that folder: for programs that run on a CPU, on a GPU.
inline constexpr llvm::StringLiteral kCPURuntime = "rt.o";
inline constexpr llvm::StringLiteral kGPURuntime = "rt-cuda.o";

/// The bytes of a program of one object or, for several targets, more:
/// position-independent, without paths in it, dependent on glibc only. No
/// temporary file is written.
llvm::Expected<std::string>
linkProgram(llvm::ArrayRef<llvm::ArrayRef<char>> objects,
            llvm::StringRef runtimeFolder,
            llvm::StringRef runtime = kCPURuntime);

/// Writes a shared library to `output`.
llvm::Error linkShared(llvm::ArrayRef<char> object, llvm::StringRef output);

} // namespace corellama::codegen

#endif // CORELLAMA_COMPILER_CODEGEN_LINK_H
