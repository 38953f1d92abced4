//===- Automaton.cpp - a grammar as states over bytes ---------------------===//
//
// See Automaton.h. States are made from the end of a text to its beginning, so
// that what follows is known; equal states are one where they are over bytes or
// branch.
//
//===----------------------------------------------------------------------===//

#include "runtime/Grammar/Automaton.h"

#include "runtime/Grammar/Utf8Ranges.h"

#include <algorithm>
#include <map>
#include <unordered_map>
#include <unordered_set>

namespace corellama::runtime::grammar {

using Kind = Grammar::Kind;

/// Some 100 MB of states at most.
static constexpr size_t kMostStates = 1 << 20;
/// A rule without calls up to this weight is written into its callers, and a
/// repetition whose copies together weigh at most kMostCopied is written out:
/// what is inside of one procedure shares the masks of its tokens
/// (TokenMasks.h) and needs no stack.
static constexpr uint32_t kMostInlined = 24, kMostCopied = 64;
/// Levels of rules inside of each other that are written into one.
static constexpr int kInlineRounds = 4;
static constexpr StateId kNone = Automaton::kNone;

/// What follows from a grammar's leaves: a sequence has a property if all items
/// have it, a choice if one has, a repetition if its item has or it may be left
/// out, a reference if the rule's body has. Two properties are of this kind:
/// that the empty text matches (no character does), and that any text does (all
/// characters do). Each fact is passed on once.
static std::vector<bool> propertyOf(const Grammar &grammar, bool ofCharacters) {
  const size_t size = grammar.size();
  // Who has to hear of an expression, as lists in one array.
  std::vector<uint32_t> heads(size + 1), missing(size), ready;
  auto children = [&](Expression at, auto &&use) {
    const Grammar::Node &node = grammar[at];
    if (node.kind == Kind::Sequence || node.kind == Kind::Choice)
      std::for_each_n(grammar.itemsOf(node), node.count, use);
    else if (node.kind == Kind::Repeat)
      use(node.first);
    else if (node.kind == Kind::Reference && grammar.bodyOf(node.first))
      use(*grammar.bodyOf(node.first));
  };
  for (Expression at = 0; at < size; ++at)
    children(at, [&](Expression child) { ++heads[child]; });
  uint32_t total = 0;
  for (uint32_t &head : heads)
    head = total += head; // the end of its list
  std::vector<Expression> parents(total);
  for (Expression at = 0; at < size; ++at)
    children(at, [&](Expression child) { parents[--heads[child]] = at; });

  std::vector<bool> holds(size);
  auto set = [&](Expression at) {
    if (!holds[at]) {
      holds[at] = true;
      ready.push_back(at);
    }
  };
  for (Expression at = 0; at < size; ++at) {
    const Grammar::Node &node = grammar[at];
    missing[at] = node.kind == Kind::Sequence ? node.count : 1;
    const bool isLeaf =
        (node.kind == Kind::Literal && (ofCharacters || node.count == 0)) ||
        (node.kind == Kind::Characters && ofCharacters && node.count > 0);
    if (isLeaf || missing[at] == 0 ||
        (node.kind == Kind::Repeat && node.least == 0))
      set(at);
  }
  while (!ready.empty()) {
    const Expression at = ready.back();
    ready.pop_back();
    for (uint32_t i = heads[at]; i < heads[at + 1]; ++i)
      if (--missing[parents[i]] == 0)
        set(parents[i]);
  }
  return holds;
}

class Compiler {
public:
  explicit Compiler(const Grammar &grammar)
      : grammar(grammar), nullable(propertyOf(grammar, false)),
        possible(propertyOf(grammar, true)) {}

  Result<Automaton> compile() {
    for (State::Kind kind : {State::End, State::Accept, State::Exit})
      addState({kind});
    chooseInlined();
    const Expression root = *grammar.bodyOf(grammar.root);
    if (!possible[root])
      return Error{"no text matches: rule " +
                   quoted(grammar.nameOf(grammar.root)) + " never ends"};
    procedures.assign(grammar.ruleCount(), kNone);
    // The root is called where it refers to itself, too.
    const StateId called = callOf(grammar.root, Automaton::kAccept);
    result.first =
        nullable[root] ? branch({called, Automaton::kAccept}) : called;
    for (size_t i = 0; i < waiting.size() && !isTooLarge(); ++i) {
      const auto [rule, procedure] = waiting[i];
      current = rule;
      result.starts[procedure] =
          make(*grammar.bodyOf(rule), Automaton::kEnd, true);
    }
    if (isTooLarge())
      return Error{"the grammar needs more than " +
                   std::to_string(kMostStates) + " states; make it smaller"};
    if (auto error = result.rankProcedures(names))
      return *error;
    result.classifyBytes();
    return std::move(result);
  }

private:
  /// Each call of make() that is no leaf counts: where nothing but empty texts
  /// are nested there may be many calls without a state.
  bool isTooLarge() const {
    return result.states.size() > kMostStates || calls > 8 * kMostStates;
  }

  /// Rules that are small and call nothing become parts of their callers.
  void chooseInlined() {
    inlined.assign(grammar.ruleCount(), false);
    weights.assign(grammar.size(), 0);
    for (int round = 0; round < kInlineRounds; ++round) {
      // Parts of an expression stand before it.
      for (Expression at = 0; at < grammar.size(); ++at)
        weights[at] = weightOf(grammar[at]);
      for (Rule rule = 0; rule < grammar.ruleCount(); ++rule)
        inlined[rule] = grammar.bodyOf(rule) && rule != grammar.root &&
                        weights[*grammar.bodyOf(rule)] <= kMostInlined;
    }
  }

  uint32_t weightOf(const Grammar::Node &node) const {
    // Above all limits, and far enough from overflow.
    constexpr uint64_t kHeavy = 1000;
    uint64_t weight = 1;
    switch (node.kind) {
    case Kind::Characters:
    case Kind::Literal:
      weight += node.count;
      break;
    case Kind::Sequence:
    case Kind::Choice:
      for (uint32_t i = 0; i < node.count; ++i)
        weight += weights[grammar.itemsOf(node)[i]];
      break;
    case Kind::Repeat: {
      const uint32_t most = node.most == kUnbounded ? node.least : node.most;
      weight += std::max<uint64_t>(most, 1) * weights[node.first];
      break;
    }
    case Kind::Reference:
      weight =
          inlined[node.first] ? weights[*grammar.bodyOf(node.first)] : kHeavy;
      break;
    }
    return uint32_t(std::min(weight, kHeavy));
  }

  StateId addState(State state) {
    result.states.push_back(state);
    return StateId(result.states.size() - 1);
  }

  /// Equal ones are one state.
  StateId bytesState(const std::vector<ByteEdge> &edges) {
    if (edges.empty())
      return kNone;
    std::string key;
    for (ByteEdge edge : edges) {
      key += char(edge.first);
      key += char(edge.last);
      key.append(reinterpret_cast<const char *>(&edge.next), sizeof(edge.next));
    }
    auto [found, isNew] = known.emplace(std::move(key), 0);
    if (isNew) {
      found->second = addState({State::Bytes, uint32_t(result.edges.size()),
                                uint32_t(edges.size())});
      result.edges.insert(result.edges.end(), edges.begin(), edges.end());
    }
    return found->second;
  }

  /// Equal ones are one state, too.
  StateId branch(std::vector<StateId> targets) {
    std::erase(targets, kNone);
    if (targets.size() <= 1)
      return targets.empty() ? kNone : targets[0];
    auto [found, isNew] = knownBranches.emplace(targets, 0);
    if (isNew)
      found->second = setTargets(addState({State::Branch}), targets);
    return found->second;
  }
  StateId setTargets(StateId id, const std::vector<StateId> &targets) {
    result.states[id].first = uint32_t(result.targets.size());
    result.states[id].count = uint32_t(targets.size());
    result.targets.insert(result.targets.end(), targets.begin(), targets.end());
    return id;
  }

  Procedure addProcedure(Rule rule) {
    names.push_back(grammar.nameOf(rule));
    result.starts.push_back(kNone);
    return Procedure(result.starts.size() - 1);
  }

  StateId callOf(Rule rule, StateId next) {
    if (procedures[rule] == kNone) {
      procedures[rule] = addProcedure(rule);
      waiting.push_back({rule, procedures[rule]});
    }
    return addState({State::Call, 0, 0, next, procedures[rule]});
  }

  /// The state from which `at` matches and then `next` is; with `nonEmpty` only
  /// by texts that are not empty. kNone: nothing matches. Recurses over groups
  /// and kInlineRounds rules.
  StateId make(Expression at, StateId next, bool nonEmpty) {
    if (!possible[at] || next == kNone || isTooLarge())
      return kNone;
    ++calls;
    const Grammar::Node &node = grammar[at];
    switch (node.kind) {
    case Kind::Characters:
      return characters(node, next);
    case Kind::Literal: {
      std::string_view bytes = grammar.bytesOf(node);
      if (bytes.empty() && nonEmpty)
        return kNone;
      for (; !bytes.empty(); bytes.remove_suffix(1))
        next =
            bytesState({{uint8_t(bytes.back()), uint8_t(bytes.back()), next}});
      return next;
    }
    case Kind::Sequence:
      return sequence(node, next, nonEmpty);
    case Kind::Choice: {
      std::vector<StateId> targets;
      for (uint32_t i = 0; i < node.count; ++i)
        targets.push_back(make(grammar.itemsOf(node)[i], next, nonEmpty));
      return branch(std::move(targets));
    }
    case Kind::Repeat:
      return repetition(node, next, nonEmpty);
    case Kind::Reference: {
      const Expression body = *grammar.bodyOf(node.first);
      if (inlined[node.first])
        return make(body, next, nonEmpty);
      const StateId called = callOf(node.first, next);
      return nullable[body] && !nonEmpty ? branch({called, next}) : called;
    }
    }
    __builtin_unreachable();
  }

  StateId characters(const Grammar::Node &node, StateId next) {
    std::vector<ByteSequence> sequences;
    for (uint32_t i = 0; i < node.count; ++i)
      appendByteSequences(grammar.rangesOf(node)[i], sequences);
    std::vector<ByteEdge> edges;
    for (const ByteSequence &sequence : sequences) {
      StateId state = next;
      for (size_t i = sequence.size - 1; i > 0; --i)
        state = bytesState(
            {{sequence.ranges[i].first, sequence.ranges[i].last, state}});
      edges.push_back(
          {sequence.ranges[0].first, sequence.ranges[0].last, state});
    }
    return bytesState(edges);
  }

  /// A text of a sequence that is not empty is not empty in its first item, or
  /// leaves that out and is not empty in the rest.
  StateId sequence(const Grammar::Node &node, StateId next, bool nonEmpty) {
    StateId rest =
        kNone; // from the item that comes next, without the empty text
    for (uint32_t i = node.count; i-- > 0;) {
      const Expression item = grammar.itemsOf(node)[i];
      const StateId all = make(item, next, false);
      if (nonEmpty)
        rest = nullable[item] ? branch({make(item, next, true), rest}) : all;
      next = all;
    }
    return nonEmpty ? rest : next;
  }

  /// Where the item may be empty, empty ones need not be counted: at most as
  /// many that are not.
  StateId repetition(const Grammar::Node &node, StateId next, bool nonEmpty) {
    const Expression item = node.first;
    uint32_t least = nullable[item] ? 0 : node.least;
    if (nonEmpty)
      least = std::max(least, 1u);
    if (node.most < least)
      return kNone;
    if (node.most == 0)
      return next;
    const bool isEndless = node.most == kUnbounded;
    const uint64_t copies = isEndless ? least : node.most;
    StateId state;
    if (isEndless && least <= 1) {
      const StateId loop = addState({State::Branch});
      const StateId body = make(item, loop, true);
      if (body == kNone)
        return least == 0 ? next : kNone;
      setTargets(loop, {body, next});
      return least == 0 ? loop : body;
    }
    if (copies * weights[item] <= kMostCopied) {
      if (isEndless)
        return copied(
            item, least - 1, least - 1,
            repetition({Kind::Repeat, item, 1, 1, kUnbounded}, next, false));
      return copied(item, least, node.most, next);
    }
    state = make(item, Automaton::kEnd, true);
    if (state == kNone)
      return least == 0 ? next : kNone;
    // Equal bodies are one procedure, whatever the counts: what is known of
    // tokens in one holds in all.
    auto [body, isNew] = bodies.emplace(state, 0);
    if (isNew) {
      body->second = addProcedure(current);
      result.starts[body->second] = state;
    }
    state = addState({State::Repeat, 0, 0, next, body->second,
                      std::max(least, 1u), node.most});
    return least == 0 ? branch({state, next}) : state;
  }

  StateId copied(Expression item, uint32_t least, uint32_t most, StateId next) {
    StateId state = next;
    for (uint32_t left = most; left-- > 0;) {
      state = make(item, state, true);
      if (left >= least)
        state = branch({state, next});
    }
    return state;
  }

  const Grammar &grammar;
  const std::vector<bool> nullable, possible;
  std::vector<uint32_t> weights;
  std::vector<bool> inlined;
  Automaton result;
  /// The rule that is compiled, for messages.
  Rule current = 0;
  size_t calls = 0;
  std::vector<Procedure> procedures;
  std::vector<std::pair<Rule, Procedure>> waiting;
  std::vector<std::string> names;
  std::unordered_map<std::string, StateId> known;
  std::map<std::vector<StateId>, StateId> knownBranches;
  /// By the state that a repetition's body starts in.
  std::unordered_map<StateId, Procedure> bodies;
};

Result<Automaton> Automaton::create(const Grammar &grammar) {
  return Compiler(grammar).compile();
}

/// A depth-first walk over the procedures that are reached without a byte,
/// without recursion, since rules may be many.
std::optional<Error>
Automaton::rankProcedures(const std::vector<std::string> &names) {
  auto calledFirst = [&](Procedure procedure) {
    std::vector<Procedure> called;
    std::vector<StateId> waiting = {starts[procedure]};
    std::unordered_set<StateId> seen;
    while (!waiting.empty() && waiting.back() != kNone) {
      const State &state = states[waiting.back()];
      waiting.pop_back();
      if (state.kind == State::Call || state.kind == State::Repeat)
        called.push_back(state.procedure);
      if (state.kind == State::Branch)
        for (uint32_t i = 0; i < state.count; ++i)
          if (StateId next = targetsOf(state)[i]; seen.insert(next).second)
            waiting.push_back(next);
    }
    return called;
  };
  enum : uint8_t { fresh, open, done };
  struct Visit {
    Procedure procedure;
    std::vector<Procedure> called;
  };
  std::vector<uint8_t> marks(starts.size(), fresh);
  std::vector<Visit> path;
  for (Procedure procedure = 0; procedure < starts.size(); ++procedure) {
    if (marks[procedure] != fresh)
      continue;
    marks[procedure] = open;
    path.push_back({procedure, calledFirst(procedure)});
    while (!path.empty()) {
      Visit &visit = path.back();
      if (visit.called.empty()) {
        marks[visit.procedure] = done;
        byRank.push_back(visit.procedure);
        path.pop_back();
        continue;
      }
      const Procedure next = visit.called.back();
      visit.called.pop_back();
      if (marks[next] == open) {
        const std::string name = quoted(names[next]);
        return Error{"rule " + name + " is left-recursive: it can begin with " +
                     name + " itself" +
                     (visit.procedure == next
                          ? std::string()
                          : ", through " + quoted(names[visit.procedure])) +
                     "; let it begin with something else, as in `list ::= item "
                     "(\",\" item)*`"};
      }
      if (marks[next] == fresh) {
        marks[next] = open;
        path.push_back({next, calledFirst(next)});
      }
    }
  }
  std::reverse(byRank.begin(), byRank.end());
  ranks.assign(starts.size(), 0);
  for (uint32_t rank = 0; rank < byRank.size(); ++rank)
    ranks[byRank[rank]] = rank;
  return std::nullopt;
}

void Automaton::classifyBytes() {
  std::array<bool, 257> begins = {};
  for (ByteEdge edge : edges)
    begins[edge.first] = begins[edge.last + 1] = true;
  uint8_t last = 0;
  for (size_t byte = 1; byte < 256; ++byte) {
    last += begins[byte];
    classes[byte] = last;
  }
  classCounts = size_t(last) + 1;
}

} // namespace corellama::runtime::grammar
