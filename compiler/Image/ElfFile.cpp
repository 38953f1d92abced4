//===- ElfFile.cpp - the headers of an ELF executable ---------------------===//
//
// See ElfFile.h.
//
//===----------------------------------------------------------------------===//

#include "compiler/Image/ElfFile.h"
#include "llvm/ADT/Twine.h"
#include <cstring>

using namespace corellama::image;
using namespace llvm::ELF;
using llvm::Error;
using llvm::Expected;
using llvm::StringRef;
using llvm::Twine;

Error corellama::image::refuseFile(StringRef path, const Twine &problem) {
  return llvm::createStringError(path + ": " + problem);
}

/// Whether `count` bytes at `offset` lie inside `size` bytes.
static bool isInside(uint64_t offset, uint64_t count, uint64_t size) {
  return offset <= size && count <= size - offset;
}

/// Copies a table of headers; the count has 16 bits, so nothing overflows.
template <typename Header>
static Error readTable(StringRef bytes, StringRef path, StringRef what,
                       uint64_t offset, uint64_t count, uint64_t headerBytes,
                       std::vector<Header> &table) {
  if (count == 0)
    return Error::success();
  if (headerBytes != sizeof(Header))
    return refuseFile(path, what + " headers: have " + Twine(headerBytes) +
                                " bytes each, expected " +
                                Twine(sizeof(Header)) +
                                "; the file is damaged");
  if (!isInside(offset, count * sizeof(Header), bytes.size()))
    return refuseFile(path, what + " headers: " + Twine(count) + " at byte " +
                                Twine(offset) + " end beyond the file's " +
                                Twine(bytes.size()) +
                                " bytes; the file is damaged");
  table.resize(count);
  memcpy(table.data(), bytes.data() + offset, count * sizeof(Header));
  return Error::success();
}

Expected<ElfFile> corellama::image::readElfFile(StringRef bytes,
                                                StringRef path) {
  ElfFile file;
  if (bytes.size() < sizeof(file.header) ||
      !bytes.starts_with(StringRef(ElfMagic, 4)))
    return refuseFile(
        path,
        "is not an ELF file; give a program that `corellama compile` made");
  memcpy(&file.header, bytes.data(), sizeof(file.header));
  const Elf64_Ehdr &header = file.header;
  if (header.e_ident[EI_CLASS] != ELFCLASS64 ||
      header.e_ident[EI_DATA] != ELFDATA2LSB || header.e_machine != EM_X86_64)
    return refuseFile(
        path, "is an ELF file of another kind of machine, expected x86-64");
  if (Error error =
          readTable(bytes, path, "segment", header.e_phoff, header.e_phnum,
                    header.e_phentsize, file.segments))
    return error;
  if (Error error =
          readTable(bytes, path, "section", header.e_shoff, header.e_shnum,
                    header.e_shentsize, file.sections))
    return error;
  for (const Elf64_Phdr &segment : file.segments)
    if (!isInside(segment.p_offset, segment.p_filesz, bytes.size()))
      return refuseFile(path,
                        "segment: " + Twine(segment.p_filesz) +
                            " bytes at byte " + Twine(segment.p_offset) +
                            " end beyond the file's " + Twine(bytes.size()) +
                            " bytes; the file is cut short, copy it again");
  for (const Elf64_Shdr &section : file.sections)
    if (section.sh_type != SHT_NOBITS && section.sh_type != SHT_NULL &&
        !isInside(section.sh_offset, section.sh_size, bytes.size()))
      return refuseFile(path,
                        "section: " + Twine(section.sh_size) +
                            " bytes at byte " + Twine(section.sh_offset) +
                            " end beyond the file's " + Twine(bytes.size()) +
                            " bytes; the file is cut short, copy it again");
  return file;
}
