//===- Parser.cpp - a Jinja template to statements ------------------------===//
//
// The statements of a template; their expressions are parsed by the base class.
//
//===----------------------------------------------------------------------===//

#include "runtime/Templates/Parser.h"

#include "runtime/Templates/ExpressionParser.h"

namespace corellama::runtime::templates {

namespace {
class Parser : ExpressionParser {
public:
  explicit Parser(std::vector<Token> tokens)
      : ExpressionParser(std::move(tokens)) {}

  Result<NodePtr> document() {
    NodePtr block = parseBlock({});
    if (failure)
      return *failure;
    return block;
  }

private:
  /// Up to one of the words `ends`, whose tag has begun.
  NodePtr parseBlock(std::initializer_list<std::string_view> ends) {
    NodePtr block = make(Kind::Block);
    Level nested(*this);
    while (!failure) {
      switch (current().kind) {
      case TokenKind::Data: {
        NodePtr data = make(Kind::Data);
        data->value = makeString(current().text, Origin::Template);
        next();
        block->children.push_back(std::move(data));
        break;
      }
      case TokenKind::VariableBegin: {
        next();
        NodePtr output = make(Kind::Output, "", parseTuple());
        if (current().kind != TokenKind::VariableEnd)
          fail("expected '}}', found " + found());
        next();
        block->children.push_back(std::move(output));
        break;
      }
      case TokenKind::BlockBegin:
        next();
        for (std::string_view end : ends)
          if (isName(end))
            return block;
        if (NodePtr statement = parseStatement())
          block->children.push_back(std::move(statement));
        break;
      default:
        if (ends.size())
          fail("expected {% " + std::string(*ends.begin()) +
               " %}, found the end of the template");
        return block;
      }
    }
    return block;
  }

  NodePtr parseStatement() {
    if (current().kind != TokenKind::Name)
      return fail("expected a statement, found " + found());
    std::string word = current().text;
    next();
    if (word == "if")
      return parseIf();
    if (word == "for")
      return parseFor();
    if (word == "set")
      return parseSet();
    if (word == "macro")
      return parseMacro();
    if (word == "call")
      return parseCallBlock();
    if (word == "filter")
      return parseFilterBlock();
    if (word == "generation")
      return parseGeneration();
    if (word == "break" || word == "continue") {
      if (loops == 0)
        return fail(word + " outside of a loop");
      NodePtr leave = make(word == "break" ? Kind::Break : Kind::Continue);
      expectBlockEnd();
      return leave;
    }
    for (std::string_view file : {"include", "import", "from", "extends"})
      if (word == file)
        return fail("{% " + word +
                    " %} is not supported: a chat template "
                    "reads no files");
    return fail("unknown statement " + quoted(word));
  }

  /// What follows a condition: statements, then elif, else or endif.
  NodePtr parseIf() {
    NodePtr node = make(Kind::If);
    while (!failure) {
      node->children.push_back(parseTuple());
      expectBlockEnd();
      node->children.push_back(parseBlock({"endif", "elif", "else"}));
      if (takeName("elif"))
        continue;
      if (takeName("else")) {
        expectBlockEnd();
        node->children.push_back(parseBlock({"endif"}));
      }
      break;
    }
    takeName("endif");
    expectBlockEnd();
    return node;
  }

  NodePtr parseFor() {
    NodePtr node = make(Kind::For);
    node->children.push_back(parseTarget());
    if (!takeName("in"))
      fail("expected 'in', found " + found());
    node->children.push_back(parseTuple(/*withCondition=*/false));
    node->children.push_back(takeName("if") ? parseExpression() : nullptr);
    node->flag = takeName("recursive");
    expectBlockEnd();
    ++loops;
    node->children.push_back(parseBlock({"endfor", "else"}));
    --loops;
    if (takeName("else")) {
      expectBlockEnd();
      node->children.push_back(parseBlock({"endfor"}));
    } else {
      node->children.push_back(nullptr);
    }
    takeName("endfor");
    expectBlockEnd();
    return node;
  }

  /// A name, name.attribute, or several names.
  NodePtr parseTarget(bool allowsAttribute = false) {
    auto parseOne = [&]() -> NodePtr {
      if (takeOperator("(")) {
        NodePtr inner = parseTarget();
        expectOperator(")");
        return inner;
      }
      std::string name = expectName();
      NodePtr target = make(Kind::Name, name);
      if (allowsAttribute && takeOperator("."))
        target = make(Kind::Attribute, expectName(), std::move(target));
      return target;
    };
    NodePtr first = parseOne();
    if (!isOperator(","))
      return first;
    NodePtr all = make(Kind::Tuple, "", std::move(first));
    while (!failure && takeOperator(",") && current().kind == TokenKind::Name &&
           !isName("in"))
      all->children.push_back(parseOne());
    return all;
  }

  NodePtr parseSet() {
    NodePtr target = parseTarget(/*allowsAttribute=*/true);
    if (takeOperator("=")) {
      NodePtr node = make(Kind::Set, "", std::move(target), parseTuple());
      expectBlockEnd();
      return node;
    }
    NodePtr filter = isOperator("|") ? parseFilters(nullptr) : nullptr;
    expectBlockEnd();
    NodePtr body = parseBlock({"endset"});
    takeName("endset");
    expectBlockEnd();
    return make(Kind::SetBlock, "", std::move(target), std::move(filter),
                std::move(body));
  }

  /// "(a, b=1)": names, and defaults of the last ones.
  void parseParameters(Node &node, std::vector<NodePtr> &defaults) {
    expectOperator("(");
    while (!failure && !isOperator(")")) {
      node.names.push_back(expectName());
      if (takeOperator("="))
        defaults.push_back(parseExpression());
      else if (!defaults.empty())
        fail("a parameter without a default behind one with");
      if (!takeOperator(","))
        break;
    }
    expectOperator(")");
  }

  void parseMacroBody(Node &macro, std::string_view end) {
    expectBlockEnd();
    const int outer = std::exchange(loops, 0);
    const size_t varargs = varargsRead, kwargs = kwargsRead;
    macro.children.push_back(parseBlock({end}));
    macro.takesVarargs = varargsRead > varargs;
    macro.takesKwargs = kwargsRead > kwargs;
    loops = outer;
    takeName(end);
  }

  NodePtr parseMacro() {
    NodePtr node = make(Kind::Macro, expectName());
    std::vector<NodePtr> defaults;
    parseParameters(*node, defaults);
    parseMacroBody(*node, "endmacro");
    if (current().kind == TokenKind::Name)
      next(); // {% endmacro name %}
    expectBlockEnd();
    for (NodePtr &value : defaults)
      node->children.push_back(std::move(value));
    return node;
  }

  NodePtr parseCallBlock() {
    NodePtr node = make(Kind::CallBlock);
    std::vector<NodePtr> defaults;
    if (isOperator("("))
      parseParameters(*node, defaults);
    NodePtr call = parseExpression();
    if (call && call->kind != Kind::Call)
      fail("{% call %} needs a call");
    node->children.push_back(std::move(call));
    parseMacroBody(*node, "endcall");
    expectBlockEnd();
    for (NodePtr &value : defaults)
      node->children.push_back(std::move(value));
    return node;
  }

  NodePtr parseFilterBlock() {
    NodePtr filter = parseFilters(nullptr, /*isFirst=*/true);
    expectBlockEnd();
    NodePtr body = parseBlock({"endfilter"});
    takeName("endfilter");
    expectBlockEnd();
    return make(Kind::FilterBlock, "", std::move(filter), std::move(body));
  }

  /// What the assistant has said, which training marks; it prints its body.
  NodePtr parseGeneration() {
    expectBlockEnd();
    NodePtr body = parseBlock({"endgeneration"});
    takeName("endgeneration");
    expectBlockEnd();
    return make(Kind::Scope, "", std::move(body));
  }

  /// Loops that the statement stands in, inside of its macro.
  int loops = 0;
};
} // namespace

Result<NodePtr> parse(std::string_view source) {
  auto tokens = tokenize(source);
  if (!tokens)
    return Error{tokens.error()};
  return Parser(std::move(*tokens)).document();
}

} // namespace corellama::runtime::templates
