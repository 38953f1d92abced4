//===- Filters.h - filters of texts and numbers ---------------------------===//
//
// What the table of filters (Filters.cpp) takes from TextFilters.cpp, and how
// filters read their arguments.
//
//===----------------------------------------------------------------------===//

#ifndef CORELLAMA_RUNTIME_TEMPLATES_FILTERS_H
#define CORELLAMA_RUNTIME_TEMPLATES_FILTERS_H

#include "runtime/Templates/Builtins.h"

namespace corellama::runtime::templates::filters {

/// An argument as text, or `otherwise`.
String textOf(Interpreter &in, const Arguments &given, size_t index,
              std::string_view name, std::string_view otherwise);
bool flagOf(const Arguments &given, size_t index, std::string_view name,
            bool otherwise);

Value toUpper(Interpreter &in, const Value &value, const Arguments &given);
Value toLower(Interpreter &in, const Value &value, const Arguments &given);
Value capitalize(Interpreter &in, const Value &value, const Arguments &given);
Value title(Interpreter &in, const Value &value, const Arguments &given);
/// Python's strip, lstrip and rstrip.
Value strip(Interpreter &in, const String &text, const Arguments &given,
            bool left, bool right);
Value trim(Interpreter &in, const Value &value, const Arguments &given);
Value toString(Interpreter &in, const Value &value, const Arguments &given);
Value replace(Interpreter &in, const Value &value, const Arguments &given);
Value indent(Interpreter &in, const Value &value, const Arguments &given);
Value safe(Interpreter &in, const Value &value, const Arguments &given);
Value escape(Interpreter &in, const Value &value, const Arguments &given);
Value percent(Interpreter &in, const Value &value, const Arguments &given);
Value tojson(Interpreter &in, const Value &value, const Arguments &given);
Value length(Interpreter &in, const Value &value, const Arguments &given);
Value toInt(Interpreter &in, const Value &value, const Arguments &given);
Value toFloat(Interpreter &in, const Value &value, const Arguments &given);
Value absolute(Interpreter &in, const Value &value, const Arguments &given);
Value roundNumber(Interpreter &in, const Value &value, const Arguments &given);

} // namespace corellama::runtime::templates::filters

#endif // CORELLAMA_RUNTIME_TEMPLATES_FILTERS_H
