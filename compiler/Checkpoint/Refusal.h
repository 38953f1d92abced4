//===- Refusal.h - the form of a message about a checkpoint -----*- C++ -*-===//
//
// How every reader of a checkpoint says what it refuses. A file of its own
// because all containers and the readers of tokenizers write the same form.
//
//===----------------------------------------------------------------------===//

#ifndef CORELLAMA_COMPILER_CHECKPOINT_REFUSAL_H
#define CORELLAMA_COMPILER_CHECKPOINT_REFUSAL_H

#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"
#include <string>

namespace corellama::checkpoint {

/// The form of all errors, "FILE: PLACE: PROBLEM". `problem` says what was
/// found, what was expected and what to do.
llvm::Error refuse(llvm::StringRef file, const llvm::Twine &place,
                   const llvm::Twine &problem);

/// Bytes of a file for a one-line message: in quotes, control characters and
/// non-ASCII escaped, truncated after 64 bytes.
std::string quoted(llvm::StringRef text);

} // namespace corellama::checkpoint

#endif // CORELLAMA_COMPILER_CHECKPOINT_REFUSAL_H
