//===- Translate.cpp - llvm dialect to LLVM IR ----------------------------===//
//
// A file of its own because only here the declarations of `llama`, which are in
// the module in every phase, are removed.
//
//===----------------------------------------------------------------------===//

#include "compiler/CodeGen/CodeGen.h"
#include "mlir/Dialect/GPU/IR/GPUDialect.h"
#include "mlir/IR/Diagnostics.h"
#include "mlir/Target/LLVMIR/Export.h"

using namespace mlir;

/// The translation ignores attributes such as `llama.strategy`.
static void dropOurAttributes(Operation *op) {
  SmallVector<StringAttr> ours;
  for (NamedAttribute attr : op->getDiscardableAttrs())
    if (attr.getNameDialect() &&
        attr.getNameDialect()->getNamespace() ==
            corellama::llama::LlamaDialect::getDialectNamespace())
      ours.push_back(attr.getName());
  for (StringAttr name : ours)
    op->removeDiscardableAttr(name);
}

llvm::Expected<std::unique_ptr<llvm::Module>>
corellama::codegen::translateToLLVMIR(Operation *module,
                                      llvm::LLVMContext &context) {
  OwningOpRef<Operation *> copy = module->clone();
  for (Operation &op :
       llvm::make_early_inc_range((*copy)->getRegion(0).front())) {
    if (isa_and_nonnull<llama::LlamaDialect>(op.getDialect()) ||
        isa<gpu::GPUModuleOp>(op)) // the device's, translated apart
      op.erase();
    else
      dropOurAttributes(&op);
  }
  dropOurAttributes(*copy);

  // The translation reports errors as diagnostics; the first one is the cause.
  std::string why;
  ScopedDiagnosticHandler handler(
      module->getContext(), [&](Diagnostic &diagnostic) {
        if (why.empty() &&
            diagnostic.getSeverity() == DiagnosticSeverity::Error)
          why = diagnostic.str();
        return success();
      });
  std::unique_ptr<llvm::Module> result =
      translateModuleToLLVMIR(*copy, context, "corellama");
  if (!result)
    return llvm::createStringError("code generation: " + why);
  result->setSourceFileName("corellama");
  return result;
}
