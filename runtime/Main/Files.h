//===- Files.h - whole files in and out -----------------------------------===//
//
// What a program reads at once (a prompt, a conversation) and writes at once.
// What is streamed writes itself (Npy.h).
//
//===----------------------------------------------------------------------===//

#ifndef CORELLAMA_RUNTIME_MAIN_FILES_H
#define CORELLAMA_RUNTIME_MAIN_FILES_H

#include "runtime/Support/Result.h"

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace corellama::runtime {

/// All bytes of a file, kMaxTextBytes at most; "-" is standard input. `remedy`
/// ends the message if it cannot be read: what to give instead.
Result<std::string> readFile(const std::string &path, const char *remedy);

/// Writes a file by a temporary one beside it, so that it is never partial.
/// What is no regular file is not replaced but an error.
std::optional<Error> writeFile(const std::string &name, std::string_view bytes);

} // namespace corellama::runtime

#endif // CORELLAMA_RUNTIME_MAIN_FILES_H
