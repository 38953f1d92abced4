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

/// The name of a module's program, of a CPU or a GPU, and its list.
static std::pair<llvm::StringRef, llvm::GlobalVariable *>
findList(llvm::Module &llvmModule) {
  for (llvm::StringRef prefix :
       {codegen::kVariantPrefix, codegen::kDeviceVariantPrefix}) {
    llvm::StringRef program = prefix.drop_back();
    if (auto *list = llvmModule.getNamedGlobal((program + "s").str()))
      return {program, list};
  }
  llvm_unreachable("addProgramDescriptor adds one of them");
}

void corellama::codegen::listVariants(llvm::Module &preferred,
                                      llvm::ArrayRef<std::string> others) {
  llvm::LLVMContext &context = preferred.getContext();
  auto *pointer = llvm::PointerType::getUnqual(context);
  auto [program, old] = findList(preferred);
  llvm::SmallVector<llvm::Constant *> programs = {
      preferred.getNamedGlobal(program)};
  for (const std::string &other : others)
    programs.push_back(
        preferred.getOrInsertGlobal((program + "." + other).str(), pointer));
  programs.push_back(llvm::ConstantPointerNull::get(pointer));
  auto *type = llvm::ArrayType::get(pointer, programs.size());
  auto *list = new llvm::GlobalVariable(
      preferred, type, /*isConstant=*/true, llvm::GlobalValue::ExternalLinkage,
      llvm::ConstantArray::get(type, programs));
  list->takeName(old);
  old->eraseFromParent();
}

void corellama::codegen::nameVariant(llvm::Module &llvmModule,
                                     llvm::StringRef target) {
  findList(llvmModule).second->eraseFromParent();
  for (llvm::GlobalValue &value : llvmModule.global_values())
    if (!value.isDeclaration() && !value.hasLocalLinkage())
      value.setName(value.getName() + "." + target);
}
