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
             const ImageOptions &options, const ImagePlan &plan);

/// The module's cache_layout; an error unless there is exactly one.
llvm::Expected<llama::CacheLayoutOp> findCacheLayout(mlir::ModuleOp module);

/// The error for a module that does not fit: "module: PROBLEM".
llvm::Error refuseModule(const llvm::Twine &problem);

} // namespace corellama::image

#endif // CORELLAMA_COMPILER_IMAGE_MANIFEST_H
