//===- Pushdown.cpp - what a text may be so far, byte by byte -------------===//
//
// See Pushdown.h. A step has two halves: threads whose procedures have ended
// leave frames of before, then procedures are called, in the order of their
// ranks, so that all callers of one are known when its frame is made. Since no
// procedure ends without a byte, a frame is never left in the step that made
// it.
//
//===----------------------------------------------------------------------===//

#include "runtime/Grammar/Pushdown.h"

#include <algorithm>
#include <functional>

namespace corellama::runtime::grammar {

/// Threads and callers that may be looked at for one token: a second's work,
/// thousands of times what JSON needs.
static constexpr size_t kMostWork = 20'000'000;
/// Items of frames and positions, and places of steps. The first is where
/// collecting is worth while between tokens, up to 50 MB; the second, up to
/// 200 MB, ends all.
static constexpr size_t kLarge = 4'000'000, kTooLarge = 16'000'000;
/// Of the set of what was seen, between steps.
static constexpr size_t kMostBuckets = 4096;

//===----------------------------------------------------------------------===//
// Lists
//===----------------------------------------------------------------------===//

/// FNV-1a over words, with a last mix since slots are low bits.
template <typename Item> static size_t hashOf(std::span<const Item> list) {
  uint64_t hash = 0xCBF29CE484222325;
  auto add = [&](uint64_t word) { hash = (hash ^ word) * 0x100000001B3; };
  for (const Item &item : list) {
    if constexpr (requires { item.below; })
      add(uint64_t(item.count) << 32 | item.below);
    else
      add(item.frame);
    add(item.state);
  }
  return hash ^ hash >> 29;
}

template <typename Item>
uint32_t Lists<Item>::numberOf(const std::vector<Item> &list) {
  const size_t mask = slots.size() - 1;
  size_t slot = hashOf(std::span<const Item>(list)) & mask;
  for (; slots[slot]; slot = (slot + 1) & mask) {
    auto known = (*this)[slots[slot] - 1];
    if (std::equal(known.begin(), known.end(), list.begin(), list.end()))
      return slots[slot] - 1;
  }
  items.insert(items.end(), list.begin(), list.end());
  ends.push_back(items.size());
  slots[slot] = count();
  if (size_t(count()) * 2 > slots.size())
    grow();
  return count() - 1;
}

template <typename Item> void Lists<Item>::grow() {
  slots.assign(slots.size() * 2, 0);
  const size_t mask = slots.size() - 1;
  for (uint32_t number = 0; number < count(); ++number) {
    size_t slot = hashOf((*this)[number]) & mask;
    while (slots[slot])
      slot = (slot + 1) & mask;
    slots[slot] = number + 1;
  }
}

//===----------------------------------------------------------------------===//
// Positions
//===----------------------------------------------------------------------===//

/// Position 0, the empty list, is kDead. Frame 0, which nobody called, is below
/// the root; the unknown one is called from Exit, and nothing runs in
/// kUncounted.
Pushdown::Pushdown(const Automaton &automaton)
    : automaton(automaton), callers(automaton.procedureCount()) {
  steps.assign(automaton.classCount(), kDead);
  frameOf({Automaton::kExit, 0, kBottom});
  frameOf({Automaton::kExit, 1, kBottom});
}

bool Pushdown::mayWork(size_t amount) {
  work += amount;
  if (work > kMostWork ||
      frames.itemCount() + positions.itemCount() + steps.size() > kTooLarge)
    exhausted = true;
  return !exhausted;
}

Position Pushdown::start() {
  reach(automaton.start(), kBottom);
  return close();
}

/// kBottom and these two states have the lowest numbers, so such a thread is
/// the first of its position.
bool Pushdown::beginsWith(Position at, StateId state) const {
  auto threads = positions[at];
  return !threads.empty() && threads[0] == Thread{kBottom, state};
}

Position Pushdown::findStep(Position from, uint8_t byte, uint8_t byteClass) {
  for (Thread thread : positions[from]) {
    const State &state = automaton[thread.state];
    if (state.kind != State::Bytes)
      continue;
    const ByteEdge *edges = automaton.edgesOf(state);
    for (uint32_t i = 0; i < state.count; ++i)
      if (edges[i].first <= byte && byte <= edges[i].last)
        reach(edges[i].next, thread.frame);
    work += state.count;
  }
  const Position to = close();
  // What was cut short must not be remembered.
  if (!exhausted)
    steps[size_t(from) * automaton.classCount() + byteClass] = to;
  return to;
}

Position Pushdown::endOf(Frame frame) {
  leave(frame);
  return close();
}

Position Pushdown::behind(Caller caller) {
  reach(automaton[caller.state].next, caller.below);
  return close();
}

/// A frame's callers have frames with smaller numbers.
uint32_t Pushdown::timesOf(Position at) {
  uint32_t fewest = UINT32_MAX;
  for (Thread thread : positions[at]) {
    while (fewestTimes.size() <= thread.frame) {
      uint32_t least = UINT32_MAX;
      for (Caller caller : frames[Frame(fewestTimes.size())])
        least = std::min(least, caller.below == kUncounted
                                    ? caller.count
                                    : fewestTimes[caller.below]);
      fewestTimes.push_back(fewestTimes.empty() ? 0 : least);
    }
    fewest = std::min(fewest, fewestTimes[thread.frame]);
  }
  return fewest;
}

void Pushdown::appendExits(Position at, std::vector<uint32_t> &exits) const {
  for (Thread thread : positions[at]) {
    if (thread.state != Automaton::kExit)
      continue;
    if (thread.frame == kBottom)
      exits.push_back(0);
    for (Caller caller : frames[thread.frame])
      if (caller.below == kUncounted)
        exits.push_back(caller.count);
  }
}

Position Pushdown::positionOf(std::vector<Thread> threads) {
  std::sort(threads.begin(), threads.end());
  return addPosition(threads);
}

Position Pushdown::addPosition(std::vector<Thread> &threads) {
  const Position made = positions.numberOf(threads);
  if (const size_t places = size_t(positions.count()) * automaton.classCount();
      places > steps.size())
    steps.resize(places, kNotMade);
  return made;
}

/// The position of all that was reached, followed to where bytes are needed.
Position Pushdown::close() {
  follow();
  while (!ranks.empty() && !exhausted) {
    std::pop_heap(ranks.begin(), ranks.end(), std::greater<>());
    const Procedure procedure = automaton.procedureOfRank(ranks.back());
    ranks.pop_back();
    std::vector<Caller> &list = callers[procedure];
    std::sort(list.begin(), list.end());
    list.erase(std::unique(list.begin(), list.end()), list.end());
    const Frame frame = frames.numberOf(list);
    list.clear();
    if (automaton.startOf(procedure) != Automaton::kNone)
      reach(automaton.startOf(procedure), frame);
    follow();
  }
  if (exhausted) {
    for (uint32_t rank : ranks)
      callers[automaton.procedureOfRank(rank)].clear();
    ranks.clear();
    arrived.clear();
  }
  std::sort(arrived.begin(), arrived.end());
  const Position made = addPosition(arrived);
  waiting.clear();
  arrived.clear();
  // Clearing takes time by the size that it once had.
  if (seen.bucket_count() > kMostBuckets)
    seen = std::unordered_set<uint64_t>();
  seen.clear();
  return made;
}

void Pushdown::reach(StateId state, Frame frame) {
  if (seen.insert(uint64_t(frame) << 32 | state).second && mayWork(1))
    waiting.push_back({frame, state});
}

void Pushdown::follow() {
  while (!waiting.empty() && !exhausted) {
    const Thread thread = waiting.back();
    waiting.pop_back();
    const State &state = automaton[thread.state];
    switch (state.kind) {
    case State::Bytes:
    case State::Accept:
    case State::Exit:
      arrived.push_back(thread);
      break;
    case State::Branch:
      for (uint32_t i = 0; i < state.count; ++i)
        reach(automaton.targetsOf(state)[i], thread.frame);
      break;
    case State::Call:
      // Who does nothing but end afterwards is left out of the stack, so that a
      // list that is recursive at its end needs none.
      if (state.next == Automaton::kEnd) {
        for (Caller caller : frames[thread.frame])
          call(state.procedure, caller);
        break;
      }
      call(state.procedure, {thread.state, 0, thread.frame});
      break;
    case State::Repeat:
      call(state.procedure, {thread.state, 1, thread.frame});
      break;
    case State::End:
      leave(thread.frame);
      break;
    }
  }
}

void Pushdown::call(Procedure procedure, Caller caller) {
  if (!mayWork(1))
    return;
  if (callers[procedure].empty()) {
    ranks.push_back(automaton.rankOf(procedure));
    std::push_heap(ranks.begin(), ranks.end(), std::greater<>());
  }
  callers[procedure].push_back(caller);
}

void Pushdown::leave(Frame frame) {
  for (Caller caller : frames[frame]) {
    if (caller.below == kUncounted) {
      reach(Automaton::kExit, frame);
      call(caller.state, {caller.state, caller.count + 1, kUncounted});
      continue;
    }
    const State &state = automaton[caller.state];
    if (state.kind == State::Exit) {
      reach(caller.state, caller.below);
      continue;
    }
    if (caller.count == 0) {
      reach(state.next, caller.below);
      continue;
    }
    if (caller.count >= state.least)
      reach(state.next, caller.below);
    if (state.most ==
        kUnbounded) // beyond the least it does not matter how many
      call(state.procedure,
           {caller.state, std::min(caller.count + 1, state.least),
            caller.below});
    else if (caller.count < state.most)
      call(state.procedure, {caller.state, caller.count + 1, caller.below});
  }
}

//===----------------------------------------------------------------------===//
// Memory
//===----------------------------------------------------------------------===//

bool Pushdown::isLarge() const {
  return frames.itemCount() + positions.itemCount() + steps.size() > kLarge;
}

/// A frame's callers have frames with smaller numbers, so two passes suffice.
Position Pushdown::collect(Position at) {
  std::vector<bool> isNeeded(frames.count());
  for (Thread thread : positions[at])
    isNeeded[thread.frame] = true;
  for (Frame frame = frames.count(); frame-- > 0;)
    if (isNeeded[frame])
      for (Caller caller : frames[frame])
        isNeeded[caller.below] = true;

  Pushdown kept(automaton);
  std::vector<Frame> newFrames(frames.count());
  auto renamed = [](auto list, auto rename) {
    std::vector items(list.begin(), list.end());
    for (auto &item : items)
      rename(item);
    std::sort(items.begin(), items.end());
    return items;
  };
  for (Frame frame = 0; frame < frames.count(); ++frame)
    if (isNeeded[frame])
      newFrames[frame] =
          kept.frames.numberOf(renamed(frames[frame], [&](Caller &caller) {
            caller.below = newFrames[caller.below];
          }));
  const Position result =
      kept.positionOf(renamed(positions[at], [&](Thread &thread) {
        thread.frame = newFrames[thread.frame];
      }));
  frames = std::move(kept.frames);
  positions = std::move(kept.positions);
  steps = std::move(kept.steps);
  fewestTimes.clear();
  exhausted = false;
  return result;
}

} // namespace corellama::runtime::grammar
