//===- JsonTest.cpp - JSON that is read and refused -----------------------===//
//
// Texts -> values, or the message that refuses them; and texts that are written
// to after they were parsed.
//
//===----------------------------------------------------------------------===//

#include "compiler/Checkpoint/Json.h"
#include "gtest/gtest.h"
#include <cstring>
#include <iterator>
#include <string>
#include <sys/mman.h>
#include <unistd.h>

using namespace corellama::checkpoint;

namespace {

/// The message of a text that is refused, or nothing.
std::string messageOf(const std::string &text) {
  auto parsed = JsonDocument::parse(text, "f.json");
  return parsed ? "" : llvm::toString(parsed.takeError());
}

TEST(JsonTest, ReadsEveryKindOfValue) {
  const std::string text =
      R"( {"n": null, "t": true, "f": false, "i": 42, "d": -1.5e-3,
          "s": "a\"\\\/\b\f\n\r\t\u00e9\ud83d\ude00", "l": [1, [2], {}], "o": {"x": ""}} )";
  auto document = JsonDocument::parse(text, "f.json");
  ASSERT_TRUE(bool(document)) << llvm::toString(document.takeError());
  JsonDocument moved = std::move(*document);
  JsonValue root = moved.root();
  EXPECT_EQ(root.describe(), "an object of 8 keys");
  EXPECT_TRUE(root.find("n")->isNull());
  EXPECT_EQ(root.find("t")->asBool(), true);
  EXPECT_EQ(root.find("f")->asBool(), false);
  EXPECT_EQ(root.find("i")->asUnsigned(), 42u);
  EXPECT_EQ(root.find("i")->asNumber(), 42.0);
  EXPECT_EQ(root.find("d")->asNumber(), -1.5e-3);
  EXPECT_EQ(root.find("d")->asUnsigned(), std::nullopt);
  EXPECT_EQ(root.find("s")->asString(),
            "a\"\\/\b\f\n\r\t\xC3\xA9\xF0\x9F\x98\x80");
  auto list = root.find("l")->first(9);
  ASSERT_EQ(list.size(), 3u);
  EXPECT_EQ(root.find("l")->first(2).size(), 2u);
  EXPECT_EQ((*list[1].elements().begin()).asUnsigned(), 2u);
  EXPECT_TRUE(list[2].members().empty());
  EXPECT_EQ(list[2].count(), 0u);
  EXPECT_EQ(root.find("o")->find("x")->asString(), "");
  EXPECT_EQ(root.find("missing"), std::nullopt);
  EXPECT_EQ(list[0].find("x"), std::nullopt);
  std::string keys;
  for (const auto &[key, value] : root.members())
    keys += key.asString().value_or("?");
  EXPECT_EQ(keys, "ntfidslo");
}

// A value is passed over by the place where it ends, if it is long, and
// otherwise by reading it: sizes at which the one becomes the other.
TEST(JsonTest, ValuesOfAnyLengthArePassedOver) {
  for (size_t length : {0, 1, 1020, 1021, 1022, 1023, 1024, 1025, 5000})
    for (const char *shape : {R"(["#"])", R"({"#": ["]", "\""]})",
                              R"([[[["#"]]], {"a": "\u005d"}])", R"("#")"}) {
      std::string value = shape;
      value.replace(value.find('#'), 1, std::string(length, 'x'));
      const std::string text =
          "[" + value + " , " + value + R"(, {"a": )" + value + R"(, "b": 7}])";
      auto document = JsonDocument::parse(text, "f.json");
      ASSERT_TRUE(bool(document)) << llvm::toString(document.takeError());
      auto all = document->root().first(9);
      ASSERT_EQ(all.size(), 3u) << text;
      EXPECT_EQ(all[2].find("b")->asUnsigned(), 7u) << text;
    }
}

TEST(JsonTest, EscapedStringsAreFoundAndMovedWithTheirDocument) {
  const std::string text = R"({"\u0061": "\n", "b": "plain", "c\\": "\u0078"})";
  auto document = JsonDocument::parse(text, "f.json");
  ASSERT_TRUE(bool(document)) << llvm::toString(document.takeError());
  llvm::StringRef before = *document->root().find("a")->asString();
  JsonDocument moved = std::move(*document);
  EXPECT_EQ(before, "\n");
  EXPECT_EQ(moved.root().find("a")->asString()->data(), before.data());
  EXPECT_EQ(moved.root().find("b")->asString(), "plain");
  EXPECT_EQ(moved.root().find("c\\")->asString(), "x");
}

TEST(JsonTest, EscapedStringsAreReadWithoutTheDocumentsMemory) {
  const std::string text =
      R"(["plain", "\u0061\"\ud83d\ude00", "\u0061", "\\", "", 1])";
  auto document = JsonDocument::parse(text, "f.json");
  ASSERT_TRUE(bool(document)) << llvm::toString(document.takeError());
  const std::vector<JsonValue> all = document->root().first(9);
  const char *const texts[] = {"plain", "a\"\xF0\x9F\x98\x80", "a", "\\", ""};
  llvm::BumpPtrAllocator kept;
  for (size_t i = 0; i < std::size(texts); ++i) {
    std::string decoded;
    EXPECT_EQ(all[i].readString(decoded), texts[i]);
    EXPECT_EQ(decoded.empty(), all[i].rawString() == llvm::StringRef(texts[i]));
    EXPECT_EQ(all[i].keepString(kept), texts[i]);
    for (const char *other : texts)
      EXPECT_EQ(all[i].isString(other), llvm::StringRef(other) == texts[i]);
    EXPECT_FALSE(all[i].isString("aa"));
  }
  std::string decoded;
  EXPECT_EQ(all[5].readString(decoded), std::nullopt);
  EXPECT_EQ(all[5].rawString(), std::nullopt);
  EXPECT_FALSE(all[5].isString("1"));
}

TEST(JsonTest, RefusesWhatIsNoJson) {
  const std::pair<std::string, std::string> rows[] = {
      {"", "byte 0: is the end of the file, expected a value of JSON"},
      {"{", "byte 1: is the end of the file, expected a key in quotes"},
      {"[1 2]", "byte 3: is '2', expected ',' or ']'"},
      {"[1,]", "byte 3: is ']', expected a value of JSON"},
      {"{\"a\" 1}", "byte 5: is '1', expected ':'"},
      {"\"a", "byte 2: is the end of the file, expected the end of a string"},
      {"\"a\nb\"", "byte 2: is '\\x0a', expected the end of a string"},
      {"\"\\x\"", "byte 2: is 'x', expected an escape of JSON"},
      {"\"\\u12g4\"", "byte 3: is '1', expected four hexadecimal digits"},
      {"\"\\udc00\"", "byte 7: is '\"', expected both halves of a surrogate "
                      "pair"},
      {"\"\\ud800\\u0041\"",
       "byte 13: is '\"', expected the second half of a surrogate pair before "
       "it"},
      {"01", "byte 1: is behind the value, expected the end of the file"},
      {"1.", "byte 2: is the end of the file, expected a digit"},
      {"1e", "byte 2: is the end of the file, expected a digit"},
      {"NaN", "byte 0: is 'N', expected a value of JSON"},
      {"\"\xff\"", "byte 1: is no UTF-8, expected JSON"},
      {"{\"a\": 1, \"\\u0061\": 2}",
       "byte 21: ends an object with the key 'a' twice, expected it once"},
  };
  for (const auto &[text, message] : rows)
    EXPECT_EQ(messageOf(text), "f.json: " + message + "; fetch the file again")
        << text;
}

TEST(JsonTest, LevelsAreBounded) {
  const unsigned most = JsonDocument::kMostLevels;
  auto nested = [](unsigned levels) {
    return std::string(levels, '[') + std::string(levels, ']');
  };
  EXPECT_EQ(messageOf(nested(most)), "");
  EXPECT_EQ(messageOf(nested(most + 1)),
            "f.json: byte 64: is inside of 64 lists and objects, expected "
            "fewer; fetch the file again");
  EXPECT_NE(messageOf(std::string(1 << 20, '[')), "");
}

/// A text that ends where memory ends: reading behind it ends the test.
class LastBytes {
public:
  explicit LastBytes(llvm::StringRef text) : size(text.size()) {
    const auto page = static_cast<size_t>(sysconf(_SC_PAGESIZE));
    const size_t used = (size + page - 1) / page * page;
    mapped = used + page;
    memory = static_cast<char *>(mmap(nullptr, mapped, PROT_READ | PROT_WRITE,
                                      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
    if (memory == MAP_FAILED || mprotect(memory + used, page, PROT_NONE) != 0)
      std::abort();
    begin = memory + used - size;
    memcpy(begin, text.data(), size);
  }
  ~LastBytes() { munmap(memory, mapped); }
  LastBytes(const LastBytes &) = delete;
  LastBytes &operator=(const LastBytes &) = delete;

  llvm::StringRef text() const { return {begin, size}; }
  /// All bytes from `first` on.
  void overwrite(size_t first, char byte) {
    memset(begin + first, byte, size - first);
  }

private:
  size_t size, mapped;
  char *memory, *begin;
};

/// Uses all that a value can be asked for, of those inside of it as well;
/// returns how many bytes were seen.
size_t walk(JsonValue value, unsigned level) {
  size_t seen = value.describe().size() + value.asString().value_or("").size() +
                value.asUnsigned().has_value() + value.asNumber().has_value() +
                value.find("missing").has_value() + value.first(2).size();
  if (level == JsonDocument::kMostLevels)
    return seen;
  for (JsonValue element : value.elements())
    seen += walk(element, level + 1);
  for (const auto &[key, member] : value.members())
    seen += key.asString().value_or("").size() + walk(member, level + 1);
  return seen;
}

// A file is mapped, and others may write to it at any time.
TEST(JsonTest, ATextThatChangesIsNotReadBeyondItsEnd) {
  const std::string text = R"({"a": "\u0078", "b": [)" +
                           std::string(1100, ' ') +
                           R"(1, {"c": true}, "s"], "d": {"e\n": -2.5}})";
  for (char byte : llvm::StringRef("x\"\\{}[]:, 1n\0", 14))
    for (size_t first : {0, 1, 2, 6, 7, 8, 9, 21, 22, 23, 1123, 1124, 1150}) {
      LastBytes bytes(text);
      auto document = JsonDocument::parse(bytes.text(), "f.json");
      ASSERT_TRUE(bool(document)) << llvm::toString(document.takeError());
      std::vector<JsonValue> values = {document->root()};
      for (const auto &[key, value] : document->root().members())
        values.push_back(value);
      ASSERT_EQ(values.size(), 4u);
      bytes.overwrite(first, byte);
      for (JsonValue value : values)
        EXPECT_LE(walk(value, 0), 100 * text.size()) << first << byte;
    }
}

} // namespace
