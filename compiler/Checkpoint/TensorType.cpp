//===- TensorType.cpp - the table of ggml's tensor types ------------------===//
//
// The table behind TensorType.h, and the sizes computed from it.
//
//===----------------------------------------------------------------------===//

#include "compiler/Checkpoint/TensorType.h"
#include "llvm/Support/CheckedArithmetic.h"
#include "llvm/Support/ErrorHandling.h"

using llvm::StringRef;

namespace corellama::checkpoint {
namespace {

// ggml's enum ggml_type; 4 and 5 (Q4_2, Q4_3) were removed from it. Block sizes
// are ggml's too: Q6_K, for one, holds 256 elements as 128 bytes of low and 64
// bytes of high bits, 16 int8 scales and one half.
constexpr TensorTypeInfo kTypes[] = {
    // Compiled.
    {0, "F32", 1, 4},
    {1, "F16", 1, 2},
    {2, "Q4_0", 32, 18},
    {3, "Q4_1", 32, 20},
    {8, "Q8_0", 32, 34},
    {14, "Q6_K", 256, 210},
    {30, "BF16", 1, 2},
    // Known by name only.
    {4, "Q4_2", 0, 0},
    {5, "Q4_3", 0, 0},
    {6, "Q5_0", 0, 0},
    {7, "Q5_1", 0, 0},
    {9, "Q8_1", 0, 0},
    {10, "Q2_K", 0, 0},
    {11, "Q3_K", 0, 0},
    {12, "Q4_K", 0, 0},
    {13, "Q5_K", 0, 0},
    {15, "Q8_K", 0, 0},
    {16, "IQ2_XXS", 0, 0},
    {17, "IQ2_XS", 0, 0},
    {18, "IQ3_XXS", 0, 0},
    {19, "IQ1_S", 0, 0},
    {20, "IQ4_NL", 0, 0},
    {21, "IQ3_S", 0, 0},
    {22, "IQ2_S", 0, 0},
    {23, "IQ4_XS", 0, 0},
    {24, "I8", 0, 0},
    {25, "I16", 0, 0},
    {26, "I32", 0, 0},
    {27, "I64", 0, 0},
    {28, "F64", 0, 0},
    {29, "IQ1_M", 0, 0},
    {31, "Q4_0_4_4", 0, 0},
    {32, "Q4_0_4_8", 0, 0},
    {33, "Q4_0_8_8", 0, 0},
    {34, "TQ1_0", 0, 0},
    {35, "TQ2_0", 0, 0},
    {36, "IQ4_NL_4_4", 0, 0},
    {37, "IQ4_NL_4_8", 0, 0},
    {38, "IQ4_NL_8_8", 0, 0},
    {39, "MXFP4", 0, 0},
    {40, "NVFP4", 0, 0},
    {41, "Q1_0", 0, 0},
};

} // namespace

const TensorTypeInfo *lookupTensorType(uint64_t id) {
  for (const TensorTypeInfo &info : kTypes)
    if (info.id == id)
      return &info;
  return nullptr;
}

std::optional<TensorType> toTensorType(uint64_t id) {
  const TensorTypeInfo *info = lookupTensorType(id);
  if (!info || !info->isSupported())
    return std::nullopt;
  return static_cast<TensorType>(info->id);
}

const TensorTypeInfo &getInfo(TensorType type) {
  const TensorTypeInfo *info = lookupTensorType(static_cast<uint64_t>(type));
  if (!info || !info->isSupported())
    llvm_unreachable("every enumerator of TensorType has a row with sizes");
  return *info;
}

StringRef getName(TensorType type) { return getInfo(type).name; }

std::string supportedTypeNames() {
  std::string names;
  StringRef last;
  for (const TensorTypeInfo &info : kTypes) {
    if (!info.isSupported())
      continue;
    if (!last.empty())
      names += (names.empty() ? "" : ", ") + last.str();
    last = info.name;
  }
  return names + " or " + last.str();
}

std::optional<uint64_t> byteSize(TensorType type, uint64_t rows,
                                 uint64_t columns) {
  const TensorTypeInfo &info = getInfo(type);
  if (columns % info.block != 0)
    return std::nullopt;
  std::optional<uint64_t> blocks =
      llvm::checkedMulUnsigned(rows, columns / info.block);
  if (!blocks)
    return std::nullopt;
  return llvm::checkedMulUnsigned(*blocks, uint64_t(info.blockBytes));
}

} // namespace corellama::checkpoint
