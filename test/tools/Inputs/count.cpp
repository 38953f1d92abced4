//===- count.cpp - a pass plugin ------------------------------------------===//
//
// The smallest pass outside of the tree that knows an op of ours: says how many
// products a module has. CONTRIBUTING.md builds and loads it.
//
//===----------------------------------------------------------------------===//

#include "dialects/Llama/IR/LlamaDialect.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/Pass/Pass.h"
#include "mlir/Tools/Plugins/PassPlugin.h"

namespace {
struct CountLinears
    : mlir::PassWrapper<CountLinears, mlir::OperationPass<mlir::ModuleOp>> {
  llvm::StringRef getArgument() const override { return "count-linears"; }
  llvm::StringRef getDescription() const override { return "counts products"; }
  void runOnOperation() override {
    unsigned count = 0;
    getOperation().walk([&](corellama::llama::LinearOp) { ++count; });
    getOperation().emitRemark() << count << " linears";
  }
};
} // namespace

extern "C" LLVM_ATTRIBUTE_WEAK mlir::PassPluginLibraryInfo
mlirGetPassPluginInfo() {
  return {MLIR_PLUGIN_API_VERSION, "count", "1",
          [] { mlir::PassRegistration<CountLinears>(); }};
}
