//===- CodeGenTesting.h - a module at phase llvm, small enough to read ----===//
//
// The three steps and one kernel, written by hand: what the tests of code
// generation and of the Runner share.
//
//===----------------------------------------------------------------------===//

#ifndef CORELLAMA_TEST_COMPILER_CODEGEN_CODEGENTESTING_H
#define CORELLAMA_TEST_COMPILER_CODEGEN_CODEGENTESTING_H

#include "dialects/CPU/IR/CPUDialect.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/IR/MLIRContext.h"
#include "mlir/IR/OwningOpRef.h"
#include "mlir/Parser/Parser.h"
#include "mlir/Target/LLVMIR/Dialect/Builtin/BuiltinToLLVMIRTranslation.h"
#include "mlir/Target/LLVMIR/Dialect/LLVMIR/LLVMToLLVMIRTranslation.h"
#include <string>

namespace corellama::test {

/// The attributes of kSmallModule, apart so that a test can leave them out.
inline constexpr const char *kSmallAttributes = R"mlir(
  llama.target = #cpu.target<name = "x86-64-v3", features = "+avx2,+fma", vector_bits = 256>,
  llama.program = {workspace_bytes = 4096 : i64, scratch_bytes = 256 : i64,
                   logits_offset = 128 : i64, entries = [], lm_heads = []},
  llama.kernels = [{name = "fill.decode", function = @fill.decode,
                    parts = @fill.decode.parts, scratch_bytes = 64 : i64}]
)mlir";

/// The same with a head, `corellama_step_lm_head`.
inline std::string smallAttributesWithHead() {
  std::string text = kSmallAttributes;
  const std::string none = "lm_heads = []";
  text.replace(text.find(none), none.size(),
               "lm_heads = [{name = \"lm_head\", rows = 1 : i64, step = "
               "@corellama_step_lm_head}]");
  return text;
}

/// The same with the steps of kSmallSteps.
inline std::string smallAttributesWithSteps() {
  std::string text = smallAttributesWithHead();
  const std::string none = "entries = []";
  text.replace(text.find(none), none.size(),
               "entries = [{name = \"decode\", rows = 1 : i64, step = "
               "@corellama_step_decode}, {name = \"prefill\", rows = 8 : i64, "
               "step = @corellama_step_prefill}]");
  return text;
}

/// fill.decode writes `part + 10 * layer` to word `part` of the workspace
/// (offset 16 of the context); it has rows + 2 keys parts.
inline constexpr const char *kSmallModule = R"mlir(
  llama.buffer @logits : tensor<1x8xf32> at 128
  llvm.func @scale(%value: i32) -> i32 {
    %ten = llvm.mlir.constant(10 : i32) : i32
    %r = llvm.mul %value, %ten : i32
    llvm.return %r : i32
  }
  llvm.func @fill.decode(%context: !llvm.ptr, %scratch: !llvm.ptr, %layer: i32, %begin: i32, %end: i32, %first: i32)
      attributes {llama.strategy = #cpu.strategy<unit = #cpu.fma, m = 1, n = 16>} {
    %one = llvm.mlir.constant(1 : i32) : i32
    %field = llvm.getelementptr %context[16] : (!llvm.ptr) -> !llvm.ptr, i8
    %workspace = llvm.load %field : !llvm.ptr -> !llvm.ptr
    %base = llvm.call @scale(%layer) : (i32) -> i32
    llvm.br ^head(%begin : i32)
  ^head(%part: i32):
    %more = llvm.icmp "ult" %part, %end : i32
    llvm.cond_br %more, ^body, ^done
  ^body:
    %value = llvm.add %base, %part : i32
    %place = llvm.getelementptr %workspace[%part] : (!llvm.ptr, i32) -> !llvm.ptr, i32
    llvm.store %value, %place : i32, !llvm.ptr
    %next = llvm.add %part, %one : i32
    llvm.br ^head(%next : i32)
  ^done:
    llvm.return
  }
  llvm.func @fill.decode.parts(%rows: i64, %keys: i64) -> i64 {
    %two = llvm.mlir.constant(2 : i64) : i64
    %k = llvm.mul %keys, %two : i64
    %r = llvm.add %rows, %k : i64
    llvm.return %r : i64
  }
)mlir";

inline constexpr const char *kSmallSteps = R"mlir(
  llvm.func @corellama_barrier(!llvm.ptr, i32)
  llvm.func @corellama_step_decode(%context: !llvm.ptr, %scratch: !llvm.ptr, %worker: i32) {
    %zero = llvm.mlir.constant(0 : i32) : i32
    %two = llvm.mlir.constant(2 : i32) : i32
    llvm.call @fill.decode(%context, %scratch, %zero, %zero, %two, %two) : (!llvm.ptr, !llvm.ptr, i32, i32, i32, i32) -> ()
    llvm.call @corellama_barrier(%scratch, %worker) : (!llvm.ptr, i32) -> ()
    llvm.return
  }
  llvm.func @corellama_step_prefill(%context: !llvm.ptr, %scratch: !llvm.ptr, %worker: i32) {
    llvm.return
  }
  llvm.func @corellama_step_lm_head(%context: !llvm.ptr, %scratch: !llvm.ptr, %worker: i32) {
    llvm.return
  }
)mlir";

/// A context that knows what modules at phase llvm need.
inline mlir::MLIRContext &smallContext() {
  static mlir::MLIRContext *context = [] {
    mlir::DialectRegistry registry;
    registry.insert<llama::LlamaDialect, cpu::CPUDialect,
                    mlir::LLVM::LLVMDialect>();
    mlir::registerBuiltinDialectTranslation(registry);
    mlir::registerLLVMDialectTranslation(registry);
    return new mlir::MLIRContext(registry,
                                 mlir::MLIRContext::Threading::DISABLED);
  }();
  return *context;
}

inline mlir::OwningOpRef<mlir::ModuleOp>
parseModule(const std::string &attributes, const std::string &body) {
  return mlir::parseSourceString<mlir::ModuleOp>(
      "module attributes {" + attributes + "} {" + body + "}", &smallContext());
}

} // namespace corellama::test

#endif // CORELLAMA_TEST_COMPILER_CODEGEN_CODEGENTESTING_H
