//===- EmulatorDriver.cpp - NVIDIA's driver, on the emulator --------------===//
//
// A libcuda.so.1 without a GPU: the functions that runtime/Cuda calls, over
// memory of this machine and EmulatorDevice, so that a program for a GPU runs
// whole in a test. A module is not read: its kernels are those of the library
// that corellama-emulator-library made of the same IR, found by the SHA-256 of
// the module.
//
// It is as unkind as a driver may be. What goes through a stream happens when
// somebody waits for it, not before, so a buffer that is written too early or
// read too early shows. Memory is not zero. A device's address can be used by
// kernels alone: the host that follows one ends with SIGSEGV. Any call can be
// made to fail, and what is left at the end is counted.
//
// Environment:
//   CORELLAMA_EMULATOR_KERNELS  the folder of those libraries, SHA256.so
//   CORELLAMA_EMULATOR_DEVICES  compute capabilities, "8.0,9.0"; default 9.0
//   CORELLAMA_EMULATOR_MEMORY   bytes of each; default 16 GiB
//   CORELLAMA_EMULATOR_SEED     of the order of blocks and threads
//   CORELLAMA_EMULATOR_FAIL     CALL:NUMBER:CODE, which call fails, and how
//   CORELLAMA_EMULATOR_REPORT   a file for the calls made and what is left
//
//===----------------------------------------------------------------------===//

#include "runtime/ABI/Device.h"
#include "test/emulator/EmulatorDevice.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/SHA256.h"
#include <cstdio>
#include <cstring>
#include <deque>
#include <dlfcn.h>
#include <functional>
#include <map>
#include <sys/mman.h>

using namespace corellama;
using llvm::StringRef;

namespace {

using Address = unsigned long long;

// Values of CUresult and of the attributes that are asked for.
constexpr int kSuccess = 0, kInvalidValue = 1, kOutOfMemory = 2,
              kNotInitialized = 3, kInvalidDevice = 101, kInvalidContext = 201,
              kNoBinaryForGpu = 209, kInvalidHandle = 400, kNotFound = 500,
              kLaunchFailed = 719;
constexpr int kMajor = 75, kMinor = 76, kSharedBytesAttribute = 8;
/// Of a block, unless a function's attribute says more.
constexpr unsigned kStaticShared = 48 << 10;

std::string variable(const char *name, const char *otherwise = "") {
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

struct Stream {
  std::deque<std::function<int()>> work;
  /// Operations that were put in and that are done.
  uint64_t added = 0, done = 0;
};

struct Event {
  Stream *stream = nullptr;
  uint64_t at = 0;
};

struct Module {
  void *library;
  llvm::ArrayRef<abi::DeviceKernel> kernels;
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
    llvm::SmallVector<StringRef> names;
    const std::string list = variable("CORELLAMA_EMULATOR_DEVICES", "9.0");
    StringRef(list).split(names, ',', -1, /*KeepEmpty=*/false);
    for (StringRef name : names) {
      auto [major, minor] = name.split('.');
      std::pair<int, int> capability;
      if (major.getAsInteger(10, capability.first) ||
          minor.getAsInteger(10, capability.second))
        continue;
      capabilities.push_back(capability);
    }
    StringRef(variable("CORELLAMA_EMULATOR_MEMORY", "17179869184"))
        .getAsInteger(10, bytes);
    const std::string what = variable("CORELLAMA_EMULATOR_FAIL");
    auto [call, rest] = StringRef(what).split(':');
    auto [number, code] = rest.split(':');
    failingCall = call.str();
    number.getAsInteger(10, failingNumber);
    code.getAsInteger(10, failingCode);
    uint64_t seed;
    if (!StringRef(variable("CORELLAMA_EMULATOR_SEED")).getAsInteger(10, seed))
      options.seed = seed;
  }
  ~Machine() { report(); }

  /// Whether a call may go on, or its error.
  int enter(const char *name) {
    uint64_t number = ++calls[name];
    if (name == failingCall && number == failingNumber)
      return failingCode;
    // A context in which a kernel failed is of no use.
    return message.empty() ? kSuccess : kLaunchFailed;
  }

  /// Does what is in a stream up to its operation `end`.
  int runUntil(Stream &stream, uint64_t end) {
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

  int launch(const Function &function, Address context, uint32_t layer,
             uint64_t blocks);
  void release();
  void report() const;

  std::vector<std::pair<int, int>> capabilities;
  uint64_t bytes = 0, used = 0;
  int contexts = 0;
  /// By their first address.
  std::map<Address, std::unique_ptr<Allocation>> memory;
  std::map<const uint8_t *, AlignedBytes> hostMemory;
  std::map<Module *, std::unique_ptr<Module>> modules;
  std::map<Function *, std::unique_ptr<Function>> functions;
  std::map<Stream *, std::unique_ptr<Stream>> streams;
  std::map<Event *, std::unique_ptr<Event>> events;
  /// What the emulator found wrong with a kernel.
  std::string message;

private:
  std::map<std::string, uint64_t> calls;
  std::string failingCall;
  uint64_t failingNumber = 0;
  int failingCode = 999;
  uint64_t launches = 0;
  EmulatorOptions options;
  /// Knows what each launch has accessed; made at the first.
  std::unique_ptr<EmulatorDevice> device;
  const Module *deviceModule = nullptr;
};

Machine &machine() {
  static Machine only;
  return only;
}

/// Reads the context from the device's memory, with addresses that the kernel's
/// code can use here, and runs the kernel.
int Machine::launch(const Function &function, Address address, uint32_t layer,
                    uint64_t blocks) {
  ++launches;
  const uint8_t *at = find(address, sizeof(abi::Context));
  if (!at) {
    message = "the context is not in the device's memory";
    return kLaunchFailed;
  }
  abi::Context context;
  std::memcpy(&context, at, sizeof(context));
  std::vector<MemoryRange> ranges;
  auto translate = [&]<typename T>(const char *name, T *&pointer,
                                   bool writable) {
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
        {name, found.memory.data(), found.memory.size(), writable});
  };
  translate("weights", context.weights, false);
  translate("offsets", context.offsets, false);
  translate("workspace", context.workspace, true);
  translate("keys", context.keys, true);
  translate("values", context.values, true);
  translate("rope", context.rope, false);
  translate("tokens", context.tokens, false);
  translate("positions", context.positions, false);
  translate("wanted", context.wanted, false);
  translate("regions", context.regions, false);
  if (!message.empty())
    return kLaunchFailed;
  if (deviceModule != function.module) {
    device = std::make_unique<EmulatorDevice>(function.module->kernels, ranges,
                                              options);
    deviceModule = function.module;
  }
  if (llvm::Error error =
          device->launch(function.kernel, context, layer, blocks)) {
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
      {"streams", streams.size()},       {"events", events.size()}};
  for (const auto &[name, count] : left)
    fprintf(out, "left %s %zu\n", name, count);
  fprintf(out, "launches %llu\n", static_cast<unsigned long long>(launches));
  fclose(out);
}

/// The bytes of a module, which the driver gets without their number.
size_t moduleBytes(const void *image) {
  const auto *bytes = static_cast<const uint8_t *>(image);
  if (std::memcmp(bytes, "\177ELF", 4) != 0)
    return std::strlen(static_cast<const char *>(image)) + 1;
  // The table of sections, or that of segments, is an ELF file's last part.
  auto field = [&]<typename T>(size_t at, T) {
    T value;
    std::memcpy(&value, bytes + at, sizeof(value));
    return value;
  };
  size_t segments = field(32, uint64_t()) +
                    size_t(field(54, uint16_t())) * field(56, uint16_t());
  size_t sections = field(40, uint64_t()) +
                    size_t(field(58, uint16_t())) * field(60, uint16_t());
  return std::max(segments, sections);
}

/// What a call of the driver does, after what all calls do.
template <typename Body> int call(const char *name, Body body) {
  if (int code = machine().enter(name))
    return code;
  return body();
}

template <typename T> T *held(std::map<T *, std::unique_ptr<T>> &all, T *one) {
  return all.contains(one) ? one : nullptr;
}

template <typename T>
T *make(std::map<T *, std::unique_ptr<T>> &all, T value = {}) {
  auto made = std::make_unique<T>(std::move(value));
  T *at = made.get();
  all[at] = std::move(made);
  return at;
}

int add(Stream *stream, std::function<int()> work) {
  if (!held(machine().streams, stream))
    return kInvalidHandle;
  stream->work.push_back(std::move(work));
  ++stream->added;
  return kSuccess;
}

} // namespace

//===----------------------------------------------------------------------===//
// The driver's functions, as cuda.h declares them
//===----------------------------------------------------------------------===//

extern "C" {

int cuInit(unsigned flags) {
  return call("cuInit", [&] { return flags ? kInvalidValue : kSuccess; });
}

int cuGetErrorName(int code, const char **name) {
  switch (code) {
  case kInvalidValue:
    *name = "CUDA_ERROR_INVALID_VALUE";
    return kSuccess;
  case kOutOfMemory:
    *name = "CUDA_ERROR_OUT_OF_MEMORY";
    return kSuccess;
  case kLaunchFailed:
    *name = "CUDA_ERROR_LAUNCH_FAILED";
    return kSuccess;
  case 999:
    *name = "CUDA_ERROR_UNKNOWN";
    return kSuccess;
  default:
    *name = nullptr;
    return kInvalidValue;
  }
}

/// Of a failed kernel, what the emulator says.
int cuGetErrorString(int code, const char **text) {
  *text = code == kLaunchFailed && !machine().message.empty()
              ? machine().message.c_str()
          : code == kOutOfMemory ? "out of memory"
                                 : "an error of the emulator";
  return kSuccess;
}

int cuDeviceGetCount(int *count) {
  return call("cuDeviceGetCount", [&] {
    *count = int(machine().capabilities.size());
    return kSuccess;
  });
}

int cuDeviceGet(int *device, int index) {
  return call("cuDeviceGet", [&] {
    *device = index;
    return size_t(index) < machine().capabilities.size() ? kSuccess
                                                         : kInvalidDevice;
  });
}

int cuDeviceGetName(char *name, int bytes, int) {
  return call("cuDeviceGetName", [&] {
    snprintf(name, size_t(bytes), "Emulator");
    return kSuccess;
  });
}

int cuDeviceGetAttribute(int *value, int attribute, int device) {
  return call("cuDeviceGetAttribute", [&] {
    const auto [major, minor] = machine().capabilities[size_t(device)];
    *value = attribute == kMajor ? major : minor;
    return attribute == kMajor || attribute == kMinor ? kSuccess
                                                      : kInvalidValue;
  });
}

int cuDeviceTotalMem_v2(size_t *bytes, int) {
  return call("cuDeviceTotalMem_v2", [&] {
    *bytes = machine().bytes;
    return kSuccess;
  });
}

int cuDevicePrimaryCtxRetain(void **context, int) {
  return call("cuDevicePrimaryCtxRetain", [&] {
    ++machine().contexts;
    *context = &machine();
    return kSuccess;
  });
}

int cuDevicePrimaryCtxRelease_v2(int) {
  // In a context whose kernel failed, too.
  if (int code = machine().enter("cuDevicePrimaryCtxRelease_v2");
      code && code != kLaunchFailed)
    return code;
  if (machine().contexts == 0)
    return kInvalidContext;
  if (--machine().contexts == 0)
    machine().release();
  return kSuccess;
}

int cuCtxSetCurrent(void *context) {
  return call("cuCtxSetCurrent", [&] {
    return context == &machine() && machine().contexts ? kSuccess
                                                       : kInvalidContext;
  });
}

int cuMemGetInfo_v2(size_t *free, size_t *total) {
  return call("cuMemGetInfo_v2", [&] {
    *free = machine().bytes - machine().used;
    *total = machine().bytes;
    return machine().contexts ? kSuccess : kNotInitialized;
  });
}

int cuMemAlloc_v2(Address *address, size_t bytes) {
  return call("cuMemAlloc_v2", [&] {
    if (bytes == 0)
      return kInvalidValue;
    if (bytes > machine().bytes - machine().used)
      return kOutOfMemory;
    auto made = std::make_unique<Allocation>(bytes);
    if (!made->begin)
      return kOutOfMemory;
    machine().used += bytes;
    *address = made->begin;
    machine().memory[made->begin] = std::move(made);
    return kSuccess;
  });
}

int cuMemHostAlloc(void **address, size_t bytes, unsigned) {
  return call("cuMemHostAlloc", [&] {
    if (bytes == 0)
      return kInvalidValue;
    AlignedBytes made(bytes);
    std::memset(made.data(), 0xff, bytes);
    *address = made.data();
    machine().hostMemory[made.data()] = std::move(made);
    return kSuccess;
  });
}

int cuMemFreeHost(void *address) {
  return call("cuMemFreeHost", [&] {
    return machine().hostMemory.erase(static_cast<uint8_t *>(address))
               ? kSuccess
               : kInvalidValue;
  });
}

int cuMemcpyHtoDAsync_v2(Address to, const void *from, size_t bytes,
                         Stream *stream) {
  return call("cuMemcpyHtoDAsync_v2", [&] {
    uint8_t *target = machine().find(to, bytes);
    if (!target)
      return kInvalidValue;
    // From pinned memory bytes go when the stream gets there; from other memory
    // the driver takes them at once.
    if (machine().isPinned(from))
      return add(stream, [=] {
        std::memcpy(target, from, bytes);
        return kSuccess;
      });
    const auto *first = static_cast<const uint8_t *>(from);
    return add(stream, [=, taken = std::vector(first, first + bytes)] {
      std::memcpy(target, taken.data(), bytes);
      return kSuccess;
    });
  });
}

int cuMemcpyDtoHAsync_v2(void *to, Address from, size_t bytes, Stream *stream) {
  return call("cuMemcpyDtoHAsync_v2", [&] {
    const uint8_t *source = machine().find(from, bytes);
    if (!source || !machine().isPinned(to))
      return kInvalidValue;
    return add(stream, [=] {
      std::memcpy(to, source, bytes);
      return kSuccess;
    });
  });
}

int cuModuleLoadDataEx(Module **module, const void *image, unsigned count,
                       int *, void **) {
  return call("cuModuleLoadDataEx", [&] {
    // Options are a log and its size.
    if (count != 2)
      return kInvalidValue;
    const std::string hash =
        llvm::toHex(llvm::SHA256::hash({static_cast<const uint8_t *>(image),
                                        moduleBytes(image)}),
                    /*LowerCase=*/true);
    // The kernels' library calls functions of this one.
    Dl_info self;
    if (dladdr(reinterpret_cast<void *>(&cuInit), &self))
      dlopen(self.dli_fname, RTLD_NOW | RTLD_NOLOAD | RTLD_GLOBAL);
    const std::string path =
        variable("CORELLAMA_EMULATOR_KERNELS") + "/" + hash + ".so";
    void *library = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
    const auto *program = library
                              ? static_cast<const abi::DeviceProgram *>(
                                    dlsym(library, "corellama_device_program"))
                              : nullptr;
    if (!program || program->version != abi::kVersion) {
      const char *why = library ? path.c_str() : dlerror();
      fprintf(stderr, "emulator: %s\n", why);
      return kNoBinaryForGpu;
    }
    *module = make(machine().modules,
                   {library, {program->kernels, program->kernelCount}});
    return kSuccess;
  });
}

int cuModuleGetFunction(Function **function, Module *module,
                        const char *entry) {
  return call("cuModuleGetFunction", [&] {
    if (!held(machine().modules, module))
      return kInvalidHandle;
    // As passes/CUDA/DeviceNames.h has it.
    std::string name = entry;
    std::replace(name.begin(), name.end(), '$', '.');
    for (auto [number, kernel] : llvm::enumerate(module->kernels))
      if (name == kernel.name) {
        *function = make(machine().functions,
                         {module, uint32_t(number), kStaticShared});
        return kSuccess;
      }
    return kNotFound;
  });
}

int cuFuncSetAttribute(Function *function, int attribute, int value) {
  return call("cuFuncSetAttribute", [&] {
    if (!held(machine().functions, function))
      return kInvalidHandle;
    if (attribute != kSharedBytesAttribute || value < 0)
      return kInvalidValue;
    function->mostShared = std::max(kStaticShared, unsigned(value));
    return kSuccess;
  });
}

int cuLaunchKernel(Function *function, unsigned blocks, unsigned gridY,
                   unsigned gridZ, unsigned threads, unsigned blockY,
                   unsigned blockZ, unsigned sharedBytes, Stream *stream,
                   void **parameters, void **extra) {
  return call("cuLaunchKernel", [&] {
    if (!held(machine().functions, function))
      return kInvalidHandle;
    const abi::DeviceKernel &kernel =
        function->module->kernels[function->kernel];
    if (blocks == 0 || gridY != 1 || gridZ != 1 || blockY != 1 || blockZ != 1 ||
        threads != kernel.threads || sharedBytes != kernel.sharedBytes ||
        sharedBytes > function->mostShared || extra)
      return kInvalidValue;
    // Parameters are read now, what they point to when the kernel runs.
    const Address context = *static_cast<Address *>(parameters[0]);
    const uint32_t layer = *static_cast<uint32_t *>(parameters[1]);
    return add(stream, [=] {
      return machine().launch(*function, context, layer, blocks);
    });
  });
}

int cuStreamCreate(Stream **stream, unsigned) {
  return call("cuStreamCreate", [&] {
    *stream = make(machine().streams);
    return kSuccess;
  });
}

int cuStreamSynchronize(Stream *stream) {
  return call("cuStreamSynchronize", [&] {
    return held(machine().streams, stream)
               ? machine().runUntil(*stream, stream->added)
               : kInvalidHandle;
  });
}

int cuEventCreate(Event **event, unsigned) {
  return call("cuEventCreate", [&] {
    *event = make(machine().events);
    return kSuccess;
  });
}

int cuEventDestroy_v2(Event *event) {
  return call("cuEventDestroy_v2", [&] {
    return machine().events.erase(event) ? kSuccess : kInvalidHandle;
  });
}

int cuEventRecord(Event *event, Stream *stream) {
  return call("cuEventRecord", [&] {
    if (!held(machine().events, event) || !held(machine().streams, stream))
      return kInvalidHandle;
    *event = {stream, stream->added};
    return kSuccess;
  });
}

int cuEventSynchronize(Event *event) {
  return call("cuEventSynchronize", [&] {
    if (!held(machine().events, event))
      return kInvalidHandle;
    return event->stream ? machine().runUntil(*event->stream, event->at)
                         : kSuccess;
  });
}

/// A millisecond for each operation between them.
int cuEventElapsedTime(float *milliseconds, Event *from, Event *to) {
  return call("cuEventElapsedTime", [&] {
    if (!held(machine().events, from) || !held(machine().events, to))
      return kInvalidHandle;
    *milliseconds = float(to->at - from->at);
    return kSuccess;
  });
}

} // extern "C"
