//===- CPUToLLVM.cpp - the cpu dialect to llvm ----------------------------===//
//
// vector -> llvm, the part that upstream does not know: the cpu dialect's
// instructions. A pass of its own, before upstream's conversions, so that none
// of them needs patterns for our dialect.
//
//===----------------------------------------------------------------------===//

#include "dialects/CPU/IR/CPUDialect.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
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

Value lowerLookup(ImplicitLocOpBuilder &b, Lookup16Op op) {
  return LLVM::CallIntrinsicOp::create(
             b, op.getType(), b.getStringAttr("llvm.x86.avx512.permvar.sf.512"),
             ValueRange{op.getTable(), op.getIndex()})
      .getResults();
}

/// Upstream lowers vector.fma to fmuladd, which may be split into two
/// roundings; math.fma becomes an fma. A reduction order requires a single
/// rounding.
Value lowerFma(ImplicitLocOpBuilder &b, vector::FMAOp op) {
  return math::FmaOp::create(b, op.getLhs(), op.getRhs(), op.getAcc());
}

struct CPUToLLVM : corellama::cpu::impl::CPUToLLVMBase<CPUToLLVM> {
  void runOnOperation() override {
    SmallVector<Operation *> ops;
    getOperation()->walk([&](Operation *op) {
      if (isa<Lookup16Op, vector::FMAOp>(op))
        ops.push_back(op);
    });
    for (Operation *op : ops) {
      ImplicitLocOpBuilder b(op->getLoc(), op);
      Value lowered;
      if (auto lookup = dyn_cast<Lookup16Op>(op))
        lowered = lowerLookup(b, lookup);
      else
        lowered = lowerFma(b, cast<vector::FMAOp>(op));
      op->getResult(0).replaceAllUsesWith(lowered);
      op->erase();
    }
  }
};

} // namespace
