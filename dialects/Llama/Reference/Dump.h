//===- Dump.h - every value of an evaluation as a file ----------*- C++ -*-===//
//
// For `corellama eval --dump`: each tensor that the evaluator computes becomes
// a .npy file of the value's name, and index.json says what it is. Apart from
// the evaluator, which knows no files and no names.
//
//===----------------------------------------------------------------------===//

#ifndef CORELLAMA_DIALECTS_LLAMA_REFERENCE_DUMP_H
#define CORELLAMA_DIALECTS_LLAMA_REFERENCE_DUMP_H

#include "dialects/Llama/Reference/Evaluator.h"
#include "mlir/AsmParser/AsmParserState.h"
#include "llvm/ADT/StringSet.h"
#include "llvm/Support/JSON.h"

namespace corellama::llama::reference {

/// Files of tensors: NAME.npy for a value of `entry`, FUNCTION.NAME.npy or
/// FUNCTION.LAYER.NAME.npy for one of a function that it calls. What attention
/// weights values by is NAME.probabilities.npy.
class Dump : public Observer {
public:
  /// `names` is what the parser kept of the module's text; the folder exists.
  Dump(std::string folder, std::string entry, const mlir::AsmParserState &names)
      : folder(std::move(folder)), entry(std::move(entry)), names(names) {}

  llvm::Error value(llvm::StringRef function, std::optional<int64_t> layer,
                    mlir::Value value, const Datum &datum) override;
  llvm::Error probabilities(llvm::StringRef function,
                            std::optional<int64_t> layer, mlir::Value attention,
                            const Tensor &probabilities) override;

  /// Writes index.json: for each file, in the order of the computation, its
  /// function, layer, value, op and shape.
  llvm::Error finish();

private:
  std::string nameOf(mlir::Value value) const;
  llvm::Error write(llvm::StringRef function, std::optional<int64_t> layer,
                    mlir::Value value, llvm::StringRef suffix,
                    const Datum &datum);

  std::string folder, entry;
  const mlir::AsmParserState &names;
  llvm::StringSet<> written;
  llvm::json::Array index;
};

/// Writes an array to a file that appears whole or not at all; messages begin
/// with its name. Tensors and integers only.
llvm::Error writeNpyFile(llvm::StringRef path, const Datum &value);

} // namespace corellama::llama::reference

#endif // CORELLAMA_DIALECTS_LLAMA_REFERENCE_DUMP_H
