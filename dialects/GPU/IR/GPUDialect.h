//===- GPUDialect.h - the cuda dialect ------------------------------------===//

#ifndef CORELLAMA_DIALECTS_GPU_IR_GPUDIALECT_H
#define CORELLAMA_DIALECTS_GPU_IR_GPUDIALECT_H

#include "dialects/Llama/IR/LlamaDialect.h"
#include "mlir/Bytecode/BytecodeOpInterface.h"
#include "mlir/Interfaces/InferTypeOpInterface.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"

#include "dialects/GPU/IR/GPUDialect.h.inc"
#define GET_OP_CLASSES
#include "dialects/GPU/IR/GPUOps.h.inc"

namespace corellama::gpu {

/// Memory spaces of a memref, in NVPTX's numbers.
inline constexpr unsigned kGlobalSpace = 1;
inline constexpr unsigned kWorkgroupSpace = 3;
/// Threads of a warp.
inline constexpr int64_t kWarp = 32;

} // namespace corellama::gpu

#endif // CORELLAMA_DIALECTS_GPU_IR_GPUDIALECT_H
