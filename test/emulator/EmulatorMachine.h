//===- EmulatorMachine.h - a machine with GPUs, for the emulated driver ---===//
//
// What EmulatorDriver's functions work on: GPUs of given capabilities, memory,
// streams, modules, and how often each function was called. Apart from them
// because they are the driver's interface, and this is what is behind it.
//
//===----------------------------------------------------------------------===//

#ifndef CORELLAMA_TEST_EMULATOR_EMULATORMACHINE_H
#define CORELLAMA_TEST_EMULATOR_EMULATORMACHINE_H

#include "runtime/ABI/Device.h"
#include "test/emulator/EmulatorDevice.h"
#include "llvm/ADT/StringRef.h"
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <sys/mman.h>

namespace corellama::emulator {

using Address = unsigned long long;

// Values of CUresult and of the attributes that are asked for.
inline constexpr int kSuccess = 0, kInvalidValue = 1, kOutOfMemory = 2,
                     kNotInitialized = 3, kInvalidDevice = 101,
                     kInvalidContext = 201, kNoBinaryForGpu = 209,
                     kInvalidHandle = 400, kNotFound = 500, kLaunchFailed = 719,
                     kNotInCapture = 900;
inline constexpr int kMajor = 75, kMinor = 76, kMostSharedOfBlock = 97;
inline constexpr int kSharedBytesAttribute = 8;
inline constexpr int kLaunchOverlaps = 6;
inline constexpr int kJitErrorLog = 5, kJitErrorLogBytes = 6;
/// By which memory is taken.
inline constexpr size_t kPage = size_t(2) << 20;
inline size_t wholePages(size_t bytes) {
  return (bytes + kPage - 1) / kPage * kPage;
}
/// Memory of the device that a graph takes for each operation. What a driver
/// takes is not documented; a list of parameters has up to 4 KiB.
inline constexpr size_t kGraphBytesEach = 8 << 10;
/// Of a block, unless a function's attribute says more.
inline constexpr unsigned kStaticShared = 48 << 10;

inline std::string variable(const char *name, const char *otherwise = "") {
  const char *value = getenv(name);
  return value ? value : otherwise;
}

/// Memory of the device: its addresses are a range that nobody can access, its
/// bytes are elsewhere.
struct Allocation {
  explicit Allocation(size_t bytes) : memory(bytes) {
    void *range = mmap(nullptr, bytes, PROT_NONE,
                       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    begin = range == MAP_FAILED ? 0 : reinterpret_cast<Address>(range);
    std::memset(memory.data(), 0xff, bytes);
  }
  ~Allocation() {
    if (begin)
      munmap(reinterpret_cast<void *>(begin), memory.size());
  }
  Address begin;
  AlignedBytes memory;
};

/// Operations that are put into a stream together, as often as it is launched.
struct Graph {
  std::vector<std::function<int()>> work;
};
/// A graph that can be launched, by itself.
struct GraphExec {
  std::vector<std::function<int()>> work;
  size_t taken = 0;
};

struct Stream {
  std::deque<std::function<int()>> work;
  /// What is put into the stream while it is captured.
  std::unique_ptr<Graph> capture;
  /// Operations that were put in and that are done.
  uint64_t added = 0, done = 0;
  /// Whether the last of them is a launch, beside which the next may run.
  bool isBehindLaunch = false;
};

struct Event {
  Stream *stream = nullptr;
  uint64_t at = 0;
};

struct Module {
  void *library;
  llvm::ArrayRef<abi::DeviceKernel> kernels;
  /// Whether its kernels have what waits for earlier launches.
  bool waits;
};

struct Function {
  const Module *module;
  uint32_t kernel;
  unsigned mostShared;
};

/// The machine with its GPUs; of them one has a context at a time.
class Machine {
public:
  Machine() {
    llvm::SmallVector<llvm::StringRef> names;
    const std::string list = variable("CORELLAMA_EMULATOR_DEVICES", "9.0");
    llvm::StringRef(list).split(names, ',', -1, /*KeepEmpty=*/false);
    for (llvm::StringRef name : names) {
      auto [major, minor] = name.split('.');
      std::pair<int, int> capability;
      if (major.getAsInteger(10, capability.first) ||
          minor.getAsInteger(10, capability.second))
        continue;
      capabilities.push_back(capability);
    }
    llvm::StringRef(variable("CORELLAMA_EMULATOR_MEMORY", "17179869184"))
        .getAsInteger(10, bytes);
    const std::string what = variable("CORELLAMA_EMULATOR_FAIL");
    auto [call, rest] = llvm::StringRef(what).split(':');
    auto [number, code] = rest.split(':');
    failingCall = call.str();
    number.getAsInteger(10, failingNumber);
    code.getAsInteger(10, failingCode);
    uint64_t seed;
    if (!llvm::StringRef(variable("CORELLAMA_EMULATOR_SEED"))
             .getAsInteger(10, seed))
      options.seed = seed;
  }
  ~Machine() { report(); }

  /// Whether a call may go on, or its error.
  int enter(const char *name) {
    uint64_t number = ++calls[name];
    if (name == failingCall && number == failingNumber) {
      if (failingCode > 0)
        return failingCode;
      raise(-failingCode);
    }
    // A context in which a kernel failed is of no use.
    return message.empty() ? kSuccess : kLaunchFailed;
  }

  /// Does what is in a stream up to its operation `end`.
  int runUntil(Stream &stream, uint64_t end) {
    if (stream.capture)
      return kNotInCapture;
    while (stream.done < end) {
      ++stream.done;
      auto next = std::move(stream.work.front());
      stream.work.pop_front();
      if (int code = next())
        return code;
    }
    return kSuccess;
  }

  /// The bytes of a device's range, or null.
  uint8_t *find(Address address, size_t size) {
    auto after = memory.upper_bound(address);
    if (after == memory.begin())
      return nullptr;
    Allocation &found = *std::prev(after)->second;
    const Address at = address - found.begin;
    return at <= found.memory.size() && size <= found.memory.size() - at
               ? found.memory.data() + at
               : nullptr;
  }

  bool isPinned(const void *address) const {
    auto after = hostMemory.upper_bound(static_cast<const uint8_t *>(address));
    return after != hostMemory.begin() &&
           static_cast<const uint8_t *>(address) <
               std::prev(after)->first + std::prev(after)->second.size();
  }

  /// Of a block: technical specifications per compute capability in the CUDA
  /// C++ Programming Guide.
  unsigned mostShared(int device) const {
    unsigned most;
    if (!llvm::StringRef(variable("CORELLAMA_EMULATOR_WORKGROUP"))
             .getAsInteger(10, most))
      return most;
    const auto [major, minor] = capabilities[size_t(device)];
    return (major == 7                                 ? 64
            : major == 9 || major == 10                ? 227
            : major == 8 && (minor == 0 || minor == 7) ? 163
                                                       : 99)
           << 10;
  }

  int launch(const Function &function, abi::Context context, uint32_t layer,
             uint64_t blocks, bool overlaps);
  void release();
  void report() const;

  std::vector<std::pair<int, int>> capabilities;
  uint64_t bytes = 0, used = 0;
  int contexts = 0;
  /// The device that has one.
  int current = 0;
  /// By their first address.
  std::map<Address, std::unique_ptr<Allocation>> memory;
  std::map<const uint8_t *, AlignedBytes> hostMemory;
  std::map<Module *, std::unique_ptr<Module>> modules;
  std::map<Function *, std::unique_ptr<Function>> functions;
  std::map<Stream *, std::unique_ptr<Stream>> streams;
  std::map<Event *, std::unique_ptr<Event>> events;
  std::map<Graph *, std::unique_ptr<Graph>> graphs;
  std::map<GraphExec *, std::unique_ptr<GraphExec>> graphExecs;
  /// What the emulator found wrong with a kernel.
  std::string message;

private:
  std::map<std::string, uint64_t> calls;
  std::string failingCall;
  uint64_t failingNumber = 0;
  int failingCode = 999;
  uint64_t launches = 0, early = 0;
  EmulatorOptions options;
  /// Knows what each launch has accessed; made at the first.
  std::unique_ptr<EmulatorDevice> device;
  const Module *deviceModule = nullptr;
};

/// The only one of a process.
Machine &machine();

} // namespace corellama::emulator

#endif // CORELLAMA_TEST_EMULATOR_EMULATORMACHINE_H
