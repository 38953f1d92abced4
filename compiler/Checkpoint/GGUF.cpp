//===- GGUF.cpp - parsing the GGUF container ------------------------------===//
//
// Reads a file from front to back with a cursor that checks every size, in the
// order of the format: header, keys and values, tensor table.
//
// Each table is a std::vector reserved once, with a count that was checked
// against the bytes that remain; see the static_asserts.
//
//===----------------------------------------------------------------------===//

#include "compiler/Checkpoint/GGUF.h"
#include "compiler/Checkpoint/Refusal.h"
#include "compiler/Checkpoint/TensorType.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/Twine.h"
#include "llvm/Support/Endian.h"
#include "llvm/Support/MathExtras.h"
#include <algorithm>
#include <cstdio>
#include <limits>
#include <numeric>

using llvm::ArrayRef;
using llvm::Error;
using llvm::Expected;
using llvm::StringRef;
using llvm::Twine;

namespace corellama::checkpoint {

namespace {

constexpr const char *kFetchAgain =
    "the file is incomplete or damaged, fetch it again";

struct ValueTypeInfo {
  StringRef name;
  uint32_t bytes; ///< 0: the size is in the file
};

constexpr ValueTypeInfo kValueTypes[] = {
    {"uint8", 1},  {"int8", 1},    {"uint16", 2},  {"int16", 2},  {"uint32", 4},
    {"int32", 4},  {"float32", 4}, {"bool", 1},    {"string", 0}, {"array", 0},
    {"uint64", 8}, {"int64", 8},   {"float64", 8},
};

const ValueTypeInfo &getInfo(ValueType type) {
  return kValueTypes[static_cast<uint8_t>(type)];
}

template <typename T> T readAt(ArrayRef<uint8_t> bytes) {
  return llvm::support::endian::read<T, llvm::endianness::little>(bytes.data());
}

StringRef toText(ArrayRef<uint8_t> bytes) {
  return {reinterpret_cast<const char *>(bytes.data()), bytes.size()};
}

/// A position in the file that only moves over bytes that are there. Like
/// llvm::DataExtractor::Cursor it keeps its first failure and then reads
/// zeros, so that a few reads can share one check; unlike it, it names the
/// field that was to be read.
class Cursor {
public:
  explicit Cursor(ArrayRef<uint8_t> data) : data(data) {}

  explicit operator bool() const { return failure.empty(); }
  uint64_t position() const { return offset; }
  uint64_t remaining() const { return data.size() - offset; }
  /// Fails with a message of its own; the first failure is kept.
  void fail(const Twine &message) {
    if (failure.empty())
      failure = message.str();
  }
  /// Only after a failure.
  StringRef message() const { return failure; }

  ArrayRef<uint8_t> bytes(uint64_t size, const Twine &field) {
    if (!failure.empty())
      return {};
    if (size > remaining()) {
      fail(field + " takes " + Twine(size) + " bytes at byte " + Twine(offset) +
           ", file has " + Twine(data.size()) + "; " + kFetchAgain);
      return {};
    }
    ArrayRef<uint8_t> result = data.slice(offset, size);
    offset += size;
    return result;
  }

  template <typename T> T integer(const Twine &field) {
    ArrayRef<uint8_t> raw = bytes(sizeof(T), field);
    return failure.empty() ? readAt<T>(raw) : T(0);
  }

  /// A 64-bit length and as many bytes.
  StringRef string(const Twine &field) {
    uint64_t length = integer<uint64_t>("the length of " + field);
    return toText(bytes(length, field));
  }

  /// A count of things that take at least `smallest` bytes each.
  uint64_t count(const Twine &field, uint64_t smallest) {
    uint64_t value = integer<uint64_t>(field);
    checkCount(value, field, smallest);
    return failure.empty() ? value : 0;
  }
  void checkCount(uint64_t value, const Twine &field, uint64_t smallest) {
    uint64_t most = remaining() / smallest;
    if (value > most)
      fail(field + " is " + Twine(value) + ", at most " + Twine(most) +
           " fit in the " + Twine(remaining()) + " bytes that follow; " +
           kFetchAgain);
  }

private:
  ArrayRef<uint8_t> data;
  uint64_t offset = 0;
  std::string failure;
};

/// Prints the digits that the type represents exactly, always with a decimal
/// point: otherwise a message about 64.0 where an integer was expected would
/// show 64.
std::string formatFloat(double value, int digits) {
  char raw[40];
  std::snprintf(raw, sizeof(raw), "%.*g", digits, value);
  StringRef text = raw;
  bool isWhole = text.find_first_not_of("-0123456789") == StringRef::npos;
  return text.str() + (isWhole ? ".0" : "");
}

} // namespace

//===----------------------------------------------------------------------===//
// Value
//===----------------------------------------------------------------------===//

/// Calls `use` with an integer in its own type, not at all with another value.
template <typename Use> static void visitInteger(const Value &value, Use use) {
  switch (value.type) {
  case ValueType::UInt8:
    return use(readAt<uint8_t>(value.bytes));
  case ValueType::UInt16:
    return use(readAt<uint16_t>(value.bytes));
  case ValueType::UInt32:
    return use(readAt<uint32_t>(value.bytes));
  case ValueType::UInt64:
    return use(readAt<uint64_t>(value.bytes));
  case ValueType::Int8:
    return use(readAt<int8_t>(value.bytes));
  case ValueType::Int16:
    return use(readAt<int16_t>(value.bytes));
  case ValueType::Int32:
    return use(readAt<int32_t>(value.bytes));
  case ValueType::Int64:
    return use(readAt<int64_t>(value.bytes));
  default:
    return;
  }
}

std::optional<uint64_t> Value::asUnsigned() const {
  std::optional<uint64_t> result;
  visitInteger(*this, [&](auto number) {
    if (number >= 0)
      result = static_cast<uint64_t>(number);
  });
  return result;
}

std::optional<double> Value::asFloat() const {
  if (type == ValueType::Float32)
    return llvm::bit_cast<float>(readAt<uint32_t>(bytes));
  if (type == ValueType::Float64)
    return llvm::bit_cast<double>(readAt<uint64_t>(bytes));
  return std::nullopt;
}

std::optional<bool> Value::asBool() const {
  if (type != ValueType::Bool)
    return std::nullopt;
  return bytes[0] != 0;
}

std::optional<StringRef> Value::asString() const {
  if (type != ValueType::String)
    return std::nullopt;
  return toText(bytes);
}

std::string Value::describe() const {
  if (isArray())
    return ("an array of " + Twine(count) + " x " + getInfo(element).name)
        .str();
  if (std::optional<StringRef> text = asString())
    return quoted(*text);
  if (std::optional<bool> flag = asBool())
    return *flag ? "true" : "false";
  if (std::optional<double> number = asFloat())
    return formatFloat(*number, type == ValueType::Float32
                                    ? std::numeric_limits<float>::digits10
                                    : std::numeric_limits<double>::digits10);
  std::string text;
  visitInteger(*this, [&](auto number) { text = std::to_string(number); });
  return text;
}

//===----------------------------------------------------------------------===//
// Parser
//===----------------------------------------------------------------------===//

/// One parse of a file. A class, so that its steps share the cursor and the
/// result.
class Parser {
public:
  Parser(ArrayRef<uint8_t> data, StringRef path) : cursor(data) {
    file.fileName = path.str();
    file.fileData = data;
  }

  Expected<GGUF> run() {
    for (auto step : {&Parser::readHeader, &Parser::readKeys,
                      &Parser::readAlignment, &Parser::readTensors})
      if (Error error = (this->*step)())
        return error;
    // At most the file's size, below 2^63, plus the alignment: no overflow.
    file.dataStarts = {llvm::alignTo(cursor.position(), file.dataAlignment)};
    return std::move(file);
  }

private:
  Error readHeader();
  Error readKeys();
  void readValue(GGUF::KeyRecord &record);
  void readArray();
  Error readAlignment();
  Error readTensors();
  void readTensor(TensorRecord &record);

  Error refuse(const Twine &place, const Twine &problem) {
    return checkpoint::refuse(file.fileName, place, problem);
  }

  // The smallest size of a key with its value (length, one character, type, one
  // byte) and of a row of the tensor table (length, one character, number of
  // dimensions, one dimension, type, offset). They bound the counts.
  static constexpr uint64_t kSmallestKey = 8 + 1 + 4 + 1;
  static constexpr uint64_t kSmallestTensor = 8 + 1 + 4 + 8 + 4 + 8;
  static_assert(sizeof(GGUF::KeyRecord) <= 2 * kSmallestKey,
                "the table of keys may not exceed twice the file");
  // With its place by name, and one in a list of those that are weights.
  static_assert(sizeof(TensorRecord) + sizeof(uint32_t) + sizeof(void *) <=
                    2 * kSmallestTensor,
                "the table of tensors may not exceed twice the file");

  Cursor cursor;
  GGUF file;
  uint64_t keyCount = 0;
  uint64_t tensorCount = 0;
};

Expected<GGUF> GGUF::parse(ArrayRef<uint8_t> data, StringRef path) {
  return Parser(data, path).run();
}

Error Parser::readHeader() {
  StringRef magic = toText(cursor.bytes(4, "the magic 'GGUF'"));
  if (cursor && magic != "GGUF")
    return refuse("header", "magic is " + quoted(magic) +
                                ", expected 'GGUF'; give a checkpoint in "
                                "the GGUF format");
  uint32_t version = cursor.integer<uint32_t>("version");
  if (cursor && llvm::byteswap(version) <= 3 && version != 0)
    return refuse("header", "version is big-endian, expected a little-endian "
                            "file; convert the model again without "
                            "--bigendian");
  if (cursor && version != 2 && version != 3)
    return refuse("header",
                  "version is " + Twine(version) +
                      ", expected 2 or 3; convert the model again with a "
                      "current llama.cpp");
  tensorCount = cursor.count("tensor count", kSmallestTensor);
  keyCount = cursor.count("key count", kSmallestKey);
  if (!cursor)
    return refuse("header", cursor.message());
  return Error::success();
}

Error Parser::readKeys() {
  uint64_t begin = cursor.position();
  file.keys.reserve(keyCount);
  for (uint64_t i = 0; i < keyCount; ++i) {
    StringRef key = cursor.string("the key");
    // The container's own limit; a record holds a length in 16 bits.
    if (cursor && (key.empty() || key.size() > 65535))
      cursor.fail("the key has " + Twine(key.size()) +
                  " bytes, expected 1 to 65535; " + kFetchAgain);
    if (!cursor)
      return refuse("metadata key " + Twine(i + 1) + " of " + Twine(keyCount),
                    cursor.message());
    GGUF::KeyRecord record = {};
    record.keyLength = static_cast<uint16_t>(key.size());
    readValue(record);
    if (!cursor)
      return refuse("metadata " + quoted(key), cursor.message());
    file.keys.push_back(record);
  }
  file.rawMetadata = file.fileData.slice(begin, cursor.position() - begin);

  auto keyOf = [&](const GGUF::KeyRecord &row) { return file.keyOf(row); };
  std::ranges::sort(file.keys, {}, keyOf);
  auto twice = std::ranges::adjacent_find(file.keys, {}, keyOf);
  if (twice != file.keys.end())
    return refuse("metadata " + quoted(file.keyOf(*twice)),
                  Twine("appears twice, expected once; ") + kFetchAgain);
  return Error::success();
}

void Parser::readValue(GGUF::KeyRecord &record) {
  uint32_t type = cursor.integer<uint32_t>("the value's type");
  if (type >= std::size(kValueTypes))
    return cursor.fail("the value's type is " + Twine(type) +
                       ", expected 0 to " + Twine(std::size(kValueTypes) - 1) +
                       "; " + kFetchAgain);
  record.type = static_cast<ValueType>(type);
  record.value = cursor.position();
  if (record.type == ValueType::String) {
    cursor.string("the value");
  } else if (record.type == ValueType::Array) {
    readArray();
  } else {
    ArrayRef<uint8_t> bytes =
        cursor.bytes(getInfo(record.type).bytes, "the value");
    if (cursor && record.type == ValueType::Bool && bytes[0] > 1)
      cursor.fail("the value is " + Twine(unsigned(bytes[0])) +
                  ", expected 0 or 1 for a bool; " + kFetchAgain);
  }
  record.valueEnd = cursor.position();
}

void Parser::readArray() {
  uint32_t type = cursor.integer<uint32_t>("the array's element type");
  if (cursor && type == static_cast<uint32_t>(ValueType::Array))
    return cursor.fail("the value is an array of arrays, expected an array of "
                       "numbers or strings; convert the model again without "
                       "this key");
  if (type >= std::size(kValueTypes))
    return cursor.fail("the array's element type is " + Twine(type) +
                       ", expected 0 to " + Twine(std::size(kValueTypes) - 1) +
                       "; " + kFetchAgain);
  auto element = static_cast<ValueType>(type);
  if (element == ValueType::String) {
    uint64_t count =
        cursor.count("the array's length", /*smallest=*/sizeof(uint64_t));
    for (uint64_t i = 0; i < count && cursor; ++i)
      cursor.string("element " + Twine(i));
    return;
  }
  uint64_t size = getInfo(element).bytes;
  uint64_t count = cursor.count("the array's length", size);
  // In range: the count was checked against the bytes that remain.
  ArrayRef<uint8_t> bytes = cursor.bytes(count * size, "the array");
  if (element != ValueType::Bool)
    return;
  for (auto [i, byte] : llvm::enumerate(bytes))
    if (byte > 1)
      return cursor.fail("element " + Twine(i) + " is " +
                         Twine(unsigned(byte)) +
                         ", expected 0 or 1 for a bool; " + kFetchAgain);
}

Error Parser::readAlignment() {
  file.dataAlignment = 32; // GGUF's default
  std::optional<Value> value = file.find("general.alignment");
  if (!value)
    return Error::success();
  // GGUF requires a multiple of 8. The upper bound, 1 MiB, is ours: it is more
  // than any page size, and keeps the sum with a position in range.
  std::optional<uint64_t> alignment = value->asUnsigned();
  if (!alignment || *alignment < 8 || *alignment > (uint64_t(1) << 20) ||
      !llvm::isPowerOf2_64(*alignment))
    return refuse("metadata 'general.alignment'",
                  "is " + value->describe() +
                      ", expected a power of two from 8 to 1048576; convert "
                      "the model again with the default alignment");
  file.dataAlignment = *alignment;
  return Error::success();
}

Error Parser::readTensors() {
  // Checked again: the header's check also counted the bytes of the keys.
  cursor.checkCount(tensorCount, "tensor count", kSmallestTensor);
  if (cursor && tensorCount > std::numeric_limits<uint32_t>::max())
    cursor.fail("tensor count is " + Twine(tensorCount) +
                ", expected at most 4294967295; " + kFetchAgain);
  if (!cursor)
    return refuse("header", cursor.message());

  file.records.reserve(tensorCount);
  for (uint64_t i = 0; i < tensorCount; ++i) {
    TensorRecord record = {};
    record.name = cursor.string("the name");
    // The limit is GGUF's.
    if (cursor && (record.name.empty() || record.name.size() > 64))
      cursor.fail("the name has " + Twine(record.name.size()) +
                  " bytes, expected 1 to 64; " + kFetchAgain);
    if (!cursor)
      return refuse("tensor " + Twine(i + 1) + " of " + Twine(tensorCount),
                    cursor.message());
    readTensor(record);
    if (!cursor)
      return refuse("tensor " + quoted(record.name), cursor.message());
    file.records.push_back(record);
  }

  return file.indexNames();
}

void Parser::readTensor(TensorRecord &record) {
  auto count = cursor.integer<uint32_t>("the number of dimensions");
  if (cursor && (count < 1 || count > 4))
    return cursor.fail("the number of dimensions is " + Twine(count) +
                       ", expected 1 to 4; " + kFetchAgain);
  record.dimensionCount = static_cast<uint16_t>(count);
  std::fill(std::begin(record.dimensions), std::end(record.dimensions), 1);
  for (uint32_t d = 0; d < record.dimensionCount && cursor; ++d) {
    uint64_t size = cursor.integer<uint64_t>("dimension " + Twine(d));
    if (size < 1 || size > kMaxDimension)
      cursor.fail("dimension " + Twine(d) + " is " + Twine(size) +
                  ", expected 1 to " + Twine(kMaxDimension) + "; " +
                  kFetchAgain);
    record.dimensions[d] = static_cast<uint32_t>(size);
  }
  record.typeId = cursor.integer<uint32_t>("the type");
  record.offset = cursor.integer<uint64_t>("the offset");
  // WeightIndex checks the range, when the size is known. An impossible offset
  // is reported here, because a damaged number of dimensions shows up as one,
  // and the next name would be read from the wrong place.
  if (record.offset > file.fileData.size())
    cursor.fail("begins beyond byte " + Twine(record.offset) + ", file has " +
                Twine(file.fileData.size()) + "; " + kFetchAgain);
  if (record.offset % file.dataAlignment != 0)
    cursor.fail("the offset is " + Twine(record.offset) +
                ", expected a multiple of the alignment " +
                Twine(file.dataAlignment) + "; " + kFetchAgain);
}

//===----------------------------------------------------------------------===//
// GGUF
//===----------------------------------------------------------------------===//

Error GGUF::indexNames() {
  recordsByName.resize(records.size());
  std::iota(recordsByName.begin(), recordsByName.end(), 0u);
  auto nameOf = [&](uint32_t index) { return records[index].name; };
  std::ranges::sort(recordsByName, {}, nameOf);
  auto twice = std::ranges::adjacent_find(recordsByName, {}, nameOf);
  if (twice == recordsByName.end())
    return Error::success();
  return refuse(fileName, "tensor " + quoted(records[*twice].name),
                Twine("appears twice, expected once; ") + kFetchAgain);
}

Expected<GGUF> GGUF::join(std::vector<GGUF> parts) {
  GGUF whole = std::move(parts.front());
  for (const GGUF &part : llvm::drop_begin(parts)) {
    if (part.records.size() >
        std::numeric_limits<uint32_t>::max() - whole.records.size())
      return refuse(part.path(), "header",
                    Twine("has too many tensors, expected at most 4294967295 "
                          "in all parts; ") +
                        kFetchAgain);
    const auto number = static_cast<uint16_t>(whole.dataStarts.size());
    for (TensorRecord record : part.records) {
      record.part = number;
      whole.records.push_back(record);
    }
    whole.dataStarts.push_back(part.dataOffset());
  }
  if (parts.size() > 1)
    if (Error error = whole.indexNames())
      return error;
  return std::move(whole);
}

StringRef GGUF::keyOf(const KeyRecord &record) const {
  return toText(fileData.slice(
      record.value - sizeof(uint32_t) - record.keyLength, record.keyLength));
}

StringRef GGUF::key(uint64_t index) const { return keyOf(keys[index]); }

Value GGUF::value(uint64_t index) const {
  const KeyRecord &record = keys[index];
  ArrayRef<uint8_t> bytes =
      fileData.slice(record.value, record.valueEnd - record.value);
  if (record.type == ValueType::String)
    return {record.type, record.type, 1, bytes.drop_front(sizeof(uint64_t))};
  if (record.type != ValueType::Array)
    return {record.type, record.type, 1, bytes};
  return {record.type, static_cast<ValueType>(readAt<uint32_t>(bytes)),
          readAt<uint64_t>(bytes.drop_front(sizeof(uint32_t))),
          bytes.drop_front(sizeof(uint32_t) + sizeof(uint64_t))};
}

std::optional<Value> GGUF::find(StringRef key) const {
  auto place = std::ranges::lower_bound(
      keys, key, {}, [&](const KeyRecord &record) { return keyOf(record); });
  if (place == keys.end() || keyOf(*place) != key)
    return std::nullopt;
  return value(static_cast<uint64_t>(place - keys.begin()));
}

const TensorRecord *GGUF::findTensor(StringRef name) const {
  auto place =
      std::ranges::lower_bound(recordsByName, name, {}, [&](uint32_t index) {
        return records[index].name;
      });
  if (place == recordsByName.end() || records[*place].name != name)
    return nullptr;
  return &records[*place];
}

} // namespace corellama::checkpoint
