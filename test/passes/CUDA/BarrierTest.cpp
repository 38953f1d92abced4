//===- BarrierTest.cpp - every barrier of a GPU kernel is needed ----------===//
//
// A kernel without one of its barriers, or without one of its waits for copies,
// must be seen to be wrong: two threads touch the same bytes without order, or
// the result changes. So no barrier is there for nothing, and the search for
// conflicts finds each kind that our kernels could have.
//
//===----------------------------------------------------------------------===//

#include "dialects/CUDA/IR/CUDADialect.h"
#include "test/passes/CUDA/Models.h"
#include "test/passes/Testing/KernelCall.h"

namespace corellama::test {
namespace {

using CUDABarrierTest = CUDAModelTest;
using CUDABarrierHuntTest = CUDAModelTest;

/// Orders of blocks and threads that are tried. A conflict shows in each; that
/// a result changes may take one in which the wrong thread came first.
constexpr int kTriedOrders = 4;

/// A kernel of which one operation was left out.
struct Mutant {
  std::string kernel, name;
  /// Which operation it was, for people.
  std::string without;
};

std::string textOf(mlir::Operation *op) {
  std::string text;
  if (op)
    llvm::raw_string_ostream(text) << op->getName();
  return text.empty() ? "nothing" : text;
}

/// What a kernel waits with, in order.
std::vector<mlir::Operation *> waitsOf(mlir::func::FuncOp kernel) {
  std::vector<mlir::Operation *> waits;
  kernel.walk([&](mlir::Operation *op) {
    if (mlir::isa<corellama::cuda::BarrierOp, corellama::cuda::CopyWaitOp>(op))
      waits.push_back(op);
  });
  return waits;
}

/// Adds to a module of phase vector each of its kernels without each of its
/// waits.
std::vector<Mutant> addMutants(mlir::ModuleOp module) {
  std::vector<Mutant> mutants;
  std::vector<mlir::func::FuncOp> kernels;
  for (auto function : module.getOps<mlir::func::FuncOp>())
    if (function->hasAttr(llama::kPartitionAttr))
      kernels.push_back(function);
  for (mlir::func::FuncOp kernel : kernels) {
    size_t count = waitsOf(kernel).size();
    for (size_t i = 0; i < count; ++i) {
      auto copy = kernel.clone();
      std::string name =
          (kernel.getName() + ".without." + llvm::Twine(i)).str();
      copy.setName(name);
      module.push_back(copy);
      mlir::Operation *wait = waitsOf(copy)[i];
      mutants.push_back({kernel.getName().str(), name,
                         textOf(wait) + ", number " + std::to_string(i) +
                             " of " + std::to_string(count) + ", between " +
                             textOf(wait->getPrevNode()) + " and " +
                             textOf(wait->getNextNode())});
      wait->erase();
    }
  }
  return mutants;
}

/// Calls that take every path of a kernel: of decode the first position and
/// several blocks of keys, of prefill more than a tile of rows.
std::vector<KernelCall> callsOf(llvm::StringRef kernel) {
  std::string name = kernel.str();
  if (kernel.contains(".prefill"))
    return {{name, 0, /*rows=*/65, /*position=*/0},
            {name, 0, /*rows=*/65, /*position=*/300}};
  return {{name, 0, /*rows=*/1, /*position=*/300},
          {name, 0, /*rows=*/1, /*position=*/0}};
}

/// Compiles mutants, and asks of each whether it is seen to be wrong.
class Hunt {
public:
  Hunt(TestModel &model, std::mt19937 &random) : model(model), random(random) {}

  /// The kernels are in `module`, at phase vector.
  llvm::Error load(mlir::ModuleOp module) {
    keepKernels(module, [](llvm::StringRef name) {
      return name.contains(".without.");
    });
    auto made = model.load(module);
    if (!made)
      return made.takeError();
    loaded = std::move(*made);
    return llvm::Error::success();
  }

  llvm::Expected<bool> sees(const Mutant &mutant) {
    auto [entry, isNew] = calls.try_emplace(mutant.kernel);
    for (const KernelCall &call :
         isNew ? callsOf(mutant.kernel) : std::vector<KernelCall>()) {
      auto checked = std::make_unique<CheckedCall>(model, call, random);
      std::mt19937 order(1);
      auto right = checked->run(model.kernels(), call.kernel, order);
      if (!right)
        return right.takeError();
      entry->second.emplace_back(std::move(checked), std::move(*right));
    }
    for (auto &[call, right] : entry->second)
      for (int seed = 1; seed <= kTriedOrders; ++seed) {
        std::mt19937 order(seed);
        auto result = call->run(*loaded, mutant.name, order);
        bool wrong = !result || *result != right;
        if (!result)
          llvm::consumeError(result.takeError());
        if (wrong)
          return true;
      }
    return false;
  }

private:
  TestModel &model;
  std::mt19937 &random;
  std::unique_ptr<LoadedKernels> loaded;
  /// Of each kernel, with the bytes that are right.
  std::map<std::string,
           std::vector<std::pair<std::unique_ptr<CheckedCall>, Memory>>>
      calls;
};

TEST_P(CUDABarrierTest, NoneCanBeLeftOut) {
  mlir::OwningOpRef<mlir::ModuleOp> module = model->vector->clone();
  std::vector<Mutant> mutants = addMutants(*module);
  ASSERT_FALSE(mutants.empty());
  RecordProperty("mutants", static_cast<int>(mutants.size()));
  Hunt hunt(*model, random);
  llvm::Error error = hunt.load(*module);
  ASSERT_FALSE(bool(error)) << llvm::toString(std::move(error));
  for (const Mutant &mutant : mutants) {
    llvm::Expected<bool> seen = hunt.sees(mutant);
    ASSERT_TRUE(bool(seen)) << llvm::toString(seen.takeError());
    EXPECT_TRUE(*seen) << model->describe() << ": " << mutant.kernel
                       << " is right without " << mutant.without;
  }
}

INSTANTIATE_TEST_SUITE_P(Models, CUDABarrierTest,
                         testing::ValuesIn(barrierModels()), nameOfModel);

// Two barriers in a row: either can be left out, and the test above must say
// so.
TEST_P(CUDABarrierHuntTest, OneTooManyIsFound) {
  mlir::OwningOpRef<mlir::ModuleOp> module = model->vector->clone();
  auto kernel = module->lookupSymbol<mlir::func::FuncOp>("o.decode");
  ASSERT_TRUE(kernel);
  std::vector<mlir::Operation *> waits = waitsOf(kernel);
  ASSERT_FALSE(waits.empty());
  for (mlir::Operation *wait : waits)
    mlir::OpBuilder(wait).clone(*wait);
  std::vector<Mutant> mutants = addMutants(*module);
  Hunt hunt(*model, random);
  llvm::Error error = hunt.load(*module);
  ASSERT_FALSE(bool(error)) << llvm::toString(std::move(error));
  size_t tried = 0;
  for (const Mutant &mutant : mutants) {
    if (mutant.kernel != "o.decode")
      continue;
    ++tried;
    llvm::Expected<bool> seen = hunt.sees(mutant);
    ASSERT_TRUE(bool(seen)) << llvm::toString(seen.takeError());
    EXPECT_FALSE(*seen) << mutant.kernel << " is wrong without "
                        << mutant.without << ", of which there are two";
  }
  EXPECT_EQ(tried, 2 * waits.size());
}

INSTANTIATE_TEST_SUITE_P(Models, CUDABarrierHuntTest,
                         testing::Values(wholeModels().front()), nameOfModel);

} // namespace
} // namespace corellama::test
