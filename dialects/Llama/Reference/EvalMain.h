//===- EvalMain.h - the `corellama eval` command ----------------*- C++ -*-===//
//
// From an .mlir file, the name of a function or of the model and .npy files to
// .npy files or text. The command line itself is read by the driver.
//
//===----------------------------------------------------------------------===//

#ifndef CORELLAMA_DIALECTS_LLAMA_REFERENCE_EVALMAIN_H
#define CORELLAMA_DIALECTS_LLAMA_REFERENCE_EVALMAIN_H

#include "llvm/Support/raw_ostream.h"
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
  /// `blk.3.attn_q.npy`. Empty: weights are arguments.
  std::string weights;
  /// --form and --chunk, where the entry is the model: see ModelRun.
  std::string form;
  long chunk = 0;
};

/// Runs the command; errors go to `err`, one line each. The exit code.
int evalMain(const EvalOptions &options, llvm::raw_ostream &out = llvm::outs(),
             llvm::raw_ostream &err = llvm::errs());

} // namespace corellama::llama::reference

#endif // CORELLAMA_DIALECTS_LLAMA_REFERENCE_EVALMAIN_H
