//===- CUDAAddChoice.cpp - the kernels that choose an id ------------------===//
//
// vector -> llvm. Adds what runtime/Sampling does with a row of logits, for a
// device: two kernels, and the step that launches them. They are no ops of the
// graph: they compute nothing of the model, their state (settings, a generator,
// how many ids are left) is the runtime's, and all models have the same. So
// they are written here, as what a thread does.
//
// @choose.best: a block reads kChoiceIds logits and keeps the best, in falling
// order. @choose.draw: one block merges these lists, filters and draws, and
// makes the id the next step's row. Logits are compared as whole numbers of 64
// bits, falling logits and then rising ids, which are all different: so what is
// kept does not depend on the order of threads. From there on all threads do
// the same, in the order and with the operations of
// runtime/Sampling/Sampler.cpp and Exp.h, each rounded as IEEE 754 says: the
// same id, bit for bit.
//
//===----------------------------------------------------------------------===//

#include "dialects/CUDA/IR/CUDADialect.h"
#include "dialects/Context/IR/ContextDialect.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "passes/CUDA/DeviceNames.h"
#include "passes/CUDA/Passes.h"
#include "passes/Tile/IndexBuilder.h"
#include "runtime/ABI/Device.h"
#include "runtime/Sampling/Exp.h"
#include <concepts>
#include <limits>

namespace corellama::cuda {
#define GEN_PASS_DEF_CUDAADDCHOICE
#include "passes/CUDA/Passes.h.inc"
} // namespace corellama::cuda

using namespace mlir;
using namespace corellama;
using arith::CmpFPredicate;
using arith::CmpIPredicate;
using corellama::abi::Choice;
using corellama::cuda::kGlobalSpace;
using corellama::cuda::kWarp;
using corellama::cuda::kWorkgroupSpace;
using corellama::runtime::ExpNumbers;

namespace {

constexpr int64_t kThreads = abi::kChoiceKept;
constexpr int64_t kWarps = kThreads / kWarp;
/// Logits that a thread reads, all before it uses one.
constexpr int64_t kEach = abi::kChoiceIds / kThreads;

/// Workgroup memory: a number of each warp, twice, so that one barrier a round
/// is enough; behind it lists of kChoiceKept numbers.
constexpr int64_t kListsAt = 128, kListBytes = kThreads * sizeof(uint64_t);
static_assert(2 * kWarps * sizeof(uint64_t) <= kListsAt);
enum List : int64_t { kKeys, kWeights, kHeatedWeights, kLists };

/// Where a field of Choice is, in words.
#define WORD(field) (offsetof(Choice, field) / sizeof(uint64_t))

/// A value of the code, or a number that becomes a constant of the type that is
/// wanted where it is used. As tile::IndexOperand, and for the same reason: of
/// a call's arguments at most one makes an op.
struct Number {
  Number(std::convertible_to<Value> auto value) : value(value) {}
  Number(std::integral auto bits) : bits(static_cast<int64_t>(bits)) {}
  Number(double real) : real(real) {}

  Value value;
  int64_t bits = 0;
  double real = 0;
};

class ChoiceWriter : tile::IndexBuilder {
public:
  ChoiceWriter(ImplicitLocOpBuilder &builder, int64_t vocabulary)
      : IndexBuilder(builder), vocabulary(vocabulary) {}

  func::FuncOp writeBest(StringRef name);
  func::FuncOp writeDraw(StringRef name);

private:
  template <typename T> using Vec = SmallVector<T>;

  int64_t listCount() const {
    return llvm::divideCeil(vocabulary, int64_t(abi::kChoiceIds));
  }

  // Arithmetic.
  Value constant(Type type, Number number) {
    if (number.value)
      return number.value;
    if (isa<FloatType>(type))
      return arith::ConstantOp::create(b, b.getFloatAttr(type, number.real));
    return arith::ConstantOp::create(
        b, b.getIntegerAttr(type, APInt(type.getIntOrFloatBitWidth(),
                                        static_cast<uint64_t>(number.bits),
                                        /*isSigned=*/true,
                                        /*implicitTrunc=*/true)));
  }
  Value word64(Number number) { return constant(b.getI64Type(), number); }
  Value real(Number number) { return constant(b.getF64Type(), number); }
  template <typename Op> Value make(Value x, Number y) {
    return Op::create(b, x, constant(x.getType(), y));
  }
  Value is(CmpIPredicate how, Value x, Number y) {
    return arith::CmpIOp::create(b, how, x, constant(x.getType(), y));
  }
  Value is(CmpFPredicate how, Value x, Number y) {
    return arith::CmpFOp::create(b, how, x, constant(x.getType(), y));
  }
  Value select(Value condition, Value x, Number y) {
    return arith::SelectOp::create(b, condition, x, constant(x.getType(), y));
  }
  Value bitcast(Type to, Value x) { return arith::BitcastOp::create(b, to, x); }
  Value toIndex(Value number) {
    return arith::IndexCastUIOp::create(b, b.getIndexType(), number);
  }
  Value halves(Value low, Value high) {
    Value lower = arith::ExtUIOp::create(b, b.getI64Type(), low);
    Value upper = arith::ExtUIOp::create(b, b.getI64Type(), high);
    return make<arith::OrIOp>(make<arith::ShLIOp>(upper, 32), lower);
  }
  Value low(Value word) {
    return arith::TruncIOp::create(b, b.getI32Type(), word);
  }
  Value high(Value word) { return low(make<arith::ShRUIOp>(word, 32)); }
  Value rotate(Value word, int64_t by) {
    Value above = make<arith::ShLIOp>(word, by);
    return make<arith::OrIOp>(above, make<arith::ShRUIOp>(word, 64 - by));
  }

  // Memory.
  Value view(context::Field field, tile::IndexOperand at, Type element) {
    Value pointer = context::FieldOp::create(
        b, LLVM::LLVMPointerType::get(b.getContext()), context, field);
    auto type = MemRefType::get({ShapedType::kDynamic}, element,
                                MemRefLayoutAttrInterface(),
                                b.getI64IntegerAttr(kGlobalSpace));
    return context::ViewOp::create(b, type, pointer, index(at));
  }
  Value load(Value memory, tile::IndexOperand at) {
    return memref::LoadOp::create(b, memory, ValueRange{index(at)});
  }
  void store(Value value, Value memory, tile::IndexOperand at) {
    memref::StoreOp::create(b, value, memory, ValueRange{index(at)});
  }
  Value word(tile::IndexOperand at) { return load(words, at); }
  void setWord(tile::IndexOperand at, Value value) { store(value, words, at); }
  Value realWord(int64_t at) { return bitcast(b.getF64Type(), word(at)); }
  /// Where a field that counts bytes points to, in words.
  Value placeOf(int64_t field) {
    return div(toIndex(word(field)), sizeof(uint64_t));
  }
  /// Workgroup memory for words, as pairs of halves.
  Value shared(int64_t at, int64_t count) {
    auto type = MemRefType::get({2 * count}, b.getI32Type(),
                                MemRefLayoutAttrInterface(),
                                b.getI64IntegerAttr(kWorkgroupSpace));
    return corellama::cuda::SharedOp::create(b, type, at);
  }
  Value list(List number) {
    return shared(kListsAt + number * kListBytes, kThreads);
  }
  Value sharedWord(Value memory, tile::IndexOperand at) {
    Value first = mul(at, 2);
    Value lower = load(memory, first);
    return halves(lower, load(memory, add(first, 1)));
  }
  void setSharedWord(Value value, Value memory, Value at) {
    Value first = mul(at, 2);
    store(low(value), memory, first);
    Value second = add(first, 1);
    store(high(value), memory, second);
  }
  Value sharedReal(Value memory, tile::IndexOperand at) {
    return bitcast(b.getF64Type(), sharedWord(memory, at));
  }

  // Control.
  func::FuncOp begin(StringRef name, int64_t rows, int64_t by,
                     int64_t workgroupBytes);
  void guarded(Value condition, llvm::function_ref<void()> body) {
    auto branch = scf::IfOp::create(b, condition, /*withElseRegion=*/false);
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToStart(branch.thenBlock());
    body();
  }
  Value equals(Value x, tile::IndexOperand y) {
    return is(CmpIPredicate::eq, x, index(y));
  }
  void onFirstThread(llvm::function_ref<void()> body) {
    guarded(equals(thread, 0), body);
  }
  void barrier() { corellama::cuda::BarrierOp::create(b); }

  // The choice.
  Value keyOf(Value logit, Value id);
  Value idOf(Value key) { return make<arith::XOrIOp>(low(key), -1); }
  Value logitOf(Value key);
  Value largest(Value mine, Value round);
  Value exponential(Value x);
  Value weigh(Value memory, Value count, Value best, Value temperature);
  Value filter(Value memory, Value count, Value sum);
  Value draw(Value memory, Value count, Value target);
  Value uniform(Vec<Value> &state);
  Value wordIf(Value isThere, Value at);
  void advance(Value id);

  const int64_t vocabulary;
  /// Of the kernel that is written: its context, the Choice as words, the row
  /// of logits.
  Value context, words, row, thread, block;
};

} // namespace

/// A kernel that does nothing where no id is left; the builder is where it does
/// something.
func::FuncOp ChoiceWriter::begin(StringRef name, int64_t rows, int64_t by,
                                 int64_t workgroupBytes) {
  MLIRContext *mlir = b.getContext();
  Type pointer = LLVM::LLVMPointerType::get(mlir);
  auto kernel = func::FuncOp::create(
      b, name, b.getFunctionType({pointer, b.getI32Type()}, {}));
  kernel.setPrivate();
  kernel->setAttr(llama::kPartitionAttr,
                  llama::PartitionAttr::get(mlir, b.getDenseI64ArrayAttr(rows),
                                            llama::PartitionOf::Weights, by,
                                            /*times=*/1,
                                            /*rows_by=*/0));
  kernel->setAttr(llama::kStrategyAttr,
                  corellama::cuda::StrategyAttr::get(
                      mlir, corellama::cuda::SimtAttr::get(mlir), kThreads,
                      /*m=*/1, /*n=*/0, /*k=*/0, /*stages=*/1));
  kernel->setAttr(llama::kScratchAttr, b.getI64IntegerAttr(workgroupBytes));
  Block *entry = kernel.addEntryBlock();
  b.setInsertionPointToStart(entry);
  context = entry->getArgument(0);
  thread = corellama::cuda::ThreadIdOp::create(b, b.getIndexType());
  block = corellama::cuda::BlockIdOp::create(b, b.getIndexType());
  // All that they read the head, or the choice before, may have written.
  corellama::cuda::LaunchDependentsOp::create(b);
  corellama::cuda::WaitPreviousOp::create(b);
  words = view(context::Field::Threads, 0, b.getI64Type());
  Value isLeft = is(CmpIPredicate::ne, word(WORD(left)), 0);
  auto branch = scf::IfOp::create(b, isLeft, /*withElseRegion=*/false);
  func::ReturnOp::create(b);
  b.setInsertionPointToStart(branch.thenBlock());
  row = view(context::Field::Workspace, toIndex(word(WORD(logits))),
             b.getF32Type());
  return kernel;
}

//===----------------------------------------------------------------------===//
// Keys
//===----------------------------------------------------------------------===//

/// A number that is larger for a better id: of its logit, so that numbers
/// without a sign have the order of floats, above the id's complement. NaN
/// counts as minus infinity and -0 as 0; 0 is the key of no id.
Value ChoiceWriter::keyOf(Value logit, Value id) {
  Value minusInfinity = constant(b.getI32Type(), int32_t(0xff800000));
  Value zero = constant(b.getI32Type(), 0);
  Value pattern = bitcast(b.getI32Type(), logit);
  Value isZero = is(CmpFPredicate::OEQ, logit, 0.0);
  pattern = select(isZero, zero, pattern);
  Value isNaN = is(CmpFPredicate::UNO, logit, logit);
  pattern = select(isNaN, minusInfinity, pattern);
  Value isNegative = is(CmpIPredicate::slt, pattern, 0);
  Value flipped = make<arith::XOrIOp>(pattern, -1);
  Value raised = make<arith::OrIOp>(pattern, INT32_MIN);
  Value ordered = select(isNegative, flipped, raised);
  Value number = arith::IndexCastOp::create(b, b.getI32Type(), id);
  return halves(make<arith::XOrIOp>(number, -1), ordered);
}

/// The logit of a key, as the sampler computes with it.
Value ChoiceWriter::logitOf(Value key) {
  Value ordered = high(key);
  Value isNegative = is(CmpIPredicate::sge, ordered, 0);
  Value flipped = make<arith::XOrIOp>(ordered, -1);
  Value lowered = make<arith::AndIOp>(ordered, INT32_MAX);
  Value logit = bitcast(b.getF32Type(), select(isNegative, flipped, lowered));
  return arith::ExtFOp::create(b, b.getF64Type(), logit);
}

/// The largest of one number of each thread, for all of them. Rounds follow
/// each other, and what a warp wrote is not overwritten before the round after
/// the next, behind a barrier that all threads reach when they have read it.
Value ChoiceWriter::largest(Value mine, Value round) {
  for (uint32_t mask = kWarp / 2; mask > 0; mask /= 2) {
    auto other = [&](Value half) -> Value {
      return corellama::cuda::ShuffleXorOp::create(b, half, mask);
    };
    Value lower = other(low(mine));
    mine = make<arith::MaxUIOp>(mine, halves(lower, other(high(mine))));
  }
  Value memory = shared(0, 2 * kWarps);
  Value first = mul(rem(round, 2), kWarps);
  guarded(equals(rem(thread, kWarp), 0),
          [&] { setSharedWord(mine, memory, add(first, div(thread, kWarp))); });
  barrier();
  for (int64_t warp = 0; warp < kWarps; ++warp)
    mine = make<arith::MaxUIOp>(mine, sharedWord(memory, add(first, warp)));
  return mine;
}

func::FuncOp ChoiceWriter::writeBest(StringRef name) {
  func::FuncOp kernel =
      begin(name, vocabulary, abi::kChoiceIds, /*workgroupBytes=*/kListsAt);
  Value first = add(mul(block, abi::kChoiceIds), thread);
  Vec<Value> ids, logits, keys;
  for (int64_t i = 0; i < kEach; ++i) {
    ids.push_back(add(first, i * kThreads));
    logits.push_back(load(row, minimum(ids.back(), vocabulary - 1)));
  }
  for (auto [id, logit] : llvm::zip(ids, logits)) {
    Value key = keyOf(logit, id);
    Value isId = lessThan(id, vocabulary);
    keys.push_back(select(isId, key, 0));
  }
  Value place = placeOf(WORD(lists));
  place = add(place, mul(block, abi::kChoiceKept));
  Value rounds = toIndex(word(WORD(kept)));
  // Each round finds the largest key below the last one's.
  fold(0, rounds, 1, word64(-1),
       [&](Value round, ValueRange last) -> Vec<Value> {
         Value mine = word64(0);
         for (Value key : keys) {
           Value isLeft = is(CmpIPredicate::ult, key, last[0]);
           mine = make<arith::MaxUIOp>(mine, select(isLeft, key, 0));
         }
         Value best = largest(mine, round);
         onFirstThread([&] { setWord(add(place, round), best); });
         return {best};
       });
  return kernel;
}

//===----------------------------------------------------------------------===//
// The draw
//===----------------------------------------------------------------------===//

/// expOfNonPositive of runtime/Sampling/Exp.h.
Value ChoiceWriter::exponential(Value x) {
  Value isNormal = is(CmpFPredicate::OGE, x, ExpNumbers::kLeast);
  x = select(isNormal, x, 0.0); // else no whole number
  Value n = make<arith::MulFOp>(x, ExpNumbers::kLog2E);
  n = arith::FPToSIOp::create(b, b.getI64Type(), make<arith::SubFOp>(n, 0.5));
  Value scale = arith::SIToFPOp::create(b, b.getF64Type(), n);
  Value r = x;
  for (double ln2 : {ExpNumbers::kLn2High, ExpNumbers::kLn2Low})
    r = make<arith::SubFOp>(r, make<arith::MulFOp>(scale, ln2));
  Value sum = real(0.0);
  for (double coefficient : ExpNumbers::kCoefficients)
    sum = make<arith::AddFOp>(make<arith::MulFOp>(sum, r), coefficient);
  Value exponent = make<arith::AddIOp>(n, 1023);
  Value power = bitcast(b.getF64Type(), make<arith::ShLIOp>(exponent, 52));
  return select(isNormal, make<arith::MulFOp>(sum, power), 0.0);
}

/// Sampler::weigh: thread i makes the weight of candidate i; the sum of all.
Value ChoiceWriter::weigh(Value memory, Value count, Value best,
                          Value temperature) {
  guarded(lessThan(thread, count), [&] {
    Value logit = logitOf(sharedWord(list(kKeys), thread));
    Value distance = make<arith::SubFOp>(logit, best);
    distance = make<arith::DivFOp>(distance, temperature);
    // Where both are infinite, too.
    Value isOther = is(CmpFPredicate::UNE, logit, best);
    Value weight = exponential(select(isOther, distance, 0.0));
    setSharedWord(bitcast(b.getI64Type(), weight), memory, thread);
  });
  barrier();
  return fold(0, count, 1, real(0.0),
              [&](Value i, ValueRange sum) -> Vec<Value> {
                return {make<arith::AddFOp>(sum[0], sharedReal(memory, i))};
              })[0];
}

/// How many candidates top-p and min-p leave.
Value ChoiceWriter::filter(Value memory, Value count, Value sum) {
  Value topP = realWord(WORD(topP));
  Value minP = realWord(WORD(minP));
  Value wanted = make<arith::MulFOp>(topP, sum);
  Value one = index(1);
  Value first = sharedReal(memory, 0);
  Value enough = fold(one, count, 1, {first, one},
                      [&](Value i, ValueRange carried) -> Vec<Value> {
                        Value reached = carried[0];
                        Value goesOn = is(CmpFPredicate::OLT, reached, wanted);
                        Value next =
                            make<arith::AddFOp>(reached, sharedReal(memory, i));
                        next = select(goesOn, next, reached);
                        Value kept = add(i, 1);
                        return {next, select(goesOn, kept, carried[1])};
                      })[1];
  Value isOn = is(CmpFPredicate::OLT, topP, 1.0);
  count = select(isOn, enough, count);
  // From the last on, up to the first that stays.
  Value likely =
      fold(one, count, 1, count, [&](Value i, ValueRange left) -> Vec<Value> {
        Value at = sub(count, i);
        Value isLow = is(CmpFPredicate::OLT, sharedReal(memory, at), minP);
        Value isLast = equals(left[0], add(at, 1));
        return {select(make<arith::AndIOp>(isLow, isLast), at, left[0])};
      })[0];
  isOn = is(CmpFPredicate::OGT, minP, 0.0);
  return select(isOn, likely, count);
}

/// The place of the first candidate at which the sum is above the target.
Value ChoiceWriter::draw(Value memory, Value count, Value target) {
  Value sum = real(0.0);
  Value none = index(0);
  Value isOpen = constant(b.getI1Type(), 1);
  return fold(0, count, 1, {sum, none, isOpen},
              [&](Value i, ValueRange carried) -> Vec<Value> {
                Value weight = sharedReal(memory, i);
                Value isThere = is(CmpFPredicate::UNE, weight, 0.0);
                isThere = make<arith::AndIOp>(isThere, carried[2]);
                Value next = make<arith::AddFOp>(carried[0], weight);
                next = select(isThere, next, carried[0]);
                Value chosen = select(isThere, i, carried[1]);
                Value goesOn = is(CmpFPredicate::UGE, target, next);
                return {next, chosen, make<arith::AndIOp>(goesOn, isThere)};
              })[1];
}

/// Random::uniform of runtime/Sampling/Random.h; `state` becomes the next one.
Value ChoiceWriter::uniform(Vec<Value> &state) {
  Value result = rotate(make<arith::MulIOp>(state[1], 5), 7);
  result = make<arith::MulIOp>(result, 9);
  Value shifted = make<arith::ShLIOp>(state[1], 17);
  auto mix = [&](int of, Value with) {
    state[of] = make<arith::XOrIOp>(state[of], with);
  };
  mix(2, state[0]);
  mix(3, state[1]);
  mix(1, state[2]);
  mix(0, state[3]);
  mix(2, shifted);
  state[3] = rotate(state[3], 45);
  Value fraction = arith::UIToFPOp::create(b, b.getF64Type(),
                                           make<arith::ShRUIOp>(result, 11));
  return make<arith::MulFOp>(fraction, 0x1p-53);
}

/// A word of global memory, or 0 where there is none.
Value ChoiceWriter::wordIf(Value isThere, Value at) {
  auto branch = scf::IfOp::create(b, TypeRange{b.getI64Type()}, isThere,
                                  /*withElseRegion=*/true);
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(branch.thenBlock());
  scf::YieldOp::create(b, word(at));
  b.setInsertionPointToStart(branch.elseBlock());
  scf::YieldOp::create(b, word64(0));
  return branch.getResult(0);
}

/// Counts an id and, if another may follow it, makes it the next step's row.
/// Of one thread.
void ChoiceWriter::advance(Value id) {
  Value at = toIndex(id);
  Value chosen = halves(id, bitcast(b.getI32Type(), load(row, at)));
  Value count = word(WORD(count));
  setWord(add(rem(toIndex(count), abi::kChosenIds), WORD(ids)), chosen);
  setWord(WORD(count), make<arith::AddIOp>(count, 1));
  Value ends = placeOf(WORD(ends));
  ends = word(add(ends, div(at, 64)));
  Value bit = arith::IndexCastOp::create(b, b.getI64Type(), rem(at, 64));
  Value isEnd = arith::TruncIOp::create(b, b.getI1Type(),
                                        make<arith::ShRUIOp>(ends, bit));
  Value fewer = make<arith::SubIOp>(word(WORD(left)), 1);
  Value none = word64(0);
  Value left = select(isEnd, none, fewer);
  setWord(WORD(left), left);
  guarded(is(CmpIPredicate::ne, left, 0), [&] {
    store(id, view(context::Field::Tokens, 0, b.getI32Type()), 0);
    Value positions = view(context::Field::Positions, 0, b.getI32Type());
    Value position = make<arith::AddIOp>(load(positions, 0), 1);
    store(position, positions, 0);
  });
}

func::FuncOp ChoiceWriter::writeDraw(StringRef name) {
  func::FuncOp kernel =
      begin(name, /*rows=*/1, /*by=*/1, kListsAt + kLists * kListBytes);
  // Read by all threads before the first barrier; one of them writes them
  // behind the last.
  Vec<Value> state;
  for (int64_t i = 0; i < 4; ++i)
    state.push_back(word(WORD(random) + i));
  const Vec<Value> before = state;
  Value fraction = uniform(state);
  Value temperature = realWord(WORD(temperature));
  Value most = toIndex(word(WORD(kept)));

  // Thread t has what is left of list t, whose largest key comes first.
  Value place = placeOf(WORD(lists));
  place = add(place, mul(thread, abi::kChoiceKept));
  Value keys = list(kKeys);
  Value first = wordIf(lessThan(thread, listCount()), place);
  Value one = index(1);
  Value none = index(0);
  Value count = fold(none, most, 1, {first, one, none},
                     [&](Value round, ValueRange carried) -> Vec<Value> {
                       Value mine = carried[0], at = carried[1];
                       Value best = largest(mine, round);
                       onFirstThread([&] { setSharedWord(best, keys, round); });
                       Value isKey = is(CmpIPredicate::ne, best, 0);
                       Value isMine = is(CmpIPredicate::eq, best, mine);
                       isMine = make<arith::AndIOp>(isMine, isKey);
                       Value hasMore = lessThan(at, most);
                       hasMore = make<arith::AndIOp>(hasMore, isMine);
                       Value after = wordIf(hasMore, add(place, at));
                       after = select(isMine, after, mine);
                       Value further = select(isMine, add(at, 1), at);
                       Value more = add(carried[2], 1);
                       return {after, further, select(isKey, more, carried[2])};
                     })[2];
  barrier();
  Value best = logitOf(sharedWord(keys, 0));
  Value weights = list(kWeights);
  Value heated = list(kHeatedWeights);
  // Both filters see the probabilities at temperature 1.
  Value sum = weigh(weights, count, best, real(1.0));
  count = filter(weights, count, sum);
  sum = weigh(heated, count, best, temperature);
  Value chosen = draw(heated, count, make<arith::MulFOp>(fraction, sum));
  // Without any logit the first id, and no draw.
  Value isNothing =
      is(CmpFPredicate::OEQ, best, -std::numeric_limits<double>::infinity());
  Value id = idOf(sharedWord(keys, select(isNothing, none, chosen)));
  onFirstThread([&] {
    for (int64_t i = 0; i < 4; ++i)
      setWord(WORD(random) + i, select(isNothing, before[i], state[i]));
    advance(id);
  });
  return kernel;
}

//===----------------------------------------------------------------------===//
// The step
//===----------------------------------------------------------------------===//

namespace {
struct CUDAAddChoice : corellama::cuda::impl::CUDAAddChoiceBase<CUDAAddChoice> {
  void runOnOperation() override {
    ModuleOp module = getOperation();
    auto config = module->getAttrOfType<llama::ConfigAttr>(llama::kConfigAttr);
    // Kernels alone, as in a test, have no head whose logits there would be.
    if (module.getOps<llama::ModelOp>().empty() || !config ||
        config.getVocabulary() > int64_t(abi::kChoiceIds * abi::kChoiceKept) ||
        module.lookupSymbol(corellama::cuda::kChooseStep))
      return;
    ImplicitLocOpBuilder b(module.getLoc(), module.getContext());
    b.setInsertionPointToEnd(module.getBody());
    auto step =
        llama::StepOp::create(b, b.getStringAttr(corellama::cuda::kChooseStep),
                              StringAttr(), b.getI64IntegerAttr(1));
    SmallVector<func::FuncOp> kernels;
    for (auto [name, write] :
         {std::pair("choose.best", &ChoiceWriter::writeBest),
          std::pair("choose.draw", &ChoiceWriter::writeDraw)}) {
      b.setInsertionPointToEnd(module.getBody());
      ChoiceWriter writer(b, config.getVocabulary());
      kernels.push_back((writer.*write)(name));
    }
    b.setInsertionPointToStart(&step.getBody().emplaceBlock());
    for (func::FuncOp kernel : kernels) {
      if (kernel != kernels.front())
        llama::BarrierOp::create(b);
      llama::DispatchOp::create(b,
                                b.getArrayAttr(FlatSymbolRefAttr::get(kernel)),
                                DenseI32ArrayAttr(), Value());
    }
  }
};
} // namespace
