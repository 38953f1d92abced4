//===- OneKernel.h - a kernel of a few ops of tile --------------*- C++ -*-===//
//
// For tests of the bits of single products and roundings: a body in the ops of
// phase tile -> a compiled kernel and memory for it, for any CPU's
// instructions. Those that this machine lacks are expanded (Expansion.h).
//
//===----------------------------------------------------------------------===//

#ifndef CORELLAMA_TEST_PASSES_CPU_ONEKERNEL_H
#define CORELLAMA_TEST_PASSES_CPU_ONEKERNEL_H

#include "compiler/Runner/KernelContext.h"
#include "compiler/Runner/Runner.h"
#include <functional>
#include <memory>
#include <string>

namespace corellama::test {

struct OneKernel {
  static constexpr int64_t kRows = 3, kWeightRows = 16;

  struct Choice {
    std::string target;
    /// The type of an element of %rows, and how many columns the rows have.
    std::string element;
    int64_t columns;
    /// Between `%x`, memref<rows x columns x f32>, `%rows`, !tile.rows<rows x
    /// columns x element>, %c0 to %c3 and the return. What it stores in %x is
    /// read by floats().
    std::string body;
    size_t weightBytes = 0;
    /// Expand instructions that this machine has, too.
    bool alwaysExpand = false;
    /// Of keys, and of values, for one block of positions.
    size_t cacheBytes = 0;
    int64_t rows = kRows;
    /// Changes the module of phase vector: plants a fault.
    std::function<void(mlir::ModuleOp)> change = {};
  };
  /// Without a module, and with a message, where something fails.
  static OneKernel make(const Choice &choice, std::string &message);

  void run() { context->run(*module->lookup("kernel"), 0); }
  float *floats() { return context->workspace.as<float>(); }
  uint8_t *rows() { return context->workspace.data() + rowsAt; }

  std::unique_ptr<RunnerModule> module;
  std::unique_ptr<KernelContext> context;
  size_t rowsAt = 0;
  /// Whether instructions were expanded, and how many.
  bool isExpanded = false;
  int64_t expanded = 0;
};

} // namespace corellama::test

#endif // CORELLAMA_TEST_PASSES_CPU_ONEKERNEL_H
