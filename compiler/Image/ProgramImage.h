//===- ProgramImage.h - the image of a program file -----------------------===//
//
// A program (an ELF file) -> its image, checked. A file of its own because its
// input is untrusted: `inspect` reads files of any origin, without running
// them.
//
//===----------------------------------------------------------------------===//

#ifndef CORELLAMA_COMPILER_IMAGE_PROGRAMIMAGE_H
#define CORELLAMA_COMPILER_IMAGE_PROGRAMIMAGE_H

#include "runtime/ABI/Image.h"
#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"
#include "llvm/Support/JSON.h"
#include "llvm/Support/MemoryBuffer.h"
#include <memory>

namespace corellama::image {

/// The image of a program; views into `file`, which it keeps mapped.
struct ImageView {
  std::unique_ptr<llvm::MemoryBuffer> file;
  abi::ImageHeader header;
  /// Offset of the image's first byte in the file, a multiple of the page size.
  uint64_t fileOffset;
  llvm::StringRef manifest;
  llvm::ArrayRef<uint8_t> text;
  llvm::ArrayRef<uint8_t> weights;
  /// Little endian, unaligned: read with `offset`.
  llvm::ArrayRef<uint8_t> offsetTable;

  uint64_t offsetCount() const { return offsetTable.size() / 8; }
  /// Byte offset in `weights` of an entry, below their size.
  uint64_t offset(uint64_t entry) const;
};

/// Maps a program and checks every size of its headers.
llvm::Expected<ImageView> openProgramImage(llvm::StringRef path);

/// The same for a program in memory; messages name the buffer.
llvm::Expected<ImageView>
readProgramImage(std::unique_ptr<llvm::MemoryBuffer> file);

/// The manifest of an image; messages name its file.
llvm::Expected<llvm::json::Object> readManifest(const ImageView &view);

/// Makes the manifest of a program with the code of several targets say of the
/// code what that at `place` in corellama_programs is; an error if there are
/// not so many.
llvm::Error selectVariant(llvm::json::Object &manifest, size_t place);

/// Whether a file starts like an ELF file: it is a program rather than a
/// checkpoint. False for a file that cannot be read.
bool looksLikeProgram(llvm::StringRef path);

} // namespace corellama::image

#endif // CORELLAMA_COMPILER_IMAGE_PROGRAMIMAGE_H
