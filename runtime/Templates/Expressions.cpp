//===- Expressions.cpp - values of a template's expressions ---------------===//
//
// See Interpreter.h: what Python's operators and Jinja's look-ups give.
//
//===----------------------------------------------------------------------===//

#include "runtime/Templates/Builtins.h"
#include "runtime/Templates/Interpreter.h"

namespace corellama::runtime::templates {

using Kind = Value::Kind;
using NodeKind = Node::Kind;

Value Interpreter::evaluate(const Node &node) {
  Value value = evaluateNode(node);
  if (value.extent().level > kMostLevels)
    return fail("lists and dicts are nested too deeply");
  return value;
}

Value Interpreter::evaluateNode(const Node &node) {
  Level nested(*this);
  if (failed() || !charge(node.text.size()))
    return {};
  if (node.line)
    line = node.line;
  auto child = [&](size_t i) { return evaluate(*node.children[i]); };
  switch (node.kind) {
  case NodeKind::Literal:
    return node.value;
  case NodeKind::Name:
    return evaluateName(node.text);
  case NodeKind::List:
  case NodeKind::Tuple: {
    std::vector<Value> items;
    for (const NodePtr &item : node.children)
      items.push_back(evaluate(*item));
    return makeList(std::move(items), node.kind == NodeKind::Tuple
                                          ? List::Form::Tuple
                                          : List::Form::List);
  }
  case NodeKind::Dict:
    return evaluateDict(node);
  case NodeKind::Unary:
    return evaluateUnary(node);
  case NodeKind::Binary:
    return evaluateBinary(node);
  case NodeKind::Compare:
    return evaluateCompare(node);
  case NodeKind::Condition: {
    bool isTrue = child(0).isTrue();
    if (isTrue)
      return child(1);
    return node.children[2] ? child(2) : Value(Undefined{"the inline if"});
  }
  case NodeKind::Attribute:
    return attribute(child(0), node.text);
  case NodeKind::Item: {
    Value object = child(0);
    return item(object, child(1));
  }
  case NodeKind::Slice:
    return evaluateSlice(node);
  case NodeKind::Call:
    return evaluateCall(node);
  case NodeKind::Filter:
  case NodeKind::Test: {
    Value value = node.children[0] ? child(0) : evaluateName("\n");
    Arguments arguments;
    if (!evaluateArguments(node, arguments))
      return {};
    if (node.kind == NodeKind::Filter)
      return filter(node.text, value, arguments);
    return test(node.text, value, arguments);
  }
  default:
    return fail("no expression");
  }
}

Value Interpreter::evaluateName(const std::string &name) {
  size_t scopes = 1;
  for (const Scope *at = scope.get(); at; at = at->parent.get(), ++scopes)
    if (auto found = at->names.find(name); found != at->names.end())
      return charge(scopes * (8 + name.size())) ? found->second : Value();
  charge(scopes * (8 + name.size()));
  // What Jinja gives to every template, and this interpreter does not.
  for (const char *known : {"self", "cycler", "joiner", "lipsum"})
    if (name == known)
      return fail(quoted(name) + " is not supported");
  return Undefined{name};
}

Value Interpreter::evaluateDict(const Node &node) {
  auto dict = std::make_shared<Dict>();
  for (size_t i = 0; i + 1 < node.children.size(); i += 2) {
    Value key = evaluate(*node.children[i]);
    if (!chargeKey(key))
      return {};
    if (!dict->set(key, evaluate(*node.children[i + 1])))
      return fail(std::string("unhashable type: '") + key.typeName() + "'");
  }
  return dict;
}

Value Interpreter::evaluateUnary(const Node &node) {
  Value value = evaluate(*node.children[0]);
  if (node.text == "not")
    return !value.isTrue();
  if (value.is(Kind::Float))
    return node.text == "-" ? -value.real() : value.real();
  if (std::optional<int64_t> integer = value.asInteger())
    return node.text == "-" ? integers("-", 0, *integer) : Value(*integer);
  return fail("bad operand type for unary " + node.text + ": '" +
              value.typeName() + "'");
}

Value Interpreter::evaluateBinary(const Node &node) {
  Value a = evaluate(*node.children[0]);
  if (node.text == "and")
    return a.isTrue() ? evaluate(*node.children[1]) : a;
  if (node.text == "or")
    return a.isTrue() ? a : evaluate(*node.children[1]);
  Value b = evaluate(*node.children[1]);
  if (failed())
    return {};
  if (node.text == "~") {
    String text;
    for (const Value *side : {&a, &b})
      if (!side->is(Kind::String))
        text.append(textOf(*side));
      else if (charge(side->string().size() / 4))
        text.append(side->string());
    return text;
  }
  return arithmetic(node.text, a, b);
}

Value Interpreter::arithmetic(const std::string &word, const Value &a,
                              const Value &b) {
  for (const Value *side : {&a, &b})
    if (side->is(Kind::Undefined))
      return failUndefined(*side);
  if (a.isNumber() && b.isNumber()) {
    bool isFloat = a.is(Kind::Float) || b.is(Kind::Float);
    if (!isFloat && word != "/")
      return integers(word, a.integer(), b.integer());
    double x = a.number(), y = b.number();
    if (y == 0 && (word == "/" || word == "//" || word == "%"))
      return fail("division by zero");
    if (word == "+")
      return x + y;
    if (word == "-")
      return x - y;
    if (word == "*")
      return x * y;
    if (word == "/")
      return x / y;
    if (word == "//")
      return floorOf(x / y);
    if (word == "%")
      return x - floorOf(x / y) * y;
    if (y != floorOf(y) || !(y > -0x1p52 && y < 0x1p52))
      return fail("** takes a whole exponent");
    return powerOf(x, static_cast<int64_t>(y));
  }
  if (word == "+" && a.is(Kind::String) && b.is(Kind::String)) {
    charge((a.string().size() + b.string().size()) / 4);
    return failed() ? Value() : Value(a.string() + b.string());
  }
  if (word == "+" && a.is(Kind::List) && b.is(Kind::List) &&
      a.list()->form == b.list()->form && a.list()->isPlain()) {
    if (!charge(64 * (a.list()->items.size() + b.list()->items.size())))
      return {};
    std::vector<Value> items = a.list()->items;
    items.insert(items.end(), b.list()->items.begin(), b.list()->items.end());
    return makeList(std::move(items), a.list()->form);
  }
  if (word == "*" && (a.asInteger() || b.asInteger())) {
    const Value &many = a.asInteger() ? b : a;
    int64_t times =
        std::max<int64_t>(0, a.asInteger() ? *a.asInteger() : *b.asInteger());
    const bool isList = many.is(Kind::List) && many.list()->isPlain();
    size_t size = many.is(Kind::String) ? many.string().size()
                  : isList              ? 64 * many.list()->items.size()
                                        : 0;
    if (size == 0)
      times = 0; // nothing, however often
    if (size && static_cast<uint64_t>(times) > limits.bytes / size)
      return fail("a text or list of " + std::to_string(times) +
                  " copies is too large");
    charge(size * times);
    if (failed())
      return {};
    if (many.is(Kind::String))
      return many.string().repeat(times);
    if (isList) {
      std::vector<Value> items;
      for (int64_t i = 0; i < times; ++i)
        items.insert(items.end(), many.list()->items.begin(),
                     many.list()->items.end());
      return makeList(std::move(items), many.list()->form);
    }
  }
  if (word == "%" && a.is(Kind::String)) {
    Arguments arguments;
    if (b.is(Kind::List) && b.list()->form == List::Form::Tuple)
      arguments.positional = b.list()->items;
    else
      arguments.positional.push_back(b);
    return filter("format", a, arguments);
  }
  return fail("unsupported operand types for " + word + ": '" + a.typeName() +
              "' and '" + b.typeName() + "'");
}

/// Python's integers have no bounds; those of 64 bits end in an error.
Value Interpreter::integers(const std::string &word, int64_t a, int64_t b) {
  int64_t result = 0;
  bool isLost = false;
  if (word == "+")
    isLost = __builtin_add_overflow(a, b, &result);
  else if (word == "-")
    isLost = __builtin_sub_overflow(a, b, &result);
  else if (word == "*")
    isLost = __builtin_mul_overflow(a, b, &result);
  else if (word == "**") {
    if (b < 0)
      return powerOf(static_cast<double>(a), b);
    result = 1;
    for (int64_t i = 0; i < b && !isLost && i < 64; ++i)
      isLost = __builtin_mul_overflow(result, a, &result);
    isLost |= b > 64 && (a < -1 || a > 1);
    if (b > 64 && a >= -1 && a <= 1)
      result = a == 0 ? 0 : (a == 1 || b % 2 == 0) ? 1 : -1;
  } else {
    if (b == 0)
      return fail("division by zero");
    if (a == INT64_MIN && b == -1) {
      isLost = word == "//";
    } else {
      // Towards minus infinity, and the remainder has the divisor's sign.
      int64_t quotient = a / b, remainder = a % b;
      if (remainder != 0 && (remainder < 0) != (b < 0)) {
        --quotient;
        remainder += b;
      }
      result = word == "//" ? quotient : remainder;
    }
  }
  if (isLost)
    return fail("an integer does not fit 64 bits");
  return result;
}

Value Interpreter::evaluateCompare(const Node &node) {
  Value left = evaluate(*node.children[0]);
  for (size_t i = 0; i < node.names.size(); ++i) {
    Value right = evaluate(*node.children[i + 1]);
    if (failed() || !compares(node.names[i], left, right))
      return false;
    left = std::move(right);
  }
  return true;
}

bool Interpreter::compares(const std::string &word, const Value &a,
                           const Value &b) {
  if (word == "==")
    return equal(a, b);
  if (word == "!=")
    return !equal(a, b);
  if (word == "in" || word == "not in")
    return contains(*this, b, a) == (word == "in");
  int order = compare(a, b);
  return word == "<"    ? order < 0
         : word == "<=" ? order <= 0
         : word == ">"  ? order > 0
                        : order >= 0;
}

int Interpreter::compare(const Value &a, const Value &b) {
  if (a.isNumber() && b.isNumber()) {
    if (!a.is(Kind::Float) && !b.is(Kind::Float))
      return a.integer() < b.integer() ? -1 : a.integer() > b.integer();
    return a.number() < b.number() ? -1 : a.number() > b.number();
  }
  if (a.is(Kind::String) && b.is(Kind::String))
    return !charge(std::min(a.string().size(), b.string().size())) ? 0
           : a.string() < b.string() ? -1
                                     : b.string() < a.string();
  if (a.is(Kind::List) && b.is(Kind::List)) {
    const auto &x = a.list()->items, &y = b.list()->items;
    for (size_t i = 0; i < x.size() && i < y.size() && charge(0); ++i)
      if (!equal(x[i], y[i]))
        return compare(x[i], y[i]);
    return x.size() < y.size() ? -1 : x.size() > y.size();
  }
  for (const Value *side : {&a, &b})
    if (side->is(Kind::Undefined)) {
      failUndefined(*side);
      return 0;
    }
  fail(std::string("'") + a.typeName() + "' and '" + b.typeName() +
       "' have no order");
  return 0;
}

Value Interpreter::evaluateSlice(const Node &node) {
  Value object = evaluate(*node.children[0]);
  std::optional<int64_t> bounds[3];
  for (size_t i = 0; i < 3; ++i) {
    if (!node.children[i + 1])
      continue;
    Value bound = evaluate(*node.children[i + 1]);
    bounds[i] = bound.asInteger();
    if (!bounds[i] && !bound.is(Kind::None))
      return fail("slice indices are integers or None, found " +
                  std::string(bound.typeName()));
  }
  if (failed())
    return {};
  return sliceOf(*this, object, bounds[0], bounds[1], bounds[2].value_or(1));
}

bool Interpreter::evaluateArguments(const Node &node, Arguments &arguments) {
  for (const Node::Argument &argument : node.arguments) {
    Value value = evaluate(*argument.value);
    if (argument.spread == 1) {
      for (Value &item : iterate(value))
        arguments.positional.push_back(std::move(item));
    } else if (argument.spread == 2) {
      if (!value.is(Kind::Dict)) {
        fail("** needs a dict");
        return false;
      }
      // All of them are looked through for each name that a function has.
      for (const auto &[key, item] : value.dict()->pairs())
        if (charge(128))
          arguments.named.emplace_back(std::string(textOf(key).view()), item);
    } else if (argument.name.empty()) {
      arguments.positional.push_back(std::move(value));
    } else {
      arguments.named.emplace_back(argument.name, std::move(value));
    }
  }
  return !failed();
}

Value Interpreter::evaluateCall(const Node &node) {
  Value callee = evaluate(*node.children[0]);
  Arguments arguments;
  if (failed() || !evaluateArguments(node, arguments))
    return {};
  return call(callee, arguments);
}

Value Interpreter::call(const Value &callee, const Arguments &arguments) {
  if (callee.is(Kind::Undefined))
    return failUndefined(callee);
  if (!callee.is(Kind::Callable))
    return fail("'" + std::string(callee.typeName()) +
                "' object is not callable");
  return callee.callable()->call(*this, arguments);
}

Value Interpreter::attribute(const Value &object, const std::string &name) {
  switch (object.kind()) {
  case Kind::Undefined:
    return failUndefined(object);
  case Kind::Namespace:
    if (const Value *found = object.names()->attributes.find(name))
      return *found;
    break;
  default:
    if (std::optional<Value> method = methodOf(object, name))
      return *method;
    if (object.is(Kind::Dict))
      if (const Value *found = object.dict()->find(name))
        return *found;
  }
  return Undefined{name};
}

Value Interpreter::item(const Value &object, const Value &index) {
  if (object.is(Kind::Undefined))
    return failUndefined(object);
  if (!chargeKey(index))
    return {};
  if (object.is(Kind::Dict))
    if (const Value *found = object.dict()->find(index))
      return *found;
  std::optional<int64_t> number = index.asInteger();
  if (number && (object.is(Kind::String) ||
                 (object.is(Kind::List) && object.list()->isSequence()))) {
    std::vector<size_t> at;
    if (object.is(Kind::String)) {
      if (!charge(4 * object.string().size()))
        return {};
      at = object.string().characters();
    }
    auto size = static_cast<int64_t>(
        object.is(Kind::List) ? object.list()->items.size() : at.size() - 1);
    int64_t i = *number < 0 ? *number + size : *number;
    if (i >= 0 && i < size)
      return object.is(Kind::List)
                 ? object.list()->items[i]
                 : Value(object.string().slice(at[i], at[i + 1]));
    return Undefined{std::to_string(*number)};
  }
  if (index.is(Kind::String) && !object.is(Kind::Dict))
    return attribute(object, std::string(index.string().view()));
  if (index.is(Kind::String))
    if (std::optional<Value> method =
            methodOf(object, std::string(index.string().view())))
      return *method;
  return Undefined{index.is(Kind::String) ? std::string(index.string().view())
                                          : "an item"};
}

Value Interpreter::filter(const std::string &name, const Value &value,
                          const Arguments &arguments) {
  const Builtin *found = findFilter(name);
  if (!found)
    return fail("no filter named " + quoted(name));
  return charge(32) && accepts(*this, name, found->parameters, arguments)
             ? found->call(*this, value, arguments)
             : Value();
}

bool Interpreter::test(const std::string &name, const Value &value,
                       const Arguments &arguments) {
  const Builtin *found = findTest(name);
  if (!found) {
    fail("no test named " + quoted(name));
    return false;
  }
  return charge(32) && accepts(*this, name, found->parameters, arguments) &&
         found->call(*this, value, arguments).isTrue();
}

std::vector<Value> Interpreter::iterate(const Value &value) {
  std::vector<Value> items;
  switch (value.kind()) {
  case Kind::Undefined:
    break;
  case Kind::List:
    if (charge(16 * value.list()->items.size()))
      items = value.list()->items;
    break;
  case Kind::Dict:
    charge(16 * value.dict()->pairs().size());
    for (const auto &pair : value.dict()->pairs())
      items.push_back(pair.first);
    break;
  case Kind::String: {
    if (!charge(64 * value.string().size()))
      break;
    std::vector<size_t> at = value.string().characters();
    for (size_t i = 0; i + 1 < at.size(); ++i)
      items.push_back(value.string().slice(at[i], at[i + 1]));
    break;
  }
  default:
    fail("'" + std::string(value.typeName()) + "' object is not iterable");
  }
  return items;
}

} // namespace corellama::runtime::templates
