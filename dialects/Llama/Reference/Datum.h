//===- Datum.h - what a value of the dialect is, as numbers -----*- C++ -*-===//
//
// The run-time values that the evaluator computes with: tensors of float64,
// tensors of integers, one integer, a weight's bytes, the cache. Formulas and
// evaluator share them; code that provides a weight or reads a result needs
// only this header.
//
//===----------------------------------------------------------------------===//

#ifndef CORELLAMA_DIALECTS_LLAMA_REFERENCE_DATUM_H
#define CORELLAMA_DIALECTS_LLAMA_REFERENCE_DATUM_H

#include "dialects/Llama/Reference/FormatDecoder.h"
#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/SmallVector.h"
#include "llvm/Support/Error.h"
#include "llvm/Support/FormatVariadic.h"
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <utility>
#include <variant>
#include <vector>

namespace corellama::llama::reference {

/// An error with the text of llvm::formatv.
template <typename... Values>
llvm::Error formatError(const char *format, Values &&...values) {
  return llvm::createStringError(
      llvm::formatv(format, std::forward<Values>(values)...));
}

using Shape = llvm::SmallVector<int64_t, 4>;

/// The most elements of one tensor: 4 GiB of float64, the logits of 4096 ids
/// over the largest vocabulary of any Llama. It bounds what an input can make
/// the evaluator allocate for one value.
inline constexpr int64_t kMaxElements = int64_t(1) << 29;

/// The product of the extents; an error if one is negative or the product is
/// above kMaxElements.
llvm::Expected<int64_t> countElements(llvm::ArrayRef<int64_t> shape);

/// "2x3"; "scalar" for no extents.
std::string formatShape(llvm::ArrayRef<int64_t> shape);

/// A dense tensor, last extent fastest.
struct Tensor {
  Shape shape;
  std::vector<double> values;

  /// All zero. The caller has checked the size.
  static Tensor zeros(llvm::ArrayRef<int64_t> shape);

  int64_t rows() const { return shape.front(); }
  int64_t columns() const { return shape.back(); }
  llvm::ArrayRef<double> row(int64_t r) const {
    return llvm::ArrayRef<double>(values).slice(r * columns(), columns());
  }
  llvm::MutableArrayRef<double> row(int64_t r) {
    return llvm::MutableArrayRef<double>(values).slice(r * columns(),
                                                       columns());
  }
};

struct IntTensor {
  Shape shape;
  std::vector<int64_t> values;
};

/// A weight as the checkpoint has it: rows follow each other, each in whole
/// blocks of its format.
struct WeightData {
  Format format = Format::F32;
  /// One extent (a norm's) or two (rows x columns).
  Shape shape;
  llvm::ArrayRef<uint8_t> bytes;
  /// What keeps `bytes` alive, where the source does not.
  std::shared_ptr<const void> owner;

  int64_t rows() const { return shape.size() == 1 ? 1 : shape.front(); }
  int64_t columns() const { return shape.back(); }
  /// One row, dequantised.
  std::vector<double> row(int64_t r) const;
};

/// The size of a weight in bytes; an error where a row is no whole number of
/// blocks, an extent is not positive or the size overflows.
llvm::Expected<uint64_t> weightBytes(Format format,
                                     llvm::ArrayRef<int64_t> shape);

/// Whether the bytes are as many as format and shape need.
llvm::Error checkWeight(const WeightData &weight);

/// The KV cache. It starts empty and records which positions are filled:
/// reading any other position is an error, because real memory is uninitialised
/// there, or holds another position of a ring.
class Cache {
public:
  Cache(int64_t layers, int64_t heads, int64_t headSize)
      : layers(layers), heads(heads), headSize(headSize) {}

  /// Keys and values of one position of one layer: heads x head size each.
  struct Entry {
    std::vector<double> keys, values;
  };

  const int64_t layers, heads, headSize;

  /// In a ring (not 0) of so many positions, in place of the one before.
  void store(int64_t layer, int64_t position, Entry entry, int64_t ring = 0) {
    entries[{layer, position}] = std::move(entry);
    if (ring != 0)
      entries.erase({layer, position - ring});
  }
  /// Null where nothing has been stored.
  const Entry *find(int64_t layer, int64_t position) const {
    auto it = entries.find({layer, position});
    return it == entries.end() ? nullptr : &it->second;
  }

private:
  std::map<std::pair<int64_t, int64_t>, Entry> entries;
};

/// A reference: every holder sees what is appended.
using CacheRef = std::shared_ptr<Cache>;

/// Any value; `int64_t` is an index or an integer of arith.
using Datum = std::variant<Tensor, IntTensor, int64_t, WeightData, CacheRef>;

/// Ideal: nothing is rounded, to measure what a choice of numerics costs.
/// AsSpecified: `llama.quantize` and the cache's element type round as written.
enum class Mode { Ideal, AsSpecified };

} // namespace corellama::llama::reference

#endif // CORELLAMA_DIALECTS_LLAMA_REFERENCE_DATUM_H
