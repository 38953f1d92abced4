//===- NpyTest.cpp - the file of logits -----------------------------------===//
//
// Tests runtime/Main/Npy.h; the bytes are compared with what numpy writes.
//
//===----------------------------------------------------------------------===//

#include "runtime/Main/Npy.h"

#include <cstring>
#include <filesystem>
#include <fstream>
#include <gtest/gtest.h>
#include <iterator>

using namespace corellama::runtime;

namespace {
class Npy : public testing::Test {
protected:
  void SetUp() override {
    std::string pattern = testing::TempDir() + "npyXXXXXX";
    ASSERT_TRUE(mkdtemp(pattern.data()));
    folder = pattern;
    path = folder + "/logits.npy";
  }
  void TearDown() override { std::filesystem::remove_all(folder); }

  std::string contents() {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
  }
  size_t files() {
    return size_t(std::distance(std::filesystem::directory_iterator(folder),
                                std::filesystem::directory_iterator()));
  }

  std::string folder;
  std::string path;
};
} // namespace

TEST_F(Npy, IsAHeaderAndRows) {
  NpyWriter writer;
  ASSERT_FALSE(writer.open(path, 3));
  const float rows[] = {1, 2, 3, 4, 5, 6};
  ASSERT_FALSE(writer.append({rows, 3}));
  ASSERT_FALSE(writer.append({rows + 3, 3}));
  EXPECT_FALSE(std::filesystem::exists(path)) << "not before it is complete";
  ASSERT_FALSE(writer.finish());
  EXPECT_EQ(files(), 1u);

  std::string header("\x93NUMPY\x01\0\x76\0", 10);
  header += "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }";
  header.resize(127, ' ');
  header += '\n';
  std::string bytes = contents();
  ASSERT_EQ(bytes.size(), 128 + sizeof(rows));
  EXPECT_EQ(bytes.substr(0, 128), header);
  EXPECT_EQ(memcmp(bytes.data() + 128, rows, sizeof(rows)), 0);
}

TEST_F(Npy, RowsCanBeTakenBack) {
  NpyWriter writer;
  ASSERT_FALSE(writer.open(path, 2));
  const float rows[] = {1, 2, 3, 4, 5, 6};
  for (size_t row = 0; row < 3; ++row)
    ASSERT_FALSE(writer.append({rows + 2 * row, 2}));
  ASSERT_FALSE(writer.truncate(3));
  ASSERT_FALSE(writer.truncate(1));
  ASSERT_FALSE(writer.append({rows + 4, 2}));
  ASSERT_FALSE(writer.finish());
  const float expected[] = {1, 2, 5, 6};
  std::string bytes = contents();
  ASSERT_EQ(bytes.size(), 128 + sizeof(expected));
  EXPECT_NE(bytes.find("'shape': (2, 2)"), bytes.npos);
  EXPECT_EQ(memcmp(bytes.data() + 128, expected, sizeof(expected)), 0);
}

TEST_F(Npy, ReplacesAnOlderFile) {
  std::ofstream(path) << "old";
  NpyWriter writer;
  ASSERT_FALSE(writer.open(path, 3));
  EXPECT_EQ(contents(), "old");
  ASSERT_FALSE(writer.finish());
  EXPECT_EQ(contents().size(), 128u);
}

TEST_F(Npy, LeavesNothingBehindUnlessFinished) {
  {
    NpyWriter writer;
    ASSERT_FALSE(writer.open(path, 3));
    EXPECT_EQ(files(), 1u);
  }
  EXPECT_EQ(files(), 0u);
}

TEST_F(Npy, SaysWhyItCannotBeMade) {
  NpyWriter writer;
  auto error = writer.open(folder + "/none/x.npy", 3);
  ASSERT_TRUE(error);
  EXPECT_EQ(error->message, folder + "/none/x.npy: cannot be made: No such "
                                     "file or directory; give --logits-out a "
                                     "file that can be written");
}

TEST_F(Npy, DoesNotReplaceADevice) {
  NpyWriter writer;
  auto error = writer.open("/dev/null", 3);
  ASSERT_TRUE(error);
  EXPECT_EQ(error->message,
            "/dev/null: is no regular file; give --logits-out the name of a "
            "file");
}
