//===- DeviceTest.cpp - the device's module to PTX ------------------------===//

#include "compiler/CodeGen/CodeGen.h"
#include "dialects/CPU/IR/CPUDialect.h"
#include "dialects/CUDA/IR/CUDADialect.h"
#include "mlir/Dialect/GPU/IR/GPUDialect.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/LLVMIR/NVVMDialect.h"
#include "mlir/Parser/Parser.h"
#include "mlir/Target/LLVMIR/Dialect/Builtin/BuiltinToLLVMIRTranslation.h"
#include "mlir/Target/LLVMIR/Dialect/GPU/GPUToLLVMIRTranslation.h"
#include "mlir/Target/LLVMIR/Dialect/LLVMIR/LLVMToLLVMIRTranslation.h"
#include "mlir/Target/LLVMIR/Dialect/NVVM/NVVMToLLVMIRTranslation.h"
#include "gtest/gtest.h"

using namespace corellama;

namespace {

mlir::MLIRContext &deviceContext() {
  static mlir::MLIRContext *context = [] {
    mlir::DialectRegistry registry;
    registry.insert<llama::LlamaDialect, cpu::CPUDialect, cuda::CUDADialect,
                    mlir::LLVM::LLVMDialect, mlir::gpu::GPUDialect,
                    mlir::NVVM::NVVMDialect>();
    mlir::registerBuiltinDialectTranslation(registry);
    mlir::registerLLVMDialectTranslation(registry);
    mlir::registerGPUDialectTranslation(registry);
    mlir::registerNVVMDialectTranslation(registry);
    return new mlir::MLIRContext(registry,
                                 mlir::MLIRContext::Threading::DISABLED);
  }();
  return *context;
}

constexpr const char *kTarget =
    R"mlir(#cuda.target<name = "cuda:sm_80", features = "+ptx80">)mlir";

/// A kernel of 128 threads and 512 bytes with that body.
std::string kernel(const std::string &body) {
  return R"mlir(gpu.module @device {
    llvm.func @expf(f32) -> f32
    llvm.func @fill$decode(%p: !llvm.ptr, %layer: i32) attributes {
        llama.scratch = 512 : i64, nvvm.kernel, nvvm.reqntid = array<i32: 128>} {
      %x = llvm.load %p : !llvm.ptr -> f32
      %y = llvm.sitofp %layer : i32 to f32
      )mlir" +
         body + R"mlir(
      llvm.store %r, %p : f32, !llvm.ptr
      llvm.return
    }
  })mlir";
}

/// PTX of a module, or the error.
std::string ptxOf(const std::string &body,
                  const std::string &target = kTarget) {
  auto module = mlir::parseSourceString<mlir::ModuleOp>(
      "module attributes {llama.target = " + target + "} {" + body + "}",
      &deviceContext());
  if (!module)
    return "does not parse";
  auto machine = codegen::createDeviceMachine(llama::getTarget(*module));
  if (!machine)
    return llvm::toString(machine.takeError());
  llvm::LLVMContext context;
  auto ir = codegen::buildDeviceIR(*module, context, **machine);
  if (!ir)
    return llvm::toString(ir.takeError());
  llvm::SmallVector<char, 0> text;
  llvm::raw_svector_ostream out(text);
  llvm::cantFail(codegen::emitPTX(**ir, **machine, *module, out));
  return std::string(text.data(), text.size());
}

bool has(const std::string &text, const std::string &part) {
  return text.find(part) != std::string::npos;
}

} // namespace

TEST(Device, TheFirstLinesSayForWhatAndWhichKernels) {
  std::string text = ptxOf(kernel("%r = llvm.fadd %x, %y : f32"));
  EXPECT_EQ(
      text.find("// corellama, target cuda:sm_80\n"
                "// kernel, threads of a block, bytes of workgroup memory:\n"
                "//   fill.decode 128 512\n"),
      0u)
      << text;
  EXPECT_TRUE(has(text, ".target sm_80")) << text;
  EXPECT_TRUE(has(text, ".visible .entry fill$decode(")) << text;
  EXPECT_TRUE(has(text, ".reqntid 128")) << text;
}

// ptxas contracts `mul` and `add`, and leaves `mul.rn` and `add.rn` alone.
TEST(Device, NothingIsContracted) {
  std::string text = ptxOf(kernel(R"mlir(%m = llvm.fmul %x, %y : f32
      %r = llvm.fadd %m, %x : f32)mlir"));
  EXPECT_TRUE(has(text, "mul.rn.f32")) << text;
  EXPECT_TRUE(has(text, "add.rn.f32")) << text;
  EXPECT_FALSE(has(text, "fma")) << text;
}

TEST(Device, AnFmaIsOneInstruction) {
  std::string text =
      ptxOf(kernel("%r = llvm.intr.fma(%x, %y, %x) : (f32, f32, f32) -> f32"));
  EXPECT_TRUE(has(text, "fma.rn.f32")) << text;
}

// A mma stays where all lanes of a warp are.
TEST(Device, AMmaIsConvergent) {
  auto module = mlir::parseSourceString<mlir::ModuleOp>(
      std::string("module attributes {llama.target = ") + kTarget + "} {" +
          kernel(
              R"mlir(%h = llvm.mlir.constant(dense<1.0> : vector<2xf16>) : vector<2xf16>
      %d = nvvm.mma.sync A[%h, %h, %h, %h] B[%h, %h] C[%x, %x, %x, %y]
        {layoutA = #nvvm.mma_layout<row>, layoutB = #nvvm.mma_layout<col>, shape = #nvvm.shape<m = 16, n = 8, k = 16>}
        : (vector<2xf16>, vector<2xf16>, f32) -> !llvm.struct<(f32, f32, f32, f32)>
      %r = llvm.extractvalue %d[0] : !llvm.struct<(f32, f32, f32, f32)>)mlir") +
          "}",
      &deviceContext());
  ASSERT_TRUE(module);
  auto machine =
      llvm::cantFail(codegen::createDeviceMachine(llama::getTarget(*module)));
  llvm::LLVMContext context;
  auto ir = llvm::cantFail(codegen::buildDeviceIR(*module, context, *machine));
  const llvm::Function *mma =
      ir->getFunction("llvm.nvvm.mma.m16n8k16.row.col.f32.f32");
  ASSERT_TRUE(mma);
  EXPECT_TRUE(mma->isConvergent());
}

// What the host will launch must be what the device has.
TEST(Device, TheTableOfKernelsMustBeTrue) {
  std::string body = kernel("%r = llvm.fadd %x, %y : f32");
  auto withRow = [&](const std::string &row) {
    return ptxOf(body,
                 std::string(kTarget) + ", llama.kernels = [{" + row + "}]");
  };
  std::string good = R"(name = "fill.decode", threads = 128 : i64, )"
                     "scratch_bytes = 512 : i64";
  EXPECT_TRUE(has(withRow(good), ".visible .entry fill$decode("));
  auto changed = [&](llvm::StringRef from, llvm::StringRef to) {
    std::string row = good;
    return withRow(row.replace(row.find(from), from.size(), to));
  };
  EXPECT_EQ(changed("128", "256"),
            "code generation: kernel 'fill.decode' does not have 256 threads a "
            "block, unlike its row of llama.kernels");
  EXPECT_EQ(changed("512", "1024"),
            "code generation: kernel 'fill.decode' does not have 1024 bytes of "
            "workgroup memory, unlike its row of llama.kernels");
  EXPECT_EQ(changed("fill", "empty"),
            "code generation: kernel 'empty.decode' is no entry point of the "
            "device, unlike its row of llama.kernels");
  body = body.replace(body.find("nvvm.kernel, "), 13, "");
  EXPECT_EQ(withRow(good),
            "code generation: kernel 'fill.decode' is no entry point of the "
            "device, unlike its row of llama.kernels");
}

TEST(Device, ACallIsRefused) {
  EXPECT_EQ(ptxOf(kernel("%r = llvm.call @expf(%x) : (f32) -> f32")),
            "code generation: a kernel calls 'expf', which a device does not "
            "have; the lowering must expand it");
}

TEST(Device, AModuleWithoutADeviceIsRefused) {
  EXPECT_EQ(ptxOf(""), "code generation: the module has no gpu.module @device; "
                       "cuda-outline-device makes it");
}

TEST(Device, ACPUIsRefused) {
  EXPECT_EQ(
      ptxOf("",
            R"mlir(#cpu.target<name = "x86-64-v3", vector_bits = 256>)mlir"),
      "code generation: target 'x86-64-v3' is no GPU that PTX is made "
      "for");
}
