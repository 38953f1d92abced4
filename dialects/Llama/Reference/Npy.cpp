//===- Npy.cpp - read and write .npy files --------------------------------===//
//
// A file is: "\x93NUMPY", major, minor, length of the header (2 bytes in
// version 1, else 4), the header, which is a Python dictionary of exactly
// descr, fortran_order and shape, then the elements.
//
//===----------------------------------------------------------------------===//

#include "dialects/Llama/Reference/Npy.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/bit.h"
#include "llvm/Support/CheckedArithmetic.h"
#include "llvm/Support/Endian.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/raw_ostream.h"

using namespace llvm;
using namespace corellama::llama::reference;

namespace {
struct TypeInfo {
  NpyType type;
  StringLiteral name;
  StringLiteral descr;
  int64_t bytes;
};
} // namespace

// In the order of the enum.
static constexpr TypeInfo kTypes[] = {
    {NpyType::Float32, "float32", "<f4", 4},
    {NpyType::Float64, "float64", "<f8", 8},
    {NpyType::Int32, "int32", "<i4", 4},
    {NpyType::Int64, "int64", "<i8", 8},
    {NpyType::UInt8, "uint8", "|u1", 1},
};

/// NumPy itself allows 32 dimensions; the dialect's tensors have at most 4.
static constexpr size_t kMaxRank = 8;

StringRef corellama::llama::reference::npyTypeName(NpyType type) {
  return kTypes[static_cast<unsigned>(type)].name;
}
int64_t corellama::llama::reference::npyTypeBytes(NpyType type) {
  return kTypes[static_cast<unsigned>(type)].bytes;
}

//===----------------------------------------------------------------------===//
// The header
//===----------------------------------------------------------------------===//

namespace {
/// Reads the dictionary from left to right; each method returns whether the
/// text continued as expected.
class HeaderParser {
public:
  explicit HeaderParser(StringRef text) : text(text) {}

  Error parse(NpyArray &array);

private:
  bool eat(StringRef token) {
    text = text.ltrim();
    return text.consume_front(token);
  }
  bool parseString(StringRef &value);
  bool parseShape(Shape &shape);
  Error parseField(StringRef key, NpyArray &array);

  StringRef text;
};
} // namespace

// 'text' or "text", without escapes, which no header needs.
bool HeaderParser::parseString(StringRef &value) {
  text = text.ltrim();
  if (text.empty() || (text.front() != '\'' && text.front() != '"'))
    return false;
  size_t end = text.find(text.front(), 1);
  if (end == StringRef::npos)
    return false;
  value = text.slice(1, end);
  text = text.drop_front(end + 1);
  return true;
}

// (), (3,), (3, 4) or (3, 4,)
bool HeaderParser::parseShape(Shape &shape) {
  if (!eat("("))
    return false;
  while (!eat(")")) {
    int64_t extent;
    text = text.ltrim();
    if (shape.size() == kMaxRank || text.consumeInteger(10, extent) ||
        extent < 0)
      return false;
    shape.push_back(extent);
    if (!eat(",")) {
      // Python writes a tuple of one element with a comma; (3) is a number.
      return shape.size() > 1 && eat(")");
    }
  }
  return true;
}

Error HeaderParser::parseField(StringRef key, NpyArray &array) {
  if (key == "descr") {
    StringRef descr;
    if (!parseString(descr))
      return createStringError(
          "header: descr is not a string; arrays of records are not read");
    const auto *info =
        find_if(kTypes, [&](const TypeInfo &t) { return t.descr == descr; });
    if (info == std::end(kTypes))
      return formatError(
          "header: elements are '{0}', expected float32, float64, "
          "int32, int64 or "
          "uint8 in little endian; convert the array with astype",
          descr);
    array.type = info->type;
    return Error::success();
  }
  if (key == "fortran_order") {
    if (eat("False"))
      return Error::success();
    return createStringError(
        "header: fortran_order is not False; save the array with "
        "numpy.ascontiguousarray");
  }
  if (key == "shape") {
    if (parseShape(array.shape))
      return Error::success();
    return formatError("header: shape is not a tuple of at most {0} sizes",
                       kMaxRank);
  }
  return formatError(
      "header: unknown key '{0}', expected descr, fortran_order and shape",
      key);
}

Error HeaderParser::parse(NpyArray &array) {
  SmallVector<StringRef, 3> seen;
  if (!eat("{"))
    return createStringError("header: not a dictionary");
  while (!eat("}")) {
    StringRef key;
    if (!parseString(key) || !eat(":"))
      return createStringError(
          "header: a key in quotes and a colon were expected");
    if (is_contained(seen, key))
      return formatError("header: key '{0}' stands twice", key);
    seen.push_back(key);
    if (Error error = parseField(key, array))
      return error;
    if (!eat(",")) {
      if (!eat("}"))
        return createStringError(
            "header: a comma or the end of the dictionary was expected");
      break;
    }
  }
  if (!text.trim().empty())
    return createStringError("header: something follows the dictionary");
  for (StringRef key : {"descr", "fortran_order", "shape"})
    if (!is_contained(seen, key))
      return formatError("header: key '{0}' is missing", key);
  return Error::success();
}

//===----------------------------------------------------------------------===//
// Reading
//===----------------------------------------------------------------------===//

Expected<NpyArray>
corellama::llama::reference::parseNpy(ArrayRef<uint8_t> file) {
  StringRef bytes = toStringRef(file);
  constexpr StringLiteral kMagic("\x93NUMPY");
  if (!bytes.starts_with(kMagic) || bytes.size() < 10)
    return createStringError(
        "not a .npy file, or cut off in its first 10 bytes");
  unsigned version = file[6];
  if (version < 1 || version > 3)
    return formatError("version {0} of .npy, expected 1 to 3", version);
  size_t start = version == 1 ? 10 : 12;
  if (bytes.size() < start)
    return createStringError("cut off before the header's length");
  uint64_t length = version == 1 ? support::endian::read16le(file.data() + 8)
                                 : support::endian::read32le(file.data() + 8);
  if (length > bytes.size() - start)
    return formatError("header: has {0} bytes, the file ends after {1} of them",
                       length, bytes.size() - start);
  NpyArray array;
  if (Error error = HeaderParser(bytes.substr(start, length)).parse(array))
    return error;
  ArrayRef<uint8_t> elements = file.drop_front(start + length);
  std::optional<uint64_t> size = npyTypeBytes(array.type);
  for (int64_t extent : array.shape)
    if (size)
      size = checkedMulUnsigned(*size, static_cast<uint64_t>(extent));
  if (!size)
    return formatError("the size of {0} elements overflows",
                       formatShape(array.shape));
  if (*size != elements.size())
    return formatError("{0} of {1} take {2} bytes, the file has {3}",
                       npyTypeName(array.type), formatShape(array.shape), *size,
                       elements.size());
  array.bytes =
      std::make_shared<std::vector<uint8_t>>(elements.begin(), elements.end());
  return array;
}

Expected<NpyArray> corellama::llama::reference::readNpy(StringRef path) {
  auto buffer = MemoryBuffer::getFile(path, /*IsText=*/false,
                                      /*RequiresNullTerminator=*/false);
  if (!buffer)
    return createStringError(path + ": " + buffer.getError().message());
  Expected<NpyArray> array =
      parseNpy(arrayRefFromStringRef((*buffer)->getBuffer()));
  if (!array)
    return createStringError(path + ": " + toString(array.takeError()));
  return array;
}

/// Each element, read as a T.
template <typename T, typename Result>
static std::vector<Result> convert(ArrayRef<uint8_t> bytes) {
  std::vector<Result> result;
  for (size_t i = 0; i < bytes.size(); i += sizeof(T))
    result.push_back(
        support::endian::read<T, endianness::little>(bytes.data() + i));
  return result;
}

std::vector<double> NpyArray::toDoubles() const {
  std::vector<double> values;
  if (type == NpyType::Float32)
    for (uint32_t bits : convert<uint32_t, uint32_t>(*bytes))
      values.push_back(bit_cast<float>(bits));
  else
    for (uint64_t bits : convert<uint64_t, uint64_t>(*bytes))
      values.push_back(bit_cast<double>(bits));
  return values;
}

std::vector<int64_t> NpyArray::toIntegers() const {
  return type == NpyType::Int32 ? convert<int32_t, int64_t>(*bytes)
                                : convert<int64_t, int64_t>(*bytes);
}

//===----------------------------------------------------------------------===//
// Writing
//===----------------------------------------------------------------------===//

static void writeHeader(raw_ostream &out, NpyType type,
                        ArrayRef<int64_t> shape) {
  std::string sizes;
  for (int64_t extent : shape)
    sizes += std::to_string(extent) + ", ";
  if (shape.size() > 1)
    sizes.resize(sizes.size() - 2);
  else if (shape.size() == 1)
    sizes.pop_back();
  std::string header =
      formatv("{{'descr': '{0}', 'fortran_order': False, 'shape': ({1}), }",
              kTypes[static_cast<unsigned>(type)].descr, sizes);
  // The elements begin at a multiple of 64; the header ends in a newline.
  size_t length = alignTo(10 + header.size() + 1, 64) - 10;
  header.resize(length - 1, ' ');
  header += '\n';
  out << "\x93NUMPY" << '\x01' << '\0' << static_cast<char>(length & 255)
      << static_cast<char>(length >> 8) << header;
}

static void write64(raw_ostream &out, uint64_t bits) {
  char bytes[8];
  support::endian::write64le(bytes, bits);
  out.write(bytes, sizeof(bytes));
}

void corellama::llama::reference::writeNpy(raw_ostream &out,
                                           const Tensor &tensor) {
  writeHeader(out, NpyType::Float64, tensor.shape);
  for (double value : tensor.values)
    write64(out, bit_cast<uint64_t>(value));
}

void corellama::llama::reference::writeNpy(raw_ostream &out,
                                           const IntTensor &tensor) {
  writeHeader(out, NpyType::Int64, tensor.shape);
  for (int64_t value : tensor.values)
    write64(out, static_cast<uint64_t>(value));
}
