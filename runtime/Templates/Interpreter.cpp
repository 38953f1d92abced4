//===- Interpreter.cpp - runs a parsed template ---------------------------===//
//
// See Interpreter.h; here are limits and statements, expressions are in
// Expressions.cpp. Scopes are Jinja's: a loop's body, a macro and a captured
// block have names of their own, an `if` has none.
//
//===----------------------------------------------------------------------===//

#include "runtime/Templates/Interpreter.h"

#include "runtime/Templates/Builtins.h"

#include <algorithm>

namespace corellama::runtime::templates {

using Kind = Value::Kind;
using NodeKind = Node::Kind;

//===----------------------------------------------------------------------===//
// Limits and errors
//===----------------------------------------------------------------------===//

Value Interpreter::fail(const std::string &what) {
  if (!failure)
    failure = Error{"line " + std::to_string(line) + ": " + what};
  return {};
}

Value Interpreter::failUndefined(const Value &value) {
  return fail("'" + value.undefined().name + "' is undefined");
}

bool Interpreter::charge(size_t count) {
  if (failure)
    return false;
  steps += 1;
  bytes += std::min(count, SIZE_MAX / 2 - bytes);
  if (steps > limits.steps)
    fail("the template takes more than " + std::to_string(limits.steps) +
         " steps");
  if (bytes > limits.bytes)
    fail("the template makes more than " + std::to_string(limits.bytes) +
         " bytes of text");
  return !failure;
}

String Interpreter::textOf(const Value &value) {
  Extent extent = value.extent();
  if (value.is(Kind::Namespace))
    extent = value.names()->attributes.extent();
  if (!extent.hasText) {
    fail("a function, a generator or a namespace in a list has no text");
    return {};
  }
  const bool isWritten = !value.is(Kind::String);
  if (!charge(isWritten ? 8 * (extent.weight + kItemWeight) : extent.weight))
    return {};
  return value.str();
}

bool Interpreter::equal(const Value &a, const Value &b) {
  return charge(4 * std::min(a.extent().weight, b.extent().weight)) &&
         a.equals(b);
}

bool Interpreter::chargeKey(const Value &key) {
  return charge(8 * (key.extent().weight + kItemWeight));
}

//===----------------------------------------------------------------------===//
// Statements
//===----------------------------------------------------------------------===//

Result<String>
Interpreter::run(const Node &block,
                 const std::vector<std::pair<std::string, Value>> &names) {
  auto globals = std::make_shared<Scope>();
  for (auto &[name, value] : globalFunctions())
    globals->names[name] = value;
  for (const auto &[name, value] : names)
    globals->names[name] = value;
  scope = std::make_shared<Scope>();
  scope->parent = globals;
  String text;
  out = &text;
  run(block);
  // Macros hold the scopes that hold them.
  scope->names.clear();
  if (failure)
    return *failure;
  return text;
}

void Interpreter::write(const String &text) {
  if (charge(text.size()))
    out->append(text);
}

Interpreter::ScopePtr Interpreter::inner() const {
  auto made = std::make_shared<Scope>();
  made->parent = scope;
  return made;
}

/// What a body writes, with `inside` as its scope.
String Interpreter::capture(const Node &body, ScopePtr inside) {
  String text;
  String *outer = std::exchange(out, &text);
  ScopePtr before = std::exchange(scope, std::move(inside));
  run(body);
  scope = std::move(before);
  out = outer;
  return text;
}

Interpreter::Flow Interpreter::run(const Node &node) {
  Level nested(*this);
  line = node.line;
  if (!charge(0))
    return Flow::Next;
  switch (node.kind) {
  case NodeKind::Block:
    return runBlock(node);
  case NodeKind::Data:
    write(node.value.string());
    return Flow::Next;
  case NodeKind::Output:
    write(textOf(evaluate(*node.children[0])));
    return Flow::Next;
  case NodeKind::If:
    return runIf(node);
  case NodeKind::For:
    return runFor(node);
  case NodeKind::Set:
    assign(*node.children[0], evaluate(*node.children[1]));
    return Flow::Next;
  case NodeKind::SetBlock:
    runSetBlock(node);
    return Flow::Next;
  case NodeKind::Macro:
    defineMacro(node);
    return Flow::Next;
  case NodeKind::CallBlock:
    runCallBlock(node);
    return Flow::Next;
  case NodeKind::FilterBlock: {
    Value text = capture(*node.children[1], inner());
    const Node &first = *node.children[0];
    scope->names["\n"] = text; // what a filter without a value reads
    write(textOf(evaluate(first)));
    return Flow::Next;
  }
  case NodeKind::Scope:
    write(capture(*node.children[0], inner()));
    return Flow::Next;
  case NodeKind::Break:
    return Flow::Break;
  case NodeKind::Continue:
    return Flow::Continue;
  default:
    fail("no statement");
    return Flow::Next;
  }
}

Interpreter::Flow Interpreter::runBlock(const Node &node) {
  for (const NodePtr &child : node.children) {
    Flow flow = run(*child);
    if (failed() || flow != Flow::Next)
      return flow;
  }
  return Flow::Next;
}

Interpreter::Flow Interpreter::runIf(const Node &node) {
  size_t i = 0;
  for (; i + 1 < node.children.size(); i += 2) {
    bool isTrue = evaluate(*node.children[i]).isTrue();
    if (failed())
      return Flow::Next;
    if (isTrue)
      return run(*node.children[i + 1]);
  }
  return i < node.children.size() ? run(*node.children[i]) : Flow::Next;
}

Interpreter::Flow Interpreter::runFor(const Node &node) {
  if (node.flag) {
    fail("recursive loops are not supported");
    return Flow::Next;
  }
  const Node &target = *node.children[0];
  std::vector<Value> items = iterate(evaluate(*node.children[1]));
  ScopePtr outer = scope;
  if (const NodePtr &condition = node.children[2]) {
    std::vector<Value> kept;
    for (Value &item : items) {
      if (failed())
        break;
      scope = inner();
      steps += 4; // a scope
      assign(target, item);
      if (evaluate(*condition).isTrue())
        kept.push_back(std::move(item));
      scope = outer;
    }
    items = std::move(kept);
  }
  auto loop = makeLoop(items);
  auto count = static_cast<int64_t>(items.size());
  // Where no round came to its end, as Jinja's loop controls have it.
  bool runsElse = true;
  for (int64_t i = 0; i < count && !failed(); ++i) {
    scope = inner();
    advanceLoop(*loop, items, i);
    steps += 12; // names and values of a round
    scope->names["loop"] = loop;
    assign(target, items[i]);
    Flow flow = run(*node.children[3]);
    scope = outer;
    runsElse &= flow != Flow::Next;
    if (flow == Flow::Break)
      break;
  }
  scope = outer;
  if (runsElse && node.children[4] && !failed())
    return run(*node.children[4]);
  return Flow::Next;
}

void Interpreter::assign(const Node &target, Value value) {
  if (failed())
    return;
  switch (target.kind) {
  case NodeKind::Name:
    scope->names[target.text] = std::move(value);
    return;
  case NodeKind::Attribute: {
    Value object = evaluate(*target.children[0]);
    if (!object.is(Kind::Namespace)) {
      fail("cannot assign attribute on non-namespace object");
      return;
    }
    setAttribute(*object.names(), makeString(target.text), std::move(value));
    return;
  }
  default: {
    std::vector<Value> parts = iterate(value);
    if (parts.size() != target.children.size()) {
      fail("cannot unpack " + std::to_string(parts.size()) + " values into " +
           std::to_string(target.children.size()) + " names");
      return;
    }
    for (size_t i = 0; i < parts.size(); ++i)
      assign(*target.children[i], std::move(parts[i]));
  }
  }
}

void Interpreter::setAttribute(Namespace &names, Value name, Value value) {
  if (value.extent().level >= kSharedLevel)
    fail("a namespace holds no namespaces, functions or deeply nested lists");
  else
    names.attributes.set(std::move(name), std::move(value));
}

void Interpreter::runSetBlock(const Node &node) {
  Value text = capture(*node.children[2], inner());
  if (node.children[1]) {
    scope->names["\n"] = text;
    text = evaluate(*node.children[1]);
  }
  assign(*node.children[0], std::move(text));
}

/// A macro over the names that are visible here.
Value Interpreter::makeMacro(const Node &node, const std::string &name,
                             size_t bodyAt) {
  auto macro = std::make_shared<Callable>();
  macro->name = name;
  macro->call = [&node, bodyAt, closure = scope](Interpreter &self,
                                                 const Arguments &given) {
    Level nested(self);
    // Parameters are looked for among the names that are given.
    if (self.failed() ||
        !self.charge(8 * (node.names.size() + 1) * (given.named.size() + 8)))
      return Value();
    auto inside = std::make_shared<Scope>();
    inside->parent = closure;
    // Defaults are evaluated in the macro's scope, and may use earlier
    // parameters.
    ScopePtr before = std::exchange(self.scope, inside);
    size_t count = node.names.size(),
           firstDefault = count - (node.children.size() - bodyAt - 1);
    for (size_t i = 0; i < count; ++i) {
      const Value *value = given.find(i, node.names[i]);
      if (value)
        inside->names[node.names[i]] = *value;
      else if (i >= firstDefault)
        inside->names[node.names[i]] =
            self.evaluate(*node.children[bodyAt + 1 + (i - firstDefault)]);
      else
        inside->names[node.names[i]] = Undefined{node.names[i]};
    }
    self.scope = before;
    auto named = std::make_shared<Dict>();
    for (const auto &[key, value] : given.named) {
      bool isParameter = false;
      for (size_t i = given.positional.size(); i < count; ++i)
        isParameter |= node.names[i] == key;
      if (key == "caller")
        inside->names["caller"] = value;
      else if (!isParameter && !node.takesKwargs)
        return self.fail("macro " + quoted(node.text) +
                         " takes no keyword argument " + quoted(key));
      else if (!isParameter)
        named->set(makeString(key), value);
    }
    inside->names["kwargs"] = named;
    if (given.positional.size() > count && !node.takesVarargs)
      return self.fail("macro " + quoted(node.text) + " takes not more than " +
                       std::to_string(count) + " argument(s)");
    std::vector<Value> more;
    for (size_t i = count; i < given.positional.size(); ++i)
      more.push_back(given.positional[i]);
    inside->names["varargs"] = makeList(std::move(more), List::Form::Tuple);
    return Value(self.capture(*node.children[bodyAt], inside));
  };
  return macro;
}

void Interpreter::defineMacro(const Node &node) {
  scope->names[node.text] = makeMacro(node, node.text, 0);
}

void Interpreter::runCallBlock(const Node &node) {
  const Node &callNode = *node.children[0];
  Value callee = evaluate(*callNode.children[0]);
  Arguments arguments;
  if (!evaluateArguments(callNode, arguments))
    return;
  arguments.named.emplace_back("caller", makeMacro(node, "caller", 1));
  write(textOf(call(callee, arguments)));
}

} // namespace corellama::runtime::templates
