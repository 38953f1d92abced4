//===- Ast.h - a parsed template ------------------------------------------===//
//
// Statements and expressions as the parser leaves them and the interpreter
// walks them. One kind of node for all: what a field holds depends on `kind`.
//
//===----------------------------------------------------------------------===//

#ifndef CORELLAMA_RUNTIME_TEMPLATES_AST_H
#define CORELLAMA_RUNTIME_TEMPLATES_AST_H

#include "runtime/Templates/Value.h"

#include <memory>
#include <string>
#include <vector>

namespace corellama::runtime::templates {

struct Node;
using NodePtr = std::unique_ptr<Node>;

struct Node {
  enum class Kind {
    // Expressions
    Literal,   ///< value
    Name,      ///< text
    List,      ///< children
    Tuple,     ///< children
    Dict,      ///< children: key, value, key, value, ...
    Unary,     ///< text: "-", "+", "not"; children: operand
    Binary,    ///< text: arithmetic, "~", "and", "or"; children: left, right
    Compare,   ///< names: operators; children: one more than those
    Condition, ///< children: condition, then, else (may be null)
    Attribute, ///< text; children: object
    Item,      ///< children: object, index
    Slice,     ///< children: object, first, last, step (each may be null)
    Call,      ///< children: callee; arguments
    Filter,    ///< text; children: value (null in a filter block); arguments
    Test,      ///< text; children: value; arguments
    // Statements
    Data,   ///< value
    Output, ///< children: expression
    If,     ///< children: condition, then, condition, then, ..., [else]
    For,    ///< children: target, iterable, filter, body, else; flag: recursive
    Set,    ///< children: target, value
    SetBlock,    ///< children: target, filter (may be null), body
    Macro,       ///< text; names: parameters; children: body, defaults...
    CallBlock,   ///< children: call, body; names: parameters
    FilterBlock, ///< children: filter, body
    Scope,       ///< children: body, with names of its own
    Break,
    Continue,
    Block, ///< children: statements
  };

  Node() = default;
  /// One after the other: a chain of operators is as deep as it is long.
  ~Node() {
    std::vector<NodePtr> left;
    auto take = [&](Node &node) {
      for (NodePtr &child : node.children)
        if (child)
          left.push_back(std::move(child));
      for (Argument &argument : node.arguments)
        if (argument.value)
          left.push_back(std::move(argument.value));
    };
    take(*this);
    while (!left.empty()) {
      NodePtr node = std::move(left.back());
      left.pop_back();
      take(*node);
    }
  }

  Kind kind = Kind::Literal;
  size_t line = 0;
  std::string text;
  Value value;
  bool flag = false;
  /// Of a macro: its body reads `varargs` or `kwargs`, so that it may be given
  /// more arguments than it has parameters.
  bool takesVarargs = false, takesKwargs = false;
  std::vector<std::string> names;
  std::vector<NodePtr> children;

  /// Of calls, filters and tests.
  struct Argument {
    std::string name; ///< empty: positional
    int spread = 0;   ///< 1: *list, 2: **dict
    NodePtr value;
  };
  std::vector<Argument> arguments;
};

} // namespace corellama::runtime::templates

#endif // CORELLAMA_RUNTIME_TEMPLATES_AST_H
