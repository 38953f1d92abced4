//===- Cpus.cpp - affinity mask and control groups ------------------------===//
//
// See Cpus.h. /proc/self/cgroup names this process's group in each hierarchy.
// In a container the name may be the host's while only the container's own
// group is mounted, so the group and all groups above it are looked at, up to
// the mount's root: each of them may limit, and missing ones do not.
//
//===----------------------------------------------------------------------===//

#include "runtime/Threads/Cpus.h"

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <sched.h>
#include <string_view>

namespace corellama::runtime {

/// The file's first 64 KiB (the files here have a few lines), empty if it
/// cannot be read.
static std::string readSmallFile(const std::string &path) {
  std::string text;
  if (FILE *file = fopen(path.c_str(), "re")) {
    text.resize(64 << 10);
    text.resize(fread(text.data(), 1, text.size(), file));
    fclose(file);
  }
  return text;
}

/// Removes the text before the next `separator` from `rest`.
static std::string_view nextField(std::string_view &rest, char separator) {
  size_t end = rest.find(separator);
  std::string_view field = rest.substr(0, end);
  rest.remove_prefix(end == rest.npos ? rest.size() : end + 1);
  return field;
}

/// A positive number at the start of `text`; 0 for "max", -1 and the like.
static uint64_t positiveNumber(std::string_view text) {
  int64_t value = 0;
  auto [end, error] =
      std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc() && value > 0 ? uint64_t(value) : 0;
}

static void lower(std::optional<uint32_t> &limit, uint64_t quota,
                  uint64_t period) {
  if (quota == 0 || period == 0)
    return;
  // Rounded down: with one thread more than the quota allows, all threads are
  // stopped for the rest of every period.
  uint32_t cpus = uint32_t(std::clamp<uint64_t>(quota / period, 1, UINT32_MAX));
  limit = std::min(limit.value_or(cpus), cpus);
}

/// Calls `visit` with the folder of `group` below `mount` and of all groups
/// above it.
template <typename Visit>
static void forEachGroup(const std::string &mount, std::string_view group,
                         Visit visit) {
  while (!group.empty() && group != "/") {
    visit(mount + std::string(group) + "/");
    group = group.substr(0, group.rfind('/'));
  }
  visit(mount + "/");
}

std::vector<uint32_t> affinityCpus() {
  std::vector<uint32_t> cpus;
  cpu_set_t set;
  CPU_ZERO(&set);
  if (sched_getaffinity(0, sizeof(set), &set) != 0)
    return cpus;
  for (uint32_t cpu = 0; cpu < CPU_SETSIZE; ++cpu)
    if (CPU_ISSET(cpu, &set))
      cpus.push_back(cpu);
  return cpus;
}

std::optional<uint32_t> quotaCpus(const std::string &root) {
  std::optional<uint32_t> limit;
  const std::string groups = readSmallFile(root + "/proc/self/cgroup");
  const std::string mounts = root + "/sys/fs/cgroup";
  std::string_view rest = groups;
  while (!rest.empty()) {
    // hierarchy:controllers:path
    std::string_view line = nextField(rest, '\n');
    std::string_view hierarchy = nextField(line, ':');
    std::string_view controllers = nextField(line, ':');
    std::string_view group = line;
    if (group.empty() || group.front() != '/' ||
        group.find("/..") != group.npos)
      group = "/";
    if (hierarchy == "0" && controllers.empty()) {
      for (const char *mount : {"", "/unified"})
        forEachGroup(mounts + mount, group, [&](const std::string &folder) {
          // QUOTA PERIOD, where QUOTA may be "max"
          std::string text = readSmallFile(folder + "cpu.max");
          std::string_view fields = text;
          uint64_t quota = positiveNumber(nextField(fields, ' '));
          lower(limit, quota, positiveNumber(fields));
        });
      continue;
    }
    while (!controllers.empty()) {
      if (nextField(controllers, ',') != "cpu")
        continue;
      for (const char *mount : {"/cpu", "/cpu,cpuacct", "/cpuacct,cpu"})
        forEachGroup(mounts + mount, group, [&](const std::string &folder) {
          lower(limit,
                positiveNumber(readSmallFile(folder + "cpu.cfs_quota_us")),
                positiveNumber(readSmallFile(folder + "cpu.cfs_period_us")));
        });
    }
  }
  return limit;
}

uint32_t allowedCpus() {
  size_t cpus = std::max<size_t>(affinityCpus().size(), 1);
  return std::min(uint32_t(cpus), quotaCpus("").value_or(UINT32_MAX));
}

void bindTo(std::span<const uint32_t> cpus) {
  cpu_set_t set;
  CPU_ZERO(&set);
  for (uint32_t cpu : cpus)
    CPU_SET(cpu, &set);
  sched_setaffinity(0, sizeof(set), &set);
}

} // namespace corellama::runtime
