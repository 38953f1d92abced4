//===- RowConverter.h - rows of numbers in another format -------*- C++ -*-===//
//
// A row of F32, F16 or BF16 -> the same numbers in a format of fewer bits, to
// the byte as the PyPI package `gguf` rounds them (gguf.quants), or widened to
// F32. A folder of its own because it is all the arithmetic that a compiler
// does on weights: everything else moves their bits.
//
//===----------------------------------------------------------------------===//

#ifndef CORELLAMA_COMPILER_QUANTIZE_ROWCONVERTER_H
#define CORELLAMA_COMPILER_QUANTIZE_ROWCONVERTER_H

#include "dialects/Llama/IR/LlamaFormats.h"
#include "llvm/ADT/ArrayRef.h"
#include <cstddef>
#include <cstdint>
#include <optional>

namespace corellama::quantize {

/// The formats that `--quantize` can name.
inline constexpr llvm::StringLiteral kFormats[] = {"q8_0", "q4_0", "q4_1",
                                                   "bf16", "f16"};

/// Whether numbers of this format can be rounded to another one: it is a plain
/// one. Quantised weights never are, since their error would add up.
bool isSource(const llama::FormatFacts &format);

/// A number that has no meaning in a block.
struct NotFinite {
  uint64_t column;
  bool isNaN; ///< or infinite
};

/// Converts rows of one format to another. Immutable; small enough to be
/// copied.
class RowConverter {
public:
  /// `from` is a source, `to` one of kFormats or F32.
  RowConverter(const llama::FormatFacts &from, const llama::FormatFacts &to);

  /// `row` and `out` are whole rows of as many columns. Returns the first
  /// number that is not finite; `out` is unspecified then. A finite number
  /// beyond the range of F16, or one whose scale is, becomes infinite, as
  /// `gguf` has it.
  std::optional<NotFinite> convert(llvm::ArrayRef<uint8_t> row,
                                   llvm::MutableArrayRef<uint8_t> out) const;

private:
  size_t sourceBytes;              ///< of a number
  size_t targetBlock, targetBytes; ///< columns and bytes of a block
  void (*widen)(const uint8_t *from, size_t count, float *to);
  void (*narrow)(const float *from, size_t count, uint8_t *to);
};

} // namespace corellama::quantize

#endif // CORELLAMA_COMPILER_QUANTIZE_ROWCONVERTER_H
