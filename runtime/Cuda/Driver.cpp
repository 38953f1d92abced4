//===- Driver.cpp - the functions of NVIDIA's driver ----------------------===//
//
// See Driver.h.
//
//===----------------------------------------------------------------------===//

#include "runtime/Cuda/Driver.h"

#include <dlfcn.h>
#include <string>
#include <string_view>

namespace corellama::runtime::cuda {

static void *find(Library &library, const char *name) {
  void *function = dlsym(library.handle, name);
  if (!function && !library.missing)
    library.missing = name;
  return function;
}

template <typename... Parameters>
Call<Parameters...>::Call(Library &library, const char *name)
    : name(name),
      function(reinterpret_cast<int (*)(Parameters...)>(find(library, name))) {}

Result<std::unique_ptr<Driver>> Driver::load() {
  constexpr const char *kName = "libcuda.so.1";
  void *handle = dlopen(kName, RTLD_NOW | RTLD_LOCAL);
  if (!handle) {
    const char *why = dlerror();
    return Error{std::string("this program runs on an NVIDIA GPU, whose driver "
                             "cannot be loaded: ") +
                 (why ? why : kName) +
                 "; install the driver, or compile the model for a CPU"};
  }
  std::unique_ptr<Driver> driver(new Driver({handle}));
  if (driver->library.missing)
    return Error{std::string("the driver's ") + kName + " has no " +
                 driver->library.missing +
                 "; install a driver of CUDA 12.0 or later"};
  return driver;
}

/// What to do about an error of the driver (CUresult).
static const char *remedyFor(std::string_view call, int code) {
  switch (code) {
  case 1:   // INVALID_VALUE
  case 200: // INVALID_IMAGE
  case 218: // INVALID_PTX
  case 500: // NOT_FOUND
    return "the program is damaged, or the driver older than CUDA 12.0";
  case kErrorOutOfMemory:
    if (call == "cuMemHostAlloc")
      return "this machine, not its GPU, has too little memory that can be "
             "locked; end other programs";
    return "give a smaller -c, or end other programs that use the GPU";
  case 34: // STUB_LIBRARY
    return "libcuda.so.1 is the toolkit's stub; put the driver's in front of "
           "it in LD_LIBRARY_PATH";
  case 46: // DEVICE_UNAVAILABLE
    return "another program has the GPU for itself; end it, or give another "
           "--device";
  case 100: // NO_DEVICE
  case 101: // INVALID_DEVICE
    return "see whether nvidia-smi lists a GPU, and what CUDA_VISIBLE_DEVICES "
           "hides";
  case 209: // NO_BINARY_FOR_GPU
    return "compile the model for this GPU, with --target=cuda:sm_80 for any "
           "later one";
  case 222: // UNSUPPORTED_PTX_VERSION
    return "install a driver of CUDA 12.0 or later";
  case 214: // ECC_UNCORRECTABLE
    return "the GPU's memory is damaged; reset it, or give another --device";
  case 220: // NVLINK_UNCORRECTABLE
    return "a link between GPUs failed; reset them, or give another --device";
  case 221: // JIT_COMPILER_NOT_FOUND
    return "the driver's libnvidia-ptxjitcompiler.so.1 is missing; install all "
           "of the driver, or compile the model where ptxas is";
  case 700: // ILLEGAL_ADDRESS
  case 716: // MISALIGNED_ADDRESS
  case 719: // LAUNCH_FAILED
    return "a kernel failed: compute-sanitizer PROGRAM says where; report it";
  case 702: // LAUNCH_TIMEOUT
    return "a kernel ran longer than the driver allows on a GPU with a "
           "display; give another --device";
  case 701: // LAUNCH_OUT_OF_RESOURCES
    return "compile the model for this GPU";
  case 802: // SYSTEM_NOT_READY
  case 803: // SYSTEM_DRIVER_MISMATCH
    return "the driver was updated or is not started; restart the machine";
  default:
    return "see whether nvidia-smi works; if not, restart the driver";
  }
}

Error Driver::describe(const char *call, int code) const {
  // These two fail for codes that they do not know.
  const char *name = nullptr, *text = nullptr;
  if (getErrorName.function(code, &name) != kSuccess || !name)
    name = "an unknown error";
  if (getErrorString.function(code, &text) != kSuccess || !text)
    text = "no description";
  return Error{std::string("GPU: ") + call + ": " + printable(text, 200) +
               " (" + name + ", " + std::to_string(code) + "); " +
               remedyFor(call, code)};
}

} // namespace corellama::runtime::cuda
