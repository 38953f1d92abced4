//===- EmulatorMemory.cpp - which memory a thread may touch, and when -----===//
//
// See EmulatorMemory.h.
//
//===----------------------------------------------------------------------===//

#include "test/emulator/EmulatorMemory.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/Twine.h"
#include "llvm/Support/ErrorHandling.h"
#include "llvm/Support/MathExtras.h"

using namespace corellama;

/// A NaN as float32, f16 and bf16.
static constexpr uint8_t kNotANumber = 0xff;

EmulatorMemory::EmulatorMemory(llvm::ArrayRef<MemoryRange> given,
                               bool findConflicts)
    : findConflicts(findConflicts) {
  ranges.resize(2);
  // What no other launch has is as good as constant to it.
  ranges[kWorkgroup] = {"workgroup memory", nullptr, 0, true, true, nullptr};
  ranges[kWeights] = {"weights", nullptr, 0, false, true, nullptr};
  for (const MemoryRange &range : given) {
    Range made = {range.name,     range.begin,    range.bytes,
                  range.writable, range.constant, nullptr};
    if (range.writable)
      watch(made, range.bytes);
    if (made.name == ranges[kWeights].name)
      ranges[kWeights] = std::move(made);
    else
      ranges.push_back(std::move(made));
  }
}

void EmulatorMemory::watch(Range &range, size_t bytes) {
  if (!findConflicts)
    return;
  size_t cells = llvm::divideCeil(bytes, kCellBytes) + 1;
  range.cells.reset(static_cast<Cell *>(std::calloc(cells, sizeof(Cell))));
  if (!range.cells)
    llvm::report_bad_alloc_error("no memory to watch a kernel's accesses");
}

uint32_t EmulatorMemory::tick() {
  if (++now == 0)
    llvm::report_fatal_error("the emulator's clock has run through its range");
  return now;
}

void EmulatorMemory::beginLaunch(bool early) {
  overlaps = early;
  launchStart = blockStart = tick();
  blockStarts.clear();
}

void EmulatorMemory::growWorkgroup(size_t bytes) {
  Range &range = ranges[kWorkgroup];
  // cuda.shared begins at a multiple of 128, AlignedBytes at one of 64.
  constexpr size_t kAlignment = 128;
  workgroup = AlignedBytes(bytes + kAlignment);
  range.begin = reinterpret_cast<uint8_t *>(
      llvm::alignTo(reinterpret_cast<uintptr_t>(workgroup.data()), kAlignment));
  watch(range, bytes);
}

void EmulatorMemory::beginBlock(uint32_t block, size_t sharedBytes) {
  Range &range = ranges[kWorkgroup];
  if (!range.begin || sharedBytes > workgroup.size() - 128)
    growWorkgroup(sharedBytes);
  range.bytes = sharedBytes;
  std::fill_n(range.begin, sharedBytes, kNotANumber);
  std::fill(std::begin(hasWaited), std::end(hasWaited), !overlaps);
  barrier();
  blockStart = barrierTime;
  blockStarts.emplace_back(blockStart, block);
}

//===----------------------------------------------------------------------===//
// Accesses
//===----------------------------------------------------------------------===//

bool EmulatorMemory::access(uint32_t thread, const void *address, size_t bytes,
                            size_t alignment, Access kind) {
  auto *first = static_cast<const uint8_t *>(address);
  const bool writes = kind != Access::Read;
  const Range *range = find(first);
  const size_t at = range ? first - range->begin : 0;
  if (!range || bytes > range->bytes - at ||
      (reinterpret_cast<uintptr_t>(address) & (alignment - 1)) != 0 ||
      (writes && (!range->writable || (at | bytes) % kCellBytes != 0)))
    return refuse(thread, address, bytes, alignment, kind);
  if (!range->constant && !hasWaited[thread])
    return early(*range, at, thread, kind);
  return !range->cells || order(*range, at, bytes, thread, kind);
}

/// Whether what `thread` does now is ordered behind what `other` did at `time`,
/// in this launch, and if in workgroup memory in this block.
bool EmulatorMemory::follows(uint32_t thread, uint32_t time,
                             uint32_t other) const {
  if (time < barrierTime)
    return time >= blockStart;
  const uint32_t warp = thread / kWarpLanes;
  return other == thread ||
         (other / kWarpLanes == warp && time < warpTimes[warp]);
}

void EmulatorMemory::noteRead(Cell &cell, uint32_t thread) const {
  const uint32_t warp = thread / kWarpLanes, time = warpTimes[warp];
  auto isOther = [&](uint32_t reader) { return reader / kWarpLanes != warp; };
  if (cell.readTime >= barrierTime) {
    if (cell.reader == thread && cell.readTime == time)
      return;
    if (isOther(cell.reader)) {
      cell.otherReader = static_cast<uint16_t>(thread + 1);
      return;
    }
    if (cell.otherReader && isOther(cell.otherReader - 1))
      return;
    if (cell.readTime == time) {
      cell.otherReader = static_cast<uint16_t>(thread + 1);
      return;
    }
  } else if (cell.readTime < blockStart) {
    cell.earlierTime = cell.readTime;
    cell.earlierReader = cell.reader;
  }
  cell.readTime = time;
  cell.reader = static_cast<uint16_t>(thread);
  cell.otherReader = 0;
}

/// Remembers an access and compares it with those that it has no order with.
bool EmulatorMemory::order(const Range &range, size_t at, size_t bytes,
                           uint32_t thread, Access kind) {
  // Each block has workgroup memory of its own.
  const uint32_t since =
      &range == &ranges[kWorkgroup] ? blockStart : launchStart;
  Cell *const end = range.cells.get() + (at + bytes - 1) / kCellBytes + 1;
  for (Cell *cell = range.cells.get() + at / kCellBytes; cell != end; ++cell) {
    if (cell->copier)
      return unfinished(range, *cell, thread, kind);
    if (cell->writeTime >= since &&
        !follows(thread, cell->writeTime, cell->writer))
      return conflict(range, *cell, thread, kind, cell->writer, cell->writeTime,
                      "writes");
    if (kind == Access::Read) {
      noteRead(*cell, thread);
      continue;
    }
    if (cell->copies)
      return unfinished(range, *cell, thread, kind);
    if (cell->readTime >= since) {
      uint32_t readers[] = {cell->reader, cell->otherReader - 1u};
      for (uint32_t reader : llvm::ArrayRef(readers, cell->otherReader ? 2 : 1))
        if (!follows(thread, cell->readTime, reader))
          return conflict(range, *cell, thread, kind, reader, cell->readTime,
                          "reads");
    }
    if (cell->earlierTime >= since)
      return conflict(range, *cell, thread, kind, cell->earlierReader,
                      cell->earlierTime, "reads");
    cell->writeTime = warpTimes[thread / kWarpLanes];
    cell->writer = static_cast<uint16_t>(thread);
  }
  return true;
}

//===----------------------------------------------------------------------===//
// Copies
//===----------------------------------------------------------------------===//

llvm::MutableArrayRef<EmulatorMemory::Cell>
EmulatorMemory::cellsOf(const uint8_t *first, size_t bytes) const {
  const Range *range = find(first);
  if (!range || !range->cells || bytes == 0)
    return {};
  const size_t at = first - range->begin;
  return {range->cells.get() + at / kCellBytes,
          range->cells.get() + (at + bytes - 1) / kCellBytes + 1};
}

void EmulatorMemory::mark(const AsyncCopy &copy, uint16_t copier, int more) {
  for (Cell &cell : cellsOf(copy.target, AsyncCopy::kBytes))
    cell.copier = copier;
  for (Cell &cell : cellsOf(copy.source, copy.valid))
    cell.copies = static_cast<uint16_t>(cell.copies + more);
}

// The copy's clock is its thread's at its beginning: what it has no order with
// of all that came before, its thread has none with either. What comes later
// has none with it until its thread has waited, which the marks say.
bool EmulatorMemory::beginCopy(uint32_t thread, const AsyncCopy &copy) {
  if ((copy.valid > 0 &&
       !read(thread, copy.source, copy.valid, AsyncCopy::kBytes)) ||
      !access(thread, copy.target, AsyncCopy::kBytes, AsyncCopy::kBytes,
              Access::Copy))
    return false;
  mark(copy, static_cast<uint16_t>(thread + 1), 1);
  return true;
}

// Its accesses are behind no other than at its beginning, and before all that
// its thread does now, so from now on they are as its thread's.
bool EmulatorMemory::endCopy(uint32_t thread, const AsyncCopy &copy) {
  dropCopy(copy);
  return (copy.valid == 0 ||
          read(thread, copy.source, copy.valid, AsyncCopy::kBytes)) &&
         access(thread, copy.target, AsyncCopy::kBytes, AsyncCopy::kBytes,
                Access::Copy);
}

//===----------------------------------------------------------------------===//
// Reports
//===----------------------------------------------------------------------===//

bool EmulatorMemory::refuse(uint32_t thread, const void *address, size_t bytes,
                            size_t alignment, Access kind) {
  auto *first = static_cast<const uint8_t *>(address);
  std::string text = "thread " + std::to_string(thread) +
                     (kind == Access::Read ? " reads " : " writes ") +
                     std::to_string(bytes) + " bytes";
  const Range *range = find(first);
  if (!range)
    return fail(text + " outside all memory of the launch");
  const size_t at = first - range->begin;
  text += " at " + range->name + " + " + std::to_string(at);
  if (bytes > range->bytes - at)
    return fail(text + ", which has " + std::to_string(range->bytes) +
                " bytes");
  if ((reinterpret_cast<uintptr_t>(address) & (alignment - 1)) != 0)
    return fail(text + ", which is no multiple of " +
                std::to_string(alignment));
  if (!range->writable)
    return fail(text + ", which is read-only");
  return fail(text + ": single bytes are not watched");
}

std::string EmulatorMemory::place(const Range &range, size_t at,
                                  uint32_t thread, Access kind) const {
  static const char *const kDoes[] = {" reads ", " writes ", " copies to "};
  return "thread " + std::to_string(thread) + kDoes[static_cast<int>(kind)] +
         range.name + " + " + std::to_string(at);
}

std::string EmulatorMemory::place(const Range &range, const Cell &cell,
                                  uint32_t thread, Access kind) const {
  const size_t at = (&cell - range.cells.get()) * kCellBytes;
  return place(range, at, thread, kind) + ", which ";
}

bool EmulatorMemory::early(const Range &range, size_t at, uint32_t thread,
                           Access kind) {
  return fail(place(range, at, thread, kind) +
              ", and has not waited for earlier launches");
}

bool EmulatorMemory::unfinished(const Range &range, const Cell &cell,
                                uint32_t thread, Access kind) {
  return fail(place(range, cell, thread, kind) +
              (cell.copier ? "a copy of thread " +
                                 std::to_string(cell.copier - 1) + " fills"
                           : "a copy reads") +
              " that no copy_wait has covered");
}

uint32_t EmulatorMemory::blockAt(uint32_t time) const {
  auto after =
      llvm::upper_bound(blockStarts, time,
                        [](uint32_t t, const std::pair<uint32_t, uint32_t> &b) {
                          return t < b.first;
                        });
  return std::prev(after)->second;
}

bool EmulatorMemory::conflict(const Range &range, const Cell &cell,
                              uint32_t thread, Access kind, uint32_t other,
                              uint32_t otherTime, const char *otherDoes) {
  bool sameBlock = otherTime >= blockStart;
  std::string who = "thread " + std::to_string(other);
  if (!sameBlock)
    who += " of block " + std::to_string(blockAt(otherTime));
  return fail(
      place(range, cell, thread, kind) + who + " " + otherDoes +
      (sameBlock ? ", with no barrier between them" : " in the same launch"));
}
