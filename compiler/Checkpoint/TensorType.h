//===- TensorType.h - how a checkpoint's numbers are stored -----*- C++ -*-===//
//
// The tensor types of ggml as a table: the id found in a file -> name, block
// and bytes of a block. It is a file of its own because it is the one place
// to touch when a format is added: the reader takes every size from here.
//
//===----------------------------------------------------------------------===//

#ifndef CORELLAMA_COMPILER_CHECKPOINT_TENSORTYPE_H
#define CORELLAMA_COMPILER_CHECKPOINT_TENSORTYPE_H

#include "llvm/ADT/StringRef.h"
#include <cstdint>
#include <optional>
#include <string>

namespace corellama::checkpoint {

/// No dimension of a tensor is larger: the product of two dimensions then fits
/// in 62 bits and a dimension in a signed 32-bit index. The largest of any
/// Llama so far is a vocabulary of 128256.
inline constexpr uint64_t kMaxDimension = (uint64_t(1) << 31) - 1;

/// The types that can be compiled; the values are ggml's ids.
enum class TensorType : uint32_t {
  F32 = 0,
  F16 = 1,
  Q4_0 = 2,
  Q4_1 = 3,
  Q8_0 = 8,
  Q6_K = 14,
  BF16 = 30,
};

/// One row of the table. A row is stored as whole blocks of `block` elements,
/// `blockBytes` each; both are 0 for a type that is known by name only, so
/// that it can be refused by its name.
struct TensorTypeInfo {
  uint32_t id;
  llvm::StringLiteral name;
  uint32_t block;
  uint32_t blockBytes;

  bool isSupported() const { return block != 0; }
};

/// The table's row of an id read from a file, or null if ggml has no such id.
const TensorTypeInfo *lookupTensorType(uint64_t id);

/// The type of an id, or nothing if it cannot be compiled.
std::optional<TensorType> toTensorType(uint64_t id);

/// The table's row of a type that can be compiled.
const TensorTypeInfo &getInfo(TensorType type);

/// ggml's name: "Q4_0".
llvm::StringRef getName(TensorType type);

/// All types that can be compiled, for messages: "F32, F16, ... or BF16".
std::string supportedTypeNames();

/// The bytes of `rows` rows of `columns` elements, or nothing if a row is not
/// a whole number of blocks or the size exceeds 64 bits.
std::optional<uint64_t> byteSize(TensorType type, uint64_t rows,
                                 uint64_t columns);

} // namespace corellama::checkpoint

#endif // CORELLAMA_COMPILER_CHECKPOINT_TENSORTYPE_H
