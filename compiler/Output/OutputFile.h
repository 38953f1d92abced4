//===- OutputFile.h - where results go ------------------------------------===//
//
// How the compiler writes every result: text, an object, a program. A folder of
// its own because the rules are the same for all of them:
//
// - A regular file is replaced whole or not at all: a file in its folder that
//   has no name until it is whole, then a link and a rename. After an error the
//   old file is still there, and nothing else. (A SIGKILL between link and
//   rename leaves a whole file of another name; on file systems without files
//   that have no name, one at any time leaves a temporary one.)
// - A symbolic link stays; the file that it names is replaced.
// - A device, a FIFO or a socket is written to, never replaced. A program
//   cannot be written there, since its image is written out of order.
// - Of a program pages of zeros are holes of the file, where it may have them.
// - The umask decides the file's permissions.
// - Each error is returned, a full disk too, which would otherwise be a signal.
//
//===----------------------------------------------------------------------===//

#ifndef CORELLAMA_COMPILER_OUTPUT_OUTPUTFILE_H
#define CORELLAMA_COMPILER_OUTPUT_OUTPUTFILE_H

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"
#include "llvm/Support/FileSystem.h"
#include <optional>
#include <string>

namespace corellama {

/// Writes text or an object to `path`; "-" is standard output.
llvm::Error writeOutput(llvm::StringRef path, llvm::StringRef bytes);

/// Whether writeOutput can, to check before long work.
llvm::Error checkOutput(llvm::StringRef path);

/// Whether files can be created in a folder, which may be yet to be made.
llvm::Error checkOutputFolder(llvm::StringRef path);

/// Flushes llvm::outs(). Without this check LLVM would end the process with a
/// message of its own if the write failed.
llvm::Error flushStandardOutput();

/// Call first in main. The number of a closed standard stream is taken by
/// /dev/null, so that no file is opened under it and written to by mistake;
/// output to it is still an error. A file beyond the process's limit is an
/// error, not a signal.
void prepareStandardStreams();

/// Whether a SparseOutput can be created at `path`, to check before long work.
llvm::Error checkSparseOutput(llvm::StringRef path);

/// A file to write that takes the target's place when it is kept; nothing of it
/// is left otherwise.
class UnnamedFile {
public:
  /// In the target's folder. `mode` is limited by the umask.
  static llvm::Expected<UnnamedFile> create(llvm::StringRef target,
                                            unsigned mode);
  UnnamedFile(UnnamedFile &&other) noexcept;
  ~UnnamedFile();

  int descriptor() const { return number; }
  llvm::Error keep(llvm::StringRef target);

private:
  UnnamedFile() = default;

  int number = -1;
  /// Where the file system has only files with names: `number` is its
  /// descriptor. LLVM removes it on every signal that can be caught.
  std::optional<llvm::sys::fs::TempFile> named;
};

/// A file of a known size that is written in pieces, in any order. Removed
/// unless kept.
class SparseOutput {
public:
  /// `path` names a regular file, a link to one, or nothing yet.
  static llvm::Expected<SparseOutput> create(llvm::StringRef path,
                                             uint64_t bytes);

  /// Writes `bytes`, which are inside the file, at an offset; what is never
  /// written is zero. May be called from several threads, each byte once.
  llvm::Error write(uint64_t offset, llvm::ArrayRef<uint8_t> bytes) const;
  /// Renames the file to its path, executable by all who may read it.
  llvm::Error keep();

private:
  SparseOutput(llvm::StringRef path, std::string target, UnnamedFile file,
               uint64_t size)
      : path(path), target(std::move(target)), file(std::move(file)),
        size(size) {}

  std::string path;
  /// The file itself, where `path` is a link.
  std::string target;
  UnnamedFile file;
  uint64_t size;
};

} // namespace corellama

#endif // CORELLAMA_COMPILER_OUTPUT_OUTPUTFILE_H
