//===- ElfFile.h - the headers of an ELF executable -----------------------===//
//
// The bytes of a file -> its program and section headers, all ranges checked.
// A file of its own for its two users: attachImage adds headers for the image,
// ProgramImage reads them from a file of unknown origin.
//
//===----------------------------------------------------------------------===//

#ifndef CORELLAMA_COMPILER_IMAGE_ELFFILE_H
#define CORELLAMA_COMPILER_IMAGE_ELFFILE_H

#include "llvm/ADT/StringRef.h"
#include "llvm/BinaryFormat/ELF.h"
#include "llvm/Support/Error.h"
#include <vector>

namespace corellama::image {

/// 64-bit, little endian, for x86-64. Every range in a header (a segment's or a
/// section's bytes) lies inside the file.
struct ElfFile {
  llvm::ELF::Elf64_Ehdr header;
  std::vector<llvm::ELF::Elf64_Phdr> segments;
  std::vector<llvm::ELF::Elf64_Shdr> sections;
};

/// `path` names the file in messages.
llvm::Expected<ElfFile> readElfFile(llvm::StringRef bytes,
                                    llvm::StringRef path);

/// "FILE: PROBLEM".
llvm::Error refuseFile(llvm::StringRef path, const llvm::Twine &problem);

} // namespace corellama::image

#endif // CORELLAMA_COMPILER_IMAGE_ELFFILE_H
