//===- DotU8S8.cpp - #cpu.dot_u8s8: exact sums of products of bytes -------===//
//
// tile -> vector: the loop over k of a product of quants and rows of q8b32 or
// x24b32, and panels of bytes for it. A vector has four columns of 16 rows of a
// weight, where they stand in memory or in a panel; four columns of a digit of
// a row are broadcast. Sums of a scale block are exact integers, so the
// target's features choose the instructions and no bit of the result depends on
// the choice (docs/bits.md).
//
//===----------------------------------------------------------------------===//

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "passes/CPU/GroupLoads.h"
#include "passes/CPU/Units/ByteForm.h"
#include "passes/CPU/Units/RoundedRows.h"
#include <cmath>

using namespace mlir;
using namespace corellama;
using namespace corellama::cpu;
using tile::IndexOperand;
using Record = llama::RowRecordInterface;

namespace {

/// 16 rows of a weight in memory, or all of a decoded panel. `block` counts
/// blocks of 32 columns.
class Source {
public:
  /// In memory, from row `firstRow` of the weight on.
  Source(VectorBuilder &b, Value memory, llama::WeightType weight,
         Value firstRow, TargetAttr target)
      : b(b), form(DotForm::of(target)), facts(weight.getFormat().getFacts()),
        byteForm(ByteForm::of(facts, form)), lanes(kLanes) {
    loads.emplace(b, memory, weight, hasTables(target), firstRow);
  }
  Source(VectorBuilder &b, ValueRange panel, tile::PanelType type,
         TargetAttr target)
      : b(b), form(DotForm::of(target)), facts(type.getFormat().getFacts()),
        byteForm(ByteForm::ofPanel(facts, target)), lanes(type.getRows()),
        panel(panel), halfBytes(BytePanel::firstByte(type, 1)),
        toSubtract(byteForm.zero - ByteForm::panelOf(facts, target).zero) {}

  /// Panels are in a cache.
  void prefetch(Value block, int64_t ahead, size_t groups) {
    if (ahead && loads)
      loads->prefetch(block, ahead, int64_t(groups));
  }

  /// Which load of a block has the quants of a column.
  int64_t placeOf(int64_t column) const {
    return loads ? loads->placeOf(column) : column;
  }

  /// Four columns of the rows of each part that one instruction takes: unsigned
  /// bytes, or the quants themselves where their signs are kept.
  Values bytes(Value block, int64_t column, int64_t firstPart, int64_t parts) {
    Value all = loads ? loads->bytes(block, column) : Value();
    const llama::Plane &first = facts.planes.front();
    const int64_t count = 4 * form.lanes;
    Values parted;
    for (int64_t part = firstPart; part < firstPart + parts; ++part) {
      if (!loads) {
        parted.push_back(panelBytes(block, column, part * count, count));
        continue;
      }
      Value w = b.chunk(all, part * count, count);
      if (!first.table.empty())
        w = b.lookUp(first.table, byteForm.zero, w);
      else if (first.type == llama::FieldType::Signed && !byteForm.keepsSigns)
        // q + 128 is q with its sign bit flipped.
        w = arith::XOrIOp::create(b, w, b.constant(w.getType(), -128));
      parted.push_back(w);
    }
    return parted;
  }

  /// The lower and the upper four bits of what a panel has of a part.
  std::array<Value, 2> halves(Value block, Value column, int64_t part) {
    const int64_t count = 4 * form.lanes;
    return {panelBytes(block, column, part * count, count),
            panelBytes(block, column, halfBytes + part * count, count)};
  }

  /// Null where the format has none.
  Value scale(Value block, int64_t column) {
    return loads ? loads->scale(block, column)
                 : load(BytePanel::kScales, block, column);
  }
  Value minimum(Value block, int64_t column) {
    return loads ? loads->minimum(block, column)
                 : load(BytePanel::kMinima, block, column);
  }

private:
  Value panelBytes(Value block, IndexOperand column, int64_t from,
                   int64_t count) {
    Value first = b.mul(block, kColumnBlock / 4);
    Value row = b.add(first, column.value ? IndexOperand(b.div(column, 4))
                                          : IndexOperand(column.number / 4));
    Value quants = vector::LoadOp::create(b, b.vectorOf(b.getI8Type(), count),
                                          panel[BytePanel::kBytes],
                                          ValueRange{row, b.index(from)});
    if (toSubtract == 0)
      return quants;
    return arith::SubIOp::create(b, quants,
                                 b.constant(quants.getType(), toSubtract));
  }

  Value load(BytePanel::Part part, Value block, int64_t column) {
    if (part >= panel.size())
      return {};
    int64_t scaleBlock = facts.scaleBlock();
    Value row =
        b.add(b.mul(block, kColumnBlock / scaleBlock), column / scaleBlock);
    return vector::LoadOp::create(b, b.floats(lanes), panel[part],
                                  ValueRange{row, b.index(0)});
  }

  VectorBuilder &b;
  const DotForm form;
  const llama::FormatFacts &facts;
  const ByteForm byteForm;
  /// Rows of the weight.
  const int64_t lanes;
  std::optional<GroupLoads> loads;
  ValueRange panel;
  const int64_t halfBytes = 0;
  const int32_t toSubtract = 0;
};

/// One product: a tile of m rows by groups of 16 rows of a weight. In memory
/// each group is a stream, several of which may be read faster than one; the
/// groups of a panel are one source, whose parts share the broadcasts of x.
class Product {
public:
  Product(VectorBuilder &b, tile::ContractOp op, Ranges<tile::ContractOp> in,
          TargetAttr target)
      : b(b), tile(cast<VectorType>(op.getType())), form(DotForm::of(target)),
        facts(formatOf(op).getFacts()), byteForm(byteFormOf(op, target)),
        x(b, in.getRows()[0], op), ahead(prefetchOf(op)) {
    for (int64_t i = 0; i < tile.getDimSize(0); ++i)
      rows.push_back(b.add(in.getRow()[0], i));
    if (auto panel = dyn_cast<tile::PanelType>(op.getWeight().getType())) {
      columns = panel.getColumns();
      lanes = panel.getRows();
      groups.emplace_back(b, in.getWeight(), panel, target);
      return;
    }
    auto weight = cast<llama::WeightType>(op.getWeight().getType());
    columns = weight.getColumns();
    for (int64_t j = 0; j < tile.getDimSize(1); j += kLanes)
      groups.emplace_back(b, in.getWeight()[0], weight,
                          b.add(in.getFirst()[0], j), target);
  }

  Value write() {
    SmallVector<Values> results(groups.size() * rows.size()); // by part
    for (size_t first = 0; first < rows.size(); first += rowsAtOnce())
      sumRows(first, results);
    return b.tileOf(tile, [&](int64_t i, int64_t j) {
      return b.chunk(join(results[indexOf(j / lanes, i)]), j % lanes);
    });
  }

private:
  static llama::FormatInterface formatOf(tile::ContractOp op) {
    Type type = op.getWeight().getType();
    if (auto panel = dyn_cast<tile::PanelType>(type))
      return panel.getFormat();
    return cast<llama::WeightType>(type).getFormat();
  }

  static ByteForm byteFormOf(tile::ContractOp op, TargetAttr target) {
    const llama::FormatFacts &facts = formatOf(op).getFacts();
    return isa<tile::PanelType>(op.getWeight().getType())
               ? ByteForm::ofPanel(facts, target)
               : ByteForm::of(facts, DotForm::of(target));
  }

  /// The place of a group's product with a row among all.
  size_t indexOf(int64_t group, int64_t row) const {
    return static_cast<size_t>(group) * rows.size() + static_cast<size_t>(row);
  }

  /// Whether the sums of digits of one row with one part of the 16 rows leave
  /// no registers for another part: vpmaddubsw adds nothing, so each of the
  /// three has products beside it, and LLVM makes many of them before it adds.
  bool fillsRegisters() const {
    return x.digits() > 1 && !form.isDot && !form.hasAllRegisters;
  }

  /// How many rows of x one loop over k has. Those of several digits have as
  /// many sums each, and half of the registers hold sums of digits: 12 with 512
  /// bits, 6 with 256. The weight is in a cache when it is read again.
  size_t rowsAtOnce() const {
    return x.digits() == 1 ? rows.size() : form.lanes == kLanes ? 4 : 2;
  }

  /// Blocks after which the next part has its turn, where a single row reads a
  /// weight from memory: its lines are in the first-level cache then, and
  /// memory goes on delivering what was fetched ahead.
  static constexpr int64_t kTurn = 4;

  /// The products of rows of x with each group, by part.
  void sumRows(size_t firstRow, MutableArrayRef<Values> results) {
    auto some = ArrayRef(rows).slice(
        firstRow, std::min(rowsAtOnce(), rows.size() - firstRow));
    // The sums of several rows fill 16 registers with one part, so each part
    // has a loop of its own there.
    const bool isStream = rows.size() == 1;
    const int64_t all = lanes / form.lanes;
    const bool sharesX = isStream ? !fillsRegisters() : form.lanes == kLanes;
    const int64_t parts = sharesX ? all : 1;
    const size_t products = groups.size() * some.size();
    auto sumTurn = [&](Value first, IndexOperand end, ValueRange carried) {
      Values sums;
      for (int64_t part = 0; part < all; part += parts) {
        const bool fetches = firstRow == 0 && part == 0;
        llvm::append_range(sums,
                           sumBlocks(some, first, end, part, parts,
                                     carried.take_front(products), fetches));
        carried = carried.drop_front(products);
      }
      return sums;
    };
    const int64_t blocks = columns / kColumnBlock;
    Values sums(static_cast<size_t>(all / parts) * products,
                b.zeros(b.floats(parts * form.lanes)));
    if (isStream && parts < all)
      sums =
          b.fold(0, blocks, kTurn, sums, [&](Value first, ValueRange carried) {
            return sumTurn(first, b.minimum(b.add(first, kTurn), blocks),
                           carried);
          });
    else
      sums = sumTurn(b.index(0), blocks, sums);
    for (auto [i, sum] : llvm::enumerate(sums)) {
      const size_t group = i % products / some.size(), row = i % some.size();
      results[indexOf(int64_t(group), int64_t(firstRow + row))].push_back(sum);
    }
  }

  /// The sums of blocks `first` to `end` of parts, added to an accumulator for
  /// each row of each group.
  Values sumBlocks(ArrayRef<Value> some, Value first, IndexOperand end,
                   int64_t firstPart, int64_t parts, ValueRange accumulators,
                   bool fetches) {
    return b.fold(
        first, end, 1, accumulators, [&](Value block, ValueRange carried) {
          Values sums(carried);
          for (auto [i, source] : llvm::enumerate(groups)) {
            if (fetches)
              source.prefetch(block, ahead, groups.size());
            addBlock(source, some, block,
                     MutableArrayRef(sums).slice(i * some.size(), some.size()),
                     firstPart, parts);
          }
          return sums;
        });
  }

  /// Four columns of the rows of a part: unsigned bytes, and the quants
  /// themselves where `keepsSigns`.
  struct Quants {
    Value bytes, quants;

    /// x with the signs of the quants.
    Value signedBy(VectorBuilder &b, Value x) const {
      return quants ? MultiplySignsOp::create(b, x, quants).getResult() : x;
    }
  };

  SmallVector<Quants, 2> loadQuants(Source &source, Value block, int64_t column,
                                    int64_t firstPart, int64_t parts) {
    SmallVector<Quants, 2> parted;
    for (Value w : source.bytes(block, column, firstPart, parts)) {
      if (byteForm.keepsSigns)
        parted.push_back({math::AbsIOp::create(b, w), w});
      else
        parted.push_back({w, {}});
    }
    return parted;
  }

  /// A digit of a row of x: what is multiplied and summed as integers.
  struct Digit {
    Value row;
    int64_t number;
  };

  /// Four columns of a digit, for each lane.
  Value fourColumns(const Digit &digit, Value block, IndexOperand column) {
    const int64_t first = x.record.getDigitByte(digit.number);
    IndexOperand byte = column.value ? IndexOperand(b.add(column, first))
                                     : IndexOperand(first + column.number);
    Value four = x.field(digit.row, block, byte, b.getI32Type());
    return vector::BitCastOp::create(b,
                                     b.vectorOf(b.getI8Type(), 4 * form.lanes),
                                     b.splat(four, form.lanes));
  }

  using Sums = SmallVector<SmallVector<Value, 2>>; // by digit, by part

  /// isum of each digit over `count` columns of a block, a scale block.
  Sums sumIntegers(Source &source, ArrayRef<Digit> digits, Value block,
                   int64_t from, int64_t count, int64_t firstPart,
                   int64_t parts) {
    Values halves;
    if (byteForm.halves > 1)
      halves = sumHalves(source, digits, block, from, count, firstPart, parts);
    Sums sums;
    for (const Digit &digit : digits) {
      auto type = b.vectorOf(b.getI32Type(), form.lanes);
      sums.emplace_back(parts,
                        byteForm.zero == 0
                            ? b.zeros(type)
                            : x.sumTimes(byteForm.zero, digit.number, digit.row,
                                         block, from, count, form.lanes));
    }
    for (auto [number, products] : llvm::enumerate(halves)) {
      Value wide = AddPairsOp::create(b, products);
      // The upper half is worth 16 times as much.
      if (number % 2 != 0)
        wide = arith::ShLIOp::create(b, wide, b.constant(wide.getType(), 4));
      Value &sum = sums[number / 2 / size_t(parts)][number / 2 % size_t(parts)];
      sum = arith::AddIOp::create(b, sum, wide);
    }
    if (!halves.empty())
      return sums;

    // Sums of integers have no order: columns that are in one load follow each
    // other.
    SmallVector<int64_t> columns;
    for (int64_t c = from; c < from + count; c += 4)
      columns.push_back(c);
    llvm::sort(columns, [&](int64_t c, int64_t other) {
      return std::pair(source.placeOf(c), c) <
             std::pair(source.placeOf(other), other);
    });
    // Four columns of the parts, each loaded and converted once: where its
    // first product is, so that LLVM keeps few of them.
    SmallVector<SmallVector<Quants, 2>> loaded(columns.size());
    auto quants = [&](size_t c) -> ArrayRef<Quants> {
      if (loaded[c].empty())
        loaded[c] = loadQuants(source, block, columns[c], firstPart, parts);
      return loaded[c];
    };
    if (form.isDot) {
      for (size_t c = 0; c < columns.size(); ++c)
        for (auto [i, digit] : llvm::enumerate(digits))
          for (auto [sum, w] : llvm::zip(sums[i], quants(c)))
            sum = DotU8S8Op::create(b, sum, w.bytes,
                                    fourColumns(digit, block, columns[c]));
      return sums;
    }
    const size_t most = byteForm.mostProducts();
    // All digits meet a vector of quants while it is in a register.
    SmallVector<SmallVector<Value, 2>> narrow(digits.size());
    for (size_t c = 0; c < columns.size(); ++c)
      for (auto [i, digit] : llvm::enumerate(digits)) {
        Value four = fourColumns(digit, block, columns[c]);
        narrow[i].resize(parts);
        for (auto [sum, w] : llvm::zip(narrow[i], quants(c))) {
          Value products =
              MultiplyPairsOp::create(b, w.bytes, w.signedBy(b, four));
          sum = sum ? arith::AddIOp::create(b, sum, products).getResult()
                    : products;
        }
        if ((c + 1) % most != 0 && c + 1 != columns.size())
          continue;
        for (auto [sum, part] : llvm::zip(sums[i], narrow[i]))
          sum = arith::AddIOp::create(b, sum, AddPairsOp::create(b, part));
        narrow[i].clear();
      }
    return sums;
  }

  /// The sums of products of both halves over `count` columns, for each digit
  /// and part: 16 bits hold those of a block. Columns are a loop, a few at a
  /// time: of a whole block LLVM multiplies one row after the other, with all
  /// quants in registers, which are too few.
  Values sumHalves(Source &source, ArrayRef<Digit> digits, Value block,
                   int64_t from, int64_t count, int64_t firstPart,
                   int64_t parts) {
    assert(count / 4 <= int64_t(byteForm.mostProducts()));
    constexpr int64_t kStep = 8;
    Values zeros(digits.size() * size_t(parts) * 2,
                 b.zeros(b.vectorOf(b.getI16Type(), 2 * form.lanes)));
    return b.fold(
        from, from + count, kStep, zeros, [&](Value first, ValueRange carried) {
          Values sums(carried);
          for (int64_t c = 0; c < kStep; c += 4) {
            Value column = b.add(first, c);
            for (int64_t part = 0; part < parts; ++part) {
              auto halves = source.halves(block, column, firstPart + part);
              for (auto [i, digit] : llvm::enumerate(digits)) {
                Value four = fourColumns(digit, block, column);
                size_t at = (i * size_t(parts) + size_t(part)) * 2;
                for (Value w : halves) {
                  Value products = MultiplyPairsOp::create(b, w, four);
                  sums[at] = arith::AddIOp::create(b, sums[at], products);
                  ++at;
                }
              }
            }
          }
          return sums;
        });
  }

  /// All lanes of a source from parts, a power of two of them.
  Value join(ArrayRef<Value> parts) {
    if (parts.size() == 1)
      return parts[0];
    Value first = join(parts.take_front(parts.size() / 2));
    Value second = join(parts.drop_front(parts.size() / 2));
    const int64_t count = cast<VectorType>(first.getType()).getDimSize(0) * 2;
    return vector::ShuffleOp::create(b, first, second,
                                     llvm::to_vector(llvm::seq(count)));
  }

  /// Adds a block of a group to an accumulator for each of some rows.
  void addBlock(Source &source, ArrayRef<Value> some, Value block,
                MutableArrayRef<Value> accumulators, int64_t firstPart,
                int64_t parts) {
    SmallVector<Digit> digits; // by row
    for (Value row : some)
      for (int64_t i = 0; i < x.digits(); ++i)
        digits.push_back({row, i});
    int64_t scaleBlock = facts.scaleBlock();
    for (int64_t from = 0; from < kColumnBlock; from += scaleBlock) {
      Sums sums = sumIntegers(source, digits, block, from, scaleBlock,
                              firstPart, parts);
      auto partsOf = [&](Value of) {
        return of ? b.chunk(of, firstPart * form.lanes, parts * form.lanes)
                  : of;
      };
      Value scale = partsOf(source.scale(block, from));
      Value minimum = partsOf(source.minimum(block, from));
      for (auto [i, row] : llvm::enumerate(some)) {
        Values own;
        for (ArrayRef<Value> sum :
             ArrayRef(sums).slice(i * x.digits(), x.digits()))
          own.push_back(join(sum));
        accumulators[i] = x.accumulate(own, scale, minimum, row, block, from,
                                       scaleBlock, accumulators[i]);
      }
    }
  }

  VectorBuilder &b;
  VectorType tile;
  const DotForm form;
  const llama::FormatFacts &facts;
  const ByteForm byteForm;
  RoundedRows x;
  const int64_t ahead;
  /// Rows of the weight in a source.
  int64_t lanes = kLanes;
  int64_t columns = 0;
  Values rows;
  std::vector<Source> groups;
};

/// Tiles that are multiplied as matrices, where the target has them.
bool fillsMatrices(tile::ContractOp op) {
  return isa<tile::PanelType>(op.getWeight().getType()) &&
         cast<VectorType>(op.getType()).getDimSize(0) % kMatrixRows == 0;
}

struct DotU8S8Panels
    : PanelLoweringInterface::ExternalModel<DotU8S8Panels, DotU8S8Attr> {
  SmallVector<Type> getPanelTypes(Attribute, tile::PanelType panel,
                                  TargetAttr target) const {
    return ByteForm::panelOf(panel.getFormat().getFacts(), target)
        .getTypes(panel);
  }
  void lowerPanel(Attribute, VectorBuilder &b, tile::PanelOp op,
                  tile::PanelOp::Adaptor in, ValueRange panel,
                  TargetAttr target) const {
    ByteForm::panelOf(op.getType().getFormat().getFacts(), target)
        .decode(b, op, in, panel, target);
  }
};

struct DotU8S8Lowering
    : UnitLoweringInterface::ExternalModel<DotU8S8Lowering, DotU8S8Attr> {
  SmallVector<Type> getScratchTypes(Attribute, tile::ContractOp op) const {
    if (!fillsMatrices(op))
      return {};
    return {matrixScratch(op)};
  }
  Value lowerContract(Attribute, VectorBuilder &b, tile::ContractOp op,
                      Ranges<tile::ContractOp> in, ValueRange memory,
                      TargetAttr target) const {
    return fillsMatrices(op) && hasByteMatrices(target)
               ? multiplyMatrices(b, op, in, memory[0])
               : Product(b, op, in, target).write();
  }

  int64_t getPeakOperations(Attribute, TargetAttr target) const {
    if (hasByteMatrices(target))
      return getBytePeakOperations();
    // Four products a lane, added.
    return kPeakChains * 8 * DotForm::of(target).lanes;
  }
  double getBound(Attribute self, const llama::FormatFacts &format,
                  TargetAttr target) const {
    const int64_t digits = cast<DotU8S8Attr>(self).getDigits();
    if (hasByteMatrices(target))
      return getMatrixBound(format, digits);
    DotForm form = DotForm::of(target);
    double steps = double(format.scaleBlock()) / 4;
    // On the multipliers' pipes are the scale of x times that of the weight, an
    // fma, one for a minimum and one for each digit that is added to another.
    double others = 1 + double(digits) + format.has(llama::PlaneKind::Minima);
    // So is the conversion of each digit's sum.
    if (hasTwoPipes(target))
      others += double(digits);
    // Rows of three digits have no panels of halves (usesPanels).
    ByteForm bytes = digits == 1 ? ByteForm::ofPanel(format, target)
                                 : ByteForm::of(format, form);
    const double products = double(digits * bytes.halves);
    // Sums of 16 bits are widened by vpmaddwd; vpsignb, which gives x the sign
    // of a quant, is on the multipliers' pipes as well.
    if (!form.isDot)
      others += products * (std::ceil(steps / double(bytes.mostProducts())) +
                            (bytes.keepsSigns ? steps : 0));
    return steps / (products * steps + others);
  }
  void emitPeakLoop(Attribute, VectorBuilder &b, Value memory, Value turns,
                    TargetAttr target) const {
    if (hasByteMatrices(target))
      return emitBytePeak(b, memory, turns);
    const DotForm form = DotForm::of(target);
    auto step = [&](Value chain, Value x) -> Value {
      auto type = b.vectorOf(b.getI8Type(), 4 * form.lanes);
      Value bytes = vector::BitCastOp::create(b, type, x);
      if (form.isDot)
        return DotU8S8Op::create(b, chain, bytes, bytes);
      // What adds the products of vpmaddubsw is another instruction.
      Value link = vector::BitCastOp::create(b, type, chain);
      Value products = MultiplyPairsOp::create(b, link, bytes);
      return vector::BitCastOp::create(b, x.getType(), products);
    };
    emitVectorPeak(b, memory, turns, form.lanes, step);
  }
};

} // namespace

void cpu::registerDotU8S8(DialectRegistry &registry) {
  registry.addExtension(+[](MLIRContext *context, CPUDialect *) {
    DotU8S8Attr::attachInterface<DotU8S8Lowering, DotU8S8Panels>(*context);
  });
}
