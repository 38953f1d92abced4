//===- Pushdown.h - what a text may be so far, byte by byte ---------------===//
//
// Runs an Automaton that is nondeterministic and has a stack. All runs go on
// together: a position is a set of pairs of a state and a stack, and runs that
// differ only in how they came there are one pair. A stack is shared, too: a
// frame holds all callers of a procedure at one place of the text, each with
// the frame below it (the "graph-structured stack" of generalised LR parsing).
// So an ambiguous grammar costs at most about the square of the text for each
// byte, not a number of runs that doubles.
//
// Frames and positions are made once (equal ones have the same number), and a
// position remembers where each class of bytes leads. In most texts positions
// come again, so a step is mostly one look-up.
//
//===----------------------------------------------------------------------===//

#ifndef CORELLAMA_RUNTIME_GRAMMAR_PUSHDOWN_H
#define CORELLAMA_RUNTIME_GRAMMAR_PUSHDOWN_H

#include "runtime/Grammar/Automaton.h"

#include <cstdint>
#include <span>
#include <unordered_set>
#include <vector>

namespace corellama::runtime::grammar {

using Frame = uint32_t;
using Position = uint32_t;

/// A state that called, how often its repetition has begun by then (0: no
/// repetition), and the frame that it ran in.
struct Caller {
  StateId state;
  uint32_t count;
  Frame below;
  auto operator<=>(const Caller &) const = default;
};

/// A state, and what is called when its procedure ends.
struct Thread {
  Frame frame;
  StateId state;
  auto operator<=>(const Thread &) const = default;
};

/// Lists of which equal ones have the same number, from 0 in the order in which
/// they came; 0 is the empty list.
template <typename Item> class Lists {
public:
  Lists() { numberOf({}); }
  /// Of a sorted list.
  uint32_t numberOf(const std::vector<Item> &list);
  std::span<const Item> operator[](uint32_t number) const {
    return std::span(items).subspan(ends[number],
                                    ends[number + 1] - ends[number]);
  }
  uint32_t count() const { return uint32_t(ends.size() - 1); }
  size_t itemCount() const { return items.size(); }

private:
  void grow();
  std::vector<Item> items;
  std::vector<size_t> ends = {0};
  /// Open addressing; a power of two, at least half empty. number + 1; 0: free.
  std::vector<uint32_t> slots = std::vector<uint32_t>(64);
};

class Pushdown {
public:
  /// Nothing can follow.
  static constexpr Position kDead = 0;
  /// Frames that every Pushdown has: the answer's end is below; what is below
  /// is not known and ends in Automaton::kExit.
  static constexpr Frame kBottom = 0, kUnknown = 1;

  /// The automaton must outlive it.
  explicit Pushdown(const Automaton &automaton);

  Position start();
  /// Where a byte leads; kDead where the grammar has none such.
  Position step(Position from, uint8_t byte) {
    const uint8_t byteClass = automaton.classOf(byte);
    const uint32_t known =
        steps[size_t(from) * automaton.classCount() + byteClass];
    return known != kNotMade ? known : findStep(from, byte, byteClass);
  }
  /// Whether the answer may end here.
  bool mayEnd(Position at) const { return beginsWith(at, Automaton::kAccept); }
  /// The threads that wait for bytes or are at the end.
  std::span<const Thread> threadsOf(Position at) const { return positions[at]; }
  std::span<const Caller> callersOf(Frame frame) const { return frames[frame]; }

  /// For TokenMasks: where the frame's procedure has ended; where the caller's
  /// repetition has; the position of some threads that wait for bytes.
  Position endOf(Frame frame);
  Position behind(Caller caller);
  Frame frameOf(Caller caller) { return frames.numberOf({caller}); }
  Position positionOf(std::vector<Thread> threads);
  /// The frame of a repetition of which only the procedure is known. It may go
  /// on and may end after each time; times that are over are counted from 0.
  Frame uncountedFrame(Procedure procedure) {
    return frameOf({procedure, 0, kUncounted});
  }
  /// Over the threads, the fewest times that are over of an uncounted frame; 0
  /// without one.
  uint32_t timesOf(Position at);
  /// Appends after how many times an uncounted frame has been left here; 0 for
  /// an unknown one.
  void appendExits(Position at, std::vector<uint32_t> &exits) const;

  /// Whether a limit was reached: all that was said since may be too little.
  /// Only collect() changes that.
  bool isExhausted() const { return exhausted; }
  /// Allows as much work again as from the beginning: before each token.
  void renewWork() { work = 0; }
  /// Whether collect() is worth while.
  bool isLarge() const;
  /// Forgets all that `at` does not need, and returns its new number. All other
  /// numbers of frames and positions mean nothing then.
  Position collect(Position at);

private:
  /// Below frames of uncountedFrame(); their callers' states are procedures.
  static constexpr Frame kUncounted = 2;
  static constexpr uint32_t kNotMade = UINT32_MAX;

  bool beginsWith(Position at, StateId state) const;
  Position findStep(Position from, uint8_t byte, uint8_t byteClass);
  Position addPosition(std::vector<Thread> &threads);
  void reach(StateId state, Frame frame);
  void follow();
  void leave(Frame frame);
  void call(Procedure procedure, Caller caller);
  Position close();
  bool mayWork(size_t amount);

  const Automaton &automaton;
  Lists<Caller> frames;
  Lists<Thread> positions;
  /// By position and class of bytes.
  std::vector<uint32_t> steps;
  /// As timesOf(), by frame, as far as asked for.
  std::vector<uint32_t> fewestTimes;
  size_t work = 0;
  bool exhausted = false;

  // While one position is made:
  std::vector<Thread> waiting, arrived;
  std::unordered_set<uint64_t> seen;
  /// By procedure, and a heap of the ranks of those that have some.
  std::vector<std::vector<Caller>> callers;
  std::vector<uint32_t> ranks;
};

} // namespace corellama::runtime::grammar

#endif // CORELLAMA_RUNTIME_GRAMMAR_PUSHDOWN_H
