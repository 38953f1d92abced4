"""NVIDIA's driver, as far as `check` measures with it: through ctypes, no package.

Input: libcuda.so.1; output: memory, kernels from PTX, and times by events. A file of its own
because only this one knows the driver's calls; `check` goes on where they fail.
"""

import contextlib
import ctypes


class NotThere(Exception):
    """A library, a call or a device that is not there; its text says which."""


class Library:
    """A shared library whose functions return 0."""

    def __init__(self, *names):
        for name in names:
            try:
                self.library = ctypes.CDLL(name)
                return
            except OSError:
                pass
        raise NotThere(f"no {names[0]}")

    def __getattr__(self, name):
        try:
            function = getattr(self.library, name)
        except AttributeError:
            raise NotThere(f"no {name}") from None

        def call(*arguments):
            code = function(*arguments)
            if code:
                raise NotThere(f"{name} gives {code}")
        return call


class Device:
    """The context of one GPU."""

    def __init__(self, number):
        self.cuda = Library("libcuda.so.1")
        self.cuda.cuInit(0)
        self.number, self.context = ctypes.c_int(), ctypes.c_void_p()
        self.cuda.cuDeviceGet(ctypes.byref(self.number), number)
        self.cuda.cuDevicePrimaryCtxRetain(ctypes.byref(self.context), self.number)
        self.cuda.cuCtxSetCurrent(self.context)

    def attribute(self, which):
        value = ctypes.c_int()
        self.cuda.cuDeviceGetAttribute(ctypes.byref(value), which, self.number)
        return value.value

    def multiprocessors(self):
        return self.attribute(16)  # CU_DEVICE_ATTRIBUTE_MULTIPROCESSOR_COUNT

    @contextlib.contextmanager
    def memory(self, size):
        """A device address, as a number that ctypes passes as 64 bits."""
        address = ctypes.c_uint64()
        self.cuda.cuMemAlloc_v2(ctypes.byref(address), ctypes.c_size_t(size))
        try:
            # 1.0 in bf16, small numbers in any format.
            self.cuda.cuMemsetD32_v2(address, 0x3f803f80, ctypes.c_size_t(size // 4))
            yield address
        finally:
            self.cuda.cuMemFree_v2(address)

    def kernel(self, ptx, name):
        module, function = ctypes.c_void_p(), ctypes.c_void_p()
        self.cuda.cuModuleLoadData(ctypes.byref(module), ptx.encode() + b"\0")
        self.cuda.cuModuleGetFunction(ctypes.byref(function), module, name.encode())
        return function

    def launch(self, function, blocks, threads, *arguments):
        places = (ctypes.c_void_p * len(arguments))(
            *(ctypes.cast(ctypes.byref(a), ctypes.c_void_p) for a in arguments))
        self.cuda.cuLaunchKernel(function, blocks, 1, 1, threads, 1, 1, 0, None, places, None)

    def seconds(self, work, times):
        """The least of some runs of `work`, which enqueues on the default stream."""
        events = [ctypes.c_void_p(), ctypes.c_void_p()]
        for event in events:
            self.cuda.cuEventCreate(ctypes.byref(event), 0)
        best = None
        for _ in range(times):
            self.cuda.cuEventRecord(events[0], None)
            work()
            self.cuda.cuEventRecord(events[1], None)
            self.cuda.cuEventSynchronize(events[1])
            passed = ctypes.c_float()
            self.cuda.cuEventElapsedTime(ctypes.byref(passed), *events)
            best = min(best or passed.value, passed.value)
        return best / 1e3
