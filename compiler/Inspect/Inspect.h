//===- Inspect.h - what is in a checkpoint or a program -------------------===//
//
// An opened checkpoint, a vocabulary, or a program file -> text for people or
// JSON for scripts. A folder of its own because it depends on the readers of
// both.
//
//===----------------------------------------------------------------------===//

#ifndef CORELLAMA_COMPILER_INSPECT_INSPECT_H
#define CORELLAMA_COMPILER_INSPECT_INSPECT_H

#include "compiler/Checkpoint/Checkpoint.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"
#include "llvm/Support/raw_ostream.h"

namespace corellama {

/// Configuration, tensors with types, shapes and bytes, layer signatures.
void inspectCheckpoint(const checkpoint::Checkpoint &checkpoint, bool json,
                       llvm::raw_ostream &out);

/// Lines of the sizes that both kinds of checkpoints begin with.
void printSizes(const checkpoint::ModelConfig &config, llvm::raw_ostream &out);

/// A checkpoint that cannot be compiled, for `refusal`: its sizes, where none
/// is refused, its tensors, and all that compile would refuse. Returns
/// `refusal` where the container cannot be read or has no tensors, and prints
/// nothing then.
llvm::Error inspectRefused(llvm::StringRef path, llvm::Error refusal, bool json,
                           llvm::raw_ostream &out);

/// Manifest, kernels, memory. Prints nothing if there is an error.
llvm::Error inspectProgram(llvm::StringRef path, bool json,
                           llvm::raw_ostream &out);

/// Inspects a checkpoint, a program, or a vocabulary alone (GGUF without
/// tensors or a SentencePiece model), by what the file is. A checkpoint that
/// was written to meanwhile is an error. Prints nothing if there is one.
llvm::Error inspectFile(llvm::StringRef path, bool json,
                        llvm::raw_ostream &out);

/// Prints the chat template of such a file, byte for byte.
llvm::Error printTemplate(llvm::StringRef path, llvm::raw_ostream &out);

} // namespace corellama

#endif // CORELLAMA_COMPILER_INSPECT_INSPECT_H
