//===- CUDAToNVVM.cpp - the cuda dialect to nvvm and llvm -----------------===//
//
// vector -> llvm, for the device: each op of cuda becomes the one or two nvvm
// and llvm ops with the same meaning. A pass of its own, before upstream's
// conversions, so that none of them needs patterns for our dialect;
// cuda-to-emulator lowers the same ops to the emulator.
//
// An address is taken out of a memref by casting it to the descriptor that
// upstream's conversion will make of it.
//
//===----------------------------------------------------------------------===//

#include "dialects/CUDA/IR/CUDADialect.h"
#include "dialects/Llama/IR/LlamaDialect.h"
#include "mlir/Conversion/LLVMCommon/MemRefBuilder.h"
#include "mlir/Conversion/LLVMCommon/Pattern.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/LLVMIR/NVVMDialect.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"
#include "mlir/IR/Matchers.h"
#include "passes/CUDA/LaunchOrder.h"
#include "passes/CUDA/Passes.h"

namespace corellama::cuda {
#define GEN_PASS_DEF_CUDATONVVM
#include "passes/CUDA/Passes.h.inc"
} // namespace corellama::cuda

using namespace mlir;
using namespace corellama::cuda;

namespace {

/// All workgroup memory of a kernel: PTX's `extern .shared`, whose size the
/// launch names. One symbol for all kernels of a module.
constexpr llvm::StringLiteral kShared = "corellama_shared";
/// The alignment of workgroup memory, as `cuda.shared` guarantees it.
constexpr unsigned kSharedAlign = 128;
/// Lanes of a warp that take part in a shuffle or a converge: all.
constexpr int32_t kAllLanes = -1;
/// shfl's clamp operand: the last lane, and segments of 32 lanes.
constexpr int32_t kShuffleClamp = 31;

struct Lowering {
  ModuleOp module;
  /// Threads of a block of the current kernel, the bound of a thread's number.
  int64_t threads;
  const LLVMTypeConverter &types;
  ImplicitLocOpBuilder &b;

  Value i32(int32_t value) {
    return LLVM::ConstantOp::create(b, b.getI32Type(),
                                    b.getI32IntegerAttr(value));
  }
  /// The address of an element, in the memory space that the op requires.
  Value addressOf(Value memory, ValueRange indices, unsigned space);

  Value lowerShared(SharedOp op);
  Value lowerLoadWeight(LoadWeightOp op);
  Value lowerText(Type result, ValueRange operands, const Twine &text,
                  StringRef constraints);
  void lowerPrefetch(PrefetchOp op);
  Value lowerMaskedOr(arith::OrIOp op);
  void lowerCopyAsync(CopyAsyncOp op);
  Value lowerLdMatrix(LdMatrixOp op);
  Value lowerMma(MmaOp op);
  /// A special register, which is not negative and below `bound`.
  template <typename Sreg> Value lowerId(int64_t bound);
  /// Replaces an op of cuda.
  void lower(Operation *op);
};

} // namespace

Value Lowering::addressOf(Value memory, ValueRange indices, unsigned space) {
  auto type = cast<MemRefType>(memory.getType());
  Value descriptor =
      UnrealizedConversionCastOp::create(b, types.convertType(type), memory)
          .getResult(0);
  SmallVector<Value> at;
  for (Value index : indices)
    at.push_back(arith::IndexCastOp::create(b, b.getI64Type(), index));
  Value address =
      LLVM::getStridedElementPtr(b, b.getLoc(), types, type, descriptor, at);
  if (type.getMemorySpaceAsInt() != space)
    address = LLVM::AddrSpaceCastOp::create(
        b, LLVM::LLVMPointerType::get(b.getContext(), space), address);
  return address;
}

Value Lowering::lowerShared(SharedOp op) {
  Type bytes = LLVM::LLVMArrayType::get(b.getI8Type(), 0);
  if (!module.lookupSymbol(kShared)) {
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToStart(module.getBody());
    LLVM::GlobalOp::create(b, bytes, /*isConstant=*/false,
                           LLVM::Linkage::External, kShared, Attribute(),
                           kSharedAlign, kWorkgroupSpace);
  }
  auto type = cast<MemRefType>(op.getType());
  Type pointer = LLVM::LLVMPointerType::get(b.getContext(), kWorkgroupSpace);
  Value base = LLVM::AddressOfOp::create(b, pointer, kShared);
  Value address = LLVM::GEPOp::create(
      b, pointer, b.getI8Type(), base,
      ArrayRef<LLVM::GEPArg>{static_cast<int32_t>(op.getAt())});
  Value descriptor =
      MemRefDescriptor::fromStaticShape(b, b.getLoc(), types, type, address);
  return UnrealizedConversionCastOp::create(b, TypeRange{type}, descriptor)
      .getResult(0);
}

/// 16 bytes at once because the alignment says so. Not invariant, though
/// weights never change: `ld.global.nc`, which LLVM would make of it, ptxas
/// moves over every barrier and so below its first use.
Value Lowering::lowerLoadWeight(LoadWeightOp op) {
  Value address = addressOf(op.getMemory(), op.getAt(), kGlobalSpace);
  return LLVM::LoadOp::create(b, op.getType(), address, /*alignment=*/16);
}

/// One instruction of PTX as text.
Value Lowering::lowerText(Type result, ValueRange operands, const Twine &text,
                          StringRef constraints) {
  auto made = LLVM::InlineAsmOp::create(
      b, result ? TypeRange(result) : TypeRange(), operands, text.str(),
      constraints, /*has_side_effects=*/!result, /*is_align_stack=*/false,
      LLVM::TailCallKind::None, /*asm_dialect=*/LLVM::AsmDialectAttr(),
      /*operand_attrs=*/ArrayAttr());
  return result ? made.getRes() : Value();
}

/// Text, because LLVM has the instruction for sm_90 and later only; PTX has it
/// for every GPU of ours.
void Lowering::lowerPrefetch(PrefetchOp op) {
  Value address = addressOf(op.getMemory(), op.getAt(), kGlobalSpace);
  lowerText({}, address, "prefetch.global.L2 [$0];", "l");
}

/// Text, because ptxas makes two instructions of `and` and `or` where both have
/// a constant, which dequantisation is full of. The table of lop3 is
/// (0xF0 & 0xCC) | 0xAA, for its operands (PTX ISA, lop3).
Value Lowering::lowerMaskedOr(arith::OrIOp op) {
  auto masked = op.getLhs().getDefiningOp<arith::AndIOp>();
  APInt mask, bits;
  matchPattern(masked.getRhs(), m_ConstantInt(&mask));
  matchPattern(op.getRhs(), m_ConstantInt(&bits));
  return lowerText(b.getI32Type(), masked.getLhs(),
                   "lop3.b32 $0, $1, " + Twine(mask.getZExtValue()) + ", " +
                       Twine(bits.getZExtValue()) + ", 0xEA;",
                   "=r,r");
}

/// `.cg`: copied rows are read again from workgroup memory only, so they need
/// no line of the first-level cache.
void Lowering::lowerCopyAsync(CopyAsyncOp op) {
  Value source = addressOf(op.getSource(), op.getSourceIndices(), kGlobalSpace);
  Value target =
      addressOf(op.getTarget(), op.getTargetIndices(), kWorkgroupSpace);
  Value valid = arith::IndexCastOp::create(b, b.getI32Type(), op.getValid());
  NVVM::CpAsyncOp::create(b, target, source,
                          b.getI32IntegerAttr(CopyAsyncOp::kBytes),
                          NVVM::LoadCacheModifierKindAttr::get(
                              b.getContext(), NVVM::LoadCacheModifierKind::CG),
                          valid);
}

Value Lowering::lowerLdMatrix(LdMatrixOp op) {
  auto type = cast<VectorType>(op.getType());
  auto pair = VectorType::get({2}, type.getElementType());
  int64_t count = type.getDimSize(0);
  Value row = addressOf(op.getMemory(), op.getIndices(), kWorkgroupSpace);
  SmallVector<Type> registers(count, b.getI32Type());
  Type result =
      count == 1 ? Type(b.getI32Type())
                 : LLVM::LLVMStructType::getLiteral(b.getContext(), registers);
  Value loaded = NVVM::LdMatrixOp::create(
      b, result, row, static_cast<uint32_t>(count),
      op.getTransposed() ? NVVM::MMALayout::col : NVVM::MMALayout::row,
      NVVM::LdStMatrixShapeAttr::get(b.getContext(), 8, 8),
      NVVM::LdStMatrixEltType::B16);
  Value value = arith::ConstantOp::create(b, b.getZeroAttr(type));
  for (int64_t i = 0; i < count; ++i) {
    Value word =
        count == 1 ? loaded : Value(LLVM::ExtractValueOp::create(b, loaded, i));
    value = vector::InsertOp::create(
        b, LLVM::BitcastOp::create(b, pair, word).getResult(), value, i);
  }
  return value;
}

Value Lowering::lowerMma(MmaOp op) {
  // Registers of f16 are pairs, those of bf16 words.
  const bool isBF16 = getElementTypeOrSelf(op.getA().getType()).isBF16();
  auto registersOf = [&](Value value) {
    SmallVector<Value> registers;
    int64_t count = cast<VectorType>(value.getType()).getDimSize(0);
    for (int64_t i = 0; i < count; ++i) {
      Value pair = vector::ExtractOp::create(b, value, i);
      registers.push_back(
          isBF16 ? LLVM::BitcastOp::create(b, b.getI32Type(), pair).getResult()
                 : pair);
    }
    return registers;
  };
  SmallVector<Value> sums;
  for (int64_t i = 0; i < 4; ++i)
    sums.push_back(vector::ExtractOp::create(b, op.getC(), i));
  Type result = LLVM::LLVMStructType::getLiteral(
      b.getContext(), SmallVector<Type>(4, b.getF32Type()));
  SmallVector<Value> a = registersOf(op.getA());
  SmallVector<Value> second = registersOf(op.getB());
  const NVVM::MMATypes type =
      isBF16 ? NVVM::MMATypes::bf16 : NVVM::MMATypes::f16;
  Value product = NVVM::MmaOp::create(
      b, result, a, second, sums, ArrayRef<int64_t>{16, 8, 16}, std::nullopt,
      std::nullopt, std::array<NVVM::MMATypes, 2>{type, type},
      std::array<NVVM::MMALayout, 2>{NVVM::MMALayout::row,
                                     NVVM::MMALayout::col});
  SmallVector<Value> elements;
  for (int64_t i = 0; i < 4; ++i)
    elements.push_back(LLVM::ExtractValueOp::create(b, product, i));
  return vector::FromElementsOp::create(b, cast<VectorType>(op.getType()),
                                        elements);
}

template <typename Sreg> Value Lowering::lowerId(int64_t bound) {
  auto range = LLVM::ConstantRangeAttr::get(b.getContext(), APInt(32, 0),
                                            APInt(32, bound));
  Value number = Sreg::create(b, b.getI32Type(), range);
  return arith::IndexCastUIOp::create(b, b.getIndexType(), number);
}

/// Whether an op is (x & a constant) | a constant, of 32 bits.
static bool isMaskedOr(Operation *op) {
  auto both = dyn_cast<arith::OrIOp>(op);
  if (!both || !both.getType().isInteger(32) ||
      !matchPattern(both.getRhs(), m_Constant()))
    return false;
  auto masked = both.getLhs().getDefiningOp<arith::AndIOp>();
  return masked && matchPattern(masked.getRhs(), m_Constant());
}

void Lowering::lower(Operation *op) {
  Value lowered;
  if (isa<ThreadIdOp>(op))
    lowered = lowerId<NVVM::ThreadIdXOp>(threads);
  else if (isa<BlockIdOp>(op))
    // The most blocks that a launch may have in x.
    lowered = lowerId<NVVM::BlockIdXOp>(INT32_MAX);
  else if (isa<BarrierOp>(op))
    NVVM::Barrier0Op::create(b);
  // LLVM takes both for accesses of all memory, so it moves none over them. It
  // has them for chips from 9.0 on: for others code generation drops them.
  else if (isa<LaunchDependentsOp>(op))
    NVVM::GriddepcontrolOp::create(b,
                                   NVVM::GridDepActionKind::launch_dependents);
  else if (isa<WaitPreviousOp>(op))
    NVVM::GriddepcontrolOp::create(b, NVVM::GridDepActionKind::wait);
  else if (isa<ConvergeOp>(op))
    NVVM::SyncWarpOp::create(b, i32(kAllLanes));
  else if (auto shuffle = dyn_cast<ShuffleXorOp>(op)) {
    Value all = i32(kAllLanes);
    Value mask = i32(static_cast<int32_t>(shuffle.getMask()));
    lowered = NVVM::ShflOp::create(b, shuffle.getType(), all,
                                   shuffle.getValue(), mask, i32(kShuffleClamp),
                                   NVVM::ShflKind::bfly, UnitAttr());
  } else if (auto shared = dyn_cast<SharedOp>(op))
    lowered = lowerShared(shared);
  else if (auto load = dyn_cast<LoadWeightOp>(op))
    lowered = lowerLoadWeight(load);
  else if (auto prefetch = dyn_cast<PrefetchOp>(op))
    lowerPrefetch(prefetch);
  else if (auto copy = dyn_cast<CopyAsyncOp>(op))
    lowerCopyAsync(copy);
  else if (isa<CopyCommitOp>(op))
    NVVM::CpAsyncCommitGroupOp::create(b);
  else if (auto wait = dyn_cast<CopyWaitOp>(op))
    NVVM::CpAsyncWaitGroupOp::create(b, wait.getPending());
  else if (auto permute = dyn_cast<PermuteBytesOp>(op))
    lowered = NVVM::PermuteOp::create(b, b.getI32Type(), permute.getLow(),
                                      permute.getHigh(), permute.getWhich(),
                                      NVVM::PermuteMode::DEFAULT);
  else if (auto matrix = dyn_cast<LdMatrixOp>(op))
    lowered = lowerLdMatrix(matrix);
  else if (auto mma = dyn_cast<MmaOp>(op))
    lowered = lowerMma(mma);
  else if (isMaskedOr(op))
    lowered = lowerMaskedOr(cast<arith::OrIOp>(op));
  else
    // Upstream lowers vector.fma to fmuladd, which may be split into two
    // roundings; math.fma becomes an fma. A reduction order requires a single
    // rounding.
    lowered = math::FmaOp::create(b, cast<vector::FMAOp>(op).getLhs(),
                                  cast<vector::FMAOp>(op).getRhs(),
                                  cast<vector::FMAOp>(op).getAcc());
  if (lowered)
    op->getResult(0).replaceAllUsesWith(lowered);
  op->erase();
}

namespace {
struct CUDAToNVVM : corellama::cuda::impl::CUDAToNVVMBase<CUDAToNVVM> {
  void runOnOperation() override {
    const LLVMTypeConverter types(&getContext());
    for (auto kernel : getOperation().getOps<func::FuncOp>()) {
      auto strategy = kernel->getAttrOfType<corellama::cuda::StrategyAttr>(
          corellama::llama::kStrategyAttr);
      // Host code has no op of cuda.
      if (!strategy)
        continue;
      if (kernel->hasAttr(corellama::llama::kPartitionAttr) &&
          failed(verifyLaunchOrder(kernel)))
        return signalPassFailure();
      SmallVector<Operation *> words;
      kernel.walk([&](Operation *op) {
        if (isa<CUDADialect>(op->getDialect()) || isa<vector::FMAOp>(op) ||
            isMaskedOr(op))
          words.push_back(op);
      });
      for (Operation *op : words) {
        ImplicitLocOpBuilder b(op->getLoc(), op);
        Lowering{getOperation(), strategy.getThreads(), types, b}.lower(op);
      }
    }
  }
};
} // namespace
