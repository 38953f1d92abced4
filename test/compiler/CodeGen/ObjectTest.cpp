//===- ObjectTest.cpp - objects and assembly ------------------------------===//

#include "compiler/CodeGen/CodeGen.h"
#include "test/compiler/CodeGen/CodeGenTesting.h"
#include "llvm/Object/ObjectFile.h"
#include "gtest/gtest.h"
#include <set>

using namespace corellama;
using namespace corellama::test;

static std::string compile(const std::string &body) {
  auto module = parseModule(smallAttributesWithHead(), body);
  if (!module)
    return "does not parse";
  auto object = codegen::compileToObject(*module);
  return object ? "" : llvm::toString(object.takeError());
}

TEST(Object, HasTheDescriptorAndNothingUndefinedButTheABI) {
  auto module = parseModule(smallAttributesWithSteps(),
                            std::string(kSmallModule) + kSmallSteps);
  ASSERT_TRUE(module);
  auto bytes = codegen::compileToObject(*module);
  ASSERT_TRUE(bool(bytes)) << llvm::toString(bytes.takeError());
  auto object =
      llvm::object::ObjectFile::createObjectFile(llvm::MemoryBufferRef(
          llvm::StringRef(bytes->data(), bytes->size()), "object"));
  ASSERT_TRUE(bool(object));
  std::set<std::string> undefined, defined;
  for (const llvm::object::SymbolRef &symbol : (*object)->symbols()) {
    uint32_t flags = llvm::cantFail(symbol.getFlags());
    std::string name = llvm::cantFail(symbol.getName()).str();
    if (flags & llvm::object::SymbolRef::SF_Undefined)
      undefined.insert(name);
    else
      defined.insert(name);
  }
  undefined.erase("");
  EXPECT_EQ(undefined, std::set<std::string>{"corellama_barrier"});
  EXPECT_TRUE(defined.count("corellama_program"));
  EXPECT_TRUE(defined.count("fill.decode")); // a profiler shows it
  EXPECT_FALSE(defined.count("scale"));      // inlined and dropped
}

TEST(Object, IsTheSameEveryTime) {
  auto first = parseModule(smallAttributesWithSteps(),
                           std::string(kSmallModule) + kSmallSteps);
  auto second = parseModule(smallAttributesWithSteps(),
                            std::string(kSmallModule) + kSmallSteps);
  EXPECT_EQ(*codegen::compileToObject(*first),
            *codegen::compileToObject(*second));
}

TEST(Object, RefusesACallThatTheRuntimeCannotAnswer) {
  EXPECT_EQ(compile(std::string(kSmallModule) + R"mlir(
    llvm.func @expf(f32) -> f32
    llvm.func @corellama_step_lm_head(%context: !llvm.ptr, %scratch: !llvm.ptr, %worker: i32) {
      %x = llvm.load %context : !llvm.ptr -> f32
      %y = llvm.call @expf(%x) : (f32) -> f32
      llvm.store %y, %context : f32, !llvm.ptr
      llvm.return
    })mlir"),
            "code generation: the code calls 'expf', which the runtime does "
            "not have; "
            "the lowering must expand it");
}

TEST(Object, AnIntrinsicThatBecomesACallIsRefusedToo) {
  EXPECT_EQ(compile(std::string(kSmallModule) + R"mlir(
    llvm.func @corellama_step_lm_head(%context: !llvm.ptr, %scratch: !llvm.ptr, %worker: i32) {
      %x = llvm.load %context : !llvm.ptr -> f32
      %y = llvm.intr.sin(%x) : (f32) -> f32
      llvm.store %y, %context : f32, !llvm.ptr
      llvm.return
    })mlir"),
            "code generation: the code calls 'sinf', which the runtime does "
            "not have; "
            "the lowering must expand it");
}

/// Assembly of a function `step` of x[0..2] for the small module's target.
static std::string assemblyOf(const std::string &body) {
  auto module =
      parseModule(smallAttributesWithHead(), std::string(kSmallModule) + body);
  if (!module)
    return "does not parse";
  auto machine = codegen::createTargetMachine(llama::getTarget(*module));
  llvm::LLVMContext context;
  auto ir = codegen::buildOptimizedIR(*module, context, **machine);
  if (!ir)
    return llvm::toString(ir.takeError());
  llvm::SmallVector<char, 0> text;
  llvm::raw_svector_ostream out(text);
  llvm::cantFail(codegen::emitAssembly(**ir, **machine, out));
  return std::string(text.data(), text.size());
}

TEST(Object, NothingIsContracted) {
  std::string text = assemblyOf(R"mlir(
    llvm.func @corellama_step_lm_head(%context: !llvm.ptr, %scratch: !llvm.ptr, %worker: i32) {
      %x = llvm.load %context : !llvm.ptr -> f32
      %y = llvm.load %scratch : !llvm.ptr -> f32
      %p = llvm.fmul %x, %y : f32
      %s = llvm.fadd %p, %x : f32
      llvm.store %s, %context : f32, !llvm.ptr
      llvm.return
    })mlir");
  EXPECT_NE(text.find("vmulss"), std::string::npos) << text;
  EXPECT_NE(text.find("vaddss"), std::string::npos) << text;
  EXPECT_EQ(text.find("vfmadd"), std::string::npos) << text;
}

TEST(Object, AnFmaIsOneInstruction) {
  std::string text = assemblyOf(R"mlir(
    llvm.func @corellama_step_lm_head(%context: !llvm.ptr, %scratch: !llvm.ptr, %worker: i32) {
      %x = llvm.load %context : !llvm.ptr -> f32
      %y = llvm.load %scratch : !llvm.ptr -> f32
      %s = llvm.intr.fma(%x, %y, %x) : (f32, f32, f32) -> f32
      llvm.store %s, %context : f32, !llvm.ptr
      llvm.return
    })mlir");
  EXPECT_NE(text.find("vfmadd"), std::string::npos) << text;
}
