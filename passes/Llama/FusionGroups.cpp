//===- FusionGroups.cpp - which ops become one kernel ---------------------===//
//
// Every op starts as a group of one. Four kinds of joins are tried, each with
// one function that says why not:
//   siblings   linears that read the same rows,
//   epilogue   an op that needs only the elements of a result that one part
//              of the producer has made,
//   prologue   an op on whole rows that each part can afford to repeat,
//              because there are few of them.
//   head norms norms of heads, with their epilogues, of one kernel's results.
// A join never makes a kernel with more than three results, and never two
// kernels that wait for each other. Roles come last, from what a group holds.
//
//===----------------------------------------------------------------------===//

#include "passes/Llama/FusionGroups.h"
#include "mlir/IR/Matchers.h"
#include "runtime/ABI/Kernel.h"
#include "llvm/ADT/BitVector.h"
#include "llvm/ADT/EquivalenceClasses.h"
#include "llvm/ADT/SetVector.h"

using namespace mlir;
using namespace corellama::llama;

/// A kernel function writes at most so many buffers (kernel A1).
static constexpr unsigned kMaxResults = 3;

/// Blocks of so many keys are few enough for each part of their reader to merge
/// them all: a context of 2048 has eight. A target that has shorter ones, so as
/// to have more parts, merges them once.
static constexpr uint64_t kMergedByReaders = corellama::abi::kCacheBlock;

bool corellama::llama::isSunkIntoKernels(Operation *op) {
  return isa<WeightRefOp>(op) ||
         (op->getNumOperands() == 0 && matchPattern(op, m_Constant()));
}

static bool isGraphOp(Operation *op) {
  return isa<LlamaDialect>(op->getDialect()) && !isa<KernelOp>(op);
}

/// A norm of each head of a row: a kernel of its own, row by row, because a
/// tile of the product before it is no whole head.
static bool isHeadNorm(Operation *op) {
  auto norm = dyn_cast<RmsNormOp>(op);
  return norm && norm.getHeads();
}

/// The rows behind a rounding: two linears read the same rows if one of them
/// reads them rounded.
static Value unrounded(Value rows) {
  while (auto quantize = rows.getDefiningOp<QuantizeOp>())
    rows = quantize.getX();
  return rows;
}

namespace {
/// The ops of a block, which of them depend on which, and their groups.
class Grouping {
public:
  Grouping(Block &block, int64_t fewRows);

  ArrayRef<Operation *> ops() const { return nodes; }
  bool hasFewRows(Value value) const { return getRowBound(value) <= fewRows; }
  unsigned indexOf(Operation *op) const { return index.lookup(op); }
  bool contains(Operation *op) const { return op && index.count(op); }
  unsigned groupOf(Operation *op) const { return group[indexOf(op)]; }
  /// The group that makes `value`, unless it comes from outside or is sunk.
  std::optional<unsigned> producerOf(Value value) const {
    Operation *op = value.getDefiningOp();
    if (!contains(op))
      return std::nullopt;
    return groupOf(op);
  }
  bool holdsProduct(unsigned wanted) const {
    return llvm::any_of(nodes, [&](Operation *op) {
      return groupOf(op) == wanted && op->hasTrait<IsProduct>();
    });
  }
  bool holdsHeadNorm(unsigned wanted) const {
    return llvm::any_of(nodes, [&](Operation *op) {
      return groupOf(op) == wanted && isHeadNorm(op);
    });
  }
  SmallVector<Operation *> members(unsigned wanted) const {
    SmallVector<Operation *> found;
    for (Operation *op : nodes)
      if (groupOf(op) == wanted)
        found.push_back(op);
    return found;
  }
  /// Groups that read what `op` makes; nothing where the block's end does too.
  std::optional<SmallVector<unsigned>> readersOf(Operation *op) const;

  /// Why two groups cannot be one kernel, whatever is in them.
  std::optional<std::string> whyNotOne(unsigned a, unsigned b) const;
  void join(unsigned a, unsigned b);

  /// Groups such that each stands behind what it depends on.
  SmallVector<unsigned> inOrder() const;

private:
  /// Whether `from` depends on `to` through a third group.
  bool dependsThroughOthers(unsigned from, unsigned to) const;
  unsigned resultsOf(unsigned a, unsigned b) const;

  SmallVector<Operation *> nodes;
  llvm::DenseMap<Operation *, unsigned> index;
  /// group[i] is the smallest index of an op in the group of op i.
  SmallVector<unsigned> group;
  /// Indices of the ops that op i needs to stand behind.
  SmallVector<SmallVector<unsigned>> needs;
  int64_t fewRows;
};
} // namespace

/// Whether two ops must keep their order though no value goes between them.
static bool mustKeepOrder(Operation *before, Operation *after) {
  if (isMemoryEffectFree(before) || isMemoryEffectFree(after))
    return false;
  auto writes = [](Operation *op) {
    std::optional<SmallVector<MemoryEffects::EffectInstance>> effects =
        getEffectsRecursively(op);
    return !effects ||
           llvm::any_of(*effects,
                        [](const MemoryEffects::EffectInstance &effect) {
                          return !isa<MemoryEffects::Read>(effect.getEffect());
                        });
  };
  return writes(before) || writes(after);
}

Grouping::Grouping(Block &block, int64_t fewRows) : fewRows(fewRows) {
  for (Operation &op : block)
    if (!op.hasTrait<OpTrait::IsTerminator>() && !isSunkIntoKernels(&op)) {
      index[&op] = nodes.size();
      nodes.push_back(&op);
    }
  needs.resize(nodes.size());
  for (auto [i, op] : llvm::enumerate(nodes)) {
    group.push_back(i);
    llvm::SetVector<Value> values(op->operand_begin(), op->operand_end());
    op->walk([&](Operation *inner) {
      values.insert(inner->operand_begin(), inner->operand_end());
    });
    for (Value value : values)
      if (contains(value.getDefiningOp()))
        needs[i].push_back(indexOf(value.getDefiningOp()));
    for (unsigned j = 0; j < i; ++j)
      if (mustKeepOrder(nodes[j], op))
        needs[i].push_back(j);
  }
}

std::optional<SmallVector<unsigned>> Grouping::readersOf(Operation *op) const {
  llvm::SmallSetVector<unsigned, 4> readers;
  for (Operation *user : op->getUsers()) {
    if (!contains(user))
      return std::nullopt;
    if (groupOf(user) != groupOf(op))
      readers.insert(groupOf(user));
  }
  SmallVector<unsigned> sorted(readers.begin(), readers.end());
  llvm::sort(sorted);
  return sorted;
}

bool Grouping::dependsThroughOthers(unsigned from, unsigned to) const {
  llvm::BitVector seen(nodes.size());
  SmallVector<unsigned> work{from};
  while (!work.empty()) {
    unsigned current = work.pop_back_val();
    for (unsigned i = 0; i < nodes.size(); ++i) {
      if (group[i] != current)
        continue;
      for (unsigned needed : needs[i]) {
        unsigned next = group[needed];
        if (next == current || (current == from && next == to))
          continue;
        if (next == to)
          return true;
        if (!seen.test(next)) {
          seen.set(next);
          work.push_back(next);
        }
      }
    }
  }
  return false;
}

unsigned Grouping::resultsOf(unsigned a, unsigned b) const {
  unsigned count = 0;
  for (Operation *op : nodes) {
    if (groupOf(op) != a && groupOf(op) != b)
      continue;
    for (Value result : op->getResults())
      count += llvm::any_of(result.getUsers(), [&](Operation *user) {
        return !contains(user) || (groupOf(user) != a && groupOf(user) != b);
      });
  }
  return count;
}

std::optional<std::string> Grouping::whyNotOne(unsigned a, unsigned b) const {
  if (dependsThroughOthers(a, b) || dependsThroughOthers(b, a))
    return "a kernel between the two would have to wait for both and be waited "
           "for";
  for (Operation *op : nodes)
    for (Operation *other : nodes)
      if (groupOf(op) == a && groupOf(other) == b && mustKeepOrder(op, other))
        return "one touches what the other writes, and parts of a kernel run "
               "in "
               "any order";
  if (unsigned results = resultsOf(a, b); results > kMaxResults)
    return "together they have " + std::to_string(results) +
           " results, a kernel has at most " + std::to_string(kMaxResults);
  return std::nullopt;
}

void Grouping::join(unsigned a, unsigned b) {
  for (unsigned &g : group)
    if (g == a || g == b)
      g = std::min(a, b);
}

SmallVector<unsigned> Grouping::inOrder() const {
  SmallVector<unsigned> order;
  llvm::BitVector done(nodes.size());
  auto isReady = [&](unsigned wanted) {
    for (unsigned i = 0; i < nodes.size(); ++i)
      if (group[i] == wanted)
        for (unsigned needed : needs[i])
          if (group[needed] != wanted && !done.test(group[needed]))
            return false;
    return true;
  };
  // Joins keep the graph of groups free of cycles, so one is always ready; the
  // first of them in the block's order, so that the order is a fact of the IR.
  for (bool progress = true; progress;) {
    progress = false;
    for (unsigned g = 0; g < nodes.size() && !progress; ++g)
      if (group[g] == g && !done.test(g) && isReady(g)) {
        done.set(g);
        order.push_back(g);
        progress = true;
      }
  }
  return order;
}

//===----------------------------------------------------------------------===//
// The decisions
//===----------------------------------------------------------------------===//

/// Values of rows that an op reads, weights and positions apart.
static auto rowsReadBy(Operation *op) {
  return llvm::make_filter_range(op->getOperands(), [](Value value) {
    auto type = dyn_cast<RankedTensorType>(value.getType());
    return type && type.getRank() == 2;
  });
}

/// Why `op` is no epilogue of the group `producer`, or nothing if it is one.
static std::optional<std::string>
whyNotEpilogue(Operation *op, unsigned producer, const Grouping &groups) {
  if (auto quantize = dyn_cast<QuantizeOp>(op)) {
    if (groups.hasFewRows(quantize.getX()))
      return "few rows are rounded by whoever reads them";
    if (quantize.getX().getDefiningOp<EmbedOp>())
      return "a row of the embedding is decoded, not computed tile by tile";
    // Parts of attention are the columns of the heads that share a head of
    // keys.
    bool inBlocks =
        isa<RowRecordInterface>(quantize.getType().getElementType());
    if (auto attention = quantize.getX().getDefiningOp<AttentionOp>();
        attention && inBlocks) {
      int64_t columns = attention.getType().getDimSize(1) /
                        attention.getCache().getType().getHeads();
      if (columns % RowRecordInterface::kBlock != 0)
        return "a part has " + std::to_string(columns) +
               " columns, no whole blocks of " +
               std::to_string(RowRecordInterface::kBlock);
    }
  } else if (groups.holdsHeadNorm(producer)) {
    // Row by row, what comes from other kernels is read from their buffers.
  } else if (!groups.holdsProduct(producer)) {
    return "it reads no result of a linear";
  } else if (op->hasTrait<IsSink>() &&
             !llvm::all_of(rowsReadBy(op), [&](Value value) {
               return groups.producerOf(value) == producer;
             })) {
    return "what it stores comes from two kernels";
  }
  return groups.whyNotOne(groups.groupOf(op), producer);
}

/// A rounding that stands between few rows and their product.
static bool isRowRounding(Operation *op, const Grouping &groups) {
  return isa<QuantizeOp>(op) && groups.hasFewRows(op->getResult(0));
}

/// Why `op` is no prologue of its readers, or nothing if it is.
static std::optional<std::string> whyNotPrologue(Operation *op,
                                                 const Grouping &groups) {
  if (isHeadNorm(op))
    return "a norm of heads is no row that is staged whole";
  if (auto merge = dyn_cast<AttentionMergeOp>(op);
      merge && merge.getKeys() && *merge.getKeys() < kMergedByReaders)
    return "each part would merge all blocks of keys, and there are many";
  if (!groups.hasFewRows(op->getResult(0)))
    return isa<QuantizeOp>(op)
               ? "each part would round all rows of the call again"
               : "each part would make all rows of the call again";
  std::optional<SmallVector<unsigned>> readers = groups.readersOf(op);
  if (!readers)
    return "it is a result of the function";
  if (readers->empty())
    return "nothing reads it";
  if (readers->size() > 1)
    return "it is read by " + std::to_string(readers->size()) +
           " kernels, each would compute it again";
  if (!groups.holdsProduct(readers->front()))
    return "its reader is no linear";
  // A part has whole rows for its products and only a tile for all else. A
  // rounding that is read tile by tile joined nothing, so it is no reader here.
  for (Operation *user : op->getUsers())
    if (!user->hasTrait<IsProduct>() && !isRowRounding(user, groups))
      return "'" + user->getName().getStringRef().str() +
             "' reads it tile by tile";
  return groups.whyNotOne(groups.groupOf(op), readers->front());
}

/// Why two products of the same rows, one of them rounded perhaps, are no
/// siblings, or nothing if they are.
static std::optional<std::string>
whyNotSiblings(LinearOp first, LinearOp second, const Grouping &groups) {
  // One strategy a kernel, and a unit reads rows of one type.
  if (first.getX().getType().getElementType() !=
      second.getX().getType().getElementType())
    return "it reads the same rows in another type, which is for another unit";
  return groups.whyNotOne(groups.groupOf(first), groups.groupOf(second));
}

static void joinSiblings(Grouping &groups,
                         SmallVectorImpl<FusionDecision> &decisions) {
  // In the block's order; later linears join the first that reads their rows.
  SmallVector<LinearOp> linears;
  for (Operation *op : groups.ops())
    if (auto linear = dyn_cast<LinearOp>(op))
      linears.push_back(linear);
  for (auto [i, linear] : llvm::enumerate(linears))
    for (LinearOp first : ArrayRef(linears).take_front(i)) {
      if (unrounded(first.getX()) != unrounded(linear.getX()))
        continue;
      unsigned a = groups.groupOf(first), b = groups.groupOf(linear);
      if (a == b)
        continue;
      std::optional<std::string> why = whyNotSiblings(first, linear, groups);
      decisions.push_back(
          {linear, "siblings", !why,
           why.value_or("it reads the rows that another linear reads")});
      if (!why) {
        groups.join(a, b);
        break;
      }
    }
}

static void joinEpilogues(Grouping &groups,
                          SmallVectorImpl<FusionDecision> &decisions) {
  for (Operation *op : groups.ops()) {
    if (!op->hasTrait<IsElementwise>() && !op->hasTrait<IsSink>() &&
        !isa<QuantizeOp>(op))
      continue;
    // The latest producer: all others have ended when its parts run.
    std::optional<unsigned> producer;
    for (Value operand : op->getOperands())
      producer = std::max(producer, groups.producerOf(operand));
    // Few rows are rounded in the prologue, which is asked later.
    if (!producer || isRowRounding(op, groups))
      continue;
    if (!isGraphOp(groups.ops()[*producer]))
      continue;
    std::optional<std::string> why = whyNotEpilogue(op, *producer, groups);
    decisions.push_back(
        {op, "epilogue", !why,
         why.value_or("each part has the elements that it needs")});
    if (!why)
      groups.join(groups.groupOf(op), *producer);
  }
}

/// Norms of heads that one kernel leaves, queries and keys, are one kernel with
/// what joined them.
static void joinHeadNorms(Grouping &groups,
                          SmallVectorImpl<FusionDecision> &decisions) {
  std::optional<unsigned> producer;
  Operation *first = nullptr;
  for (Operation *op : groups.ops()) {
    if (!isHeadNorm(op))
      continue;
    std::optional<unsigned> made = groups.producerOf(op->getOperand(0));
    if (!first || made != producer) {
      first = op;
      producer = made;
      continue;
    }
    std::optional<std::string> why =
        groups.whyNotOne(groups.groupOf(first), groups.groupOf(op));
    decisions.push_back(
        {op, "siblings", !why,
         why.value_or("it norms rows of the kernel that another norm reads")});
    if (!why)
      groups.join(groups.groupOf(first), groups.groupOf(op));
  }
}

static void joinPrologues(Grouping &groups,
                          SmallVectorImpl<FusionDecision> &decisions) {
  // Backwards: the rounding between a norm and its linear joins first.
  for (Operation *op : llvm::reverse(groups.ops())) {
    if (!op->hasTrait<IsRowPrologue>() && !isRowRounding(op, groups))
      continue;
    std::optional<std::string> why = whyNotPrologue(op, groups);
    decisions.push_back(
        {op, "prologue", !why, why.value_or("one kernel reads its few rows")});
    if (!why)
      groups.join(groups.groupOf(op), groups.readersOf(op)->front());
  }
}

//===----------------------------------------------------------------------===//
// Roles
//===----------------------------------------------------------------------===//

/// Where the rows of a group's linears come from, its own prologue included.
static Operation *originOf(ArrayRef<Operation *> ops) {
  for (Operation *op : ops)
    if (auto linear = dyn_cast<LinearOp>(op))
      return unrounded(linear.getX()).getDefiningOp();
  return nullptr;
}

/// Products of normed rows, with nothing behind them in the group: the model's
/// last, or those of a layer whose types differ too much for one tile.
static StringRef roleBehindNorm(ArrayRef<Operation *> ops) {
  for (Operation *op : ops) {
    auto linear = dyn_cast<LinearOp>(op);
    if (!linear)
      continue;
    auto weight = linear.getWeight().getDefiningOp<WeightRefOp>();
    if (!weight || !weight.getLayer())
      return "lm_head";
    if (llvm::any_of(linear->getUsers(), llvm::IsaPred<KVAppendOp, RopeOp>))
      return "qkv";
  }
  return "linear";
}

/// What a group is for, from its ops and from what its linears read.
static StringRef roleOf(ArrayRef<Operation *> ops) {
  auto holds = [&](auto isOne) { return llvm::any_of(ops, isOne); };
  if (holds(llvm::IsaPred<AttentionOp, AttentionPartOp>))
    return "attn";
  if (holds(llvm::IsaPred<LinearOp>)) {
    if (holds(llvm::IsaPred<KVAppendOp, RopeOp>))
      return "qkv";
    if (holds(llvm::IsaPred<SwigluOp, MulOp, SiluOp>))
      return "gate_up";
    Operation *origin = originOf(ops);
    if (isa_and_nonnull<AttentionOp, AttentionMergeOp>(origin))
      return "o";
    if (isa_and_nonnull<SwigluOp, MulOp>(origin))
      return "down";
    if (isa_and_nonnull<RmsNormOp>(origin))
      return roleBehindNorm(ops);
    return "linear";
  }
  if (holds(isHeadNorm))
    return "qk_norm";
  if (holds(llvm::IsaPred<RmsNormOp>))
    return "norm";
  if (holds(llvm::IsaPred<AttentionMergeOp>))
    return "merge";
  // An op that joined nothing has its own name.
  return ops.front()->getName().stripDialect();
}

FusionPlan corellama::llama::planFusion(Block &block, int64_t fewRows) {
  Grouping groups(block, fewRows);
  FusionPlan plan;
  joinSiblings(groups, plan.decisions);
  joinEpilogues(groups, plan.decisions);
  joinHeadNorms(groups, plan.decisions);
  joinPrologues(groups, plan.decisions);
  for (unsigned g : groups.inOrder()) {
    FusionGroup group{groups.members(g), {}};
    if (isGraphOp(group.ops.front()))
      group.role = roleOf(group.ops);
    plan.groups.push_back(std::move(group));
  }
  return plan;
}
