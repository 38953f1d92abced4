//===- NativeModule.h - one function of the graph, as kernels -------------===//
//
// A function and the values that it is called with -> its kernels at phase
// llvm, and where arguments and results stand. Its ops go through the phases of
// a program from fuse on; only what a whole model has besides (forms, steps,
// barriers, places that buffers share) is left out. Apart from NativeFunction,
// which knows memory and no passes.
//
//===----------------------------------------------------------------------===//

#ifndef CORELLAMA_COMPILER_NATIVE_NATIVEMODULE_H
#define CORELLAMA_COMPILER_NATIVE_NATIVEMODULE_H

#include "compiler/Native/PassAdder.h"
#include "dialects/Llama/IR/LlamaDialect.h"
#include "dialects/Llama/Reference/Datum.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/OwningOpRef.h"
#include "runtime/ABI/Image.h"
#include "llvm/Support/Error.h"
#include <optional>
#include <string>
#include <vector>

namespace corellama {

/// The bytes of a tensor in the workspace, whose last extents have the
/// capacity's strides.
struct TensorPlace {
  int64_t at;
  mlir::RankedTensorType capacity;
};

/// A weight that some kernel reads.
struct NativeWeight {
  mlir::SymbolRefAttr symbol;
  /// Absent where it is declared once.
  std::optional<int64_t> layer;
  /// The argument that it is; absent: the weight source has it.
  std::optional<unsigned> argument;
  /// The entry of the table of offsets.
  uint64_t index;
  llama::FormatInterface format;
  llama::LayoutInterface layout;
  llama::reference::Shape shape;
};

struct NativeModule {
  mlir::OwningOpRef<mlir::ModuleOp> module;
  llama::TargetInterface target;
  int64_t rows = 0, firstPosition = 0;
  /// Positions that the cache has room for.
  int64_t capacity = 0;
  /// Names, in the order of the calls.
  std::vector<std::string> kernels;
  /// Of each argument that kernels read from a buffer.
  std::vector<std::optional<TensorPlace>> arguments;
  /// Where a result stands, and the argument that it is if no kernel makes it.
  struct Result {
    std::optional<TensorPlace> place;
    unsigned argument = 0;
  };
  std::vector<Result> results;
  /// The argument with the ids of the rows.
  std::optional<unsigned> ids;
  std::vector<NativeWeight> weights;
  uint64_t weightTableSize = 0;
  uint64_t keyBytes = 0, valueBytes = 0;
  /// As abi::Context has them.
  std::vector<uint64_t> regions;
  /// Whether keys are read that the function need not have appended.
  bool readsCache = false;
  /// Of RoPE's table; none without rope.
  std::vector<abi::PairRotation> frequencies;
};

/// How many rows all tensors of a call have; an error where they differ.
llvm::Expected<int64_t>
countRows(llvm::ArrayRef<llama::reference::Datum> arguments);

/// Compiles `function` for calls with as many rows as `arguments` have.
/// `dumpFolder`: the module after each phase, and assembly; empty: no files.
/// `behindTile`, where it is set, adds passes behind those of phase tile.
llvm::Expected<NativeModule>
buildNativeModule(mlir::func::FuncOp function,
                  llvm::ArrayRef<llama::reference::Datum> arguments,
                  llvm::StringRef target, llvm::StringRef dumpFolder,
                  const PassAdder &behindTile);

} // namespace corellama

#endif // CORELLAMA_COMPILER_NATIVE_NATIVEMODULE_H
