//===- ContextToLLVM.cpp - the context dialect to llvm --------------------===//
//
// vector -> llvm: the context's fields and memory at a pointer. A pass apart
// from the targets' lowerings, because the context is the same for all targets.
//
//===----------------------------------------------------------------------===//

#include "dialects/Context/IR/ContextDialect.h"
#include "mlir/Conversion/LLVMCommon/MemRefBuilder.h"
#include "mlir/Conversion/LLVMCommon/TypeConverter.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"
#include "passes/Context/Passes.h"

namespace corellama::context {
#define GEN_PASS_DEF_CONTEXTTOLLVM
#include "passes/Context/Passes.h.inc"
} // namespace corellama::context

using namespace mlir;
using namespace corellama::context;

namespace {

Value byteAddress(ImplicitLocOpBuilder &b, Value base, Value offset) {
  return LLVM::GEPOp::create(b, base.getType(), b.getI8Type(), base,
                             ArrayRef<LLVM::GEPArg>{offset});
}

/// A field is constant while a step runs, so its load is invariant.
Value lowerField(ImplicitLocOpBuilder &b, FieldOp op) {
  Value offset = LLVM::ConstantOp::create(
      b, b.getI64Type(), b.getI64IntegerAttr(offsetOf(op.getField())));
  Value address = byteAddress(b, op.getCtx(), offset);
  bool pointer = isPointer(op.getField());
  Type type = pointer ? op.getType() : Type(b.getI64Type());
  auto load = LLVM::LoadOp::create(b, type, address, /*alignment=*/8);
  load.setInvariant(true);
  if (pointer)
    return load;
  return arith::IndexCastOp::create(b, b.getIndexType(), load);
}

/// The descriptor of a memref at base + offset. Sizes are never read, so a
/// dynamic first extent is 0.
Value lowerView(ImplicitLocOpBuilder &b, ViewOp op,
                const LLVMTypeConverter &types) {
  auto type = cast<MemRefType>(op.getType());
  Value offset = arith::IndexCastOp::create(b, b.getI64Type(), op.getOffset());
  Value base = op.getBase();
  unsigned space = type.getMemorySpaceAsInt();
  if (space != cast<LLVM::LLVMPointerType>(base.getType()).getAddressSpace())
    base = LLVM::AddrSpaceCastOp::create(
        b, LLVM::LLVMPointerType::get(b.getContext(), space), base);
  Value address = byteAddress(b, base, offset);
  auto shape = llvm::to_vector(type.getShape());
  llvm::replace(shape, ShapedType::kDynamic, int64_t{0});
  Value descriptor = MemRefDescriptor::fromStaticShape(
      b, b.getLoc(), types, MemRefType::Builder(type).setShape(shape), address);
  return UnrealizedConversionCastOp::create(b, TypeRange{type},
                                            ValueRange{descriptor})
      .getResult(0);
}

struct ContextToLLVM
    : corellama::context::impl::ContextToLLVMBase<ContextToLLVM> {
  void runOnOperation() override {
    LLVMTypeConverter types(&getContext());
    SmallVector<Operation *> ops;
    getOperation()->walk([&](Operation *op) {
      if (isa<FieldOp, ViewOp>(op))
        ops.push_back(op);
    });
    for (Operation *op : ops) {
      ImplicitLocOpBuilder b(op->getLoc(), op);
      auto field = dyn_cast<FieldOp>(op);
      op->getResult(0).replaceAllUsesWith(
          field ? lowerField(b, field) : lowerView(b, cast<ViewOp>(op), types));
      op->erase();
    }
  }
};

} // namespace
