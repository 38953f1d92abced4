//===- EmulatorABI.h - functions that emulated kernels call ---------------===//
//
// cuda-to-emulator turns each op of cuda into a call of one of these;
// cuda-trace-accesses adds the last two. Each is called by the fibre that runs
// the thread. Defined in EmulatorDevice.cpp; the executable exports them to the
// kernels that it loads.
//
//===----------------------------------------------------------------------===//

#ifndef CORELLAMA_TEST_EMULATOR_EMULATORABI_H
#define CORELLAMA_TEST_EMULATOR_EMULATORABI_H

#include <cstdint>

/// `site` is the number of an op in its kernel: of barriers, copy_commits,
/// copy_waits and wait_previous together, of the other ops of cuda, or of loads
/// and stores, each from 0 in the order of the text. Threads wait for each
/// other at the same site, and accesses of a site are one instruction of a
/// warp.
extern "C" {
uint32_t corellama_emulator_thread();
uint32_t corellama_emulator_block();
/// First byte of the block's workgroup memory, at a multiple of 128.
uint8_t *corellama_emulator_shared();
void corellama_emulator_barrier(uint32_t site);
void corellama_emulator_wait_previous(uint32_t site);
/// Called by all 32 lanes of a warp, as all below that have a site and no
/// address of one thread.
void corellama_emulator_converge(uint32_t site);
uint32_t corellama_emulator_shuffle_xor(uint32_t value, uint32_t mask,
                                        uint32_t site);
/// The sum of a float over a warp, as five shuffles and additions make it: of
/// lanes l and l xor 16, then 8, 4, 2, 1. The same bits as they give, in one
/// meeting of the warp instead of five. Called by all 32 lanes.
uint32_t corellama_emulator_warp_sum(uint32_t value, uint32_t site);
void corellama_emulator_prefetch(const void *address, uint32_t site);
/// The bytes arrive at the copy_wait that covers them, not before.
void corellama_emulator_copy_async(void *target, const void *source,
                                   uint32_t valid, uint32_t site);
void corellama_emulator_copy_commit(uint32_t site);
void corellama_emulator_copy_wait(uint32_t pending, uint32_t site);
/// `registers` (`count` of them, 1, 2 or 4) from the rows that the lanes name,
/// or from the columns of these matrices.
void corellama_emulator_ldmatrix(const void *row, uint32_t count,
                                 uint32_t *registers, uint32_t site);
void corellama_emulator_ldmatrix_transposed(const void *row, uint32_t count,
                                            uint32_t *registers, uint32_t site);
/// a: 4 registers, b: 2, c and d: 4 sums; of f16, or of bf16.
void corellama_emulator_mma(const uint32_t *a, const uint32_t *b,
                            const float *c, float *d, uint32_t site);
void corellama_emulator_mma_bf16(const uint32_t *a, const uint32_t *b,
                                 const float *c, float *d, uint32_t site);
/// `alignment` is the access's; on a GPU a misaligned access faults.
void corellama_emulator_read(const void *address, uint32_t bytes,
                             uint32_t alignment, uint32_t site);
void corellama_emulator_write(const void *address, uint32_t bytes,
                              uint32_t alignment, uint32_t site);
}

#endif // CORELLAMA_TEST_EMULATOR_EMULATORABI_H
