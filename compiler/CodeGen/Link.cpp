//===- Link.cpp - lld in process ------------------------------------------===//
//
// See Link.h. A file of its own because it alone depends on lld and on the
// contents of the runtime's folder.
//
//===----------------------------------------------------------------------===//

#include "compiler/CodeGen/Link.h"
#include "lld/Common/Driver.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/raw_ostream.h"
#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <sys/mman.h>
#include <thread>
#include <unistd.h>

LLD_HAS_DRIVER(elf)

using llvm::StringRef;

static std::string join(StringRef folder, StringRef file) {
  llvm::SmallString<128> path(folder);
  llvm::sys::path::append(path, file);
  return std::string(path);
}

llvm::Expected<std::string>
corellama::codegen::findRuntimeFolder(StringRef tool) {
  llvm::SmallString<128> real;
  if (llvm::sys::fs::real_path(tool, real))
    real = tool;
  StringRef root =
      llvm::sys::path::parent_path(llvm::sys::path::parent_path(real));
  for (StringRef candidate : {"rt", "lib/corellama/rt"}) {
    std::string folder = join(root, candidate);
    if (llvm::sys::fs::exists(join(folder, "rt.o")))
      return folder;
  }
  return llvm::createStringError(
      join(root, "rt") + ": the runtime (rt.o) is not there; build the "
                         "target corellama-rt or install corellama again");
}

namespace {
/// A file in memory: lld reads files only, and a temporary file would fail on a
/// full disk.
class MemoryFile {
public:
  MemoryFile() : descriptor(memfd_create("object", MFD_CLOEXEC)) {}
  MemoryFile(const MemoryFile &) = delete;
  MemoryFile &operator=(const MemoryFile &) = delete;
  ~MemoryFile() {
    if (descriptor >= 0)
      close(descriptor);
  }

  llvm::Error write(llvm::ArrayRef<char> bytes) {
    size_t done = 0;
    while (descriptor >= 0 && done < bytes.size()) {
      ssize_t count =
          ::write(descriptor, bytes.data() + done, bytes.size() - done);
      if (count < 0 && errno != EINTR)
        break;
      done += count > 0 ? static_cast<size_t>(count) : 0;
    }
    if (descriptor < 0 || done < bytes.size())
      return llvm::createStringError("link: " + llvm::Twine(bytes.size()) +
                                     " bytes of an object do not fit into "
                                     "memory: " +
                                     strerror(errno));
    return llvm::Error::success();
  }
  std::string path() const { return pathOf(descriptor); }

  /// A path by which the open file can be opened again.
  static std::string pathOf(int descriptor) {
    return "/proc/self/fd/" + std::to_string(descriptor);
  }

private:
  int descriptor;
};
} // namespace

/// Runs lld on objects, with the arguments `before` and `after` around it.
static llvm::Error runLinker(llvm::ArrayRef<llvm::ArrayRef<char>> objects,
                             StringRef output,
                             llvm::ArrayRef<std::string> before,
                             llvm::ArrayRef<std::string> after) {
  std::vector<std::string> words = {"ld.lld", "-o", output.str()};
  words.insert(words.end(), before.begin(), before.end());
  std::vector<MemoryFile> files(objects.size());
  for (auto [file, object] : llvm::zip_equal(files, objects)) {
    if (llvm::Error error = file.write(object))
      return error;
    words.push_back(file.path());
  }
  words.insert(words.end(), after.begin(), after.end());
  std::vector<const char *> arguments;
  for (const std::string &word : words)
    arguments.push_back(word.c_str());

  std::string notes, errors;
  llvm::raw_string_ostream notesStream(notes), errorsStream(errors);
  lld::Result result = lld::lldMain(arguments, notesStream, errorsStream,
                                    {{lld::Gnu, &lld::elf::link}});
  if (result.retCode == 0)
    return llvm::Error::success();
  // The first line is the cause.
  return llvm::createStringError("link: " +
                                 StringRef(errors).split('\n').first);
}

llvm::Expected<std::string>
corellama::codegen::linkProgram(llvm::ArrayRef<llvm::ArrayRef<char>> objects,
                                StringRef runtimeFolder, StringRef runtime) {
  std::vector<std::string> before = {
      "-pie", "--dynamic-linker=/lib64/ld-linux-x86-64.so.2", "--gc-sections",
      "--as-needed", "--eh-frame-hdr",
      // The build id is a hash of the contents, so it is reproducible; the
      // program header of its note is reused for the image's segment.
      "--build-id=sha1", "-znow", "-zrelro", "-zseparate-code",
      "-znoexecstack"};
  for (StringRef file : {StringRef("Scrt1.o"), StringRef("crti.o"),
                         StringRef("crtbeginS.o"), runtime})
    before.push_back(join(runtimeFolder, file));
  std::vector<std::string> after;
  // Stubs that only declare glibc's symbols. Those of libm and of the loader
  // exist if the runtime needs a symbol of theirs.
  for (const char *file : {"libc.so.6", "libm.so.6", "ld-linux-x86-64.so.2"})
    if (std::string path = join(runtimeFolder, file);
        llvm::sys::fs::exists(path))
      after.push_back(path);
  for (const char *file : {"crtendS.o", "crtn.o"})
    after.push_back(join(runtimeFolder, file));

  // Output goes through a pipe: lld would map a regular file, and on a full
  // disk it would be killed by a signal.
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0)
    return llvm::createStringError(llvm::Twine("link: no pipe can be made: ") +
                                   strerror(errno));
  std::string program;
  std::thread reader([&] {
    char piece[1 << 16]; // the capacity of a pipe
    ssize_t count;
    while ((count = read(ends[0], piece, sizeof(piece))) > 0 ||
           (count < 0 && errno == EINTR))
      program.append(piece, std::max<ssize_t>(count, 0));
  });
  llvm::Error error =
      runLinker(objects, MemoryFile::pathOf(ends[1]), before, after);
  close(ends[1]);
  reader.join();
  close(ends[0]);
  if (error)
    return error;
  return program;
}

llvm::Error corellama::codegen::linkShared(llvm::ArrayRef<char> object,
                                           StringRef output) {
  // The loading process defines the undefined symbols (memcpy, the barrier).
  return runLinker(object, output, {"-shared", "--build-id=none"}, {});
}
