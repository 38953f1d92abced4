//===- CPUToLLVM.cpp - the cpu dialect to llvm ----------------------------===//
//
// vector -> llvm, the part that upstream does not know: the cpu dialect's
// instructions. A pass of its own, before upstream's conversions, so that none
// of them needs patterns for our dialect.
//
//===----------------------------------------------------------------------===//

#include "dialects/CPU/IR/CPUDialect.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"
#include "passes/CPU/Passes.h"
#include "llvm/ADT/TypeSwitch.h"

namespace corellama::cpu {
#define GEN_PASS_DEF_CPUTOLLVM
#include "passes/CPU/Passes.h.inc"
} // namespace corellama::cpu

using namespace mlir;
using namespace corellama::cpu;

namespace {

Value callIntrinsic(ImplicitLocOpBuilder &b, StringRef name, Type type,
                    ValueRange operands) {
  return LLVM::CallIntrinsicOp::create(b, type, b.getStringAttr(name), operands)
      .getResults();
}

Value lower(ImplicitLocOpBuilder &b, Lookup16Op op) {
  return callIntrinsic(b, "llvm.x86.avx512.permvar.sf.512", op.getType(),
                       {op.getTable(), op.getIndex()});
}

/// The 256-bit intrinsic becomes the instruction of either extension.
Value lower(ImplicitLocOpBuilder &b, DotU8S8Op op) {
  bool isWide = cast<VectorType>(op.getType()).getDimSize(0) == 16;
  return callIntrinsic(b,
                       isWide ? "llvm.x86.avx512.vpdpbusd.512"
                              : "llvm.x86.avx512.vpdpbusd.256",
                       op.getType(), {op.getAcc(), op.getU(), op.getS()});
}

Value lower(ImplicitLocOpBuilder &b, MultiplySignsOp op) {
  return callIntrinsic(b, "llvm.x86.avx2.psign.b", op.getType(),
                       {op.getX(), op.getW()});
}

Value lower(ImplicitLocOpBuilder &b, MultiplyPairsOp op) {
  return callIntrinsic(b, "llvm.x86.avx2.pmadd.ub.sw", op.getType(),
                       {op.getU(), op.getS()});
}

Value lower(ImplicitLocOpBuilder &b, AddPairsOp op) {
  Value ones = arith::ConstantOp::create(
      b, DenseElementsAttr::get(cast<ShapedType>(op.getX().getType()),
                                b.getI16IntegerAttr(1).getValue()));
  return callIntrinsic(b, "llvm.x86.avx2.pmadd.wd", op.getType(),
                       {op.getX(), ones});
}

/// Upstream lowers vector.fma to fmuladd, which may be split into two
/// roundings; math.fma becomes an fma. A reduction order requires a single
/// rounding.
Value lower(ImplicitLocOpBuilder &b, vector::FMAOp op) {
  return math::FmaOp::create(b, op.getLhs(), op.getRhs(), op.getAcc());
}

struct CPUToLLVM : corellama::cpu::impl::CPUToLLVMBase<CPUToLLVM> {
  void runOnOperation() override {
    getOperation()->walk([](Operation *op) {
      llvm::TypeSwitch<Operation *>(op)
          .Case<Lookup16Op, DotU8S8Op, MultiplySignsOp, MultiplyPairsOp,
                AddPairsOp, vector::FMAOp>([](auto typed) {
            ImplicitLocOpBuilder b(typed.getLoc(), typed);
            typed.getResult().replaceAllUsesWith(lower(b, typed));
            typed.erase();
          });
    });
  }
};

} // namespace
