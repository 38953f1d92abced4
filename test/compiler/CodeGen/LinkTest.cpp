//===- LinkTest.cpp - a program of hand-written code and the runtime ------===//

#include "compiler/CodeGen/Link.h"
#include "compiler/CodeGen/CodeGen.h"
#include "test/compiler/CodeGen/CodeGenTesting.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/FileUtilities.h"
#include "llvm/Support/MemoryBuffer.h"
#include "gtest/gtest.h"
#include <fstream>

using namespace corellama;
using namespace corellama::test;

static llvm::SmallVector<char, 0> smallObject() {
  auto module =
      parseModule(kSmallAttributes, std::string(kSmallModule) + kSmallSteps);
  return llvm::cantFail(codegen::compileToObject(*module));
}

static std::string contents(llvm::StringRef path) {
  auto buffer = llvm::MemoryBuffer::getFile(path);
  return buffer ? (*buffer)->getBuffer().str() : "";
}

TEST(Link, TwoFoldersGiveTheSameProgram) {
  llvm::SmallVector<char, 0> object = smallObject();
  llvm::SmallString<128> folder;
  ASSERT_FALSE(llvm::sys::fs::createUniqueDirectory("corellama-link", folder));
  std::string first = (folder + "/a").str(),
              second = (folder + "/longer-name").str();
  ASSERT_EQ(llvm::toString(
                codegen::linkProgram(object, CORELLAMA_RUNTIME_FOLDER, first)),
            "");
  ASSERT_EQ(llvm::toString(
                codegen::linkProgram(object, CORELLAMA_RUNTIME_FOLDER, second)),
            "");
  std::string bytes = contents(first);
  EXPECT_FALSE(bytes.empty());
  EXPECT_EQ(bytes, contents(second));
  EXPECT_EQ(bytes.find(folder.str().str()), std::string::npos);
  // Names of kernels are in the program's symbol table.
  EXPECT_NE(bytes.find("fill.decode"), std::string::npos);
  llvm::sys::fs::remove_directories(folder);
}

TEST(Link, TheFirstErrorOfTheLinkerIsTheMessage) {
  llvm::SmallString<128> folder;
  ASSERT_FALSE(llvm::sys::fs::createUniqueDirectory("corellama-link", folder));
  std::string output = (folder + "/program").str();
  std::string message =
      llvm::toString(codegen::linkProgram(smallObject(), "/nowhere", output));
  EXPECT_EQ(message.find("link: "), 0u) << message;
  EXPECT_NE(message.find("/nowhere/Scrt1.o"), std::string::npos) << message;
  EXPECT_EQ(message.find('\n'), std::string::npos) << message;
  EXPECT_FALSE(llvm::sys::fs::exists(output));
  llvm::sys::fs::remove_directories(folder);
}

TEST(Link, TheRuntimeIsFoundBesideTheTool) {
  llvm::SmallString<128> folder;
  ASSERT_FALSE(llvm::sys::fs::createUniqueDirectory("corellama-find", folder));
  std::string root = folder.str().str(), tool = root + "/bin/corellama";
  auto none = codegen::findRuntimeFolder(tool);
  ASSERT_FALSE(bool(none));
  EXPECT_EQ(llvm::toString(none.takeError()),
            root + "/rt: the runtime (rt.o) is not there; build the target "
                   "corellama-rt or install corellama again");

  llvm::cantFail(llvm::errorCodeToError(
      llvm::sys::fs::create_directories(root + "/lib/corellama/rt")));
  std::ofstream(root + "/lib/corellama/rt/rt.o") << "x";
  EXPECT_EQ(llvm::cantFail(codegen::findRuntimeFolder(tool)),
            root + "/lib/corellama/rt");
  llvm::cantFail(
      llvm::errorCodeToError(llvm::sys::fs::create_directories(root + "/rt")));
  std::ofstream(root + "/rt/rt.o") << "x";
  EXPECT_EQ(llvm::cantFail(codegen::findRuntimeFolder(tool)), root + "/rt");
  llvm::sys::fs::remove_directories(folder);
}
