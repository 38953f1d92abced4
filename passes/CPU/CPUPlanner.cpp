//===- CPUPlanner.cpp - how kernels run on a CPU: the table ---------------===//
//
// One row a width of vectors, each constant explained, and the function that
// turns a row and a kernel's shapes into a strategy and sizes of parts. Read by
// `llama-plan-kernels` and `llama-plan-layouts` through PlannerInterface.
//
//===----------------------------------------------------------------------===//

#include "passes/CPU/CPUPlanner.h"
#include "dialects/CPU/IR/CPUDialect.h"
#include "mlir/IR/DialectRegistry.h"
#include "passes/CPU/UnitLowering.h"
#include "passes/Llama/CarriedOptions.h"
#include "passes/Llama/Planner.h"
#include "passes/Llama/RowGroups.h"
#include "runtime/ABI/Kernel.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace corellama;
using namespace corellama::llama;

namespace {

/// Lanes of a sum over a row: one 512-bit vector, two 256-bit ones. Part of the
/// bits, so the same everywhere.
constexpr int64_t kSumLanes = 16;

/// Rows of a weight that are one stream in `interleaved16`, and one register
/// tile.
constexpr int64_t kGroupRows = llama::kInterleavedRows;

struct TableRow {
  int64_t vectorBits;
  /// What the target's name contains; any name contains the empty text.
  llvm::StringLiteral cpu;
  /// Rows of x in a register tile, at most. 512 bits: 8 accumulators and 8
  /// block sums leave registers for the weight (97% of the FMA peak on Zen 4).
  /// 256 bits: a group of 16 rows takes two registers of 16, so 2 rows of x
  /// need 8 and nothing spills.
  int64_t tileRows;
  /// The same of #cpu.fma on many rows. 256 bits: two rows have four chains of
  /// fmas, half of what two units with a latency of four cycles take; four rows
  /// have eight. The sums of whole blocks are spilled once a block, so formats
  /// with two scales in a step of 32 columns stay at `tileRows`.
  int64_t floatRows;
  /// The same of #cpu.dot_u8s8, on many rows. 256 bits: four rows have two sums
  /// each, and a vector of quants is unpacked once for all of them. More rows
  /// save no instruction: their sums spill.
  int64_t byteRows;
  /// And with `manyTile` rows of a weight. 512 bits: six rows have 12 sums and
  /// 12 accumulators, which leaves registers for the quants of two groups.
  int64_t groupedByteRows;
  /// Rows of x times rows of a weight in a tile of few rows, at most. Each 16
  /// rows of a weight are a stream of memory. Zen 4 reads one at 91 to 97% of
  /// what memory delivers and four at 59 to 83%, by 512 and by 256 bits. Ice
  /// Lake reads one at 80%, two at 83 to 92% and four, fetched ahead, at more
  /// than 93%, as each is a chain of sums. Zen 3 reads four 5 to 10% faster
  /// than one by a loop of so many instructions, whose sums take eight
  /// registers (docs/performance.md).
  int64_t fewTile;
  /// Rows of a weight in a tile of many rows, where every weight of the kernel
  /// has a multiple of them. One group of 16 rows takes a load for each
  /// multiplication: a number of x, broadcast as an operand in memory. Zen 4
  /// does as many loads of 512 bits. Ice Lake does seven for ten, so there two
  /// groups share a broadcast, of keys as well (docs/performance.md).
  int64_t manyTile;
  /// Bytes ahead of its use that few rows fetch a weight. 256 bits: a core of
  /// Zen 3, which reads 10 GB/s, needs 1 KiB while memory takes 100 ns to
  /// answer, and Zen 4 reads one stream as fast with it as without. 512 bits:
  /// the CPU's own prefetching keeps up on Zen 4, and is disturbed; Ice Lake,
  /// whose memory takes as long, reads four streams a tenth faster with 1 to 4
  /// KiB.
  int64_t prefetch;
  /// Rows of the query in a tile of attention on many rows: as above, and as
  /// many scores are kept.
  int64_t attentionRows;
  /// Vectors of 16 floats that attention sums at once: half of the registers,
  /// so that converted values and weights have room.
  int64_t sums;
  /// From so many rows on a tile of attention sums only 16 elements of the
  /// head: these are chains enough, and the weight of a key, broadcast for one
  /// fma, is an operand in memory: 12 instructions for 8 fmas instead of 29 for
  /// 16 (512 bits; 5% of attention on Zen 4). With 256 bits no operand is
  /// broadcast, and on Ice Lake that is a load too many.
  int64_t foldedRows;
  /// Bytes ahead of its use that few rows, from `foldedRows` heads on, fetch
  /// keys and values: a block of keys is two streams of 4 to 64 KiB, at the
  /// begin of which the CPU's own prefetching is late. Fewer heads read as fast
  /// as memory delivers, and are 3% slower with it (Zen 4).
  int64_t fetchKeys;
  /// As `sums`, on few rows, where values come from memory: 64 bytes of each
  /// key at once, a line, although three heads then spill some with 256 bits.
  int64_t fewSums;
};

constexpr TableRow kZen512Bits = {.vectorBits = 512,
                                  .cpu = "znver",
                                  .tileRows = 8,
                                  .floatRows = 8,
                                  .byteRows = 8,
                                  .groupedByteRows = 8,
                                  .fewTile = kGroupRows,
                                  .manyTile = kGroupRows,
                                  .prefetch = 0,
                                  .attentionRows = 8,
                                  .sums = 16,
                                  .foldedRows = 6,
                                  .fetchKeys = 2048,
                                  .fewSums = 16};
/// Intel's, which load less than once for each multiplication.
constexpr TableRow k512Bits = [] {
  TableRow row = kZen512Bits;
  row.cpu = "";
  row.groupedByteRows = 6;
  row.fewTile = 4 * kGroupRows;
  row.prefetch = 2048;
  row.manyTile = 2 * kGroupRows;
  row.foldedRows = INT64_MAX;
  row.fetchKeys = 0;
  return row;
}();
constexpr TableRow k256Bits = {.vectorBits = 256,
                               .cpu = "",
                               .tileRows = 2,
                               .floatRows = 4,
                               .byteRows = 4,
                               .groupedByteRows = 4,
                               .fewTile = kGroupRows,
                               .manyTile = kGroupRows,
                               .prefetch = 1024,
                               .attentionRows = 4,
                               .sums = 4,
                               .foldedRows = INT64_MAX,
                               .fetchKeys = 0,
                               .fewSums = 8};
/// Zen 1 to 3.
constexpr TableRow kZen256Bits = [] {
  TableRow row = k256Bits;
  row.cpu = "znver";
  row.fewTile = 4 * kGroupRows;
  return row;
}();
/// The first that fits counts.
constexpr TableRow kTable[] = {kZen512Bits, k512Bits, kZen256Bits, k256Bits};

/// Rows of x, and of a weight, in a tile of #cpu.amx_bf16 on many rows: two
/// tiles of 16 of each, which with the four of their sums are the eight
/// registers. Two loads are used by two products each, so that a product, 16
/// cycles, waits for 1 KiB of the second-level cache and not for 1.5 or 2.
constexpr int64_t kMatrixTile = 2 * cpu::kMatrixRows;

/// Rows of weights in a part where rows of x are few: two groups. Small enough
/// that two workers share the 192 rows of a small key projection, large enough
/// that a part streams some tens of KiB.
constexpr int64_t kFewRowsPart = 2 * kGroupRows;
/// Parts that a kernel keeps when its tiles become larger than kFewRowsPart.
constexpr int64_t kEnoughParts = 32;
/// Rows of weights in a part where rows of x are many. Units without panels
/// read a tile of x once for the part; where enough parts are left, four groups
/// read it half as often as two (2% of a prompt on Zen 4).
constexpr int64_t kManyRowsPart = 2 * kGroupRows;
constexpr int64_t kLargeManyRowsPart = 4 * kGroupRows;
/// Rows of x in a part where rows of x are many: a part then takes some 20 to
/// 100 us, so that workers end together though a small weight has few pieces,
/// and what is rounded at its end is still in the first-level cache. Units with
/// panels decode a piece once for all rows.
constexpr int64_t kManyRowsTile = 64;
/// Parts of the LM head are larger: a vocabulary has thousands of groups.
constexpr int64_t kLMHeadPart = 16 * kGroupRows;
/// Rows of a call that one part of a row-wise kernel (norm, embed) takes.
constexpr int64_t kRowPart = 4;

const TableRow *rowFor(cpu::TargetAttr target) {
  for (const TableRow &row : kTable)
    if (target.getVectorBits() >= row.vectorBits &&
        target.getName().contains(row.cpu))
      return &row;
  return nullptr;
}

/// Whether #cpu.dot_u8s8 multiplies many rows by matrices. They read panels,
/// which a call of one tile does not have.
bool byMatrices(const TableRow &row, cpu::TargetAttr target, int64_t bound) {
  return bound > cpu::kMatrixRows && row.vectorBits == 512 &&
         cpu::hasByteMatrices(target);
}

/// Whether each weight of the kernel has a multiple of `n` rows.
bool divides(int64_t n, const RowGroups &groups) {
  return llvm::all_of(groups.getGroups(), [&](const RowGroups::Group &group) {
    return group.rows % n == 0;
  });
}

/// The columns of a tile of few rows, m of them: the most rows of a weight that
/// the table allows and that divide every weight of the kernel, if several
/// tiles are left, and enough parts for the workers. Rows of several digits
/// have half as many: the sums of digits take those registers.
int64_t fewRowsColumns(const TableRow &row, int64_t m, int64_t digits,
                       Block &body) {
  RowGroups groups(body);
  int64_t n = row.fewTile / m / (digits > 1 ? 2 : 1);
  for (; n > kGroupRows; n /= 2) {
    int64_t parts = 0;
    for (const RowGroups::Group &group : groups.getGroups())
      parts += group.rows / n;
    if (divides(n, groups) && parts >= (n > kFewRowsPart ? kEnoughParts : 2))
      break;
  }
  return std::max(n, kGroupRows);
}

int64_t manyRowsPart(Block &body) {
  int64_t parts = 0;
  for (const RowGroups::Group &group : RowGroups(body).getGroups())
    parts += llvm::divideCeil(group.rows, kLargeManyRowsPart);
  return parts >= kEnoughParts ? kLargeManyRowsPart : kManyRowsPart;
}

/// Whether the program's numerics are AMX's, in all forms: rows of bf16 alone
/// do not say by which unit they are multiplied.
bool sumsAsAMX(KernelOp kernel) {
  auto activations = getCarriedOption<StringAttr>(
      kernel->getParentOfType<ModuleOp>(), "activations");
  return activations && activations == kAMXActivations;
}

KernelPlan makePlan(const TableRow &row, cpu::TargetAttr target,
                    KernelOp kernel) {
  MLIRContext *context = kernel.getContext();
  ContractionUnitInterface unit = cpu::FmaAttr::get(context);
  auto strategy = [&](int64_t m, int64_t sums = 16, int64_t n = kGroupRows,
                      int64_t prefetch = 0) {
    return cpu::StrategyAttr::get(context, unit, m, n, sums, prefetch);
  };
  Block &body = kernel.getBody().front();

  for (auto part : body.getOps<AttentionPartOp>()) {
    int64_t m = part.getHeads() / part.getCache().getType().getHeads();
    if (m >= row.foldedRows)
      return {strategy(m, /*sums=*/m, kGroupRows, row.fetchKeys)};
    return {strategy(m, row.fewSums)};
  }
  if (!body.getOps<AttentionOp>().empty()) {
    int64_t m = row.attentionRows;
    return {strategy(m, m >= row.foldedRows ? m : row.sums, row.manyTile)};
  }

  auto linears = body.getOps<LinearOp>();
  if (!linears.empty()) {
    LinearOp first = *linears.begin();
    // Products of one kernel read rows of one type.
    Type rows = first.getX().getType().getElementType();
    auto bytes = dyn_cast<RowRecordInterface>(rows);
    if (bytes)
      unit = cpu::DotU8S8Attr::get(context, bytes.getDigits());
    else if (rows.isBF16() && sumsAsAMX(kernel))
      unit = cpu::AMXBF16Attr::get(context);
    else if (rows.isBF16())
      unit = cpu::DotBF16Attr::get(context);
    // Few rows are one tile, of 1, 2, 4 or 8: a tile of three or of five would
    // leave registers of the next larger one unused.
    int64_t bound = getRowBound(first.getResult());
    bool few = bound <= row.tileRows;
    if (!few && isa<cpu::AMXBF16Attr>(unit)) {
      int64_t n =
          divides(kMatrixTile, RowGroups(body)) ? kMatrixTile : kGroupRows;
      return {strategy(std::min<int64_t>(llvm::alignTo(bound, kGroupRows),
                                         kMatrixTile),
                       /*sums=*/16, n),
              manyRowsPart(body)};
    }
    auto format = [](LinearOp linear) {
      return linear.getWeight().getType().getFormat();
    };
    bool twoScales = llvm::any_of(linears, [&](LinearOp linear) {
      return format(linear).getScaleBlock() < cpu::kColumnBlock;
    });
    const int64_t digits = bytes ? bytes.getDigits() : 1;
    // Tiles of 16 rows are how the unit knows matrices.
    const bool matrices = !few && bytes && byMatrices(row, target, bound);
    // Matrices multiply one group at a time, pairs of bf16 stand in no panel,
    // and the sums of three digits fill the registers with one group.
    const bool grouped = !few && !matrices && !rows.isBF16() && digits == 1 &&
                         divides(row.manyTile, RowGroups(body));
    int64_t m = few         ? llvm::PowerOf2Ceil(bound)
                : matrices  ? cpu::kMatrixRows
                : bytes     ? grouped ? row.groupedByteRows : row.byteRows
                : twoScales ? row.tileRows
                            : row.floatRows;
    bool lmHead = llvm::any_of(linears, [](LinearOp linear) {
      return linear.getWeight().getType().getRows() >= 64 * kLMHeadPart;
    });
    // Quants that become floats are bound by arithmetic, whose registers a
    // second group would take.
    bool converts = rows.isF32() && llvm::any_of(linears, [&](LinearOp linear) {
                      return format(linear).getBlock() > 1;
                    });
    int64_t n = grouped            ? row.manyTile
                : few && !converts ? fewRowsColumns(row, m, digits, body)
                                   : kGroupRows;
    int64_t by = !few     ? manyRowsPart(body)
                 : lmHead ? kLMHeadPart
                          : kFewRowsPart;
    bool panels = llvm::any_of(linears, [&](LinearOp linear) {
      return unit.usesPanels(format(linear), m, n, target);
    });
    return {strategy(m, /*sums=*/16, n, few ? row.prefetch : 0), by,
            few || panels ? 0 : kManyRowsTile};
  }
  // Row-wise kernels: norm, embed, what is left of an unfused graph.
  return {strategy(1), kRowPart};
}

struct CPUPlanner
    : PlannerInterface::ExternalModel<CPUPlanner, cpu::TargetAttr> {
  /// What a user of llama.cpp expects, which rounds rows in all its CPU
  /// kernels; docs/bits.md says what that costs.
  Type getRowsType(Attribute self, Operation *linear) const {
    auto pairs = cpu::DotBF16Attr::get(self.getContext());
    return getRoundedRows(
        cast<LinearOp>(linear), Q8B32Type::get(self.getContext()),
        getMissingFeature(pairs, cast<TargetInterface>(self)).empty());
  }

  int64_t getAttentionKeys(Attribute) const { return abi::kCacheBlock; }

  /// A target without a row of the table has no strategies either.
  int64_t getFewRows(Attribute self) const {
    const TableRow *row = rowFor(cast<cpu::TargetAttr>(self));
    return row ? row->tileRows : 1;
  }

  Attribute getWeightLayout(Attribute self, FormatInterface format,
                            int64_t rank) const {
    if (rank == 1)
      return RowMajorAttr::get(self.getContext());
    return Interleaved16Attr::getFor(format);
  }

  std::pair<Attribute, Attribute> getCacheLayouts(Attribute self, Type,
                                                  Type) const {
    return {KeysInterleaved16Attr::get(self.getContext()),
            RowMajorAttr::get(self.getContext())};
  }

  KernelPlan plan(Attribute self, Operation *op) const {
    const TableRow *row = rowFor(cast<cpu::TargetAttr>(self));
    if (!row)
      return {
          .error =
              "the CPU's table has rows for CPUs with vectors of at least 256 "
              "bits (AVX2)"};
    return makePlan(*row, cast<cpu::TargetAttr>(self), cast<KernelOp>(op));
  }

  Attribute getOrder(Attribute self, Operation *) const {
    return ReductionOrderAttr::get(self.getContext(), /*unit=*/{}, /*block=*/0,
                                   ScaleMode::None, kSumLanes);
  }
};

} // namespace

void cpu::registerPlanner(DialectRegistry &registry) {
  registry.addExtension(+[](MLIRContext *context, cpu::CPUDialect *) {
    cpu::TargetAttr::attachInterface<CPUPlanner>(*context);
  });
}
