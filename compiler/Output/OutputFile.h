//===- OutputFile.h - where results go ------------------------------------===//
//
// How the compiler writes every result: text, an object, a program. A folder of
// its own because the rules are the same for all of them:
//
// - A regular file is replaced whole or not at all: a temporary file beside it,
//   then a rename. After an error the old file is still there.
// - A symbolic link stays; the file that it names is replaced.
// - A device, a FIFO or a socket is written to, never replaced. A program
//   cannot be written there, since its image is written out of order.
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
#include <memory>
#include <optional>
#include <string>

namespace corellama {

/// Writes text or an object to `path`; "-" is standard output.
llvm::Error writeOutput(llvm::StringRef path, llvm::StringRef bytes);

/// Flushes llvm::outs(). Without this check LLVM would end the process with a
/// message of its own if the write failed.
llvm::Error flushStandardOutput();

/// Call first in main. The number of a closed standard stream is taken by
/// /dev/null, so that no file is opened under it and written to by mistake;
/// output to it is still an error. A file beyond the process's limit is an
/// error, not a signal.
void prepareStandardStreams();

/// Whether a MappedOutput can be written to `path`, to check before long work.
llvm::Error checkMappedOutput(llvm::StringRef path);

/// A file of a known size that is written through memory. Removed unless kept.
class MappedOutput {
public:
  /// `path` names a regular file, a link to one, or nothing yet.
  static llvm::Expected<MappedOutput> create(llvm::StringRef path,
                                             uint64_t bytes);
  MappedOutput(MappedOutput &&) = default;
  ~MappedOutput();

  /// Zero at first.
  llvm::MutableArrayRef<uint8_t> bytes() {
    return {reinterpret_cast<uint8_t *>(mapping->data()), mapping->size()};
  }
  /// Renames the file to its path, executable by all who may read it.
  llvm::Error keep();

private:
  MappedOutput(llvm::StringRef path, std::string target,
               llvm::sys::fs::TempFile file)
      : path(path), target(std::move(target)), file(std::move(file)) {}

  std::string path;
  /// The file itself, where `path` is a link.
  std::string target;
  std::optional<llvm::sys::fs::TempFile> file;
  std::unique_ptr<llvm::sys::fs::mapped_file_region> mapping;
};

} // namespace corellama

#endif // CORELLAMA_COMPILER_OUTPUT_OUTPUTFILE_H
