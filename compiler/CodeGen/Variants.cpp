//===- Variants.cpp - the code of several targets in one program ----------===//
//
// Names in the LLVM modules of a program's targets, so that their objects can
// be linked together: see CodeGen.h. A file of its own because nothing else in
// code generation knows of more than one module.
//
//===----------------------------------------------------------------------===//

#include "compiler/CodeGen/CodeGen.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/IR/Constants.h"
#include "llvm/IR/GlobalVariable.h"

using namespace corellama;

static constexpr llvm::StringLiteral kProgram = "corellama_program";
static constexpr llvm::StringLiteral kList = "corellama_programs";

void corellama::codegen::listVariants(llvm::Module &preferred,
                                      llvm::ArrayRef<std::string> others) {
  llvm::LLVMContext &context = preferred.getContext();
  auto *pointer = llvm::PointerType::getUnqual(context);
  llvm::SmallVector<llvm::Constant *> programs = {
      preferred.getNamedGlobal(kProgram)};
  for (const std::string &other : others)
    programs.push_back(
        preferred.getOrInsertGlobal((kVariantPrefix + other).str(), pointer));
  programs.push_back(llvm::ConstantPointerNull::get(pointer));
  llvm::GlobalVariable *old = preferred.getNamedGlobal(kList);
  auto *type = llvm::ArrayType::get(pointer, programs.size());
  auto *list = new llvm::GlobalVariable(
      preferred, type, /*isConstant=*/true, llvm::GlobalValue::ExternalLinkage,
      llvm::ConstantArray::get(type, programs));
  list->takeName(old);
  old->eraseFromParent();
}

void corellama::codegen::nameVariant(llvm::Module &llvmModule,
                                     llvm::StringRef target) {
  llvmModule.getNamedGlobal(kList)->eraseFromParent();
  for (llvm::GlobalValue &value : llvmModule.global_values())
    if (!value.isDeclaration() && !value.hasLocalLinkage())
      value.setName(value.getName() + "." + target);
}
