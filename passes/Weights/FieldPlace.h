//===- FieldPlace.h - a layout's places as strides ------------------------===//
//
// Where a plane of a weight keeps its fields: a base, a stride from row to row
// and one for each digit of the column, found by probing the layout's `locate`.
// Loads are emitted from these strides, so that no lowering repeats a layout's
// formula.
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
  /// The bit of row 0, column 0, from the weight's first.
  int64_t base;
  /// Bits from one row to the next.
  int64_t rowStride;
  /// Ascending. The topmost has count 0: it is unbounded.
  llvm::SmallVector<llama::Stride> strides;

  static FieldPlace probe(llama::LayoutInterface layout, llama::WeightType type,
                          unsigned plane);
  /// The bit of row 0 and column `column`.
  int64_t at(int64_t column) const;
};

} // namespace corellama

#endif // CORELLAMA_PASSES_WEIGHTS_FIELDPLACE_H
