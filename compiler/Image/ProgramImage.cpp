//===- ProgramImage.cpp - the image of a program file ---------------------===//
//
// See ProgramImage.h. The checks repeat those of runtime/Weights, because
// compiler and runtime share headers only.
//
//===----------------------------------------------------------------------===//

#include "compiler/Image/ProgramImage.h"
#include "compiler/Image/ElfFile.h"
#include "compiler/Image/Image.h"
#include "runtime/ABI/Kernel.h"
#include "llvm/Support/Endian.h"
#include <cstring>

using namespace corellama;
using namespace corellama::image;
using namespace llvm::ELF;
using llvm::ArrayRef;
using llvm::Error;
using llvm::Expected;
using llvm::MemoryBuffer;
using llvm::StringRef;
using llvm::Twine;

llvm::Error corellama::image::selectVariant(llvm::json::Object &manifest,
                                            size_t place) {
  if (place == 0)
    return llvm::Error::success();
  llvm::json::Array *variants = manifest.getArray("variants");
  llvm::json::Object *variant = variants && place <= variants->size()
                                    ? (*variants)[place - 1].getAsObject()
                                    : nullptr;
  if (!variant)
    return llvm::createStringError(
        "the manifest knows nothing of the code that runs here; compile the "
        "program again");
  for (auto &[key, value] : *variant)
    manifest[key] = std::move(value);
  return llvm::Error::success();
}

bool corellama::image::looksLikeProgram(StringRef path) {
  auto start = MemoryBuffer::getFileSlice(path, /*MapSize=*/4, /*Offset=*/0);
  return start && (*start)->getBuffer().starts_with(StringRef(ElfMagic, 4));
}

uint64_t ImageView::offset(uint64_t entry) const {
  return llvm::support::endian::read64le(offsetTable.data() + 8 * entry);
}

/// The segment that the runtime would use: read-only, with the image's magic.
static const Elf64_Phdr *findImageSegment(const ElfFile &elf, StringRef bytes) {
  const Elf64_Phdr *found = nullptr;
  for (const Elf64_Phdr &segment : elf.segments)
    if (segment.p_type == PT_LOAD && segment.p_flags == PF_R &&
        bytes.substr(segment.p_offset, segment.p_filesz)
            .starts_with(StringRef(abi::kImageMagic, sizeof(abi::kImageMagic))))
      found = &segment;
  return found;
}

static Error checkHeader(const abi::ImageHeader &header, uint64_t segmentBytes,
                         StringRef path) {
  auto damaged = [&](StringRef place, const Twine &what) {
    return refuseFile(path,
                      "image: " + place + ": " + what +
                          "; the file is damaged, copy or compile it again");
  };
  if (header.version != abi::kVersion)
    return damaged("header", "is of version " + Twine(header.version) +
                                 ", this compiler knows version " +
                                 Twine(abi::kVersion));
  if (header.headerBytes != sizeof(header))
    return damaged("header", "says it has " + Twine(header.headerBytes) +
                                 " bytes, expected " + Twine(sizeof(header)));
  if (header.bytes < sizeof(header) || header.bytes > segmentBytes)
    return damaged("header", "says the image has " + Twine(header.bytes) +
                                 " bytes, its segment has " +
                                 Twine(segmentBytes));
  for (const auto &[place, member, alignment] : abi::kImageSections) {
    const abi::ImageRange &range = header.*member;
    if (range.offset % alignment != 0 || range.offset < sizeof(header))
      return damaged(place, "starts at byte " + Twine(range.offset) +
                                ", expected a multiple of " + Twine(alignment) +
                                " behind the header");
    if (range.offset > header.bytes ||
        range.bytes > header.bytes - range.offset)
      return damaged(place, Twine(range.bytes) + " bytes at byte " +
                                Twine(range.offset) +
                                " are more than the image has (" +
                                Twine(header.bytes) + ")");
  }
  if (header.offsets.bytes % 8 != 0)
    return damaged("offsets", "has " + Twine(header.offsets.bytes) +
                                  " bytes, expected a multiple of 8");
  return Error::success();
}

Expected<ImageView>
corellama::image::readProgramImage(std::unique_ptr<MemoryBuffer> file) {
  StringRef bytes = file->getBuffer(), path = file->getBufferIdentifier();
  Expected<ElfFile> elf = readElfFile(bytes, path);
  if (!elf)
    return elf.takeError();
  const Elf64_Phdr *segment = findImageSegment(*elf, bytes);
  if (!segment)
    return refuseFile(
        path, "has no image; give a program that `corellama compile` made");
  if (segment->p_filesz < sizeof(abi::ImageHeader))
    return refuseFile(
        path, "image: header: has " + Twine(segment->p_filesz) +
                  " bytes, expected " + Twine(sizeof(abi::ImageHeader)) +
                  "; the file is damaged, copy or compile it again");
  ImageView view;
  view.fileOffset = segment->p_offset;
  memcpy(&view.header, bytes.data() + segment->p_offset, sizeof(view.header));
  if (Error error = checkHeader(view.header, segment->p_filesz, path))
    return error;

  ArrayRef<uint8_t> image(reinterpret_cast<const uint8_t *>(bytes.data()) +
                              segment->p_offset,
                          view.header.bytes);
  auto slice = [&](const abi::ImageRange &range) {
    return image.slice(range.offset, range.bytes);
  };
  ArrayRef<uint8_t> manifest = slice(view.header.manifest);
  view.manifest = {reinterpret_cast<const char *>(manifest.data()),
                   manifest.size()};
  view.text = slice(view.header.text);
  view.weights = slice(view.header.weights);
  view.offsetTable = slice(view.header.offsets);
  for (uint64_t entry = 0; entry < view.offsetCount(); ++entry)
    if (view.offset(entry) >= view.weights.size())
      return refuseFile(
          path, "image: offsets: entry " + Twine(entry) + " is " +
                    Twine(view.offset(entry)) + ", the weights have " +
                    Twine(view.weights.size()) +
                    " bytes; the file is damaged, copy or compile it again");
  view.file = std::move(file);
  return view;
}

Expected<ImageView> corellama::image::openProgramImage(StringRef path) {
  auto file = MemoryBuffer::getFile(path, /*IsText=*/false,
                                    /*RequiresNullTerminator=*/false);
  if (!file)
    return refuseFile(path,
                      file.getError().message() + "; give a program's file");
  return readProgramImage(std::move(*file));
}

Expected<llvm::json::Object>
corellama::image::readManifest(const ImageView &view) {
  auto damaged = [&](const Twine &what) {
    return llvm::createStringError(
        view.file->getBufferIdentifier() + ": image: manifest: " + what +
        "; the file is damaged, copy or compile it again");
  };
  Expected<llvm::json::Value> value = llvm::json::parse(view.manifest);
  if (!value) {
    std::string why = llvm::toString(value.takeError());
    return damaged("is not JSON: " + why);
  }
  if (llvm::json::Object *object = value->getAsObject())
    return std::move(*object);
  return damaged("is no JSON object");
}
