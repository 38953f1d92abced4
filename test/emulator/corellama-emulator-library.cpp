//===- corellama-emulator-library.cpp - kernels for the emulated driver ---===//
//
// A module that `corellama compile --target=cuda:... --compile-to=vector` wrote
// -> a library of its kernels as code for the emulator, which EmulatorDriver
// loads in place of the PTX that `corellama compile` makes of the same module.
//
//===----------------------------------------------------------------------===//

#include "compiler/CodeGen/CodeGen.h"
#include "compiler/CodeGen/Link.h"
#include "compiler/Registration/Registration.h"
#include "mlir/Parser/Parser.h"
#include "mlir/Pass/PassManager.h"
#include "test/emulator/Passes.h"

using namespace corellama;

static int fail(const llvm::Twine &message) {
  llvm::errs() << "corellama-emulator-library: " << message << "\n";
  return 1;
}

int main(int argc, char **argv) {
  if (argc != 3)
    return fail("give a module of phase vector and the library's file");
  mlir::DialectRegistry registry;
  registerAllDialects(registry);
  mlir::MLIRContext context(registry, mlir::MLIRContext::Threading::DISABLED);
  auto module = mlir::parseSourceFile<mlir::ModuleOp>(
      argv[1], mlir::ParserConfig(&context));
  if (!module)
    return 1; // it has been said
  mlir::PassManager manager(&context);
  emulator::buildLLVMPasses(manager);
  if (mlir::failed(manager.run(*module)))
    return 1;
  auto object = codegen::compileToObject(*module, "corellama_emulator_");
  if (!object)
    return fail(llvm::toString(object.takeError()));
  if (llvm::Error error = codegen::linkShared(*object, argv[2]))
    return fail(llvm::toString(std::move(error)));
  return 0;
}
