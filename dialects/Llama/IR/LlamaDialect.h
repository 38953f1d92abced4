//===- LlamaDialect.h - the llama dialect ---------------------------------===//
//
// Everything of the dialect in one include: attributes, types, ops. See
// LlamaDialect.td for what the dialect is.
//
//===----------------------------------------------------------------------===//

#ifndef CORELLAMA_DIALECTS_LLAMA_IR_LLAMADIALECT_H
#define CORELLAMA_DIALECTS_LLAMA_IR_LLAMADIALECT_H

#include "dialects/Llama/IR/KVCacheLayout.h"
#include "dialects/Llama/IR/LlamaFormats.h"
#include "dialects/Llama/IR/LlamaOpTraits.h"
#include "dialects/Llama/IR/Phase.h"
#include "mlir/Bytecode/BytecodeOpInterface.h"
#include "mlir/IR/AffineMap.h"
#include "mlir/IR/BuiltinAttributes.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/BuiltinTypes.h"
#include "mlir/IR/Dialect.h"
#include "mlir/IR/OpDefinition.h"
#include "mlir/IR/OpImplementation.h"
#include "mlir/IR/SymbolTable.h"
#include "mlir/Interfaces/InferTypeOpInterface.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"
#include <optional>
#include <vector>

namespace corellama::llama {

/// The KV cache: the only state a step changes.
struct CacheResource : mlir::SideEffects::Resource::Base<CacheResource> {
  llvm::StringRef getName() final { return "Cache"; }
};
/// The buffers of the workspace.
struct BufferResource : mlir::SideEffects::Resource::Base<BufferResource> {
  llvm::StringRef getName() final { return "Buffers"; }
};
/// The order of ops in a step, which no pass may change.
struct ScheduleResource : mlir::SideEffects::Resource::Base<ScheduleResource> {
  llvm::StringRef getName() final { return "Schedule"; }
};
/// What the runtime provides: ids, positions, the cache's address.
struct ContextResource : mlir::SideEffects::Resource::Base<ContextResource> {
  llvm::StringRef getName() final { return "Context"; }
};

class CacheType;
class ContractionUnitInterface;
class ReductionOrderAttr;

/// What a target's planner says of a kernel: its strategy and what is free of
/// its partition, or why the target has none for it.
struct KernelPlan {
  mlir::Attribute strategy = {};
  /// Rows of weights in a part; of a call, where a kernel has no products.
  int64_t by = 1;
  /// Rows of a call in a part of a kernel with products; 0: all.
  int64_t rowsBy = 0;
  std::string error = {};
};

/// Rows of a weight that `interleaved16` keeps together: what a tile of a CPU
/// has of a weight, or multiples of it.
inline constexpr int64_t kInterleavedRows = 16;

/// Names of the attributes that stand on modules and on kernel functions.
inline constexpr llvm::StringLiteral kCheckpointAttr = "llama.checkpoint";
inline constexpr llvm::StringLiteral kConfigAttr = "llama.config";
inline constexpr llvm::StringLiteral kTargetAttr = "llama.target";
inline constexpr llvm::StringLiteral kPhaseAttr = "llama.phase";
inline constexpr llvm::StringLiteral kStrategyAttr = "llama.strategy";
inline constexpr llvm::StringLiteral kPartitionAttr = "llama.partition";
/// The weights that a kernel multiplies by, each read whole in a call, and
/// whether it reads the cache: what the program's manifest says of its bytes.
inline constexpr llvm::StringLiteral kReadsAttr = "llama.reads";
inline constexpr llvm::StringLiteral kReadsCacheAttr = "llama.reads_cache";
/// The most rows of a call, on each function whose rows are a dynamic extent.
inline constexpr llvm::StringLiteral kRowsAttr = "llama.rows";
inline constexpr llvm::StringLiteral kScratchAttr = "llama.scratch";
inline constexpr llvm::StringLiteral kKernelsAttr = "llama.kernels";
inline constexpr llvm::StringLiteral kProgramAttr = "llama.program";

} // namespace corellama::llama

#include "dialects/Llama/IR/LlamaAttrInterfaces.h.inc"
#include "dialects/Llama/IR/LlamaDialect.h.inc"
#include "dialects/Llama/IR/LlamaEnums.h.inc"
#include "dialects/Llama/IR/LlamaOpInterfaces.h.inc"
#include "dialects/Llama/IR/LlamaTypeInterfaces.h.inc"

#define GET_ATTRDEF_CLASSES
#include "dialects/Llama/IR/LlamaAttributes.h.inc"
#include "dialects/Llama/IR/LlamaReductionInterface.h.inc"
#define GET_TYPEDEF_CLASSES
#include "dialects/Llama/IR/LlamaTypes.h.inc"
#define GET_OP_CLASSES
#include "dialects/Llama/IR/LlamaOps.h.inc"

namespace corellama::llama {

/// The attribute of a format.
FormatInterface getFormat(mlir::MLIRContext *context, const FormatFacts &facts);

/// The index of each weight in the table of offsets: declarations in the order
/// of the module, one entry each, or one a layer. This function is the
/// definition: phase schedule writes the index on each reference, and the image
/// is written in this order.
int64_t getWeightTableIndex(mlir::ModuleOp module, WeightOp weight);
/// Entries of the whole table.
int64_t getWeightTableSize(mlir::ModuleOp module);

/// The invariants of every product with an order: its unit reads such rows,
/// multiplies the format and sums in the order that is written. Reports on
/// `op`.
mlir::LogicalResult verifyContraction(mlir::Operation *op, mlir::Type rows,
                                      FormatInterface format,
                                      ReductionOrderAttr order);

/// Types of the cache's keys and values, from what options say: "f32", "f16",
/// "bf16" or "q8_0", or two of these with a comma between, keys first. Failure:
/// it is something else.
mlir::FailureOr<std::pair<mlir::Type, mlir::Type>>
getCacheElements(llvm::StringRef text, mlir::MLIRContext *context);

/// The bound of a value whose number of rows nothing says, as import leaves it.
inline constexpr int64_t kAnyRows = INT64_MAX;
/// The most rows that `function` is called with where its types leave them
/// open: `llama.rows`, or kAnyRows.
int64_t getRowBound(mlir::Operation *function);
/// The most rows that `value`, a tensor of rows, has: its first extent, or the
/// bound of the function that it stands in.
int64_t getRowBound(mlir::Value value);

/// The target of the module that `op` is in or is; null where it has none.
TargetInterface getTarget(mlir::Operation *op);
/// Whether a target has a feature, by LLVM's name of it. A null one has none.
bool hasFeature(TargetInterface target, llvm::StringRef name);
/// The first feature that `unit` needs and `target` lacks; empty if the target
/// has all.
llvm::StringRef getMissingFeature(ContractionUnitInterface unit,
                                  TargetInterface target);

/// Reports an error at `op` if a rotation (null: plain) does not go with heads
/// of `headSize`.
mlir::LogicalResult verifyRotation(mlir::Operation *op, RotationAttr rotation,
                                   int64_t headSize);

/// The first rope op of a module; null without one. A program has one table of
/// angles, so an op of another base, rotation or head size is an error, which
/// is emitted here.
mlir::FailureOr<RopeOp> getRotation(mlir::ModuleOp module);

} // namespace corellama::llama

#endif // CORELLAMA_DIALECTS_LLAMA_IR_LLAMADIALECT_H
