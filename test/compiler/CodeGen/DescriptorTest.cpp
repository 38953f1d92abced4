//===- DescriptorTest.cpp - what becomes of llama.program and llama.kernels ==//

#include "compiler/CodeGen/CodeGen.h"
#include "runtime/ABI/Kernel.h"
#include "test/compiler/CodeGen/CodeGenTesting.h"
#include "llvm/IR/DataLayout.h"
#include "gtest/gtest.h"

// Inside, because <cxxabi.h> has a namespace abi too.
namespace corellama::test {

static std::string describe(const std::string &attributes,
                            const std::string &body) {
  auto module = parseModule(attributes, body);
  if (!module)
    return "does not parse";
  llvm::LLVMContext context;
  auto llvmModule = codegen::translateToLLVMIR(*module, context);
  if (!llvmModule)
    return llvm::toString(llvmModule.takeError());
  return llvm::toString(codegen::addProgramDescriptor(**llvmModule, *module));
}

static std::string replaced(std::string text, const std::string &from,
                            const std::string &to) {
  size_t at = text.find(from);
  EXPECT_NE(at, std::string::npos) << from;
  return text.replace(at, from.size(), to);
}

TEST(Descriptor, HasTheLayoutOfTheABI) {
  auto module = parseModule(smallAttributesWithSteps(),
                            std::string(kSmallModule) + kSmallSteps);
  ASSERT_TRUE(module);
  llvm::LLVMContext context;
  auto llvmModule = codegen::translateToLLVMIR(*module, context);
  ASSERT_TRUE(bool(llvmModule));
  ASSERT_FALSE(bool(codegen::addProgramDescriptor(**llvmModule, *module)));
  auto *global = (*llvmModule)->getGlobalVariable("corellama_program");
  ASSERT_NE(global, nullptr);
  EXPECT_TRUE(global->isConstant());
  EXPECT_TRUE(global->hasExternalLinkage());
  llvm::DataLayout layout("e-m:e-p270:32:32-p271:32:32-p272:64:64-i64:64-i128:"
                          "128-n8:16:32:64-S128");
  auto *type = llvm::cast<llvm::StructType>(global->getValueType());
  const llvm::StructLayout *fields = layout.getStructLayout(type);
  EXPECT_EQ(fields->getSizeInBytes().getFixedValue(), sizeof(abi::Program));
  const size_t offsets[] = {offsetof(abi::Program, version),
                            offsetof(abi::Program, reserved),
                            offsetof(abi::Program, target),
                            offsetof(abi::Program, features),
                            offsetof(abi::Program, entries),
                            offsetof(abi::Program, entryCount),
                            offsetof(abi::Program, lmHeads),
                            offsetof(abi::Program, lmHeadCount),
                            offsetof(abi::Program, kernels),
                            offsetof(abi::Program, kernelCount),
                            offsetof(abi::Program, workspaceBytes),
                            offsetof(abi::Program, scratchBytes),
                            offsetof(abi::Program, logitsOffset)};
  ASSERT_EQ(type->getNumElements(), std::size(offsets));
  for (auto [index, offset] : llvm::enumerate(offsets))
    EXPECT_EQ(fields->getElementOffset(index).getFixedValue(), offset) << index;
  auto *entries = (*llvmModule)->getGlobalVariable("corellama.entries", true);
  ASSERT_NE(entries, nullptr);
  auto *array = llvm::cast<llvm::ArrayType>(entries->getValueType());
  EXPECT_EQ(array->getNumElements(), 2u);
  EXPECT_EQ(layout.getTypeAllocSize(array->getElementType()).getFixedValue(),
            sizeof(abi::Entry));
}

TEST(Descriptor, KeepsNamedFunctionsAndHidesTheRest) {
  auto module = parseModule(smallAttributesWithSteps(),
                            std::string(kSmallModule) + kSmallSteps);
  ASSERT_TRUE(module);
  llvm::LLVMContext context;
  auto llvmModule = codegen::translateToLLVMIR(*module, context);
  ASSERT_TRUE(bool(llvmModule));
  ASSERT_FALSE(bool(codegen::addProgramDescriptor(**llvmModule, *module)));
  const char *kept[] = {"fill.decode", "fill.decode.parts",
                        "corellama_step_decode", "corellama_step_prefill",
                        "corellama_step_lm_head"};
  for (const char *name : kept) {
    llvm::Function *function = (*llvmModule)->getFunction(name);
    ASSERT_NE(function, nullptr) << name;
    EXPECT_TRUE(function->hasExternalLinkage()) << name;
    EXPECT_TRUE(function->hasHiddenVisibility()) << name;
    EXPECT_TRUE(function->hasFnAttribute(llvm::Attribute::NoInline)) << name;
  }
  EXPECT_TRUE((*llvmModule)->getFunction("scale")->hasInternalLinkage());
  // The source is left as it was, declarations included.
  EXPECT_TRUE(module->lookupSymbol("logits"));
}

TEST(Descriptor, StepsMayBeMissing) {
  EXPECT_EQ(describe(kSmallAttributes, kSmallModule), "");
}

TEST(Descriptor, SaysWhatIsMissing) {
  struct Row {
    const char *from, *to, *message;
  };
  const Row rows[] = {
      {"llama.program = ", "llama.other = ",
       "code generation: the module has no llama.program; was it lowered to "
       "phase llvm?"},
      {"llama.kernels = ", "llama.other = ",
       "code generation: the module has no llama.kernels; was it lowered to "
       "phase llvm?"},
      {"llama.target = ", "llama.other = ",
       "code generation: the module has no llama.target"},
      {"workspace_bytes = 4096 : i64, ", "",
       "code generation: llama.program: workspace_bytes is missing or no "
       "64-bit count"},
      {"lm_heads = []", "lm_heads = 1 : i64",
       "code generation: llama.program: lm_heads is missing or no list"},
      {"entries = []", "entries = [{rows = 1 : i64}]",
       "code generation: llama.program: entries: number 0 has no name"},
      {"entries = []", "entries = [{name = \"a\"}]",
       "code generation: llama.program: entries: number 0: rows is missing or "
       "no 64-bit count"},
      {"entries = []", "entries = [{name = \"a\", rows = 2147483648 : i64}]",
       "code generation: llama.program: entries: number 0: rows is 2147483648, "
       "which has no room in 31 bits"},
      {"entries = []", "entries = [{name = \"a\", rows = 0 : i64}]",
       "code generation: llama.program: entries: number 0: rows is 0 after 0, "
       "expected ascending bounds"},
      {"entries = []", "entries = [{name = \"a\", rows = 1 : i64}]",
       "code generation: llama.program: entries: number 0: step is missing or "
       "no symbol"},
      {"entries = []",
       "entries = [{name = \"a\", rows = 1 : i64, step = @scale}]",
       "code generation: function @scale has another signature than void (ptr, "
       "ptr, i32)"},
      {"logits_offset = 128 : i64", "logits_offset = -1 : i64",
       "code generation: llama.program: logits_offset is missing or no 64-bit "
       "count"},
      {"name = \"fill.decode\", ", "",
       "code generation: llama.kernels: entry 0 has no name"},
      {"scratch_bytes = 64 : i64", "scratch_bytes = 64 : i32",
       "code generation: kernel 'fill.decode': scratch_bytes is missing or no "
       "64-bit "
       "count"},
      {"function = @fill.decode,", "",
       "code generation: kernel 'fill.decode': function is missing or no "
       "symbol"},
      {"function = @fill.decode,", "function = @nowhere,",
       "code generation: function @nowhere is not defined"},
      {"parts = @fill.decode.parts", "parts = @scale",
       "code generation: function @scale has another signature than i64 (i64, "
       "i64)"},
  };
  for (const Row &row : rows)
    EXPECT_EQ(
        describe(replaced(kSmallAttributes, row.from, row.to), kSmallModule),
        row.message);
}

TEST(Descriptor, RefusesAKernelTwice) {
  std::string attributes = kSmallAttributes;
  std::string entry = attributes.substr(attributes.find("[{") + 1);
  entry = entry.substr(0, entry.find(']'));
  EXPECT_EQ(
      describe(replaced(attributes, "}]", "}, " + entry + "]"), kSmallModule),
      "code generation: kernel 'fill.decode': is there twice");
}

TEST(Translate, SaysWhatTheTranslationSays) {
  // An intrinsic with wrong operands is found by the translation only.
  std::string message =
      describe(kSmallAttributes, std::string(kSmallModule) + R"mlir(
    llvm.func @wrong(%a: i32) -> i32 {
      %r = llvm.call_intrinsic "llvm.ctlz.i32"(%a) : (i32) -> i32
      llvm.return %r : i32
    })mlir");
  EXPECT_NE(message.find("code generation: "), std::string::npos) << message;
  EXPECT_NE(message.find("llvm.ctlz"), std::string::npos) << message;
}

} // namespace corellama::test
