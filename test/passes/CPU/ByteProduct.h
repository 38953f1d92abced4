//===- ByteProduct.h - one product of bytes, bit for bit --------*- C++ -*-===//
//
// A kernel that multiplies rows of q8b32 or x24b32 by a weight of any format in
// the code of any instruction set, beside what docs/bits.md says of it,
// computed from the layout's places. Shared by the tests of its bits and by
// those which plant faults in it.
//
// A machine without vpdpbusd runs that code all the same: its one instruction
// is replaced by what Intel's manual says that it computes, and all else of the
// kernel stays as it is.
//
//===----------------------------------------------------------------------===//

#ifndef CORELLAMA_TEST_PASSES_CPU_BYTEPRODUCT_H
#define CORELLAMA_TEST_PASSES_CPU_BYTEPRODUCT_H

#include "test/passes/CPU/Models.h"
#include "test/passes/CPU/OneKernel.h"
#include "test/passes/Testing/RowBlock.h"

namespace corellama::test {

using RoundedRow = std::vector<RowBlock>;

/// A weight in the image, field by field, by the layout's own places.
class ImageWeight {
public:
  static constexpr int64_t kRows = OneKernel::kWeightRows, kColumns = 512;

  ImageWeight(llama::FormatInterface format, llvm::ArrayRef<uint8_t> source);

  /// Every quant becomes the smallest or the largest one.
  void setQuants(llvm::function_ref<bool(int64_t, int64_t)> isLargest);
  /// Row r times a row of x, by the formula.
  float product(int64_t r, const RoundedRow &x) const;

  std::vector<uint8_t> bytes;

private:
  int32_t quant(int64_t r, int64_t c) const;
  float levels(llama::PlaneKind kind, int64_t r, int64_t c) const;
  llama::BitPosition place(unsigned plane, int64_t r, int64_t c) const;
  uint32_t read(unsigned plane, int64_t r, int64_t c) const;
  void write(unsigned plane, int64_t r, int64_t c, uint32_t value);

  llama::FormatInterface format;
  const llama::FormatFacts &facts;
  llama::LayoutInterface layout;
};

/// AVX2, AVX-VNNI and AVX-512 VNNI.
constexpr const char *kByteForms[] = {"x86-64-v3", "alderlake",
                                      "sapphirerapids"};

/// Skips formats without quants.
class ByteProduct : public testing::TestWithParam<ModelParam> {
protected:
  static constexpr int64_t kColumns = ImageWeight::kColumns;

  void SetUp() override { makeKernel(); }
  void makeKernel();
  const llama::FormatFacts &facts() const;
  /// A random weight of the format.
  ImageWeight weight();
  /// Each digit of a column by a function, each block's scale at random.
  RoundedRow rowOf(llvm::function_ref<int(int64_t)> digit);
  std::vector<RoundedRow> randomRows(size_t count);
  /// Changes ops of the module; how many.
  virtual int plant(mlir::ModuleOp) { return 0; }

  /// Runs the kernel; what of its result is not the formula's, if anything.
  std::string differenceOf(const ImageWeight &weight,
                           llvm::ArrayRef<RoundedRow> rows);

  OneKernel kernel;
  std::mt19937 random{2024};
  /// Of a row's integers: 1 (q8b32) or 3 (x24b32).
  int digits = 1;
  /// Rows of x; 16 are a tile that is multiplied by a panel, as matrices where
  /// the target has them, others a tile of one row and one of the rest.
  int64_t tileRows = OneKernel::kRows;
  int planted = 0;

private:
  llama::FormatInterface format;
};

} // namespace corellama::test

#endif // CORELLAMA_TEST_PASSES_CPU_BYTEPRODUCT_H
