//===- EmulatorTraffic.cpp - what a kernel asks memory for ----------------===//
//
// See EmulatorTraffic.h.
//
//===----------------------------------------------------------------------===//

#include "test/emulator/EmulatorTraffic.h"
#include "test/emulator/TensorCore.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/SmallVector.h"
#include <algorithm>
#include <set>
#include <utility>

using namespace corellama;

/// Of an address, those within a memory.
static constexpr unsigned kMemoryBits = 48;
static constexpr const char *kWorkgroup = "workgroup";
/// The most that one instruction moves for a lane.
static constexpr uint32_t kWidest = 16;
static constexpr uint32_t kBanks = 32, kBankBytes = 4;

const char *EmulatorTraffic::nameOf(Kind kind) {
  static const char *const kNames[] = {"load",    "store",    "copy",
                                       "copy-to", "ldmatrix", "prefetch"};
  return kNames[static_cast<int>(kind)];
}

std::vector<uint32_t> EmulatorTraffic::begin(const std::string &kernel,
                                             uint64_t blocks) {
  const uint64_t count = std::min(blocks, mostBlocks);
  std::vector<uint32_t> chosen;
  // In the middle of equal parts of the grid: the last block may be partial.
  for (uint64_t i = 0; i < count; ++i)
    chosen.push_back(static_cast<uint32_t>((2 * i + 1) * blocks / (2 * count)));
  done.push_back({kernel, blocks, count, 0, 0, {}});
  return chosen;
}

void EmulatorTraffic::record(Kind kind, uint32_t site, uint32_t thread,
                             const void *address, uint32_t bytes,
                             uint32_t alignment) {
  const uint32_t width = std::min({bytes, alignment, kWidest});
  const uint64_t number = counts[{kind, site, thread}]++;
  for (uint32_t at = 0; at < bytes; at += width)
    accesses.push_back({{kind, site, thread / kWarpLanes, number, at / width},
                        reinterpret_cast<uint64_t>(address) + at,
                        thread % kWarpLanes,
                        width});
}

/// Passes over 32 banks: as many as one bank has words to give.
static uint32_t passesOf(llvm::ArrayRef<EmulatorTraffic::Access> lanes) {
  std::set<uint64_t> words;
  for (const EmulatorTraffic::Access &access : lanes)
    for (uint64_t at = access.address / kBankBytes;
         at <= (access.address + access.width - 1) / kBankBytes; ++at)
      words.insert(at);
  uint32_t most = 0, used[kBanks] = {};
  for (uint64_t word : words)
    most = std::max(most, ++used[word % kBanks]);
  return most;
}

void EmulatorTraffic::countWorkgroup(llvm::ArrayRef<Access> request,
                                     Site &site) {
  const uint32_t together =
      kBanks * kBankBytes / std::max(request.front().width, kBankBytes);
  uint32_t passes = 0, least = 0;
  for (uint32_t first = 0; first < kWarpLanes; first += together) {
    llvm::SmallVector<Access> lanes;
    llvm::copy_if(request, std::back_inserter(lanes), [&](const Access &a) {
      return a.lane >= first && a.lane < first + together;
    });
    passes += passesOf(lanes);
    least += !lanes.empty();
  }
  site.passes += passes;
  site.leastPasses += least;
  site.worst = std::max<uint64_t>(site.worst, passes - least);
}

void EmulatorTraffic::countGlobal(llvm::ArrayRef<Access> request, Site &site) {
  llvm::SmallVector<std::pair<uint64_t, uint64_t>> parts;
  for (const Access &access : request)
    parts.emplace_back(access.address, access.address + access.width);
  llvm::sort(parts);
  uint64_t bytes = 0, covered = 0, lastSector = 0, lastLine = 0;
  for (auto [begin, end] : parts) {
    bytes += std::max(covered, end) - std::max(covered, begin);
    covered = std::max(covered, end);
    for (uint64_t sector = begin / kSector; sector <= (end - 1) / kSector;
         ++sector) {
      if (sector == lastSector)
        continue;
      lastSector = sector;
      ++site.sectors;
      const uint64_t line = sector * kSector / kLine;
      site.lines += line != std::exchange(lastLine, line);
      if (site.kind == Kind::Store) {
        ++storedSectors;
      } else if (site.kind == Kind::Prefetch) {
        for (uint64_t i = 0; i < kLine / kSector; ++i)
          blockBytes.insert(line * (kLine / kSector) + i);
      } else {
        blockSectors.insert(sector);
        blockBytes.insert(sector);
      }
    }
  }
  site.fewest += (bytes + kSector - 1) / kSector;
}

/// Puts an address where the emulator's own do not matter: on a GPU each memory
/// begins at a multiple of 256. Number 0 is workgroup memory.
void EmulatorTraffic::place(Access &access, const uint8_t *shared,
                            size_t sharedBytes) const {
  auto isIn = [&](const uint8_t *begin, size_t bytes) {
    const uint64_t at = access.address - reinterpret_cast<uint64_t>(begin);
    if (at < bytes)
      access.address = at;
    return at < bytes;
  };
  access.memory = 0;
  if (!isIn(shared, sharedBytes))
    access.memory = 1 + std::distance(ranges.begin(),
                                      llvm::find_if(ranges, [&](const auto &r) {
                                        return isIn(r.begin, r.bytes);
                                      }));
  access.address += uint64_t(access.memory) << kMemoryBits;
}

void EmulatorTraffic::endBlock(const uint8_t *shared, size_t sharedBytes) {
  for (Access &access : accesses)
    place(access, shared, sharedBytes);
  llvm::sort(accesses, [](const Access &a, const Access &b) {
    return std::tie(a.request, a.lane) < std::tie(b.request, b.lane);
  });
  for (size_t i = 0; i < accesses.size();) {
    size_t end = i + 1;
    while (end < accesses.size() &&
           accesses[end].request == accesses[i].request)
      ++end;
    llvm::ArrayRef<Access> request(&accesses[i], end - i);
    i = end;
    const Access &first = request.front();
    const auto [kind, number, warp, turn, piece] = first.request;
    const bool isWorkgroup = first.memory == 0;
    const std::string memory =
        isWorkgroup ? kWorkgroup : ranges[first.memory - 1].name;
    Site &site =
        sites.try_emplace({kind, number, memory}, Site{kind, number, memory})
            .first->second;
    site.width = first.width;
    ++site.requests;
    if (isWorkgroup)
      countWorkgroup(request, site);
    else
      countGlobal(request, site);
  }
  accesses.clear();
  counts.clear();
  readSectors += blockSectors.size();
  for (uint64_t sector : blockBytes)
    ++blocksOf[sector];
  blockSectors.clear();
  blockBytes.clear();
}

void EmulatorTraffic::end() {
  Launch &launch = done.back();
  const double scale =
      static_cast<double>(launch.blocks) / static_cast<double>(launch.ran);
  launch.l2Bytes =
      scale * static_cast<double>(kSector * (readSectors + storedSectors));
  uint64_t own = 0, common = 0;
  for (const auto &[sector, blocks] : blocksOf)
    ++(blocks == 1 ? own : common);
  launch.dramBytes =
      static_cast<double>(kSector) *
      (scale * static_cast<double>(own) + static_cast<double>(common));
  for (auto &[key, site] : sites)
    launch.sites.push_back(std::move(site));
  sites.clear();
  blocksOf.clear();
  readSectors = storedSectors = 0;
}
