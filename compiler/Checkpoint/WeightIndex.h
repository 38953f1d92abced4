//===- WeightIndex.h - where each weight of a model lies --------*- C++ -*-===//
//
// A container's table of tensors and a ModelConfig -> the weights of a Llama
// graph, each with its role, shape, type and byte range. It is a file of its
// own because the checks are the same for every container that names its
// tensors: a tensor that the graph does not use is refused by name.
//
//===----------------------------------------------------------------------===//

#ifndef CORELLAMA_COMPILER_CHECKPOINT_WEIGHTINDEX_H
#define CORELLAMA_COMPILER_CHECKPOINT_WEIGHTINDEX_H

#include "compiler/Checkpoint/ModelConfig.h"
#include "compiler/Checkpoint/Roles.h"
#include "compiler/Checkpoint/TensorType.h"
#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/STLFunctionalExtras.h"
#include "llvm/ADT/SmallVector.h"
#include "llvm/ADT/StringRef.h"
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace corellama::checkpoint {

class MappedFile;
class Refusals;

/// In which order a container has the rows of queries and keys that RoPE turns
/// in pairs; see Rows.h.
enum class RowOrder : uint8_t {
  Pairs,     ///< as the graph has them: a pair's two rows are neighbours
  HalfSplit, ///< the first rows of all pairs of a head, then the second ones
};

/// One weight. `columns` is the length of a row (k of a product); `rows` is 1
/// for a vector.
struct TensorInfo {
  std::string name; ///< as the container calls it
  TensorType type;  ///< in which the graph reads it
  TensorType storedType;
  uint64_t rows;
  uint64_t columns;
  /// The stored rows, without gaps, in one file: a tensor of it or a part of
  /// one. `offset` is counted from the start of the file.
  uint64_t offset;
  uint64_t bytes;
  uint32_t file;
  WeightId id;
  RowOrder order = RowOrder::Pairs;
  /// By --quantize, which has each number checked even where `type` is
  /// `storedType`.
  bool isRounded = false;
};

/// A tensor as a container lists it.
struct ListedTensor {
  llvm::StringRef name;
  llvm::SmallVector<uint64_t, 4> extents; ///< each at most kMaxDimension
  /// Nothing for a type that cannot be compiled; `typeName` is for the message
  /// then.
  std::optional<TensorType> type;
  std::string typeName;
  uint32_t file = 0;
  uint64_t offset = 0;
  /// Where the container states it.
  std::optional<uint64_t> bytes;
};

/// How a container calls the weights and sizes of a Llama, for finding them and
/// for messages.
struct WeightNames {
  /// Names of tensors that would change the graph's meaning: the first row
  /// whose text occurs in the name counts. Only for the message.
  struct Feature {
    llvm::StringRef text;
    llvm::StringRef meaning;
  };

  llvm::StringRef layerPrefix;         ///< before a layer's number and "."
  llvm::StringRef weights[kRoleCount]; ///< within a layer where it has one
  llvm::StringRef sizes[kSideCount];   ///< where an extent is stated
  llvm::StringRef layers;              ///< where their number is stated
  llvm::ArrayRef<Feature> features;
  /// What to do where tensors do not fit the configuration, or a type is not
  /// supported, or a row is no whole number of blocks, or bytes are missing.
  llvm::StringRef makeAgain, supplyType, supplyBlocks, supplyBytes;
  bool columnsFirst; ///< extents are columns x rows
  RowOrder queriesKeys = RowOrder::Pairs;
};

/// Checks `count` tensors, no two of one name, against the configuration: the
/// weights of the model are there and no other tensor. Each range of the
/// result, which is in the order of the list, lies inside its file and no two
/// overlap. All that breaks this is refused, and nothing is the result then.
/// Names alone are checked where sizes are refused (Container::readConfig).
std::vector<TensorInfo>
indexWeights(size_t count, llvm::function_ref<ListedTensor(size_t)> list,
             llvm::ArrayRef<MappedFile> files, const ModelConfig &config,
             const WeightNames &names, Refusals &refusals);

} // namespace corellama::checkpoint

#endif // CORELLAMA_COMPILER_CHECKPOINT_WEIGHTINDEX_H
