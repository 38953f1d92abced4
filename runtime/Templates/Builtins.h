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

/// What a function takes: names separated by spaces, the first `required` of
/// which must be given. "_" is an argument without a name, "*" any number of
/// them.
struct Parameters {
  std::string_view names;
  size_t required = 0;
};

struct Builtin {
  std::string_view name;
  Value (*call)(Interpreter &, const Value &, const Arguments &);
  Parameters parameters = {};
};

/// Whether a call gives what a function takes; an error where it does not.
bool accepts(Interpreter &in, std::string_view function,
             const Parameters &parameters, const Arguments &given);

/// Null where there is none of that name.
const Builtin *findFilter(std::string_view name);
const Builtin *findTest(std::string_view name);
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
