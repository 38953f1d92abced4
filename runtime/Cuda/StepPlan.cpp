//===- StepPlan.cpp - what --plan prints ----------------------------------===//
//
// See StepPlan.h.
//
//===----------------------------------------------------------------------===//

#include "runtime/Cuda/StepPlan.h"

#include "runtime/Cuda/MemoryPlan.h"
#include "runtime/Templates/Json.h"

#include <algorithm>
#include <cstdarg>
#include <cstdio>
#include <span>
#include <string_view>
#include <vector>

namespace corellama::runtime::cuda {

namespace {
using templates::Value;

/// Members of a manifest; what is not there, or of another kind, is empty. The
/// compiler wrote it, but the file may be damaged.
const Value kNothing;
const Value &member(const Value &of, std::string_view key) {
  const Value *found =
      of.is(Value::Kind::Dict) ? of.dict()->find(key) : nullptr;
  return found ? *found : kNothing;
}
std::span<const Value> items(const Value &of) {
  return of.is(Value::Kind::List) ? std::span<const Value>(of.list()->items)
                                  : std::span<const Value>();
}
uint64_t number(const Value &of) {
  const int64_t value = of.asInteger().value_or(0);
  return value > 0 ? uint64_t(value) : 0;
}
std::string_view text(const Value &of) {
  return of.is(Value::Kind::String) ? of.string().view() : std::string_view();
}

/// A kernel's launches in a step.
struct Row {
  const abi::DeviceKernel *kernel;
  uint64_t launches = 0;
  uint64_t weightBytes = 0;
  /// Where the cache is full.
  uint64_t cacheBytes = 0;
};

class StepTable {
public:
  StepTable(const abi::DeviceProgram &program, const MappedImage &image,
            uint64_t context, const Value &manifest)
      : image(image), context(context), manifest(manifest),
        tensors(items(member(manifest, "tensors"))) {
    for (const abi::DeviceKernel &kernel :
         std::span(program.kernels, program.kernelCount))
      rows.push_back({&kernel});
  }

  /// Adds the launches of the smallest form of a list: "forms" or "lm_heads".
  bool add(std::string_view list) {
    const auto forms = items(member(manifest, list));
    if (forms.empty())
      return false;
    for (const Value &dispatch : items(member(forms.front(), "dispatches"))) {
      const auto pair = items(dispatch);
      if (pair.size() != 2 || !add(text(pair[0]), number(pair[1])))
        return false;
    }
    return true;
  }

  /// Adds those of DeviceProgram::choose, which no list of the manifest has.
  void addChoice() {
    for (Row &row : rows)
      row.launches += std::string_view(row.kernel->name).starts_with("choose.");
  }

  std::vector<Row> rows;

private:
  bool add(std::string_view name, uint64_t layer) {
    const auto row = std::ranges::find_if(
        rows, [&](const Row &each) { return name == each.kernel->name; });
    // Kernels stand in the manifest as in the program.
    const auto kernels = items(member(manifest, "kernels"));
    const auto place = size_t(row - rows.begin());
    if (row == rows.end() || place >= kernels.size() ||
        text(member(kernels[place], "name")) != name)
      return false;
    ++row->launches;
    for (const Value &weight : items(member(kernels[place], "weights"))) {
      // The first of its tensors, and how many: one a layer, or one.
      const auto pair = items(weight);
      if (pair.size() != 2)
        return false;
      const uint64_t index =
          number(pair[0]) + (number(pair[1]) > 1 ? layer : 0);
      if (index >= tensors.size())
        return false;
      row->weightBytes += number(member(tensors[index], "bytes"));
    }
    if (member(kernels[place], "reads_cache").isTrue())
      row->cacheBytes += positionsOf(layer) *
                         (image.header->keyBytes + image.header->valueBytes);
    return true;
  }

  /// A layer with a window keeps no more than its ring.
  uint64_t positionsOf(uint64_t layer) const {
    const uint64_t ring = layer < image.rings.size() ? image.rings[layer] : 0;
    return ring ? std::min(ring, context) : context;
  }

  const MappedImage &image;
  const uint64_t context;
  const Value &manifest;
  const std::span<const Value> tensors;
};

/// As printf, to a string; lines are shorter than a screen.
[[gnu::format(printf, 2, 3)]] void print(std::string &out, const char *format,
                                         ...) {
  char line[256];
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(line, sizeof(line), format, arguments);
  va_end(arguments);
  out += line;
}
} // namespace

static void describeMemory(std::string &out, const MemoryPlan &plan) {
  print(out, "%-24s%16s\n", "memory", "bytes");
  const std::pair<const char *, uint64_t> kinds[] = {
      {"weights", plan.weights},
      {"cache of keys", plan.keys},
      {"cache of values", plan.values},
      {"workspace", plan.workspace},
      {"RoPE table", plan.rope},
      {"other tables", plan.tables},
      {"all", plan.all()},
      {"in pages of 2 MiB", plan.taken(plan.cache.capacity())},
      {"free for graphs", kGraphMargin}};
  for (const auto &[name, bytes] : kinds)
    print(out, "  %-22s%16llu\n", name, static_cast<unsigned long long>(bytes));
}

static void describeCeiling(std::string &out, uint64_t keys, uint64_t bytes,
                            double gigabytes) {
  print(out,
        "with %llu keys: %.3f GB a token, at most %.1f tokens a second where "
        "%g GB/s are read\n",
        static_cast<unsigned long long>(keys), double(bytes) * 1e-9,
        gigabytes * 1e9 / double(std::max<uint64_t>(bytes, 1)), gigabytes);
}

Result<std::string> describeStep(const abi::DeviceProgram &program,
                                 const MappedImage &image, uint64_t context,
                                 double gigabytes) {
  auto plan = MemoryPlan::create(program, image, context);
  if (!plan)
    return Error{plan.error()};
  auto manifest = templates::parseJson(image.manifest);
  if (!manifest)
    return Error{"the program's manifest is damaged: " + manifest.error() +
                 "; compile the model again"};
  StepTable table(program, image, context, *manifest);
  if (!table.add("forms") || !table.add("lm_heads"))
    return Error{"the program's manifest does not fit its code; compile the "
                 "model again"};

  table.addChoice();

  std::string out = std::string(program.target) + ", a cache of " +
                    std::to_string(plan->cache.capacity()) + " tokens\n\n";
  describeMemory(out, *plan);
  print(out, "\n%-24s%9s%9s%9s%12s%16s\n", "a step of one row", "launches",
        "blocks", "threads", "workgroup", "weight bytes");
  uint64_t launches = 0, weights = 0, cache = 0;
  for (const Row &row : table.rows) {
    if (row.launches == 0)
      continue;
    const uint64_t blocks = row.kernel->parts(1, plan->cache.capacity());
    print(out, "  %-22.22s%9llu%9llu%9u%12u%16llu\n", row.kernel->name,
          static_cast<unsigned long long>(row.launches),
          static_cast<unsigned long long>(blocks), row.kernel->threads,
          row.kernel->sharedBytes,
          static_cast<unsigned long long>(row.weightBytes));
    launches += row.launches;
    weights += row.weightBytes;
    cache += row.cacheBytes;
  }
  print(out, "  %-22s%9llu%46llu\n\n", "all",
        static_cast<unsigned long long>(launches),
        static_cast<unsigned long long>(weights));
  describeCeiling(out, 0, weights, gigabytes);
  describeCeiling(out, context, weights + cache, gigabytes);
  return out;
}

} // namespace corellama::runtime::cuda
