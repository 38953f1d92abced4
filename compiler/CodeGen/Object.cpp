//===- Object.cpp - LLVM IR to assembly or an object ----------------------===//
//
// LLVM's -O2 pipeline and code generation, in process. A file of its own
// because it decides which transformations LLVM may make: none that changes
// bits (no fast math, no contraction), and no calls to a library.
//
//===----------------------------------------------------------------------===//

#include "compiler/CodeGen/CodeGen.h"
#include "dialects/CPU/IR/CPUDialect.h"
#include "llvm/Analysis/CGSCCPassManager.h"
#include "llvm/Analysis/LoopAnalysisManager.h"
#include "llvm/IR/LegacyPassManager.h"
#include "llvm/MC/TargetRegistry.h"
#include "llvm/Object/ObjectFile.h"
#include "llvm/Passes/PassBuilder.h"
#include "llvm/Support/MemoryBufferRef.h"
#include "llvm/Support/TargetSelect.h"

using namespace corellama;
using namespace corellama::codegen;

llvm::Expected<std::unique_ptr<llvm::TargetMachine>>
corellama::codegen::createMachine(
    const llvm::Triple &triple, llvm::StringRef chip,
    llama::TargetInterface target, llvm::TargetOptions options,
    std::optional<llvm::Reloc::Model> relocation) {
  std::string why;
  const llvm::Target *found = llvm::TargetRegistry::lookupTarget(triple, why);
  if (!found)
    return llvm::createStringError("code generation: " + why);
  options.AllowFPOpFusion = llvm::FPOpFusion::Strict;
  std::unique_ptr<llvm::TargetMachine> machine(found->createTargetMachine(
      triple, chip, target.getFeatures(), options, relocation, std::nullopt,
      llvm::CodeGenOptLevel::Aggressive));
  if (!machine)
    return llvm::createStringError("code generation: LLVM has no machine for " +
                                   target.getName());
  return machine;
}

llvm::Expected<std::unique_ptr<llvm::TargetMachine>>
corellama::codegen::createTargetMachine(llama::TargetInterface target) {
  if (!mlir::isa<cpu::TargetAttr>(target))
    return llvm::createStringError("code generation: target '" +
                                   target.getName() + "' is no CPU");
  // Registers only this target; repeating the registration has no effect.
  LLVMInitializeX86TargetInfo();
  LLVMInitializeX86Target();
  LLVMInitializeX86TargetMC();
  LLVMInitializeX86AsmPrinter();

  llvm::TargetOptions options;
  options.FunctionSections = true;
  options.MCOptions.AsmVerbose = true;
  // The baseline CPU plus the target's features, so that targets with the same
  // features give the same code.
  return createMachine(llvm::Triple("x86_64-unknown-linux-gnu"), "x86-64",
                       target, options, llvm::Reloc::PIC_);
}

llvm::Expected<std::unique_ptr<llvm::TargetMachine>>
corellama::codegen::createHostMachine(mlir::MLIRContext &context) {
  context.loadDialect<cpu::CPUDialect>();
  return createTargetMachine(
      cpu::TargetAttr::get(&context, "x86-64", "", /*vector_bits=*/128));
}

/// Attributes of every generated function.
static void addFunctionAttributes(llvm::Module &llvmModule,
                                  const llvm::TargetMachine &machine) {
  for (llvm::Function &function : llvmModule) {
    function.addFnAttr(llvm::Attribute::NoUnwind);
    if (function.isDeclaration())
      continue;
    function.addFnAttr("target-cpu", machine.getTargetCPU());
    function.addFnAttr("target-features", machine.getTargetFeatureString());
    // LLVM must not turn a loop into a library call.
    function.addFnAttr("no-builtins");
  }
}

void corellama::codegen::optimize(llvm::Module &llvmModule,
                                  llvm::TargetMachine &machine) {
  llvmModule.setTargetTriple(machine.getTargetTriple());
  llvmModule.setDataLayout(machine.createDataLayout());
  if (machine.isPositionIndependent())
    llvmModule.setPICLevel(llvm::PICLevel::BigPIC);
  addFunctionAttributes(llvmModule, machine);

  llvm::LoopAnalysisManager loops;
  llvm::FunctionAnalysisManager functions;
  llvm::CGSCCAnalysisManager components;
  llvm::ModuleAnalysisManager modules;
  // Loops work on vectors already, as wide and as often unrolled as their
  // kernel's strategy says. LLVM would unroll only the short loops beside them:
  // with -O3 that took a fifth of the time to compile the demo, or more, and
  // made no program faster (docs/performance.md).
  llvm::PipelineTuningOptions tuning;
  tuning.LoopUnrolling = false;
  tuning.LoopVectorization = false;
  tuning.SLPVectorization = false;
  llvm::PassBuilder builder(&machine, tuning);
  builder.registerModuleAnalyses(modules);
  builder.registerCGSCCAnalyses(components);
  builder.registerFunctionAnalyses(functions);
  builder.registerLoopAnalyses(loops);
  builder.crossRegisterProxies(loops, functions, components, modules);
  builder.buildPerModuleDefaultPipeline(llvm::OptimizationLevel::O2)
      .run(llvmModule, modules);
}

llvm::Expected<std::unique_ptr<llvm::Module>>
corellama::codegen::buildOptimizedIR(mlir::ModuleOp module,
                                     llvm::LLVMContext &context,
                                     llvm::TargetMachine &machine,
                                     llvm::ArrayRef<DeviceCode> code) {
  auto llvmModule = translateToLLVMIR(module, context);
  if (!llvmModule)
    return llvmModule.takeError();
  if (llvm::Error error = addProgramDescriptor(**llvmModule, module, code))
    return error;
  optimize(**llvmModule, machine);
  return llvmModule;
}

static llvm::Error emit(llvm::Module &llvmModule, llvm::TargetMachine &machine,
                        llvm::raw_pwrite_stream &out,
                        llvm::CodeGenFileType type) {
  llvm::legacy::PassManager passes;
  if (machine.addPassesToEmitFile(passes, out, nullptr, type))
    return llvm::createStringError(
        "code generation: LLVM cannot write this kind of file for this target");
  passes.run(llvmModule);
  return llvm::Error::success();
}

llvm::Error corellama::codegen::emitAssembly(llvm::Module &llvmModule,
                                             llvm::TargetMachine &machine,
                                             llvm::raw_pwrite_stream &out) {
  return emit(llvmModule, machine, out, llvm::CodeGenFileType::AssemblyFile);
}

/// The symbols that an object may leave undefined, for the runtime to define.
/// No option keeps LLVM from calling the first two: its own intrinsics for
/// copies and fills become these calls.
static constexpr llvm::StringLiteral kRuntimeSymbols[] = {
    "memcpy",
    "memset",
    "corellama_dispatch",
    "corellama_barrier",
    "corellama_launch",
    "_GLOBAL_OFFSET_TABLE_"};

/// Refuses calls to libm or libgcc: depending on the machine, their results
/// differ in bits, or the library is missing.
static llvm::Error checkUndefinedSymbols(llvm::MemoryBufferRef buffer,
                                         llvm::StringRef external) {
  auto object = llvm::object::ObjectFile::createObjectFile(buffer);
  if (!object)
    return object.takeError();
  for (const llvm::object::SymbolRef &symbol : (*object)->symbols()) {
    llvm::Expected<uint32_t> flags = symbol.getFlags();
    if (!flags)
      return flags.takeError();
    if (!(*flags & llvm::object::SymbolRef::SF_Undefined))
      continue;
    llvm::Expected<llvm::StringRef> name = symbol.getName();
    if (!name)
      return name.takeError();
    bool allowed = !external.empty() && name->starts_with(external);
    if (!name->empty() && !allowed &&
        !llvm::is_contained(kRuntimeSymbols, *name))
      return llvm::createStringError(
          "code generation: the code calls '" + *name +
          "', which the runtime does not have; the lowering must expand it");
  }
  return llvm::Error::success();
}

llvm::Expected<llvm::SmallVector<char, 0>>
corellama::codegen::emitObject(llvm::Module &llvmModule,
                               llvm::TargetMachine &machine,
                               llvm::StringRef external) {
  llvm::SmallVector<char, 0> object;
  llvm::raw_svector_ostream out(object);
  if (llvm::Error error =
          emit(llvmModule, machine, out, llvm::CodeGenFileType::ObjectFile))
    return error;
  llvm::StringRef bytes(object.data(), object.size());
  if (llvm::Error error = checkUndefinedSymbols(
          llvm::MemoryBufferRef(bytes, "object"), external))
    return error;
  return object;
}

llvm::Expected<llvm::SmallVector<char, 0>>
corellama::codegen::compileToObject(mlir::ModuleOp module,
                                    llvm::StringRef external) {
  auto target = llama::getTarget(module);
  if (!target)
    return llvm::createStringError(
        "code generation: the module has no llama.target");
  auto machine = createTargetMachine(target);
  if (!machine)
    return machine.takeError();
  llvm::LLVMContext context;
  auto llvmModule = buildOptimizedIR(module, context, **machine);
  if (!llvmModule)
    return llvmModule.takeError();
  return emitObject(**llvmModule, **machine, external);
}
