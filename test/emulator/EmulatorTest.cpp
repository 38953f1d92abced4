//===- EmulatorTest.cpp - GPU kernels on the emulator ---------------------===//
//
// Kernels at phase vector, written by hand, through the passes of the emulator.
// Each rule of a GPU that the device checks has a kernel that breaks it
// and the whole message; the rules of order are in OrderTest.cpp.
//
//===----------------------------------------------------------------------===//

#include "test/emulator/TestKernel.h"
#include "llvm/ADT/bit.h"
#include "gtest/gtest.h"

namespace corellama::test {

//===----------------------------------------------------------------------===//
// What threads do together
//===----------------------------------------------------------------------===//

/// One call of the emulator.
static const char *kShuffleSum = R"mlir(
    %x0 = memref.load %in[%t] : memref<512xf32, 1>
    %y0 = cuda.shuffle_xor %x0 mask 16 : f32
    %x1 = arith.addf %x0, %y0 : f32
    %y1 = cuda.shuffle_xor %x1 mask 8 : f32
    %x2 = arith.addf %x1, %y1 : f32
    %y2 = cuda.shuffle_xor %x2 mask 4 : f32
    %x3 = arith.addf %x2, %y2 : f32
    %y3 = cuda.shuffle_xor %x3 mask 2 : f32
    %x4 = arith.addf %x3, %y3 : f32
    %y4 = cuda.shuffle_xor %x4 mask 1 : f32
    %x5 = arith.addf %x4, %y4 : f32
    memref.store %x5, %out[%t] : memref<512xf32, 1>
)mlir";

/// Five shuffles, because an inner sum has another use.
static const std::string kFiveShuffles = std::string(kShuffleSum) + R"mlir(
    %c64 = arith.constant 64 : index
    %next = arith.addi %t, %c64 : index
    memref.store %x4, %out[%next] : memref<512xf32, 1>
)mlir";

static void addsAWarpInOneTree(const std::string &body) {
  Kernel kernel(body);
  for (uint64_t seed = 0; seed < 20; ++seed) {
    ASSERT_EQ(kernel.run(seeded(seed)), "");
    for (int warp = 0; warp < 2; ++warp) {
      float tree[32];
      for (int lane = 0; lane < 32; ++lane)
        tree[lane] = Kernel::in(32 * warp + lane);
      for (int width = 16; width > 0; width /= 2)
        for (int lane = 0; lane < width; ++lane)
          tree[lane] += tree[lane + width];
      for (int lane = 0; lane < 32; ++lane)
        EXPECT_EQ(kernel.out(32 * warp + lane), tree[0]);
    }
  }
}

TEST(Emulator, ShuffleAddsAWarpInOneTreeInAnyOrder) {
  addsAWarpInOneTree(kShuffleSum);
  addsAWarpInOneTree(kFiveShuffles);
}

/// `word` where the thread's number is below `bound`, `otherwise` elsewhere.
static std::string inSome(const std::string &bound, const std::string &word,
                          const std::string &otherwise = "") {
  return std::string(R"mlir(
    %some = arith.cmpi ult, %t, )mlir") +
         bound + R"mlir( : index
    %one = arith.constant 1.0 : f32
    %two = arith.constant 2.0 : f32
    scf.if %some {
      memref.store %one, %out[%t] : memref<512xf32, 1>
)mlir" + word +
         R"mlir(
    } else {
      memref.store %two, %out[%t] : memref<512xf32, 1>
)mlir" + otherwise +
         "}\n";
}

static const char *kShuffle = R"mlir(
      %y = cuda.shuffle_xor %one mask 1 : f32
      memref.store %y, %in[%t] : memref<512xf32, 1>
)mlir";

TEST(Emulator, BarrierIsReachedByAll) {
  EXPECT_EQ(Kernel(inSome("%c32", "cuda.barrier")).run(),
            "kernel 'k', layer 0, block 0: thread 0 waits at a barrier, but "
            "thread 32 has ended");
  EXPECT_EQ(
      Kernel(inSome("%c32", "cuda.barrier",
                    std::string("cuda.barrier") + kShuffle + "cuda.barrier"))
          .run(),
      "kernel 'k', layer 0, block 0: thread 0 and thread 32 wait at "
      "different barriers");
}

TEST(Emulator, ShuffleIsReachedByAllOfAWarp) {
  EXPECT_EQ(Kernel(inSome("%c32", kShuffle)).run(), "");
  EXPECT_EQ(Kernel(inSome("%c16", kShuffle)).run(),
            "kernel 'k', layer 0, block 0: thread 0 waits at a shuffle_xor, "
            "but thread 16 of its warp has ended");
  EXPECT_EQ(Kernel(inSome("%c16", kShuffle, "cuda.barrier")).run(),
            "kernel 'k', layer 0, block 0: thread 0 waits at a shuffle_xor, "
            "but thread 16 of its warp waits at a barrier");
}

//===----------------------------------------------------------------------===//
// Memory
//===----------------------------------------------------------------------===//

TEST(Emulator, AccessesAreInBounds) {
  EXPECT_EQ(Kernel(R"mlir(
    %far = arith.constant 600 : index
    %x = memref.load %in[%c0] : memref<512xf32, 1>
    memref.store %x, %out[%far] : memref<512xf32, 1>
)mlir")
                .run(),
            "kernel 'k', layer 0, block 0: thread 0 writes 4 bytes outside all "
            "memory of the launch");
  EXPECT_EQ(
      Kernel(R"mlir(
    %last = arith.constant 510 : index
    %x = vector.load %out[%last] : memref<512xf32, 1>, vector<4xf32>
    vector.store %x, %in[%c0] : memref<512xf32, 1>, vector<4xf32>
)mlir")
          .run(),
      "kernel 'k', layer 0, block 0: thread 0 reads 16 bytes at workspace "
      "+ 4088, which has 4096 bytes");
  EXPECT_EQ(Kernel(R"mlir(
    %m = cuda.shared at 1008 : memref<4xf32, 3>
    %x = vector.load %m[%c4] : memref<4xf32, 3>, vector<4xf32>
    vector.store %x, %in[%c0] : memref<512xf32, 1>, vector<4xf32>
)mlir")
                .run(),
            "kernel 'k', layer 0, block 0: thread 0 reads 16 bytes outside all "
            "memory of the launch");
}

TEST(Emulator, AccessesAreAlignedAsTheyPromise) {
  EXPECT_EQ(
      Kernel(R"mlir(
    %x = vector.load %in[%c1] {alignment = 16} : memref<512xf32, 1>, vector<4xf32>
    vector.store %x, %out[%c0] : memref<512xf32, 1>, vector<4xf32>
)mlir")
          .run(),
      "kernel 'k', layer 0, block 0: thread 0 reads 16 bytes at workspace "
      "+ 4, which is no multiple of 16");
}

TEST(Emulator, WeightsAreReadOnly) {
  EXPECT_EQ(
      Kernel(R"mlir(
    %x = memref.load %in[%c0] : memref<512xf32, 1>
    %wf = context.view %weights[%c0] : !llvm.ptr -> memref<?xf32, 1>
    memref.store %x, %wf[%t] : memref<?xf32, 1>
)mlir")
          .run(),
      "kernel 'k', layer 0, block 0: thread 0 writes 4 bytes at weights + "
      "0, which is read-only");
}

TEST(Emulator, LoadsWeights) {
  Kernel kernel(R"mlir(
    %at = arith.remui %t, %c16 : index
    %byte = arith.muli %at, %c16 : index
    %x = cuda.load_weight %w[%byte] : memref<?xi8, 1>
    %y = vector.bitcast %x : vector<4xi32> to vector<4xf32>
    %to = arith.muli %t, %c4 : index
    vector.store %y, %out[%to] : memref<512xf32, 1>, vector<4xf32>
)mlir");
  ASSERT_EQ(kernel.run(), "");
  for (int i = 0; i < 1024; ++i)
    EXPECT_EQ(kernel.context.workspace.data()[2048 + i], i % 256);
}

//===----------------------------------------------------------------------===//
// Tensor cores
//===----------------------------------------------------------------------===//

// a is 16 x 16 f16 or bf16 in workgroup memory, b 8 columns of 16; thread by
// thread the numbers are small integers, so that the product is exact.
// `isTransposed`: a is what stands in memory, transposed.
static void checkMma(bool isBF16, bool isTransposed) {
  std::string text = R"mlir(
    %m = cuda.shared at 0 : memref<16x16xf16, 3>
    %half_in = context.view %workspace[%c0] : !llvm.ptr -> memref<24x16xf16, 1>
    %c8 = arith.constant 8 : index
    %c2 = arith.constant 2 : index
    %row = arith.remui %t, %c16 : index
    %side = arith.divui %t, %c16 : index
    %column = arith.muli %side, %c8 : index
    %part = vector.load %half_in[%row, %column] : memref<24x16xf16, 1>, vector<8xf16>
    vector.store %part, %m[%row, %column] : memref<16x16xf16, 3>, vector<8xf16>
    cuda.barrier
)mlir";
  // Rows of memory are columns of a: the second matrix is on the right.
  text += isTransposed ? R"mlir(
    %eighth = arith.divui %t, %c8 : index
    %right = arith.remui %eighth, %c2 : index
    %tcolumn = arith.muli %right, %c8 : index
    %inmatrix = arith.remui %t, %c8 : index
    %trow = arith.addi %inmatrix, %column : index
    %a = cuda.ldmatrix %m[%trow, %tcolumn] transposed : memref<16x16xf16, 3> -> vector<4x2xf16>
)mlir"
                       : R"mlir(
    %a = cuda.ldmatrix %m[%row, %column] : memref<16x16xf16, 3> -> vector<4x2xf16>
)mlir";
  text += R"mlir(
    %g = arith.divui %t, %c4 : index
    %lane = arith.remui %t, %c4 : index
    %k0 = arith.muli %lane, %c2 : index
    %k1 = arith.addi %k0, %c8 : index
    %brow = arith.addi %g, %c16 : index
    %b0 = vector.load %half_in[%brow, %k0] : memref<24x16xf16, 1>, vector<2xf16>
    %b1 = vector.load %half_in[%brow, %k1] : memref<24x16xf16, 1>, vector<2xf16>
    %none = arith.constant dense<0.0> : vector<2x2xf16>
    %bb0 = vector.insert %b0, %none[0] : vector<2xf16> into vector<2x2xf16>
    %bb = vector.insert %b1, %bb0[1] : vector<2xf16> into vector<2x2xf16>
    %c = arith.constant dense<0.5> : vector<4xf32>
    %d = cuda.mma %a, %bb, %c : vector<4x2xf16>, vector<2x2xf16>
    %drow = arith.muli %g, %c8 : index
    %at = arith.addi %drow, %k0 : index
    %top = vector.extract_strided_slice %d {offsets = [0], sizes = [2], strides = [1]} : vector<4xf32> to vector<2xf32>
    %low = vector.extract_strided_slice %d {offsets = [2], sizes = [2], strides = [1]} : vector<4xf32> to vector<2xf32>
    vector.store %top, %out[%at] : memref<512xf32, 1>, vector<2xf32>
    %c64 = arith.constant 64 : index
    %below = arith.addi %at, %c64 : index
    vector.store %low, %out[%below] : memref<512xf32, 1>, vector<2xf32>
)mlir";
  const std::string half = "f16";
  for (size_t at = 0; isBF16 && (at = text.find(half, at)) != text.npos;
       at += half.size() + 1)
    text.insert(at, "b");
  Kernel kernel(text, /*blocks=*/1, /*threads=*/32);
  auto value = [](int row, int k) { return (5 * row + 3 * k) % 11 - 5; };
  auto *halves = kernel.context.workspace.as<uint16_t>();
  // Small integers as f16: sign, exponent, and leading bits of the mantissa.
  for (int row = 0; row < 24; ++row)
    for (int k = 0; k < 16; ++k) {
      int v = value(row, k), magnitude = std::abs(v);
      if (isBF16) {
        halves[16 * row + k] = static_cast<uint16_t>(
            llvm::bit_cast<uint32_t>(static_cast<float>(v)) >> 16);
        continue;
      }
      int log = magnitude ? llvm::bit_width(unsigned(magnitude)) - 1 : 0;
      halves[16 * row + k] =
          magnitude ? static_cast<uint16_t>((v < 0) << 15 | (15 + log) << 10 |
                                            (magnitude << (10 - log) & 1023))
                    : 0;
    }
  for (uint64_t seed = 0; seed < 5; ++seed) {
    ASSERT_EQ(kernel.run(seeded(seed)), "");
    for (int row = 0; row < 16; ++row)
      for (int column = 0; column < 8; ++column) {
        int sum = 0;
        for (int k = 0; k < 16; ++k)
          sum += (isTransposed ? value(k, row) : value(row, k)) *
                 value(16 + column, k);
        EXPECT_EQ(kernel.out(8 * row + column), static_cast<float>(sum) + 0.5f)
            << row << ", " << column;
      }
  }
}

TEST(Emulator, MmaIsAProduct) {
  for (bool isTransposed : {false, true}) {
    checkMma(/*isBF16=*/false, isTransposed);
    checkMma(/*isBF16=*/true, isTransposed);
  }
}

//===----------------------------------------------------------------------===//
// Steps
//===----------------------------------------------------------------------===//

static std::string stepText() {
  std::string twice = R"mlir(
    %x = memref.load %in[%t] : memref<512xf32, 1>
    %y = arith.addf %x, %x : f32
    memref.store %y, %out[%t] : memref<512xf32, 1>
)mlir";
  std::string back = R"mlir(
    %mirror = arith.subi %c63, %t : index
    %x = memref.load %out[%mirror] : memref<512xf32, 1>
    memref.store %x, %in[%t] : memref<512xf32, 1>
)mlir";
  return R"mlir(
    llama.buffer @x : tensor<1x1024xf32> at 0
    llama.buffer @logits : tensor<1x64xf32> at 4096
    llama.model @m steps [@decode] lm_heads [@lm_head]
    llama.step @lm_head rows 1 {
    }
    llama.step @decode rows 8 {
      %c0 = arith.constant 0 : index
      %c1 = arith.constant 1 : index
      %c3 = arith.constant 3 : index
      scf.for %l = %c0 to %c3 step %c1 {
        llama.dispatch @twice(%l)
        llama.barrier
        llama.dispatch @back(%l)
        llama.barrier
      }
    }
)mlir" + kernelText("twice", 1, 64, twice) +
         kernelText("back", 1, 64, back);
}

TEST(Emulator, ReadsTheDescriptorThroughTheABI) {
  auto module = loadBody(stepText());
  ASSERT_TRUE(bool(module)) << llvm::toString(module.takeError());
  const abi::DeviceProgram &program = module->program();
  EXPECT_EQ(program.version, abi::kVersion);
  EXPECT_STREQ(program.target, "x86-64-v3");
  ASSERT_EQ(program.entryCount, 1u);
  EXPECT_STREQ(program.entries[0].name, "decode");
  EXPECT_EQ(program.entries[0].rows, 8u);
  EXPECT_NE(program.entries[0].step, nullptr);
  ASSERT_EQ(program.lmHeadCount, 1u);
  EXPECT_STREQ(program.lmHeads[0].name, "lm_head");
  EXPECT_EQ(program.workspaceBytes, 4096u + 256);
  EXPECT_EQ(program.logitsOffset, 4096u);
  ASSERT_EQ(module->kernels().size(), 2u);
  EXPECT_STREQ(module->kernels()[1].name, "back");
  EXPECT_EQ(module->kernels()[1].threads, 64u);
  EXPECT_EQ(module->kernels()[1].sharedBytes, 1024u);
  EXPECT_EQ(module->kernels()[1].parts(1, 256), 1u);
  EXPECT_EQ(module->lookup("back"), 1u);
  EXPECT_EQ(module->lookup("forth"), std::nullopt);
}

// Launches run in order: each sees the writes of those before it.
TEST(Emulator, RunsAStep) {
  auto module = loadBody(stepText());
  ASSERT_TRUE(bool(module)) << llvm::toString(module.takeError());
  KernelContextSizes sizes;
  sizes.workspaceBytes = module->program().workspaceBytes;
  KernelContext context(sizes);
  for (int i = 0; i < 64; ++i)
    context.workspace.as<float>()[i] = Kernel::in(i);
  EmulatorDevice device = module->makeDevice(context, seeded(3));
  abi::Context arguments = context.context();
  ASSERT_EQ(
      llvm::toString(device.run(module->program().entries[0].step, arguments)),
      "");
  for (int i = 0; i < 64; ++i)
    EXPECT_EQ(context.workspace.as<float>()[i], 8 * Kernel::in(63 - i));
}

} // namespace corellama::test
