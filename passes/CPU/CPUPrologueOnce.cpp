//===- CPUPrologueOnce.cpp - prologues once a worker ----------------------===//
//
// vector -> vector. A kernel prepares in its worker's scratch what all its
// parts read, rounded rows for example, and is called several times for a
// dispatch. Here it gets an argument that says whether the call is the worker's
// first, and prepares only then. A pass of its own because what a prologue is
// shows in the ops alone: what is stored before anything that depends on the
// parts.
//
//===----------------------------------------------------------------------===//

#include "dialects/CPU/IR/CPUDialect.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"
#include "passes/CPU/Passes.h"
#include "llvm/ADT/SetVector.h"

namespace corellama::cpu {
#define GEN_PASS_DEF_CPUPROLOGUEONCE
#include "passes/CPU/Passes.h.inc"
} // namespace corellama::cpu

using namespace mlir;
using namespace corellama;
using namespace corellama::cpu;

namespace {

/// (context, scratch, layer, begin, end), and where `first` is inserted.
constexpr unsigned kBegin = 3, kFirst = 5;

bool onlyReads(Operation &op) {
  auto effects = getEffectsRecursively(&op);
  return effects &&
         llvm::all_of(*effects, [](const MemoryEffects::EffectInstance &e) {
           return isa<MemoryEffects::Read>(e.getEffect());
         });
}

/// Whether `op`, or an op in it, uses one of the values.
bool usesAnyOf(Operation &op, const llvm::DenseSet<Value> &values) {
  return op
      .walk([&](Operation *inner) {
        return WalkResult(
            failure(llvm::any_of(inner->getOperands(), [&](Value operand) {
              return values.contains(operand);
            })));
      })
      .wasInterrupted();
}

/// What is stored before the first store that depends on the parts, and the ops
/// that are used for nothing else; in their order. Empty where something else
/// reads memory in between, which may be what is stored.
SmallVector<Operation *> prologueOf(Block &entry) {
  llvm::DenseSet<Value> ofParts{entry.getArgument(kBegin),
                                entry.getArgument(kBegin + 1)};
  llvm::SetVector<Operation *> prologue;
  for (Operation &op : entry.without_terminator()) {
    bool isOfParts = usesAnyOf(op, ofParts);
    if (isOfParts)
      ofParts.insert_range(op.getResults());
    if (onlyReads(op))
      continue;
    if (isOfParts)
      break;
    prologue.insert(&op);
  }
  if (prologue.empty())
    return {};
  Operation *first = prologue.front(), *last = prologue.back();
  for (Operation *op = last; op; op = op->getPrevNode()) {
    bool isForOthers = llvm::any_of(op->getUsers(), [&](Operation *user) {
      return !prologue.contains(entry.findAncestorOpInBlock(*user));
    });
    if (prologue.contains(op) && isForOthers)
      return {};
    if (!isForOthers && !op->use_empty())
      prologue.insert(op);
    else if (!prologue.contains(op) && !isMemoryEffectFree(op) &&
             first->isBeforeInBlock(op))
      return {};
  }
  SmallVector<Operation *> ordered = prologue.takeVector();
  llvm::sort(ordered,
             [](Operation *a, Operation *b) { return a->isBeforeInBlock(b); });
  return ordered;
}

struct CPUPrologueOnce : cpu::impl::CPUPrologueOnceBase<CPUPrologueOnce> {
  void runOnOperation() override {
    for (auto kernel : getOperation().getOps<func::FuncOp>()) {
      if (!kernel->hasAttr(llama::kPartitionAttr))
        continue;
      if (kernel.getNumArguments() != kFirst) {
        kernel.emitOpError() << "is no function of (context, scratch, layer, "
                                "begin, end); run tile-to-vector-cpu first";
        return signalPassFailure();
      }
      Type i32 = IntegerType::get(&getContext(), 32);
      (void)kernel.insertArgument(kFirst, i32, {}, kernel.getLoc());
      Block &entry = kernel.getBody().front();
      SmallVector<Operation *> prologue = prologueOf(entry);
      if (prologue.empty())
        continue;
      ImplicitLocOpBuilder b(kernel.getLoc(), prologue.back()->getNextNode());
      Value zero = arith::ConstantIntOp::create(b, i32, 0);
      Value isFirst = arith::CmpIOp::create(b, arith::CmpIPredicate::ne,
                                            entry.getArgument(kFirst), zero);
      auto once = scf::IfOp::create(b, isFirst, /*withElseRegion=*/false);
      for (Operation *op : prologue)
        op->moveBefore(once.thenYield());
    }
  }
};

} // namespace
