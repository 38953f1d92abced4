//===- LinkTest.cpp - a program of hand-written code and the runtime ------===//

#include "compiler/CodeGen/Link.h"
#include "compiler/CodeGen/CodeGen.h"
#include "test/compiler/CodeGen/CodeGenTesting.h"
#include "llvm/Support/FileSystem.h"
#include "gtest/gtest.h"
#include <fstream>

using namespace corellama;
using namespace corellama::test;

static llvm::SmallVector<char, 0> smallObject() {
  auto module = parseModule(smallAttributesWithSteps(),
                            std::string(kSmallModule) + kSmallSteps);
  return llvm::cantFail(codegen::compileToObject(*module));
}

TEST(Link, TheSameObjectGivesTheSameProgram) {
  llvm::SmallVector<char, 0> object = smallObject();
  std::string bytes =
      llvm::cantFail(codegen::linkProgram({object}, CORELLAMA_RUNTIME_FOLDER));
  EXPECT_FALSE(bytes.empty());
  EXPECT_EQ(bytes, llvm::cantFail(codegen::linkProgram(
                       {object}, CORELLAMA_RUNTIME_FOLDER)));
  // No path of the temporary files is in it.
  EXPECT_EQ(bytes.find("/proc/self/fd"), std::string::npos);
  EXPECT_EQ(bytes.find(CORELLAMA_RUNTIME_FOLDER), std::string::npos);
  // Names of kernels are in the program's symbol table.
  EXPECT_NE(bytes.find("fill.decode"), std::string::npos);
}

TEST(Link, TheCodeOfSeveralTargetsIsListed) {
  auto module = parseModule(smallAttributesWithSteps(),
                            std::string(kSmallModule) + kSmallSteps);
  auto machine =
      llvm::cantFail(codegen::createTargetMachine(llama::getTarget(*module)));
  auto object = [&](llvm::function_ref<void(llvm::Module &)> name) {
    llvm::LLVMContext context;
    auto ir =
        llvm::cantFail(codegen::buildOptimizedIR(*module, context, *machine));
    name(*ir);
    return llvm::cantFail(
        codegen::emitObject(*ir, *machine, codegen::kVariantPrefix));
  };
  auto preferred =
      object([](llvm::Module &ir) { codegen::listVariants(ir, {"b", "a"}); });
  auto a = object([](llvm::Module &ir) { codegen::nameVariant(ir, "a"); });
  auto b = object([](llvm::Module &ir) { codegen::nameVariant(ir, "b"); });
  std::string bytes = llvm::cantFail(
      codegen::linkProgram({preferred, a, b}, CORELLAMA_RUNTIME_FOLDER));
  for (const char *name : {"fill.decode", "fill.decode.a", "fill.decode.b",
                           "corellama_program.a", "corellama_program.b"})
    EXPECT_NE(bytes.find(std::string(1, '\0') + name + std::string(1, '\0')),
              std::string::npos)
        << name;
  // One is missing.
  auto program = codegen::linkProgram({preferred, a}, CORELLAMA_RUNTIME_FOLDER);
  ASSERT_FALSE(bool(program));
  std::string message = llvm::toString(program.takeError());
  EXPECT_NE(message.find("corellama_program.b"), std::string::npos) << message;
}

TEST(Link, TheFirstErrorOfTheLinkerIsTheMessage) {
  auto program = codegen::linkProgram({smallObject()}, "/nowhere");
  ASSERT_FALSE(bool(program));
  std::string message = llvm::toString(program.takeError());
  EXPECT_EQ(message.find("link: "), 0u) << message;
  EXPECT_NE(message.find("/nowhere/Scrt1.o"), std::string::npos) << message;
  EXPECT_EQ(message.find('\n'), std::string::npos) << message;
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
  EXPECT_FALSE(llvm::sys::fs::remove_directories(folder));
}
