//===- TensorType.h - how a checkpoint's numbers are stored -----*- C++ -*-===//
//
// The tensor types of ggml: the id found in a file -> name, block and bytes of
// a block. It is a file of its own because the reader takes every size from
// here. The sizes are those of the formats that can be compiled.
//
//===----------------------------------------------------------------------===//

#ifndef CORELLAMA_COMPILER_CHECKPOINT_TENSORTYPE_H
#define CORELLAMA_COMPILER_CHECKPOINT_TENSORTYPE_H

#include "dialects/Llama/IR/LlamaFormats.h"
#include "llvm/ADT/StringRef.h"
#include <cstdint>
#include <optional>
#include <string>

namespace corellama::checkpoint {

/// The largest dimension of a tensor: the product of two dimensions then fits
/// in 62 bits and a dimension in a signed 32-bit index. The largest of any
/// Llama so far is a vocabulary of 128256.
inline constexpr uint64_t kMaxDimension = (uint64_t(1) << 31) - 1;

/// ggml's number of a type that can be compiled. The types are the rows of the
/// formats' table (dialects/Llama/IR/LlamaFormats.cpp); only the type that
/// vectors have in the graph is named here.
enum class TensorType : uint32_t { F32 = 0 };

/// ggml's name of an id read from a file, or nothing if ggml has no such id.
std::optional<llvm::StringRef> typeName(uint64_t id);

/// The type of an id, or nothing if it cannot be compiled.
std::optional<TensorType> toTensorType(uint64_t id);

/// The facts of a type that can be compiled.
const llama::FormatFacts &getFacts(TensorType type);

/// ggml's name: "Q4_0".
llvm::StringRef getName(TensorType type);

/// All types that can be compiled, for messages: "F32, F16, ... or BF16".
std::string supportedTypeNames();
/// Those of them that are plain numbers.
std::string plainTypeNames();

/// The bytes of `rows` rows of `columns` elements, or nothing if a row is not
/// a whole number of blocks or the size exceeds 64 bits.
std::optional<uint64_t> byteSize(TensorType type, uint64_t rows,
                                 uint64_t columns);

} // namespace corellama::checkpoint

#endif // CORELLAMA_COMPILER_CHECKPOINT_TENSORTYPE_H
