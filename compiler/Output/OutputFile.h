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
// - Of a program pages of zeros are holes of the file, where it may have them,
//   and the rest is written 2 MiB at a time, so that the page cache can hold it
//   in pages of that size.
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
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

namespace corellama {

/// Bytes that one entry of x86-64's page tables maps, one level above pages of
/// 4 KiB. A file's bytes are mapped so where an aligned piece of them is at an
/// aligned address and the page cache holds it in one, which file systems that
/// have large folios (ext4 since Linux 6.16, XFS, Btrfs) do for what was read
/// ahead or written at once.
inline constexpr uint64_t kLargePageBytes = uint64_t(2) << 20;

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

  /// Writes `bytes`, which are inside the file, at an offset, once all other
  /// bytes of their large page are there, or at keep(); what is never written
  /// is zero. May be called from several threads, each byte once.
  llvm::Error write(uint64_t offset, llvm::ArrayRef<uint8_t> bytes);
  /// Writes what is left, and renames the file to its path, executable by all
  /// who may read it.
  llvm::Error keep();

private:
  SparseOutput(llvm::StringRef path, std::string target, UnnamedFile file,
               uint64_t size)
      : path(path), target(std::move(target)), file(std::move(file)),
        size(size), waiting(std::make_unique<Waiting>()) {}

  /// kLargePageBytes of the file, the last of it fewer, before they are
  /// written.
  struct LargePage {
    std::unique_ptr<uint8_t[]> bytes;
    uint64_t filled = 0;
  };
  /// Large pages by their offset. Weights are packed in about their order, so
  /// that there are a few at a time.
  struct Waiting {
    std::mutex guard;
    std::map<uint64_t, LargePage> pages;
  };
  llvm::Error writePage(uint64_t offset, const LargePage &page) const;

  std::string path;
  /// The file itself, where `path` is a link.
  std::string target;
  UnnamedFile file;
  uint64_t size;
  std::unique_ptr<Waiting> waiting;
};

} // namespace corellama

#endif // CORELLAMA_COMPILER_OUTPUT_OUTPUTFILE_H
