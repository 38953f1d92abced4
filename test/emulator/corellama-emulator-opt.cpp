//===- corellama-emulator-opt.cpp - the emulator's passes on a file -------===//
//
// MLIR's opt tool with our dialects and passes and those of the emulator: the
// lit tests of the emulator's passes run it. Users have corellama-opt.
//
//===----------------------------------------------------------------------===//

#include "compiler/Registration/Registration.h"
#include "mlir/Tools/mlir-opt/MlirOptMain.h"
#include "test/emulator/Passes.h"

int main(int argc, char **argv) {
  mlir::DialectRegistry registry;
  corellama::registerAllDialects(registry);
  corellama::registerAllPasses();
  corellama::emulator::registerCoreLlamaEmulatorPasses();
  return mlir::asMainReturnCode(mlir::MlirOptMain(
      argc, argv, "The passes of CoreLlama's emulator\n", registry));
}
