//===- Device.cpp - the device's module to PTX ----------------------------===//
//
// From `gpu.module @device` of the llvm phase to PTX text, by LLVM's -O2
// pipeline and NVPTX back end, in process. PTX and not machine code: the driver
// assembles it for the installed GPU. A file of its own because it is all of
// code generation that is not for x86-64.
//
//===----------------------------------------------------------------------===//

#include "runtime/ABI/Device.h"
#include "compiler/CodeGen/CodeGen.h"
#include "dialects/CUDA/IR/CUDADialect.h"
#include "mlir/Dialect/GPU/IR/GPUDialect.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/LLVMIR/NVVMDialect.h"
#include "passes/CUDA/DeviceNames.h"
#include "llvm/Analysis/LoopInfo.h"
#include "llvm/IR/Dominators.h"
#include "llvm/IR/IntrinsicInst.h"
#include "llvm/IR/IntrinsicsNVPTX.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/TargetSelect.h"
#include "llvm/Transforms/Utils/Cloning.h"

using namespace corellama;
using namespace corellama::codegen;

/// The prefix of a target's name; LLVM's name of the chip follows.
static constexpr llvm::StringLiteral kPrefix = "cuda:";
/// The oldest chip that there is a target for: its PTX runs on all later GPUs.
static constexpr llvm::StringLiteral kOldestChip = "sm_80";

static llvm::Expected<std::unique_ptr<llvm::TargetMachine>>
createMachineFor(llvm::StringRef chip, llama::TargetInterface target) {
  // Repeating the registration has no effect.
  LLVMInitializeNVPTXTargetInfo();
  LLVMInitializeNVPTXTarget();
  LLVMInitializeNVPTXTargetMC();
  LLVMInitializeNVPTXAsmPrinter();

  // Without contraction LLVM emits `mul.rn` and `add.rn`, which ptxas does not
  // contract either; a plain `mul` and `add` it would.
  return createMachine(llvm::Triple("nvptx64-nvidia-cuda"), chip, target,
                       llvm::TargetOptions(), std::nullopt);
}

llvm::Expected<std::unique_ptr<llvm::TargetMachine>>
corellama::codegen::createDeviceMachine(llama::TargetInterface target) {
  llvm::StringRef chip = target.getName();
  if (!mlir::isa<cuda::TargetAttr>(target) || !chip.consume_front(kPrefix))
    return llvm::createStringError("code generation: target '" +
                                   target.getName() +
                                   "' is no GPU that PTX is made for");
  return createMachineFor(chip, target);
}

static llvm::Expected<mlir::gpu::GPUModuleOp> deviceOf(mlir::ModuleOp module) {
  if (auto device =
          module.lookupSymbol<mlir::gpu::GPUModuleOp>(cuda::kDeviceModule))
    return device;
  return llvm::createStringError(
      "code generation: the module has no gpu.module @" + cuda::kDeviceModule +
      "; cuda-outline-device makes it");
}

/// All lanes of a warp execute an mma together, so it is convergent; LLVM
/// declares ldmatrix so, but not mma. Without this LLVM could move an mma into
/// the one branch that uses its result.
static void markConvergent(llvm::Module &llvmModule) {
  for (llvm::Function &function : llvmModule)
    if (function.getName().starts_with("llvm.nvvm.mma."))
      function.setConvergent();
}

/// passes/CUDA decides how far a loop is unrolled, because it places the loop's
/// loads. This metadata disables unrolling in LLVM and, through a pragma in the
/// PTX, in ptxas, which would unroll the loop over k of a prefill product until
/// registers spill.
static void forbidUnrolling(llvm::Module &llvmModule) {
  for (llvm::Function &function : llvmModule) {
    if (function.isDeclaration())
      continue;
    llvm::DominatorTree dominators(function);
    llvm::LoopInfo loops(dominators);
    for (llvm::Loop *loop : loops.getLoopsInPreorder())
      loop->setLoopAlreadyUnrolled();
  }
}

/// Chips before 9.0 have no launches that overlap, and no instructions for it:
/// each launch begins when the one before it has ended. The host is told by the
/// architecture (abi::DeviceModule).
static void dropLaunchOrder(llvm::Module &llvmModule,
                            const llvm::TargetMachine &machine) {
  int number = 0;
  llvm::StringRef chip = machine.getTargetCPU();
  chip.consume_front("sm_");
  chip.consumeInteger(10, number);
  if (number >= abi::kFirstThatOverlaps)
    return;
  for (llvm::Intrinsic::ID id :
       {llvm::Intrinsic::nvvm_griddepcontrol_wait,
        llvm::Intrinsic::nvvm_griddepcontrol_launch_dependents}) {
    llvm::Function *function =
        llvmModule.getFunction(llvm::Intrinsic::getBaseName(id));
    if (!function)
      continue;
    for (llvm::User *call : llvm::make_early_inc_range(function->users()))
      llvm::cast<llvm::CallInst>(call)->eraseFromParent();
    function->eraseFromParent();
  }
}

/// The host launches kernels by the module's table: each row must name an entry
/// point with as many threads and as much workgroup memory.
static llvm::Error verifyEntries(mlir::ModuleOp module,
                                 mlir::gpu::GPUModuleOp device) {
  using mlir::NVVM::NVVMDialect;
  auto table = module->getAttrOfType<mlir::ArrayAttr>(llama::kKernelsAttr);
  if (!table)
    return llvm::Error::success();
  for (auto row : table.getAsRange<mlir::DictionaryAttr>()) {
    auto name = row.getAs<mlir::StringAttr>("name");
    auto threads = row.getAs<mlir::IntegerAttr>("threads");
    auto bytes = row.getAs<mlir::IntegerAttr>("scratch_bytes");
    if (!name || !threads || !bytes)
      return llvm::createStringError(
          "code generation: a row of llama.kernels has no name, threads or "
          "scratch_bytes; cuda-step-to-launches writes them");
    auto refuse = [&](const llvm::Twine &problem) {
      return llvm::createStringError("code generation: kernel '" +
                                     name.getValue() + "' " + problem +
                                     ", unlike its row of llama.kernels");
    };
    auto entry = device.lookupSymbol<mlir::LLVM::LLVMFuncOp>(
        cuda::entryNameOf(name.getValue()));
    if (!entry || !entry->hasAttr(NVVMDialect::getKernelFuncAttrName()))
      return refuse("is no entry point of the device");
    auto required = entry->getAttrOfType<mlir::DenseI32ArrayAttr>(
        NVVMDialect::getReqntidAttrName());
    if (!required || required.size() != 1 || required[0] != threads.getInt())
      return refuse("does not have " + llvm::Twine(threads.getInt()) +
                    " threads a block");
    auto scratch = entry->getAttrOfType<mlir::IntegerAttr>(llama::kScratchAttr);
    if (!scratch || scratch.getInt() != bytes.getInt())
      return refuse("does not have " + llvm::Twine(bytes.getInt()) +
                    " bytes of workgroup memory");
  }
  return llvm::Error::success();
}

llvm::Expected<std::unique_ptr<llvm::Module>>
corellama::codegen::buildDeviceIR(mlir::ModuleOp module,
                                  llvm::LLVMContext &context,
                                  llvm::TargetMachine &machine) {
  auto device = deviceOf(module);
  if (!device)
    return device.takeError();
  if (llvm::Error error = verifyEntries(module, *device))
    return std::move(error);
  auto llvmModule = translateToLLVMIR(*device, context);
  if (!llvmModule)
    return llvmModule.takeError();
  markConvergent(**llvmModule);
  forbidUnrolling(**llvmModule);
  dropLaunchOrder(**llvmModule, machine);
  optimize(**llvmModule, machine);
  // A device has no library: what LLVM could not lower would be a call.
  for (const llvm::Function &function : **llvmModule)
    if (function.isDeclaration() && !function.isIntrinsic())
      return llvm::createStringError(
          "code generation: a kernel calls '" + function.getName() +
          "', which a device does not have; the lowering must expand it");
  return llvmModule;
}

/// One line a kernel, in the order of the module.
static void writeTable(mlir::gpu::GPUModuleOp device, llvm::StringRef chip,
                       llvm::raw_ostream &out) {
  out << "// corellama, target " << kPrefix << chip << "\n"
      << "// kernel, threads of a block, bytes of workgroup memory:\n";
  for (auto kernel : device.getOps<mlir::LLVM::LLVMFuncOp>()) {
    auto threads = kernel->getAttrOfType<mlir::DenseI32ArrayAttr>(
        mlir::NVVM::NVVMDialect::getReqntidAttrName());
    if (!threads)
      continue;
    auto bytes = kernel->getAttrOfType<mlir::IntegerAttr>(llama::kScratchAttr);
    out << llvm::formatv("//   {0} {1} {2}\n",
                         cuda::kernelNameOf(kernel.getName()), threads[0],
                         bytes ? bytes.getInt() : 0);
  }
}

llvm::Error corellama::codegen::emitPTX(llvm::Module &llvmModule,
                                        llvm::TargetMachine &machine,
                                        mlir::ModuleOp module,
                                        llvm::raw_pwrite_stream &out) {
  auto device = deviceOf(module);
  if (!device)
    return device.takeError();
  writeTable(*device, machine.getTargetCPU(), out);
  return emitAssembly(llvmModule, machine, out);
}

static llvm::Expected<DeviceCode> ptxOf(llvm::Module &llvmModule,
                                        llvm::TargetMachine &machine,
                                        mlir::ModuleOp module) {
  DeviceCode code;
  code.architecture = machine.getTargetCPU().str();
  llvm::raw_svector_ostream out(code.bytes);
  if (llvm::Error error = emitPTX(llvmModule, machine, module, out))
    return std::move(error);
  out << '\0';
  return code;
}

llvm::Expected<std::vector<DeviceCode>>
corellama::codegen::makePTX(llvm::Module &llvmModule,
                            llvm::TargetMachine &machine, mlir::ModuleOp module,
                            llvm::ArrayRef<llama::TargetInterface> targets) {
  std::vector<DeviceCode> made;
  auto add = [&](llvm::Module &ir, llvm::TargetMachine &of) -> llvm::Error {
    auto ptx = ptxOf(ir, of, module);
    if (!ptx)
      return ptx.takeError();
    made.push_back(std::move(*ptx));
    return llvm::Error::success();
  };
  const std::string oldest = (kPrefix + kOldestChip).str();
  if (!machine.getTargetCPU().ends_with("a") ||
      llvm::any_of(targets,
                   [&](auto target) { return target.getName() == oldest; })) {
    if (llvm::Error error = add(llvmModule, machine))
      return std::move(error);
    return made;
  }
  // No unit uses what the oldest chip lacks (CUDAPlanner's one table), and what
  // orders launches is dropped, so the same code is selected for it: only this
  // last part of a compilation is done twice. It changes the module.
  auto copy = llvm::CloneModule(llvmModule);
  if (llvm::Error error = add(llvmModule, machine))
    return std::move(error);
  auto other = createMachineFor(kOldestChip, llama::getTarget(module));
  if (!other)
    return other.takeError();
  for (llvm::Function &function : *copy)
    if (!function.isDeclaration())
      function.addFnAttr("target-cpu", kOldestChip);
  dropLaunchOrder(*copy, **other);
  if (llvm::Error error = add(*copy, **other))
    return std::move(error);
  return made;
}
