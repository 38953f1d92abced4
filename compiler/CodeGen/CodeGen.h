//===- CodeGen.h - from the llvm phase to machine code --------------------===//
//
// In: a module at phase llvm. Out: LLVM IR, assembly or an object whose only
// symbol of interest is `corellama_program` (runtime/ABI/Kernel.h). Link.h
// links it to a file that runs.
//
// What the module must contain is listed here and checked in
// ProgramDescriptor.cpp:
//
// - llama.program = {workspace_bytes, scratch_bytes, logits_offset : i64,
//   entries = [{name = "decode", rows = 1 : i64,
//               step = @corellama_step_decode}, ...],
//   lm_heads = [...]}
// - llama.kernels = [{name = "qkv.decode", function = @qkv.decode,
//   parts = @qkv.decode.parts, scratch_bytes = 0 : i64}, ...]
// - llama.target = #cpu.target<...>
//
// A test's module of kernels only has no entries and no heads.
//
// For a GPU the module holds `gpu.module @device` with the kernels
// (cuda-outline-device): the last functions below compile that module to PTX.
// The rest of it is the host's side of a step; its object carries the device's
// code, and its symbol of interest is `corellama_device_program`
// (runtime/ABI/Device.h).
//
//===----------------------------------------------------------------------===//

#ifndef CORELLAMA_COMPILER_CODEGEN_CODEGEN_H
#define CORELLAMA_COMPILER_CODEGEN_CODEGEN_H

#include "dialects/Llama/IR/LlamaDialect.h"
#include "mlir/IR/BuiltinOps.h"
#include "llvm/ADT/SmallVector.h"
#include "llvm/IR/Module.h"
#include "llvm/Support/Error.h"
#include "llvm/Support/raw_ostream.h"
#include "llvm/Target/TargetMachine.h"
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace corellama::codegen {

/// Translates a module, the host's or the device's; the declarations of `llama`
/// are left out. The module stays as it is. Its context needs the LLVM
/// translation registered.
llvm::Expected<std::unique_ptr<llvm::Module>>
translateToLLVMIR(mlir::Operation *module, llvm::LLVMContext &context);

/// Code of the device for one architecture, as abi::DeviceModule has it.
struct DeviceCode {
  /// "sm_80".
  std::string architecture;
  /// A cubin, or else PTX, which ends in a zero.
  bool isAssembled = false;
  llvm::SmallVector<char, 0> bytes;

  /// PTX without its zero.
  llvm::StringRef text() const {
    return llvm::StringRef(bytes.data(), bytes.size() - 1);
  }
};

/// Adds the constant `corellama_program` and the list `corellama_programs` of
/// it alone; for a GPU `corellama_device_program`, which carries `code`, and
/// `corellama_device_programs`. Sets the linkage of every other function: those
/// that the constant refers to stay symbols of their own (a profiler shows
/// them), the rest becomes internal.
llvm::Error addProgramDescriptor(llvm::Module &llvmModule,
                                 mlir::ModuleOp module,
                                 llvm::ArrayRef<DeviceCode> code = {});

/// One program with the code of several targets is linked from an object each.
/// The one to be preferred keeps its names and lists the others, which follow
/// in that order; each of those is `nameVariant`, by its target's name, and
/// loses its list.
void listVariants(llvm::Module &preferred, llvm::ArrayRef<std::string> others);
void nameVariant(llvm::Module &llvmModule, llvm::StringRef target);
/// What the names begin with that the preferred object refers to: of a CPU's
/// program and of a GPU's.
inline constexpr llvm::StringLiteral kVariantPrefix = "corellama_program.";
inline constexpr llvm::StringLiteral kDeviceVariantPrefix =
    "corellama_device_program.";

/// The LLVM machine of an architecture for `chip` and the features of `target`.
/// Sums keep their bits: the IR has an fma wherever one is meant.
llvm::Expected<std::unique_ptr<llvm::TargetMachine>>
createMachine(const llvm::Triple &triple, llvm::StringRef chip,
              llama::TargetInterface target, llvm::TargetOptions options,
              std::optional<llvm::Reloc::Model> relocation);

/// The LLVM machine for `target`, with position-independent code.
llvm::Expected<std::unique_ptr<llvm::TargetMachine>>
createTargetMachine(llama::TargetInterface target);

/// The LLVM machine for the host's side of a GPU's program: any x86-64.
llvm::Expected<std::unique_ptr<llvm::TargetMachine>>
createHostMachine(mlir::MLIRContext &context);

/// LLVM's -O2 IR pipeline, without unrolling, vectorization, fast math and
/// library calls.
void optimize(llvm::Module &llvmModule, llvm::TargetMachine &machine);

/// All three steps in order: optimized IR with the descriptor.
llvm::Expected<std::unique_ptr<llvm::Module>>
buildOptimizedIR(mlir::ModuleOp module, llvm::LLVMContext &context,
                 llvm::TargetMachine &machine,
                 llvm::ArrayRef<DeviceCode> code = {});

/// Writes assembly.
llvm::Error emitAssembly(llvm::Module &llvmModule, llvm::TargetMachine &machine,
                         llvm::raw_pwrite_stream &out);

/// Makes an object, and checks that it refers to nothing but the runtime's ABI
/// and `external` (see compileToObject).
llvm::Expected<llvm::SmallVector<char, 0>>
emitObject(llvm::Module &llvmModule, llvm::TargetMachine &machine,
           llvm::StringRef external = {});

/// All steps: module in, object out. The object may also refer to names that
/// begin with `external`, if given; the process that loads the object defines
/// them.
llvm::Expected<llvm::SmallVector<char, 0>>
compileToObject(mlir::ModuleOp module, llvm::StringRef external = {});

/// The LLVM machine for the GPU `target`.
llvm::Expected<std::unique_ptr<llvm::TargetMachine>>
createDeviceMachine(llama::TargetInterface target);

/// Optimized IR of the device's module.
llvm::Expected<std::unique_ptr<llvm::Module>>
buildDeviceIR(mlir::ModuleOp module, llvm::LLVMContext &context,
              llvm::TargetMachine &machine);

/// Writes PTX of what buildDeviceIR made. Its first lines say for which target
/// it is and list the kernels with their threads and bytes of workgroup memory.
llvm::Error emitPTX(llvm::Module &llvmModule, llvm::TargetMachine &machine,
                    mlir::ModuleOp module, llvm::raw_pwrite_stream &out);

/// The same as code that a program carries. PTX for a chip like sm_90a runs on
/// that one alone: where no other of the program's `targets` has PTX for the
/// GPUs before and behind it, that is made, too.
llvm::Expected<std::vector<DeviceCode>>
makePTX(llvm::Module &llvmModule, llvm::TargetMachine &machine,
        mlir::ModuleOp module, llvm::ArrayRef<llama::TargetInterface> targets);

/// The path of `ptxas`: in CUDA_HOME, among the commands, or where the toolkit
/// is by default; empty if there is none.
std::string findAssembler();
/// Machine code of PTX. The error begins with `ptxas`.
llvm::Expected<DeviceCode> assemble(llvm::StringRef ptxas,
                                    const DeviceCode &ptx);
/// What a program carries of a device's module: PTX and, where this machine can
/// make it, machine code; else a note says why not, once. `targets` are the
/// program's.
llvm::Expected<std::vector<DeviceCode>>
makeDeviceCode(llvm::Module &ir, llvm::TargetMachine &machine,
               mlir::ModuleOp module,
               llvm::ArrayRef<llama::TargetInterface> targets,
               std::vector<std::string> &notes);

} // namespace corellama::codegen

#endif // CORELLAMA_COMPILER_CODEGEN_CODEGEN_H
