//===- Metadata.h - checked reading of GGUF key-value pairs ---------------===//
//
// Reads the key-value section of a GGUF file (a copy of it is in the program's
// image) into look-ups by key. The runtime has its own reader because it shares
// no code with the compiler's Checkpoint; tests compare the two.
//
// Nothing is copied: strings and arrays are views into the section, which must
// outlive them. Every read is checked against the bytes that remain, so a
// damaged section ends in an error, never in a read outside.
//
//===----------------------------------------------------------------------===//

#ifndef CORELLAMA_RUNTIME_TOKENIZER_METADATA_H
#define CORELLAMA_RUNTIME_TOKENIZER_METADATA_H

#include "runtime/Support/Result.h"

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace corellama::runtime {

/// The value types of the GGUF specification, by their number in the file.
enum class ValueType : uint32_t {
  uint8 = 0,
  int8 = 1,
  uint16 = 2,
  int16 = 3,
  uint32 = 4,
  int32 = 5,
  float32 = 6,
  boolean = 7,
  string = 8,
  array = 9,
  uint64 = 10,
  int64 = 11,
  float64 = 12,
};

/// Reads little-endian values from bytes. After the first read past the end all
/// reads return zero or empty and `failed()` is true, so that one check after a
/// group of reads suffices.
class Cursor {
public:
  explicit Cursor(std::span<const uint8_t> bytes) : bytes(bytes) {}

  uint64_t u64() { return integer(8); }
  uint32_t u32() { return static_cast<uint32_t>(integer(4)); }
  /// An unsigned integer of `width` (1, 2, 4 or 8) bytes.
  uint64_t integer(size_t width);
  /// A length (u64) and as many bytes.
  std::string_view string();
  void skip(uint64_t count) { take(count); }

  bool failed() const { return bad; }
  size_t offset() const { return position; }
  size_t remaining() const { return bytes.size() - position; }

private:
  std::span<const uint8_t> take(uint64_t count);

  std::span<const uint8_t> bytes;
  size_t position = 0;
  bool bad = false;
};

/// An array value. Its elements were checked when the section was read, so its
/// bytes hold `size` elements.
struct ArrayView {
  ValueType type = ValueType::uint8;
  uint64_t size = 0;
  std::span<const uint8_t> bytes;

  /// All strings, in order; empty if the elements are no strings.
  std::vector<std::string_view> strings() const;
  /// All integers (booleans count), widened; empty if the elements are none.
  std::vector<int64_t> integers() const;
  /// All float32 numbers; empty if the elements are none.
  std::vector<float> floats() const;
};

class Metadata {
public:
  Metadata() = default;

  /// `count` pairs; more bytes may follow the last one (in a whole file they
  /// do). If `end` is given it receives the offset after the last pair.
  static Result<Metadata> parse(std::span<const uint8_t> bytes, uint64_t count,
                                size_t *end = nullptr);

  /// Each is empty if the key is missing or its value is of another kind;
  /// `integer` takes all integer types that fit, `number` all of them and
  /// floats.
  std::optional<std::string_view> string(std::string_view key) const;
  std::optional<int64_t> integer(std::string_view key) const;
  std::optional<double> number(std::string_view key) const;
  std::optional<bool> boolean(std::string_view key) const;
  std::optional<ArrayView> array(std::string_view key) const;

  bool has(std::string_view key) const { return find(key) != nullptr; }
  size_t size() const { return pairs.size(); }

private:
  struct Pair {
    std::string_view key;
    ValueType type;
    /// The value's own bytes; for a string without its length.
    std::span<const uint8_t> value;
    ArrayView array;
  };

  const Pair *find(std::string_view key) const;

  std::vector<Pair> pairs;
};

} // namespace corellama::runtime

#endif // CORELLAMA_RUNTIME_TOKENIZER_METADATA_H
