//===- corellama-opt.cpp - run passes and pipelines on an .mlir file ------===//
//
// MLIR's opt tool with our dialects, passes and pipelines, and upstream's.
//
//===----------------------------------------------------------------------===//

#include "compiler/Driver/Registration.h"
#include "mlir/InitAllDialects.h"
#include "mlir/InitAllExtensions.h"
#include "mlir/InitAllPasses.h"
#include "mlir/Tools/mlir-opt/MlirOptMain.h"

int main(int argc, char **argv) {
  mlir::registerAllPasses();
  corellama::registerAllPasses();
  mlir::DialectRegistry registry;
  mlir::registerAllDialects(registry);
  mlir::registerAllExtensions(registry);
  corellama::registerAllDialects(registry);
  return mlir::asMainReturnCode(
      mlir::MlirOptMain(argc, argv, "CoreLlama's passes\n", registry));
}
