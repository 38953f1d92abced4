//===- Files.cpp - whole files in and out ---------------------------------===//
//
// See Files.h.
//
//===----------------------------------------------------------------------===//

#include "runtime/Main/Files.h"

#include "runtime/Main/Signals.h"
#include "runtime/Tokenizer/Tokenizer.h"

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace corellama::runtime {

Result<std::string> readFile(const std::string &path, const char *remedy) {
  const bool isInput = path == "-";
  const std::string place = isInput ? "standard input" : path;
  int file = isInput ? STDIN_FILENO : open(path.c_str(), O_RDONLY | O_CLOEXEC);
  std::string text;
  ssize_t count = file < 0 ? -1 : 0;
  if (file >= 0) {
    constexpr size_t kStep = 64 << 10;
    size_t used = 0;
    do {
      text.resize(used + kStep);
      count = read(file, text.data() + used, kStep);
      if (count > 0)
        used += size_t(count);
    } while ((count > 0 && used <= kMaxTextBytes) ||
             (count < 0 && errno == EINTR && !pendingSignal()));
    text.resize(used);
  }
  const int failure = errno;
  if (file >= 0 && !isInput)
    close(file);
  if (count < 0)
    return Error{place + ": cannot be read: " + strerror(failure) + "; " +
                 remedy};
  if (text.size() > kMaxTextBytes)
    return Error{place + ": has more than " + std::to_string(kMaxTextBytes) +
                 " bytes; give a shorter text"};
  return text;
}

std::optional<Error> writeFile(const std::string &name,
                               std::string_view bytes) {
  // A link stays, and its file is written.
  std::string path = name;
  if (char *target = realpath(name.c_str(), nullptr)) {
    path = target;
    free(target);
  }
  // A rename would replace a device or a pipe by a file.
  struct stat status;
  if (stat(path.c_str(), &status) == 0 && !S_ISREG(status.st_mode))
    return Error{path + ": is no regular file; give the name of a file"};
  const std::string temporary = path + ".partial-" + std::to_string(getpid());
  const int file =
      open(temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
  bool good = file >= 0;
  while (good && !bytes.empty()) {
    const ssize_t count = write(file, bytes.data(), bytes.size());
    if (count >= 0)
      bytes.remove_prefix(size_t(count));
    else
      good = errno == EINTR;
  }
  int failure = errno;
  if (file >= 0 && close(file) != 0 && good) {
    failure = errno;
    good = false;
  }
  if (good && rename(temporary.c_str(), path.c_str()) != 0) {
    failure = errno;
    good = false;
  }
  if (good)
    return std::nullopt;
  if (file >= 0)
    unlink(temporary.c_str());
  return Error{path + ": cannot be written: " + strerror(failure) +
               "; give a file that can be written"};
}

} // namespace corellama::runtime
