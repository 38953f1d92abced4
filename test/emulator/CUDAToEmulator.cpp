//===- CUDAToEmulator.cpp - GPU ops to calls of the emulator --------------===//
//
// vector -> llvm, for this machine. A kernel becomes a host function that a
// fibre runs as one thread of one block: each op of cuda becomes a call
// (test/emulator/EmulatorABI.h), and all memory is in one space. Its input is
// the input of CUDAToNVVM.cpp, so a test on the emulator is a test of the GPU's
// code.
//
//===----------------------------------------------------------------------===//

#include "dialects/CPU/IR/CPUDialect.h"
#include "dialects/CUDA/IR/CUDADialect.h"
#include "dialects/Context/IR/ContextDialect.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"
#include "mlir/IR/TypeUtilities.h"
#include "test/emulator/Passes.h"
#include "llvm/ADT/TypeSwitch.h"

namespace corellama::emulator {
#define GEN_PASS_DEF_CUDATOEMULATOR
#include "test/emulator/Passes.h.inc"
} // namespace corellama::emulator

using namespace mlir;
using namespace corellama;
using namespace corellama::cuda;

namespace {

/// The host for which the emulator's kernels are compiled. Fixed, because
/// results of tests must not depend on the machine. FMA and F16C because
/// without them LLVM calls a library for fma and f16 conversions.
cpu::TargetAttr hostTarget(MLIRContext *context) {
  return cpu::TargetAttr::get(context, "x86-64-v3", "+avx2,+f16c,+fma",
                              /*vector_bits=*/256);
}

/// One function of test/emulator/EmulatorABI.h.
struct Word {
  StringRef name;
  Type result; // null: none
  SmallVector<Type> arguments;
  /// Constant for a thread, without effects, so that the call may move.
  bool constant = false;
};

/// The addition of what a shuffle gives to what it was given.
arith::AddFOp additionOf(ShuffleXorOp shuffle) {
  if (!shuffle->hasOneUse())
    return nullptr;
  auto sum = dyn_cast<arith::AddFOp>(*shuffle->user_begin());
  bool adds = sum && sum->getBlock() == shuffle->getBlock() &&
              llvm::is_contained(sum->getOperands(), shuffle.getValue()) &&
              sum.getFastmath() == arith::FastMathFlags::none;
  return adds ? sum : nullptr;
}

/// The ops that make a sum over a warp, where this shuffle begins one: shuffles
/// of masks 16, 8, 4, 2, 1 and their additions, in turns, of which nothing else
/// reads the inner ones. Else none.
SmallVector<Operation *> sumOverWarp(ShuffleXorOp shuffle) {
  SmallVector<Operation *> ops;
  for (uint32_t mask = kWarp / 2;; mask /= 2) {
    arith::AddFOp sum = additionOf(shuffle);
    if (!sum || shuffle.getMask() != mask)
      return {};
    ops.append({shuffle, sum});
    if (mask == 1)
      return ops;
    if (!sum.getResult().hasNUses(2))
      return {};
    auto next = llvm::find_if(sum->getUsers(), llvm::IsaPred<ShuffleXorOp>);
    if (next == sum->user_end())
      return {};
    shuffle = cast<ShuffleXorOp>(*next);
  }
}

/// Lowers the cuda ops of one kernel.
class KernelLowering {
public:
  KernelLowering(ModuleOp module, func::FuncOp kernel)
      : module(module), kernel(kernel),
        pointer(LLVM::LLVMPointerType::get(module.getContext())),
        i32(IntegerType::get(module.getContext(), 32)) {}

  void run() {
    addOverWarps();
    widenHalves();
    SmallVector<Operation *> words;
    kernel.walk([&](Operation *op) {
      if (isa<CUDADialect>(op->getDialect()))
        words.push_back(op);
    });
    useOneSpace();
    for (Operation *word : words) {
      ImplicitLocOpBuilder b(word->getLoc(), word);
      if (Value result = lower(b, word))
        word->getResult(0).replaceAllUsesWith(result);
      word->erase();
    }
  }

private:
  /// Sums over a warp to one call each: most of the time of a kernel goes into
  /// switching from lane to lane at each shuffle.
  void addOverWarps() {
    SmallVector<SmallVector<Operation *>> sums;
    kernel.walk([&](ShuffleXorOp op) {
      if (auto ops = sumOverWarp(op); !ops.empty())
        sums.push_back(std::move(ops));
    });
    for (ArrayRef<Operation *> ops : sums) {
      auto first = cast<ShuffleXorOp>(ops.front());
      ImplicitLocOpBuilder b(first.getLoc(), first);
      Value bits = arith::BitcastOp::create(b, i32, first.getValue());
      Value sum = call(b, {"warp_sum", i32, {i32, i32}}, {bits, site(b)});
      ops.back()->getResult(0).replaceAllUsesWith(
          arith::BitcastOp::create(b, b.getF32Type(), sum));
      for (Operation *op : llvm::reverse(ops))
        op->erase();
    }
  }

  /// Multiply-adds of f16 in float32, because for them LLVM calls a library.
  /// Rounded twice, the result is another only if it is no float32.
  void widenHalves() {
    SmallVector<math::FmaOp> halves;
    kernel.walk([&](math::FmaOp op) {
      if (getElementTypeOrSelf(op.getType()).isF16())
        halves.push_back(op);
    });
    for (math::FmaOp op : halves) {
      ImplicitLocOpBuilder b(op.getLoc(), op);
      Type wide = b.getF32Type();
      if (auto vector = dyn_cast<VectorType>(op.getType()))
        wide = vector.clone(wide);
      SmallVector<Value> operands;
      for (Value operand : op.getOperands())
        operands.push_back(arith::ExtFOp::create(b, wide, operand));
      Value sum = math::FmaOp::create(b, operands[0], operands[1], operands[2]);
      op.replaceAllUsesWith(
          arith::TruncFOp::create(b, op.getType(), sum).getResult());
      op.erase();
    }
  }

  /// Memory of any space to memory of the host's only one.
  void useOneSpace() {
    auto adapt = [](Value value) {
      auto type = dyn_cast<MemRefType>(value.getType());
      if (type && type.getMemorySpace())
        value.setType(MemRefType::get(type.getShape(), type.getElementType(),
                                      type.getLayout(),
                                      /*memorySpace=*/Attribute()));
    };
    kernel.walk([&](Operation *op) {
      llvm::for_each(op->getResults(), adapt);
      for (Region &region : op->getRegions())
        for (Block &block : region)
          llvm::for_each(block.getArguments(), adapt);
    });
    kernel.walk([&](memref::MemorySpaceCastOp cast) {
      cast.replaceAllUsesWith(cast.getSource());
      cast.erase();
    });
  }

  Value lower(ImplicitLocOpBuilder &b, Operation *word);

  /// The call for an op; its declaration is made when it is first needed.
  Value call(ImplicitLocOpBuilder &b, const Word &word, ValueRange operands) {
    std::string name = ("corellama_emulator_" + word.name).str();
    auto function = module.lookupSymbol<LLVM::LLVMFuncOp>(name);
    if (!function) {
      OpBuilder::InsertionGuard guard(b);
      b.setInsertionPointToEnd(module.getBody());
      Type result = word.result ? word.result
                                : Type(LLVM::LLVMVoidType::get(b.getContext()));
      function = LLVM::LLVMFuncOp::create(
          b, name, LLVM::LLVMFunctionType::get(result, word.arguments));
      function.setNoUnwind(true);
      if (word.constant) {
        auto none = LLVM::ModRefInfo::NoModRef;
        function.setMemoryEffectsAttr(LLVM::MemoryEffectsAttr::get(
            b.getContext(), none, none, none, none, none, none));
        function.setWillReturn(true);
      } else {
        // Convergent: LLVM must not make the call depend on more conditions.
        function.setConvergent(true);
      }
    }
    auto made = LLVM::CallOp::create(b, function, operands);
    made.setConvergent(!word.constant);
    return word.result ? made.getResult() : Value();
  }

  /// The address of an element.
  Value address(ImplicitLocOpBuilder &b, Value memory, ValueRange indices) {
    auto metadata = memref::ExtractStridedMetadataOp::create(b, memory);
    Value at = metadata.getOffset();
    for (auto [index, stride] : llvm::zip_equal(indices, metadata.getStrides()))
      at =
          arith::AddIOp::create(b, at, arith::MulIOp::create(b, index, stride));
    Value base = memref::ExtractAlignedPointerAsIndexOp::create(b, memory);
    Type element = cast<MemRefType>(memory.getType()).getElementType();
    Value start = LLVM::IntToPtrOp::create(b, pointer, toI64(b, base));
    return LLVM::GEPOp::create(b, pointer, element, start,
                               ArrayRef<LLVM::GEPArg>{toI64(b, at)});
  }
  static Value toI64(ImplicitLocOpBuilder &b, Value index) {
    return arith::IndexCastOp::create(b, b.getI64Type(), index);
  }
  /// The number of an op at which threads wait for each other, or access
  /// memory. The call's address would not identify it: LLVM may duplicate the
  /// call for several predecessors.
  Value site(ImplicitLocOpBuilder &b) { return constant(b, nextSite++); }
  /// Of ops that order memory, by themselves: a test leaves out each by its
  /// number.
  Value orderSite(ImplicitLocOpBuilder &b) {
    return constant(b, nextOrderSite++);
  }
  Value constant(ImplicitLocOpBuilder &b, int64_t value) {
    return arith::ConstantIntOp::create(b, i32, value);
  }

  /// A local variable of the kernel, allocated once, in the entry block.
  Value local(VectorType type) {
    ImplicitLocOpBuilder b(kernel.getLoc(), kernel.getContext());
    b.setInsertionPointToStart(&kernel.getBody().front());
    return LLVM::AllocaOp::create(b, pointer, type, constant(b, 1),
                                  /*alignment=*/16);
  }
  /// Pairs of f16, one row a register, to a local variable of i32.
  Value storeRegisters(ImplicitLocOpBuilder &b, Value pairs) {
    auto type = cast<VectorType>(pairs.getType());
    auto words = VectorType::get(type.getDimSize(0), i32);
    Value flat = vector::ShapeCastOp::create(
        b, VectorType::get(type.getNumElements(), type.getElementType()),
        pairs);
    Value variable = local(words);
    LLVM::StoreOp::create(b, vector::BitCastOp::create(b, words, flat),
                          variable);
    return variable;
  }
  Value loadRegisters(ImplicitLocOpBuilder &b, VectorType type,
                      Value variable) {
    Value words = LLVM::LoadOp::create(
        b, VectorType::get(type.getDimSize(0), i32), variable);
    Value flat = vector::BitCastOp::create(
        b, VectorType::get(type.getNumElements(), type.getElementType()),
        words);
    return vector::ShapeCastOp::create(b, type, flat);
  }

  ModuleOp module;
  func::FuncOp kernel;
  Type pointer, i32;
  int64_t nextSite = 0, nextOrderSite = 0;
};

Value KernelLowering::lower(ImplicitLocOpBuilder &b, Operation *word) {
  return TypeSwitch<Operation *, Value>(word)
      .Case([&](ThreadIdOp) -> Value {
        Value thread = call(b, {"thread", i32, {}, /*constant=*/true}, {});
        return arith::IndexCastUIOp::create(b, b.getIndexType(), thread);
      })
      .Case([&](BlockIdOp) -> Value {
        Value block = call(b, {"block", i32, {}, /*constant=*/true}, {});
        return arith::IndexCastUIOp::create(b, b.getIndexType(), block);
      })
      .Case([&](BarrierOp) {
        return call(b, {"barrier", {}, {i32}}, orderSite(b));
      })
      // Launches come one after the other here, whatever lets them begin.
      .Case([&](LaunchDependentsOp) { return Value(); })
      .Case([&](WaitPreviousOp) {
        return call(b, {"wait_previous", {}, {i32}}, orderSite(b));
      })
      .Case(
          [&](ConvergeOp) { return call(b, {"converge", {}, {i32}}, site(b)); })
      .Case([&](ShuffleXorOp op) -> Value {
        Value mask = constant(b, op.getMask()), value = op.getValue();
        bool isFloat = value.getType().isF32();
        if (isFloat)
          value = arith::BitcastOp::create(b, i32, value);
        Value result = call(b, {"shuffle_xor", i32, {i32, i32, i32}},
                            {value, mask, site(b)});
        if (isFloat)
          result = arith::BitcastOp::create(b, b.getF32Type(), result);
        return result;
      })
      .Case([&](SharedOp op) -> Value {
        Value shared = call(b, {"shared", pointer, {}, /*constant=*/true}, {});
        Value at = arith::ConstantIndexOp::create(b, op.getAt());
        return context::ViewOp::create(b, op.getType(), shared, at);
      })
      .Case([&](LoadWeightOp op) -> Value {
        Value bytes = vector::LoadOp::create(
            b, VectorType::get(16, b.getI8Type()), op.getMemory(),
            ValueRange{op.getAt()}, /*nontemporal=*/false, llvm::Align(16));
        return vector::BitCastOp::create(b, op.getType(), bytes);
      })
      .Case([&](PermuteBytesOp op) -> Value {
        Type i64 = b.getI64Type();
        auto wide = [&](Value word) -> Value {
          return arith::ExtUIOp::create(b, i64, word);
        };
        auto number = [&](int64_t value) -> Value {
          return arith::ConstantOp::create(b, b.getI64IntegerAttr(value));
        };
        Value eight = arith::OrIOp::create(
            b, wide(op.getLow()),
            arith::ShLIOp::create(b, wide(op.getHigh()), number(32)));
        Value which = wide(op.getWhich()), result = number(0);
        for (int64_t i = 0; i < 4; ++i) {
          // 8 times the number, a shift of at most 56.
          Value place = arith::AndIOp::create(
              b, arith::ShRUIOp::create(b, which, number(4 * i)), number(7));
          place = arith::ShLIOp::create(b, place, number(3));
          Value byte = arith::AndIOp::create(
              b, arith::ShRUIOp::create(b, eight, place), number(255));
          result = arith::OrIOp::create(
              b, result, arith::ShLIOp::create(b, byte, number(8 * i)));
        }
        return arith::TruncIOp::create(b, i32, result);
      })
      .Case([&](PrefetchOp op) {
        // Nothing to wait for; that the memory is the launch's is checked.
        Value at = address(b, op.getMemory(), op.getAt());
        return call(b, {"prefetch", {}, {pointer, i32}}, {at, site(b)});
      })
      .Case([&](CopyAsyncOp op) {
        Value target = address(b, op.getTarget(), op.getTargetIndices());
        Value source = address(b, op.getSource(), op.getSourceIndices());
        Value valid = arith::IndexCastOp::create(b, i32, op.getValid());
        return call(b, {"copy_async", {}, {pointer, pointer, i32, i32}},
                    {target, source, valid, site(b)});
      })
      .Case([&](CopyCommitOp) {
        return call(b, {"copy_commit", {}, {i32}}, orderSite(b));
      })
      .Case([&](CopyWaitOp op) {
        return call(b, {"copy_wait", {}, {i32, i32}},
                    {constant(b, op.getPending()), orderSite(b)});
      })
      .Case([&](LdMatrixOp op) {
        auto type = cast<VectorType>(op.getType());
        Value row = address(b, op.getMemory(), op.getIndices());
        Value variable = local(VectorType::get(type.getDimSize(0), i32));
        call(b,
             {op.getTransposed() ? "ldmatrix_transposed" : "ldmatrix",
              {},
              {pointer, i32, pointer, i32}},
             {row, constant(b, type.getDimSize(0)), variable, site(b)});
        return loadRegisters(b, type, variable);
      })
      .Case([&](MmaOp op) -> Value {
        auto sums = cast<VectorType>(op.getC().getType());
        Value a = storeRegisters(b, op.getA()),
              second = storeRegisters(b, op.getB()), c = local(sums),
              d = local(sums);
        LLVM::StoreOp::create(b, op.getC(), c);
        bool isBF16 = getElementTypeOrSelf(op.getA().getType()).isBF16();
        call(b,
             {isBF16 ? "mma_bf16" : "mma",
              {},
              {pointer, pointer, pointer, pointer, i32}},
             {a, second, c, d, site(b)});
        return LLVM::LoadOp::create(b, sums, d);
      });
}

struct CUDAToEmulator
    : corellama::emulator::impl::CUDAToEmulatorBase<CUDAToEmulator> {
  void runOnOperation() override {
    ModuleOp module = getOperation();
    for (auto kernel : module.getOps<func::FuncOp>())
      if (kernel->hasAttr(llama::kPartitionAttr))
        KernelLowering(module, kernel).run();
    module->setAttr(llama::kTargetAttr, hostTarget(&getContext()));
  }
};

} // namespace
