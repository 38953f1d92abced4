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
#include <cstring>

using namespace corellama;

/// A NaN as float32, f16 and bf16.
static constexpr int kNotANumber = 0xff;

EmulatorMemory::EmulatorMemory(llvm::ArrayRef<MemoryRange> given,
                               bool findConflicts)
    : findConflicts(findConflicts) {
  ranges.resize(2);
  ranges[kWorkgroup] = {"workgroup memory", nullptr, 0, true, nullptr};
  ranges[kWeights] = {"weights", nullptr, 0, false, nullptr};
  for (const MemoryRange &range : given) {
    Range made = {range.name, range.begin, range.bytes, range.writable,
                  nullptr};
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

void EmulatorMemory::beginLaunch() {
  launchStart = blockStart = ++now;
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
  std::memset(range.begin, kNotANumber, sharedBytes);
  blockStart = ++now;
  blockStarts.emplace_back(now, block);
}

uint32_t EmulatorMemory::blockAt(uint32_t time) const {
  auto after =
      llvm::upper_bound(blockStarts, time,
                        [](uint32_t t, const std::pair<uint32_t, uint32_t> &b) {
                          return t < b.first;
                        });
  return std::prev(after)->second;
}

bool EmulatorMemory::access(uint32_t thread, const void *address, size_t bytes,
                            size_t alignment, Access kind) {
  auto *first = static_cast<const uint8_t *>(address);
  bool writes = kind != Access::Read;
  // Made only for a report: this function is called millions of times a step.
  auto does = [&] {
    return "thread " + std::to_string(thread) +
           (writes ? " writes " : " reads ") + std::to_string(bytes) + " bytes";
  };
  for (const Range &range : ranges) {
    size_t at = first - range.begin;
    if (at >= range.bytes)
      continue;
    auto place = [&] {
      return does() + " at " + range.name + " + " + std::to_string(at);
    };
    if (bytes > range.bytes - at)
      return fail(place() + ", which has " + std::to_string(range.bytes) +
                  " bytes");
    if ((reinterpret_cast<uintptr_t>(address) & (alignment - 1)) != 0)
      return fail(place() + ", which is no multiple of " +
                  std::to_string(alignment));
    if (!writes)
      return !range.cells || order(range, at, bytes, thread, kind);
    if (!range.writable)
      return fail(place() + ", which is read-only");
    if (at % kCellBytes != 0 || bytes % kCellBytes != 0)
      return fail(place() + ": single bytes are not watched");
    return !range.cells || order(range, at, bytes, thread, kind);
  }
  return fail(does() + " outside all memory of the launch");
}

void EmulatorMemory::dropCopy(const void *target, size_t bytes) {
  if (!findConflicts)
    return;
  size_t at = static_cast<const uint8_t *>(target) - ranges[kWorkgroup].begin;
  for (size_t cell = at / kCellBytes; cell < (at + bytes) / kCellBytes; ++cell)
    ranges[kWorkgroup].cells.get()[cell].copier = 0;
}

const char *EmulatorMemory::doing(Access kind) {
  switch (kind) {
  case Access::Read:
    return "reads";
  case Access::Write:
    return "writes";
  case Access::BeginCopy:
  case Access::EndCopy:
    return "copies to";
  }
  llvm_unreachable("no such access");
}

/// Remembers an access and compares it with those that it has no order with.
bool EmulatorMemory::order(const Range &range, size_t at, size_t bytes,
                           uint32_t thread, Access kind) {
  // Each block has workgroup memory of its own.
  uint32_t since = &range == &ranges[kWorkgroup] ? blockStart : launchStart;
  for (size_t i = at / kCellBytes; i <= (at + bytes - 1) / kCellBytes; ++i) {
    Cell &cell = range.cells.get()[i];
    auto report = [&](uint32_t other, uint32_t time, const char *does) {
      return conflict(range, i, thread, kind, other, time, does);
    };
    if (cell.copier && kind != Access::EndCopy)
      return fail(("thread " + llvm::Twine(thread) + " " + doing(kind) + " " +
                   range.name + " + " + llvm::Twine(i * kCellBytes) +
                   ", which a copy of thread " + llvm::Twine(cell.copier - 1) +
                   " fills that no copy_wait has covered")
                      .str());
    if (cell.writeTime >= since &&
        (cell.writeTime < blockStart ||
         (cell.writeTime == now && cell.writer != thread)))
      return report(cell.writer, cell.writeTime, "writes");
    if (kind == Access::Read) {
      if (cell.readTime == now) {
        if (cell.reader != thread)
          cell.otherReader = static_cast<uint16_t>(thread + 1);
        continue;
      }
      if (cell.readTime < blockStart) {
        cell.earlierTime = cell.readTime;
        cell.earlierReader = cell.reader;
      }
      cell.readTime = now;
      cell.reader = static_cast<uint16_t>(thread);
      cell.otherReader = 0;
      continue;
    }
    if (cell.readTime >= since &&
        (cell.readTime < blockStart ||
         (cell.readTime == now && cell.reader != thread)))
      return report(cell.reader, cell.readTime, "reads");
    // The first reader is this thread, but another one read too.
    if (cell.readTime == now && cell.otherReader &&
        cell.otherReader != thread + 1)
      return report(cell.otherReader - 1, now, "reads");
    if (cell.earlierTime >= since)
      return report(cell.earlierReader, cell.earlierTime, "reads");
    cell.writeTime = now;
    cell.writer = static_cast<uint16_t>(thread);
    cell.copier =
        kind == Access::BeginCopy ? static_cast<uint16_t>(thread + 1) : 0;
  }
  return true;
}

bool EmulatorMemory::conflict(const Range &range, size_t cell, uint32_t thread,
                              Access kind, uint32_t other, uint32_t otherTime,
                              const char *otherDoes) {
  bool sameBlock = otherTime >= blockStart;
  std::string who = "thread " + std::to_string(other);
  if (!sameBlock)
    who += " of block " + std::to_string(blockAt(otherTime));
  return fail(
      ("thread " + llvm::Twine(thread) + " " + doing(kind) + " " + range.name +
       " + " + llvm::Twine(cell * kCellBytes) + ", which " + who + " " +
       otherDoes +
       (sameBlock ? ", with no barrier between them" : " in the same launch"))
          .str());
}
