//===- OutputFile.cpp - where results go ----------------------------------===//
//
// See OutputFile.h.
//
//===----------------------------------------------------------------------===//

#include "compiler/Output/OutputFile.h"
#include "llvm/Support/MathExtras.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/Signals.h"
#include "llvm/Support/raw_ostream.h"
#include <algorithm>
#include <cassert>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <utility>

using namespace corellama;
using llvm::ArrayRef;
using llvm::Error;
using llvm::Expected;
using llvm::StringRef;
using llvm::Twine;
namespace fs = llvm::sys::fs;

static std::string describe(int code) {
  return std::error_code(code, std::generic_category()).message();
}

static Error refuse(StringRef path, const Twine &problem) {
  return llvm::createStringError(path + ": " + problem);
}

//===----------------------------------------------------------------------===//
// Destinations
//===----------------------------------------------------------------------===//

/// The path at the end of a chain of links from `path`; the file need not
/// exist.
static Expected<std::string> followLinks(StringRef path) {
  std::string target = path.str();
  constexpr int kMostLinks = 40; // as many as Linux follows
  for (int i = 0; i < kMostLinks; ++i) {
    struct stat status;
    if (lstat(target.c_str(), &status) != 0 || !S_ISLNK(status.st_mode))
      return target;
    llvm::SmallVector<char, 256> link(4096); // PATH_MAX of Linux
    ssize_t size = readlink(target.c_str(), link.data(), link.size());
    if (size < 0)
      return refuse(path, "is a link that cannot be read: " + describe(errno));
    llvm::SmallString<256> next(StringRef(link.data(), size));
    if (llvm::sys::path::is_relative(next)) {
      llvm::SmallString<256> absolute(llvm::sys::path::parent_path(target));
      llvm::sys::path::append(absolute, next);
      next = absolute;
    }
    target = next.str().str();
  }
  return refuse(path, "is a link in a circle of links; name another output");
}

/// Whether the file is the one behind descriptor 1. It is then written through
/// that descriptor: opened anew, a file that a shell opened for appending would
/// be overwritten from its start.
static bool isStandardOutput(const struct stat &status) {
  struct stat own;
  return fstat(STDOUT_FILENO, &own) == 0 && own.st_dev == status.st_dev &&
         own.st_ino == status.st_ino;
}

static StringRef folderOf(StringRef target) {
  StringRef folder = llvm::sys::path::parent_path(target);
  return folder.empty() ? "." : folder;
}

/// That files can be created beside the target of `path`.
static Error checkFolder(StringRef target, StringRef path) {
  // With a slash a file in its place is an error, too.
  if (access((folderOf(target) + "/").str().c_str(), W_OK | X_OK) == 0)
    return Error::success();
  return refuse(path, "cannot be created: " + describe(errno) +
                          "; name another output");
}

static Error checkFile(StringRef path) {
  Expected<std::string> target = followLinks(path);
  return target ? checkFolder(*target, path) : target.takeError();
}

Error corellama::checkOutputFolder(StringRef path) {
  // A name for a file of it, or for the first folder that is to be made.
  std::string target = (path + "/.").str();
  while (!fs::exists(folderOf(target)))
    target = folderOf(target).str();
  return checkFolder(target, path);
}

//===----------------------------------------------------------------------===//
// Files without a name yet
//===----------------------------------------------------------------------===//

/// A name beside the target, from a pattern of LLVM's.
static std::string nameBeside(StringRef target) {
  return (target + ".tmp-%%%%%%").str();
}

Expected<UnnamedFile> UnnamedFile::create(StringRef target, unsigned mode) {
  UnnamedFile file;
  file.number = open(folderOf(target).str().c_str(),
                     O_TMPFILE | O_WRONLY | O_CLOEXEC, mode);
  if (file.number >= 0)
    return file;
  // Not every file system has such files, as NFS.
  auto named = fs::TempFile::create(nameBeside(target), mode);
  if (!named)
    return named.takeError();
  file.named = std::move(*named);
  file.number = file.named->FD;
  return file;
}

UnnamedFile::UnnamedFile(UnnamedFile &&other) noexcept
    : number(std::exchange(other.number, -1)),
      named(std::exchange(other.named, std::nullopt)) {}

UnnamedFile::~UnnamedFile() {
  if (named)
    llvm::consumeError(named->discard());
  else if (number >= 0)
    close(number);
}

/// Gives an open file a name that is free.
static bool linkAs(int number, const std::string &name) {
  // By its number alone a link takes a privilege.
  const std::string open = "/proc/self/fd/" + std::to_string(number);
  return linkat(AT_FDCWD, open.c_str(), AT_FDCWD, name.c_str(),
                AT_SYMLINK_FOLLOW) == 0;
}

Error UnnamedFile::keep(StringRef target) {
  if (named) {
    Error error = named->keep(target);
    named.reset();
    number = -1;
    return error;
  }
  const std::string name = target.str();
  if (linkAs(number, name))
    return Error::success();
  // What is there can only be replaced by a file that has a name. This one is
  // whole. LLVM removes it on every signal that can be caught between the two
  // calls; SIGKILL leaves it.
  constexpr int kTries = 128; // as of LLVM's
  for (int i = 0; errno == EEXIST && i < kTries; ++i) {
    llvm::SmallString<128> other;
    fs::createUniquePath(nameBeside(target), other, /*MakeAbsolute=*/false);
    llvm::sys::RemoveFileOnSignal(other);
    if (!linkAs(number, other.str().str())) {
      const int code = errno;
      llvm::sys::DontRemoveFileOnSignal(other);
      errno = code;
      continue;
    }
    const int code = rename(other.c_str(), name.c_str()) == 0 ? 0 : errno;
    if (code != 0)
      unlink(other.c_str());
    llvm::sys::DontRemoveFileOnSignal(other);
    return code == 0 ? Error::success()
                     : llvm::createStringError(describe(code));
  }
  return llvm::createStringError(describe(errno));
}

/// In the target's folder, so that the rename cannot cross file systems.
static Expected<UnnamedFile> createBeside(StringRef target, StringRef path,
                                          unsigned mode) {
  Expected<UnnamedFile> file = UnnamedFile::create(target, mode);
  if (!file)
    return refuse(path,
                  "cannot be created: " + llvm::toString(file.takeError()));
  return file;
}

static Error keepAs(UnnamedFile &file, StringRef target, StringRef path) {
  if (Error error = file.keep(target))
    return refuse(path,
                  "cannot be written: " + llvm::toString(std::move(error)));
  return Error::success();
}

//===----------------------------------------------------------------------===//
// Text and objects
//===----------------------------------------------------------------------===//

static Error writeAll(int descriptor, StringRef path, StringRef bytes) {
  for (size_t done = 0; done < bytes.size();) {
    ssize_t count = write(descriptor, bytes.data() + done, bytes.size() - done);
    if (count < 0 && errno == EINTR)
      continue;
    if (count < 0)
      return refuse(path, Twine(done) + " of " + Twine(bytes.size()) +
                              " bytes could be written: " + describe(errno));
    done += static_cast<size_t>(count);
  }
  return Error::success();
}

static Error writeStandardOutput(StringRef bytes) {
  if (Error error = flushStandardOutput())
    return error;
  return writeAll(STDOUT_FILENO, "standard output", bytes);
}

Error corellama::checkOutput(StringRef path) {
  struct stat status;
  if (path == "-" ||
      (stat(path.str().c_str(), &status) == 0 && !S_ISREG(status.st_mode)))
    return Error::success(); // written to as it is
  return checkFile(path);
}

Error corellama::writeOutput(StringRef path, StringRef bytes) {
  if (path == "-")
    return writeStandardOutput(bytes);
  std::string name = path.str();
  struct stat status;
  bool exists = stat(name.c_str(), &status) == 0;
  if (exists && isStandardOutput(status))
    return writeStandardOutput(bytes);
  if (exists && !S_ISREG(status.st_mode)) {
    int descriptor = open(name.c_str(), O_WRONLY | O_CLOEXEC);
    if (descriptor < 0)
      return refuse(path, "cannot be opened: " + describe(errno));
    Error error = writeAll(descriptor, path, bytes);
    if (close(descriptor) != 0 && !error)
      return refuse(path, "cannot be written: " + describe(errno));
    return error;
  }

  Expected<std::string> target = followLinks(path);
  if (!target)
    return target.takeError();
  auto file = createBeside(*target, path, fs::all_read | fs::all_write);
  if (!file)
    return file.takeError();
  if (Error error = writeAll(file->descriptor(), path, bytes))
    return error;
  return keepAs(*file, *target, path);
}

//===----------------------------------------------------------------------===//
// Standard streams
//===----------------------------------------------------------------------===//

Error corellama::flushStandardOutput() {
  llvm::raw_fd_ostream &out = llvm::outs();
  out.flush();
  std::error_code code = out.error();
  out.clear_error(); // otherwise LLVM would end the process
  return code
             ? refuse("standard output", "cannot be written: " + code.message())
             : Error::success();
}

void corellama::prepareStandardStreams() {
  // open() returns the lowest free number, which is the missing one.
  for (int stream : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO})
    if (fcntl(stream, F_GETFD) < 0 &&
        open("/dev/null", stream == STDOUT_FILENO ? O_RDONLY : O_RDWR) < 0)
      return; // without /dev nothing can be done
  signal(SIGXFSZ, SIG_IGN);
}

//===----------------------------------------------------------------------===//
// Programs
//===----------------------------------------------------------------------===//

Error corellama::checkSparseOutput(StringRef path) {
  fs::file_status status;
  if (!fs::status(path, status) && fs::exists(status) &&
      !fs::is_regular_file(status))
    return refuse(path, "is not a regular file; name another output");
  return checkFile(path);
}

Expected<SparseOutput> SparseOutput::create(StringRef path, uint64_t bytes) {
  if (Error error = checkSparseOutput(path))
    return error;
  Expected<std::string> target = followLinks(path);
  if (!target)
    return target.takeError();
  auto file = createBeside(*target, path, fs::all_all);
  if (!file)
    return file.takeError();
  SparseOutput output(path, std::move(*target), std::move(*file), bytes);
  bool fits = bytes <= uint64_t(INT64_MAX);
  if (!fits || ftruncate(output.file.descriptor(), off_t(bytes)) != 0)
    return refuse(path, "cannot have " + Twine(bytes) +
                            " bytes: " + describe(fits ? errno : EFBIG) +
                            "; name another output");
  return output;
}

/// Bytes of a page of a file: what a file system keeps or leaves out.
static constexpr uint64_t kPageBytes = 4096;

static bool isZero(ArrayRef<uint8_t> bytes) {
  return bytes[0] == 0 &&
         memcmp(bytes.data(), bytes.data() + 1, bytes.size() - 1) == 0;
}

Error SparseOutput::write(uint64_t offset, ArrayRef<uint8_t> bytes) {
  while (!bytes.empty()) {
    const uint64_t begin = llvm::alignDown(offset, kLargePageBytes);
    const uint64_t count =
        std::min<uint64_t>(bytes.size(), begin + kLargePageBytes - offset);
    uint8_t *buffer;
    {
      std::lock_guard<std::mutex> lock(waiting->guard);
      LargePage &page = waiting->pages[begin];
      if (!page.bytes)
        page.bytes = std::make_unique<uint8_t[]>(kLargePageBytes);
      buffer = page.bytes.get();
    }
    memcpy(buffer + (offset - begin), bytes.data(), count);
    LargePage full;
    {
      std::lock_guard<std::mutex> lock(waiting->guard);
      auto page = waiting->pages.find(begin);
      page->second.filled += count;
      assert(page->second.filled <= kLargePageBytes && "a byte written twice");
      if (page->second.filled == kLargePageBytes) {
        full = std::move(page->second);
        waiting->pages.erase(page);
      }
    }
    if (full.bytes)
      if (Error error = writePage(begin, full))
        return error;
    offset += count;
    bytes = bytes.drop_front(count);
  }
  return Error::success();
}

Error SparseOutput::writePage(uint64_t offset, const LargePage &page) const {
  ArrayRef<uint8_t> bytes(page.bytes.get(),
                          std::min(kLargePageBytes, size - offset));
  while (!bytes.empty()) {
    // Pages of 4 KiB while they are like the first: of zeros, or not.
    auto pageAt = [&](uint64_t at) {
      return bytes.slice(at, std::min(kPageBytes, bytes.size() - at));
    };
    const bool isHole = isZero(pageAt(0));
    uint64_t count = pageAt(0).size();
    while (count < bytes.size() && isZero(pageAt(count)) == isHole)
      count += pageAt(count).size();
    for (uint64_t done = isHole ? count : 0; done < count;) {
      ssize_t written = pwrite(file.descriptor(), bytes.data() + done,
                               count - done, off_t(offset + done));
      if (written < 0 && errno == EINTR)
        continue;
      if (written < 0)
        return refuse(path, "byte " + Twine(offset + done) + " of its " +
                                Twine(size) +
                                " bytes cannot be written: " + describe(errno) +
                                "; make room there or name another output");
      done += static_cast<uint64_t>(written);
    }
    offset += count;
    bytes = bytes.drop_front(count);
  }
  return Error::success();
}

Error SparseOutput::keep() {
  for (const auto &[offset, page] : waiting->pages)
    if (Error error = writePage(offset, page))
      return error;
  waiting->pages.clear();
  return keepAs(file, target, path);
}
