//===- Refusal.cpp - the form of a message about a checkpoint -------------===//
//
// See Refusal.h.
//
//===----------------------------------------------------------------------===//

#include "compiler/Checkpoint/Refusal.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/Twine.h"
#include <cstdio>

using llvm::Error;
using llvm::StringRef;
using llvm::Twine;

namespace corellama::checkpoint {

Error refuse(StringRef file, const Twine &place, const Twine &problem) {
  return llvm::createStringError(file + ": " + place + ": " + problem);
}

void Refusals::add(StringRef file, const Twine &place, const Twine &problem,
                   StringRef kind, uint64_t others) {
  if (auto same = byKind.find(kind); same != byKind.end()) {
    kept[same->second].others += 1 + others;
    return;
  }
  if (kept.size() == kMostKept) {
    left += 1 + others;
    return;
  }
  if (!kind.empty())
    byKind[kind] = kept.size();
  kept.push_back({file.str(), place.str(), problem.str(), others});
}

void Refusals::add(Error error) {
  add("", "", llvm::toString(std::move(error)));
}

Error Refusals::error(size_t most) const {
  std::string message;
  for (const auto &[i, refusal] : llvm::enumerate(llvm::ArrayRef(kept))) {
    if (i == most)
      break;
    if (i != 0)
      message += "; also ";
    if (i == 0 || refusal.file != kept[i - 1].file)
      message += refusal.file + (refusal.file.empty() ? "" : ": ");
    message +=
        refusal.place + (refusal.place.empty() ? "" : ": ") + refusal.problem;
  }
  return llvm::createStringError(message);
}

std::vector<std::string> Refusals::lines() const {
  std::vector<std::string> lines;
  for (const Refusal &refusal : kept) {
    std::string line;
    if (!refusal.file.empty())
      line = refusal.file + ": " + refusal.place;
    if (refusal.others != 0)
      line += " (and " + std::to_string(refusal.others) + " more)";
    lines.push_back(line + (line.empty() ? "" : ": ") + refusal.problem);
  }
  if (left != 0)
    lines.push_back("and " + std::to_string(left) + " more");
  return lines;
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
