//===- Constraint.cpp - an answer that follows a grammar ------------------===//
//
// See Constraint.h.
//
//===----------------------------------------------------------------------===//

#include "runtime/Grammar/Constraint.h"

#include <algorithm>

namespace corellama::runtime {

using namespace grammar;

Result<std::unique_ptr<Constraint>>
Constraint::create(const Grammar &grammar, const Tokenizer &tokenizer,
                   std::span<const int32_t> ends, bool ignoreEnd) {
  auto automaton = Automaton::create(grammar);
  if (!automaton)
    return Error{automaton.error()};
  return std::unique_ptr<Constraint>(
      new Constraint(std::move(*automaton), tokenizer, ends, ignoreEnd));
}

Constraint::Constraint(Automaton made, const Tokenizer &tokenizer,
                       std::span<const int32_t> allEnds, bool ignoreEnd)
    : automaton(std::move(made)), pushdown(automaton),
      ends(allEnds.begin(), allEnds.end()), starts(spellTokens(tokenizer)),
      masks(automaton, pushdown, tokenBytes()), ignoreEnd(ignoreEnd) {
  // A mask has bits for tokens only.
  std::erase_if(ends, [&](int32_t id) {
    return id < 0 || size_t(id) >= tokenizer.size();
  });
  restart();
}

bool Constraint::isEnd(int32_t id) const {
  return std::binary_search(ends.begin(), ends.end(), id);
}

/// An end token has no bytes here, whatever it looks like.
std::vector<size_t> Constraint::spellTokens(const Tokenizer &tokenizer) {
  std::vector<size_t> all = {0};
  for (size_t id = 0; id < tokenizer.size(); ++id) {
    if (!isEnd(int32_t(id)))
      tokenizer.decode(int32_t(id), bytes);
    all.push_back(bytes.size());
  }
  return all;
}

std::vector<std::string_view> Constraint::tokenBytes() const {
  std::vector<std::string_view> tokens;
  for (size_t id = 0; id + 1 < starts.size(); ++id)
    tokens.push_back(std::string_view(bytes).substr(
        starts[id], starts[id + 1] - starts[id]));
  return tokens;
}

void Constraint::restart() {
  pushdown.renewWork();
  if (pushdown.isExhausted()) {
    pushdown.collect(Pushdown::kDead);
    masks.forget();
  }
  position = pushdown.start();
  error.clear();
}

bool Constraint::mayGoOn() {
  pushdown.renewWork();
  if (pushdown.isLarge()) {
    position = pushdown.collect(position);
    masks.forget();
  }
  auto tokens = masks.at(position);
  if (pushdown.isExhausted()) {
    error = "the grammar has too many ways to read this text at once; make it "
            "less ambiguous";
    return false;
  }
  mask.assign(tokens.begin(), tokens.end());
  const bool isLast = std::all_of(mask.begin(), mask.end(),
                                  [](uint64_t word) { return !word; });
  if (mayEnd() && (isLast || !ignoreEnd))
    for (int32_t id : ends)
      mask[size_t(id) / 64] |= uint64_t(1) << (id % 64);
  if (!isLast || (mayEnd() && !ends.empty()))
    return true;
  if (!mayEnd() && error.empty())
    error =
        "no token of this vocabulary continues the text as the grammar asks";
  return false;
}

void Constraint::accept(int32_t id) {
  if (!isEnd(id))
    accept(std::string_view(bytes).substr(
        starts[size_t(id)], starts[size_t(id) + 1] - starts[size_t(id)]));
}

bool Constraint::accept(std::string_view text) {
  for (char byte : text)
    position = pushdown.step(position, uint8_t(byte));
  return position != Pushdown::kDead;
}

} // namespace corellama::runtime
