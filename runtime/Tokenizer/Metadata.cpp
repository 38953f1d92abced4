//===- Metadata.cpp - checked reading of GGUF key-value pairs -------------===//
//
// The bytes of the key-value section -> pairs, and the look-ups. Each value is
// read once here, so that later readers of an array need no checks beyond the
// Cursor's.
//
//===----------------------------------------------------------------------===//

#include "runtime/Tokenizer/Metadata.h"

#include <algorithm>
#include <bit>
#include <limits>

using namespace corellama::runtime;

static_assert(std::endian::native == std::endian::little);

/// Bytes of a value of fixed size; 0 for the others and for unknown types.
static uint64_t widthOf(ValueType type) {
  switch (type) {
  case ValueType::uint8:
  case ValueType::int8:
  case ValueType::boolean:
    return 1;
  case ValueType::uint16:
  case ValueType::int16:
    return 2;
  case ValueType::uint32:
  case ValueType::int32:
  case ValueType::float32:
    return 4;
  case ValueType::uint64:
  case ValueType::int64:
  case ValueType::float64:
    return 8;
  case ValueType::string:
  case ValueType::array:
    break;
  }
  return 0;
}

/// The integer of `type` at the cursor; empty if the type is no integer, or if
/// the value does not fit.
static std::optional<int64_t> readInteger(Cursor &cursor, ValueType type) {
  switch (type) {
  case ValueType::int8:
    return static_cast<int8_t>(cursor.integer(1));
  case ValueType::int16:
    return static_cast<int16_t>(cursor.integer(2));
  case ValueType::int32:
    return static_cast<int32_t>(cursor.integer(4));
  case ValueType::int64:
    return static_cast<int64_t>(cursor.integer(8));
  case ValueType::uint8:
  case ValueType::boolean:
  case ValueType::uint16:
  case ValueType::uint32:
  case ValueType::uint64: {
    uint64_t value = cursor.integer(widthOf(type));
    if (value > static_cast<uint64_t>(std::numeric_limits<int64_t>::max()))
      return std::nullopt;
    return static_cast<int64_t>(value);
  }
  case ValueType::float32:
  case ValueType::float64:
  case ValueType::string:
  case ValueType::array:
    break;
  }
  return std::nullopt;
}

//===----------------------------------------------------------------------===//
// Cursor
//===----------------------------------------------------------------------===//

std::span<const uint8_t> Cursor::take(uint64_t count) {
  if (bad || count > remaining()) {
    bad = true;
    return {};
  }
  std::span<const uint8_t> taken = bytes.subspan(position, count);
  position += count;
  return taken;
}

uint64_t Cursor::integer(size_t width) {
  uint64_t value = 0;
  unsigned shift = 0;
  for (uint8_t byte : take(width)) {
    value |= static_cast<uint64_t>(byte) << shift;
    shift += 8;
  }
  return value;
}

std::string_view Cursor::string() {
  std::span<const uint8_t> taken = take(u64());
  return {reinterpret_cast<const char *>(taken.data()), taken.size()};
}

//===----------------------------------------------------------------------===//
// ArrayView
//===----------------------------------------------------------------------===//

std::vector<std::string_view> ArrayView::strings() const {
  std::vector<std::string_view> values;
  if (type != ValueType::string)
    return values;
  values.reserve(size);
  Cursor cursor(bytes);
  for (uint64_t i = 0; i < size; ++i)
    values.push_back(cursor.string());
  return values;
}

std::vector<int64_t> ArrayView::integers() const {
  std::vector<int64_t> values;
  Cursor cursor(bytes);
  for (uint64_t i = 0; i < size; ++i) {
    std::optional<int64_t> value = readInteger(cursor, type);
    if (!value)
      return {};
    values.push_back(*value);
  }
  return values;
}

std::vector<float> ArrayView::floats() const {
  std::vector<float> values;
  if (type != ValueType::float32)
    return values;
  values.reserve(size);
  Cursor cursor(bytes);
  for (uint64_t i = 0; i < size; ++i)
    values.push_back(std::bit_cast<float>(cursor.u32()));
  return values;
}

//===----------------------------------------------------------------------===//
// Metadata
//===----------------------------------------------------------------------===//

static Error damaged(std::string_view place, std::string what) {
  return {std::string(place) + ": " + std::move(what) +
          "; the checkpoint is damaged, fetch or convert it again"};
}

/// The value at `cursor`: of fixed size, or a string without its length. Empty,
/// with the cursor failed, if the bytes end before the value does.
static std::span<const uint8_t> readScalar(Cursor &cursor, ValueType type,
                                           std::span<const uint8_t> bytes) {
  if (type == ValueType::string) {
    std::string_view text = cursor.string();
    return {reinterpret_cast<const uint8_t *>(text.data()), text.size()};
  }
  size_t begin = cursor.offset();
  cursor.skip(widthOf(type));
  return bytes.subspan(begin, cursor.offset() - begin);
}

/// Reads an array's header and checks its elements.
static Result<ArrayView> readArray(Cursor &cursor, std::string_view place,
                                   std::span<const uint8_t> bytes) {
  ArrayView array;
  uint32_t type = cursor.u32();
  array.type = static_cast<ValueType>(type);
  array.size = cursor.u64();
  // The fewest bytes of one element. They bound `size` by the remaining bytes
  // before anything is multiplied or allocated.
  uint64_t least = array.type == ValueType::string ? 8 : widthOf(array.type);
  if (!cursor.failed() && least == 0)
    return damaged(place, "elements of type " + std::to_string(type) +
                              ", expected numbers, booleans or strings");
  if (cursor.failed() || array.size > cursor.remaining() / least)
    return damaged(place, std::to_string(array.size) +
                              " elements, expected no more than fit into the "
                              "bytes that remain");
  size_t begin = cursor.offset();
  if (array.type == ValueType::string) {
    for (uint64_t i = 0; i < array.size && !cursor.failed(); ++i)
      cursor.string();
  } else {
    cursor.skip(array.size * least);
  }
  if (cursor.failed())
    return damaged(place, "a string goes beyond the end, expected all elements "
                          "within the metadata");
  array.bytes = bytes.subspan(begin, cursor.offset() - begin);
  return array;
}

Result<Metadata> Metadata::parse(std::span<const uint8_t> bytes, uint64_t count,
                                 size_t *end) {
  // Key length, type, and one byte of value.
  constexpr uint64_t leastPair = 8 + 4 + 1;
  if (count > bytes.size() / leastPair)
    return damaged("metadata", std::to_string(count) + " pairs in " +
                                   std::to_string(bytes.size()) +
                                   " bytes, expected at least " +
                                   std::to_string(leastPair) + " bytes a pair");
  Metadata metadata;
  metadata.pairs.reserve(count);
  Cursor cursor(bytes);
  for (uint64_t i = 0; i < count; ++i) {
    Pair pair = {};
    pair.key = cursor.string();
    uint32_t type = cursor.u32();
    pair.type = static_cast<ValueType>(type);
    std::string place = "metadata: pair " + std::to_string(i);
    if (!cursor.failed())
      place += " " + quoted(pair.key);
    if (!cursor.failed() && pair.type == ValueType::array) {
      Result<ArrayView> array = readArray(cursor, place, bytes);
      if (!array)
        return Error{array.error()};
      pair.array = *array;
    } else if (!cursor.failed()) {
      if (pair.type != ValueType::string && widthOf(pair.type) == 0)
        return damaged(place, "value type " + std::to_string(type) +
                                  ", expected 0 to 12");
      pair.value = readScalar(cursor, pair.type, bytes);
    }
    if (cursor.failed())
      return damaged(place, "goes beyond the end of the metadata, which have " +
                                std::to_string(bytes.size()) + " bytes");
    metadata.pairs.push_back(pair);
  }
  if (end)
    *end = cursor.offset();
  return metadata;
}

const Metadata::Pair *Metadata::find(std::string_view key) const {
  auto pair = std::find_if(pairs.begin(), pairs.end(),
                           [&](const Pair &pair) { return pair.key == key; });
  return pair == pairs.end() ? nullptr : &*pair;
}

std::optional<std::string_view> Metadata::string(std::string_view key) const {
  const Pair *pair = find(key);
  if (!pair || pair->type != ValueType::string)
    return std::nullopt;
  return std::string_view(reinterpret_cast<const char *>(pair->value.data()),
                          pair->value.size());
}

std::optional<int64_t> Metadata::integer(std::string_view key) const {
  const Pair *pair = find(key);
  if (!pair || pair->type == ValueType::boolean)
    return std::nullopt;
  Cursor cursor(pair->value);
  return readInteger(cursor, pair->type);
}

std::optional<double> Metadata::number(std::string_view key) const {
  const Pair *pair = find(key);
  if (!pair)
    return std::nullopt;
  Cursor cursor(pair->value);
  if (pair->type == ValueType::float32)
    return std::bit_cast<float>(cursor.u32());
  if (pair->type == ValueType::float64)
    return std::bit_cast<double>(cursor.u64());
  if (std::optional<int64_t> value = integer(key))
    return static_cast<double>(*value);
  return std::nullopt;
}

std::optional<bool> Metadata::boolean(std::string_view key) const {
  const Pair *pair = find(key);
  if (!pair || pair->type != ValueType::boolean)
    return std::nullopt;
  return pair->value[0] != 0;
}

std::optional<ArrayView> Metadata::array(std::string_view key) const {
  const Pair *pair = find(key);
  if (!pair || pair->type != ValueType::array)
    return std::nullopt;
  return pair->array;
}
