//===- Json.h - a JSON file of a checkpoint, in place -----------*- C++ -*-===//
//
// The bytes of a JSON file -> values that view them. A reader of its own
// because llvm::json recurses without a bound, keeps the last of two equal keys
// and copies each string: a tokenizer.json has half a million of them, which
// the text section views. The file is checked once, and read where it lies:
// a tree would take many times its bytes where values are short, and so would
// a list of what strings with escapes mean.
//
//===----------------------------------------------------------------------===//

#ifndef CORELLAMA_COMPILER_CHECKPOINT_JSON_H
#define CORELLAMA_COMPILER_CHECKPOINT_JSON_H

#include "llvm/ADT/StringRef.h"
#include "llvm/ADT/iterator.h"
#include "llvm/ADT/iterator_range.h"
#include "llvm/Support/Allocator.h"
#include "llvm/Support/Error.h"
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace corellama::checkpoint {

class JsonDocument;

/// A value of a document, which it views: where it begins. The conversions
/// return nothing where the value is of another kind; each reads the value's
/// text anew.
class JsonValue {
public:
  enum class Kind : uint8_t {
    Null,
    False,
    True,
    Number,
    String,
    Array,
    Object
  };
  /// A key, which is a string, and its value.
  using Member = std::pair<JsonValue, JsonValue>;

  /// Goes through an array or an object, from one `T` to the next.
  template <typename T>
  class Iterator
      : public llvm::iterator_facade_base<Iterator<T>,
                                          std::forward_iterator_tag, T,
                                          std::ptrdiff_t, const T *, T> {
  public:
    bool operator==(const Iterator &other) const { return at == other.at; }
    T operator*() const;
    Iterator &operator++();

  private:
    friend class JsonValue;
    static constexpr uint32_t kEnd = ~uint32_t(0);
    Iterator(const JsonDocument *document, uint32_t at)
        : document(document), at(at) {}

    const JsonDocument *document;
    uint32_t at; ///< of the element, or of the member's key
  };

  Kind kind() const;
  bool isNull() const { return kind() == Kind::Null; }
  bool isArray() const { return kind() == Kind::Array; }
  bool isObject() const { return kind() == Kind::Object; }
  /// What the document keeps as long as it lives, which takes memory for each
  /// string that has escapes: for the few that a format names.
  std::optional<llvm::StringRef> asString() const;
  /// The same for any number of strings: of one that has escapes a view of
  /// `decoded`, which is overwritten.
  std::optional<llvm::StringRef> readString(std::string &decoded) const;
  /// The same, and where it has escapes a copy that `decoded` keeps.
  std::optional<llvm::StringRef>
  keepString(llvm::BumpPtrAllocator &decoded) const;
  /// As the file writes it, with its escapes.
  std::optional<llvm::StringRef> rawString() const;
  /// Whether it is that string.
  bool isString(llvm::StringRef text) const;
  std::optional<bool> asBool() const;
  /// Of digits alone, below 2^64.
  std::optional<uint64_t> asUnsigned() const;
  std::optional<double> asNumber() const;

  /// Of an array; otherwise none.
  llvm::iterator_range<Iterator<JsonValue>> elements() const {
    return list<JsonValue>(Kind::Array);
  }
  /// The first elements, at most so many.
  std::vector<JsonValue> first(size_t most) const;
  /// Of an object, in the order of the file; otherwise none.
  llvm::iterator_range<Iterator<Member>> members() const {
    return list<Member>(Kind::Object);
  }
  /// Elements of an array, members of an object; counted in linear time.
  size_t count() const;
  /// The value of a key of an object, in linear time. Nothing where it is not
  /// there; null is a value.
  std::optional<JsonValue> find(llvm::StringRef key) const;

  /// All of the document's text.
  llvm::StringRef file() const;

  /// For messages: "4", "'gelu'", "null", "an array of 2", "an object of 3
  /// keys".
  std::string describe() const;

private:
  friend class JsonDocument;
  JsonValue(const JsonDocument &document, uint32_t begin)
      : document(&document), begin(begin) {}
  template <typename T> llvm::iterator_range<Iterator<T>> list(Kind kind) const;

  const JsonDocument *document;
  uint32_t begin;
};

template <> JsonValue JsonValue::Iterator<JsonValue>::operator*() const;
template <>
JsonValue::Member JsonValue::Iterator<JsonValue::Member>::operator*() const;
extern template class JsonValue::Iterator<JsonValue>;
extern template class JsonValue::Iterator<JsonValue::Member>;
extern template llvm::iterator_range<JsonValue::Iterator<JsonValue>>
JsonValue::list(Kind kind) const;
extern template llvm::iterator_range<JsonValue::Iterator<JsonValue::Member>>
JsonValue::list(Kind kind) const;

/// A checked file: RFC 8259, in UTF-8, no key twice in an object, at most
/// kMostLevels arrays and objects inside of each other. Beside the file it
/// keeps the ends of long values, at most half of its bytes, a hundredth in
/// files of checkpoints; and what asString was asked for. The texts of its
/// strings stay where they are when it is moved; its values do not. One thread
/// at a time. Where the file is written to after it was parsed, values are any
/// other ones, and nothing is read outside of it.
class JsonDocument {
public:
  static constexpr unsigned kMostLevels = 64;

  /// No copies: what views the texts would be lost with the first one.
  JsonDocument(JsonDocument &&) = default;
  JsonDocument &operator=(JsonDocument &&) = default;

  /// Views `text`, which must outlive the result. `path` is for messages.
  static llvm::Expected<JsonDocument> parse(llvm::StringRef text,
                                            llvm::StringRef path);

  JsonValue root() const { return {*this, skipSpaces(0)}; }

private:
  friend class JsonValue;
  friend class JsonParser;
  JsonDocument() = default;

  /// Arrays and objects of that many bytes or more are passed over by `ends`,
  /// shorter ones by reading them. With 64 levels at most 64 of the first kind
  /// overlap, so that `ends` has at most half a byte for each byte of the file.
  static constexpr uint32_t kLong = 1024;
  struct Span {
    uint32_t begin, end;
  };
  /// 0 behind the end.
  char byteAt(uint32_t at) const;
  uint32_t skipSpaces(uint32_t at) const;
  /// Behind a value, or the quote that ends a string; where the file was
  /// written to, any place from `at` on, and maybe one behind the end.
  uint32_t skip(uint32_t at) const;
  uint32_t skipString(uint32_t at) const;
  /// With its escapes.
  llvm::StringRef rawStringAt(uint32_t at) const;
  /// A copy only where it has escapes, kept in `decoded`.
  llvm::StringRef stringAt(uint32_t at) const;
  /// A number or a word.
  llvm::StringRef wordAt(uint32_t at) const;

  llvm::StringRef text;
  std::vector<Span> ends; ///< in the order of their beginnings
  /// Strings that have escapes, by where they begin.
  mutable std::map<uint32_t, std::string> decoded;
};

} // namespace corellama::checkpoint

#endif // CORELLAMA_COMPILER_CHECKPOINT_JSON_H
