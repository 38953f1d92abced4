//===- corellama-lsp-server.cpp - editors and .mlir files -----------------===//
//
// MLIR's language server with our dialects: hover, definitions, errors.
//
//===----------------------------------------------------------------------===//

#include "compiler/Registration/Registration.h"
#include "mlir/InitAllDialects.h"
#include "mlir/Tools/mlir-lsp-server/MlirLspServerMain.h"

int main(int argc, char **argv) {
  mlir::DialectRegistry registry;
  mlir::registerAllDialects(registry);
  corellama::registerAllDialects(registry);
  return mlir::failed(mlir::MlirLspServerMain(argc, argv, registry));
}
