//===- Link.cpp - lld in process ------------------------------------------===//
//
// See Link.h. A file of its own because it alone knows lld and the contents of
// the runtime's folder.
//
//===----------------------------------------------------------------------===//

#include "compiler/CodeGen/Link.h"
#include "lld/Common/Driver.h"
#include "llvm/ADT/SmallVector.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/FileUtilities.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/Signals.h"
#include "llvm/Support/raw_ostream.h"

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

/// Runs lld on an object that is written to a temporary file for it (lld reads
/// files only). `before` and `after` stand around the object.
static llvm::Error runLinker(llvm::ArrayRef<char> object, StringRef output,
                             llvm::ArrayRef<std::string> before,
                             llvm::ArrayRef<std::string> after) {
  llvm::SmallString<128> path;
  int descriptor;
  if (std::error_code code = llvm::sys::fs::createTemporaryFile(
          "corellama", "o", descriptor, path))
    return llvm::createStringError("a temporary file for the linker: " +
                                   code.message());
  llvm::FileRemover remover(path);
  llvm::sys::RemoveFileOnSignal(path);
  {
    llvm::raw_fd_ostream out(descriptor, /*shouldClose=*/true);
    out.write(object.data(), object.size());
    out.close();
    if (std::error_code code = out.error()) {
      out.clear_error();
      return llvm::createStringError(path + ": " + code.message());
    }
  }

  std::vector<std::string> words = {"ld.lld", "-o", output.str()};
  words.insert(words.end(), before.begin(), before.end());
  words.push_back(std::string(path));
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

llvm::Error corellama::codegen::linkProgram(llvm::ArrayRef<char> object,
                                            StringRef runtimeFolder,
                                            StringRef output) {
  std::vector<std::string> before = {
      "-pie", "--dynamic-linker=/lib64/ld-linux-x86-64.so.2", "--gc-sections",
      "--as-needed", "--eh-frame-hdr",
      // Made of the contents, so the same everywhere; its note is also where
      // the image's segment finds room in the program headers.
      "--build-id=sha1", "-znow", "-zrelro", "-zseparate-code",
      "-znoexecstack"};
  for (const char *file : {"Scrt1.o", "crti.o", "crtbeginS.o", "rt.o"})
    before.push_back(join(runtimeFolder, file));
  std::vector<std::string> after;
  // Stubs that only name what glibc has. libm's and the loader's exist where
  // the runtime needs a name of theirs.
  for (const char *file : {"libc.so.6", "libm.so.6", "ld-linux-x86-64.so.2"})
    if (std::string path = join(runtimeFolder, file);
        llvm::sys::fs::exists(path))
      after.push_back(path);
  for (const char *file : {"crtendS.o", "crtn.o"})
    after.push_back(join(runtimeFolder, file));
  return runLinker(object, output, before, after);
}

llvm::Error corellama::codegen::linkShared(llvm::ArrayRef<char> object,
                                           StringRef output) {
  // What is undefined (memcpy, the barrier) is the loading process's.
  return runLinker(object, output, {"-shared", "--build-id=none"}, {});
}
