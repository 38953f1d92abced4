//===- corellama-faulty.cpp - corellama with a planted fault --------------===//
//
//     corellama-faulty FAULT eval FILE --native ...
//
// `corellama`, whose native code of `eval` has one of the faults of Faults.h: a
// test that compares native code has to fail with it. Without arguments it
// lists the faults.
//
//===----------------------------------------------------------------------===//

#include "compiler/Driver/Driver.h"
#include "mlir/Pass/Pass.h"
#include "mlir/Pass/PassManager.h"
#include "test/faults/Faults.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/raw_ostream.h"

using namespace corellama;
using namespace corellama::test;

namespace {
struct PlantFault
    : mlir::PassWrapper<PlantFault, mlir::OperationPass<mlir::ModuleOp>> {
  explicit PlantFault(const Fault &fault) : fault(fault) {}
  llvm::StringRef getArgument() const override { return fault.name; }
  llvm::StringRef getDescription() const override { return fault.what; }
  void runOnOperation() override {
    // A fault that is nowhere would let a test pass that should fail.
    if (fault.plant(getOperation()) == 0) {
      getOperation().emitError()
          << "has no place for the fault '" << fault.name << "'";
      signalPassFailure();
    }
  }
  const Fault &fault;
};
} // namespace

int main(int argc, char **argv) {
  const Fault *fault = nullptr;
  if (argc > 1)
    fault = llvm::find_if(
        allFaults(), [&](const Fault &known) { return known.name == argv[1]; });
  if (!fault || fault == allFaults().end()) {
    llvm::errs()
        << "corellama-faulty FAULT eval FILE --native ...; faults are\n";
    for (const Fault &known : allFaults())
      llvm::errs() << "  " << known.name << ": " << known.what << "\n";
    return 2;
  }
  argv[1] = argv[0];
  return driverMain(argc - 1, argv + 1, [&](mlir::OpPassManager &manager) {
    manager.addPass(std::make_unique<PlantFault>(*fault));
  });
}
