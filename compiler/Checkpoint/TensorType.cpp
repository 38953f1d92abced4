//===- TensorType.cpp - the table of ggml's tensor types ------------------===//
//
// ggml's names; the sizes come from the table of formats.
//
//===----------------------------------------------------------------------===//

#include "compiler/Checkpoint/TensorType.h"
#include "llvm/Support/CheckedArithmetic.h"
#include <limits>

using llvm::StringRef;

namespace corellama::checkpoint {
namespace {

// ggml's enum ggml_type in order; 4 and 5 were removed from it.
constexpr llvm::StringLiteral kNames[] = {
    "F32",        "F16",        "Q4_0",       "Q4_1",     "Q4_2",    "Q4_3",
    "Q5_0",       "Q5_1",       "Q8_0",       "Q8_1",     "Q2_K",    "Q3_K",
    "Q4_K",       "Q5_K",       "Q6_K",       "Q8_K",     "IQ2_XXS", "IQ2_XS",
    "IQ3_XXS",    "IQ1_S",      "IQ4_NL",     "IQ3_S",    "IQ2_S",   "IQ4_XS",
    "I8",         "I16",        "I32",        "I64",      "F64",     "IQ1_M",
    "BF16",       "Q4_0_4_4",   "Q4_0_4_8",   "Q4_0_8_8", "TQ1_0",   "TQ2_0",
    "IQ4_NL_4_4", "IQ4_NL_4_8", "IQ4_NL_8_8", "MXFP4",    "NVFP4",   "Q1_0",
};

} // namespace

std::optional<StringRef> typeName(uint64_t id) {
  if (id >= std::size(kNames))
    return std::nullopt;
  return kNames[id];
}

std::optional<TensorType> toTensorType(uint64_t id) {
  if (!llama::findFormat(id))
    return std::nullopt;
  return static_cast<TensorType>(id);
}

const llama::FormatFacts &getFacts(TensorType type) {
  return *llama::findFormat(static_cast<uint64_t>(type));
}

StringRef getName(TensorType type) {
  return kNames[static_cast<uint64_t>(type)];
}

/// "F32, F16, ... or BF16", of the formats with blocks up to `most`.
static std::string typeNames(int64_t most) {
  std::string names;
  StringRef last;
  for (const llama::FormatFacts &facts : llama::allFormats()) {
    if (facts.block > most)
      continue;
    if (!last.empty())
      names += (names.empty() ? "" : ", ") + last.str();
    last = kNames[facts.ggmlType];
  }
  return names + " or " + last.str();
}

std::string supportedTypeNames() {
  return typeNames(std::numeric_limits<int64_t>::max());
}

std::string plainTypeNames() { return typeNames(1); }

std::optional<uint64_t> byteSize(TensorType type, uint64_t rows,
                                 uint64_t columns) {
  const llama::FormatFacts &facts = getFacts(type);
  if (columns % facts.block != 0)
    return std::nullopt;
  std::optional<uint64_t> blocks =
      llvm::checkedMulUnsigned(rows, columns / facts.block);
  if (!blocks)
    return std::nullopt;
  return llvm::checkedMulUnsigned(*blocks, uint64_t(facts.blockBytes));
}

} // namespace corellama::checkpoint
