//===- LaunchOrder.cpp - what a kernel does before it waits ---------------===//
//
// See LaunchOrder.h. The wait is one op of the kernel's entry block, so that no
// condition decides whether a thread reaches it, and what is executed before it
// stands before it.
//
//===----------------------------------------------------------------------===//

#include "passes/CUDA/LaunchOrder.h"
#include "dialects/CUDA/IR/CUDADialect.h"
#include "dialects/Context/IR/ContextDialect.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace corellama::cuda;
namespace context = corellama::context;

/// Whether memory is written before the first launch, or by the host between
/// launches, which no launch then runs beside, and never by a kernel.
static bool isConstant(Value memory) {
  auto view = memory.getDefiningOp<context::ViewOp>();
  auto field =
      view ? view.getBase().getDefiningOp<context::FieldOp>() : nullptr;
  if (!field)
    return false;
  switch (field.getField()) {
  case context::Field::Weights:
  case context::Field::Offsets:
  case context::Field::Regions:
  case context::Field::Rope:
    return true;
  default:
    return false;
  }
}

static bool mayPrecedeWait(Operation *op) {
  return llvm::TypeSwitch<Operation *, bool>(op)
      .Case<memref::LoadOp>(
          [](auto load) { return isConstant(load.getMemRef()); })
      .Case<vector::LoadOp>(
          [](auto load) { return isConstant(load.getBase()); })
      .Case<LoadWeightOp>(
          [](auto load) { return isConstant(load.getMemory()); })
      .Case<PrefetchOp, LaunchDependentsOp>([](auto) { return true; })
      .Default([](Operation *other) {
        // What is in its regions is asked one by one.
        return other->hasTrait<OpTrait::HasRecursiveMemoryEffects>() ||
               isMemoryEffectFree(other);
      });
}

LogicalResult corellama::cuda::verifyLaunchOrder(func::FuncOp kernel) {
  Block &entry = kernel.getBody().front();
  auto waits = entry.getOps<WaitPreviousOp>();
  const int64_t reached = std::distance(waits.begin(), waits.end());
  int64_t all = 0;
  kernel.walk([&](WaitPreviousOp) { ++all; });
  if (reached != 1 || all != 1)
    return kernel.emitOpError()
           << "waits for earlier launches in " << reached
           << " places that each thread comes to and in " << all - reached
           << " others, expected 1 and 0: the launches behind a kernel rely on "
              "its wait";
  for (Operation &op : entry) {
    if (&op == *waits.begin())
      return success();
    WalkResult result = op.walk([](Operation *inner) {
      if (mayPrecedeWait(inner))
        return WalkResult::advance();
      inner->emitOpError() << "stands before its kernel waits for earlier "
                              "launches, and is no read of what none writes";
      return WalkResult::interrupt();
    });
    if (result.wasInterrupted())
      return failure();
  }
  return success();
}
