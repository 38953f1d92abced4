//===- Value.h - the values of a template ---------------------------------===//
//
// What Python's values are to Jinja, as far as chat templates use them: none,
// booleans, integers of 64 bits, floats, strings, lists, tuples, dicts,
// namespaces, things that can be called, and "undefined", which a name without
// a value is. Lists and dicts are shared, as in Python.
//
//===----------------------------------------------------------------------===//

#ifndef CORELLAMA_RUNTIME_TEMPLATES_VALUE_H
#define CORELLAMA_RUNTIME_TEMPLATES_VALUE_H

#include "runtime/Templates/String.h"

#include <algorithm>
#include <concepts>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <variant>
#include <vector>

namespace corellama::runtime::templates {

class Value;
class Interpreter;

/// A name, attribute or item that is not there, and what was asked for.
struct Undefined {
  std::string name;
};
struct None {};

/// What it takes to read all of a value. Known without reading it, so that work
/// is counted before it is done. Values do not change once they are made.
struct Extent {
  /// How deep lists and dicts are inside of each other; 0: none.
  int level = 0;
  /// Bytes of text, and kItemWeight for each item. A list that is there several
  /// times counts each time.
  size_t weight = 0;
  /// Python's str of functions and generators has an address in it; what a
  /// namespace inside of a list has may change.
  bool hasText = true;

  /// Extends what holds an item of that extent.
  void add(const Extent &item);
};
inline constexpr size_t kItemWeight = 16;

struct List {
  /// What Python would have: a generator has no length and no items by number,
  /// a view of a dict has no items by number, and only lists and tuples can be
  /// JSON.
  enum class Form { List, Tuple, Range, Items, Keys, Values, Generator };
  std::vector<Value> items;
  Form form = Form::List;
  /// Of a range: what str writes; empty where that is not known.
  std::string spelling;
  Extent extent = {.level = 1};

  bool isPlain() const { return form == Form::List || form == Form::Tuple; }
  bool isSequence() const { return isPlain() || form == Form::Range; }
};

/// In the order of insertion. Keys are strings, numbers, booleans and none.
class Dict {
public:
  const std::vector<std::pair<Value, Value>> &pairs() const { return all; }
  /// Null where the key is missing, or cannot be one.
  const Value *find(const Value &key) const;
  const Value *find(std::string_view key) const;
  /// False where the key cannot be one (a list is not hashable).
  bool set(Value key, Value value);
  const Extent &extent() const { return own; }

private:
  std::vector<std::pair<Value, Value>> all;
  std::unordered_map<std::string, size_t> places;
  Extent own = {.level = 1};
};

/// How deep lists and dicts may be inside of each other: comparing, writing and
/// freeing them recurse.
inline constexpr int kMostLevels = 64;
/// What a namespace or a macro counts as, which others change. A namespace
/// holds only values below, so that none is deeper than it counts.
inline constexpr int kSharedLevel = 32;

/// Named values that inner scopes may assign to.
struct Namespace {
  Dict attributes;
};

/// Arguments of a call.
struct Arguments {
  std::vector<Value> positional;
  std::vector<std::pair<std::string, Value>> named;

  /// Argument `index`, or by name; null where there is none.
  const Value *find(size_t index, std::string_view name) const;
};

struct Callable {
  std::string name;
  std::function<Value(Interpreter &, const Arguments &)> call;
  /// Of what it holds, and itself.
  int level = kSharedLevel;
};

class Value {
public:
  enum class Kind {
    Undefined,
    None,
    Bool,
    Int,
    Float,
    String,
    List,
    Dict,
    Namespace,
    Callable
  };

  Value() : state(Undefined{}) {}
  /// Keeps the beginning of a long name: values are copied.
  Value(Undefined undefined) : state(std::move(undefined)) {
    if (auto &name = std::get_if<Undefined>(&state)->name; name.size() > 100)
      name.resize(100);
  }
  Value(None none) : state(none) {}
  /// Of nothing that converts to a boolean, such as a pointer.
  template <std::same_as<bool> T> Value(T value) : state(value) {}
  Value(int64_t value) : state(value) {}
  Value(double value) : state(value) {}
  Value(String value)
      : state(std::make_shared<const String>(std::move(value))) {}
  Value(std::shared_ptr<List> value) : state(std::move(value)) {}
  Value(std::shared_ptr<Dict> value) : state(std::move(value)) {}
  Value(std::shared_ptr<Namespace> value) : state(std::move(value)) {}
  Value(std::shared_ptr<Callable> value) : state(std::move(value)) {}

  Kind kind() const { return static_cast<Kind>(state.index()); }
  bool is(Kind which) const { return kind() == which; }
  /// An integer, a boolean (which is one in Python) or a float.
  bool isNumber() const {
    return is(Kind::Bool) || is(Kind::Int) || is(Kind::Float);
  }

  /// Only for a value of that kind.
  const Undefined &undefined() const { return *std::get_if<Undefined>(&state); }
  bool boolean() const { return *std::get_if<bool>(&state); }
  double real() const { return *std::get_if<double>(&state); }
  const String &string() const {
    return **std::get_if<std::shared_ptr<const String>>(&state);
  }
  const std::shared_ptr<List> &list() const {
    return *std::get_if<std::shared_ptr<List>>(&state);
  }
  const std::shared_ptr<Dict> &dict() const {
    return *std::get_if<std::shared_ptr<Dict>>(&state);
  }
  const std::shared_ptr<Namespace> &names() const {
    return *std::get_if<std::shared_ptr<Namespace>>(&state);
  }
  const std::shared_ptr<Callable> &callable() const {
    return *std::get_if<std::shared_ptr<Callable>>(&state);
  }
  /// Of a boolean or an integer.
  int64_t integer() const {
    return is(Kind::Bool) ? boolean() : *std::get_if<int64_t>(&state);
  }
  /// Of any number.
  double number() const {
    return is(Kind::Float) ? real() : static_cast<double>(integer());
  }
  std::optional<int64_t> asInteger() const {
    if (is(Kind::Bool) || is(Kind::Int))
      return integer();
    return std::nullopt;
  }

  Extent extent() const;
  /// Python's bool(value).
  bool isTrue() const;
  /// Python's ==; `depth` is how deep lists and dicts may be nested. In a
  /// template it is Interpreter::equal, which counts the work.
  bool equals(const Value &other, int depth = 2 * kMostLevels) const;
  /// Python's name of the type, for messages.
  const char *typeName() const;

  /// Python's str(value), and repr(value) of what is inside a list. Numbers and
  /// punctuation are content. In a template it is Interpreter::textOf, which
  /// counts the work.
  String str(int depth = 64) const;
  String repr(int depth = 64) const;

private:
  std::variant<Undefined, None, bool, int64_t, double,
               std::shared_ptr<const String>, std::shared_ptr<List>,
               std::shared_ptr<Dict>, std::shared_ptr<Namespace>,
               std::shared_ptr<Callable>>
      state;
};

/// Python's repr of a float: the shortest digits that give it back.
std::string formatFloat(double value);
/// The next whole number below, and x to a whole power: programs have no libm.
double floorOf(double x);
double powerOf(double x, int64_t exponent);

inline Value makeString(std::string_view text,
                        Origin origin = Origin::Content) {
  return String(text, origin);
}
inline Value makeList(std::vector<Value> items,
                      List::Form form = List::Form::List) {
  auto list = std::make_shared<List>();
  for (const Value &item : items)
    list->extent.add(item.extent());
  list->extent.hasText &= form != List::Form::Generator;
  list->items = std::move(items);
  list->form = form;
  return list;
}

} // namespace corellama::runtime::templates

#endif // CORELLAMA_RUNTIME_TEMPLATES_VALUE_H
