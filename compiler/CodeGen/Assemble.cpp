//===- Assemble.cpp - PTX to machine code, by NVIDIA's assembler ----------===//
//
// Runs `ptxas`, if this machine has it. A program always carries PTX, which the
// driver of the GPU assembles when the program starts; what ptxas makes here
// saves it those seconds. A file of its own because nothing else in code
// generation runs another program.
//
//===----------------------------------------------------------------------===//

#include "compiler/CodeGen/CodeGen.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/FileUtilities.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/Process.h"
#include "llvm/Support/Program.h"
#include "llvm/Support/Signals.h"

using namespace corellama;
using llvm::ArrayRef;
using llvm::StringRef;

std::string corellama::codegen::findAssembler() {
  // As NVIDIA's own tools look for a toolkit, then where it is by default.
  if (auto home = llvm::sys::Process::GetEnv("CUDA_HOME")) {
    llvm::SmallString<64> folder(*home);
    llvm::sys::path::append(folder, "bin");
    if (auto found = llvm::sys::findProgramByName("ptxas", {folder}))
      return *found;
  }
  if (auto found = llvm::sys::findProgramByName("ptxas"))
    return *found;
  if (auto found =
          llvm::sys::findProgramByName("ptxas", {"/usr/local/cuda/bin"}))
    return *found;
  return "";
}

namespace {
/// A file that goes when this does, or the process by a signal.
class TemporaryFile {
public:
  explicit TemporaryFile(StringRef suffix)
      : code(llvm::sys::fs::createTemporaryFile("corellama", suffix, path)),
        remover(path) {
    llvm::sys::RemoveFileOnSignal(path);
  }
  ~TemporaryFile() { llvm::sys::DontRemoveFileOnSignal(path); }

  llvm::SmallString<128> path;
  const std::error_code code;

private:
  llvm::FileRemover remover;
};
} // namespace

llvm::Expected<codegen::DeviceCode>
corellama::codegen::assemble(StringRef ptxas, const DeviceCode &ptx) {
  auto fail = [&](const llvm::Twine &why) {
    return llvm::createStringError(ptxas + ": " + why);
  };
  TemporaryFile source("ptx"), cubin("cubin"), messages("txt");
  for (const TemporaryFile *file : {&source, &cubin, &messages})
    if (file->code)
      return fail("a temporary file for it: " + file->code.message());
  std::error_code code;
  llvm::raw_fd_ostream out(source.path, code);
  if (code)
    return fail(source.path + ": " + code.message());
  out << ptx.text();
  out.close();
  code = out.error();
  out.clear_error();
  if (code)
    return fail(source.path + ": " + code.message());

  const std::string architecture = "-arch=" + ptx.architecture;
  const std::optional<StringRef> streams[] = {StringRef(), messages.path.str(),
                                              messages.path.str()};
  std::string why;
  int status = llvm::sys::ExecuteAndWait(
      ptxas, {ptxas, architecture, source.path, "-o", cubin.path},
      /*Env=*/std::nullopt, streams, /*SecondsToWait=*/0, /*MemoryLimit=*/0,
      &why);
  if (status != 0) {
    auto said = llvm::MemoryBuffer::getFile(messages.path);
    StringRef line = said ? (*said)->getBuffer().split('\n').first : "";
    return fail(!why.empty()    ? StringRef(why)
                : !line.empty() ? line
                                : StringRef("failed without saying why"));
  }
  auto bytes = llvm::MemoryBuffer::getFile(cubin.path, /*IsText=*/false,
                                           /*RequiresNullTerminator=*/false);
  if (!bytes)
    return fail(cubin.path + ": " + bytes.getError().message());
  StringRef content = (*bytes)->getBuffer();
  if (content.empty())
    return fail("wrote an empty file");
  return DeviceCode{ptx.architecture,
                    /*isAssembled=*/true,
                    {content.begin(), content.end()}};
}

llvm::Expected<std::vector<codegen::DeviceCode>>
corellama::codegen::makeDeviceCode(llvm::Module &ir,
                                   llvm::TargetMachine &machine,
                                   mlir::ModuleOp module,
                                   ArrayRef<llama::TargetInterface> targets,
                                   std::vector<std::string> &notes) {
  auto code = makePTX(ir, machine, module, targets);
  if (!code)
    return code;
  const std::string ptxas = findAssembler();
  std::string why = "no ptxas is here";
  if (!ptxas.empty()) {
    auto cubin = assemble(ptxas, code->front());
    if (cubin) {
      code->push_back(std::move(*cubin));
      return code;
    }
    why = llvm::toString(cubin.takeError());
  }
  why += "; the program carries PTX alone, which the GPU's driver assembles "
         "when it starts";
  if (!llvm::is_contained(notes, why)) // of another target
    notes.push_back(std::move(why));
  return code;
}
