//===- Value.cpp - the values of a template -------------------------------===//
//
// See Value.h.
//
//===----------------------------------------------------------------------===//

#include "runtime/Templates/Value.h"

#include "runtime/Tokenizer/Utf8.h"

#include <charconv>
#include <cmath>

namespace corellama::runtime::templates {

using Kind = Value::Kind;

//===----------------------------------------------------------------------===//
// Dicts
//===----------------------------------------------------------------------===//

/// A string that is equal for equal keys: 1, 1.0 and True are one key.
static std::optional<std::string> keyOf(const Value &key) {
  switch (key.kind()) {
  case Kind::String:
    return "s" + std::string(key.string().view());
  case Kind::Bool:
  case Kind::Int:
    return "i" + std::to_string(key.integer());
  case Kind::Float:
    if (key.real() == floorOf(key.real()) && std::fabs(key.real()) < 0x1p63)
      return "i" + std::to_string(static_cast<int64_t>(key.real()));
    return "f" + formatFloat(key.real());
  case Kind::None:
    return "n";
  case Kind::List: {
    if (key.list()->form != List::Form::Tuple)
      return std::nullopt;
    std::string all = "t";
    for (const Value &item : key.list()->items) {
      std::optional<std::string> one = keyOf(item);
      if (!one)
        return std::nullopt;
      all += std::to_string(one->size()) + ":" + *one;
    }
    return all;
  }
  default:
    return std::nullopt;
  }
}

const Value *Dict::find(const Value &key) const {
  std::optional<std::string> name = keyOf(key);
  auto found = name ? places.find(*name) : places.end();
  return found == places.end() ? nullptr : &all[found->second].second;
}

const Value *Dict::find(std::string_view key) const {
  auto found = places.find("s" + std::string(key));
  return found == places.end() ? nullptr : &all[found->second].second;
}

bool Dict::set(Value key, Value value) {
  std::optional<std::string> name = keyOf(key);
  if (!name)
    return false;
  own.add(key.extent());
  own.add(value.extent());
  auto [place, isNew] = places.try_emplace(*name, all.size());
  if (isNew)
    all.emplace_back(std::move(key), std::move(value));
  else
    all[place->second].second = std::move(value);
  return true;
}

const Value *Arguments::find(size_t index, std::string_view name) const {
  if (index < positional.size())
    return &positional[index];
  for (const auto &[own, value] : named)
    if (own == name)
      return &value;
  return nullptr;
}

//===----------------------------------------------------------------------===//
// Questions
//===----------------------------------------------------------------------===//

void Extent::add(const Extent &item) {
  level = std::max(level, item.level + 1);
  // Some levels of lists multiply to more than 64 bits.
  constexpr size_t most = SIZE_MAX / 1024;
  weight = std::min(weight + item.weight + kItemWeight, most);
  hasText &= item.hasText;
}

Extent Value::extent() const {
  switch (kind()) {
  case Kind::String:
    return {.weight = string().size()};
  case Kind::List:
    return list()->extent;
  case Kind::Dict:
    return dict()->extent();
  case Kind::Namespace:
    return {kSharedLevel, 0, false};
  case Kind::Callable:
    return {callable()->level, 0, false};
  default:
    return {};
  }
}

bool Value::isTrue() const {
  switch (kind()) {
  case Kind::Undefined:
  case Kind::None:
    return false;
  case Kind::Bool:
  case Kind::Int:
    return integer() != 0;
  case Kind::Float:
    return real() != 0;
  case Kind::String:
    return !string().empty();
  case Kind::List:
    return !list()->items.empty() || list()->form == List::Form::Generator;
  case Kind::Dict:
    return !dict()->pairs().empty();
  default:
    return true;
  }
}

bool Value::equals(const Value &other, int depth) const {
  if (isNumber() && other.isNumber()) {
    if (is(Kind::Float) || other.is(Kind::Float))
      return number() == other.number();
    return integer() == other.integer();
  }
  if (kind() != other.kind())
    return false;
  switch (kind()) {
  case Kind::String:
    return string() == other.string();
  case Kind::List: {
    const List &a = *list(), &b = *other.list();
    if (a.form != b.form || a.items.size() != b.items.size() || depth == 0)
      return false;
    for (size_t i = 0; i < a.items.size(); ++i)
      if (!a.items[i].equals(b.items[i], depth - 1))
        return false;
    return true;
  }
  case Kind::Dict: {
    if (dict()->pairs().size() != other.dict()->pairs().size() || depth == 0)
      return false;
    for (const auto &[key, value] : dict()->pairs()) {
      const Value *found = other.dict()->find(key);
      if (!found || !value.equals(*found, depth - 1))
        return false;
    }
    return true;
  }
  case Kind::Namespace:
    return names() == other.names();
  case Kind::Callable:
    return callable() == other.callable();
  default:
    return true;
  }
}

const char *Value::typeName() const {
  switch (kind()) {
  case Kind::Undefined:
    return "undefined";
  case Kind::None:
    return "None";
  case Kind::Bool:
    return "bool";
  case Kind::Int:
    return "int";
  case Kind::Float:
    return "float";
  case Kind::String:
    return "str";
  case Kind::List:
    switch (list()->form) {
    case List::Form::List:
      return "list";
    case List::Form::Tuple:
      return "tuple";
    case List::Form::Range:
      return "range";
    case List::Form::Items:
      return "dict_items";
    case List::Form::Keys:
      return "dict_keys";
    case List::Form::Values:
      return "dict_values";
    case List::Form::Generator:
      return "generator";
    }
    return "";
  case Kind::Dict:
    return "dict";
  case Kind::Namespace:
    return "namespace";
  case Kind::Callable:
    return "function";
  }
  return "";
}

//===----------------------------------------------------------------------===//
// As text
//===----------------------------------------------------------------------===//

double floorOf(double x) {
  // Larger numbers, and what is no number, are whole or stay.
  if (!(x > -0x1p52 && x < 0x1p52))
    return x;
  auto whole = static_cast<double>(static_cast<int64_t>(x));
  return whole > x ? whole - 1 : whole;
}

double powerOf(double x, int64_t exponent) {
  uint64_t left = exponent < 0 ? -static_cast<uint64_t>(exponent) : exponent;
  double power = 1;
  for (; left; left >>= 1, x *= x)
    if (left & 1)
      power *= x;
  return exponent < 0 ? 1 / power : power;
}

std::string formatFloat(double value) {
  if (std::isnan(value))
    return "nan";
  if (std::isinf(value))
    return value < 0 ? "-inf" : "inf";
  // Python writes an exponent below 1e-4 and from 1e16 on.
  double size = std::fabs(value);
  bool isPlain = size == 0 || (size >= 1e-4 && size < 1e16);
  char text[64];
  auto [end, error] = std::to_chars(text, text + sizeof(text), value,
                                    isPlain ? std::chars_format::fixed
                                            : std::chars_format::scientific);
  std::string result(text, end);
  if (isPlain && result.find('.') == result.npos)
    result += ".0";
  return result;
}

static char32_t characterAt(std::string_view text) {
  Utf8Head head = readUtf8(text);
  return head.kind == Utf8Head::whole ? head.codePoint : 0xFFFD;
}

/// \xNN, \uNNNN or \UNNNNNNNN.
static std::string codeOf(char32_t c) {
  constexpr char digits[] = "0123456789abcdef";
  int count = c < 0x100 ? 2 : c < 0x10000 ? 4 : 8;
  std::string code = count == 2 ? "\\x" : count == 4 ? "\\u" : "\\U";
  for (int i = count - 1; i >= 0; --i)
    code += digits[c >> (4 * i) & 15];
  return code;
}

/// A string as Python's repr writes it.
static String reprOf(const String &text) {
  bool hasSingle = text.view().find('\'') != std::string_view::npos;
  bool hasDouble = text.view().find('"') != std::string_view::npos;
  char quote = hasSingle && !hasDouble ? '"' : '\'';
  String result(std::string(1, quote), Origin::Content);
  for (size_t at = 0; at < text.size();) {
    const size_t bytes = characterBytes(text.view(), at);
    std::string_view one = text.view().substr(at, bytes);
    auto escape = [&](std::string_view with) {
      result.append(with, text.originAt(at));
    };
    if (one[0] == quote || one[0] == '\\')
      escape(std::string("\\").append(one));
    else if (one == "\n")
      escape("\\n");
    else if (one == "\r")
      escape("\\r");
    else if (one == "\t")
      escape("\\t");
    else if (char32_t c = characterAt(one); !isPrintable(c))
      escape(codeOf(c));
    else
      result.append(text, at, at + bytes);
    at += bytes;
  }
  result.append(std::string_view(&quote, 1), Origin::Content);
  return result;
}

String Value::str(int depth) const {
  switch (kind()) {
  case Kind::Undefined:
    return {};
  case Kind::String:
    return string();
  default:
    return repr(depth);
  }
}

String Value::repr(int depth) const {
  auto content = [](std::string_view text) {
    return String(text, Origin::Content);
  };
  if (depth == 0)
    return content("...");
  switch (kind()) {
  case Kind::Undefined:
    return content("Undefined");
  case Kind::None:
    return content("None");
  case Kind::Bool:
    return content(boolean() ? "True" : "False");
  case Kind::Int:
    return content(std::to_string(integer()));
  case Kind::Float:
    return content(formatFloat(real()));
  case Kind::String:
    return reprOf(string());
  case Kind::List: {
    const List &all = *list();
    bool isTuple = all.form == List::Form::Tuple;
    if (all.form == List::Form::Range)
      return content(all.spelling);
    String text = content(isTuple ? "(" : "[");
    if (!all.isPlain())
      text = content(typeName() + std::string("(["));
    for (size_t i = 0; i < all.items.size(); ++i) {
      if (i)
        text.append(", ", Origin::Content);
      text.append(all.items[i].repr(depth - 1));
    }
    if (isTuple && all.items.size() == 1)
      text.append(",", Origin::Content);
    text.append(isTuple ? ")" : all.isPlain() ? "]" : "])", Origin::Content);
    return text;
  }
  case Kind::Dict: {
    String text = content("{");
    for (const auto &[key, value] : dict()->pairs()) {
      if (text.size() > 1)
        text.append(", ", Origin::Content);
      text.append(key.repr(depth - 1));
      text.append(": ", Origin::Content);
      text.append(value.repr(depth - 1));
    }
    text.append("}", Origin::Content);
    return text;
  }
  case Kind::Namespace:
    return content("<Namespace ") +
           Value(std::make_shared<Dict>(names()->attributes)).repr(depth - 1) +
           content(">");
  case Kind::Callable:
    return content("<function " + callable()->name + ">");
  }
  return {};
}

} // namespace corellama::runtime::templates
