//===- PhaseFile.h - modules between phases, as files ---------------------===//
//
// The attributes that a dump carries, how it is written and how it is read. A
// dump has everything but the weights' bytes, so it names its checkpoint, its
// target and its options, and `--compile-from` compiles it to the same program.
// A file of its own because dumps are an interface for users.
//
// - llama.checkpoint = "blake3:..." (BLAKE3 of the whole checkpoint)
// - llama.config, llama.target
// - llama.options = {activations = "f32", cache_type = "f16",
//                    rows = array<i64: 1, 512>}, with quantize = "q4_0" where
//                    weights are rounded
// - llama.phase = "fuse"
//
//===----------------------------------------------------------------------===//

#ifndef CORELLAMA_COMPILER_DRIVER_PHASEFILE_H
#define CORELLAMA_COMPILER_DRIVER_PHASEFILE_H

#include "compiler/Checkpoint/Checkpoint.h"
#include "compiler/Driver/Arguments.h"
#include "dialects/Llama/IR/LlamaDialect.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/OwningOpRef.h"
#include "llvm/Support/Error.h"

namespace corellama {

/// What the options of a command line mean for a checkpoint and the targets of
/// its program: what all of them can do.
ModuleOptions resolveOptions(const ModuleOptions &asked,
                             llvm::ArrayRef<llama::TargetInterface> targets,
                             const checkpoint::Checkpoint &checkpoint);

/// Sets phase, target and options on a module that was just imported.
void stampModule(mlir::ModuleOp module, llama::TargetInterface target,
                 const ModuleOptions &options);

/// Reads llama.options.
llvm::Expected<ModuleOptions> readOptions(mlir::ModuleOp module,
                                          llvm::StringRef path);

/// Writes a module to a file, which appears whole or not at all; "-" is
/// standard output. Locations are left out, so that a module that was read from
/// a dump prints the same again.
llvm::Error writePhaseFile(mlir::ModuleOp module, llvm::StringRef path);

/// Reads arguments.ir and checks that it is of that phase and checkpoint, and
/// that no argument contradicts what it carries. Errors in its text are
/// diagnostics; the result is null then.
llvm::Expected<mlir::OwningOpRef<mlir::ModuleOp>>
readPhaseFile(mlir::MLIRContext &context, const CompileArguments &arguments,
              llama::Phase expectedPhase,
              const checkpoint::Checkpoint &checkpoint);

/// "fuse" -> "3-fuse.mlir".
std::string phaseFileName(llama::Phase phase);

} // namespace corellama

#endif // CORELLAMA_COMPILER_DRIVER_PHASEFILE_H
