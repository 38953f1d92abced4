//===- NpyTest.cpp - arrays come back, damaged files do not ---------------===//
//
// What is written is read again; every way to break the header is a row with
// the whole message; every truncation and every byte changed is either refused
// or gives an array whose size is right.
//
//===----------------------------------------------------------------------===//

#include "dialects/Llama/Reference/Npy.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/raw_ostream.h"
#include "gtest/gtest.h"

using namespace corellama::llama::reference;

namespace {

llvm::Expected<NpyArray> parse(const std::string &file) {
  return parseNpy(llvm::arrayRefFromStringRef(file));
}

std::string messageOf(const std::string &file) {
  llvm::Expected<NpyArray> array = parse(file);
  return array ? "" : llvm::toString(array.takeError());
}

/// A file of version 1 with this header.
std::string fileWith(const std::string &header, const std::string &elements) {
  std::string file("\x93NUMPY\x01\x00", 8);
  file += static_cast<char>(header.size() & 255);
  file += static_cast<char>(header.size() >> 8);
  return file + header + elements;
}

std::string written(const Tensor &tensor) {
  std::string text;
  llvm::raw_string_ostream out(text);
  writeNpy(out, tensor);
  return text;
}

TEST(Npy, ComesBack) {
  for (const Shape &shape : {Shape{2, 3}, Shape{6}, Shape{1, 2, 3, 1}}) {
    Tensor tensor{shape, {1, -2.5, 1e300, 0, -0.0, 6}};
    llvm::Expected<NpyArray> array = parse(written(tensor));
    ASSERT_TRUE(bool(array));
    EXPECT_EQ(array->type, NpyType::Float64);
    EXPECT_EQ(array->shape, shape);
    EXPECT_EQ(array->toDoubles(), tensor.values);
  }
  std::string text;
  llvm::raw_string_ostream out(text);
  writeNpy(out, IntTensor{{}, {-7}});
  llvm::Expected<NpyArray> array = parse(text);
  ASSERT_TRUE(bool(array));
  EXPECT_EQ(array->type, NpyType::Int64);
  EXPECT_TRUE(array->shape.empty());
  EXPECT_EQ(array->toIntegers(), std::vector<int64_t>{-7});
}

TEST(Npy, ElementsBeginAtAMultipleOf64) {
  std::string file = written(Tensor{{1}, {1.0}});
  EXPECT_EQ((file.size() - 8) % 64, 0u);
}

TEST(Npy, EveryElementType) {
  std::string float32("\x00\x00\xc0\xbf", 4), int32("\xfe\xff\xff\xff", 4);
  auto header = [](const char *descr) {
    return std::string("{'descr': '") + descr +
           "', 'fortran_order': False, 'shape': (1,), }";
  };
  EXPECT_EQ(parse(fileWith(header("<f4"), float32))->toDoubles().front(), -1.5);
  EXPECT_EQ(parse(fileWith(header("<i4"), int32))->toIntegers().front(), -2);
  EXPECT_EQ(parse(fileWith(header("|u1"), "\xff"))->bytes->front(), 255);
}

TEST(Npy, WhatIsRefused) {
  const std::string good =
      "{'descr': '<f4', 'fortran_order': False, 'shape': (1,), }";
  const std::string one(4, '\0');
  ASSERT_EQ(messageOf(fileWith(good, one)), "");
  struct Row {
    const char *what;
    std::string file;
    const char *message;
  } rows[] = {
      {"empty", "", "not a .npy file, or cut off in its first 10 bytes"},
      {"another magic", "\x93NUMPX" + fileWith(good, one).substr(6),
       "not a .npy file, or cut off in its first 10 bytes"},
      {"version 4", std::string("\x93NUMPY\x04\x00\x10\x00\x00\x00", 12),
       "version 4 of .npy, expected 1 to 3"},
      {"version 2, cut", std::string("\x93NUMPY\x02\x00\x10\x00", 10),
       "cut off before the header's length"},
      {"header cut", fileWith(good, one).substr(0, 20),
       "header: has 57 bytes, the file ends after 10 of them"},
      {"version 2, header of 4 GiB",
       std::string("\x93NUMPY\x02\x00\xff\xff\xff\xff{}", 14),
       "header: has 4294967295 bytes, the file ends after 2 of them"},
      {"no dictionary", fileWith("[]", one), "header: not a dictionary"},
      {"key without quotes", fileWith("{descr: '<f4'}", one),
       "header: a key in quotes and a colon were expected"},
      {"open string", fileWith("{'descr", one),
       "header: a key in quotes and a colon were expected"},
      {"key twice", fileWith("{'descr': '<f4', 'descr': '<f8'}", one),
       "header: key 'descr' stands twice"},
      {"unknown key", fileWith("{'order': 'C'}", one),
       "header: unknown key 'order', expected descr, fortran_order and shape"},
      {"missing key", fileWith("{'descr': '<f4', 'shape': (1,)}", one),
       "header: key 'fortran_order' is missing"},
      {"no comma", fileWith("{'descr': '<f4' 'shape': (1,)}", one),
       "header: a comma or the end of the dictionary was expected"},
      {"rest", fileWith(good + "x", one),
       "header: something follows the dictionary"},
      {"records", fileWith("{'descr': [('a', '<f4')]}", one),
       "header: descr is not a string; arrays of records are not read"},
      {"big endian", fileWith("{'descr': '>f4'}", one),
       "header: elements are '>f4', expected float32, float64, int32, int64 or "
       "uint8 in "
       "little endian; convert the array with astype"},
      {"Fortran order", fileWith("{'fortran_order': True}", one),
       "header: fortran_order is not False; save the array with "
       "numpy.ascontiguousarray"},
      {"negative", fileWith("{'shape': (-1,)}", one),
       "header: shape is not a tuple of at most 8 sizes"},
      {"too large for 64 bits",
       fileWith("{'shape': (99999999999999999999,)}", one),
       "header: shape is not a tuple of at most 8 sizes"},
      {"a number", fileWith("{'shape': (3)}", one),
       "header: shape is not a tuple of at most 8 sizes"},
      {"nine sizes", fileWith("{'shape': (1, 1, 1, 1, 1, 1, 1, 1, 1)}", one),
       "header: shape is not a tuple of at most 8 sizes"},
      {"overflow",
       fileWith("{'descr': '<f4', 'fortran_order': False, 'shape': "
                "(4294967296, 4294967296)}",
                one),
       "the size of 4294967296x4294967296 elements overflows"},
      {"short", fileWith(good, "abc"),
       "float32 of 1 take 4 bytes, the file has 3"},
      {"long", fileWith(good, "abcde"),
       "float32 of 1 take 4 bytes, the file has 5"},
  };
  for (const Row &row : rows)
    EXPECT_EQ(messageOf(row.file), row.message) << row.what;
}

/// The size of what is accepted is right, whatever the bytes.
void expectConsistent(const std::string &file) {
  llvm::Expected<NpyArray> array = parse(file);
  if (!array) {
    llvm::consumeError(array.takeError());
    return;
  }
  uint64_t size = npyTypeBytes(array->type);
  for (int64_t extent : array->shape)
    size *= extent;
  EXPECT_EQ(size, array->bytes->size());
}

TEST(Npy, EveryTruncationIsRefused) {
  std::string file = written(Tensor{{2, 3}, std::vector<double>(6, 1.0)});
  for (size_t size = 0; size < file.size(); ++size)
    EXPECT_NE(messageOf(file.substr(0, size)), "") << size;
}

TEST(Npy, EveryByteChanged) {
  const std::string file = written(Tensor{{2, 3}, std::vector<double>(6, 1.0)});
  for (size_t at = 0; at < file.size(); ++at)
    for (int value = 0; value < 256; ++value) {
      std::string changed = file;
      changed[at] = static_cast<char>(value);
      expectConsistent(changed);
    }
}

} // namespace
