//===- EvalMain.h - the `corellama eval` command ----------------*- C++ -*-===//
//
// From an .mlir file, the name of a function or of the model and .npy files to
// .npy files or text. The command line itself is read by the driver.
//
//===----------------------------------------------------------------------===//

#ifndef CORELLAMA_DIALECTS_LLAMA_REFERENCE_EVALMAIN_H
#define CORELLAMA_DIALECTS_LLAMA_REFERENCE_EVALMAIN_H

#include "dialects/Llama/Reference/Evaluator.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/DialectRegistry.h"
#include "llvm/Support/raw_ostream.h"
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace corellama::llama::reference {

struct EvalOptions {
  /// FILE.mlir, or "-" for standard input.
  std::string file;
  /// --entry: a function, or the symbol of the llama.model, which takes one
  /// tensor of ids and gives logits.
  std::string entry;
  /// --in, one for each argument but caches, in order: FILE.npy, or a number
  /// for an index.
  std::vector<std::string> in;
  /// --out, one for each result: FILE.npy, or "-" for text on standard output.
  /// None at all: text for each.
  std::vector<std::string> out;
  /// --mode: "as-specified" or "ideal".
  std::string mode = "as-specified";
  /// --weights: a folder that llama.weight_ref reads from: `token_embd.npy`,
  /// `blk.3.attn_q.npy`; or a checkpoint. Empty: weights are arguments.
  std::string weights;
  /// --dump: a folder for every value that is computed; empty: none.
  std::string dump;
  /// --form and --chunk, where the entry is the model: see ModelRun.
  std::string form;
  long chunk = 0;
  /// --native: the function is compiled and called, for `target`.
  bool native = false;
  std::string target = "native";
  /// --lowering: with `native`, by another way than a program's: "linalg", or
  /// its name with a form of RoPE; empty: a program's. --lowering-type: "f32"
  /// or "f64".
  std::string lowering;
  std::string loweringType = "f32";
  /// --time: measure `repeat` samples and print JSON in place of results.
  bool time = false;
  long repeat = 9;
  /// --dump-compilation-phases-to: a folder for what --native makes of the
  /// function; empty: none.
  std::string phases;
};

/// What the command takes from the compiler, which this folder does not depend
/// on.
struct EvalServices {
  /// The dialects that native code needs; null: those of the evaluator.
  const mlir::DialectRegistry *registry = nullptr;
  /// The weights of a checkpoint for the declarations of a module.
  std::function<llvm::Expected<std::unique_ptr<WeightSource>>(
      mlir::ModuleOp, const std::string &path)>
      openCheckpoint;
  /// Compiles a function and calls it; with `time` it prints to `out` and gives
  /// the results of the last call.
  std::function<llvm::Expected<std::vector<Datum>>(
      mlir::func::FuncOp function, WeightSource *weights,
      llvm::ArrayRef<Datum> arguments, const EvalOptions &options,
      llvm::raw_ostream &out)>
      callNative;
};

/// Runs the command; errors go to `err`, one line each. The exit code.
int evalMain(const EvalOptions &options, const EvalServices &services = {},
             llvm::raw_ostream &out = llvm::outs(),
             llvm::raw_ostream &err = llvm::errs());

} // namespace corellama::llama::reference

#endif // CORELLAMA_DIALECTS_LLAMA_REFERENCE_EVALMAIN_H
