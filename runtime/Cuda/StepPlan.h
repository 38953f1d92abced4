//===- StepPlan.h - what --plan prints ------------------------------------===//
//
// Memory by kind, and the launches of a step of one row with the bytes that
// each has to read: what a token costs at least, on a GPU that is not there.
// From the program's tables and its manifest, which says which matrices each
// kernel reads. Not counted are vectors of norms, the embedding's row and
// activations: little beside matrices.
//
//===----------------------------------------------------------------------===//

#ifndef CORELLAMA_RUNTIME_CUDA_STEPPLAN_H
#define CORELLAMA_RUNTIME_CUDA_STEPPLAN_H

#include "runtime/ABI/Device.h"
#include "runtime/Weights/MappedImage.h"

#include <string>

namespace corellama::runtime::cuda {

/// For a cache of `context` positions and a GPU that reads `gigabytes` (10^9
/// bytes) a second.
Result<std::string> describeStep(const abi::DeviceProgram &program,
                                 const MappedImage &image, uint64_t context,
                                 double gigabytes);

} // namespace corellama::runtime::cuda

#endif // CORELLAMA_RUNTIME_CUDA_STEPPLAN_H
