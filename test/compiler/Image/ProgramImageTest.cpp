//===- ProgramImageTest.cpp - damaged programs ----------------------------===//
//
// A small program built here, header by header, then damaged: cut at every
// byte, and every number of its headers set to extremes. Each is refused with a
// message, or gives views that lie inside the file.
//
//===----------------------------------------------------------------------===//

#include "compiler/Image/ProgramImage.h"
#include "ImageTesting.h"
#include "runtime/ABI/Kernel.h"
#include "llvm/BinaryFormat/ELF.h"

using namespace corellama;
using namespace corellama::image;
using namespace llvm::ELF;
using llvm::StringRef;

namespace {

/// Program header behind the ELF header; the image on the next page.
struct SmallProgram {
  Elf64_Ehdr elf = {};
  Elf64_Phdr segment = {};
  corellama::abi::ImageHeader header = {};
  std::vector<uint64_t> offsets = {0, 64};
  std::string manifest = "{\"activations\":\"f32\"}";
  std::string text = "text";
  std::string weights = std::string(100, 'w');

  SmallProgram() {
    memcpy(elf.e_ident, ElfMagic, 4);
    elf.e_ident[EI_CLASS] = ELFCLASS64;
    elf.e_ident[EI_DATA] = ELFDATA2LSB;
    elf.e_machine = EM_X86_64;
    elf.e_phoff = sizeof(elf);
    elf.e_phentsize = sizeof(segment);
    elf.e_phnum = 1;
    memcpy(header.magic, corellama::abi::kImageMagic, 8);
    header.version = corellama::abi::kVersion;
    header.headerBytes = sizeof(header);
    header.offsets = {256, 16};
    header.manifest = {320, manifest.size()};
    header.text = {384, text.size()};
    header.frequencies = {448, 16};
    header.rings = {448, 0};
    header.weights = {4096, weights.size()};
    header.bytes = 4096 + weights.size();
    segment = {PT_LOAD, PF_R, 4096, 0, 0, header.bytes, header.bytes, 4096};
  }

  std::string build() const {
    std::string out(4096 + 4096 + weights.size(), '\0');
    auto put = [&](uint64_t at, const void *from, size_t bytes) {
      memcpy(out.data() + at, from, bytes);
    };
    put(0, &elf, sizeof(elf));
    put(sizeof(elf), &segment, sizeof(segment));
    put(4096, &header, sizeof(header));
    put(4096 + 256, offsets.data(), 16);
    put(4096 + 320, manifest.data(), manifest.size());
    put(4096 + 384, text.data(), text.size());
    put(4096 + 4096, weights.data(), weights.size());
    return out;
  }
};

llvm::Expected<ImageView> read(StringRef bytes) {
  return readProgramImage(llvm::MemoryBuffer::getMemBuffer(
      bytes, "p", /*RequiresNullTerminator=*/false));
}

std::string messageOf(const SmallProgram &program) {
  std::string bytes = program.build();
  auto view = read(bytes);
  return view ? "" : llvm::toString(view.takeError());
}

/// Refused with a message, or all views are inside.
void expectSafe(StringRef bytes) {
  auto view = read(bytes);
  if (!view) {
    std::string message = llvm::toString(view.takeError());
    EXPECT_TRUE(StringRef(message).starts_with("p: ")) << message;
    EXPECT_EQ(message.find('\n'), std::string::npos);
    return;
  }
  auto isInside = [&](const void *start, size_t size) {
    auto *first = static_cast<const char *>(start);
    return first >= bytes.begin() && size <= size_t(bytes.end() - first);
  };
  EXPECT_TRUE(isInside(view->manifest.data(), view->manifest.size()));
  EXPECT_TRUE(isInside(view->text.data(), view->text.size()));
  EXPECT_TRUE(isInside(view->weights.data(), view->weights.size()));
  EXPECT_TRUE(isInside(view->offsetTable.data(), view->offsetTable.size()));
  for (uint64_t i = 0; i < view->offsetCount(); ++i)
    EXPECT_LT(view->offset(i), view->weights.size());
}

TEST(ProgramImageTest, AGoodProgramIsRead) {
  SmallProgram program;
  std::string bytes = program.build();
  auto view = read(bytes);
  ASSERT_TRUE(static_cast<bool>(view)) << llvm::toString(view.takeError());
  EXPECT_EQ(view->manifest, program.manifest);
  EXPECT_EQ(view->weights.size(), 100u);
  EXPECT_EQ(view->offset(1), 64u);
}

TEST(ProgramImageTest, CutAtEveryByteItIsRefused) {
  std::string bytes = SmallProgram().build();
  for (size_t size = 0; size < bytes.size(); ++size) {
    // A copy of exactly that size, so that a sanitizer sees reads behind it.
    std::vector<char> cut(bytes.begin(), bytes.begin() + size);
    auto view = read({cut.data(), cut.size()});
    ASSERT_FALSE(static_cast<bool>(view)) << size;
    llvm::consumeError(view.takeError());
  }
}

TEST(ProgramImageTest, EveryFieldAtItsExtremesIsSafe) {
  std::string bytes = SmallProgram().build();
  auto damage = [&](size_t from, size_t to) {
    for (size_t at = from; at < to; at += 2)
      for (size_t width : {2, 4, 8})
        for (uint64_t value :
             {uint64_t(0), uint64_t(1), ~uint64_t(0), uint64_t(INT64_MAX)}) {
          std::string damaged = bytes;
          memcpy(damaged.data() + at, &value, width);
          expectSafe(damaged);
        }
  };
  damage(0, sizeof(Elf64_Ehdr) + sizeof(Elf64_Phdr));
  damage(4096, 4096 + sizeof(corellama::abi::ImageHeader));
  damage(4096 + 256, 4096 + 272);
}

struct Damage {
  const char *name;
  void (*breakIt)(SmallProgram &);
  const char *message;
};
void PrintTo(const Damage &damage, std::ostream *out) { *out << damage.name; }

class ProgramImageRefuses : public testing::TestWithParam<Damage> {};

const Damage kDamages[] = {
    {"NoELF", [](SmallProgram &p) { p.elf.e_ident[0] = 'x'; },
     "p: is not an ELF file; give a program that `corellama compile` made"},
    {"AnotherMachine", [](SmallProgram &p) { p.elf.e_machine = EM_AARCH64; },
     "p: is an ELF file of another kind of machine, expected x86-64"},
    {"SegmentHeaderSize", [](SmallProgram &p) { p.elf.e_phentsize = 32; },
     "p: segment headers: have 32 bytes each, expected 56; the file is "
     "damaged"},
    {"SegmentHeadersOutside",
     [](SmallProgram &p) { p.elf.e_phoff = UINT64_MAX - 7; },
     "p: segment headers: 1 at byte 18446744073709551608 end beyond the file's "
     "8292 bytes; the "
     "file is damaged"},
    {"SegmentOutside", [](SmallProgram &p) { p.segment.p_filesz = 1 << 20; },
     "p: segment: 1048576 bytes at byte 4096 end beyond the file's 8292 bytes; "
     "the file is cut "
     "short, copy it again"},
    {"NoImage", [](SmallProgram &p) { p.header.magic[7] = '2'; },
     "p: has no image; give a program that `corellama compile` made"},
    {"AWritableSegment",
     [](SmallProgram &p) { p.segment.p_flags = PF_R | PF_W; },
     "p: has no image; give a program that `corellama compile` made"},
    {"AnotherVersion", [](SmallProgram &p) { p.header.version = 99; },
     "p: image: header: is of version 99, this compiler knows version 12; the "
     "file is damaged, "
     "copy or compile it again"},
    {"HeaderBytes", [](SmallProgram &p) { p.header.headerBytes = 8; },
     "p: image: header: says it has 8 bytes, expected 192; the file is "
     "damaged, copy or compile "
     "it again"},
    {"ImageBytes", [](SmallProgram &p) { p.header.bytes = 5000; },
     "p: image: header: says the image has 5000 bytes, its segment has 4196; "
     "the file is "
     "damaged, copy or compile it again"},
    {"Unaligned", [](SmallProgram &p) { p.header.manifest.offset = 321; },
     "p: image: manifest: starts at byte 321, expected a multiple of 64 behind "
     "the header; the "
     "file is damaged, copy or compile it again"},
    {"InTheHeader", [](SmallProgram &p) { p.header.offsets.offset = 64; },
     "p: image: offsets: starts at byte 64, expected a multiple of 64 behind "
     "the header; the "
     "file is damaged, copy or compile it again"},
    {"RangeOutside", [](SmallProgram &p) { p.header.weights.bytes = 101; },
     "p: image: weights: 101 bytes at byte 4096 are more than the image has "
     "(4196); the file is "
     "damaged, copy or compile it again"},
    {"RangeOverflows",
     [](SmallProgram &p) { p.header.text.bytes = UINT64_MAX; },
     "p: image: text: 18446744073709551615 bytes at byte 384 are more than "
     "the image has "
     "(4196); the file is damaged, copy or compile it again"},
    {"PartOfAnOffset", [](SmallProgram &p) { p.header.offsets.bytes = 15; },
     "p: image: offsets: has 15 bytes, expected a multiple of 8; the file is "
     "damaged, copy or "
     "compile it again"},
    {"OffsetOutside", [](SmallProgram &p) { p.offsets[1] = 100; },
     "p: image: offsets: entry 1 is 100, the weights have 100 bytes; the file "
     "is damaged, copy "
     "or compile it again"},
};

TEST_P(ProgramImageRefuses, WithAMessage) {
  SmallProgram program;
  GetParam().breakIt(program);
  EXPECT_EQ(messageOf(program), GetParam().message);
}

INSTANTIATE_TEST_SUITE_P(Damages, ProgramImageRefuses,
                         testing::ValuesIn(kDamages),
                         [](const auto &info) { return info.param.name; });

TEST(ProgramImageTest, AMissingFileIsNamed) {
  auto view = openProgramImage("no/such/file");
  ASSERT_FALSE(static_cast<bool>(view));
  EXPECT_EQ(llvm::toString(view.takeError()),
            "no/such/file: No such file or directory; give a program's file");
}

} // namespace
