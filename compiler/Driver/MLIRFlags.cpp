//===- MLIRFlags.cpp - MLIR's own flags in our command line ---------------===//
//
// See MLIRFlags.h.
//
//===----------------------------------------------------------------------===//

#include "compiler/Driver/MLIRFlags.h"
#include "compiler/Driver/Diagnostics.h"
#include "compiler/Registration/Registration.h"
#include "mlir/IR/AsmState.h"
#include "mlir/IR/MLIRContext.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Support/Timing.h"
#include "mlir/Transforms/Passes.h"
#include "llvm/ADT/SmallString.h"
#include "llvm/Support/CommandLine.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/raw_ostream.h"

bool corellama::applyMLIRFlags(llvm::ArrayRef<std::string> flags) {
  // --mlir-print-ir-after=PASS accepts the passes that are registered before
  // it.
  registerAllPasses();
  mlir::registerTransformsPasses();
  mlir::registerMLIRContextCLOptions();
  mlir::registerPassManagerCLOptions();
  mlir::registerAsmPrinterCLOptions();
  mlir::registerDefaultTimingManagerCLOptions();

  std::vector<const char *> words = {"corellama"};
  bool tree = false, print = false;
  for (const std::string &flag : flags) {
    words.push_back(flag.c_str());
    llvm::StringRef name = llvm::StringRef(flag).split('=').first;
    tree |= name == "--mlir-print-ir-tree-dir";
    print |= name.starts_with("--mlir-print-ir-after") ||
             name.starts_with("--mlir-print-ir-before");
  }
  // A folder to print to implies printing.
  if (tree && !print)
    words.push_back("--mlir-print-ir-after-all");

  std::string errors;
  llvm::raw_string_ostream stream(errors);
  if (llvm::cl::ParseCommandLineOptions(words.size(), words.data(), "",
                                        &stream))
    return true;
  // A wrong value has been reported by the option itself.
  llvm::StringRef first = llvm::StringRef(errors).split('\n').first;
  first.consume_front("corellama: ");
  if (!first.empty())
    printError("one of MLIR's flags: " + first.str());
  return false;
}

void corellama::setPrintTreeFolder(llvm::StringRef name) {
  auto *option = static_cast<llvm::cl::opt<std::string> *>(
      llvm::cl::getRegisteredOptions().lookup("mlir-print-ir-tree-dir"));
  static const std::string root = option->getValue();
  if (root.empty())
    return;
  llvm::SmallString<128> folder(root);
  llvm::sys::path::append(folder, name);
  // MLIR makes one folder, not those above it; it reports what it cannot make.
  (void)llvm::sys::fs::create_directories(folder);
  option->setValue(folder.str().str());
}
