//===- Json.h - a JSON file of a checkpoint, in place -----------*- C++ -*-===//
//
// The bytes of a JSON file -> values that view them. A reader of its own
// because llvm::json recurses without a bound, keeps the last of two equal keys
// and copies each string: a tokenizer.json has half a million of them, which
// the text section views.
//
//===----------------------------------------------------------------------===//

#ifndef CORELLAMA_COMPILER_CHECKPOINT_JSON_H
#define CORELLAMA_COMPILER_CHECKPOINT_JSON_H

#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace corellama::checkpoint {

class JsonDocument;

/// A value of a document, which it views. The conversions return nothing where
/// the value is of another kind.
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
  using Member = std::pair<llvm::StringRef, JsonValue>;

  Kind kind() const;
  bool isNull() const { return kind() == Kind::Null; }
  bool isArray() const { return kind() == Kind::Array; }
  bool isObject() const { return kind() == Kind::Object; }
  std::optional<llvm::StringRef> asString() const;
  std::optional<bool> asBool() const;
  /// Of digits alone, below 2^64.
  std::optional<uint64_t> asUnsigned() const;
  std::optional<double> asNumber() const;

  /// Of an array; otherwise none.
  std::vector<JsonValue> elements() const;
  /// Of an object, in the order of the file; otherwise none.
  std::vector<Member> members() const;
  /// The value of a key of an object, in linear time. Nothing where it is not
  /// there; null is a value.
  std::optional<JsonValue> find(llvm::StringRef key) const;

  /// For messages: "4", "'gelu'", "null", "an array of 2", "an object of 3
  /// keys".
  std::string describe() const;

private:
  friend class JsonDocument;
  friend class JsonParser;
  JsonValue(const JsonDocument &document, uint32_t node)
      : document(&document), node(node) {}

  const JsonDocument *document;
  uint32_t node;
};

/// A parsed file: RFC 8259, in UTF-8, no key twice in an object, at most
/// kMostLevels arrays and objects inside of each other. Takes at most 24 times
/// the bytes of the file (a node of 16 for a value of two, in a vector that
/// grows). The texts of its strings stay where they are when it is moved; its
/// values do not.
class JsonDocument {
public:
  static constexpr unsigned kMostLevels = 64;

  /// Views `text`, which must outlive the result. `path` is for messages.
  static llvm::Expected<JsonDocument> parse(llvm::StringRef text,
                                            llvm::StringRef path);

  JsonValue root() const { return {*this, 0}; }

private:
  friend class JsonValue;
  friend class JsonParser;
  /// Nodes lie in the order of the file: behind an array its elements, behind
  /// an object a key and a value for each member.
  struct Node {
    uint32_t begin;  ///< of the text in the file, or its place in `decoded`
    uint32_t length; ///< of the text; otherwise of elements or members
    uint32_t end;    ///< the node behind the last one inside
    JsonValue::Kind kind;
    bool isDecoded;
  };
  llvm::StringRef textOf(const Node &node) const {
    return node.isDecoded ? llvm::StringRef(decoded[node.begin])
                          : text.substr(node.begin, node.length);
  }

  llvm::StringRef text;
  std::vector<Node> nodes;
  std::deque<std::string> decoded; ///< strings that have escapes
};

} // namespace corellama::checkpoint

#endif // CORELLAMA_COMPILER_CHECKPOINT_JSON_H
