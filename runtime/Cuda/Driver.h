//===- Driver.h - the functions of NVIDIA's driver ------------------------===//
//
// libcuda.so.1 is loaded when a program starts: it belongs to the driver of the
// machine, so no program is linked with it. Each function is declared here, by
// its exported name and its types of the CUDA driver API; nothing of NVIDIA's
// is needed to build this. Each call is checked, and its error says what to do.
//
//===----------------------------------------------------------------------===//

#ifndef CORELLAMA_RUNTIME_CUDA_DRIVER_H
#define CORELLAMA_RUNTIME_CUDA_DRIVER_H

#include "runtime/Support/Result.h"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>

namespace corellama::runtime::cuda {

/// CUdevice, CUdeviceptr, and handles of what the driver owns.
using DeviceNumber = int;
using Address = unsigned long long;
using ContextHandle = struct OpaqueContext *;
using ModuleHandle = struct OpaqueModule *;
using FunctionHandle = struct OpaqueFunction *;
using StreamHandle = struct OpaqueStream *;
using EventHandle = struct OpaqueEvent *;
using GraphHandle = struct OpaqueGraph *;
using GraphExecHandle = struct OpaqueGraphExec *;

/// Values of the driver API's enumerations.
inline constexpr int kSuccess = 0;
inline constexpr int kErrorOutOfMemory = 2;
inline constexpr int kCapabilityMajor = 75, kCapabilityMinor = 76;
inline constexpr int kWorkgroupBytes = 97; // ..._PER_BLOCK_OPTIN
inline constexpr int kFunctionSharedBytes = 8;
inline constexpr int kJitErrorLog = 5, kJitErrorLogBytes = 6;
inline constexpr unsigned kStreamNonBlocking = 1;
inline constexpr int kCaptureThreadLocal = 1;
inline constexpr int kLaunchOverlaps =
    6; // ..._PROGRAMMATIC_STREAM_SERIALIZATION

/// CUlaunchAttribute. A value has 64 bytes, of which this one's are an int.
struct LaunchAttribute {
  int which = 0, reserved = 0;
  int value = 0, unused[15] = {};
};
static_assert(sizeof(LaunchAttribute) == 72);

/// CUlaunchConfig.
struct LaunchConfig {
  unsigned blocks[3] = {1, 1, 1}, threads[3] = {1, 1, 1};
  unsigned sharedBytes = 0;
  StreamHandle stream = nullptr;
  const LaunchAttribute *attributes = nullptr;
  unsigned attributeCount = 0;
};
static_assert(offsetof(LaunchConfig, stream) == 32 &&
              sizeof(LaunchConfig) == 56);

/// Where the functions come from, and the first that it does not have.
struct Library {
  void *handle = nullptr;
  const char *missing = nullptr;
};

template <typename... Parameters> struct Call {
  Call(Library &library, const char *name);

  const char *const name;
  int (*const function)(Parameters...);
};

class Driver {
public:
  /// The error says that there is none, or one that is too old.
  /// The library stays loaded when this goes, until the process ends: threads
  /// of the driver may still run in it.
  static Result<std::unique_ptr<Driver>> load();
  Driver(const Driver &) = delete;
  Driver &operator=(const Driver &) = delete;

  /// Calls a function; an error has the call, the driver's code and its text,
  /// and what to do.
  template <typename... Parameters, typename... Arguments>
  std::optional<Error> operator()(const Call<Parameters...> &call,
                                  Arguments... arguments) const {
    const int code = call.function(arguments...);
    if (code == kSuccess)
      return std::nullopt;
    return describe(call.name, code);
  }
  Error describe(const char *call, int code) const;

private:
  Driver(Library library) : library(library) {}
  Library library;

public:
  const Call<unsigned> init{library, "cuInit"};
  const Call<int *> getVersion{library, "cuDriverGetVersion"};
  const Call<int, const char **> getErrorName{library, "cuGetErrorName"};
  const Call<int, const char **> getErrorString{library, "cuGetErrorString"};
  const Call<int *> deviceGetCount{library, "cuDeviceGetCount"};
  const Call<DeviceNumber *, int> deviceGet{library, "cuDeviceGet"};
  const Call<char *, int, DeviceNumber> deviceGetName{library,
                                                      "cuDeviceGetName"};
  const Call<int *, int, DeviceNumber> deviceGetAttribute{
      library, "cuDeviceGetAttribute"};
  const Call<size_t *, DeviceNumber> deviceTotalMem{library,
                                                    "cuDeviceTotalMem_v2"};
  const Call<ContextHandle *, DeviceNumber> primaryContextRetain{
      library, "cuDevicePrimaryCtxRetain"};
  const Call<DeviceNumber> primaryContextRelease{
      library, "cuDevicePrimaryCtxRelease_v2"};
  const Call<ContextHandle> contextSetCurrent{library, "cuCtxSetCurrent"};
  const Call<size_t *, size_t *> memGetInfo{library, "cuMemGetInfo_v2"};
  const Call<Address *, size_t> memAlloc{library, "cuMemAlloc_v2"};
  const Call<void **, size_t, unsigned> memHostAlloc{library, "cuMemHostAlloc"};
  const Call<void *> memFreeHost{library, "cuMemFreeHost"};
  const Call<Address, const void *, size_t, StreamHandle> copyToDevice{
      library, "cuMemcpyHtoDAsync_v2"};
  const Call<void *, Address, size_t, StreamHandle> copyToHost{
      library, "cuMemcpyDtoHAsync_v2"};
  const Call<ModuleHandle *, const void *, unsigned, int *, void **>
      moduleLoadData{library, "cuModuleLoadDataEx"};
  const Call<FunctionHandle *, ModuleHandle, const char *> moduleGetFunction{
      library, "cuModuleGetFunction"};
  const Call<FunctionHandle, int, int> functionSetAttribute{
      library, "cuFuncSetAttribute"};
  const Call<const LaunchConfig *, FunctionHandle, void **, void **>
      launchKernel{library, "cuLaunchKernelEx"};
  const Call<StreamHandle *, unsigned> streamCreate{library, "cuStreamCreate"};
  const Call<StreamHandle> streamSynchronize{library, "cuStreamSynchronize"};
  const Call<EventHandle *, unsigned> eventCreate{library, "cuEventCreate"};
  const Call<EventHandle> eventDestroy{library, "cuEventDestroy_v2"};
  const Call<EventHandle, StreamHandle> eventRecord{library, "cuEventRecord"};
  const Call<EventHandle> eventSynchronize{library, "cuEventSynchronize"};
  const Call<float *, EventHandle, EventHandle> eventElapsedTime{
      library, "cuEventElapsedTime"};
  const Call<StreamHandle, int> streamBeginCapture{library,
                                                   "cuStreamBeginCapture_v2"};
  const Call<StreamHandle, GraphHandle *> streamEndCapture{
      library, "cuStreamEndCapture"};
  const Call<GraphExecHandle *, GraphHandle, unsigned long long>
      graphInstantiate{library, "cuGraphInstantiateWithFlags"};
  const Call<GraphHandle> graphDestroy{library, "cuGraphDestroy"};
  const Call<GraphExecHandle, StreamHandle> graphLaunch{library,
                                                        "cuGraphLaunch"};
  const Call<GraphExecHandle> graphExecDestroy{library, "cuGraphExecDestroy"};
};

} // namespace corellama::runtime::cuda

#endif // CORELLAMA_RUNTIME_CUDA_DRIVER_H
