//===- Builtins.h - filters, tests, methods and functions -----------------===//
//
// What a template can call: those of Jinja and of Python's strings, lists and
// dicts that chat templates use, and what `transformers` adds.
//
//===----------------------------------------------------------------------===//

#ifndef CORELLAMA_RUNTIME_TEMPLATES_BUILTINS_H
#define CORELLAMA_RUNTIME_TEMPLATES_BUILTINS_H

#include "runtime/Templates/Interpreter.h"

namespace corellama::runtime::templates {

using Builtin = Value (*)(Interpreter &, const Value &, const Arguments &);

/// Null where there is none of that name.
Builtin findFilter(std::string_view name);
Builtin findTest(std::string_view name);
/// A method of a string, list or dict, bound to it; nothing if it has none.
std::optional<Value> methodOf(const Value &object, const std::string &name);
/// range, namespace, dict, raise_exception, strftime_now.
const std::vector<std::pair<std::string, Value>> &globalFunctions();

/// The `loop` of a for statement, and what it is in round `i`.
std::shared_ptr<Namespace> makeLoop(const std::vector<Value> &items);
void advanceLoop(Namespace &loop, const std::vector<Value> &items, int64_t i);

/// Python's `item in whole`.
bool contains(Interpreter &in, const Value &whole, const Value &item);
/// Python's object[first:last:step].
Value sliceOf(Interpreter &in, const Value &object,
              std::optional<int64_t> first, std::optional<int64_t> last,
              int64_t step);

} // namespace corellama::runtime::templates

#endif // CORELLAMA_RUNTIME_TEMPLATES_BUILTINS_H
