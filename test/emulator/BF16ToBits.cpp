//===- BF16ToBits.cpp - numbers of bf16 as integers -----------------------===//
//
// llvm -> llvm. Where a CPU has no instruction that rounds to bf16, LLVM calls
// a library to round, and even to move such numbers, which generated code does
// not have. So they become their 16 bits, and conversions become arithmetic on
// these. A pass of its own, because code for CPUs is tested by it as well.
//
//===----------------------------------------------------------------------===//

#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/IR/AttrTypeSubElements.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"
#include "mlir/IR/TypeUtilities.h"
#include "test/emulator/Passes.h"

namespace corellama::emulator {
#define GEN_PASS_DEF_BF16TOBITS
#include "test/emulator/Passes.h.inc"
} // namespace corellama::emulator

using namespace mlir;
using namespace corellama;

namespace {

/// Conversions of bf16 on its bits, where pointers have no type: what is loaded
/// and stored may be integers.
struct BF16Expansion {
  ImplicitLocOpBuilder b;

  /// A type with other elements.
  static Type withElement(Type type, Type element) {
    auto vector = dyn_cast<VectorType>(type);
    return vector ? vector.clone(element) : element;
  }
  Value word(Type type, int32_t value) {
    auto vector = dyn_cast<VectorType>(type);
    return LLVM::ConstantOp::create(
        b, type,
        vector ? TypedAttr(DenseElementsAttr::get(vector, value))
               : TypedAttr(b.getI32IntegerAttr(value)));
  }

  /// The nearest number, halves to the even one.
  Value expand(LLVM::FPTruncOp op) {
    Type type = withElement(op.getType(), b.getI32Type());
    Value bits = LLVM::BitcastOp::create(b, type, op.getArg());
    auto high = [&](Value of) -> Value {
      return LLVM::LShrOp::create(b, of, word(type, 16));
    };
    Value odd = LLVM::AndOp::create(b, high(bits), word(type, 1));
    Value up = LLVM::AddOp::create(b, odd, word(type, 0x7fff));
    Value nearest = high(LLVM::AddOp::create(b, bits, up));
    Value quiet = LLVM::OrOp::create(b, high(bits), word(type, 0x40));
    Value isNaN = LLVM::FCmpOp::create(b, LLVM::FCmpPredicate::uno, op.getArg(),
                                       op.getArg());
    Value half =
        LLVM::TruncOp::create(b, withElement(type, b.getI16Type()),
                              LLVM::SelectOp::create(b, isNaN, quiet, nearest));
    return LLVM::BitcastOp::create(b, op.getType(), half);
  }

  /// The upper half of a float.
  Value expand(LLVM::FPExtOp op) {
    Type type = withElement(op.getType(), b.getI32Type());
    Value half = LLVM::BitcastOp::create(b, withElement(type, b.getI16Type()),
                                         op.getArg());
    Value bits = LLVM::ShlOp::create(b, LLVM::ZExtOp::create(b, type, half),
                                     word(type, 16));
    return LLVM::BitcastOp::create(b, op.getType(), bits);
  }

  template <typename OpT> void replace(OpT op, Type narrow) {
    if (!getElementTypeOrSelf(narrow).isBF16())
      return;
    b.setInsertionPoint(op);
    op.getResult().replaceAllUsesWith(expand(op));
    op.erase();
  }
};

struct BF16ToBits : emulator::impl::BF16ToBitsBase<BF16ToBits> {
  void runOnOperation() override {
    ModuleOp module = getOperation();
    BF16Expansion expansion{{module.getLoc(), module.getContext()}};
    module.walk(
        [&](LLVM::FPTruncOp op) { expansion.replace(op, op.getType()); });
    module.walk([&](LLVM::FPExtOp op) {
      expansion.replace(op, op.getArg().getType());
    });
    Type bits = expansion.b.getI16Type();
    module.walk([&](LLVM::ConstantOp op) {
      if (!getElementTypeOrSelf(op.getType()).isBF16())
        return;
      if (auto elements = dyn_cast<DenseFPElementsAttr>(op.getValue()))
        op.setValueAttr(elements.mapValues(
            bits, [](const APFloat &value) { return value.bitcastToAPInt(); }));
      else if (auto number = dyn_cast<FloatAttr>(op.getValue()))
        op.setValueAttr(
            IntegerAttr::get(bits, number.getValue().bitcastToAPInt()));
    });
    AttrTypeReplacer replacer;
    replacer.addReplacement(
        [&](BFloat16Type) -> std::optional<Type> { return bits; });
    replacer.recursivelyReplaceElementsIn(module, /*replaceAttrs=*/false,
                                          /*replaceLocs=*/false,
                                          /*replaceTypes=*/true);
  }
};

} // namespace
