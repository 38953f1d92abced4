//===- corellama-opt.cpp - run passes and pipelines on an .mlir file ------===//
//
// MLIR's opt tool with our dialects, passes and pipelines, and upstream's. An
// error prints its line, not the op that it is about: of most errors that is
// the module.
//
//===----------------------------------------------------------------------===//

#include "compiler/Pipelines/StudyPipeline.h"
#include "compiler/Registration/Registration.h"
#include "mlir/InitAllDialects.h"
#include "mlir/InitAllExtensions.h"
#include "mlir/InitAllPasses.h"
#include "mlir/Tools/mlir-opt/MlirOptMain.h"
#include "passes/Study/Passes.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/Config/llvm-config.h"
#include "llvm/Support/CommandLine.h"
#include <string>
#include <vector>

int main(int argc, char **argv) {
  mlir::registerAllPasses();
  corellama::registerAllPasses();
  corellama::study::registerCoreLlamaStudyPasses();
  corellama::registerStudyPipeline();
  mlir::DialectRegistry registry;
  mlir::registerAllDialects(registry);
  mlir::registerAllExtensions(registry);
  corellama::registerAllDialects(registry);
  llvm::cl::SetVersionPrinter([](llvm::raw_ostream &out) {
    out << "corellama-opt " CORELLAMA_VERSION " (LLVM " LLVM_VERSION_STRING
           ")\n";
  });
  static constexpr llvm::StringLiteral kOpOnError =
      "--mlir-print-op-on-diagnostic";
  std::vector<char *> words(argv, argv + argc);
  std::string quiet = (kOpOnError + "=false").str();
  if (llvm::none_of(words, [](llvm::StringRef word) {
        return word.ltrim('-').starts_with(kOpOnError.ltrim('-'));
      }))
    words.insert(words.begin() + 1, quiet.data());
  return mlir::asMainReturnCode(
      mlir::MlirOptMain(static_cast<int>(words.size()), words.data(),
                        "CoreLlama's passes\n", registry));
}
