//===- ExpressionParser.cpp - the expressions of a template ---------------===//
//
// See ExpressionParser.h.
//
//===----------------------------------------------------------------------===//

#include "runtime/Templates/ExpressionParser.h"

namespace corellama::runtime::templates {

bool ExpressionParser::endsExpression() const {
  return current().kind == TokenKind::VariableEnd ||
         current().kind == TokenKind::BlockEnd || isOperator(")") ||
         current().kind == TokenKind::End;
}

NodePtr ExpressionParser::parseTuple(bool withCondition) {
  auto parseOne = [&] { return withCondition ? parseExpression() : parseOr(); };
  NodePtr first = parseOne();
  if (!isOperator(","))
    return first;
  NodePtr all = make(Kind::Tuple, "", std::move(first));
  while (!failure && takeOperator(",") && !endsExpression())
    all->children.push_back(parseOne());
  return all;
}

NodePtr ExpressionParser::parseExpression() {
  Level nested(*this);
  NodePtr value = parseOr();
  while (!failure && takeName("if")) {
    NodePtr condition = parseOr();
    NodePtr otherwise = takeName("else") ? parseExpression() : nullptr;
    value = make(Kind::Condition, "", std::move(condition), std::move(value),
                 std::move(otherwise));
  }
  return value;
}

std::string
ExpressionParser::takeOneOf(std::initializer_list<std::string_view> words) {
  for (std::string_view word : words)
    if (takeOperator(word))
      return std::string(word);
  return {};
}

NodePtr ExpressionParser::parseOr() {
  return parseChain([&] { return parseAnd(); },
                    [&] { return std::string(takeName("or") ? "or" : ""); });
}
NodePtr ExpressionParser::parseAnd() {
  return parseChain([&] { return parseNot(); },
                    [&] { return std::string(takeName("and") ? "and" : ""); });
}
NodePtr ExpressionParser::parseNot() {
  Level nested(*this);
  if (takeName("not"))
    return make(Kind::Unary, "not", parseNot());
  return parseCompare();
}

NodePtr ExpressionParser::parseCompare() {
  NodePtr node = make(Kind::Compare, "", parseSum());
  while (!failure) {
    std::string word = takeOneOf({"==", "!=", "<=", ">=", "<", ">"});
    if (word.empty() && takeName("in"))
      word = "in";
    if (word.empty() && isName("not") && at + 1 < tokens.size() &&
        tokens[at + 1].kind == TokenKind::Name && tokens[at + 1].text == "in") {
      next();
      next();
      word = "not in";
    }
    if (word.empty())
      break;
    node->names.push_back(word);
    node->children.push_back(parseSum());
  }
  return node->names.empty() ? std::move(node->children[0]) : std::move(node);
}

NodePtr ExpressionParser::parseSum() {
  return parseChain([&] { return parseConcatenation(); },
                    [&] { return takeOneOf({"+", "-"}); });
}
NodePtr ExpressionParser::parseConcatenation() {
  return parseChain([&] { return parseProduct(); },
                    [&] { return takeOneOf({"~"}); });
}
NodePtr ExpressionParser::parseProduct() {
  return parseChain([&] { return parsePower(); },
                    [&] { return takeOneOf({"*", "//", "/", "%"}); });
}
NodePtr ExpressionParser::parsePower() {
  return parseChain([&] { return parseUnary(true); },
                    [&] { return takeOneOf({"**"}); });
}

NodePtr ExpressionParser::parseUnary(bool withFilters) {
  Level nested(*this);
  std::string sign = takeOneOf({"-", "+"});
  NodePtr value;
  if (sign.empty())
    value = parsePostfix(parsePrimary());
  else
    value = make(Kind::Unary, sign, parseUnary(false));
  return withFilters ? parseFilters(std::move(value)) : std::move(value);
}

NodePtr ExpressionParser::parsePrimary() {
  const Token token = current();
  NodePtr literal = make(Kind::Literal);
  switch (token.kind) {
  case TokenKind::Name:
    next();
    if (token.text == "true" || token.text == "True")
      literal->value = true;
    else if (token.text == "false" || token.text == "False")
      literal->value = false;
    else if (token.text == "none" || token.text == "None")
      literal->value = None{};
    else {
      varargsRead += token.text == "varargs";
      kwargsRead += token.text == "kwargs";
      return make(Kind::Name, token.text);
    }
    return literal;
  case TokenKind::Integer:
    next();
    literal->value = token.integer;
    return literal;
  case TokenKind::Float:
    next();
    literal->value = token.real;
    return literal;
  case TokenKind::String: {
    std::string text;
    for (; current().kind == TokenKind::String; next())
      text += current().text;
    literal->value = makeString(text, Origin::Template);
    return literal;
  }
  default:
    break;
  }
  if (takeOperator("(")) {
    NodePtr inner = isOperator(")") ? make(Kind::Tuple) : parseTuple();
    expectOperator(")");
    return inner;
  }
  if (takeOperator("["))
    return parseItems(Kind::List, "]");
  if (takeOperator("{"))
    return parseItems(Kind::Dict, "}");
  return fail("expected an expression, found " + found());
}

NodePtr ExpressionParser::parseItems(Kind kind, std::string_view close) {
  NodePtr node = make(kind);
  while (!failure && !isOperator(close)) {
    node->children.push_back(parseExpression());
    if (kind == Kind::Dict) {
      expectOperator(":");
      node->children.push_back(parseExpression());
    }
    if (!takeOperator(","))
      break;
  }
  expectOperator(close);
  return node;
}

NodePtr ExpressionParser::parsePostfix(NodePtr value) {
  while (!failure) {
    if (takeOperator(".")) {
      if (current().kind == TokenKind::Integer) {
        NodePtr index = make(Kind::Literal);
        index->value = current().integer;
        next();
        value = make(Kind::Item, "", std::move(value), std::move(index));
      } else {
        value = make(Kind::Attribute, expectName(), std::move(value));
      }
    } else if (takeOperator("[")) {
      value = parseItem(std::move(value));
    } else if (isOperator("(")) {
      value = make(Kind::Call, "", std::move(value));
      parseArguments(*value);
    } else {
      break;
    }
  }
  return value;
}

NodePtr ExpressionParser::parseItem(NodePtr value) {
  NodePtr parts[3];
  int colons = 0;
  while (!failure && !isOperator("]")) {
    if (takeOperator(":")) {
      if (++colons > 2)
        fail("a slice has at most two ':'");
      continue;
    }
    if (parts[colons])
      return fail("expected ']', found " + found());
    parts[colons] = parseExpression();
  }
  expectOperator("]");
  if (colons == 0)
    return parts[0]
               ? make(Kind::Item, "", std::move(value), std::move(parts[0]))
               : fail("expected an index");
  return make(Kind::Slice, "", std::move(value), std::move(parts[0]),
              std::move(parts[1]), std::move(parts[2]));
}

void ExpressionParser::parseArguments(Node &node) {
  expectOperator("(");
  while (!failure && !isOperator(")")) {
    Node::Argument argument;
    if (takeOperator("**"))
      argument.spread = 2;
    else if (takeOperator("*"))
      argument.spread = 1;
    else if (current().kind == TokenKind::Name && at + 1 < tokens.size() &&
             tokens[at + 1].kind == TokenKind::Operator &&
             tokens[at + 1].text == "=") {
      argument.name = expectName();
      next();
    }
    argument.value = parseExpression();
    node.arguments.push_back(std::move(argument));
    if (!takeOperator(","))
      break;
  }
  expectOperator(")");
}

NodePtr ExpressionParser::parseFilters(NodePtr value, bool isFirst) {
  while (!failure) {
    if (isFirst || takeOperator("|")) {
      isFirst = false;
      std::string name = expectName();
      value = make(Kind::Filter, name, std::move(value));
      if (isOperator("("))
        parseArguments(*value);
    } else if (value && takeName("is")) {
      bool negated = takeName("not");
      value = parseTest(std::move(value));
      if (negated)
        value = make(Kind::Unary, "not", std::move(value));
    } else if (value && isOperator("(")) {
      value = make(Kind::Call, "", std::move(value));
      parseArguments(*value);
    } else {
      break;
    }
  }
  return value;
}

NodePtr ExpressionParser::parseTest(NodePtr value) {
  NodePtr test = make(Kind::Test, expectName(), std::move(value));
  if (isOperator("(")) {
    parseArguments(*test);
    return test;
  }
  TokenKind kind = current().kind;
  bool isValue = kind == TokenKind::String || kind == TokenKind::Integer ||
                 kind == TokenKind::Float || isOperator("[") ||
                 isOperator("{") || kind == TokenKind::Name;
  for (std::string_view word : {"else", "or", "and", "if", "is", "in", "not"})
    isValue = isValue && !isName(word);
  if (isValue) {
    Node::Argument argument;
    argument.value = parsePostfix(parsePrimary());
    test->arguments.push_back(std::move(argument));
  }
  return test;
}

} // namespace corellama::runtime::templates
