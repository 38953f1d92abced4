//===- ContextToLLVM.cpp - the context dialect to llvm --------------------===//
//
// vector -> llvm: the context's fields and memory at a pointer. A pass apart
// from the targets' lowerings, because the context is the same for all targets.
//
//===----------------------------------------------------------------------===//

#include "dialects/Context/IR/ContextDialect.h"
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

/// The descriptor of a memref at base + offset. Its sizes are never read, so a
/// dynamic first extent is 0.
Value lowerView(ImplicitLocOpBuilder &b, ViewOp op) {
  auto type = cast<MemRefType>(op.getType());
  Value offset = arith::IndexCastOp::create(b, b.getI64Type(), op.getOffset());
  Value base = op.getBase();
  unsigned space = type.getMemorySpaceAsInt();
  if (space != cast<LLVM::LLVMPointerType>(base.getType()).getAddressSpace())
    base = LLVM::AddrSpaceCastOp::create(
        b, LLVM::LLVMPointerType::get(b.getContext(), space), base);
  Value address = byteAddress(b, base, offset);
  int64_t rank = type.getRank();
  auto array = LLVM::LLVMArrayType::get(b.getI64Type(), rank);
  auto structure = LLVM::LLVMStructType::getLiteral(
      b.getContext(),
      {address.getType(), address.getType(), b.getI64Type(), array, array});
  auto constant = [&](int64_t value) {
    return LLVM::ConstantOp::create(b, b.getI64Type(),
                                    b.getI64IntegerAttr(value))
        .getResult();
  };
  Value descriptor = LLVM::PoisonOp::create(b, structure);
  auto set = [&](Value value, ArrayRef<int64_t> at) {
    descriptor = LLVM::InsertValueOp::create(b, descriptor, value, at);
  };
  set(address, {0});
  set(address, {1});
  set(constant(0), {2});
  int64_t stride = 1;
  for (int64_t d = rank - 1; d >= 0; --d) {
    int64_t extent = type.isDynamicDim(d) ? 0 : type.getDimSize(d);
    set(constant(extent), {3, d});
    set(constant(stride), {4, d});
    stride *= extent;
  }
  return UnrealizedConversionCastOp::create(b, TypeRange{type},
                                            ValueRange{descriptor})
      .getResult(0);
}

struct ContextToLLVM
    : corellama::context::impl::ContextToLLVMBase<ContextToLLVM> {
  void runOnOperation() override {
    SmallVector<Operation *> ops;
    getOperation()->walk([&](Operation *op) {
      if (isa<FieldOp, ViewOp>(op))
        ops.push_back(op);
    });
    for (Operation *op : ops) {
      ImplicitLocOpBuilder b(op->getLoc(), op);
      auto field = dyn_cast<FieldOp>(op);
      op->getResult(0).replaceAllUsesWith(
          field ? lowerField(b, field) : lowerView(b, cast<ViewOp>(op)));
      op->erase();
    }
  }
};

} // namespace
