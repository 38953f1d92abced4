//===- Packing.h - the checkpoint's bytes into a layout -------------------===//
//
// A weight as the checkpoint has it, row by row in blocks -> the same fields in
// the places that a layout gives them, bit for bit. A file of its own because
// it knows no format and no layout: its tables of moves are made from the
// format's facts and the layout's `locate`.
//
//===----------------------------------------------------------------------===//

#ifndef CORELLAMA_COMPILER_IMAGE_PACKING_H
#define CORELLAMA_COMPILER_IMAGE_PACKING_H

#include "dialects/Llama/IR/LlamaDialect.h"
#include "llvm/ADT/ArrayRef.h"
#include "llvm/Support/Error.h"
#include <cstdint>
#include <memory>
#include <utility>

namespace corellama::image {

/// Packs weights of one format, layout and shape. Immutable, so that threads
/// can share it; copies share the moves.
class Packer {
public:
  /// Rows of a tile. In no layout do rows of different tiles share a byte, so
  /// tiles can be packed in parallel.
  static constexpr uint64_t kTileRows = llama::kInterleavedRows;

  /// Fails where the layout does not accept the format, the size overflows, or
  /// the layout is not regular: tiles of 16 rows and one block (32 columns of
  /// plain numbers) must look alike and be at constant distances.
  static llvm::Expected<Packer> create(llama::FormatInterface format,
                                       llama::LayoutInterface layout,
                                       uint64_t rows, uint64_t columns);

  /// Bytes of the weight's rows and of its layout.
  uint64_t sourceBytes() const;
  uint64_t bytes() const;
  /// Number of tiles of rows, the last one possibly smaller.
  uint64_t tileCount() const;

  /// Number of rows in tiles [first, first + count).
  uint64_t rowCount(uint64_t first, uint64_t count) const;
  /// Bytes of the layout: an offset, and how many.
  struct Range {
    uint64_t offset, bytes;
  };
  /// The bytes in which tiles [first, first + count) lie: all of the layout
  /// where tiles do not follow each other in it.
  Range rangeOf(uint64_t first, uint64_t count) const;

  /// Packs the rows of tiles [first, first + count). `source` has these rows,
  /// `out` is their range of the layout; `out` is zero before, and padding
  /// stays so.
  void pack(uint64_t first, uint64_t count, llvm::ArrayRef<uint8_t> source,
            llvm::MutableArrayRef<uint8_t> out) const;

private:
  struct State;
  explicit Packer(std::shared_ptr<const State> state)
      : state(std::move(state)) {}
  std::shared_ptr<const State> state;
};

} // namespace corellama::image

#endif // CORELLAMA_COMPILER_IMAGE_PACKING_H
