//===- CPUToLLVM.cpp - the cpu dialect to llvm ----------------------------===//
//
// vector -> llvm, the part that upstream does not know: the cpu dialect's
// instructions, each the intrinsic that CPUOps.td names. A pass of its own,
// before upstream's conversions, so that none of them needs patterns for our
// dialect.
//
//===----------------------------------------------------------------------===//

#include "dialects/CPU/IR/CPUDialect.h"
#include "mlir/Dialect/AMX/AMXDialect.h"
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

template <typename OpT> Value lower(ImplicitLocOpBuilder &b, OpT op) {
  SmallVector<Value> operands(op->getOperands());
  if constexpr (std::is_same_v<OpT, AddPairsOp>)
    operands.push_back(arith::ConstantOp::create(
        b, DenseElementsAttr::get(cast<ShapedType>(op.getX().getType()),
                                  b.getI16IntegerAttr(1).getValue())));
  return LLVM::CallIntrinsicOp::create(
             b, op.getType(), b.getStringAttr(op.getIntrinsic()), operands)
      .getResults();
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
          .Case<vector::FMAOp,
#define GET_OP_LIST
#include "dialects/CPU/IR/CPUOps.cpp.inc"
                >([](auto typed) {
            ImplicitLocOpBuilder b(typed.getLoc(), typed);
            typed.getResult().replaceAllUsesWith(lower(b, typed));
            typed.erase();
          });
    });
  }
};

} // namespace
