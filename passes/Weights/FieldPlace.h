//===- FieldPlace.h - a layout's places as strides ------------------------===//
//
// Where a plane of a weight keeps its fields: a base, a stride from row to row
// and one for each digit of the column, found by asking the layout. Loads are
// emitted from it, so that no lowering repeats a layout's formula.
//
// Example, the 2-bit quants of Q2_K in rowmajor_split: bit 2 (c / 4 mod 4) of
// byte 4 (c / 16) + c mod 4 of a row. Strides: {1, 4, 8 bits}, {4, 4, 2},
// {16, 0 (the topmost), 32}.
//
//===----------------------------------------------------------------------===//

#ifndef CORELLAMA_PASSES_WEIGHTS_FIELDPLACE_H
#define CORELLAMA_PASSES_WEIGHTS_FIELDPLACE_H

#include "dialects/Llama/IR/LlamaDialect.h"

namespace corellama {

struct FieldPlace {
  /// Of row 0, column 0: the bit in the weight.
  int64_t base;
  /// Bits from row 0 to row 1.
  int64_t rowStride;
  /// Ascending. A count of 0 is the topmost, without a bound.
  llvm::SmallVector<llama::Stride> strides;

  static FieldPlace probe(llama::LayoutInterface layout, llama::WeightType type,
                          unsigned plane);
  /// The bit of row 0 and a column.
  int64_t at(int64_t column) const;
};

} // namespace corellama

#endif // CORELLAMA_PASSES_WEIGHTS_FIELDPLACE_H
