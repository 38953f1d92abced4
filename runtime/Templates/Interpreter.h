//===- Interpreter.h - runs a parsed template -----------------------------===//
//
// Walks the statements of a template with the values that it is given, within
// limits: a template is code of a file that was downloaded. It reads no file,
// imports nothing, and ends after so many steps, levels and bytes.
//
//===----------------------------------------------------------------------===//

#ifndef CORELLAMA_RUNTIME_TEMPLATES_INTERPRETER_H
#define CORELLAMA_RUNTIME_TEMPLATES_INTERPRETER_H

#include "runtime/Support/Result.h"
#include "runtime/Templates/Ast.h"

#include <ctime>

namespace corellama::runtime::templates {

/// Less than 100 ms of a core, and 200 ms more for each MB of messages.
struct Limits {
  /// Nodes that are evaluated and operations on values.
  size_t steps = 500000;
  /// Bytes that operations look at or make. Each counts as often as its time
  /// demands, compared with copying (see charge).
  size_t bytes = size_t(16) << 20;
  /// For messages and variables of so many bytes. Of templates in use most take
  /// 25 times as much; those that add each message to one text take more.
  void allow(size_t given) { bytes += 64 * given; }
  /// Expressions, statements and calls inside of each other.
  int depth = 600;
};

class Interpreter {
public:
  /// `now` is what strftime_now formats.
  Interpreter(const Limits &limits, const std::tm &now)
      : limits(limits), now(now) {}

  /// What the template writes, with `names` as its variables.
  Result<String> run(const Node &block,
                     const std::vector<std::pair<std::string, Value>> &names);

  // For filters, tests and functions.

  /// Remembers the first error; the value stands for none.
  Value fail(const std::string &what);
  /// The name, attribute or item that `value` stands for is not there.
  Value failUndefined(const Value &value);
  bool failed() const { return failure.has_value(); }
  /// Counts work on `bytes` bytes; false if it is too much. Every operation
  /// whose time grows with its values charges before it works: a byte for each
  /// 3 ns. So an item that is copied is 16, one that is made 64, a search is
  /// four times the text, and texts put together are a quarter.
  bool charge(size_t bytes);
  /// Python's str(value); a failure where it would have an address.
  String textOf(const Value &value);
  /// Python's a == b.
  bool equal(const Value &a, const Value &b);
  /// Counts looking `key` up in a dict.
  bool chargeKey(const Value &key);
  Value call(const Value &callee, const Arguments &arguments);
  /// object.name and object[index] as Jinja looks them up.
  Value attribute(const Value &object, const std::string &name);
  Value item(const Value &object, const Value &index);
  Value filter(const std::string &name, const Value &value,
               const Arguments &arguments);
  bool test(const std::string &name, const Value &value,
            const Arguments &arguments);
  /// What a loop goes over; a failure where it cannot.
  std::vector<Value> iterate(const Value &value);
  /// -1, 0 or 1; a failure where Python has no order.
  int compare(const Value &a, const Value &b);
  /// Two integers with an operator between them; a failure beyond 64 bits.
  Value integers(const std::string &word, int64_t a, int64_t b);
  void setAttribute(Namespace &names, Value name, Value value);
  const std::tm &time() const { return now; }

private:
  struct Scope {
    std::unordered_map<std::string, Value> names;
    std::shared_ptr<Scope> parent;
  };
  using ScopePtr = std::shared_ptr<Scope>;
  enum class Flow { Next, Break, Continue };
  /// Counts a level of nesting while it lives.
  struct Level {
    explicit Level(Interpreter &interpreter) : interpreter(interpreter) {
      if (++interpreter.depth > interpreter.limits.depth)
        interpreter.fail("macros, statements and expressions are nested too "
                         "deeply");
    }
    ~Level() { --interpreter.depth; }
    Interpreter &interpreter;
  };

  void write(const String &text);
  String capture(const Node &body, ScopePtr inside);
  ScopePtr inner() const;

  Flow run(const Node &node);
  Flow runBlock(const Node &node);
  Flow runIf(const Node &node);
  Flow runFor(const Node &node);
  void assign(const Node &target, Value value);
  void runSetBlock(const Node &node);
  void defineMacro(const Node &node);
  void runCallBlock(const Node &node);
  Value makeMacro(const Node &node, const std::string &name, size_t bodyAt);

  Value evaluate(const Node &node);
  Value evaluateNode(const Node &node);
  Value evaluateName(const std::string &name);
  Value evaluateDict(const Node &node);
  Value evaluateUnary(const Node &node);
  Value evaluateBinary(const Node &node);
  Value arithmetic(const std::string &word, const Value &a, const Value &b);
  Value evaluateCompare(const Node &node);
  bool compares(const std::string &word, const Value &a, const Value &b);
  Value evaluateSlice(const Node &node);
  Value evaluateCall(const Node &node);
  bool evaluateArguments(const Node &node, Arguments &arguments);

  const Limits limits;
  const std::tm now;
  size_t steps = 0, bytes = 0;
  int depth = 0;
  size_t line = 0;
  ScopePtr scope;
  String *out = nullptr;
  std::optional<Error> failure;
};

} // namespace corellama::runtime::templates

#endif // CORELLAMA_RUNTIME_TEMPLATES_INTERPRETER_H
