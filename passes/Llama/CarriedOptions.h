//===- CarriedOptions.h - options that a module carries -------------------===//
//
// A module carries the options that it was made with (`llama.options`). A pass
// takes its option from there unless it is given one explicitly; then it writes
// the given value there, so that the module stays consistent.
//
//===----------------------------------------------------------------------===//

#ifndef CORELLAMA_PASSES_LLAMA_CARRIEDOPTIONS_H
#define CORELLAMA_PASSES_LLAMA_CARRIEDOPTIONS_H

#include "dialects/Llama/IR/LlamaDialect.h"
#include "mlir/IR/BuiltinOps.h"

namespace corellama::llama {

/// {activations = "f32", cache_type = "f16", rows = array<i64: 1, 512>} on a
/// module.
inline constexpr llvm::StringLiteral kOptionsAttr = "llama.options";

/// The most rows of a call, for each form of a program that is asked for none:
/// one row, as each generated token is, and prompts in portions that fill a
/// core's second-level cache.
inline constexpr int64_t kDefaultRows[] = {1, 512};

/// `activations` of programs whose BF16 products are summed in the order of
/// AMX: the unit is not known by the rows alone.
inline constexpr llvm::StringLiteral kAMXActivations = "amx";

/// The option `name` of the module, or null.
template <typename Attr>
Attr getCarriedOption(mlir::ModuleOp module, llvm::StringRef name) {
  auto options = module->getAttrOfType<mlir::DictionaryAttr>(kOptionsAttr);
  return options ? options.getAs<Attr>(name) : Attr();
}

/// Writes it, where the module carries options.
inline void setCarriedOption(mlir::ModuleOp module, llvm::StringRef name,
                             mlir::Attribute value) {
  auto options = module->getAttrOfType<mlir::DictionaryAttr>(kOptionsAttr);
  if (!options)
    return;
  mlir::NamedAttrList list(options);
  list.set(name, value);
  module->setAttr(kOptionsAttr, list.getDictionary(module.getContext()));
}

/// The value of a text option of a pass: as given, else as carried, else its
/// default.
template <typename PassOption>
std::string obeyOption(mlir::ModuleOp module, llvm::StringRef name,
                       PassOption &option) {
  if (option.hasValue())
    setCarriedOption(
        module, name,
        mlir::StringAttr::get(module.getContext(), option.getValue()));
  else if (auto carried = getCarriedOption<mlir::StringAttr>(module, name))
    return carried.str();
  return option.getValue();
}

} // namespace corellama::llama

#endif // CORELLAMA_PASSES_LLAMA_CARRIEDOPTIONS_H
