//===- Packing.cpp - the checkpoint's bytes into a layout -----------------===//
//
// See Packing.h. A weight is divided into tiles of 16 rows and one block of
// columns. All tiles of a weight look alike: the fields of a plane are at the
// same distances from the plane's first field. So the moves of one tile are
// listed once, by asking the format and the layout for each field, and then
// repeated for every tile.
//
// There are two kinds of moves. If a byte of the layout holds the same fields
// as one byte of the checkpoint, bytes are copied, adjacent ones together; this
// covers Q4_0, Q4_1, Q8_0 and plain numbers. Otherwise (superblocks) bits are
// moved, one field or piece of a field at a time.
//
//===----------------------------------------------------------------------===//

#include "compiler/Image/Packing.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/CheckedArithmetic.h"
#include "llvm/Support/Endian.h"
#include "llvm/Support/MathExtras.h"
#include <array>
#include <cstring>
#include <map>
#include <vector>

using namespace corellama;
using namespace corellama::image;
using namespace corellama::llama;
using llvm::ArrayRef;
using llvm::Expected;
using llvm::MutableArrayRef;

// Copies assume that a field's bytes are in the same order on both sides, bit
// moves that the lowest bits come first, as in the formats' definition.
static_assert(llvm::endianness::native == llvm::endianness::little);

/// Columns of a tile of plain numbers, whose block is one column: enough to
/// make the loop over tiles cheap, and a multiple of the groups of all layouts.
static constexpr uint64_t kPlainTileColumns = 32;

namespace {

/// Copies bytes from a place in the tile's source to a place in a plane.
struct Copy {
  uint64_t from, to;
};
struct LongCopy {
  uint64_t from, to, bytes;
};
/// Moves the bits of `mask` (from bit 0) of the source byte.
struct BitMove {
  uint64_t from, to;
  uint8_t fromBit, toBit, mask;
};

/// The moves for one plane of a tile.
struct Moves {
  std::vector<Copy> copies1, copies2, copies4;
  std::vector<LongCopy> copies;
  std::vector<BitMove> bits;

  void addCopy(LongCopy run);
  void run(const uint8_t *source, uint8_t *out) const;
};

/// The place of a plane's first field in the first tile, and the distances to
/// the next tiles.
struct PlanePlace {
  uint64_t base, rowStep, columnStep;
};

} // namespace

void Moves::addCopy(LongCopy run) {
  switch (run.bytes) {
  case 1:
    return copies1.push_back({run.from, run.to});
  case 2:
    return copies2.push_back({run.from, run.to});
  case 4:
    return copies4.push_back({run.from, run.to});
  default:
    return copies.push_back(run);
  }
}

void Moves::run(const uint8_t *source, uint8_t *out) const {
  // A constant size makes each copy a load and a store.
  for (Copy move : copies4)
    memcpy(out + move.to, source + move.from, 4);
  for (Copy move : copies2)
    memcpy(out + move.to, source + move.from, 2);
  for (Copy move : copies1)
    out[move.to] = source[move.from];
  for (const LongCopy &move : copies)
    memcpy(out + move.to, source + move.from, move.bytes);
  for (const BitMove &move : bits)
    out[move.to] |= ((source[move.from] >> move.fromBit) & move.mask)
                    << move.toBit;
}

//===----------------------------------------------------------------------===//
// The moves of a tile
//===----------------------------------------------------------------------===//

namespace {

/// One field: its source and target bits.
struct FieldMove {
  uint64_t from, to;
  unsigned fromBit, toBit, bits;
};

/// Turns the fields of a plane into moves; bytes that are whole become copies.
class MoveList {
public:
  void add(const FieldMove &field) {
    if (field.bits < 8) {
      partial[field.to].push_back(field);
      return;
    }
    for (unsigned byte = 0; byte < field.bits / 8; ++byte)
      whole[field.to + byte] = field.from + byte;
  }

  Moves finish() && {
    Moves moves;
    for (auto &[to, fields] : partial)
      if (isWholeByte(fields))
        whole[to] = fields.front().from;
      else
        for (const FieldMove &field : fields)
          moves.bits.push_back({field.from, to,
                                static_cast<uint8_t>(field.fromBit),
                                static_cast<uint8_t>(field.toBit),
                                static_cast<uint8_t>((1u << field.bits) - 1)});
    // Bytes adjacent in source and target are one copy; the map is in the order
    // of `to`.
    LongCopy run = {0, 0, 0};
    for (auto [to, from] : whole) {
      if (run.bytes != 0 && run.to + run.bytes == to &&
          run.from + run.bytes == from) {
        ++run.bytes;
        continue;
      }
      if (run.bytes != 0)
        moves.addCopy(run);
      run = {from, to, 1};
    }
    if (run.bytes != 0)
      moves.addCopy(run);
    return moves;
  }

private:
  /// Whether all fields of a byte come from one source byte, at the same bits.
  static bool isWholeByte(ArrayRef<FieldMove> fields) {
    unsigned bits = 0;
    for (const FieldMove &field : fields) {
      if (field.from != fields.front().from || field.fromBit != field.toBit)
        return false;
      bits += field.bits;
    }
    return bits == 8;
  }

  std::map<uint64_t, uint64_t> whole; ///< to -> from, a byte each
  std::map<uint64_t, std::vector<FieldMove>> partial;
};

} // namespace

//===----------------------------------------------------------------------===//
// Packer
//===----------------------------------------------------------------------===//

struct Packer::State {
  FormatInterface format;
  LayoutInterface layout;
  uint64_t rows, columns;
  uint64_t tileColumns;
  uint64_t rowBytes; ///< of the source
  uint64_t sourceBytes, bytes;
  std::vector<PlanePlace> places; ///< one a plane
  /// Moves of each plane, for a full tile or for the last one with fewer rows,
  /// and likewise for columns. Empty if there is no such tile.
  using PlaneMoves = std::vector<Moves>;
  std::array<std::array<PlaneMoves, 2>, 2> moves;

  uint64_t rowTiles() const { return llvm::divideCeil(rows, kTileRows); }
  uint64_t columnTiles() const {
    return llvm::divideCeil(columns, tileColumns);
  }
  uint64_t sourceTileBytes() const {
    return tileColumns / format.getBlock() * format.getBlockBytes();
  }
  BitPosition locate(unsigned plane, uint64_t rowTile,
                     uint64_t columnTile) const {
    return layout.locate(format, rows, columns, plane, rowTile * kTileRows,
                         columnTile * tileColumns);
  }

  bool findPlaces();
  PlaneMoves listMoves(uint64_t tileRows, uint64_t width) const;
};

/// Fails if tiles are not at constant distances. Distances may be negative;
/// sums modulo 2^64 are correct then too.
bool Packer::State::findPlaces() {
  for (unsigned plane = 0; plane < format.getPlanes().size(); ++plane) {
    uint64_t lastRow = rowTiles() - 1, lastColumn = columnTiles() - 1;
    PlanePlace place = {locate(plane, 0, 0).byte, 0, 0};
    if (lastRow != 0)
      place.rowStep = locate(plane, 1, 0).byte - place.base;
    if (lastColumn != 0)
      place.columnStep = locate(plane, 0, 1).byte - place.base;
    for (auto [row, column] : {std::pair{lastRow, lastColumn},
                               {lastRow, uint64_t(0)},
                               {uint64_t(0), lastColumn},
                               {lastRow / 2, lastColumn / 2}})
      if (locate(plane, row, column).byte !=
          place.base + row * place.rowStep + column * place.columnStep)
        return false;
    places.push_back(place);
  }
  return true;
}

Packer::State::PlaneMoves Packer::State::listMoves(uint64_t tileRows,
                                                   uint64_t width) const {
  PlaneMoves moves;
  const FormatFacts &format = this->format.getFacts();
  for (auto [plane, facts] : llvm::enumerate(format.planes)) {
    MoveList list;
    for (uint64_t row = 0; row < tileRows; ++row)
      for (uint64_t column = 0; column < width; column += facts.per) {
        uint64_t source =
            row * rowBytes + column / format.block * format.blockBytes;
        BitPosition to =
            layout.locate(this->format, rows, columns, plane, row, column);
        to.byte -= places[plane].base;
        for (BitRange piece : format.locate(plane, column % format.block)) {
          list.add({source + piece.from.byte, to.byte, piece.from.bit, to.bit,
                    piece.bits});
          to.bit += piece.bits;
        }
      }
    moves.push_back(std::move(list).finish());
  }
  return moves;
}

Expected<Packer> Packer::create(FormatInterface format, LayoutInterface layout,
                                uint64_t rows, uint64_t columns) {
  auto refuse = [&](const llvm::Twine &why) {
    return llvm::createStringError(format.getName() + " weight of " +
                                   llvm::Twine(rows) + " x " +
                                   llvm::Twine(columns) + ": " + why);
  };
  std::string why;
  if (rows == 0 || columns == 0 || rows > INT32_MAX || columns > INT32_MAX)
    return refuse("extents are 1 to " + llvm::Twine(INT32_MAX));
  if (columns % format.getBlock() != 0)
    return refuse("rows are whole blocks of " + llvm::Twine(format.getBlock()) +
                  " columns");
  if (mlir::failed(layout.accepts(format, rows, columns, why)))
    return refuse(why);

  auto state = std::make_shared<State>();
  state->format = format;
  state->layout = layout;
  state->rows = rows;
  state->columns = columns;
  state->tileColumns =
      format.getBlock() == 1 ? kPlainTileColumns : format.getBlock();
  // Extents below 2^31 and blocks below 2^31 bytes: no product overflows.
  state->rowBytes = columns / format.getBlock() * format.getBlockBytes();
  auto sourceBytes = llvm::checkedMulUnsigned(state->rowBytes, rows);
  auto bytes = layout.byteSize(format, rows, columns);
  if (!sourceBytes || mlir::failed(bytes))
    return refuse("its size in bytes overflows");
  state->sourceBytes = *sourceBytes;
  state->bytes = *bytes;
  if (!state->findPlaces())
    return refuse("its layout is not regular in tiles of " +
                  llvm::Twine(kTileRows) + " rows by " +
                  llvm::Twine(state->tileColumns) + " columns");

  uint64_t rowTail = rows % kTileRows,
           columnTail = columns % state->tileColumns;
  uint64_t heights[] = {rows >= kTileRows ? kTileRows : 0, rowTail};
  uint64_t widths[] = {columns >= state->tileColumns ? state->tileColumns : 0,
                       columnTail};
  for (auto [i, height] : llvm::enumerate(heights))
    for (auto [j, width] : llvm::enumerate(widths))
      if (height != 0 && width != 0)
        state->moves[i][j] = state->listMoves(height, width);
  return Packer(std::move(state));
}

uint64_t Packer::sourceBytes() const { return state->sourceBytes; }
uint64_t Packer::bytes() const { return state->bytes; }
uint64_t Packer::tileCount() const { return state->rowTiles(); }

uint64_t Packer::rowCount(uint64_t first, uint64_t count) const {
  return std::min((first + count) * kTileRows, state->rows) - first * kTileRows;
}

Packer::Range Packer::rangeOf(uint64_t first, uint64_t count) const {
  // The bytes of a tile are those of each plane, one after the other, or in a
  // region of the plane's own.
  uint64_t tiles = tileCount(), tileBytes = state->bytes / tiles;
  bool isContiguous = tiles * tileBytes == state->bytes &&
                      llvm::all_of(state->places, [&](const PlanePlace &place) {
                        return tiles == 1 || (place.rowStep == tileBytes &&
                                              place.base < tileBytes);
                      });
  return isContiguous ? Range{first * tileBytes, count * tileBytes}
                      : Range{0, state->bytes};
}

void Packer::pack(uint64_t first, uint64_t count, ArrayRef<uint8_t> source,
                  MutableArrayRef<uint8_t> out) const {
  const Range range = rangeOf(first, count);
  assert(source.size() == rowCount(first, count) * state->rowBytes &&
         out.size() == range.bytes);
  uint64_t rowTileBytes = kTileRows * state->rowBytes,
           tileBytes = state->sourceTileBytes();
  uint64_t wholeColumns = state->columns / state->tileColumns;
  for (uint64_t row = first; row < first + count; ++row) {
    bool isTail = (row + 1) * kTileRows > state->rows;
    const auto &rowMoves = state->moves[isTail];
    for (uint64_t column = 0; column < state->columnTiles(); ++column) {
      const uint8_t *from =
          source.data() + (row - first) * rowTileBytes + column * tileBytes;
      const State::PlaneMoves &moves = rowMoves[column >= wholeColumns];
      for (auto [place, planeMoves] : llvm::zip_equal(state->places, moves))
        planeMoves.run(from,
                       out.data() + (place.base + row * place.rowStep +
                                     column * place.columnStep - range.offset));
    }
  }
}
