//===- Refusal.cpp - the form of a message about a checkpoint -------------===//
//
// See Refusal.h.
//
//===----------------------------------------------------------------------===//

#include "compiler/Checkpoint/Refusal.h"
#include "llvm/ADT/Twine.h"
#include <cstdio>

using llvm::Error;
using llvm::StringRef;
using llvm::Twine;

namespace corellama::checkpoint {

Error refuse(StringRef file, const Twine &place, const Twine &problem) {
  return llvm::createStringError(file + ": " + place + ": " + problem);
}

std::string quoted(StringRef text) {
  constexpr size_t kShown = 64; // GGUF's longest tensor name
  std::string result = "'";
  for (char c : text.take_front(kShown)) {
    if (c >= ' ' && c <= '~') {
      result += c;
      continue;
    }
    char escape[5];
    std::snprintf(escape, sizeof(escape), "\\x%02x",
                  static_cast<unsigned>(static_cast<unsigned char>(c)));
    result += escape;
  }
  result += text.size() > kShown ? "...'" : "'";
  return result;
}

} // namespace corellama::checkpoint
