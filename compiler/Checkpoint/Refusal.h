//===- Refusal.h - the form of a message about a checkpoint -----*- C++ -*-===//
//
// How every reader of a checkpoint says what it refuses, and collects it. A
// file of its own because all containers and the readers of tokenizers write
// the same form.
//
//===----------------------------------------------------------------------===//

#ifndef CORELLAMA_COMPILER_CHECKPOINT_REFUSAL_H
#define CORELLAMA_COMPILER_CHECKPOINT_REFUSAL_H

#include "llvm/ADT/StringMap.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"
#include <cstdint>
#include <string>
#include <vector>

namespace corellama::checkpoint {

/// The form of all errors, "FILE: PLACE: PROBLEM". `problem` says what was
/// found, what was expected and what to do.
llvm::Error refuse(llvm::StringRef file, const llvm::Twine &place,
                   const llvm::Twine &problem);

/// Bytes of a file for a one-line message: in quotes, control characters and
/// non-ASCII escaped, truncated after 64 bytes.
std::string quoted(llvm::StringRef text);

/// All that is refused of a checkpoint, in the order in which it was found.
class Refusals {
public:
  /// Of a hostile file no more are kept; the others are counted.
  static constexpr size_t kMostKept = 100;

  /// As `refuse` has it. Those of one `kind` are one refusal, of the first
  /// place, with the number of the others; `others` are more of them.
  void add(llvm::StringRef file, const llvm::Twine &place,
           const llvm::Twine &problem, llvm::StringRef kind = "",
           uint64_t others = 0);

  /// A message of `refuse`.
  void add(llvm::Error error);

  bool empty() const { return kept.empty(); }
  uint64_t count() const { return kept.size() + left; }
  /// The first ones, at most so many and at least one, in one message.
  llvm::Error error(size_t most) const;
  /// A line each: "FILE: PLACE (and 3 more): PROBLEM"; the last one may be the
  /// number of those that were not kept.
  std::vector<std::string> lines() const;

private:
  struct Refusal {
    std::string file, place; ///< empty where the problem is the whole message
    std::string problem;
    uint64_t others;
  };
  std::vector<Refusal> kept;
  llvm::StringMap<size_t> byKind; ///< indices into `kept`
  uint64_t left = 0;
};

} // namespace corellama::checkpoint

#endif // CORELLAMA_COMPILER_CHECKPOINT_REFUSAL_H
