//===- VerifySchedule.cpp - prove that a schedule keeps its values --------===//
//
// Reads a schedule and proves of it, by byte ranges, that no two dispatches
// race, that each barrier is needed for that, that no kernel writes what it
// reads, and that a buffer still holds its value when it is read. It shares
// with the passes that made the schedule only which bytes a dispatch touches
// and in which order dispatches run, none of their decisions.
//
//===----------------------------------------------------------------------===//

#include "mlir/IR/SymbolTable.h"
#include "passes/Llama/Passes.h"
#include "passes/Llama/PlanInvariants.h"
#include "passes/Llama/ScheduleDependences.h"
#include "llvm/ADT/DenseSet.h"
#include "llvm/ADT/MapVector.h"
#include "llvm/Support/MathExtras.h"

namespace corellama::llama {
#define GEN_PASS_DEF_LLAMAVERIFYSCHEDULE
#include "passes/Llama/Passes.h.inc"
} // namespace corellama::llama

using namespace mlir;
using namespace corellama::llama;

/// "buffer @x" or "the cache".
static std::string nameOf(const BufferAccess &access) {
  BufferOp buffer = access.buffer;
  return buffer ? ("buffer @" + buffer.getSymName()).str() : "the cache";
}

//===----------------------------------------------------------------------===//
// Offsets
//===----------------------------------------------------------------------===//

static LogicalResult verifyOffset(BufferOp buffer) {
  FailureOr<int64_t> bytes = checkedBytes(buffer);
  if (failed(bytes))
    return failure();
  int64_t end;
  if (llvm::AddOverflow(static_cast<int64_t>(*buffer.getAt()), *bytes, end))
    return buffer.emitOpError()
           << "@" << buffer.getSymName() << " ends beyond all memory";
  if (*buffer.getAt() % kBufferAlignment != 0)
    return buffer.emitOpError()
           << "@" << buffer.getSymName() << " lies at " << *buffer.getAt()
           << ", expected a multiple of " << kBufferAlignment;
  return success();
}

/// The offset of `op`, which code generation uses, is the declared one.
static LogicalResult verifyStamp(Operation *op, BufferOp buffer,
                                 IntegerAttr offset) {
  if (offset.getInt() == static_cast<int64_t>(*buffer.getAt()))
    return success();
  return op->emitOpError() << "has offset " << offset.getInt() << ", buffer @"
                           << buffer.getSymName() << " lies at "
                           << *buffer.getAt()
                           << "; run llama-assign-buffers again";
}

/// Offsets of buffers as values (schedule) and as memory (tile).
static LogicalResult verifyUses(Operation *callee,
                                ArrayRef<BufferAccess> accesses) {
  for (const BufferAccess &access : accesses)
    if (auto offset = access.op->getAttrOfType<IntegerAttr>("at");
        offset && access.buffer &&
        failed(verifyStamp(access.op, access.buffer, offset)))
      return failure();
  return failure(callee
                     ->walk([](MemoryHandleInterface handle) -> WalkResult {
                       FlatSymbolRefAttr symbol = handle.getHandleBuffer();
                       auto buffer =
                           symbol
                               ? SymbolTable::lookupNearestSymbolFrom<BufferOp>(
                                     handle, symbol)
                               : BufferOp();
                       return buffer ? verifyStamp(handle, buffer,
                                                   handle.getHandleOffset())
                                     : success();
                     })
                     .wasInterrupted());
}

//===----------------------------------------------------------------------===//
// Inside of one dispatch
//===----------------------------------------------------------------------===//

/// Parts of one dispatch run in any order, so no part may touch bytes that
/// another part writes.
static LogicalResult verifyCallee(Operation *callee,
                                  ArrayRef<BufferAccess> accesses) {
  for (auto [i, write] : llvm::enumerate(accesses)) {
    if (!write.writes)
      continue;
    for (auto [j, other] : llvm::enumerate(accesses)) {
      if (i == j || (other.writes && j < i) || !touchTheSame(write, other))
        continue;
      InFlightDiagnostic diagnostic = write.op->emitOpError();
      diagnostic << "of @" << SymbolTable::getSymbolName(callee).getValue()
                 << " writes " << nameOf(write);
      if (write.buffer != other.buffer)
        diagnostic << ", which shares bytes with " << nameOf(other)
                   << " that it " << (other.writes ? "writes" : "reads")
                   << " as well";
      else
        diagnostic << ", which it "
                   << (other.writes ? "writes twice" : "reads as well");
      diagnostic << "; parts of a dispatch are in no order";
      diagnostic.attachNote(other.op->getLoc()) << "here";
      return failure();
    }
  }
  return success();
}

//===----------------------------------------------------------------------===//
// Between dispatches
//===----------------------------------------------------------------------===//

namespace {
/// An earlier dispatch that the missing barrier would also have separated.
struct EarlierDispatch {
  DispatchOp run;
  bool roundBefore; // for the layer before
  Conflict conflict;
};
} // namespace

static void report(DispatchOp run, ArrayRef<EarlierDispatch> allEarlier) {
  auto [earlier, roundBefore, conflict] = allEarlier.front();
  InFlightDiagnostic diagnostic = run.emitOpError();
  diagnostic << "of " << namesOf(run)
             << (conflict.later.writes ? " writes " : " reads ")
             << nameOf(conflict.later);
  if (conflict.later.buffer == conflict.earlier.buffer)
    diagnostic << ", which the dispatch of " << namesOf(earlier);
  else
    diagnostic << ", which shares bytes with " << nameOf(conflict.earlier)
               << " that the dispatch of " << namesOf(earlier);
  diagnostic << (roundBefore ? " for the layer before" : "")
             << (conflict.earlier.writes ? " writes" : " reads")
             << "; a llama.barrier between them is missing";
  diagnostic.attachNote(earlier.getLoc()) << "the other dispatch is here";
  for (const EarlierDispatch &other : allEarlier.drop_front())
    diagnostic.attachNote(other.run->getLoc())
        << "the dispatch of " << namesOf(other.run)
        << (other.roundBefore ? " for the layer before" : "")
        << " needs it as well";
}

/// Dispatches without a barrier between them do not touch the same bytes if one
/// of them writes. If they do, a barrier right before the later dispatch would
/// separate it from all earlier ones: this is reported once, and the barrier is
/// then assumed to be there, in each iteration of its loop.
static LogicalResult verifyBarriers(StepOp step,
                                    const ScheduleDependences &dependences) {
  llvm::MapVector<Operation *, SmallVector<EarlierDispatch, 1>> missing;
  SmallVector<TracePoint> sinceBarrier;
  for (const TracePoint &point : dependences.traceOf(step)) {
    auto run = dyn_cast<DispatchOp>(point.op);
    if (!run) {
      sinceBarrier.clear();
      continue;
    }
    for (const TracePoint &before : sinceBarrier) {
      auto earlier = cast<DispatchOp>(before.op);
      std::optional<Conflict> conflict =
          dependences.conflictBetween(earlier, run);
      if (!conflict)
        continue;
      bool sameLoop = earlier->getBlock() == run->getBlock();
      SmallVector<EarlierDispatch, 1> &found = missing[run];
      if (llvm::none_of(found,
                        [&](EarlierDispatch &e) { return e.run == earlier; }))
        found.push_back(
            {earlier, sameLoop && point.again && !before.again, *conflict});
    }
    if (missing.contains(run))
      sinceBarrier.clear();
    sinceBarrier.push_back(point);
  }
  for (auto &[run, earlier] : missing)
    report(cast<DispatchOp>(run), earlier);
  return failure(!missing.empty());
}

/// Each barrier separates two dispatches that no other barrier separates: all
/// workers wait at a barrier, so one without need costs time in every step.
static LogicalResult
verifyBarriersNeeded(StepOp step, const ScheduleDependences &dependences) {
  ArrayRef<TracePoint> trace = dependences.traceOf(step);
  auto isNeeded = [&](Operation *barrier) {
    SmallVector<DispatchOp> sinceOther;
    for (const TracePoint &point : trace) {
      auto run = dyn_cast<DispatchOp>(point.op);
      if (!run && point.op != barrier)
        sinceOther.clear();
      if (!run)
        continue;
      if (llvm::any_of(sinceOther, [&](DispatchOp earlier) {
            return dependences.conflictBetween(earlier, run).has_value();
          }))
        return true;
      sinceOther.push_back(run);
    }
    return false;
  };
  for (const TracePoint &point : trace)
    if (isa<BarrierOp>(point.op) && !point.again && !isNeeded(point.op))
      return point.op->emitOpError(
          "separates no dispatches that depend on each other, or another "
          "barrier does; delete it");
  return success();
}

/// A buffer is read before any buffer that shares its bytes overwrites its
/// value.
static LogicalResult verifyValues(StepOp step,
                                  const ScheduleDependences &dependences) {
  struct Overwritten {
    DispatchOp by;
    BufferOp with;
  };
  llvm::DenseMap<Operation *, Overwritten> overwritten;
  for (const TracePoint &point : dependences.traceOf(step)) {
    auto run = dyn_cast<DispatchOp>(point.op);
    if (!run)
      continue;
    for (const BufferAccess &access : dependences.accessesOf(run)) {
      if (!access.buffer || access.writes)
        continue;
      auto lost = overwritten.find(access.buffer);
      if (lost == overwritten.end())
        continue;
      InFlightDiagnostic diagnostic = run.emitOpError();
      diagnostic << "of " << namesOf(run) << " reads " << nameOf(access)
                 << ", but the dispatch of " << namesOf(lost->second.by)
                 << " has written buffer @" << lost->second.with.getSymName()
                 << " over its bytes";
      diagnostic.attachNote(lost->second.by.getLoc())
          << "the other dispatch is here";
      return failure();
    }
    for (const BufferAccess &access : dependences.accessesOf(run)) {
      if (!access.buffer || !access.writes)
        continue;
      for (BufferOp other : dependences.getBuffers())
        if (other != access.buffer && overlap(other, access.buffer))
          overwritten[other] = {run, access.buffer};
    }
    // A buffer that the dispatch writes is valid again; what else the callees
    // of a table write does not matter here, because verifyCallee checks each
    // of them.
    for (const BufferAccess &access : dependences.accessesOf(run))
      if (access.buffer && access.writes)
        overwritten.erase(access.buffer);
  }
  return success();
}

/// A buffer that a step reads before writing it gets its value from another
/// step, and any step may run in between.
static LogicalResult verifyCarried(const ScheduleDependences &dependences) {
  llvm::DenseSet<Operation *> writtenAnywhere;
  for (auto &[callee, accesses] : dependences.getCallees())
    for (const BufferAccess &access : accesses)
      if (access.buffer && access.writes)
        writtenAnywhere.insert(access.buffer);
  for (StepOp step : dependences.getSteps()) {
    llvm::DenseSet<Operation *> written;
    for (const TracePoint &point : dependences.traceOf(step)) {
      auto run = dyn_cast<DispatchOp>(point.op);
      if (!run)
        continue;
      for (const BufferAccess &access : dependences.accessesOf(run)) {
        BufferOp buffer = access.buffer;
        if (!buffer || access.writes || written.contains(buffer))
          continue;
        if (!writtenAnywhere.contains(buffer))
          return run.emitOpError()
                 << "of " << namesOf(run) << " reads buffer @"
                 << buffer.getSymName() << ", which no dispatch writes";
        for (BufferOp other : dependences.getBuffers())
          if (other != buffer && overlap(other, buffer))
            return buffer.emitOpError()
                   << "@" << buffer.getSymName()
                   << " carries a value from step to step, but "
                   << "shares bytes with buffer @" << other.getSymName();
      }
      for (const BufferAccess &access : dependences.accessesOf(run))
        if (access.buffer && access.writes)
          written.insert(access.buffer);
    }
  }
  return success();
}

namespace {
struct VerifySchedule
    : corellama::llama::impl::LlamaVerifyScheduleBase<VerifySchedule> {
  void runOnOperation() override {
    markAllAnalysesPreserved();
    if (failed(verify(getOperation())))
      signalPassFailure();
  }

  static LogicalResult verify(ModuleOp module) {
    // Hand-written modules of tests say no phase.
    if (auto name = module->getAttrOfType<StringAttr>(kPhaseAttr);
        name && name != infoOf(Phase::Schedule).name &&
        name != infoOf(Phase::Tile).name)
      return module.emitError()
             << "is a module of phase " << name
             << "; there are schedules to verify in schedule and tile";
    if (failed(verifyStamps(module)))
      return failure();
    for (auto buffer : module.getOps<BufferOp>())
      if (failed(verifyOffset(buffer)))
        return failure();
    FailureOr<ScheduleDependences> dependences =
        ScheduleDependences::compute(module);
    if (failed(dependences))
      return failure();
    for (auto &[callee, accesses] : dependences->getCallees()) {
      if (failed(verifyUses(callee, accesses)) ||
          failed(verifyCallee(callee, accesses)))
        return failure();
    }
    LogicalResult result = success();
    for (StepOp step : dependences->getSteps())
      if (failed(verifyBarriers(step, *dependences)))
        result = failure();
    if (failed(result))
      return failure();
    for (StepOp step : dependences->getSteps())
      if (failed(verifyBarriersNeeded(step, *dependences)) ||
          failed(verifyValues(step, *dependences)))
        return failure();
    return verifyCarried(*dependences);
  }
};
} // namespace
