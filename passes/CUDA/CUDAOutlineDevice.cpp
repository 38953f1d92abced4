//===- CUDAOutlineDevice.cpp - kernels to a module of the device ----------===//
//
// llvm -> llvm. Moves kernels to `gpu.module @device`: code generation needs
// them apart from the steps, because a module of LLVM IR is for one machine. It
// is the last pass, so that no other pass has to handle two modules.
//
//===----------------------------------------------------------------------===//

#include "dialects/CUDA/IR/CUDADialect.h"
#include "dialects/Llama/IR/LlamaDialect.h"
#include "mlir/Dialect/GPU/IR/GPUDialect.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/LLVMIR/NVVMDialect.h"
#include "mlir/IR/AttrTypeSubElements.h"
#include "mlir/IR/SymbolTable.h"
#include "passes/CUDA/DeviceNames.h"
#include "passes/CUDA/Passes.h"
#include "runtime/ABI/Kernel.h"

namespace corellama::cuda {
#define GEN_PASS_DEF_CUDAOUTLINEDEVICE
#include "passes/CUDA/Passes.h.inc"
} // namespace corellama::cuda

using namespace mlir;
using namespace corellama::cuda;
namespace llama = corellama::llama;
namespace abi = corellama::abi;

static std::string replaceAll(StringRef name, char from, char to) {
  std::string result = name.str();
  std::replace(result.begin(), result.end(), from, to);
  return result;
}

std::string corellama::cuda::entryNameOf(StringRef kernel) {
  return replaceAll(kernel, '.', '$');
}

std::string corellama::cuda::kernelNameOf(StringRef entry) {
  return replaceAll(entry, '$', '.');
}

namespace {

/// The strategy of a kernel; null for any other function.
StrategyAttr strategyOf(LLVM::LLVMFuncOp function) {
  return function->getAttrOfType<StrategyAttr>(llama::kStrategyAttr);
}

/// A call cannot go from one machine to the other, and kernels do not call
/// each other.
LogicalResult checkCalls(ModuleOp module) {
  SymbolTable symbols(module);
  WalkResult result = module.walk([&](LLVM::CallOp call) {
    auto callee = call.getCallee();
    if (!callee)
      return WalkResult::advance();
    auto caller = call->getParentOfType<LLVM::LLVMFuncOp>();
    auto function = symbols.lookup<LLVM::LLVMFuncOp>(*callee);
    if (!strategyOf(caller) && !(function && strategyOf(function)))
      return WalkResult::advance();
    call.emitOpError() << "calls '" << *callee << "' from '" << caller.getName()
                       << "'; a kernel is launched, and calls nothing";
    return WalkResult::interrupt();
  });
  return failure(result.wasInterrupted());
}

/// Registers of an SM, and what a thread may have of them. With 128 two blocks
/// of 256 threads or four of 128 fit: enough warps to keep as many loads in
/// flight as memory needs. Attention holds keys and values besides its sums;
/// kernels with tensor cores hold two tiles of sums, what is loaded of the next
/// stage, and an address for each plane of a format. These have up to 255, two
/// blocks of 128 threads; most need fewer, and more blocks fit.
constexpr int64_t kRegisters = 65536, kThreadRegisters = 128,
                  kManyRegisters = 255;

/// Blocks that must fit on an SM at once. Without it ptxas limits registers to
/// a number of its own, such as 48, and spills the rest.
int64_t blocksOf(LLVM::LLVMFuncOp kernel, StrategyAttr strategy) {
  bool holdsMuch = isa<MmaAttr>(strategy.getUnit()) ||
                   kernel->hasAttr(llama::kReadsCacheAttr);
  int64_t registers = holdsMuch ? kManyRegisters : kThreadRegisters;
  return std::max<int64_t>(1, kRegisters / (registers * strategy.getThreads()));
}

/// The attributes that code generation needs on an entry point.
void makeEntry(LLVM::LLVMFuncOp kernel, StrategyAttr strategy) {
  Builder b(kernel.getContext());
  kernel->setAttr(NVVM::NVVMDialect::getKernelFuncAttrName(), b.getUnitAttr());
  // Exactly as many threads as a launch has, not at most: ptxas then knows how
  // many registers a thread can have, and a launch with another number fails.
  kernel->setAttr(
      NVVM::NVVMDialect::getReqntidAttrName(),
      b.getDenseI32ArrayAttr({static_cast<int32_t>(strategy.getThreads())}));
  kernel->setAttr(
      NVVM::NVVMDialect::getMinctasmAttrName(),
      b.getI32IntegerAttr(static_cast<int32_t>(blocksOf(kernel, strategy))));
  // The context is in the launch's parameters, from where reading it is no trip
  // to memory.
  kernel.setArgAttrs(
      0, {b.getNamedAttr(LLVM::LLVMDialect::getByValAttrName(),
                         TypeAttr::get(LLVM::LLVMArrayType::get(
                             b.getI8Type(), sizeof(abi::Context)))),
          b.getNamedAttr(LLVM::LLVMDialect::getAlignAttrName(),
                         b.getI64IntegerAttr(alignof(abi::Context))),
          b.getNamedAttr(NVVM::NVVMDialect::getGridConstantAttrName(),
                         b.getUnitAttr())});
  kernel.setPublic();
  kernel.setLinkage(LLVM::Linkage::External);
}

/// Updates the module's table of kernels to the kernels' new symbols.
void renameInTable(ModuleOp module, SymbolTable &device) {
  using Replacement = std::optional<std::pair<Attribute, WalkResult>>;
  AttrTypeReplacer replacer;
  replacer.addReplacement([&](FlatSymbolRefAttr name) -> Replacement {
    auto entry =
        StringAttr::get(module.getContext(), entryNameOf(name.getValue()));
    if (!device.lookup(entry))
      return std::nullopt;
    Attribute renamed =
        SymbolRefAttr::get(StringAttr::get(module.getContext(), kDeviceModule),
                           {FlatSymbolRefAttr::get(entry)});
    // The new reference contains the entry's name as a nested one; it is not
    // replaced again.
    return std::make_pair(renamed, WalkResult::skip());
  });
  if (Attribute table = module->getAttr(llama::kKernelsAttr))
    module->setAttr(llama::kKernelsAttr, replacer.replace(table));
}

struct CUDAOutlineDevice
    : corellama::cuda::impl::CUDAOutlineDeviceBase<CUDAOutlineDevice> {
  void runOnOperation() override {
    ModuleOp module = getOperation();
    if (failed(checkCalls(module)))
      return signalPassFailure();
    OpBuilder builder = OpBuilder::atBlockEnd(module.getBody());
    auto device =
        mlir::gpu::GPUModuleOp::create(builder, module.getLoc(), kDeviceModule);
    Block *body = device.getBody();
    for (Operation &op : llvm::make_early_inc_range(*module.getBody())) {
      // The only globals of kernels are in workgroup memory.
      if (auto global = dyn_cast<LLVM::GlobalOp>(op);
          global && global.getAddrSpace() == kWorkgroupSpace)
        op.moveBefore(body, body->end());
      auto kernel = dyn_cast<LLVM::LLVMFuncOp>(op);
      auto strategy = kernel ? strategyOf(kernel) : nullptr;
      if (!strategy)
        continue;
      op.moveBefore(body, body->end());
      kernel.setName(entryNameOf(kernel.getName()));
      makeEntry(kernel, strategy);
    }
    SymbolTable entries(device);
    renameInTable(module, entries);
  }
};

} // namespace
