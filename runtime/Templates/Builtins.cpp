//===- Builtins.cpp - tests, functions and loops --------------------------===//
//
// See Builtins.h; filters are in Filters.cpp, methods in Methods.cpp.
//
//===----------------------------------------------------------------------===//

#include "runtime/Templates/Builtins.h"

#include <algorithm>

namespace corellama::runtime::templates {

using Kind = Value::Kind;

bool accepts(Interpreter &in, std::string_view function,
             const Parameters &parameters, const Arguments &given) {
  if (parameters.names == "*")
    return true;
  auto fail = [&](const std::string &what) {
    in.fail(std::string(function) + "() " + what);
    return false;
  };
  size_t count = 0;
  std::vector<bool> isNamed(given.named.size());
  for (std::string_view rest = parameters.names; !rest.empty(); ++count) {
    const std::string_view name = rest.substr(0, rest.find(' '));
    rest.remove_prefix(std::min(name.size() + 1, rest.size()));
    bool isGiven = count < given.positional.size();
    for (size_t i = 0; i < given.named.size() && in.charge(0); ++i) {
      if (given.named[i].first != name || name == "_")
        continue;
      if (isGiven)
        return fail("is given the argument '" + std::string(name) + "' twice");
      isGiven = isNamed[i] = true;
    }
    if (!isGiven && count < parameters.required)
      return fail("needs an argument" +
                  (name == "_" ? "" : " '" + std::string(name) + "'"));
  }
  if (given.positional.size() > count)
    return fail("takes at most " + std::to_string(count) +
                " arguments, found " + std::to_string(given.positional.size()));
  for (size_t i = 0; i < isNamed.size(); ++i)
    if (!isNamed[i])
      return fail("has no argument " + quoted(given.named[i].first));
  return !in.failed();
}

//===----------------------------------------------------------------------===//
// Tests
//===----------------------------------------------------------------------===//

static const Value &argumentOf(const Arguments &given) {
  return given.positional[0];
}

// Each under several names.
static Value isEqual(Interpreter &in, const Value &v, const Arguments &given) {
  return in.equal(v, argumentOf(given));
}
static Value isLess(Interpreter &in, const Value &v, const Arguments &given) {
  return in.compare(v, argumentOf(given)) < 0;
}
static Value isAtMost(Interpreter &in, const Value &v, const Arguments &given) {
  return in.compare(v, argumentOf(given)) <= 0;
}
static Value isGreater(Interpreter &in, const Value &v,
                       const Arguments &given) {
  return in.compare(v, argumentOf(given)) > 0;
}
static Value isAtLeast(Interpreter &in, const Value &v,
                       const Arguments &given) {
  return in.compare(v, argumentOf(given)) >= 0;
}

const Builtin *findTest(std::string_view name) {
  using In = Interpreter &;
  using V = const Value &;
  using A = const Arguments &;
  static constexpr Parameters kOther = {"_", 1};
  static constexpr Builtin kTests[] = {
      {"defined", [](In, V v, A) -> Value { return !v.is(Kind::Undefined); }},
      {"undefined", [](In, V v, A) -> Value { return v.is(Kind::Undefined); }},
      {"none", [](In, V v, A) -> Value { return v.is(Kind::None); }},
      {"boolean", [](In, V v, A) -> Value { return v.is(Kind::Bool); }},
      {"true",
       [](In, V v, A) -> Value { return v.is(Kind::Bool) && v.boolean(); }},
      {"false",
       [](In, V v, A) -> Value { return v.is(Kind::Bool) && !v.boolean(); }},
      {"integer", [](In, V v, A) -> Value { return v.is(Kind::Int); }},
      {"float", [](In, V v, A) -> Value { return v.is(Kind::Float); }},
      {"number", [](In, V v, A) -> Value { return v.isNumber(); }},
      {"string", [](In, V v, A) -> Value { return v.is(Kind::String); }},
      {"mapping", [](In, V v, A) -> Value { return v.is(Kind::Dict); }},
      {"sequence",
       [](In, V v, A) -> Value {
         return v.is(Kind::String) || v.is(Kind::Dict) ||
                (v.is(Kind::List) && v.list()->isSequence());
       }},
      {"iterable",
       [](In, V v, A) -> Value {
         return v.is(Kind::String) || v.is(Kind::List) || v.is(Kind::Dict) ||
                v.is(Kind::Undefined);
       }},
      {"callable", [](In, V v, A) -> Value { return v.is(Kind::Callable); }},
      {"odd",
       [](In in, V v, A) -> Value {
         return in.compare(v, int64_t(0)), v.asInteger().value_or(0) % 2 != 0;
       }},
      {"even",
       [](In in, V v, A) -> Value {
         return in.compare(v, int64_t(0)), v.asInteger().value_or(1) % 2 == 0;
       }},
      {"divisibleby",
       [](In in, V v, A a) -> Value {
         int64_t by = argumentOf(a).asInteger().value_or(0);
         if (by == 0 || by == -1)
           return by == 0 ? in.fail("division by zero") : Value(true);
         return v.asInteger().value_or(1) % by == 0;
       },
       kOther},
      {"==", isEqual, kOther},
      {"eq", isEqual, kOther},
      {"equalto", isEqual, kOther},
      {"!=",
       [](In in, V v, A a) -> Value { return !in.equal(v, argumentOf(a)); },
       kOther},
      {"ne",
       [](In in, V v, A a) -> Value { return !in.equal(v, argumentOf(a)); },
       kOther},
      {"sameas",
       [](In in, V v, A a) -> Value {
         return v.kind() == argumentOf(a).kind() && in.equal(v, argumentOf(a));
       },
       kOther},
      {"<", isLess, kOther},
      {"lt", isLess, kOther},
      {"lessthan", isLess, kOther},
      {"<=", isAtMost, kOther},
      {"le", isAtMost, kOther},
      {">", isGreater, kOther},
      {"gt", isGreater, kOther},
      {"greaterthan", isGreater, kOther},
      {">=", isAtLeast, kOther},
      {"ge", isAtLeast, kOther},
      {"in",
       [](In in, V v, A a) -> Value { return contains(in, argumentOf(a), v); },
       kOther},
      {"lower",
       [](In in, V v, A) -> Value {
         String text = in.textOf(v);
         return in.charge(16 * text.size()) && text.isLower();
       }},
      {"upper",
       [](In in, V v, A) -> Value {
         String text = in.textOf(v);
         return in.charge(16 * text.size()) && text.isUpper();
       }},
      {"filter",
       [](In in, V v, A) -> Value {
         return findFilter(in.textOf(v).view()) != nullptr;
       }},
      {"test",
       [](In in, V v, A) -> Value {
         return findTest(in.textOf(v).view()) != nullptr;
       }},
  };
  for (const Builtin &test : kTests)
    if (test.name == name)
      return &test;
  return nullptr;
}

bool contains(Interpreter &in, const Value &whole, const Value &item) {
  switch (whole.kind()) {
  case Kind::String:
    if (!item.is(Kind::String)) {
      in.fail("'in <string>' requires string as left operand, not " +
              std::string(item.typeName()));
      return false;
    }
    return in.charge(4 * whole.string().size()) &&
           findText(whole.string().view(), item.string().view()) !=
               std::string_view::npos;
  case Kind::Dict:
    return in.chargeKey(item) && whole.dict()->find(item) != nullptr;
  default:
    for (const Value &own : in.iterate(whole))
      if (in.failed() || in.equal(own, item))
        return !in.failed();
    return false;
  }
}

/// Without a spelling: how Python writes it is not known.
static Value makeRange(std::vector<Value> items, std::string spelling) {
  Value range = makeList(std::move(items), List::Form::Range);
  range.list()->extent.hasText = !spelling.empty();
  range.list()->spelling = std::move(spelling);
  return range;
}

Value sliceOf(Interpreter &in, const Value &object,
              std::optional<int64_t> first, std::optional<int64_t> last,
              int64_t step) {
  if (object.is(Kind::Undefined))
    return in.failUndefined(object);
  if (!object.is(Kind::String) &&
      !(object.is(Kind::List) && object.list()->isSequence()))
    return in.fail("'" + std::string(object.typeName()) +
                   "' object has no slices");
  if (step == 0)
    return in.fail("slice step cannot be zero");
  std::vector<size_t> at;
  if (object.is(Kind::String)) {
    // A character by itself is a text that is made and appended.
    if (!in.charge((step == 1 ? 4 : 32) * object.string().size()))
      return {};
    at = object.string().characters();
  }
  auto size = static_cast<int64_t>(at.empty() ? object.list()->items.size()
                                              : at.size() - 1);
  int64_t low = step > 0 ? 0 : -1, high = step > 0 ? size : size - 1;
  auto clamp = [&](int64_t i) {
    return std::clamp(i < 0 ? i + size : i, low, high);
  };
  int64_t begin = first ? clamp(*first) : step > 0 ? low : high;
  int64_t end = last ? clamp(*last) : step > 0 ? high : low;
  // One step beyond the end is enough to end.
  step = std::clamp<int64_t>(step, -size - 1, size + 1);
  if (object.is(Kind::String) && step == 1)
    return object.string().slice(at[begin], at[std::max(begin, end)]);
  String text;
  std::vector<Value> chosen;
  for (int64_t i = begin; step > 0 ? i < end : i > end; i += step) {
    if (object.is(Kind::String))
      text.append(object.string(), at[i], at[i + 1]);
    else if (in.charge(16))
      chosen.push_back(object.list()->items[i]);
    else
      return {};
  }
  if (object.is(Kind::String))
    return text;
  if (object.list()->form == List::Form::Range)
    return makeRange(std::move(chosen), "");
  return makeList(std::move(chosen), object.list()->form);
}

//===----------------------------------------------------------------------===//
// Functions
//===----------------------------------------------------------------------===//

static Value range(Interpreter &in, const Arguments &given) {
  std::vector<int64_t> bounds;
  for (const Value &value : given.positional) {
    if (!value.asInteger())
      return in.fail("range() takes integers");
    bounds.push_back(*value.asInteger());
  }
  if (bounds.empty() || bounds.size() > 3)
    return in.fail("range() takes one to three integers");
  int64_t first = bounds.size() > 1 ? bounds[0] : 0;
  int64_t last = bounds.size() > 1 ? bounds[1] : bounds[0];
  int64_t step = bounds.size() > 2 ? bounds[2] : 1;
  if (step == 0)
    return in.fail("range() arg 3 must not be zero");
  // Jinja's sandbox has the same bound.
  constexpr int64_t kMost = 100000;
  std::vector<Value> all;
  for (int64_t i = first; step > 0 ? i < last : i > last;) {
    if (all.size() == kMost)
      return in.fail("a range has at most " + std::to_string(kMost) + " items");
    all.push_back(i);
    if (__builtin_add_overflow(i, step, &i))
      break;
  }
  in.charge(64 * all.size());
  return makeRange(std::move(all),
                   "range(" + std::to_string(first) + ", " +
                       std::to_string(last) +
                       (step == 1 ? ")" : ", " + std::to_string(step) + ")"));
}

static Value makeNamespace(Interpreter &in, const Arguments &given) {
  auto names = std::make_shared<Namespace>();
  for (const Value &value : given.positional)
    if (value.is(Kind::Dict))
      for (const auto &[key, own] : value.dict()->pairs())
        if (in.chargeKey(key))
          in.setAttribute(*names, key, own);
  for (const auto &[name, value] : given.named)
    in.setAttribute(*names, makeString(name), value);
  return names;
}

static Value makeDict(Interpreter &in, const Arguments &given) {
  auto dict = std::make_shared<Dict>();
  if (given.positional.size() > 1)
    return in.fail("dict expected at most 1 argument");
  for (const Value &value : given.positional) {
    const bool isDict = value.is(Kind::Dict);
    for (const Value &item :
         in.iterate(isDict ? in.filter("items", value, {}) : value)) {
      std::vector<Value> pair = in.iterate(item);
      if (pair.size() != 2)
        return in.fail("dict() takes pairs");
      if (!in.chargeKey(pair[0]) || !dict->set(pair[0], pair[1]))
        return in.fail("unhashable type: '" + std::string(pair[0].typeName()) +
                       "'");
    }
  }
  for (const auto &[name, value] : given.named)
    dict->set(makeString(name), value); // of **dict, it is content
  return dict;
}

static Value raiseException(Interpreter &in, const Arguments &given) {
  const Value *message = given.find(0, "message");
  return in.fail("the template refuses the conversation: " +
                 std::string(message ? in.textOf(*message).view() : ""));
}

static Value strftimeNow(Interpreter &in, const Arguments &given) {
  const Value *format = given.find(0, "format");
  if (!format || !format->is(Kind::String))
    return in.fail("strftime_now() needs a format");
  // transformers' day has no time zone: %Z and %z write nothing.
  std::string wanted;
  for (std::string_view rest = format->string().view(); !rest.empty();) {
    const std::string_view part = rest.substr(0, rest[0] == '%' ? 2 : 1);
    if (part != "%Z" && part != "%z")
      wanted += part;
    rest.remove_prefix(part.size());
  }
  char text[256];
  if (wanted.size() > 100)
    return in.fail("strftime_now: the format is too long");
  in.charge(4096); // some microseconds
  size_t size = std::strftime(text, sizeof(text), wanted.c_str(), &in.time());
  return makeString(std::string_view(text, size), Origin::Content);
}

const std::vector<std::pair<std::string, Value>> &globalFunctions() {
  auto function = [](const char *name,
                     Value (*call)(Interpreter &, const Arguments &)) {
    auto made = std::make_shared<Callable>();
    made->name = name;
    made->call = call;
    return std::pair<std::string, Value>(name, made);
  };
  static const auto *const all = new std::vector<std::pair<std::string, Value>>{
      function("range", range), function("namespace", makeNamespace),
      function("dict", makeDict), function("raise_exception", raiseException),
      function("strftime_now", strftimeNow)};
  return *all;
}

//===----------------------------------------------------------------------===//
// Loops
//===----------------------------------------------------------------------===//

std::shared_ptr<Namespace> makeLoop(const std::vector<Value> &items) {
  auto loop = std::make_shared<Namespace>();
  Dict &names = loop->attributes;
  auto set = [&](const char *name, Value value) {
    names.set(makeString(name), std::move(value));
  };
  set("length", static_cast<int64_t>(items.size()));
  // Of recursive loops, which are not supported.
  set("depth", int64_t(1));
  set("depth0", int64_t(0));
  auto cycle = std::make_shared<Callable>();
  cycle->name = "cycle";
  // Held weakly: the loop holds its methods.
  std::weak_ptr<Namespace> weak = loop;
  cycle->call = [weak](Interpreter &in, const Arguments &given) -> Value {
    auto self = weak.lock();
    const Value *index =
        self ? self->attributes.find(std::string_view("index0")) : nullptr;
    if (given.positional.empty() || !index)
      return in.fail("no items for cycling given");
    return given.positional[index->integer() % given.positional.size()];
  };
  set("cycle", cycle);
  auto changed = std::make_shared<Callable>();
  changed->name = "changed";
  auto last = std::make_shared<std::optional<std::vector<Value>>>();
  changed->call = [last](Interpreter &in, const Arguments &given) -> Value {
    bool isSame = *last && (*last)->size() == given.positional.size();
    for (size_t i = 0; isSame && i < given.positional.size(); ++i)
      isSame = in.equal((**last)[i], given.positional[i]);
    *last = given.positional;
    return !isSame;
  };
  set("changed", changed);
  return loop;
}

void advanceLoop(Namespace &loop, const std::vector<Value> &items, int64_t i) {
  auto set = [&](const char *name, Value value) {
    loop.attributes.set(makeString(name), std::move(value));
  };
  auto count = static_cast<int64_t>(items.size());
  set("index", i + 1);
  set("index0", i);
  set("revindex", count - i);
  set("revindex0", count - i - 1);
  set("first", i == 0);
  set("last", i + 1 == count);
  set("previtem",
      i ? items[i - 1] : Value(Undefined{"there is no previous item"}));
  set("nextitem",
      i + 1 < count ? items[i + 1] : Value(Undefined{"there is no next item"}));
}

} // namespace corellama::runtime::templates
