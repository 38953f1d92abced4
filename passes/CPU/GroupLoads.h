//===- GroupLoads.h - how the CPU reads a format in interleaved16 ---------===//
//
// The interface that a new format implements to be read by the CPU's kernels,
// and the models of the formats there are. Attached to the formats from here,
// so that the dialect depends on no lowering.
//
//===----------------------------------------------------------------------===//

#ifndef CORELLAMA_PASSES_CPU_GROUPLOADS_H
#define CORELLAMA_PASSES_CPU_GROUPLOADS_H

#include "dialects/Llama/IR/LlamaDialect.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"

namespace corellama::cpu {

/// A group of 16 rows in memory.
struct GroupStream {
  mlir::ImplicitLocOpBuilder &b;
  /// memref<?xi8>: the whole weight.
  mlir::Value memory;
  /// Byte offset of the group; null for emitValue, which finds its own.
  mlir::Value group;
  /// Columns of the weight.
  int64_t columns;
  /// Whether cpu.lookup16 is one instruction.
  bool tables;
};

void registerGroupLoads(mlir::DialectRegistry &registry);

} // namespace corellama::cpu

#include "passes/CPU/GroupLoads.h.inc"

#endif // CORELLAMA_PASSES_CPU_GROUPLOADS_H
