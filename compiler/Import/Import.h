//===- Import.h - a checkpoint as a module of the llama dialect -----------===//
//
// Checkpoint (sizes and tensor table) -> the graph of phase `import`. It is a
// file of its own because it translates roles and types of weights to symbols
// and formats of the dialect; later only packing reads the checkpoint.
//
//===----------------------------------------------------------------------===//

#ifndef CORELLAMA_COMPILER_IMPORT_IMPORT_H
#define CORELLAMA_COMPILER_IMPORT_IMPORT_H

#include "compiler/Checkpoint/Checkpoint.h"
#include "dialects/Llama/IR/LlamaDialect.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/OwningOpRef.h"
#include <string>

namespace corellama {

/// The module of phase `import`. Loads the dialects it uses. Every opened
/// checkpoint can be imported. Each op that reads a weight, and each
/// declaration, has the weight's name as its location ("blk.*.attn_q.weight" if
/// there is one a layer).
mlir::OwningOpRef<mlir::ModuleOp>
importCheckpoint(mlir::MLIRContext &context,
                 const checkpoint::Checkpoint &checkpoint);

/// The module's attribute `llama.checkpoint`: "blake3:<hex>".
std::string checkpointAttribute(const checkpoint::Checkpoint &checkpoint);

/// The module's attribute `llama.config`.
llama::ConfigAttr configAttribute(mlir::MLIRContext &context,
                                  const checkpoint::Checkpoint &checkpoint);

/// The dialect's format of a tensor type.
llama::FormatInterface formatOf(mlir::MLIRContext &context,
                                checkpoint::TensorType type);

/// A declared weight in messages, of layer `layer` if there is one a layer:
/// @blk::@attn_q of layer 3 is "blk.3.attn_q.weight".
std::string nameOf(llama::WeightOp weight, int64_t layer);

/// The checkpoint's weight that a declaration names, of layer `layer` if there
/// is one a layer, or null: the inverse of how `importCheckpoint` names its
/// declarations.
const checkpoint::TensorInfo *
findTensor(const checkpoint::Checkpoint &checkpoint, llama::WeightOp weight,
           int64_t layer);

} // namespace corellama

#endif // CORELLAMA_COMPILER_IMPORT_IMPORT_H
