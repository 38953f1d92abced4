//===- AssembleTest.cpp - what becomes of an assembler's result -----------===//
//
// Tests findAssembler and assemble of compiler/CodeGen/CodeGen.h with scripts
// in place of NVIDIA's ptxas.
//
//===----------------------------------------------------------------------===//

#include "compiler/CodeGen/CodeGen.h"
#include "gtest/gtest.h"
#include <cstdlib>
#include <filesystem>
#include <fstream>

namespace corellama::test {

namespace fs = std::filesystem;

namespace {
class Assemble : public testing::Test {
protected:
  void SetUp() override {
    folder = fs::path(testing::TempDir()) / "corellama-assemble/bin";
    fs::create_directories(folder);
    code.architecture = "sm_80";
    code.bytes = {'p', 't', 'x', '\0'};
  }
  void TearDown() override { fs::remove_all(folder.parent_path()); }

  /// A script named ptxas.
  std::string script(const std::string &body) {
    const fs::path path = folder / "ptxas";
    std::ofstream(path) << "#!/bin/sh\n" << body << "\n";
    fs::permissions(path, fs::perms::owner_all);
    return path.string();
  }

  fs::path folder;
  codegen::DeviceCode code;
};
} // namespace

TEST_F(Assemble, TakesWhatItWrites) {
  // The options as they come: -arch=sm_80 SOURCE -o RESULT.
  const std::string ptxas = script("(echo \"$1\" \"$3\"; cat \"$2\") > \"$4\"");
  auto made = codegen::assemble(ptxas, code);
  ASSERT_TRUE(bool(made)) << llvm::toString(made.takeError());
  EXPECT_EQ(made->architecture, "sm_80");
  EXPECT_TRUE(made->isAssembled);
  EXPECT_EQ(std::string(made->bytes.begin(), made->bytes.end()),
            "-arch=sm_80 -o\nptx");
}

TEST_F(Assemble, SaysWhatItSays) {
  const std::string ptxas =
      script("echo 'ptxas fatal   : Value is not defined' >&2; echo more >&2; "
             "exit 255");
  EXPECT_EQ(llvm::toString(codegen::assemble(ptxas, code).takeError()),
            ptxas + ": ptxas fatal   : Value is not defined");
  EXPECT_EQ(
      llvm::toString(codegen::assemble(script("exit 1"), code).takeError()),
      ptxas + ": failed without saying why");
}

TEST_F(Assemble, IsLookedForInTheToolkitThatIsNamed) {
  const std::string ptxas = script("exit 1");
  setenv("CUDA_HOME", folder.parent_path().c_str(), 1);
  EXPECT_EQ(codegen::findAssembler(), ptxas);
  setenv("CUDA_HOME", "/nowhere", 1);
  EXPECT_NE(codegen::findAssembler(), ptxas);
  unsetenv("CUDA_HOME");
}

} // namespace corellama::test
