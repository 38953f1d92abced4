//===- Runner.cpp - compiled kernels, loaded into this process ------------===//
//
// See Runner.h.
//
//===----------------------------------------------------------------------===//

#include "compiler/Runner/Runner.h"
#include "compiler/Target/Target.h"
#include "dialects/CPU/IR/CPUDialect.h"
#include "llvm/ADT/StringExtras.h"

using namespace corellama;

bool corellama::hostSupports(llama::TargetInterface target,
                             std::string &missing) {
  if (!mlir::isa<cpu::TargetAttr>(target)) {
    missing = "a GPU";
    return false;
  }
  llvm::StringMap<bool> host = hostFeatures();
  llvm::SmallVector<llvm::StringRef> wanted, lacking;
  target.getFeatures().split(wanted, ',', /*MaxSplit=*/-1,
                             /*KeepEmpty=*/false);
  for (llvm::StringRef feature : wanted)
    if (feature.consume_front("+") && !host.lookup(feature))
      lacking.push_back(feature);
  missing = llvm::join(lacking, ", ");
  return lacking.empty();
}

llvm::Expected<RunnerModule> RunnerModule::load(mlir::ModuleOp module) {
  // Lazy binding: steps refer to the runtime's barrier, which is missing here.
  auto object = SharedObject::load(module);
  if (!object)
    return object.takeError();
  auto *descriptor =
      static_cast<const abi::Program *>(object->lookup("corellama_program"));
  if (!descriptor || descriptor->version != abi::kVersion)
    return llvm::createStringError(
        "kernels: no descriptor of this ABI's version");
  return RunnerModule(std::move(*object), descriptor);
}

const abi::Kernel *RunnerModule::lookup(llvm::StringRef name) const {
  for (const abi::Kernel &kernel : kernels())
    if (name == kernel.name)
      return &kernel;
  return nullptr;
}
