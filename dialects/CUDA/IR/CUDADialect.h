//===- CUDADialect.h - the cuda dialect -----------------------------------===//

#ifndef CORELLAMA_DIALECTS_CUDA_IR_CUDADIALECT_H
#define CORELLAMA_DIALECTS_CUDA_IR_CUDADIALECT_H

#include "dialects/Llama/IR/LlamaDialect.h"
#include "mlir/Bytecode/BytecodeOpInterface.h"
#include "mlir/Interfaces/InferTypeOpInterface.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"

#include "dialects/CUDA/IR/CUDADialect.h.inc"
#define GET_ATTRDEF_CLASSES
#include "dialects/CUDA/IR/CUDAAttributes.h.inc"
#define GET_OP_CLASSES
#include "dialects/CUDA/IR/CUDAOps.h.inc"

namespace corellama::cuda {

/// Memory spaces of a memref, in NVPTX's numbers.
inline constexpr unsigned kGlobalSpace = 1;
inline constexpr unsigned kWorkgroupSpace = 3;
/// Threads of a warp.
inline constexpr int64_t kWarp = 32;
/// Bytes of a chunk: the widest load of one thread.
inline constexpr int64_t kChunkBytes = 16;
/// The most columns that tensor cores sum before a scale is applied, and those
/// of one cuda.mma: the scale blocks of formats that they multiply.
inline constexpr int64_t kMmaBlock = 32, kMmaDepth = 16;

} // namespace corellama::cuda

#endif // CORELLAMA_DIALECTS_CUDA_IR_CUDADIALECT_H
