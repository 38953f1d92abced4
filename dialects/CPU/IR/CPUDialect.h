//===- CPUDialect.h - the cpu dialect -------------------------------------===//

#ifndef CORELLAMA_DIALECTS_CPU_IR_CPUDIALECT_H
#define CORELLAMA_DIALECTS_CPU_IR_CPUDIALECT_H

#include "dialects/Llama/IR/LlamaDialect.h"

#include "dialects/CPU/IR/CPUDialect.h.inc"

namespace corellama::cpu {
/// Columns of a weight that a step of the loops over k takes
/// (passes/CPU/Units), so a scale covers as many columns, or a part that
/// divides them.
inline constexpr int64_t kColumnBlock = 32;
/// Rows of x, and of a weight, that a matrix register has the sums of (AMX);
/// tiles of a multiple of them are multiplied by matrices where a unit has
/// both.
inline constexpr int64_t kMatrixRows = 16;

/// Whether the target has vpdpbusd, of 512 bits or of 256.
bool hasByteDot(llama::TargetInterface target);
/// Whether 16 bits hold the sum of two products of a byte of x and a quant less
/// the least quant, which vpmaddubsw adds; it saturates.
bool addsBytePairs(const llama::FormatFacts &facts);
} // namespace corellama::cpu

#define GET_ATTRDEF_CLASSES
#include "dialects/CPU/IR/CPUAttributes.h.inc"
#define GET_OP_CLASSES
#include "dialects/CPU/IR/CPUOps.h.inc"

#endif // CORELLAMA_DIALECTS_CPU_IR_CPUDIALECT_H
