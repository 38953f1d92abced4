//===- EmulatorMachine.cpp - a machine with GPUs, for the emulated driver -===//
//
// See EmulatorMachine.h.
//
//===----------------------------------------------------------------------===//

#include "test/emulator/EmulatorMachine.h"
#include <cstdio>

namespace corellama::emulator {

Machine &machine() {
  static Machine only;
  return only;
}

/// Runs the kernel, with addresses in its context that its code can use here.
int Machine::launch(const Function &function, abi::Context context,
                    uint32_t layer, uint64_t blocks, bool overlaps) {
  ++launches;
  early += overlaps;
  if (overlaps && !function.module->waits) {
    message = "a kernel is launched before those before it have ended, and its "
              "module waits for none";
    return kLaunchFailed;
  }
  // A graph would keep that of the call which it was captured in.
  context.keyCount = ~uint64_t(0);
  std::vector<MemoryRange> ranges;
  auto translate = [&]<typename T>(const char *name, T *&pointer, bool writable,
                                   bool constant = false) {
    if (!pointer)
      return;
    auto after = memory.upper_bound(reinterpret_cast<Address>(pointer));
    if (after == memory.begin()) {
      message = std::string(name) + " are not in the device's memory";
      return;
    }
    Allocation &found = *std::prev(after)->second;
    pointer = reinterpret_cast<T *>(
        found.memory.data() +
        (reinterpret_cast<Address>(pointer) - found.begin));
    for (const MemoryRange &range : ranges)
      if (range.begin == found.memory.data())
        return;
    ranges.push_back(
        {name, found.memory.data(), found.memory.size(), writable, constant});
  };
  constexpr bool kConstant = true;
  // First, because the lists of a token loop are in the same memory.
  translate("choice", context.threads, true);
  translate("weights", context.weights, false, kConstant);
  translate("offsets", context.offsets, false, kConstant);
  translate("workspace", context.workspace, true);
  translate("keys", context.keys, true);
  translate("values", context.values, true);
  translate("rope", context.rope, false, kConstant);
  translate("tokens", context.tokens, false);
  translate("positions", context.positions, false);
  translate("wanted", context.wanted, false);
  translate("regions", context.regions, false, kConstant);
  if (!message.empty())
    return kLaunchFailed;
  if (deviceModule != function.module) {
    device = std::make_unique<EmulatorDevice>(function.module->kernels, ranges,
                                              options);
    deviceModule = function.module;
  }
  if (llvm::Error error =
          device->launch(function.kernel, context, layer, blocks, overlaps)) {
    message = llvm::toString(std::move(error));
    return kLaunchFailed;
  }
  return kSuccess;
}

/// The last user of the context has gone: all that was made in it goes, too.
void Machine::release() {
  device.reset();
  deviceModule = nullptr;
  events.clear();
  streams.clear();
  functions.clear();
  modules.clear(); // libraries stay loaded; a process loads few
  hostMemory.clear();
  memory.clear();
  used = 0;
}

void Machine::report() const {
  const std::string path = variable("CORELLAMA_EMULATOR_REPORT");
  FILE *out = path.empty() ? nullptr : fopen(path.c_str(), "w");
  if (!out)
    return;
  for (const auto &[name, count] : calls)
    fprintf(out, "call %s %llu\n", name.c_str(),
            static_cast<unsigned long long>(count));
  const std::pair<const char *, size_t> left[] = {
      {"contexts", size_t(contexts)},    {"memory", memory.size()},
      {"hostMemory", hostMemory.size()}, {"modules", modules.size()},
      {"streams", streams.size()},       {"events", events.size()},
      {"graphs", graphs.size()},         {"graphExecs", graphExecs.size()}};
  for (const auto &[name, count] : left)
    fprintf(out, "left %s %zu\n", name, count);
  fprintf(out, "launches %llu\n", static_cast<unsigned long long>(launches));
  fprintf(out, "early %llu\n", static_cast<unsigned long long>(early));
  fclose(out);
}

} // namespace corellama::emulator
