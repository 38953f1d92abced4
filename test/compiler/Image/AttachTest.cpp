//===- AttachTest.cpp - programs with an image ----------------------------===//
//
// A real executable and a planned image -> a program that is run, stripped, and
// read back; and what must not happen to files when it fails.
//
//===----------------------------------------------------------------------===//

#include "ImageTesting.h"
#include "compiler/Image/ProgramImage.h"
#include "compiler/Output/OutputFile.h"
#include "compiler/Text/TextSection.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/Program.h"
#include <sys/stat.h>
#include <thread>

using namespace corellama;
using namespace corellama::image;
using namespace corellama::test;
using llvm::StringRef;
namespace fs = llvm::sys::fs;

namespace {

class AttachTest : public testing::Test {
protected:
  void SetUp() override {
    llvm::SmallString<128> name;
    ASSERT_FALSE(fs::createUniqueDirectory("corellama-attach", name));
    folder = name.str().str();
    plan.emplace(model.goodPlan());
    image = model.write(*plan);
  }
  void TearDown() override { EXPECT_FALSE(fs::remove_directories(folder)); }

  std::string in(StringRef name) { return folder + "/" + name.str(); }
  std::string attach(StringRef linked, StringRef output) {
    auto file = llvm::cantFail(llvm::errorOrToExpected(
        llvm::MemoryBuffer::getFile(linked, /*IsText=*/false,
                                    /*RequiresNullTerminator=*/false)));
    llvm::Error error =
        attachImage(*plan, *model.checkpoint, file->getMemBufferRef(), output);
    return error ? llvm::toString(std::move(error)) : "";
  }
  /// What a program prints.
  std::string run(StringRef program, llvm::ArrayRef<StringRef> arguments = {}) {
    std::string out = in("stdout");
    llvm::SmallVector<StringRef> line = {program};
    line.append(arguments.begin(), arguments.end());
    llvm::sys::ExecuteAndWait(program, line, std::nullopt,
                              {std::nullopt, StringRef(out), std::nullopt});
    return read(out);
  }
  static std::string read(StringRef path) {
    auto file = llvm::MemoryBuffer::getFile(path);
    return file ? (*file)->getBuffer().str() : "";
  }
  static void write(StringRef path, StringRef text) {
    std::error_code error;
    llvm::raw_fd_ostream(path, error) << text;
  }
  /// What ImageProbe prints of the image.
  std::string expectedOutput() {
    uint64_t sum = 0;
    for (uint8_t byte : image)
      sum = sum * 31 + byte;
    return std::to_string(image.size()) + " " + std::to_string(sum) + "\n";
  }
  std::vector<std::string> filesInFolder() {
    std::vector<std::string> names;
    std::error_code error;
    for (fs::directory_iterator it(folder, error), end; it != end;
         it.increment(error))
      names.push_back(llvm::sys::path::filename(it->path()).str());
    llvm::sort(names);
    return names;
  }

  PlannedModel model{SmallLlama().builder()};
  std::optional<ImagePlan> plan;
  std::vector<uint8_t> image;
  std::string folder;
};

TEST_F(AttachTest, TheProgramFindsItsImageInMemory) {
  EXPECT_EQ(run(IMAGE_PROBE), "no image\n");
  ASSERT_EQ(attach(IMAGE_PROBE, in("program")), "");
  EXPECT_EQ(run(in("program")), expectedOutput());
}

TEST_F(AttachTest, StripKeepsIt) {
  if (!fs::can_execute(LLVM_STRIP))
    GTEST_SKIP() << LLVM_STRIP << " is not there";
  ASSERT_EQ(attach(IMAGE_PROBE, in("program")), "");
  run(LLVM_STRIP, {in("program")});
  EXPECT_EQ(run(in("program")), expectedOutput());
}

TEST_F(AttachTest, TheImageIsReadBackFromTheFile) {
  ASSERT_EQ(attach(IMAGE_PROBE, in("program")), "");
  auto view = openProgramImage(in("program"));
  ASSERT_TRUE(static_cast<bool>(view)) << llvm::toString(view.takeError());
  EXPECT_EQ(view->fileOffset % 4096, 0u);
  EXPECT_EQ(memcmp(&view->header, &plan->header, sizeof(plan->header)), 0);
  EXPECT_EQ(view->manifest, plan->manifest);
  EXPECT_EQ(llvm::toStringRef(view->text),
            StringRef(writeTextSection(*plan->text)));
  ASSERT_EQ(view->offsetCount(), plan->weights.size());
  for (auto [i, weight] : llvm::enumerate(plan->weights))
    EXPECT_EQ(view->offset(i), weight.offset);
  EXPECT_EQ(
      StringRef(read(in("program"))).substr(view->fileOffset, image.size()),
      StringRef(reinterpret_cast<const char *>(image.data()), image.size()));
}

TEST_F(AttachTest, TheFileIsExecutableByAll) {
  ASSERT_EQ(attach(IMAGE_PROBE, in("program")), "");
  struct stat status;
  ASSERT_EQ(stat(in("program").c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 07777, 0755u);
}

TEST_F(AttachTest, TheSameInputsGiveTheSameFile) {
  ASSERT_EQ(attach(IMAGE_PROBE, in("a")), "");
  ASSERT_EQ(attach(IMAGE_PROBE, in("b")), "");
  EXPECT_EQ(read(in("a")), read(in("b")));
}

TEST_F(AttachTest, ALinkedFileCanBeReplacedByItsProgram) {
  ASSERT_FALSE(fs::copy_file(IMAGE_PROBE, in("program")));
  ASSERT_EQ(attach(in("program"), in("program")), "");
  EXPECT_EQ(run(in("program")), expectedOutput());
  EXPECT_EQ(filesInFolder(), (std::vector<std::string>{"program", "stdout"}));
}

TEST_F(AttachTest, AnErrorLeavesNothingBehind) {
  write(in("text"), "not a program");
  EXPECT_EQ(
      attach(in("text"), in("program")),
      in("text") +
          ": is not an ELF file; give a program that `corellama compile` made");
  EXPECT_EQ(filesInFolder(), (std::vector<std::string>{"text"}));
}

TEST_F(AttachTest, AFailureWhileWritingLeavesTheOldFile) {
  write(in("program"), "old");
  plan->header.bytes += uint64_t(1) << 60; // no disk has room for it
  std::string message = attach(IMAGE_PROBE, in("program"));
  EXPECT_EQ(StringRef(message).substr(0, in("program").size() + 13),
            in("program") + ": cannot have");
  EXPECT_EQ(read(in("program")), "old");
  EXPECT_EQ(filesInFolder(), (std::vector<std::string>{"program"}));
}

TEST_F(AttachTest, PagesOfZerosAreHoles) {
  // Pieces begin and end inside of pages; of 256 pages three have a byte.
  std::string expected(1 << 20, '\0');
  for (size_t at : {0, 5000, 700000})
    expected[at] = 1;
  auto file = llvm::cantFail(SparseOutput::create(in("file"), expected.size()));
  llvm::ArrayRef<uint8_t> bytes = llvm::arrayRefFromStringRef(expected);
  for (size_t at = 0; at < expected.size(); at += 10000)
    llvm::cantFail(file.write(
        at, bytes.slice(at, std::min<size_t>(10000, expected.size() - at))));
  llvm::cantFail(file.keep());
  EXPECT_EQ(read(in("file")), expected);
  struct stat status;
  ASSERT_EQ(stat(in("file").c_str(), &status), 0);
  EXPECT_LE(status.st_blocks * 512, 3 * 4096);
}

TEST_F(AttachTest, PiecesOfLargePagesComeInAnyOrder) {
  // Two large pages and a part; one piece is never written.
  constexpr uint64_t kThreads = 3, kPiece = 100000, kGap = 25 * kPiece;
  std::string expected(2 * kLargePageBytes + 12345, '\0');
  for (auto [i, byte] : llvm::enumerate(expected))
    byte = static_cast<char>(i % 251 + 1);
  memset(expected.data() + kGap, 0, kPiece);
  auto file = llvm::cantFail(SparseOutput::create(in("file"), expected.size()));
  llvm::ArrayRef<uint8_t> bytes = llvm::arrayRefFromStringRef(expected);
  std::vector<std::thread> threads;
  for (uint64_t thread = 0; thread < kThreads; ++thread)
    threads.emplace_back([&, thread] {
      for (uint64_t at = thread * kPiece; at < bytes.size();
           at += kThreads * kPiece)
        if (at != kGap)
          llvm::cantFail(file.write(
              at, bytes.slice(at, std::min(kPiece, bytes.size() - at))));
    });
  for (std::thread &thread : threads)
    thread.join();
  llvm::cantFail(file.keep());
  EXPECT_EQ(read(in("file")), expected);
}

TEST_F(AttachTest, ALargeImageBeginsAtALargePage) {
  plan->header.bytes = 64 << 20;
  ASSERT_EQ(attach(IMAGE_PROBE, in("program")), "");
  auto view = openProgramImage(in("program"));
  ASSERT_TRUE(static_cast<bool>(view)) << llvm::toString(view.takeError());
  EXPECT_EQ(view->fileOffset % kLargePageBytes, 0u);
  EXPECT_EQ(StringRef(run(in("program"))).split(' ').first,
            std::to_string(plan->header.bytes));
}

TEST_F(AttachTest, AFolderOrADeviceIsNotReplaced) {
  EXPECT_EQ(attach(IMAGE_PROBE, folder),
            folder + ": is not a regular file; name another output");
  EXPECT_EQ(attach(IMAGE_PROBE, "/dev/null"),
            "/dev/null: is not a regular file; name another output");
}

TEST_F(AttachTest, ALinkStaysAndItsFileIsReplaced) {
  write(in("file"), "old");
  ASSERT_FALSE(fs::create_link("file", in("link")));
  ASSERT_EQ(attach(IMAGE_PROBE, in("link")), "");
  EXPECT_TRUE(fs::is_symlink_file(in("link")));
  EXPECT_EQ(run(in("file")), expectedOutput());
}

TEST_F(AttachTest, AMissingFolderIsNamed) {
  EXPECT_EQ(attach(IMAGE_PROBE, in("nowhere/program")),
            in("nowhere/program") + ": cannot be created: No such file or "
                                    "directory; name another output");
}

} // namespace
