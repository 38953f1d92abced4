//===- TileExpansion.cpp - matrices for machines without AMX --------------===//
//
// See Expansion.h. What AMX's instructions compute is C++ here, as the manual
// writes it down; generated code calls it with pointers in place of tiles. It
// replaces LLVM's intrinsics, so shapes and strides are those that a CPU with
// AMX would get. LLVM's own expansion, -enable-x86-scalar-amx, cannot stand in
// for it: that of LLVM 22 crashes on tiles that a loop carries, and it adds one
// product after the other to the sum, in an order that no CPU has.
//
//===----------------------------------------------------------------------===//

#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"
#include "test/passes/Testing/Expansion.h"
#include "llvm/ADT/StringSwitch.h"
#include <array>
#include <bit>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <utility>

using namespace mlir;
using namespace corellama;

namespace {

/// Up to 16 rows of up to 64 bytes; what is not part of it is zero.
struct Tile {
  int16_t rows, bytes;
  std::array<std::array<uint32_t, 16>, 16> words;
};

/// A new tile. Generated code keeps sums from one turn of a loop to the next,
/// and operands no longer than a turn, which makes fewer than half as many.
Tile *newTile(int16_t rows, int16_t bytes) {
  static thread_local std::array<Tile, 64> tiles;
  static thread_local size_t next = 0;
  if (rows < 1 || rows > 16 || bytes < 4 || bytes > 64 || bytes % 4 != 0)
    std::abort();
  Tile *tile = &tiles[next++ % tiles.size()];
  *tile = {.rows = rows, .bytes = bytes, .words = {}};
  return tile;
}

/// A CPU refuses a tile that is not of the shape that it is configured for.
void expectShape(const Tile *tile, int16_t rows, int16_t bytes) {
  if (tile->rows != rows || tile->bytes != bytes)
    std::abort();
}

const Tile *tileZero(int16_t rows, int16_t bytes) {
  return newTile(rows, bytes);
}

const Tile *tileLoad(int16_t rows, int16_t bytes, const char *base,
                     int64_t stride) {
  Tile *tile = newTile(rows, bytes);
  for (int16_t row = 0; row < rows; ++row)
    std::memcpy(tile->words[size_t(row)].data(), base + row * stride,
                size_t(bytes));
  return tile;
}

void tileStore(int16_t rows, int16_t bytes, char *base, int64_t stride,
               const Tile *tile) {
  expectShape(tile, rows, bytes);
  for (int16_t row = 0; row < rows; ++row)
    std::memcpy(base + row * stride, tile->words[size_t(row)].data(),
                size_t(bytes));
}

/// sums + a * b, where each word of a row of `a` meets a row of `b`.
template <typename ElementT>
const Tile *multiply(int16_t rows, int16_t bytes, int16_t operandBytes,
                     const Tile *sums, const Tile *a, const Tile *b,
                     ElementT element) {
  expectShape(sums, rows, bytes);
  expectShape(a, rows, operandBytes);
  expectShape(b, operandBytes / 4, bytes);
  Tile *result = newTile(rows, bytes);
  for (size_t m = 0; m < size_t(rows); ++m)
    for (size_t n = 0; n < size_t(bytes / 4); ++n)
      result->words[m][n] =
          element(sums->words[m][n], size_t(operandBytes / 4), [&](size_t k) {
            return std::pair(a->words[m][k], b->words[k][n]);
          });
  return result;
}

float flush(float x) {
  return std::fpclassify(x) == FP_SUBNORMAL ? std::copysign(0.0f, x) : x;
}

/// Intel SDM, volume 2, TDPBF16PS: "DAZ=FTZ=1, RNE rounding".
const Tile *tileDotBF16(int16_t rows, int16_t bytes, int16_t operandBytes,
                        const Tile *sums, const Tile *a, const Tile *b) {
  auto even = [](uint32_t pair) {
    return flush(std::bit_cast<float>(pair << 16));
  };
  auto odd = [](uint32_t pair) {
    return flush(std::bit_cast<float>(pair & 0xffff0000));
  };
  return multiply(rows, bytes, operandBytes, sums, a, b,
                  [&](uint32_t bits, size_t count, auto pairAt) {
                    float evenSum = 0, oddSum = 0;
                    for (size_t k = 0; k < count; ++k) {
                      auto [x, w] = pairAt(k);
                      evenSum = flush(std::fma(even(x), even(w), evenSum));
                      oddSum = flush(std::fma(odd(x), odd(w), oddSum));
                    }
                    float sum = flush(std::bit_cast<float>(bits));
                    return std::bit_cast<uint32_t>(
                        flush(sum + flush(evenSum + oddSum)));
                  });
}

/// TDPBSSD: signed bytes, four a word, summed in 32 bits.
const Tile *tileDotBytes(int16_t rows, int16_t bytes, int16_t operandBytes,
                         const Tile *sums, const Tile *a, const Tile *b) {
  return multiply(rows, bytes, operandBytes, sums, a, b,
                  [&](uint32_t sum, size_t count, auto wordsAt) {
                    for (size_t k = 0; k < count; ++k) {
                      auto [x, w] = wordsAt(k);
                      for (int shift = 0; shift < 32; shift += 8)
                        sum +=
                            uint32_t(int8_t(x >> shift) * int8_t(w >> shift));
                    }
                    return sum;
                  });
}

} // namespace

int64_t test::expandTiles(ModuleOp module) {
  auto isTile = [](Type type) { return isa<LLVM::LLVMX86AMXType>(type); };
  Type pointer = LLVM::LLVMPointerType::get(module.getContext());
  int64_t count = 0;
  module.walk([&](LLVM::CallIntrinsicOp op) {
    const void *function =
        llvm::StringSwitch<const void *>(op.getIntrin())
            .Case("llvm.x86.tilezero.internal",
                  reinterpret_cast<const void *>(tileZero))
            .Case("llvm.x86.tileloadd64.internal",
                  reinterpret_cast<const void *>(tileLoad))
            .Case("llvm.x86.tilestored64.internal",
                  reinterpret_cast<const void *>(tileStore))
            .Case("llvm.x86.tdpbf16ps.internal",
                  reinterpret_cast<const void *>(tileDotBF16))
            .Case("llvm.x86.tdpbssd.internal",
                  reinterpret_cast<const void *>(tileDotBytes))
            .Default(nullptr);
    if (!function)
      return;
    ImplicitLocOpBuilder b(op.getLoc(), op);
    Value address = LLVM::ConstantOp::create(
        b, b.getI64Type(), reinterpret_cast<intptr_t>(function));
    SmallVector<Value> operands{LLVM::IntToPtrOp::create(b, pointer, address)};
    SmallVector<Type> types;
    for (Value argument : op.getArgs()) {
      operands.push_back(argument);
      types.push_back(isTile(argument.getType()) ? pointer
                                                 : argument.getType());
    }
    Type result = op->getNumResults() != 0
                      ? pointer
                      : LLVM::LLVMVoidType::get(module.getContext());
    auto call = LLVM::CallOp::create(
        b, LLVM::LLVMFunctionType::get(result, types), operands);
    op->replaceAllUsesWith(call->getResults());
    op->erase();
    ++count;
  });
  // Sums that loops carry.
  module.walk([&](Block *block) {
    for (BlockArgument argument : block->getArguments())
      if (isTile(argument.getType()))
        argument.setType(pointer);
  });
  return count;
}
