//===- CpuCheck.cpp - the table of CPU features ---------------------------===//
//
// See CpuCheck.h. Names are LLVM's (`llc -mattr=help`), bits are from the
// manuals of Intel (volume 2, CPUID) and AMD (volume 3, appendix E). Our own
// table, because the C++ compiler's built-in has other names, and fewer.
//
//===----------------------------------------------------------------------===//

#include "runtime/Cpu/CpuCheck.h"

#include "runtime/Executor/GeneratedCode.h"

#include <algorithm>
#include <cpuid.h>
#include <string>
#include <string_view>
#include <sys/syscall.h>
#include <unistd.h>
#include <utility>

namespace corellama::runtime {

namespace {
enum Register : uint8_t { EAX, EBX, ECX, EDX };

/// States of XCR0 that the operating system must save for a feature's
/// registers to survive a context switch.
enum State : uint32_t {
  none = 0,
  ymm = 0x6,
  zmm = 0xE6,
  tiles = 0x60000,
};

struct Feature {
  std::string_view name;
  uint32_t leaf;
  uint32_t subleaf;
  Register result;
  uint8_t bit;
  State state = none;
};
} // namespace

static constexpr Feature kFeatures[] = {
    {"sse3", 1, 0, ECX, 0},
    {"pclmul", 1, 0, ECX, 1},
    {"ssse3", 1, 0, ECX, 9},
    {"fma", 1, 0, ECX, 12, ymm},
    {"cx16", 1, 0, ECX, 13},
    {"sse4.1", 1, 0, ECX, 19},
    {"sse4.2", 1, 0, ECX, 20},
    {"crc32", 1, 0, ECX, 20},
    {"movbe", 1, 0, ECX, 22},
    {"popcnt", 1, 0, ECX, 23},
    {"aes", 1, 0, ECX, 25},
    {"xsave", 1, 0, ECX, 27},
    {"avx", 1, 0, ECX, 28, ymm},
    {"f16c", 1, 0, ECX, 29, ymm},
    {"rdrnd", 1, 0, ECX, 30},
    {"x87", 1, 0, EDX, 0},
    {"cx8", 1, 0, EDX, 8},
    {"cmov", 1, 0, EDX, 15},
    {"mmx", 1, 0, EDX, 23},
    {"fxsr", 1, 0, EDX, 24},
    {"sse", 1, 0, EDX, 25},
    {"sse2", 1, 0, EDX, 26},

    {"fsgsbase", 7, 0, EBX, 0},
    {"bmi", 7, 0, EBX, 3},
    {"avx2", 7, 0, EBX, 5, ymm},
    {"bmi2", 7, 0, EBX, 8},
    {"rtm", 7, 0, EBX, 11},
    {"avx512f", 7, 0, EBX, 16, zmm},
    {"evex512", 7, 0, EBX, 16, zmm},
    {"avx512dq", 7, 0, EBX, 17, zmm},
    {"rdseed", 7, 0, EBX, 18},
    {"adx", 7, 0, EBX, 19},
    {"avx512ifma", 7, 0, EBX, 21, zmm},
    {"clflushopt", 7, 0, EBX, 23},
    {"clwb", 7, 0, EBX, 24},
    {"avx512cd", 7, 0, EBX, 28, zmm},
    {"sha", 7, 0, EBX, 29},
    {"avx512bw", 7, 0, EBX, 30, zmm},
    {"avx512vl", 7, 0, EBX, 31, zmm},
    {"avx512vbmi", 7, 0, ECX, 1, zmm},
    {"avx512vbmi2", 7, 0, ECX, 6, zmm},
    {"gfni", 7, 0, ECX, 8},
    {"vaes", 7, 0, ECX, 9, ymm},
    {"vpclmulqdq", 7, 0, ECX, 10, ymm},
    {"avx512vnni", 7, 0, ECX, 11, zmm},
    {"avx512bitalg", 7, 0, ECX, 12, zmm},
    {"avx512vpopcntdq", 7, 0, ECX, 14, zmm},
    {"rdpid", 7, 0, ECX, 22},
    {"movdiri", 7, 0, ECX, 27},
    {"movdir64b", 7, 0, ECX, 28},
    {"avx512vp2intersect", 7, 0, EDX, 8, zmm},
    {"amx-bf16", 7, 0, EDX, 22, tiles},
    {"avx512fp16", 7, 0, EDX, 23, zmm},
    {"amx-tile", 7, 0, EDX, 24, tiles},
    {"amx-int8", 7, 0, EDX, 25, tiles},

    {"sha512", 7, 1, EAX, 0, ymm},
    {"sm3", 7, 1, EAX, 1, ymm},
    {"sm4", 7, 1, EAX, 2, ymm},
    {"avxvnni", 7, 1, EAX, 4, ymm},
    {"avx512bf16", 7, 1, EAX, 5, zmm},
    {"cmpccxadd", 7, 1, EAX, 7},
    {"amx-fp16", 7, 1, EAX, 21, tiles},
    {"avxifma", 7, 1, EAX, 23, ymm},
    {"avxvnniint8", 7, 1, EDX, 4, ymm},
    {"avxneconvert", 7, 1, EDX, 5, ymm},
    {"amx-complex", 7, 1, EDX, 8, tiles},
    {"avxvnniint16", 7, 1, EDX, 10, ymm},
    {"avx10.1", 7, 1, EDX, 19, zmm},
    {"avx10.1-512", 7, 1, EDX, 19, zmm},

    {"sahf", 0x80000001, 0, ECX, 0},
    {"lzcnt", 0x80000001, 0, ECX, 5},
    {"sse4a", 0x80000001, 0, ECX, 6},
    {"prfchw", 0x80000001, 0, ECX, 8},
    {"xop", 0x80000001, 0, ECX, 11, ymm},
    {"fma4", 0x80000001, 0, ECX, 16, ymm},
    {"tbm", 0x80000001, 0, ECX, 21},
    {"64bit", 0x80000001, 0, EDX, 29},
};

/// Features that LLVM lists for a CPU but whose instructions it never generates
/// by itself (they are for operating systems, need a permission, or are hints).
/// A machine may lack them: hypervisors often hide some.
static constexpr std::string_view kNeverEmitted[] = {
    "cldemote",  "clzero",   "enqcmd",  "ermsb",     "fsrm",     "hreset",
    "invpcid",   "kl",       "lwp",     "mwaitx",    "pconfig",  "pku",
    "prefetchi", "ptwrite",  "rdpru",   "serialize", "sgx",      "shstk",
    "tsxldtrk",  "uintr",    "usermsr", "waitpkg",   "wbnoinvd", "widekl",
    "xsavec",    "xsaveopt", "xsaves",
};

static std::array<uint32_t, 4> readCpuid(uint32_t leaf, uint32_t subleaf) {
  std::array<uint32_t, 4> result{};
  // Also checks that the CPU has the leaf; for an unknown leaf CPUID returns
  // the values of its highest leaf.
  __get_cpuid_count(leaf, subleaf, &result[EAX], &result[EBX], &result[ECX],
                    &result[EDX]);
  return result;
}

static uint64_t readSavedStates() {
  constexpr uint32_t kOsUsesXsave = 1u << 27;
  if (!(readCpuid(1, 0)[ECX] & kOsUsesXsave))
    return 0;
  uint32_t low, high;
  __asm__("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
  return uint64_t(high) << 32 | low;
}

/// Linux, Documentation/arch/x86/xstate.rst: the state that tile registers are
/// is 8 KiB a thread, so a process has to ask for it. The permission holds for
/// all of its threads.
static bool requestTiles() {
  constexpr long kRequestPermission = 0x1023, kTileData = 18;
  return syscall(SYS_arch_prctl, kRequestPermission, kTileData) == 0;
}

const CpuReader kThisCpu = {readCpuid, readSavedStates, requestTiles};

static bool hasFeature(const Feature &feature, const CpuReader &cpu) {
  // eax of sub-leaf 0 of leaf 7 is the number of the last sub-leaf.
  if (feature.leaf == 7 && feature.subleaf > cpu.cpuid(7, 0)[EAX])
    return false;
  uint32_t bits = cpu.cpuid(feature.leaf, feature.subleaf)[feature.result];
  return (bits >> feature.bit & 1) &&
         (cpu.savedStates() & feature.state) == feature.state;
}

std::optional<Error> checkProgram(const abi::Program &program,
                                  const CpuReader &cpu) {
  if (auto error = checkVersion(program.version))
    return error;
  std::string missing;
  bool needsTiles = false;
  std::string_view rest = program.features;
  while (!rest.empty()) {
    size_t comma = rest.find(',');
    std::string_view name = rest.substr(0, comma);
    rest.remove_prefix(comma == rest.npos ? rest.size() : comma + 1);
    if (name.starts_with('+'))
      name.remove_prefix(1);
    if (name.empty() || name.starts_with('-')) // a feature that is not used
      continue;
    if (std::find(std::begin(kNeverEmitted), std::end(kNeverEmitted), name) !=
        std::end(kNeverEmitted))
      continue;
    auto feature =
        std::find_if(std::begin(kFeatures), std::end(kFeatures),
                     [&](const Feature &each) { return each.name == name; });
    if (feature == std::end(kFeatures))
      return Error{"this program needs the CPU feature '" + std::string(name) +
                   "', which its runtime cannot check; compile the model for "
                   "another target"};
    needsTiles |= feature->state == tiles;
    if (!hasFeature(*feature, cpu)) {
      missing += missing.empty() ? "" : ", ";
      missing += name;
    }
  }
  if (!missing.empty())
    return Error{"this program needs a CPU with " + missing +
                 " (it was compiled for " + program.target +
                 "); compile the model with --target=native on this machine"};
  if (needsTiles && !cpu.requestTiles())
    return Error{"this program needs the registers of AMX (it was compiled "
                 "for " +
                 std::string(program.target) +
                 "), and the kernel does not let this process use them; run it "
                 "where arch_prctl is not forbidden, or compile the model with "
                 "--target=native there"};
  return std::nullopt;
}

std::string targetsOf(const abi::Program *const *programs) {
  std::string names;
  for (; *programs; ++programs)
    names.append(names.empty() ? "" : ", ").append((*programs)->target);
  return names;
}

Result<const abi::Program *>
chooseProgram(const abi::Program *const *programs,
              const std::optional<std::string> &name, const CpuReader &cpu) {
  Error error{"--target: is " + quoted(name.value_or("")) +
              ", this program has " + targetsOf(programs) +
              "; give one of them, or leave it out"};
  for (const abi::Program *const *program = programs; *program; ++program) {
    // The target `native` is listed with the machine that it was, behind a
    // colon.
    const std::string_view target = (*program)->target;
    if (name && *name != target && *name != target.substr(0, target.find(':')))
      continue;
    auto missing = checkProgram(**program, cpu);
    if (!missing)
      return *program;
    error = std::move(*missing);
  }
  return error;
}

} // namespace corellama::runtime
