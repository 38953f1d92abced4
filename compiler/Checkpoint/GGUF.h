//===- GGUF.h - the GGUF container ------------------------------*- C++ -*-===//
//
// The bytes of a GGUF file, version 2 or 3, little endian -> its metadata and
// its tensor table, as views into these bytes. It is a file of its own because
// it knows the container and nothing of Llama: GGUFConfig and GGUFContainer
// interpret keys and tensors.
//
// The file is hostile. Everything read here is checked against the bytes that
// remain before it is used, and the tables take at most twice the file: counts
// are bounded by the smallest size of the records that they count.
//
//===----------------------------------------------------------------------===//

#ifndef CORELLAMA_COMPILER_CHECKPOINT_GGUF_H
#define CORELLAMA_COMPILER_CHECKPOINT_GGUF_H

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace corellama::checkpoint {

/// The types of a metadata value; the numbers are GGUF's.
enum class ValueType : uint8_t {
  UInt8 = 0,
  Int8 = 1,
  UInt16 = 2,
  Int16 = 3,
  UInt32 = 4,
  Int32 = 5,
  Float32 = 6,
  Bool = 7,
  String = 8,
  Array = 9,
  UInt64 = 10,
  Int64 = 11,
  Float64 = 12,
};

/// A metadata value. The conversions return nothing if the value has another
/// type (or, for asUnsigned, is negative); none of them rounds.
struct Value {
  ValueType type;
  ValueType element; ///< of an array; otherwise equal to `type`
  uint64_t count;    ///< elements of an array; otherwise 1
  /// The number, the text of a string, or the elements of an array (each
  /// string with its 64-bit length before it).
  llvm::ArrayRef<uint8_t> bytes;

  bool isArray() const { return type == ValueType::Array; }
  /// The value, if it is of any integer type and not negative.
  std::optional<uint64_t> asUnsigned() const;
  /// The value, if it is float32 or float64.
  std::optional<double> asFloat() const;
  std::optional<bool> asBool() const;
  std::optional<llvm::StringRef> asString() const;

  /// For messages: "4", "'none'", "an array of 3 x uint32".
  std::string describe() const;
};

/// A row of the tensor table as in the file: the type's id has not been looked
/// up, the range not computed. Dimensions are 1 to kMaxDimension, those beyond
/// `dimensionCount` are 1.
struct TensorRecord {
  llvm::StringRef name;
  uint32_t dimensions[4];
  /// From the start of the data: a multiple of the alignment, at most the
  /// file's size.
  uint64_t offset;
  uint32_t typeId;
  uint16_t dimensionCount; ///< 1 to 4
  uint16_t part;           ///< the file of a split checkpoint; otherwise 0
};

/// A parsed container. Views into `data`, which must outlive it.
class GGUF {
public:
  /// `path` names the file in messages.
  static llvm::Expected<GGUF> parse(llvm::ArrayRef<uint8_t> data,
                                    llvm::StringRef path);

  /// The parts of a split checkpoint, at least one, as one: the metadata is
  /// that of the first, the tensors are those of all.
  static llvm::Expected<GGUF> join(std::vector<GGUF> parts);

  llvm::StringRef path() const { return fileName; }
  llvm::ArrayRef<uint8_t> data() const { return fileData; }

  /// The value of a key, or nothing.
  std::optional<Value> find(llvm::StringRef key) const;
  uint64_t keyCount() const { return keys.size(); }
  /// The keys in alphabetical order, `index` < keyCount().
  llvm::StringRef key(uint64_t index) const;
  Value value(uint64_t index) const;
  /// The raw bytes of all keys and values, in the order of the file.
  llvm::ArrayRef<uint8_t> metadata() const { return rawMetadata; }

  /// In the order of the file; no name occurs twice.
  llvm::ArrayRef<TensorRecord> tensors() const { return records; }
  const TensorRecord *findTensor(llvm::StringRef name) const;
  /// The byte of a part's file that tensor offsets are counted from. It may lie
  /// beyond the end of a truncated file.
  uint64_t dataOffset(unsigned part = 0) const { return dataStarts[part]; }
  uint64_t alignment() const { return dataAlignment; }

private:
  friend class Parser;

  /// A key and its value by their places in the file. Smaller than a StringRef
  /// and a Value, so that even for a file of tiny keys only the table is at
  /// most twice the file.
  struct KeyRecord {
    uint64_t value;    ///< where the value begins; the key ends 4 bytes before
    uint64_t valueEnd; ///< one past its last byte
    uint16_t keyLength;
    ValueType type;
  };

  llvm::StringRef keyOf(const KeyRecord &record) const;
  /// Sorts `recordsByName`; the error names a tensor that is there twice.
  llvm::Error indexNames();

  std::string fileName;
  llvm::ArrayRef<uint8_t> fileData;
  llvm::ArrayRef<uint8_t> rawMetadata;
  std::vector<KeyRecord> keys;         ///< sorted by key
  std::vector<TensorRecord> records;   ///< in the order of the file
  std::vector<uint32_t> recordsByName; ///< indices into `records`
  std::vector<uint64_t> dataStarts;    ///< of each part
  uint64_t dataAlignment = 0;
};

/// What to do where a converter wrote what a Llama does not have.
inline constexpr const char *kConvertAgain =
    "convert the model again with a current llama.cpp";

} // namespace corellama::checkpoint

#endif // CORELLAMA_COMPILER_CHECKPOINT_GGUF_H
