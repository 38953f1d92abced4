//===- CUDAPlanner.cpp - how kernels run on a GPU: the table --------------===//
//
// One row a kind of kernel, each constant explained, and the functions that
// pick a row from what is in a kernel. Read by `llama-set-numerics`,
// `llama-plan-layouts` and `llama-plan-kernels` through PlannerInterface. One
// table for sm_80 and sm_90: the kernels use nothing that the older one lacks.
//
//===----------------------------------------------------------------------===//

#include "passes/CUDA/CUDAPlanner.h"
#include "dialects/CUDA/IR/CUDADialect.h"
#include "mlir/IR/DialectRegistry.h"
#include "mlir/Interfaces/FunctionInterfaces.h"
#include "passes/CUDA/Passes.h"
#include "passes/CUDA/UnitLowering.h"
#include "passes/Llama/CarriedOptions.h"
#include "runtime/ABI/Kernel.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace corellama;
using namespace corellama::llama;

namespace {

/// The units in the table's rows.
enum class Unit { SIMT, MMA, MMASplit };

/// One row of the table, in the order of #cuda.strategy's parameters.
struct TableRow {
  Unit unit;
  int64_t threads, m, n, k, stages;
};

/// Products on float32 rows: 8 warps, each two rows of the weight, so that a
/// value of x that a lane reads is used twice. Two blocks are resident on a
/// multiprocessor at 128 registers a thread, and with eight loads of 16 bytes
/// in flight a lane (four of 4-bit quants) they ask for 64 KiB (32) at a time:
/// more than the 17.8 KB that cover the latency of an H100's memory, 3.35 TB/s
/// x 700 ns / 132 multiprocessors.
constexpr TableRow kProduct = {
    .unit = Unit::SIMT, .threads = 256, .m = 1, .n = 16, .k = 0, .stages = 1};
/// The same on tensor cores, where numerics are free: 8 warps share 16 rows of
/// the weight and divide their columns.
constexpr TableRow kSplitProduct = {.unit = Unit::MMASplit,
                                    .threads = kProduct.threads,
                                    .m = kProduct.m,
                                    .n = kProduct.n,
                                    .k = 0,
                                    .stages = 1};
/// Products on tensor cores: 4 warps of 16 x 64. A stage of 32 columns, one
/// or two blocks of the formats' scales, is 4 KiB of rows and of weights; with
/// two stages the next one is copied while this one is computed. They take 16
/// KiB, so registers, not memory, limit the blocks of a multiprocessor.
constexpr TableRow kTensorCores = {.unit = Unit::MMA,
                                   .threads = 128,
                                   .m = 64,
                                   .n = 64,
                                   .k = cuda::kMmaBlock,
                                   .stages = 2};
/// Attention: of 64 keys of 128 f16, and their values, a thread has eight loads
/// of 16 bytes each, so that it waits once for all of them. In decode m is the
/// number of heads of a part, which share the keys.
constexpr TableRow kAttention = {
    .unit = Unit::SIMT, .threads = 128, .m = 1, .n = 128, .k = 0, .stages = 1};
/// Keys of a block: with 512 keys, 32 heads of them are 256 parts, two for each
/// multiprocessor of an H100, and 8 such heads still half as many as it has.
constexpr int64_t kAttentionKeys = 64;
static_assert(abi::kCacheBlock % kAttentionKeys == 0);
/// Attention of many rows on tensor cores: 4 warps of 16 rows, a stage of 64
/// keys. At 128 elements of a head, query, keys and values take 68 KiB, so that
/// two blocks fit on an A100 as well.
constexpr TableRow kTensorAttention = {.unit = Unit::MMA,
                                       .threads = kTensorCores.threads,
                                       .m = kTensorCores.m,
                                       .n = kTensorCores.n,
                                       .k = kAttentionKeys,
                                       .stages = 1};
/// The largest head of it, whose sums are 64 registers of a thread (those of
/// one twice as large spill), and the elements of a row that are read at once.
constexpr int64_t kTensorHead = 128, kTensorHeadMultiple = 4;
/// The most heads of a part of decode. A thread holds two scores and several
/// elements of each, and heads come one after the other; where more share keys,
/// parts of the same keys read them from the second-level cache.
constexpr int64_t kAttentionHeads = 8;
/// The most sums of values that a thread holds, for the same reason: its
/// elements of all heads of the part. This limit matters for heads of more than
/// 256 elements.
constexpr int64_t kAttentionSums = 16;
/// Row-wise kernels (norms): a thread a column.
constexpr TableRow kRowWise = {
    .unit = Unit::SIMT, .threads = 256, .m = 1, .n = 256, .k = 0, .stages = 1};

/// The most columns of a row of the embedding that a thread reads at once: of
/// 4096 columns all that it has, so that it waits for memory once. A block
/// alone reads the row, so nothing else hides a wait.
constexpr int64_t kEmbedColumns = 16;

/// Rows of weights in a part of the LM head. A vocabulary has enough rows for
/// hundreds of such blocks, and each block stages and normalises the row of x
/// once for four times as many rows.
constexpr int64_t kLMHeadPart = 64;
/// The fewest rows of a group that is partitioned that way: at least 256 parts,
/// which is more than an A100 (108) or an H100 (132) has multiprocessors.
constexpr int64_t kLMHeadRows = 256 * kLMHeadPart;

/// Elements of f16 in the 16 bytes of one copy to workgroup memory, for tensor
/// cores; a row of x must begin at such a multiple.
constexpr int64_t kCopiedHalves = 8;

/// Bytes of workgroup memory that 32 columns of a split row take
/// (CUDAKernel::splitRow), and what its kernel may have besides: a line of
/// zeros, partial sums of two products and of a norm.
constexpr int64_t kSplitBytes = 144, kSplitRest = 4096;

/// The unit of tensor cores that reads rows of this type, f16 or bf16.
cuda::MmaAttr tensorCoresFor(Type rows) {
  return cuda::MmaAttr::get(rows.getContext(), rows.isBF16() ? rows : Type());
}

/// `rows`: the type that the unit is for, of the two that tensor cores read.
cuda::StrategyAttr makeStrategy(MLIRContext *context, const TableRow &row,
                                Type rows = {}) {
  ContractionUnitInterface unit = cuda::SimtAttr::get(context);
  if (row.unit == Unit::MMA)
    unit = tensorCoresFor(rows);
  else if (row.unit == Unit::MMASplit)
    unit = cuda::MmaSplitAttr::get(context);
  return cuda::StrategyAttr::get(context, unit, row.threads, row.m, row.n,
                                 row.k, row.stages);
}

//===----------------------------------------------------------------------===//
// Tensor cores
//===----------------------------------------------------------------------===//

/// The rows by which tensor cores multiply a weight; null: they do not.
Type tensorCoreRows(LinearOp linear) {
  WeightType weight = linear.getWeight().getType();
  if (weight.getColumns() % kCopiedHalves == 0)
    for (Type rows : {Type(Float16Type::get(linear.getContext())),
                      Type(BFloat16Type::get(linear.getContext()))})
      if (tensorCoresFor(rows).getOrder(weight.getFormat()))
        return rows;
  return {};
}

/// Whether a product makes logits. Its rows are not rounded; mostly one is
/// wanted.
bool isLMHead(LinearOp linear) {
  auto function = linear->getParentOfType<FunctionOpInterface>();
  auto name = FlatSymbolRefAttr::get(function.getOperation());
  auto models = linear->getParentOfType<ModuleOp>().getOps<ModelOp>();
  return llvm::any_of(models, [&](ModelOp model) {
    return llvm::is_contained(model.getLmHeads(), name);
  });
}

/// The rows of a product on tensor cores; null: they do not compute it. They
/// do for many rows, all products of a layer. What reads the same rows is one
/// kernel, so tensor cores must compute all of that or none.
Type roundedRows(LinearOp linear) {
  Value x = linear.getX();
  if (getRowBound(x) <= kProduct.m || isLMHead(linear))
    return {};
  Type rows = tensorCoreRows(linear);
  bool agree = llvm::all_of(x.getUsers(), [&](Operation *user) {
    auto other = dyn_cast<LinearOp>(user);
    return !other || tensorCoreRows(other) == rows;
  });
  return agree ? rows : Type();
}

/// Whether forms need not have the same bits, so that each takes the unit that
/// suits its number of rows.
bool isFree(KernelOp kernel) {
  auto activations = getCarriedOption<StringAttr>(
      kernel->getParentOfType<ModuleOp>(), "activations");
  return activations && activations == "auto";
}

/// Whether tensor cores multiply a kernel's few rows of float32.
bool splitsRows(KernelOp kernel) {
  if (!isFree(kernel))
    return false;
  // A split row is longer.
  auto target = cast<cuda::TargetAttr>(getTarget(kernel));
  const int64_t most = target.getWorkgroupBytes();
  auto fits = [&](int64_t columns) {
    int64_t bytes = columns / cuda::kMmaBlock * kSplitBytes;
    return most == 0 || bytes + kSplitRest <= most;
  };
  auto split = cuda::MmaSplitAttr::get(kernel.getContext());
  return llvm::all_of(
      kernel.getBody().getOps<LinearOp>(), [&](LinearOp linear) {
        WeightType weight = linear.getWeight().getType();
        return split.getOrder(weight.getFormat()) && fits(weight.getColumns());
      });
}

/// Whether tensor cores compute attention of many rows: on keys and values that
/// they can multiply as they are.
bool attendsInTensorCores(KernelOp kernel, AttentionOp attention) {
  CacheType cache = attention.getCache().getType();
  const int64_t size = cache.getHeadSize();
  return isFree(kernel) && cache.getKeyType().isF16() &&
         cache.getValueType().isF16() && size <= kTensorHead &&
         size % kTensorHeadMultiple == 0;
}

//===----------------------------------------------------------------------===//
// Plans
//===----------------------------------------------------------------------===//

KernelPlan planProducts(KernelOp kernel) {
  MLIRContext *context = kernel.getContext();
  auto linears = kernel.getBody().getOps<LinearOp>();
  auto rowsOf = [](LinearOp linear) {
    return linear.getX().getType().getElementType();
  };
  Type rows = rowsOf(*linears.begin());
  if (!(rows.isF32() || rows.isF16() || rows.isBF16()) ||
      llvm::any_of(linears,
                   [&](LinearOp other) { return rowsOf(other) != rows; }))
    return {.error =
                "a GPU's products are all of a kernel on float32 rows, on f16 "
                "rows or on bf16 rows; compile with --activations=f32"};
  if (!rows.isF32())
    return {makeStrategy(context, kTensorCores, rows), kTensorCores.n,
            kTensorCores.m};
  bool few = getRowBound((*linears.begin()).getX()) <= kProduct.m;
  bool lmHead = few && llvm::any_of(linears, [](LinearOp linear) {
                  return linear.getWeight().getType().getRows() >= kLMHeadRows;
                });
  const TableRow &row = few && splitsRows(kernel) ? kSplitProduct : kProduct;
  return {makeStrategy(context, row), lmHead ? kLMHeadPart : row.n};
}

KernelPlan makePlan(KernelOp kernel) {
  MLIRContext *context = kernel.getContext();
  Block &body = kernel.getBody().front();
  // Angles are arithmetic of float64 on a tile, and two sums that one loop
  // carries want a tile as wide as the lanes of their order, which are all
  // threads of a block.
  if (!body.getOps<PositionEncodingOp>().empty())
    return {.error = "llama.position_encoding has no code for GPUs; compile "
                     "for a CPU"};
  if (llvm::any_of(body.getOps<LayerNormOp>(), [](LayerNormOp norm) {
        return norm.getPasses() == VariancePasses::OnePass;
      }))
    return {.error = "llama.layer_norm one_pass has no code for GPUs; make it "
                     "two_pass, or compile for a CPU"};
  for (auto part : body.getOps<AttentionPartOp>()) {
    CacheType cache = part.getCache().getType();
    int64_t group = part.getHeads() / cache.getHeads();
    TableRow row = kAttention;
    int64_t elements = llvm::divideCeil(cache.getHeadSize(), row.threads);
    row.m = std::max<int64_t>(
        1, std::min(kAttentionHeads, kAttentionSums / elements));
    while (group % row.m != 0)
      --row.m;
    return {makeStrategy(context, row)};
  }
  for (auto attention : body.getOps<AttentionOp>())
    return {
        attendsInTensorCores(kernel, attention)
            ? makeStrategy(context, kTensorAttention, Float16Type::get(context))
            : makeStrategy(context, kAttention)};
  if (!body.getOps<LinearOp>().empty())
    return planProducts(kernel);
  if (!body.getOps<AttentionMergeOp>().empty())
    return {makeStrategy(context, kAttention)};
  for (auto embed : body.getOps<EmbedOp>()) {
    TableRow row = kRowWise;
    // Equal tiles: of most rows none passes the end.
    int64_t columns =
        llvm::divideCeil(embed.getWeight().getType().getColumns(), row.threads);
    int64_t tiles = llvm::divideCeil(columns, kEmbedColumns);
    row.n = llvm::divideCeil(columns, tiles) * row.threads;
    return {makeStrategy(context, row)};
  }
  return {makeStrategy(context, kRowWise)};
}

struct CUDAPlanner
    : PlannerInterface::ExternalModel<CUDAPlanner, cuda::TargetAttr> {
  Type getRowsType(Attribute, Operation *op) const {
    return roundedRows(cast<LinearOp>(op));
  }

  int64_t getAttentionKeys(Attribute) const { return kAttentionKeys; }

  /// A warp has one row of x and several of the weight.
  int64_t getFewRows(Attribute) const { return kProduct.m; }

  Attribute getWeightLayout(Attribute self, FormatInterface format,
                            int64_t rank) const {
    if (rank == 1)
      return RowMajorAttr::get(self.getContext());
    return RowMajorSplitAttr::get(self.getContext());
  }

  std::pair<Attribute, Attribute> getCacheLayouts(Attribute self, Type keyType,
                                                  Type valueType) const {
    for (Type type : {keyType, valueType})
      if (!isa<Float32Type, Float16Type>(type))
        return {};
    auto rows = RowMajorAttr::get(self.getContext());
    return {rows, rows};
  }

  KernelPlan plan(Attribute, Operation *op) const {
    return makePlan(cast<KernelOp>(op));
  }

  Attribute getOrder(Attribute self, Operation *op) const {
    // A norm is in a row-wise kernel or in a product on float32 rows, both of
    // 256 threads. Of a key, lanes share chunks, or tensor cores have all.
    bool isPrologue = op->hasTrait<IsRowPrologue>();
    if (isa<AttentionOp>(op))
      if (auto strategy = cast<cuda::StrategyAttr>(
              op->getParentOfType<KernelOp>().getStrategyAttr());
          isa<cuda::MmaAttr>(strategy.getUnit()))
        return ReductionOrderAttr::get(self.getContext(), strategy.getUnit(),
                                       /*block=*/0, ScaleMode::None,
                                       /*lanes=*/0);
    int64_t block = 0;
    for (Type type : op->getOperandTypes())
      if (auto cache = dyn_cast<CacheType>(type))
        block =
            cuda::kChunkBytes * 8 / cache.getKeyType().getIntOrFloatBitWidth();
    return ReductionOrderAttr::get(
        self.getContext(), /*unit=*/{}, block, ScaleMode::None,
        isPrologue ? kRowWise.threads : kAttention.n);
  }
};

static_assert(kProduct.threads == kRowWise.threads,
              "a norm is summed by all threads of a block, and decode and "
              "prefill sum it in one order");

} // namespace

void corellama::cuda::registerPlanner(DialectRegistry &registry) {
  registry.addExtension(+[](MLIRContext *context, CUDADialect *) {
    TargetAttr::attachInterface<CUDAPlanner>(*context);
  });
}

void corellama::cuda::registerExternalModels(DialectRegistry &registry) {
  registerPlanner(registry);
  registerUnits(registry);
}
