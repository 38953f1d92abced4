//===- ExpressionParser.h - the expressions of a template -----------------===//
//
// Tokens to expressions by recursive descent, with Jinja's precedence:
// condition, or, and, not, comparisons, + and -, ~, products, **, signs, then
// what follows a value (attributes, items, calls, filters, tests). Statements
// (Parser.cpp) build on it.
//
//===----------------------------------------------------------------------===//

#ifndef CORELLAMA_RUNTIME_TEMPLATES_EXPRESSIONPARSER_H
#define CORELLAMA_RUNTIME_TEMPLATES_EXPRESSIONPARSER_H

#include "runtime/Support/Result.h"
#include "runtime/Templates/Ast.h"
#include "runtime/Templates/Lexer.h"

namespace corellama::runtime::templates {

class ExpressionParser {
protected:
  explicit ExpressionParser(std::vector<Token> tokens)
      : tokens(std::move(tokens)) {}

  using TokenKind = Token::Kind;
  using Kind = Node::Kind;

  /// How deep statements and expressions may be nested: both the parser and the
  /// interpreter recurse.
  static constexpr int kMostLevels = 100;

  const Token &current() const { return tokens[at]; }
  void next() {
    if (at + 1 < tokens.size())
      ++at;
  }
  bool isName(std::string_view name) const {
    return current().kind == TokenKind::Name && current().text == name;
  }
  bool isOperator(std::string_view word) const {
    return current().kind == TokenKind::Operator && current().text == word;
  }
  bool takeName(std::string_view name) {
    bool found = isName(name);
    if (found)
      next();
    return found;
  }
  bool takeOperator(std::string_view word) {
    bool found = isOperator(word);
    if (found)
      next();
    return found;
  }
  void expectOperator(std::string_view word) {
    if (!takeOperator(word))
      fail("expected '" + std::string(word) + "', found " + found());
  }
  std::string expectName() {
    if (current().kind != TokenKind::Name) {
      fail("expected a name, found " + found());
      return {};
    }
    std::string name = current().text;
    next();
    return name;
  }
  void expectBlockEnd() {
    if (current().kind != TokenKind::BlockEnd)
      fail("expected the end of the tag, found " + found());
    next();
  }
  std::string found() const {
    switch (current().kind) {
    case TokenKind::End:
      return "the end of the template";
    case TokenKind::BlockEnd:
    case TokenKind::VariableEnd:
      return "the end of the tag";
    default:
      return quoted(current().text);
    }
  }
  std::nullptr_t fail(const std::string &what) {
    if (!failure)
      failure = Error{"line " + std::to_string(current().line) + ": " + what};
    // Nothing more is read.
    at = tokens.size() - 1;
    return nullptr;
  }

  NodePtr make(Kind kind) const {
    auto node = std::make_unique<Node>();
    node->kind = kind;
    node->line = current().line;
    return node;
  }
  template <typename... Children>
  NodePtr make(Kind kind, std::string text, Children... children) const {
    NodePtr node = make(kind);
    node->text = std::move(text);
    (node->children.push_back(std::move(children)), ...);
    return node;
  }

  /// Counts a level of nesting while it lives.
  struct Level {
    explicit Level(ExpressionParser &parser) : parser(parser) {
      if (++parser.level > kMostLevels)
        parser.fail("statements and expressions are nested too deeply");
    }
    ~Level() { --parser.level; }
    ExpressionParser &parser;
  };

  /// An expression, or several with commas between them.
  NodePtr parseTuple(bool withCondition = true);
  NodePtr parseExpression();
  /// Filters, tests and calls behind a value. A value of null stands for the
  /// text of a block; `isFirst`: a filter's name comes without its bar.
  NodePtr parseFilters(NodePtr value, bool isFirst = false);

  std::vector<Token> tokens;
  size_t at = 0;
  int level = 0;
  /// How often these names were read so far: a macro is told by them whether it
  /// may be given more arguments than it has parameters.
  size_t varargsRead = 0, kwargsRead = 0;
  std::optional<Error> failure;

private:
  bool endsExpression() const;
  std::string takeOneOf(std::initializer_list<std::string_view> words);
  NodePtr parseOr();
  NodePtr parseAnd();
  NodePtr parseNot();
  NodePtr parseCompare();
  NodePtr parseSum();
  NodePtr parseConcatenation();
  NodePtr parseProduct();
  NodePtr parsePower();
  NodePtr parseUnary(bool withFilters);
  NodePtr parsePrimary();
  NodePtr parseItems(Kind kind, std::string_view close);
  NodePtr parsePostfix(NodePtr value);
  NodePtr parseItem(NodePtr value);
  void parseArguments(Node &node);
  NodePtr parseTest(NodePtr value);

  template <typename Operand, typename Take>
  NodePtr parseChain(Operand operand, Take takeWord) {
    NodePtr left = operand();
    while (!failure) {
      std::string word = takeWord();
      if (word.empty())
        break;
      left = make(Kind::Binary, word, std::move(left), operand());
    }
    return left;
  }
};

} // namespace corellama::runtime::templates

#endif // CORELLAMA_RUNTIME_TEMPLATES_EXPRESSIONPARSER_H
