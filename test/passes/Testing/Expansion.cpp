//===- Expansion.cpp - instructions that a machine lacks ------------------===//
//
// See Expansion.h.
//
//===----------------------------------------------------------------------===//

#include "test/passes/Testing/Expansion.h"
#include "compiler/Target/Target.h"
#include "dialects/CPU/IR/CPUDialect.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"
#include "mlir/Pass/PassManager.h"
#include "test/emulator/Passes.h"
#include "test/passes/Testing/TestModel.h"
#include "llvm/ADT/StringExtras.h"
#include <cstdlib>

using namespace mlir;
using namespace corellama;

llvm::StringMap<bool> test::testedFeatures() {
  llvm::StringMap<bool> features = hostFeatures();
  const char *cpu = std::getenv("CORELLAMA_HOST");
  if (!cpu)
    return features;
  auto target = cast<cpu::TargetAttr>(
      llvm::cantFail(resolveTarget(kernelContext(), cpu)));
  llvm::StringMap<bool> common;
  SmallVector<StringRef> wanted;
  target.getFeatures().split(wanted, ',');
  for (StringRef feature : wanted)
    if (StringRef name = feature.ltrim('+'); features.lookup(name))
      common[name] = true;
  return common;
}

namespace {

/// Every op has operands and one result.
struct Expansion {
  ImplicitLocOpBuilder b;
  int64_t count = 0;

  VectorType vectorOf(Type element, int64_t lanes) {
    return VectorType::get({lanes}, element);
  }

  /// result[i] = acc[i] + sum of u[4 i + j] * s[4 i + j], u unsigned, s signed,
  /// in 32 bits.
  Value expand(cpu::DotU8S8Op op) {
    int64_t lanes = cast<VectorType>(op.getType()).getDimSize(0);
    auto wide = vectorOf(b.getI32Type(), 4 * lanes);
    Value products =
        arith::MulIOp::create(b, arith::ExtUIOp::create(b, wide, op.getU()),
                              arith::ExtSIOp::create(b, wide, op.getS()));
    Value sum = op.getAcc();
    for (int64_t j = 0; j < 4; ++j) {
      SmallVector<int64_t> every;
      for (int64_t i = 0; i < lanes; ++i)
        every.push_back(4 * i + j);
      sum = arith::AddIOp::create(
          b, sum,
          vector::ShuffleOp::create(b, products, products, every).getResult());
    }
    return sum;
  }

  /// Two look-ups of 32 bytes, which every machine of the tests has; narrower
  /// ones stay.
  Value expand(cpu::LookupBytesOp op) {
    auto type = cast<VectorType>(op.getType());
    const int64_t half = type.getDimSize(0) / 2;
    SmallVector<Value, 2> found;
    for (int64_t first : {int64_t(0), half}) {
      auto part = [&](Value all) -> Value {
        return vector::ExtractStridedSliceOp::create(
            b, all, ArrayRef<int64_t>{first}, ArrayRef<int64_t>{half},
            ArrayRef<int64_t>{1});
      };
      Value table = part(op.getTable()), index = part(op.getIndex());
      found.push_back(cpu::LookupBytesOp::create(b, table, index));
    }
    auto all = llvm::to_vector(llvm::seq<int64_t>(type.getDimSize(0)));
    return vector::ShuffleOp::create(b, found[0], found[1], all);
  }

  /// A number whose exponent is 0, as zero; its sign stays.
  Value flush(Value x) {
    auto type = cast<VectorType>(x.getType());
    auto words = type.clone(b.getI32Type());
    auto word = [&](uint32_t value) {
      return arith::ConstantOp::create(
          b, DenseElementsAttr::get(words, static_cast<int32_t>(value)));
    };
    Value bits = arith::BitcastOp::create(b, words, x);
    Value exponent = arith::AndIOp::create(b, bits, word(0x7f800000));
    Value isZero =
        arith::CmpIOp::create(b, arith::CmpIPredicate::eq, exponent, word(0));
    Value zero = arith::AndIOp::create(b, bits, word(0x80000000));
    return arith::BitcastOp::create(
        b, type, arith::SelectOp::create(b, isZero, zero, bits).getResult());
  }

  /// The odd element first, then the even one.
  Value expand(cpu::DotBF16Op op) {
    auto words = vectorOf(b.getI32Type(), 16);
    auto floats = vectorOf(b.getF32Type(), 16);
    auto element = [&](Value pairs, bool isOdd) {
      Value bits = vector::BitCastOp::create(b, words, pairs);
      Value high =
          isOdd ? arith::AndIOp::create(
                      b, bits,
                      arith::ConstantOp::create(
                          b, DenseElementsAttr::get(
                                 words, static_cast<int32_t>(0xffff0000u))))
                      .getResult()
                : arith::ShLIOp::create(
                      b, bits,
                      arith::ConstantOp::create(
                          b, DenseElementsAttr::get(words, int32_t(16))))
                      .getResult();
      return flush(arith::BitcastOp::create(b, floats, high));
    };
    Value sum = flush(op.getAcc());
    for (bool isOdd : {true, false})
      sum = flush(math::FmaOp::create(b, element(op.getX(), isOdd),
                                      element(op.getW(), isOdd), sum));
    return sum;
  }

  template <typename OpT> void replace(OpT op) {
    b.setInsertionPoint(op);
    op.getResult().replaceAllUsesWith(expand(op));
    op.erase();
    ++count;
  }
};

} // namespace

int64_t test::expandInstructions(ModuleOp module) {
  Expansion expansion{{module.getLoc(), module.getContext()}};
  module.walk([&](cpu::DotU8S8Op op) { expansion.replace(op); });
  module.walk([&](cpu::DotBF16Op op) { expansion.replace(op); });
  module.walk([&](cpu::LookupBytesOp op) {
    if (cast<VectorType>(op.getType()).getDimSize(0) == 64)
      expansion.replace(op);
  });
  const llvm::StringMap<bool> host = testedFeatures();
  auto target = module->getAttrOfType<cpu::TargetAttr>(llama::kTargetAttr);
  SmallVector<StringRef> features, common;
  target.getFeatures().split(features, ',');
  for (StringRef feature : features)
    if (host.lookup(feature.ltrim('+')))
      common.push_back(feature);
  module->setAttr(llama::kTargetAttr,
                  cpu::TargetAttr::get(module.getContext(), target.getName(),
                                       llvm::join(common, ","),
                                       target.getVectorBits()));
  return expansion.count;
}

void test::expandBF16(ModuleOp module) {
  if (testedFeatures().lookup("avx512bf16"))
    return;
  PassManager manager(module.getContext());
  manager.addPass(emulator::createBF16ToBits());
  if (failed(manager.run(module)))
    llvm::report_fatal_error("bf16-to-bits failed");
}
