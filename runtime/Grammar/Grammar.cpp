//===- Grammar.cpp - the rules that an answer has to follow ---------------===//
//
// See Grammar.h.
//
//===----------------------------------------------------------------------===//

#include "runtime/Grammar/Grammar.h"

#include <algorithm>

namespace corellama::runtime::grammar {

/// Bytes that are kept of a rule's name: messages show no more.
static constexpr size_t kMostName = 64;

std::vector<CodeRange> normalised(std::vector<CodeRange> ranges) {
  std::sort(ranges.begin(), ranges.end(),
            [](CodeRange a, CodeRange b) { return a.first < b.first; });
  std::vector<CodeRange> result;
  for (CodeRange range : ranges) {
    if (!result.empty() && range.first <= result.back().last + 1)
      result.back().last = std::max(result.back().last, range.last);
    else
      result.push_back(range);
  }
  return result;
}

std::vector<CodeRange> complementOf(std::vector<CodeRange> ranges) {
  std::vector<CodeRange> result;
  char32_t next = 0;
  for (CodeRange range : normalised(std::move(ranges))) {
    if (range.first > next)
      result.push_back({next, range.first - 1});
    next = range.last + 1;
  }
  if (next <= kLastCodePoint)
    result.push_back({next, kLastCodePoint});
  return result;
}

/// Past the limit the first expression is given in place of a new one, so that
/// a reader may go on to its next look at isTooLarge().
Expression Grammar::add(Node node, size_t size) {
  parts += 1 + size;
  if (isTooLarge() && !nodes.empty())
    return 0;
  nodes.push_back(node);
  return Expression(nodes.size() - 1);
}

Expression Grammar::characters(std::vector<CodeRange> all) {
  all = normalised(std::move(all));
  const Node node = {Kind::Characters, uint32_t(ranges.size()),
                     uint32_t(all.size())};
  if (!isTooLarge())
    ranges.insert(ranges.end(), all.begin(), all.end());
  return add(node, all.size());
}

Expression Grammar::literal(std::string_view text) {
  const Node node = {Kind::Literal, uint32_t(bytes.size()),
                     uint32_t(text.size())};
  if (!isTooLarge())
    bytes += text;
  return add(node, text.size());
}

Expression Grammar::addItems(Kind kind, const std::vector<Expression> &all) {
  if (all.size() == 1)
    return all[0];
  const Node node = {kind, uint32_t(items.size()), uint32_t(all.size())};
  if (!isTooLarge())
    items.insert(items.end(), all.begin(), all.end());
  return add(node, all.size());
}

Expression Grammar::sequence(const std::vector<Expression> &all) {
  return addItems(Kind::Sequence, all);
}

Expression Grammar::choice(const std::vector<Expression> &all) {
  return addItems(Kind::Choice, all);
}

Expression Grammar::repeat(Expression item, uint32_t least, uint32_t most) {
  return add({Kind::Repeat, item, 1, least, most}, 0);
}

Expression Grammar::reference(Rule rule) {
  return add({Kind::Reference, rule, 1}, 0);
}

Rule Grammar::addRule(std::string_view name) {
  // A rule is more than its body.
  ++parts;
  if (isTooLarge() && !rules.empty())
    return 0;
  rules.push_back({std::string(name.substr(0, kMostName)), std::nullopt});
  return Rule(rules.size() - 1);
}

Expression Grammar::rule(std::string_view name, Expression body) {
  const Rule made = addRule(name);
  define(made, body);
  return reference(made);
}

} // namespace corellama::runtime::grammar
