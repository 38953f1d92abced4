//===- MetadataTest.cpp - the key-value reader, sound and damaged ---------===//
//
// What each look-up gives for each type, and that damaged bytes end in the
// stated error. The bytes are copied to a block of their exact size, so that a
// read outside is seen by a sanitizer.
//
//===----------------------------------------------------------------------===//

#include "runtime/Tokenizer/Metadata.h"

#include "test/runtime/Tokenizer/MetadataBuilder.h"

#include <gtest/gtest.h>

using namespace corellama::runtime;
using namespace corellama::runtime::test;

static MetadataBuilder everyType() {
  MetadataBuilder builder;
  builder.pair("u8", 0, MetadataBuilder::raw<uint8_t>(200))
      .pair("i8", 1, MetadataBuilder::raw<int8_t>(-100))
      .pair("u16", 2, MetadataBuilder::raw<uint16_t>(60000))
      .pair("i16", 3, MetadataBuilder::raw<int16_t>(-30000))
      .u32("u32", 4000000000u)
      .pair("i32", 5, MetadataBuilder::raw<int32_t>(-2000000000))
      .pair("f32", 6, MetadataBuilder::raw<float>(1.5f))
      .boolean("yes", true)
      .boolean("no", false)
      .string("text", "h\xC3\xA9llo")
      .strings("words", {"a", "", "bc"})
      .i32s("numbers", {1, -2, 3})
      .pair("u64", 10, MetadataBuilder::raw<uint64_t>(1ull << 63))
      .pair("i64", 11, MetadataBuilder::raw<int64_t>(-5))
      .pair("f64", 12, MetadataBuilder::raw<double>(0.1));
  return builder;
}

TEST(Metadata, LooksUpEveryType) {
  MetadataBuilder builder = everyType();
  Result<Metadata> metadata = builder.parse();
  ASSERT_TRUE(metadata) << metadata.error();
  EXPECT_EQ(metadata->size(), 15u);
  EXPECT_EQ(metadata->integer("u8"), 200);
  EXPECT_EQ(metadata->integer("i8"), -100);
  EXPECT_EQ(metadata->integer("u16"), 60000);
  EXPECT_EQ(metadata->integer("i16"), -30000);
  EXPECT_EQ(metadata->integer("u32"), 4000000000);
  EXPECT_EQ(metadata->integer("i32"), -2000000000);
  EXPECT_EQ(metadata->integer("i64"), -5);
  EXPECT_EQ(metadata->number("f32"), 1.5);
  EXPECT_EQ(metadata->number("f64"), 0.1);
  EXPECT_EQ(metadata->number("i8"), -100.0);
  EXPECT_EQ(metadata->boolean("yes"), true);
  EXPECT_EQ(metadata->boolean("no"), false);
  EXPECT_EQ(metadata->string("text"), "h\xC3\xA9llo");
  std::optional<ArrayView> words = metadata->array("words");
  ASSERT_TRUE(words);
  EXPECT_EQ(words->strings(), (std::vector<std::string_view>{"a", "", "bc"}));
  EXPECT_TRUE(words->integers().empty());
  std::optional<ArrayView> numbers = metadata->array("numbers");
  ASSERT_TRUE(numbers);
  EXPECT_EQ(numbers->integers(), (std::vector<int64_t>{1, -2, 3}));
  EXPECT_TRUE(numbers->strings().empty());
}

TEST(Metadata, GivesNothingForAnotherKind) {
  MetadataBuilder builder = everyType();
  Result<Metadata> metadata = builder.parse();
  ASSERT_TRUE(metadata) << metadata.error();
  EXPECT_FALSE(metadata->has("none"));
  EXPECT_FALSE(metadata->integer("none"));
  EXPECT_FALSE(metadata->integer("f32"));
  EXPECT_FALSE(metadata->integer("yes"));
  EXPECT_FALSE(metadata->integer("text"));
  EXPECT_FALSE(metadata->integer("u64")) << "2^63 does not fit";
  EXPECT_FALSE(metadata->boolean("u8"));
  EXPECT_FALSE(metadata->string("words"));
  EXPECT_FALSE(metadata->array("text"));
  EXPECT_FALSE(metadata->number("text"));
}

TEST(Metadata, SaysWhereThePairsEnd) {
  MetadataBuilder builder = everyType();
  size_t length = builder.bytes.size();
  builder.bytes += "what follows in the file";
  size_t end = 0;
  Result<Metadata> metadata =
      Metadata::parse(builder.span(), builder.count, &end);
  ASSERT_TRUE(metadata) << metadata.error();
  EXPECT_EQ(end, length);
}

TEST(Metadata, RefusesTruncationAtEveryByte) {
  MetadataBuilder builder = everyType();
  for (size_t length = 0; length < builder.bytes.size(); ++length) {
    std::vector<uint8_t> bytes(builder.span().begin(),
                               builder.span().begin() + length);
    Result<Metadata> metadata = Metadata::parse(bytes, builder.count);
    ASSERT_FALSE(metadata) << "cut to " << length << " bytes";
    EXPECT_TRUE(metadata.error().ends_with(
        "; the checkpoint is damaged, fetch or convert it again"));
  }
}

TEST(Metadata, SurvivesEveryByteReplaced) {
  MetadataBuilder builder = everyType();
  for (size_t at = 0; at < builder.bytes.size(); ++at) {
    for (uint8_t value : {0x00, 0x01, 0x7F, 0x80, 0xFF}) {
      std::vector<uint8_t> bytes(builder.span().begin(), builder.span().end());
      bytes[at] = value;
      Result<Metadata> metadata = Metadata::parse(bytes, builder.count);
      if (!metadata)
        continue;
      // What was accepted lies inside of the bytes.
      for (const char *key : {"words", "numbers"})
        if (std::optional<ArrayView> array = metadata->array(key)) {
          EXPECT_GE(array->bytes.data(), bytes.data());
          EXPECT_LE(array->bytes.data() + array->bytes.size(),
                    bytes.data() + bytes.size());
          array->strings();
          array->integers();
        }
      EXPECT_LE(metadata->string("text").value_or("").size(), bytes.size());
    }
  }
}

TEST(Metadata, NamesWhatIsDamaged) {
  using Builder = MetadataBuilder;
  struct Row {
    const char *name;
    MetadataBuilder builder;
    uint64_t count;
    std::string message;
  };
  std::string remedy = "; the checkpoint is damaged, fetch or convert it again";
  auto array = [](uint32_t type, uint64_t size) {
    return Builder::raw(type) + Builder::raw(size);
  };
  const Row rows[] = {
      {"more pairs than bytes", Builder().u32("a", 1), ~0ull,
       "metadata: 18446744073709551615 pairs in 17 bytes, expected at least 13 "
       "bytes a pair"},
      {"unknown type", Builder().pair("a", 13, "12345678"), 1,
       "metadata: pair 0 'a': value type 13, expected 0 to 12"},
      {"string beyond the end",
       Builder().pair("a", 8, Builder::raw<uint64_t>(~0ull)), 1,
       "metadata: pair 0 'a': goes beyond the end of the metadata, which have "
       "21 bytes"},
      {"key beyond the end", Builder().u32("a", 1).pair("b", 4, ""), 2,
       "metadata: pair 1 'b': goes beyond the end of the metadata, which have "
       "30 bytes"},
      {"array whose bytes overflow",
       Builder().pair("a", 9, array(10, 1ull << 61)), 1,
       "metadata: pair 0 'a': 2305843009213693952 elements, expected no more "
       "than fit into the bytes that remain"},
      {"array of arrays", Builder().pair("a", 9, array(9, 1)), 1,
       "metadata: pair 0 'a': elements of type 9, expected numbers, booleans "
       "or strings"},
      {"array string beyond the end",
       Builder().pair("a", 9, array(8, 1) + Builder::raw<uint64_t>(1)), 1,
       "metadata: pair 0 'a': a string goes beyond the end, expected all "
       "elements within the metadata"},
      {"control characters in a key", Builder().pair("a\n\x7F", 99, "123456"),
       1, "metadata: pair 0 'a\\x0a\\x7f': value type 99, expected 0 to 12"},
  };
  for (const Row &row : rows) {
    Result<Metadata> metadata = Metadata::parse(row.builder.span(), row.count);
    ASSERT_FALSE(metadata) << row.name;
    EXPECT_EQ(metadata.error(), row.message + remedy) << row.name;
  }
}
