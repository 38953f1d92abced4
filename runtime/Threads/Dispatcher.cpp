//===- Dispatcher.cpp - the parts of a dispatch, shared among workers -----===//
//
// See Dispatcher.h. Parts are counted in units that fit 16 bits.
//
// Why no part is lost or computed twice: a share is changed by compare and
// exchange only, from what was read, and its numbers never come back, because
// the number of its dispatch is in the same word. A worker goes to the next
// dispatch only when all shares of this one are empty, so a word that a newer
// dispatch overwrites had nothing left. A worker that comes late finds newer
// numbers or empty shares and goes on to where the others are.
//
//===----------------------------------------------------------------------===//

#include "runtime/Threads/Dispatcher.h"

#include "runtime/Threads/Delays.h"

#include <algorithm>

namespace corellama::runtime {

Dispatcher::Dispatcher(uint32_t workers, bool crowded)
    : waiting(crowded), count(workers), shares(workers), positions(workers) {}

Dispatcher::Range Dispatcher::take(uint32_t worker, uint32_t number,
                                   uint32_t units) {
  const uint32_t smallest = units / (count * kPieces) + 1;
  for (uint32_t i = 0; i < count; ++i) {
    const uint32_t owner = (worker + i) % count;
    std::atomic<uint64_t> &share = shares[owner].word;
    uint64_t bits = share.load(std::memory_order_acquire);
    while (true) {
      Word word = Word::of(bits);
      if (word.isNewerThan(number))
        return {0, 0};
      if (word.number != number)
        word = {number, uint32_t(uint64_t(units) * owner / count),
                uint32_t(uint64_t(units) * (owner + 1) / count)};
      const uint32_t left = word.second - word.first;
      // An empty share of one's own is noted too: a number that is not renewed
      // would one day be taken for a newer one.
      if (left == 0 && (i != 0 || bits == word.bits()))
        break;
      const uint32_t taken = std::min(left, std::max(left / 2, smallest));
      // The owner goes through its share in the order of memory, so others take
      // from the end.
      Range range;
      if (i == 0) {
        range = {word.first, word.first + taken};
        word.first += taken;
      } else {
        range = {word.second - taken, word.second};
        word.second -= taken;
      }
      if (share.compare_exchange_weak(bits, word.bits(),
                                      std::memory_order_acq_rel,
                                      std::memory_order_acquire)) {
        if (taken == 0)
          break;
        return range;
      }
    }
  }
  return {0, 0};
}

void Dispatcher::finish(uint32_t number, uint32_t done, uint32_t units) {
  std::atomic<uint64_t> &entry = computed[number % kOpen].word;
  uint64_t bits = entry.load(std::memory_order_acquire);
  Word word;
  do {
    word = Word::of(bits);
    const uint32_t before = word.number == number ? word.second : 0;
    word = {number, 0, before + done};
  } while (!entry.compare_exchange_weak(
      bits, word.bits(), std::memory_order_acq_rel, std::memory_order_acquire));
  if (word.second == units)
    waiting.notify();
}

bool Dispatcher::isOver(uint32_t number, uint32_t units) const {
  const Word word =
      Word::of(computed[number % kOpen].word.load(std::memory_order_acquire));
  return word.isNewerThan(number) ||
         (word.number == number && word.second == units) || units == 0;
}

void Dispatcher::run(uint32_t worker, const Work &work, uint64_t parts) {
  injectDelay(worker);
  Position &position = positions[worker];
  if (position.open == kOpen)
    wait(worker);
  const uint32_t number = position.next++;
  // Parts of a unit, so that the number of units fits 16 bits.
  const uint64_t size = parts / 0xffff + 1;
  const auto units = uint32_t((parts + size - 1) / size);
  position.units[position.open++] = units;
  uint32_t done = 0;
  for (Range range; !(range = take(worker, number, units)).isEmpty();) {
    const uint64_t begin = range.begin * size,
                   end = std::min(range.end * size, parts);
    noteKernel(worker);
    work.kernel(work.context, work.scratch, work.layer, uint32_t(begin),
                uint32_t(end), /*first=*/done == 0);
    done += range.end - range.begin;
    injectDelay(worker);
  }
  if (done != 0)
    finish(number, done, units);
}

void Dispatcher::wait(uint32_t worker) {
  injectDelay(worker);
  Position &position = positions[worker];
  for (uint32_t i = 0; i < position.open; ++i) {
    const uint32_t number = position.next - position.open + i;
    const uint32_t units = position.units[i];
    waiting.until([&] { return isOver(number, units); });
  }
  position.open = 0;
}

} // namespace corellama::runtime

using corellama::runtime::Dispatcher;

extern "C" void corellama_dispatch(void *threads, uint32_t worker,
                                   corellama::abi::KernelFunction kernel,
                                   const corellama::abi::Context *context,
                                   void *scratch, uint32_t layer,
                                   uint64_t parts) {
  static_cast<Dispatcher *>(threads)->run(
      worker, {kernel, context, scratch, layer}, parts);
}

extern "C" void corellama_barrier(void *threads, uint32_t worker) {
  static_cast<Dispatcher *>(threads)->wait(worker);
}
