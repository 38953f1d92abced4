//===- Safetensors.h - the table of a safetensors file ----------*- C++ -*-===//
//
// The bytes of a .safetensors file -> its tensors: names, types, shapes, byte
// ranges. A file of its own because it knows nothing of Llama. The format is
// described in the README of huggingface/safetensors: the header's length (8
// bytes, little endian), the header (JSON), the data.
//
//===----------------------------------------------------------------------===//

#ifndef CORELLAMA_COMPILER_CHECKPOINT_SAFETENSORS_H
#define CORELLAMA_COMPILER_CHECKPOINT_SAFETENSORS_H

#include "compiler/Checkpoint/Json.h"
#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Allocator.h"
#include "llvm/Support/Error.h"
#include <cstdint>
#include <vector>

namespace corellama::checkpoint {

struct SafetensorsRecord {
  /// Weights have one or two dimensions, kernels of convolutions up to five.
  static constexpr size_t kMostExtents = 8;

  llvm::StringRef name;
  llvm::StringRef type;           ///< as the file calls it: "BF16"
  uint32_t extents[kMostExtents]; ///< each 1 to kMaxDimension
  uint32_t extentCount;
  uint32_t file;   ///< of those of a container
  uint64_t offset; ///< from the start of the file
  uint64_t bytes;  ///< all inside of the file
};

class Safetensors {
public:
  /// Views `data`, which must outlive the result. Tensors may overlap. `file`
  /// is the number that the records get.
  static llvm::Expected<Safetensors> parse(llvm::ArrayRef<uint8_t> data,
                                           llvm::StringRef path, uint32_t file);

  /// In the order of the header; no name occurs twice.
  llvm::ArrayRef<SafetensorsRecord> tensors() const { return records; }

private:
  Safetensors() = default;

  llvm::BumpPtrAllocator decoded; ///< texts that have escapes in the header
  std::vector<SafetensorsRecord> records;
};

} // namespace corellama::checkpoint

#endif // CORELLAMA_COMPILER_CHECKPOINT_SAFETENSORS_H
