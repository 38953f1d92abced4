//===- CeilingLoops.cpp - loops that meet one bound of a CPU --------------===//
//
// See CeilingLoops.h.
//
//===----------------------------------------------------------------------===//

#include "passes/CPU/CeilingLoops.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "passes/CPU/UnitLowering.h"

using namespace mlir;
using namespace corellama;
using namespace corellama::cpu;

/// Stores what would otherwise not have to be computed.
static void keep(VectorBuilder &b, Value memory, ArrayRef<Value> values) {
  Value all = values[0];
  for (Value value : values.drop_front())
    all = arith::XOrIOp::create(b, all, value);
  int64_t lanes = cast<VectorType>(all.getType()).getDimSize(0);
  Value bytes =
      vector::BitCastOp::create(b, b.vectorOf(b.getI8Type(), lanes * 4), all);
  b.storeLanes(bytes, memory, b.index(0));
}

void cpu::emitVectorPeak(VectorBuilder &b, Value memory, Value turns,
                         int64_t lanes,
                         function_ref<Value(Value, Value)> step) {
  // Zero, but LLVM does not know it.
  Value x = b.loadBytes(memory, b.index(0), lanes, b.getI32Type());
  Values chains(kPeakChains, x);
  chains = b.fold(0, turns, 1, chains, [&](Value, ValueRange carried) {
    Values next;
    for (Value chain : carried)
      next.push_back(step(chain, x));
    return next;
  });
  keep(b, memory, chains);
}

namespace {

/// How a kernel reads its share: streams side by side, and how many bytes ahead
/// it prefetches, 0: not at all. Which is best differs between machines and
/// numbers of threads.
struct Reading {
  int64_t streams, ahead;
};
constexpr Reading kReadings[] = {{1, 0},   {1, 1024}, {2, 0},
                                 {2, 512}, {4, 0},    {4, 2048}};

/// Turns of the loop in one part: some microseconds.
constexpr int64_t kTurns = 1024;
/// Vectors that a stream reads in one turn, so that the loop itself costs
/// little.
constexpr int64_t kVectors = 8;

class Writer {
public:
  explicit Writer(TargetAttr target)
      : target(target), context(target.getContext()),
        module(ModuleOp::create(UnknownLoc::get(context))) {
    module->getOperation()->setAttr(llama::kTargetAttr, target);
  }

  /// A kernel whose parts are those that the caller asks for.
  void kernel(StringRef name,
              function_ref<void(VectorBuilder &, Block &)> body) {
    OpBuilder builder = OpBuilder::atBlockEnd(module->getBody());
    Type pointer = LLVM::LLVMPointerType::get(context),
         i32 = builder.getI32Type();
    auto function = func::FuncOp::create(
        builder, module->getLoc(), name,
        builder.getFunctionType({pointer, pointer, i32, i32, i32, i32}, {}));
    function.setPrivate();
    function->setAttr(llama::kPartitionAttr,
                      llama::PartitionAttr::get(
                          context, builder.getDenseI64ArrayAttr(1),
                          llama::PartitionOf::Weights, /*by=*/1, /*times=*/1,
                          /*rows_by=*/0));
    function->setAttr(llama::kScratchAttr,
                      builder.getI64IntegerAttr(kPeakBytes));
    Block *entry = function.addEntryBlock();
    builder.setInsertionPointToStart(entry);
    VectorBuilder b(function.getLoc(), builder);
    body(b, *entry);
    func::ReturnOp::create(builder, function.getLoc());
  }

  void read(StringRef name, Reading reading) {
    kernel(name, [&](VectorBuilder &b, Block &entry) {
      auto [begin, parts] = shareOf(b, entry);
      Value first = b.mul(begin, kReadPart);
      Value count = b.mul(parts, kReadPart / reading.streams);
      Value memory =
          b.table(entry.getArgument(0), context::Field::Weights, b.getI8Type());
      int64_t lanes = target.getVectorBits() / 32;
      int64_t step = kVectors * lanes * 4;
      // A share of several streams is as many runs of `count` bytes.
      Values sums(reading.streams * 2,
                  b.zeros(b.vectorOf(b.getI32Type(), lanes)));
      sums = b.fold(0, count, step, sums, [&](Value at, ValueRange carried) {
        Values next(carried);
        for (int64_t stream = 0; stream < reading.streams; ++stream) {
          Value skipped = b.mul(count, stream);
          Value start = b.add(first, skipped);
          Value from = b.add(start, at);
          for (int64_t v = 0; v < kVectors; ++v) {
            Value place = b.add(from, v * lanes * 4);
            if (reading.ahead && v * lanes * 4 % kCacheLine == 0)
              b.prefetch(memory, b.add(place, reading.ahead));
            Value &sum = next[stream * 2 + v % 2];
            sum = arith::XOrIOp::create(
                b, sum, b.loadBytes(memory, place, lanes, b.getI32Type()));
          }
        }
        return next;
      });
      keep(b, scratchOf(b, entry), sums);
    });
  }

  /// Returns the operations of a part.
  int64_t multiply(StringRef name, UnitLoweringInterface unit) {
    kernel(name, [&](VectorBuilder &b, Block &entry) {
      Value turns = b.mul(shareOf(b, entry).second, kTurns);
      unit.emitPeakLoop(b, scratchOf(b, entry), turns, target);
    });
    return kTurns * unit.getPeakOperations(target);
  }

  OwningOpRef<ModuleOp> take() { return std::move(module); }

private:
  static Value scratchOf(VectorBuilder &b, Block &entry) {
    return b.view(entry.getArgument(1), 0,
                  MemRefType::get({ShapedType::kDynamic}, b.getI8Type()));
  }

  /// The first part and how many there are.
  std::pair<Value, Value> shareOf(VectorBuilder &b, Block &entry) {
    auto index = [&](unsigned argument) -> Value {
      return arith::IndexCastUIOp::create(b, b.getIndexType(),
                                          entry.getArgument(argument));
    };
    Value begin = index(3), end = index(4);
    Value parts = b.sub(end, begin);
    return {begin, parts};
  }

  TargetAttr target;
  MLIRContext *context;
  OwningOpRef<ModuleOp> module;
};

} // namespace

CeilingLoops cpu::buildCeilingLoops(TargetAttr target,
                                    ArrayRef<Attribute> units) {
  CeilingLoops loops;
  Writer writer(target);
  for (Reading reading : kReadings) {
    loops.reads.push_back("read." + std::to_string(reading.streams) + "." +
                          std::to_string(reading.ahead));
    writer.read(loops.reads.back(), reading);
  }
  for (auto [i, unit] : llvm::enumerate(units)) {
    std::string name = "multiply." + std::to_string(i);
    int64_t operations =
        writer.multiply(name, cast<UnitLoweringInterface>(unit));
    loops.peaks.push_back({name, operations});
  }
  loops.module = writer.take();
  return loops;
}
