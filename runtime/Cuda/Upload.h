//===- Upload.h - a large range of memory to the GPU ----------------------===//
//
// The weights lie in the program's file, which is mapped: their pages come from
// disk as they are read. A GPU copies fast only from memory that stays where it
// is, so they go through two buffers of it: one is filled while the other is
// copied.
//
//===----------------------------------------------------------------------===//

#ifndef CORELLAMA_RUNTIME_CUDA_UPLOAD_H
#define CORELLAMA_RUNTIME_CUDA_UPLOAD_H

#include "runtime/Cuda/Driver.h"

#include <span>

namespace corellama::runtime::cuda {

/// Returns when all bytes are there; shows how many are, on a terminal. Between
/// pieces it asks `goesOn`, and ends with an error if that is false.
std::optional<Error> upload(const Driver &driver, StreamHandle stream,
                            std::span<const uint8_t> bytes, Address to,
                            bool (*goesOn)());

} // namespace corellama::runtime::cuda

#endif // CORELLAMA_RUNTIME_CUDA_UPLOAD_H
