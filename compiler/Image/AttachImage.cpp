//===- AttachImage.cpp - the image behind a linked program ----------------===//
//
// A linked executable and a planned image -> the program. A file of its own
// because it edits ELF: the linker cannot place more than 2 GiB, so the image
// is appended after the link, with headers of its own.
//
//   linked file | padding | image | section names | section headers
//
// - A PT_LOAD segment, read-only, so that the kernel maps the image at exec.
//   It replaces the PT_NOTE entry that the linker makes for a build id; that
//   entry is behind all PT_LOADs, which must be in ascending order.
// - A section `.image` over the same bytes, so that strip and objcopy know that
//   they are used.
//
//===----------------------------------------------------------------------===//

#include "compiler/Image/ElfFile.h"
#include "compiler/Image/Image.h"
#include "compiler/Output/OutputFile.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/MathExtras.h"
#include <cstring>

using namespace corellama;
using namespace corellama::image;
using namespace llvm::ELF;
using llvm::Error;
using llvm::Expected;
using llvm::StringRef;
using llvm::Twine;

namespace {

/// The program's headers with the image added, and the file's offsets.
struct ProgramLayout {
  ElfFile elf;
  std::string sectionNames;
  uint64_t imageOffset;
  uint64_t namesOffset;
  uint64_t fileBytes;
};

} // namespace

static constexpr StringRef kSectionName = ".image";

/// Images from this size on begin at a large page, and those of smaller models
/// at one of 4 KiB: what lies before a large page is a hole of up to 2 MiB in
/// the file and some thirtieth of it at most.
static constexpr uint64_t kLargeImage = 32 * kLargePageBytes;

static Expected<ProgramLayout> planProgram(StringRef linked, StringRef path,
                                           uint64_t imageBytes) {
  auto refuse = [&](const Twine &problem) {
    return refuseFile(
        path, problem + "; link it as an executable with section headers and "
                        "a build id");
  };
  Expected<ElfFile> elf = readElfFile(linked, path);
  if (!elf)
    return elf.takeError();
  ProgramLayout program;
  const uint64_t alignment =
      imageBytes >= kLargeImage ? kLargePageBytes : kPageBytes;
  program.imageOffset = llvm::alignTo(linked.size(), alignment);

  uint64_t memoryEnd = 0;
  Elf64_Phdr *buffer = nullptr;
  for (Elf64_Phdr &segment : elf->segments) {
    if (segment.p_type == PT_LOAD) {
      if (segment.p_vaddr > UINT64_MAX / 4 || segment.p_memsz > UINT64_MAX / 4)
        return refuse("a segment lies outside of memory");
      memoryEnd = std::max(memoryEnd, segment.p_vaddr + segment.p_memsz);
      buffer = nullptr; // a PT_NOTE before it would break the order
    }
    if (segment.p_type == PT_NOTE)
      buffer = &segment;
  }
  if (!buffer)
    return refuse("has no PT_NOTE behind its segments");
  uint64_t address = llvm::alignTo(memoryEnd, alignment);
  if (imageBytes > UINT64_MAX / 4)
    return refuse("its image exceeds 64-bit sizes");
  *buffer = {PT_LOAD, PF_R,       program.imageOffset, address,
             address, imageBytes, imageBytes,          alignment};

  if (elf->header.e_shstrndx >= elf->sections.size() ||
      elf->sections.size() >= UINT16_MAX)
    return refuse("has no table of section names");
  Elf64_Shdr &names = elf->sections[elf->header.e_shstrndx];
  if (names.sh_type != SHT_STRTAB)
    return refuse("has no table of section names");
  program.sectionNames = linked.substr(names.sh_offset, names.sh_size).str();
  Elf64_Shdr section = {};
  section.sh_name = program.sectionNames.size();
  section.sh_type = SHT_PROGBITS;
  section.sh_flags = SHF_ALLOC;
  section.sh_addr = address;
  section.sh_offset = program.imageOffset;
  section.sh_size = imageBytes;
  section.sh_addralign = alignment;
  program.sectionNames += kSectionName;
  program.sectionNames += '\0';

  program.namesOffset = llvm::alignTo(program.imageOffset + imageBytes, 16);
  names.sh_offset = program.namesOffset;
  names.sh_size = program.sectionNames.size();
  elf->sections.push_back(section);
  elf->header.e_shnum = elf->sections.size();
  elf->header.e_shoff =
      llvm::alignTo(program.namesOffset + program.sectionNames.size(), 16);
  program.fileBytes =
      elf->header.e_shoff + elf->sections.size() * sizeof(Elf64_Shdr);
  program.elf = std::move(*elf);
  return program;
}

Error corellama::image::attachImage(const ImagePlan &plan,
                                    const checkpoint::Checkpoint &checkpoint,
                                    llvm::MemoryBufferRef linked,
                                    StringRef output) {
  Expected<ProgramLayout> program = planProgram(
      linked.getBuffer(), linked.getBufferIdentifier(), plan.header.bytes);
  if (!program)
    return program.takeError();
  Expected<SparseOutput> file =
      SparseOutput::create(output, program->fileBytes);
  if (!file)
    return file.takeError();

  const ElfFile &elf = program->elf;
  std::string start = linked.getBuffer().str();
  memcpy(start.data(), &elf.header, sizeof(elf.header));
  memcpy(start.data() + elf.header.e_phoff, elf.segments.data(),
         elf.segments.size() * sizeof(Elf64_Phdr));
  const std::pair<uint64_t, llvm::ArrayRef<uint8_t>> pieces[] = {
      {0, llvm::arrayRefFromStringRef(start)},
      {program->namesOffset,
       llvm::arrayRefFromStringRef(program->sectionNames)},
      {elf.header.e_shoff,
       {reinterpret_cast<const uint8_t *>(elf.sections.data()),
        elf.sections.size() * sizeof(Elf64_Shdr)}}};
  for (const auto &[offset, bytes] : pieces)
    if (Error error = file->write(offset, bytes))
      return error;
  auto write = [&](uint64_t offset, llvm::ArrayRef<uint8_t> bytes) {
    return file->write(program->imageOffset + offset, bytes);
  };
  if (Error error = writeImage(plan, checkpoint, write))
    return error;
  if (Error error = checkpoint.checkUnchanged())
    return error;
  return file->keep();
}
