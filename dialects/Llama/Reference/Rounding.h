//===- Rounding.h - float64 to narrower numbers and back --------*- C++ -*-===//
//
// What `llama.quantize` and the cache's element type do to a value, as a
// float64 that the narrower type represents exactly. A file apart from the
// formulas, which round nothing.
//
//===----------------------------------------------------------------------===//

#ifndef CORELLAMA_DIALECTS_LLAMA_REFERENCE_ROUNDING_H
#define CORELLAMA_DIALECTS_LLAMA_REFERENCE_ROUNDING_H

#include "llvm/ADT/ArrayRef.h"

namespace corellama::llama::reference {

enum class Number { Exact, F32, F16, BF16 };

/// Rounds to nearest, ties to even; beyond the largest number to infinity. A
/// program's values are float32 before they become narrower, so F16 and BF16
/// round through F32.
double roundTo(Number number, double x);

/// `!llama.q8b32`: the row as its int8 quants times their block's scale. Each
/// step is computed in float32, as the type's definition says.
void roundToQ8B32(llvm::MutableArrayRef<double> row);

/// `!llama.x24b32`: the row as integers times their block's power of two.
void roundToX24B32(llvm::MutableArrayRef<double> row);

/// `!llama.q8_0`: the same, with scales rounded to f16.
void roundToQ8_0(llvm::MutableArrayRef<double> row);

} // namespace corellama::llama::reference

#endif // CORELLAMA_DIALECTS_LLAMA_REFERENCE_ROUNDING_H
