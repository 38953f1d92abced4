//===- Grammar.h - the rules that an answer has to follow -----------------===//
//
// Expressions over characters, in rules that may refer to each other. GBNF
// files (Gbnf.h) and JSON schemas (JsonSchema.h) become this, and Automaton.h
// is made of it. A file of its own so that neither reader knows the other or
// how matching works.
//
//===----------------------------------------------------------------------===//

#ifndef CORELLAMA_RUNTIME_GRAMMAR_GRAMMAR_H
#define CORELLAMA_RUNTIME_GRAMMAR_GRAMMAR_H

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace corellama::runtime::grammar {

/// Code points, both ends included. Surrogates match nothing: UTF-8 has none.
struct CodeRange {
  char32_t first, last;
};
inline constexpr char32_t kLastCodePoint = 0x10FFFF;

/// Sorts ranges and joins those that touch.
std::vector<CodeRange> normalised(std::vector<CodeRange> ranges);
/// All code points that are in none of the ranges.
std::vector<CodeRange> complementOf(std::vector<CodeRange> ranges);

/// The place of an expression in its grammar. The same one may stand in several
/// places; only rules make cycles.
using Expression = uint32_t;
using Rule = uint32_t;

/// No upper end of a repetition.
inline constexpr uint32_t kUnbounded = UINT32_MAX;
/// Expressions, alternatives and characters of literals together: far more than
/// people write, and compiling them takes about a second.
inline constexpr size_t kMostParts = 1 << 20;

class Grammar {
public:
  enum class Kind : uint8_t {
    Characters,
    Literal,
    Sequence,
    Choice,
    Repeat,
    Reference
  };

  struct Node {
    Kind kind;
    /// Characters: ranges; Literal: bytes; Sequence and Choice: items. The
    /// places in the arrays of that name. Repeat: `first` is what is repeated.
    /// Reference: `first` is the rule.
    uint32_t first = 0, count = 0;
    /// Only of Repeat.
    uint32_t least = 0, most = 0;
  };

  /// One character of these ranges, which may overlap; none: nothing matches.
  Expression characters(std::vector<CodeRange> ranges);
  /// These bytes; the empty text matches.
  Expression literal(std::string_view bytes);
  Expression sequence(const std::vector<Expression> &items);
  /// One of the items; with none, nothing matches.
  Expression choice(const std::vector<Expression> &items);
  /// `least` <= `most`.
  Expression repeat(Expression item, uint32_t least, uint32_t most);
  Expression optional(Expression item) { return repeat(item, 0, 1); }
  Expression reference(Rule rule);

  /// A rule without a body yet. Names are for messages.
  Rule addRule(std::string_view name);
  void define(Rule rule, Expression body) { rules[rule].body = body; }
  /// A new rule with this body.
  Expression rule(std::string_view name, Expression body);

  /// Whether kMostParts was passed; no more were added then.
  bool isTooLarge() const { return parts > kMostParts; }

  size_t size() const { return nodes.size(); }
  size_t ruleCount() const { return rules.size(); }
  const Node &operator[](Expression at) const { return nodes[at]; }
  const std::string &nameOf(Rule rule) const { return rules[rule].name; }
  /// None: not defined.
  std::optional<Expression> bodyOf(Rule rule) const { return rules[rule].body; }
  const CodeRange *rangesOf(const Node &node) const {
    return ranges.data() + node.first;
  }
  std::string_view bytesOf(const Node &node) const {
    return std::string_view(bytes).substr(node.first, node.count);
  }
  const Expression *itemsOf(const Node &node) const {
    return items.data() + node.first;
  }

  /// Where the answer begins.
  Rule root = 0;

private:
  struct RuleBody {
    std::string name;
    std::optional<Expression> body;
  };

  Expression add(Node node, size_t size);
  Expression addItems(Kind kind, const std::vector<Expression> &all);

  size_t parts = 0;
  std::vector<Node> nodes;
  std::vector<CodeRange> ranges;
  std::string bytes;
  std::vector<Expression> items;
  std::vector<RuleBody> rules;
};

} // namespace corellama::runtime::grammar

#endif // CORELLAMA_RUNTIME_GRAMMAR_GRAMMAR_H
