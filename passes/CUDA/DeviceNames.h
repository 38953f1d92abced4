//===- DeviceNames.h - what kernels are called on the device --------------===//
//
// Shared by the passes that make steps and kernels of a device and by code
// generation, which finds them.
//
//===----------------------------------------------------------------------===//

#ifndef CORELLAMA_PASSES_CUDA_DEVICENAMES_H
#define CORELLAMA_PASSES_CUDA_DEVICENAMES_H

#include "llvm/ADT/StringRef.h"
#include <string>

namespace corellama::cuda {

/// The device's module in the module of the llvm phase.
inline constexpr llvm::StringLiteral kDeviceModule = "device";

/// The step that chooses an id (cuda-add-choice).
inline constexpr llvm::StringLiteral kChooseStep = "choose";

/// The entry point of a kernel. PTX has no dots in names, so a dot becomes a
/// `$`, which occurs in no kernel's name: "qkv.decode" is `qkv$decode`.
std::string entryNameOf(llvm::StringRef kernel);
/// The kernel's name of an entry point.
std::string kernelNameOf(llvm::StringRef entry);

} // namespace corellama::cuda

#endif // CORELLAMA_PASSES_CUDA_DEVICENAMES_H
