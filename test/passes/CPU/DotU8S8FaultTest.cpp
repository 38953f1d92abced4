//===- DotU8S8FaultTest.cpp - faults in products of bytes are seen --------===//
//
// Errors that kernels of quants have had, planted in the ops of a right one.
// The comparison of DotU8S8Test.cpp must see each: all others rely on it. A
// file of its own as it changes kernels, where that one takes them as they are.
//
//===----------------------------------------------------------------------===//

#include "dialects/CPU/IR/CPUDialect.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "test/passes/CPU/ByteProduct.h"

namespace corellama::test {
namespace {

/// A quant of the first four columns is one too large; of those that matrices
/// multiply, in the panel.
int addOneToQuants(mlir::ModuleOp module, int /*digits*/) {
  int count = 0;
  auto isPanelStore = [](mlir::Operation *op) {
    auto store = mlir::dyn_cast<mlir::vector::StoreOp>(op);
    return store && store.getVectorType().getElementType().isInteger(8);
  };
  module.walk([&](mlir::Operation *op) {
    bool isDot = mlir::isa<cpu::DotU8S8Op>(op);
    if (count > 0 ||
        (!isDot && !mlir::isa<cpu::MultiplyPairsOp>(op) && !isPanelStore(op)))
      return;
    mlir::ImplicitLocOpBuilder b(op->getLoc(), op);
    mlir::OpOperand &bytes = op->getOpOperand(isDot ? 1 : 0);
    auto type = mlir::cast<mlir::VectorType>(bytes.get().getType());
    auto one = mlir::arith::ConstantOp::create(
        b, mlir::DenseElementsAttr::get(type, b.getI8IntegerAttr(1)));
    bytes.set(mlir::arith::AddIOp::create(b, bytes.get(), one));
    ++count;
  });
  return count;
}

/// Whether an fma adds a block's product: it multiplies by the scale of the
/// weight times that of x.
mlir::arith::MulFOp factorOf(mlir::vector::FMAOp fma) {
  return fma.getRhs().getDefiningOp<mlir::arith::MulFOp>();
}
/// Whether it adds a digit's sum to that of lower ones.
bool addsDigit(mlir::vector::FMAOp fma) {
  return !factorOf(fma) && fma.getLhs().getDefiningOp<mlir::arith::SIToFPOp>();
}

/// Sums of products are multiplied by the scale of the block of x before.
int takeOtherScale(mlir::ModuleOp module, int digits) {
  int count = 0;
  module.walk([&](mlir::vector::FMAOp fma) {
    // The scale of x is one number for all lanes.
    auto factor = factorOf(fma);
    mlir::Operation *op = factor ? factor.getRhs().getDefiningOp() : nullptr;
    while (op && !mlir::isa<mlir::vector::LoadOp>(op))
      op = op->getNumOperands() ? op->getOperand(0).getDefiningOp() : nullptr;
    if (!op)
      return;
    auto load = mlir::cast<mlir::vector::LoadOp>(op);
    mlir::ImplicitLocOpBuilder b(load.getLoc(), load);
    mlir::OpOperand &byte = load.getIndicesMutable()[1];
    auto record = mlir::arith::ConstantIndexOp::create(
        b, static_cast<int64_t>(RowBlock{digits}.recordBytes()));
    byte.set(mlir::arith::SubIOp::create(b, byte.get(), record));
    ++count;
  });
  return count;
}

/// The sum of a block of x is not multiplied by the weight's minimum.
int dropMinima(mlir::ModuleOp module, int /*digits*/) {
  int count = 0;
  module.walk([&](mlir::vector::FMAOp fma) {
    if (factorOf(fma) || addsDigit(fma))
      return;
    fma.replaceAllUsesWith(fma.getAcc());
    ++count;
  });
  return count;
}

/// Bytes of 8 bits are made unsigned for vpmaddubsw by adding 128, as for
/// vpdpbusd: its sums of two products saturate.
int saturatePairs(mlir::ModuleOp module, int /*digits*/) {
  llvm::SmallVector<cpu::MultiplyPairsOp> pairs;
  module.walk([&](cpu::MultiplyPairsOp op) {
    if (op.getOperand(0).getDefiningOp<mlir::math::AbsIOp>())
      pairs.push_back(op);
  });
  for (cpu::MultiplyPairsOp op : pairs) {
    mlir::ImplicitLocOpBuilder b(op.getLoc(), op);
    mlir::Value quants =
        op.getOperand(0).getDefiningOp<mlir::math::AbsIOp>().getOperand();
    mlir::Value x = op.getOperand(1).getDefiningOp()->getOperand(0);
    auto type = mlir::cast<mlir::VectorType>(quants.getType());
    auto bias = mlir::arith::ConstantOp::create(
        b, mlir::DenseElementsAttr::get(type, b.getI8IntegerAttr(-128)));
    mlir::Value bytes = mlir::arith::XOrIOp::create(b, quants, bias);
    mlir::Value sum = cpu::MultiplyPairsOp::create(b, bytes, x);
    mlir::Value toSubtract = cpu::MultiplyPairsOp::create(b, bias, x);
    op.replaceAllUsesWith(
        mlir::arith::SubIOp::create(b, sum, toSubtract).getResult());
  }
  return static_cast<int>(pairs.size());
}

/// Digits count as if their base were 256.
int takeOtherBase(mlir::ModuleOp module, int /*digits*/) {
  int count = 0;
  module.walk([&](mlir::vector::FMAOp fma) {
    if (!addsDigit(fma))
      return;
    mlir::ImplicitLocOpBuilder b(fma.getLoc(), fma);
    auto base = mlir::arith::ConstantOp::create(
        b, mlir::DenseElementsAttr::get(fma.getType(), b.getF32FloatAttr(256)));
    fma.getRhsMutable().assign(base);
    ++count;
  });
  return count;
}

/// The second digit is multiplied in place of the first.
int takeOtherDigit(mlir::ModuleOp module, int /*digits*/) {
  int count = 0;
  module.walk([&](mlir::vector::FMAOp fma) {
    auto other = fma.getAcc().getDefiningOp<mlir::vector::FMAOp>();
    if (!addsDigit(fma) || !other)
      return;
    fma.getLhsMutable().assign(other.getLhs());
    ++count;
  });
  return count;
}

struct Fault {
  const char *name;
  int (*plant)(mlir::ModuleOp, int digits);
  /// The formats, the target, and how many digits, whose kernels can have it.
  bool (*applies)(const llama::FormatFacts &, llvm::StringRef target,
                  int digits);
};
constexpr Fault kFaults[] = {
    {"a quant off by one", addOneToQuants,
     [](const llama::FormatFacts &, llvm::StringRef, int) { return true; }},
    {"the scale of the block before", takeOtherScale,
     [](const llama::FormatFacts &, llvm::StringRef, int) { return true; }},
    {"no minima", dropMinima,
     [](const llama::FormatFacts &facts, llvm::StringRef, int) {
       return facts.has(llama::PlaneKind::Minima);
     }},
    {"pairs that saturate", saturatePairs,
     [](const llama::FormatFacts &facts, llvm::StringRef target, int) {
       return target == kByteForms[0] &&
              facts.planes.front().type == llama::FieldType::Signed;
     }},
    {"digits of another base", takeOtherBase,
     [](const llama::FormatFacts &, llvm::StringRef, int digits) {
       return digits > 1;
     }},
    {"a digit in place of another", takeOtherDigit,
     [](const llama::FormatFacts &, llvm::StringRef, int digits) {
       return digits > 1;
     }},
};

class PlantedFaultTest : public ByteProduct {
protected:
  void SetUp() override {} // once for each fault
  int plant(mlir::ModuleOp module) override {
    return fault->plant(module, digits);
  }
  void expectThatAllAreSeen();

private:
  const Fault *fault = nullptr;
};

void PlantedFaultTest::expectThatAllAreSeen() {
  if (!facts().has(llama::PlaneKind::Scales))
    GTEST_SKIP() << facts().name.str() << " has no quants";
  for (const Fault &each : kFaults) {
    fault = &each;
    if (!each.applies(facts(), std::get<1>(GetParam()), digits))
      continue;
    ASSERT_NO_FATAL_FAILURE(makeKernel());
    EXPECT_GT(planted, 0) << each.name;
    EXPECT_NE(differenceOf(weight(), randomRows(size_t(tileRows))), "")
        << each.name << " is not seen";
  }
}

TEST_P(PlantedFaultTest, IsSeen) { expectThatAllAreSeen(); }

INSTANTIATE_TEST_SUITE_P(
    Formats, PlantedFaultTest,
    testing::Combine(testing::Range<size_t>(0, std::size(kFormatCases)),
                     testing::ValuesIn(kByteForms)),
    nameOfModel);

class PlantedDigitFaultTest : public PlantedFaultTest {
protected:
  PlantedDigitFaultTest() { digits = 3; }
};

TEST_P(PlantedDigitFaultTest, IsSeen) { expectThatAllAreSeen(); }

// Signed quants; minima; scales of 16 columns.
INSTANTIATE_TEST_SUITE_P(Formats, PlantedDigitFaultTest,
                         testing::Combine(testing::Values<size_t>(3, 5, 6, 9),
                                          testing::ValuesIn(kByteForms)),
                         nameOfModel);

/// By matrices.
class PlantedMatrixFaultTest : public PlantedFaultTest {
protected:
  PlantedMatrixFaultTest() { tileRows = 16; }
};

TEST_P(PlantedMatrixFaultTest, IsSeen) { expectThatAllAreSeen(); }

class PlantedDigitMatrixFaultTest : public PlantedMatrixFaultTest {
protected:
  PlantedDigitMatrixFaultTest() { digits = 3; }
};

TEST_P(PlantedDigitMatrixFaultTest, IsSeen) { expectThatAllAreSeen(); }

// Minima; scales of 16 columns.
INSTANTIATE_TEST_SUITE_P(Formats, PlantedMatrixFaultTest,
                         testing::Combine(testing::Values<size_t>(5, 9),
                                          testing::Values("sapphirerapids")),
                         nameOfModel);
INSTANTIATE_TEST_SUITE_P(Formats, PlantedDigitMatrixFaultTest,
                         testing::Combine(testing::Values<size_t>(5),
                                          testing::Values("sapphirerapids")),
                         nameOfModel);

} // namespace
} // namespace corellama::test
