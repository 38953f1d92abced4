//===- Manifest.h - what a program was made from and how ------------------===//
//
// A module of phase `llvm`, its checkpoint and the planned weights -> the JSON
// text that the program carries. Apart from Image.cpp because its fields are
// for people and scripts (docs, `inspect`): nothing at run time reads them.
//
//===----------------------------------------------------------------------===//

#ifndef CORELLAMA_COMPILER_IMAGE_MANIFEST_H
#define CORELLAMA_COMPILER_IMAGE_MANIFEST_H

#include "compiler/Image/Image.h"

namespace corellama::image {

/// Everything but the manifest is planned. The text depends on these arguments
/// only: no path, no time, keys in alphabetical order.
llvm::Expected<std::string>
makeManifest(mlir::ModuleOp module, const checkpoint::Checkpoint &checkpoint,
             llvm::StringRef version, const ImagePlan &plan);

/// Adds to a manifest, as `variants`, what of those of other targets is the
/// code's: target, forms, heads, kernels and memory.
llvm::Error addVariantManifests(std::string &manifest,
                                llvm::ArrayRef<llvm::StringRef> others);

/// The error for a module that does not fit: "module: PROBLEM".
llvm::Error refuseModule(const llvm::Twine &problem);

/// The module's only op of a kind, which `phase` makes; an error unless there
/// is exactly one.
template <typename Op>
llvm::Expected<Op> findOnly(mlir::ModuleOp module, llvm::StringRef phase) {
  auto found = llvm::to_vector(module.getOps<Op>());
  if (found.size() != 1)
    return refuseModule(
        "has " + llvm::Twine(found.size()) + " " + Op::getOperationName() +
        ", expected one; run the phases from `" + phase + "` on");
  return found.front();
}

} // namespace corellama::image

#endif // CORELLAMA_COMPILER_IMAGE_MANIFEST_H
