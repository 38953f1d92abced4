//===- Registration.cpp - dialects, passes, pipelines of all tools --------===//
//
// See Registration.h.
//
//===----------------------------------------------------------------------===//

#include "compiler/Registration/Registration.h"
#include "compiler/Pipelines/Pipelines.h"
#include "dialects/CPU/IR/CPUDialect.h"
#include "dialects/CUDA/IR/CUDADialect.h"
#include "dialects/Context/IR/ContextDialect.h"
#include "dialects/Llama/IR/LlamaDialect.h"
#include "dialects/Tile/IR/TileDialect.h"
#include "mlir/Conversion/ArithToLLVM/ArithToLLVM.h"
#include "mlir/Conversion/ControlFlowToLLVM/ControlFlowToLLVM.h"
#include "mlir/Conversion/FuncToLLVM/ConvertFuncToLLVM.h"
#include "mlir/Conversion/MathToLLVM/MathToLLVM.h"
#include "mlir/Conversion/MemRefToLLVM/MemRefToLLVM.h"
#include "mlir/Conversion/UBToLLVM/UBToLLVM.h"
#include "mlir/Dialect/AMX/AMXDialect.h"
#include "mlir/Dialect/AMX/Transforms.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/ControlFlow/IR/ControlFlow.h"
#include "mlir/Dialect/Func/Extensions/InlinerExtension.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/GPU/IR/GPUDialect.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/LLVMIR/NVVMDialect.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/Target/LLVMIR/Dialect/Builtin/BuiltinToLLVMIRTranslation.h"
#include "mlir/Target/LLVMIR/Dialect/GPU/GPUToLLVMIRTranslation.h"
#include "mlir/Target/LLVMIR/Dialect/LLVMIR/LLVMToLLVMIRTranslation.h"
#include "mlir/Target/LLVMIR/Dialect/NVVM/NVVMToLLVMIRTranslation.h"
#include "mlir/Transforms/Passes.h"
#include "passes/CPU/Passes.h"
#include "passes/CUDA/Passes.h"
#include "passes/Context/Passes.h"
#include "passes/Llama/Passes.h"
#include "passes/Tile/Passes.h"

void corellama::registerAllDialects(mlir::DialectRegistry &registry) {
  registry.insert<llama::LlamaDialect, tile::TileDialect, cpu::CPUDialect,
                  context::ContextDialect, cuda::CUDADialect>();
  registry.insert<mlir::amx::AMXDialect, mlir::arith::ArithDialect,
                  mlir::cf::ControlFlowDialect, mlir::func::FuncDialect,
                  mlir::gpu::GPUDialect, mlir::NVVM::NVVMDialect,
                  mlir::LLVM::LLVMDialect, mlir::math::MathDialect,
                  mlir::memref::MemRefDialect, mlir::scf::SCFDialect,
                  mlir::vector::VectorDialect>();

  cpu::registerExternalModels(registry);
  cuda::registerExternalModels(registry);

  mlir::func::registerInlinerExtension(registry);
  mlir::registerConvertAMXToLLVMInterface(registry);
  mlir::arith::registerConvertArithToLLVMInterface(registry);
  mlir::cf::registerConvertControlFlowToLLVMInterface(registry);
  mlir::registerConvertFuncToLLVMInterface(registry);
  mlir::registerConvertMathToLLVMInterface(registry);
  mlir::registerConvertMemRefToLLVMInterface(registry);
  mlir::ub::registerConvertUBToLLVMInterface(registry);
  mlir::registerBuiltinDialectTranslation(registry);
  mlir::registerGPUDialectTranslation(registry);
  mlir::registerLLVMDialectTranslation(registry);
  mlir::registerNVVMDialectTranslation(registry);
}

void corellama::registerAllPasses() {
  llama::registerLlamaPasses();
  tile::registerCoreLlamaTilePasses();
  context::registerCoreLlamaContextPasses();
  cpu::registerCoreLlamaCPUPasses();
  cuda::registerCoreLlamaCUDAPasses();
  registerPipelines();
}
