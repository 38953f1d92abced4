//===- BarrierTest.cpp - every barrier of a GPU kernel is needed ----------===//
//
// A kernel without one of its barriers, or without one of its commits of copies
// or waits for them, or its wait for earlier launches, must be seen to be wrong
// by what its accesses are ordered behind, in one run in one order of threads:
// so no barrier is there for nothing, and no fault of this kind can be missed
// by luck.
//
//===----------------------------------------------------------------------===//

#include "dialects/CUDA/IR/CUDADialect.h"
#include "dialects/Context/IR/ContextDialect.h"
#include "test/emulator/EmulatorModule.h"
#include "test/passes/CUDA/Models.h"
#include "test/passes/Testing/KernelCall.h"
#include <iostream>

namespace corellama::test {
namespace {

using CUDABarrierTest = CUDAModelTest;
using CUDABarrierHuntTest = CUDAModelTest;

bool isKernel(mlir::func::FuncOp function) {
  return function->hasAttr(llama::kPartitionAttr);
}

/// What orders a kernel's accesses, by the sites of EmulatorABI.h.
std::vector<mlir::Operation *> orderOf(mlir::func::FuncOp kernel) {
  std::vector<mlir::Operation *> ops;
  kernel.walk([&](mlir::Operation *op) {
    if (mlir::isa<corellama::cuda::BarrierOp, corellama::cuda::CopyCommitOp,
                  corellama::cuda::CopyWaitOp, corellama::cuda::WaitPreviousOp>(
            op))
      ops.push_back(op);
  });
  return ops;
}

/// Calls that take every path of a kernel: of decode several blocks of keys and
/// the first position, of prefill more than a tile of rows.
std::vector<KernelCall> callsOf(llvm::StringRef kernel) {
  std::string name = kernel.str();
  int64_t rows = kernel.contains(".prefill") ? 65 : 1;
  return {{name, 0, rows, /*position=*/300}, {name, 0, rows, /*position=*/0}};
}

/// Kernels of which one is wrong.
class FaultyKernels : public LoadedKernels {
public:
  FaultyKernels(const LoadedKernels &kernels,
                std::optional<EmulatorFault> fault)
      : kernels(kernels), fault(fault) {}

  std::vector<std::string> names() const override { return kernels.names(); }
  uint64_t workspaceBytes() const override { return kernels.workspaceBytes(); }
  /// In ascending order.
  llvm::Error run(llvm::StringRef kernel, uint32_t layer,
                  KernelContext &context, std::mt19937 &, bool) override {
    EmulatorOptions options;
    options.fault = fault;
    options.overlaps = true;
    return kernels.emulated()->run(kernel, context, layer, options);
  }

private:
  const LoadedKernels &kernels;
  std::optional<EmulatorFault> fault;
};

/// The calls of one kernel, and whether a fault shows.
class Hunt {
public:
  Hunt(TestModel &model, llvm::StringRef kernel, std::mt19937 &random)
      : random(random) {
    for (const KernelCall &call : callsOf(kernel))
      calls.push_back(std::make_unique<CheckedCall>(model, call, random));
  }

  /// Whether accesses without order are reported of `name`, which is the kernel
  /// or was made from it.
  bool sees(const LoadedKernels &kernels, llvm::StringRef name,
            std::optional<EmulatorFault> fault = std::nullopt) {
    FaultyKernels faulty(kernels, fault);
    return llvm::any_of(calls, [&](auto &call) {
      auto result = call->run(faulty, name, random);
      return !result && isConflict(llvm::toString(result.takeError()));
    });
  }

private:
  static bool isConflict(const std::string &error) {
    return llvm::any_of(
        std::initializer_list<const char *>{
            ", with no barrier between them", " that no copy_wait has covered",
            ", and has not waited for earlier launches"},
        [&](const char *text) {
          return error.find(text) != std::string::npos;
        });
  }

  std::mt19937 &random;
  std::vector<std::unique_ptr<CheckedCall>> calls;
};

TEST_P(CUDABarrierTest, NoneCanBeLeftOut) {
  std::map<std::string, int> tried;
  for (auto kernel : model->vector->getOps<mlir::func::FuncOp>()) {
    std::vector<mlir::Operation *> ops = orderOf(kernel);
    if (!isKernel(kernel) || ops.empty())
      continue;
    llvm::StringRef name = kernel.getName();
    Hunt hunt(*model, name, random);
    EmulatorFault fault = {*model->kernels().emulated()->lookup(name), 0};
    for (mlir::Operation *op : ops) {
      std::string what = op->getName().getStringRef().str();
      auto check = [&](EmulatorFault::Kind kind, const char *change) {
        fault.kind = kind;
        ++tried[what + change];
        EXPECT_TRUE(hunt.sees(model->kernels(), name, fault))
            << model->describe() << ": " << name.str() << " is right if "
            << what << change << ", number " << fault.site << " of "
            << ops.size();
      };
      check(EmulatorFault::LeftOut, " is left out");
      if (mlir::isa<corellama::cuda::CopyWaitOp>(op))
        check(EmulatorFault::WaitsForLess, " waits for one group less");
      ++fault.site;
    }
  }
  std::cout << GetParam().name << ":";
  for (const auto &[what, count] : tried)
    std::cout << " " << count << " times " << what << ";";
  std::cout << (HasFailure() ? " not" : "") << " all seen\n";
  EXPECT_GT(tried["cuda.barrier is left out"], 0);
  EXPECT_GT(tried["cuda.wait_previous is left out"], 0);
}

INSTANTIATE_TEST_SUITE_P(Models, CUDABarrierTest,
                         testing::ValuesIn(wholeModels()), nameOfModel);

//===----------------------------------------------------------------------===//
// That the test above would say so
//===----------------------------------------------------------------------===//

/// Copies of a kernel, each changed, as "changed.0" and so on.
std::unique_ptr<LoadedKernels>
loadChanged(TestModel &model, mlir::func::FuncOp kernel, size_t copies,
            llvm::function_ref<void(mlir::func::FuncOp, size_t)> change) {
  auto module = mlir::OwningOpRef<mlir::ModuleOp>(model.vector->clone());
  for (size_t i = 0; i < copies; ++i) {
    auto copy = kernel.clone();
    copy.setName("changed." + std::to_string(i));
    module->push_back(copy);
    change(copy, i);
  }
  keepKernels(*module,
              [](llvm::StringRef name) { return name.contains("changed."); });
  auto loaded = model.load(*module);
  EXPECT_TRUE(bool(loaded)) << llvm::toString(loaded.takeError());
  return loaded ? std::move(*loaded) : nullptr;
}

// Two barriers in a row, of which either can be left out.
TEST_P(CUDABarrierHuntTest, OneTooManyIsFound) {
  auto kernel = model->vector->lookupSymbol<mlir::func::FuncOp>("o.decode");
  ASSERT_TRUE(kernel);
  const size_t count = orderOf(kernel).size();
  ASSERT_GT(count, 0u);
  auto kernels =
      loadChanged(*model, kernel, 1, [](mlir::func::FuncOp copy, size_t) {
        for (mlir::Operation *op : orderOf(copy))
          mlir::OpBuilder(op).clone(*op);
      });
  ASSERT_TRUE(kernels);
  Hunt hunt(*model, kernel.getName(), random);
  for (uint32_t site = 0; site < 2 * count; ++site)
    EXPECT_FALSE(hunt.sees(*kernels, "changed.0", EmulatorFault{0, site}))
        << "barrier " << site << ", of which there are two";
}

/// Whether an op, or one in it, reads or writes workgroup memory.
bool touchesWorkgroup(mlir::Operation *op) {
  return op
      ->walk([](mlir::Operation *inner) {
        bool touches = llvm::any_of(inner->getOperandTypes(), [](auto type) {
          auto memory = mlir::dyn_cast<mlir::MemRefType>(type);
          return memory && memory.getMemorySpaceAsInt() ==
                               corellama::cuda::kWorkgroupSpace;
        });
        return touches ? mlir::WalkResult::interrupt()
                       : mlir::WalkResult::advance();
      })
      .wasInterrupted();
}

/// Moves a barrier behind the next two accesses of workgroup memory, of which
/// one may be of other elements, or at the end of a body before the last.
void move(mlir::Operation *barrier) {
  mlir::Operation *behind = nullptr;
  int passed = 0;
  for (auto *op = barrier->getNextNode(); op && passed < 2;
       op = op->getNextNode())
    if (touchesWorkgroup(op)) {
      behind = op;
      ++passed;
    }
  if (behind)
    return barrier->moveAfter(behind);
  for (auto *op = barrier->getPrevNode(); op; op = op->getPrevNode())
    if (touchesWorkgroup(op))
      return barrier->moveBefore(op);
  FAIL() << "a barrier between no accesses";
}

TEST_P(CUDABarrierHuntTest, OneElsewhereIsFound) {
  int moved = 0;
  for (const char *name : {"o.decode", "gate_up.decode", "gate_up.prefill"}) {
    auto kernel = model->vector->lookupSymbol<mlir::func::FuncOp>(name);
    ASSERT_TRUE(kernel);
    std::vector<size_t> barriers;
    for (auto [i, op] : llvm::enumerate(orderOf(kernel)))
      if (mlir::isa<corellama::cuda::BarrierOp>(op))
        barriers.push_back(i);
    auto kernels = loadChanged(*model, kernel, barriers.size(),
                               [&](mlir::func::FuncOp copy, size_t i) {
                                 move(orderOf(copy)[barriers[i]]);
                               });
    ASSERT_TRUE(kernels);
    Hunt hunt(*model, name, random);
    for (size_t i = 0; i < barriers.size(); ++i, ++moved)
      EXPECT_TRUE(hunt.sees(*kernels, "changed." + std::to_string(i)))
          << name << " is right with barrier " << i << " elsewhere";
  }
  std::cout << GetParam().name << ": " << moved << " barriers moved,"
            << (HasFailure() ? " not" : "") << " all seen\n";
}

/// Whether an op, or one in it, reads or writes global memory that launches
/// write.
bool touchesWritten(mlir::Operation *op) {
  return op
      ->walk([](mlir::Operation *inner) {
        bool touches = llvm::any_of(inner->getOperands(), [](auto operand) {
          auto view = operand.template getDefiningOp<context::ViewOp>();
          auto field =
              view ? view.getBase().template getDefiningOp<context::FieldOp>()
                   : nullptr;
          return field &&
                 llvm::is_contained(
                     {context::Field::Workspace, context::Field::Keys,
                      context::Field::Values, context::Field::Tokens,
                      context::Field::Positions, context::Field::Wanted},
                     field.getField());
        });
        return touches && !mlir::isa<corellama::cuda::PrefetchOp>(inner)
                   ? mlir::WalkResult::interrupt()
                   : mlir::WalkResult::advance();
      })
      .wasInterrupted();
}

// Behind the first op that has an access of what earlier launches write.
TEST_P(CUDABarrierHuntTest, AWaitForLaunchesThatIsTooLateIsFound) {
  int moved = 0;
  for (auto kernel : model->vector->getOps<mlir::func::FuncOp>()) {
    if (!isKernel(kernel))
      continue;
    auto kernels =
        loadChanged(*model, kernel, 1, [&](mlir::func::FuncOp copy, size_t) {
          auto waits = copy.getOps<corellama::cuda::WaitPreviousOp>();
          ASSERT_EQ(std::distance(waits.begin(), waits.end()), 1);
          mlir::Operation *wait = *waits.begin(), *behind = wait->getNextNode();
          while (behind && !touchesWritten(behind))
            behind = behind->getNextNode();
          ASSERT_TRUE(behind) << kernel.getName().str();
          wait->moveAfter(behind);
        });
    ASSERT_TRUE(kernels);
    Hunt hunt(*model, kernel.getName(), random);
    ++moved;
    EXPECT_TRUE(hunt.sees(*kernels, "changed.0"))
        << kernel.getName().str() << " is right with its wait too late";
  }
  std::cout << GetParam().name << ": " << moved << " waits moved,"
            << (HasFailure() ? " not" : "") << " all seen\n";
}

INSTANTIATE_TEST_SUITE_P(Models, CUDABarrierHuntTest,
                         testing::ValuesIn(movedModels()), nameOfModel);

} // namespace
} // namespace corellama::test
