//===- FmaFaultTest.cpp - faults in products of float32 rows are seen -----===//
//
// Errors that kernels of quants have had, planted in the ops of #cpu.fma. The
// comparison of KernelTest.cpp, which has a tolerance, must see each. A file of
// its own as it changes kernels, where that one takes them as they are; those
// of #cpu.dot_u8s8 are in DotU8S8FaultTest.cpp.
//
//===----------------------------------------------------------------------===//

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"
#include "test/passes/CPU/Models.h"
#include "test/passes/Testing/KernelCall.h"
#include "llvm/ADT/STLExtras.h"

namespace corellama::test {
namespace {

using mlir::vector::FMAOp;

constexpr const char *kKernel = "down.decode";

/// Whether an fma adds a block's sum times its scale to a product.
bool addsBlock(FMAOp fma) { return bool(fma.getLhs().getDefiningOp<FMAOp>()); }
/// Whether it adds a minimum times a sum of x.
bool addsMinimum(FMAOp fma) {
  auto block = fma.getAcc().getDefiningOp<FMAOp>();
  return !addsBlock(fma) && block && addsBlock(block);
}

/// The quants of a column are one too large.
bool addOneToQuants(FMAOp fma) {
  if (addsBlock(fma) || addsMinimum(fma))
    return false;
  mlir::ImplicitLocOpBuilder b(fma.getLoc(), fma);
  auto one = mlir::arith::ConstantOp::create(
      b, mlir::DenseElementsAttr::get(fma.getType(), 1.0f));
  fma.getLhsMutable().assign(mlir::arith::AddFOp::create(b, fma.getLhs(), one));
  return true;
}

/// A row has the scale of the next one.
bool takeOtherScale(FMAOp fma) {
  if (!addsBlock(fma))
    return false;
  mlir::ImplicitLocOpBuilder b(fma.getLoc(), fma);
  auto lanes =
      llvm::to_vector(llvm::seq<int64_t>(1, fma.getType().getDimSize(0)));
  lanes.push_back(0);
  fma.getRhsMutable().assign(
      mlir::vector::ShuffleOp::create(b, fma.getRhs(), fma.getRhs(), lanes));
  return true;
}

bool dropMinimum(FMAOp fma) {
  if (!addsMinimum(fma))
    return false;
  fma.replaceAllUsesWith(fma.getAcc());
  return true;
}

TEST(FmaFaultTest, EachIsSeen) {
  // Q4_1, which has minima.
  const FormatCase &row = kFormatCases[5];
  ModelChoice choice{row.format, kTargets[0], row.cacheType, row.shape};
  choice.activations = "f32";
  choice.only = {kKernel};
  std::string message;
  std::unique_ptr<TestModel> model = TestModel::compile(choice, message);
  ASSERT_TRUE(model) << message;
  std::mt19937 random(7);
  CheckedCall call(*model, {kKernel, /*layer=*/0, /*rows=*/1, /*position=*/5},
                   random);
  struct {
    const char *name;
    bool (*plant)(FMAOp);
  } faults[] = {{"nothing", [](FMAOp) { return true; }},
                {"a quant off by one", addOneToQuants},
                {"the scale of the next row", takeOtherScale},
                {"no minimum", dropMinimum}};
  for (const auto &fault : faults) {
    mlir::OwningOpRef<mlir::ModuleOp> module = model->vector->clone();
    // In the first place where there can be such a fault.
    auto walked = module->walk([&](FMAOp fma) {
      return fault.plant(fma) ? mlir::WalkResult::interrupt()
                              : mlir::WalkResult::advance();
    });
    EXPECT_TRUE(walked.wasInterrupted()) << fault.name;
    auto loaded = model->load(*module);
    ASSERT_TRUE(bool(loaded)) << llvm::toString(loaded.takeError());
    auto result = call.run(**loaded, kKernel, random);
    ASSERT_TRUE(bool(result)) << llvm::toString(result.takeError());
    EXPECT_EQ(call.judge(std::move(*result)).empty(),
              fault.name == std::string("nothing"))
        << fault.name;
  }
}

} // namespace
} // namespace corellama::test
