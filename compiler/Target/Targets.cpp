//===- Targets.cpp - the table of targets ---------------------------------===//
//
// Data only. A new target is a row of kTargets; a CPU feature that code
// generation starts to use is also an entry of kUsableFeatures.
//
//===----------------------------------------------------------------------===//

#include "compiler/Target/Targets.h"
#include "llvm/ADT/STLExtras.h"

using namespace corellama;
using llvm::ArrayRef;
using llvm::StringLiteral;

static constexpr uint64_t kKiB = 1024;

static constexpr TargetInfo kTargets[] = {
    {.name = "x86-64-v3",
     .machines = "any CPU with AVX2, FMA and F16C (since 2013)"},
    {.name = "x86-64-v4",
     .machines = "any CPU with AVX-512 F, BW, CD, DQ and VL (since 2017)"},
    {.name = "haswell", .machines = "Intel Core 4000, Xeon v3"},
    {.name = "broadwell", .machines = "Intel Core 5000, Xeon v4"},
    {.name = "skylake", .machines = "Intel Core 6000 to 10000"},
    {.name = "alderlake", .machines = "Intel Core 12000 to 14000"},
    {.name = "skylake-avx512", .machines = "Intel Xeon Scalable, 1st"},
    {.name = "cascadelake", .machines = "Intel Xeon Scalable, 2nd"},
    {.name = "icelake-server", .machines = "Intel Xeon Scalable, 3rd"},
    {.name = "sapphirerapids", .machines = "Intel Xeon Scalable, 4th"},
    {.name = "emeraldrapids", .machines = "Intel Xeon Scalable, 5th"},
    {.name = "graniterapids", .machines = "Intel Xeon 6 (P cores)"},
    {.name = "znver1", .machines = "AMD Ryzen 1000, EPYC 7001"},
    {.name = "znver2", .machines = "AMD Ryzen 3000, EPYC 7002"},
    {.name = "znver3", .machines = "AMD Ryzen 5000, EPYC 7003"},
    {.name = "znver4", .machines = "AMD Ryzen 7000, EPYC 9004"},
    {.name = "znver5", .machines = "AMD Ryzen 9000, EPYC 9005"},
    // The most workgroup memory of a block: CUDA C++ Programming Guide,
    // technical specifications per compute capability. PTX 8.0 came with CUDA
    // 12.0, the first with sm_90a; drivers from then on accept it.
    {.name = "cuda:sm_80",
     .machines = "NVIDIA A100, and any later GPU",
     .features = "+ptx80",
     .workgroupBytes = 163 * kKiB},
    {.name = "cuda:sm_90a",
     .machines = "NVIDIA H100, H200",
     .features = "+ptx80",
     .workgroupBytes = 227 * kKiB},
};

// In order of introduction; later features imply some of the earlier ones.
static constexpr StringLiteral kUsableFeatures[] = {
    // x86-64-v2
    "cx16", "popcnt", "sahf", "sse3", "ssse3", "sse4.1", "sse4.2", "crc32",
    // x86-64-v3
    "avx", "avx2", "bmi", "bmi2", "f16c", "fma", "lzcnt", "movbe",
    // x86-64-v4
    "avx512f", "avx512bw", "avx512cd", "avx512dq", "avx512vl",
    // bytes, halves, permutations
    "avx512ifma", "avx512vbmi", "avx512vbmi2", "avx512bitalg",
    "avx512vpopcntdq", "avx512vnni", "avx512bf16", "avx512fp16", "gfni",
    // the same in 256 bits, for CPUs without AVX-512
    "avxvnni", "avxifma", "avxvnniint8", "avxvnniint16", "avxneconvert",
    // matrices
    "amx-tile", "amx-int8", "amx-bf16", "amx-fp16"};

ArrayRef<TargetInfo> corellama::allTargets() { return kTargets; }

const TargetInfo *corellama::findTarget(llvm::StringRef name) {
  const TargetInfo *found = llvm::find_if(
      kTargets, [&](const TargetInfo &target) { return target.name == name; });
  return found == std::end(kTargets) ? nullptr : found;
}

ArrayRef<StringLiteral> corellama::usableFeatures() { return kUsableFeatures; }

ArrayRef<StringLiteral> corellama::requiredFeatures() {
  static constexpr StringLiteral kRequired[] = {
      "avx", "avx2", "bmi", "bmi2", "f16c", "fma", "lzcnt", "movbe"};
  return kRequired;
}
