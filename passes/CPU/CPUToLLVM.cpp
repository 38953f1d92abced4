//===- CPUToLLVM.cpp - the cpu dialect to llvm ----------------------------===//
//
// vector -> llvm, the part that upstream does not know: the context's fields,
// memory at a pointer, and instructions. A pass of its own, before upstream's
// conversions, so that none of them has to be told about our dialect.
//
//===----------------------------------------------------------------------===//

#include "dialects/CPU/IR/CPUDialect.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"
#include "passes/CPU/Passes.h"

namespace corellama::cpu {
#define GEN_PASS_DEF_CPUTOLLVM
#include "passes/CPU/Passes.h.inc"
} // namespace corellama::cpu

using namespace mlir;
using namespace corellama::cpu;

namespace {

Value byteAddress(ImplicitLocOpBuilder &b, Value base, Value offset) {
  return LLVM::GEPOp::create(b, base.getType(), b.getI8Type(), base,
                             ArrayRef<LLVM::GEPArg>{offset});
}

/// A field is constant while a step runs, and in the caller's memory.
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

/// The descriptor of a memref at base + offset. Its sizes are never asked for,
/// so a dynamic first extent is 0.
Value lowerView(ImplicitLocOpBuilder &b, ViewOp op) {
  auto type = cast<MemRefType>(op.getType());
  Value offset = arith::IndexCastOp::create(b, b.getI64Type(), op.getOffset());
  Value address = byteAddress(b, op.getBase(), offset);
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

Value lowerLookup(ImplicitLocOpBuilder &b, Lookup16Op op) {
  return LLVM::CallIntrinsicOp::create(
             b, op.getType(), b.getStringAttr("llvm.x86.avx512.permvar.sf.512"),
             ValueRange{op.getTable(), op.getIndex()})
      .getResults();
}

/// Upstream lowers vector.fma to fmuladd, which may be split into two
/// roundings; math.fma becomes an fma. The order of a sum promises one
/// rounding.
Value lowerFma(ImplicitLocOpBuilder &b, vector::FMAOp op) {
  return math::FmaOp::create(b, op.getLhs(), op.getRhs(), op.getAcc());
}

struct CPUToLLVM : corellama::cpu::impl::CPUToLLVMBase<CPUToLLVM> {
  void runOnOperation() override {
    SmallVector<Operation *> ops;
    getOperation()->walk([&](Operation *op) {
      if (isa<FieldOp, ViewOp, Lookup16Op, vector::FMAOp>(op))
        ops.push_back(op);
    });
    for (Operation *op : ops) {
      ImplicitLocOpBuilder b(op->getLoc(), op);
      Value lowered;
      if (auto field = dyn_cast<FieldOp>(op))
        lowered = lowerField(b, field);
      else if (auto view = dyn_cast<ViewOp>(op))
        lowered = lowerView(b, view);
      else if (auto lookup = dyn_cast<Lookup16Op>(op))
        lowered = lowerLookup(b, lookup);
      else
        lowered = lowerFma(b, cast<vector::FMAOp>(op));
      op->getResult(0).replaceAllUsesWith(lowered);
      op->erase();
    }
  }
};

} // namespace
