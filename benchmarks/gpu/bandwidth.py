"""What the GPU does at best: the ceilings beside which programs are judged.

Input: the number of a GPU; output: json with bytes a second that are copied and that are read,
and operations a second of a large bf16 product by cuBLASLt, or why there are none. A process of its own, which
`check` ends where it hangs, because it measures the machine, not us.
"""

import ctypes
import json
import sys

from device import Device, Library, NotThere

SIZE = 1 << 30  # bytes: 20 times the second-level cache of an H100
TIMES = 10

# Each thread reads 16 bytes at a time, eight of them before it uses the first; the sum is stored
# only if it is a number that no sum of ones is, so that no load can be left out.
READ = """
.version 7.0
.target sm_80
.address_size 64
.visible .entry read(.param .u64 from, .param .u64 count, .param .u64 to) {
  .reg .pred %p<3>;
  .reg .b32 %r<64>;
  .reg .b64 %d<8>;
  ld.param.u64 %d1, [from];
  ld.param.u64 %d2, [count];
  ld.param.u64 %d3, [to];
  mov.u32 %r1, %ctaid.x;
  mov.u32 %r2, %ntid.x;
  mov.u32 %r3, %tid.x;
  mov.u32 %r4, %nctaid.x;
  mad.lo.u32 %r5, %r1, %r2, %r3;
  mul.lo.u32 %r6, %r4, %r2;
  cvt.u64.u32 %d4, %r5;
  cvt.u64.u32 %d5, %r6;
  shl.b64 %d7, %d5, 4;
  mov.u32 %r7, 0;
loop:
  shl.b64 %d6, %d4, 4;
  add.u64 %d6, %d1, %d6;
{loads}
{sums}
  shl.b64 %d6, %d5, 3;
  add.u64 %d4, %d4, %d6;
  setp.lt.u64 %p1, %d4, %d2;
  @%p1 bra loop;
  setp.eq.u32 %p2, %r7, 0x12345;
  @%p2 st.global.u32 [%d3], %r7;
  ret;
}
"""
AT_ONCE = 8


def read_kernel():
    registers = [[f"%r{10 + 4 * i + j}" for j in range(4)] for i in range(AT_ONCE)]
    loads = "\n".join(f"  ld.global.nc.v4.u32 {{{', '.join(four)}}}, [%d6];\n"
                      "  add.u64 %d6, %d6, %d7;" for four in registers)
    sums = "\n".join(f"  add.u32 %r7, %r7, {r};" for four in registers for r in four)
    return READ.replace("{loads}", loads).replace("{sums}", sums)


def copied(device):
    """Bytes a second that are read and written, together."""
    with device.memory(SIZE) as source, device.memory(SIZE) as to:
        seconds = device.seconds(lambda: device.cuda.cuMemcpyDtoDAsync_v2(
            to, source, ctypes.c_size_t(SIZE), None), TIMES)
    return 2 * SIZE / seconds


def read(device):
    function = device.kernel(read_kernel(), "read")
    blocks, threads = 8 * device.multiprocessors(), 256
    # Whole trips of all threads.
    trip = 16 * AT_ONCE * blocks * threads
    size = SIZE // trip * trip
    with device.memory(SIZE) as source, device.memory(4) as to:
        count = ctypes.c_uint64(size // 16)
        seconds = device.seconds(
            lambda: device.launch(function, blocks, threads, source, count, to), TIMES)
    return size / seconds


# Of library_types.h and cublasLt.h.
R_32F, R_16BF, COMPUTE_32F = 0, 14, 68


def multiplied(device, n=8192):
    """Operations a second of an n x n x n product of bf16 with float32 sums."""
    blas = Library("libcublasLt.so.13", "libcublasLt.so.12", "libcublasLt.so.11",
                   "libcublasLt.so")
    handle, product = ctypes.c_void_p(), ctypes.c_void_p()
    blas.cublasLtCreate(ctypes.byref(handle))
    blas.cublasLtMatmulDescCreate(ctypes.byref(product), COMPUTE_32F, R_32F)
    layout = ctypes.c_void_p()
    size = ctypes.c_uint64(n)
    blas.cublasLtMatrixLayoutCreate(ctypes.byref(layout), R_16BF, size, size,
                                    ctypes.c_int64(n))
    one, zero = ctypes.c_float(1), ctypes.c_float(0)
    with device.memory(2 * n * n) as a, device.memory(2 * n * n) as b, \
            device.memory(2 * n * n) as c:
        seconds = device.seconds(lambda: blas.cublasLtMatmul(
            handle, product, ctypes.byref(one), a, layout, b, layout, ctypes.byref(zero),
            c, layout, c, layout, None, None, ctypes.c_size_t(0), None), TIMES)
    return 2 * n ** 3 / seconds


def main():
    found, device = {}, None
    for name, measure in ("copy", copied), ("read", read), ("cuBLASLt", multiplied):
        try:
            device = device or Device(int(sys.argv[1]))
            found[name] = measure(device)
        except NotThere as problem:
            found[name] = str(problem)
    print(json.dumps(found))


if __name__ == "__main__":
    main()
