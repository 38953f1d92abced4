//===- AttachImage.cpp - the image behind a linked program ----------------===//
//
// A linked executable and a planned image -> the program. A file of its own
// because it is about ELF: the linker cannot place more than 2 GiB, so the
// image is appended after the link, and headers are added for it.
//
//   linked file | padding | image | section names | section headers
//
// - A PT_LOAD segment, read-only, so that the kernel maps the image at exec.
//   It takes the entry of the PT_NOTE that the linker makes for a build id and
//   that stands behind all PT_LOADs, whose order must ascend.
// - A section `.image` over the same bytes, so that strip and objcopy know that
//   they are used.
//
//===----------------------------------------------------------------------===//

#include "compiler/Image/ElfFile.h"
#include "compiler/Image/Image.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/MathExtras.h"
#include "llvm/Support/MemoryBuffer.h"
#include <cstring>

using namespace corellama;
using namespace corellama::image;
using namespace llvm::ELF;
using llvm::Error;
using llvm::Expected;
using llvm::MemoryBuffer;
using llvm::MutableArrayRef;
using llvm::StringRef;
using llvm::Twine;
namespace fs = llvm::sys::fs;

namespace {

/// The program's headers with the image in them, and where all of it goes.
struct ProgramLayout {
  ElfFile elf;
  std::string sectionNames;
  uint64_t imageOffset;
  uint64_t namesOffset;
  uint64_t fileBytes;
};

} // namespace

static constexpr StringRef kSectionName = ".image";

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
  program.imageOffset = llvm::alignTo(linked.size(), kPageBytes);

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
  uint64_t address = llvm::alignTo(memoryEnd, kPageBytes);
  if (imageBytes > UINT64_MAX / 4)
    return refuse("its image exceeds 64-bit sizes");
  *buffer = {PT_LOAD, PF_R,       program.imageOffset, address,
             address, imageBytes, imageBytes,          kPageBytes};

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
  section.sh_addralign = kPageBytes;
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

/// Everything but the image.
static void writeProgram(const ProgramLayout &program, StringRef linked,
                         char *out) {
  auto put = [&](uint64_t offset, const void *from, size_t bytes) {
    memcpy(out + offset, from, bytes);
  };
  put(0, linked.data(), linked.size());
  const ElfFile &elf = program.elf;
  put(0, &elf.header, sizeof(elf.header));
  put(elf.header.e_phoff, elf.segments.data(),
      elf.segments.size() * sizeof(Elf64_Phdr));
  put(program.namesOffset, program.sectionNames.data(),
      program.sectionNames.size());
  put(elf.header.e_shoff, elf.sections.data(),
      elf.sections.size() * sizeof(Elf64_Shdr));
}

/// Renaming over a device or a folder would destroy it or fail after the work.
static Error checkOutput(StringRef output) {
  fs::file_status status;
  if (!fs::status(output, status) && fs::exists(status) &&
      !fs::is_regular_file(status))
    return refuseFile(output, "is not a regular file; name another output");
  return Error::success();
}

Error corellama::image::attachImage(const ImagePlan &plan,
                                    const checkpoint::Checkpoint &checkpoint,
                                    StringRef linkedProgram, StringRef output) {
  if (Error error = checkOutput(output))
    return error;
  auto linked = MemoryBuffer::getFile(linkedProgram, /*IsText=*/false,
                                      /*RequiresNullTerminator=*/false);
  if (!linked)
    return refuseFile(linkedProgram, linked.getError().message());
  Expected<ProgramLayout> program =
      planProgram((*linked)->getBuffer(), linkedProgram, plan.header.bytes);
  if (!program)
    return program.takeError();

  // In the output's folder, so that the rename cannot cross file systems; it is
  // removed on every signal that ends the process.
  Expected<fs::TempFile> file = fs::TempFile::create(output + ".tmp-%%%%%%");
  if (!file)
    return refuseFile(output,
                      "cannot be created: " + llvm::toString(file.takeError()));
  auto failed = [&](const Twine &problem) {
    llvm::consumeError(file->discard());
    return refuseFile(output, problem);
  };
  // Allocates blocks where the file system can, so that a full disk is an error
  // here rather than a signal at the first write to the mapping.
  if (std::error_code error = fs::resize_file(file->FD, program->fileBytes))
    return failed("cannot have " + Twine(program->fileBytes) +
                  " bytes: " + error.message());
  std::error_code error;
  fs::mapped_file_region mapping(fs::convertFDToNativeFile(file->FD),
                                 fs::mapped_file_region::readwrite,
                                 program->fileBytes, 0, error);
  if (error)
    return failed("cannot be mapped: " + error.message());
  writeProgram(*program, (*linked)->getBuffer(), mapping.data());
  MutableArrayRef<uint8_t> image(reinterpret_cast<uint8_t *>(mapping.data()) +
                                     program->imageOffset,
                                 plan.header.bytes);
  if (Error failure = writeImage(plan, checkpoint, image))
    return failed(llvm::toString(std::move(failure)));
  mapping.unmap();

  if (std::error_code error = fs::setPermissions(
          file->FD, fs::perms(fs::all_read | fs::all_exe | fs::owner_write)))
    return failed("cannot be made executable: " + error.message());
  if (Error failure = file->keep(output))
    return failed("cannot be written: " + llvm::toString(std::move(failure)));
  return Error::success();
}
