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
//   CORELLAMA_EMULATOR_VERSION  the driver's, 12030 for CUDA 12.3; default
//   12080 CORELLAMA_EMULATOR_MEMORY   bytes of each; default 16 GiB
//   CORELLAMA_EMULATOR_WORKGROUP  bytes of workgroup memory that a block can
//                               have; default what GPUs of that capability have
//   CORELLAMA_EMULATOR_SEED     of the order of blocks and threads
//   CORELLAMA_EMULATOR_FAIL     CALL:NUMBER:CODE, which call fails, and how;
//   for
//                               a CODE below 0 that signal comes, and no error
//   CORELLAMA_EMULATOR_REPORT   a file for the calls made and what is left
//
//===----------------------------------------------------------------------===//

#include "test/emulator/EmulatorMachine.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/SHA256.h"
#include <algorithm>
#include <cstdio>
#include <cstring>
#include <dlfcn.h>

using namespace corellama;
using namespace corellama::emulator;

namespace {

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

int add(Stream *stream, std::function<int()> work, bool isLaunch = false) {
  if (!held(machine().streams, stream))
    return kInvalidHandle;
  stream->isBehindLaunch = isLaunch;
  if (stream->capture) {
    stream->capture->work.push_back(std::move(work));
    return kSuccess;
  }
  stream->work.push_back(std::move(work));
  ++stream->added;
  return kSuccess;
}

/// Whether launches can overlap on the GPU that has a context.
bool canOverlap() {
  return machine().capabilities[size_t(machine().current)].first >= 9;
}

/// CUlaunchAttribute and CUlaunchConfig, as cuda.h lays them out.
struct LaunchAttribute {
  int which, padding, value, rest[15];
};
struct LaunchConfig {
  unsigned blocks[3], threads[3], sharedBytes;
  Stream *stream;
  const LaunchAttribute *attributes;
  unsigned attributeCount;
};

} // namespace

//===----------------------------------------------------------------------===//
// The driver's functions, as cuda.h declares them
//===----------------------------------------------------------------------===//

extern "C" {

int cuInit(unsigned flags) {
  return call("cuInit", [&] { return flags ? kInvalidValue : kSuccess; });
}

int cuDriverGetVersion(int *version) {
  return call("cuDriverGetVersion", [&] {
    return llvm::StringRef(variable("CORELLAMA_EMULATOR_VERSION", "12080"))
                   .getAsInteger(10, *version)
               ? kInvalidValue
               : kSuccess;
  });
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
    switch (attribute) {
    case kMajor:
      *value = major;
      return kSuccess;
    case kMinor:
      *value = minor;
      return kSuccess;
    case kMostSharedOfBlock:
      *value = int(machine().mostShared(device));
      return kSuccess;
    default:
      return kInvalidValue;
    }
  });
}

int cuDeviceTotalMem_v2(size_t *bytes, int) {
  return call("cuDeviceTotalMem_v2", [&] {
    *bytes = machine().bytes;
    return kSuccess;
  });
}

int cuDevicePrimaryCtxRetain(void **context, int device) {
  return call("cuDevicePrimaryCtxRetain", [&] {
    ++machine().contexts;
    machine().current = device;
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
    const size_t taken = wholePages(bytes);
    if (taken > machine().bytes - machine().used)
      return kOutOfMemory;
    auto made = std::make_unique<Allocation>(bytes);
    if (!made->begin)
      return kOutOfMemory;
    machine().used += taken;
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

/// The size of the log becomes that of what is written, as NVIDIA's driver does
/// it; of a cubin nothing is.
int cuModuleLoadDataEx(Module **module, const void *image, unsigned count,
                       int *options, void **values) {
  if (count != 2 || options[0] != kJitErrorLog ||
      options[1] != kJitErrorLogBytes)
    return kInvalidValue;
  const size_t room = reinterpret_cast<size_t>(values[1]);
  values[1] = nullptr;
  return call("cuModuleLoadDataEx", [&] {
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
      if (*static_cast<const char *>(image) != '\177' && room != 0) {
        const int wanted = snprintf(static_cast<char *>(values[0]), room,
                                    "no kernels %s.so", hash.c_str());
        values[1] =
            reinterpret_cast<void *>(std::min(room - 1, size_t(wanted)));
      }
      return kNoBinaryForGpu;
    }
    // Machine code that this GPU runs is of its own generation, so what PTX of
    // that has is in it, too.
    const auto *text = static_cast<const char *>(image);
    const bool waits =
        *text == '\177' ? canOverlap()
                        : std::strstr(text, "griddepcontrol.wait") != nullptr;
    *module = make(machine().modules,
                   {library, {program->kernels, program->kernelCount}, waits});
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
    if (attribute != kSharedBytesAttribute || value < 0 ||
        unsigned(value) > machine().mostShared(machine().current))
      return kInvalidValue;
    function->mostShared = std::max(kStaticShared, unsigned(value));
    return kSuccess;
  });
}

int cuLaunchKernelEx(const LaunchConfig *config, Function *function,
                     void **parameters, void **extra) {
  return call("cuLaunchKernelEx", [&] {
    if (!held(machine().functions, function) ||
        !held(machine().streams, config->stream))
      return kInvalidHandle;
    const abi::DeviceKernel &kernel =
        function->module->kernels[function->kernel];
    const auto &[blocks, threads] = std::pair(config->blocks, config->threads);
    if (blocks[0] == 0 || blocks[1] != 1 || blocks[2] != 1 || threads[1] != 1 ||
        threads[2] != 1 || threads[0] != kernel.threads ||
        config->sharedBytes != kernel.sharedBytes ||
        config->sharedBytes > function->mostShared || extra)
      return kInvalidValue;
    bool overlaps = false;
    for (unsigned i = 0; i < config->attributeCount; ++i) {
      if (config->attributes[i].which != kLaunchOverlaps || !canOverlap())
        return kInvalidValue;
      overlaps = config->attributes[i].value && config->stream->isBehindLaunch;
    }
    // Parameters are read now, what they point to when the kernel runs.
    const abi::Context context = *static_cast<abi::Context *>(parameters[0]);
    const uint32_t layer = *static_cast<uint32_t *>(parameters[1]);
    return add(
        config->stream,
        [=, count = blocks[0]] {
          return machine().launch(*function, context, layer, count, overlaps);
        },
        /*isLaunch=*/true);
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
    if (stream->capture)
      return kNotInCapture;
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

int cuStreamBeginCapture_v2(Stream *stream, int) {
  return call("cuStreamBeginCapture_v2", [&] {
    if (!held(machine().streams, stream))
      return kInvalidHandle;
    if (stream->capture)
      return kNotInCapture;
    stream->capture = std::make_unique<Graph>();
    stream->isBehindLaunch = false;
    return kSuccess;
  });
}

/// The capture has ended, whatever this returns; where it fails, there is no
/// graph.
int cuStreamEndCapture(Stream *stream, Graph **graph) {
  auto captured = held(machine().streams, stream) ? std::move(stream->capture)
                                                  : std::unique_ptr<Graph>();
  *graph = nullptr;
  return call("cuStreamEndCapture", [&] {
    if (!captured)
      return kInvalidValue;
    *graph = make(machine().graphs, std::move(*captured));
    return kSuccess;
  });
}

int cuGraphInstantiateWithFlags(GraphExec **exec, Graph *graph,
                                unsigned long long flags) {
  return call("cuGraphInstantiateWithFlags", [&] {
    if (!held(machine().graphs, graph) || flags)
      return kInvalidValue;
    const size_t taken = wholePages(graph->work.size() * kGraphBytesEach);
    if (taken > machine().bytes - machine().used)
      return kOutOfMemory;
    machine().used += taken;
    *exec = make(machine().graphExecs, {graph->work, taken});
    return kSuccess;
  });
}

int cuGraphLaunch(GraphExec *exec, Stream *stream) {
  return call("cuGraphLaunch", [&] {
    if (!held(machine().graphExecs, exec) || !held(machine().streams, stream))
      return kInvalidHandle;
    if (stream->capture)
      return kNotInCapture;
    for (const std::function<int()> &work : exec->work)
      add(stream, work);
    return kSuccess;
  });
}

// They are gone, whatever these return: an error may be that of an earlier
// call.

int cuGraphDestroy(Graph *graph) {
  const bool was = machine().graphs.erase(graph);
  return call("cuGraphDestroy",
              [&] { return was ? kSuccess : kInvalidHandle; });
}

int cuGraphExecDestroy(GraphExec *exec) {
  const bool was = held(machine().graphExecs, exec);
  if (was) {
    machine().used -= exec->taken;
    machine().graphExecs.erase(exec);
  }
  return call("cuGraphExecDestroy",
              [&] { return was ? kSuccess : kInvalidHandle; });
}

} // extern "C"
