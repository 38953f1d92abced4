//===- CUDATraceAccesses.cpp - report every access to the emulator --------===//
//
// llvm -> llvm. Before each load and store of a kernel it inserts a call with
// the access's address, size, alignment, and number in the kernel. A pass of
// its own, after the conversions of upstream, because only there is each access
// one op with an address.
//
//===----------------------------------------------------------------------===//

#include "dialects/Llama/IR/LlamaDialect.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"
#include "mlir/Interfaces/DataLayoutInterfaces.h"
#include "test/emulator/Passes.h"

namespace corellama::emulator {
#define GEN_PASS_DEF_CUDATRACEACCESSES
#include "test/emulator/Passes.h.inc"
} // namespace corellama::emulator

using namespace mlir;
using namespace corellama;

namespace {

/// The base that an address is computed from.
Value baseOf(Value address) {
  for (;;) {
    if (auto gep = address.getDefiningOp<LLVM::GEPOp>())
      address = gep.getBase();
    else if (auto cast = address.getDefiningOp<LLVM::AddrSpaceCastOp>())
      address = cast.getArg();
    else
      return address;
  }
}

struct CUDATraceAccesses
    : corellama::emulator::impl::CUDATraceAccessesBase<CUDATraceAccesses> {
  void runOnOperation() override {
    ModuleOp module = getOperation();
    SmallVector<LLVM::LLVMFuncOp> kernels;
    for (auto function : module.getOps<LLVM::LLVMFuncOp>())
      if (function->hasAttr(llama::kPartitionAttr))
        kernels.push_back(function);
    if (kernels.empty())
      return;
    read = declare(module, "corellama_emulator_read");
    write = declare(module, "corellama_emulator_write");
    for (LLVM::LLVMFuncOp kernel : kernels)
      if (failed(trace(kernel)))
        return signalPassFailure();
  }

  static LLVM::LLVMFuncOp declare(ModuleOp module, StringRef name) {
    OpBuilder b = OpBuilder::atBlockEnd(module.getBody());
    Type pointer = LLVM::LLVMPointerType::get(module.getContext());
    auto type = LLVM::LLVMFunctionType::get(
        LLVM::LLVMVoidType::get(module.getContext()),
        {pointer, b.getI32Type(), b.getI32Type(), b.getI32Type()});
    auto function = LLVM::LLVMFuncOp::create(b, module.getLoc(), name, type);
    function.setNoUnwind(true);
    return function;
  }

  LogicalResult trace(LLVM::LLVMFuncOp kernel) {
    sites = 0;
    WalkResult result = kernel.walk([&](Operation *op) {
      if (auto load = dyn_cast<LLVM::LoadOp>(op)) {
        // The context is constant: on a GPU it is in the launch's parameters
        // (runtime/ABI/Device.h), here in the host's memory.
        if (baseOf(load.getAddr()) != kernel.getArgument(0))
          call(op, read, load.getAddr(), load.getType(), load.getAlignment());
      } else if (auto store = dyn_cast<LLVM::StoreOp>(op)) {
        call(op, write, store.getAddr(), store.getValue().getType(),
             store.getAlignment());
      } else if (!isa<LLVM::CallOp, LLVM::AllocaOp, LLVM::LLVMFuncOp>(op) &&
                 !isMemoryEffectFree(op)) {
        op->emitOpError() << "touches memory and is neither a load nor a "
                             "store, so its accesses cannot be told";
        return WalkResult::interrupt();
      }
      return WalkResult::advance();
    });
    return failure(result.wasInterrupted());
  }

  void call(Operation *op, LLVM::LLVMFuncOp function, Value address, Type type,
            std::optional<uint64_t> alignment) {
    // A local variable is in registers on a GPU.
    if (baseOf(address).getDefiningOp<LLVM::AllocaOp>())
      return;
    ImplicitLocOpBuilder b(op->getLoc(), op);
    DataLayout layout = DataLayout::closest(op);
    auto constant = [&](uint64_t value) -> Value {
      return LLVM::ConstantOp::create(b, b.getI32Type(),
                                      static_cast<int64_t>(value));
    };
    Value bytes = constant(layout.getTypeSize(type).getFixedValue());
    Value promised =
        constant(alignment.value_or(layout.getTypeABIAlignment(type)));
    LLVM::CallOp::create(
        b, function, ValueRange{address, bytes, promised, constant(sites++)});
  }

  LLVM::LLVMFuncOp read, write;
  /// Of the kernel, so far.
  uint64_t sites = 0;
};

} // namespace
