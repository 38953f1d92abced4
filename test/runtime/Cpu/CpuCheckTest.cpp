//===- CpuCheckTest.cpp - programs on CPUs that can and cannot run them ---===//
//
// Tests runtime/Cpu/CpuCheck.h with made-up CPUs.
//
//===----------------------------------------------------------------------===//

#include "runtime/Cpu/CpuCheck.h"

#include <gtest/gtest.h>

using namespace corellama::runtime;
using Registers = std::array<uint32_t, 4>;

static std::string check(const char *features, const CpuReader &cpu,
                         uint32_t version = corellama::abi::kVersion) {
  corellama::abi::Program program{};
  program.version = version;
  program.target = "x86-64-v4";
  program.features = features;
  auto error = checkProgram(program, cpu);
  return error ? error->message : "";
}

static const CpuReader kEverything = {
    [](uint32_t, uint32_t) { return Registers{~0u, ~0u, ~0u, ~0u}; },
    [] { return ~uint64_t(0); }, [] { return true; }};
static const CpuReader kNothing = {
    [](uint32_t, uint32_t) { return Registers{}; }, [] { return uint64_t(0); },
    [] { return false; }};
/// A CPU with all features under a system that saves only xmm and ymm.
static const CpuReader kOldSystem = {
    kEverything.cpuid, [] { return uint64_t(7); }, [] { return false; }};
/// The same under a system that saves all registers and lends no tiles.
static const CpuReader kNoTiles = {kEverything.cpuid, kEverything.savedStates,
                                   [] { return false; }};
/// Leaf 7 has no sub-leaf 1, yet answers as if it had.
static const CpuReader kNoSubleaf = {
    [](uint32_t leaf, uint32_t subleaf) {
      return leaf == 7 && subleaf == 0 ? Registers{0, ~0u, ~0u, ~0u}
                                       : Registers{~0u, ~0u, ~0u, ~0u};
    },
    [] { return ~uint64_t(0); }, [] { return true; }};

static const char *kV4 =
    "64bit,avx,avx2,avx512bw,avx512cd,avx512dq,avx512f,avx512vl,bmi,bmi2,cmov,"
    "crc32,cx16,cx8,f16c,fma,fxsr,lzcnt,mmx,movbe,popcnt,sahf,sse,sse2,sse3,"
    "sse4.1,sse4.2,ssse3,x87,xsave";

TEST(CpuCheck, AcceptsACpuThatHasThemAll) {
  EXPECT_EQ(check(kV4, kEverything), "");
  EXPECT_EQ(check("+avx512f,+amx-tile", kEverything), "");
}

TEST(CpuCheck, NamesAllThatIsMissing) {
  EXPECT_EQ(check("avx2,avx512f", kNothing),
            "this program needs a CPU with avx2, avx512f (it was compiled for "
            "x86-64-v4); compile the model with --target=native on this "
            "machine");
}

TEST(CpuCheck, TheSystemMustSaveTheRegisters) {
  EXPECT_EQ(check("avx2,fma,f16c", kOldSystem), "");
  EXPECT_EQ(check("avx2,avx512f", kOldSystem),
            "this program needs a CPU with avx512f (it was compiled for "
            "x86-64-v4); compile the model with --target=native on this "
            "machine");
  EXPECT_NE(check("amx-tile", kOldSystem), "");
}

TEST(CpuCheck, TheSystemMustLendTheTiles) {
  EXPECT_EQ(check("avx2,avx512f", kNoTiles), "");
  EXPECT_EQ(
      check("avx2,amx-bf16", kNoTiles),
      "this program needs the registers of AMX (it was compiled for "
      "x86-64-v4), and the kernel does not let this process use them; run "
      "it where arch_prctl is not forbidden, or compile the model with "
      "--target=native there");
}

TEST(CpuCheck, AsksWhetherTheSubleafIsThere) {
  EXPECT_EQ(check("avx512f", kNoSubleaf), "");
  EXPECT_NE(check("avx512bf16", kNoSubleaf), "");
}

TEST(CpuCheck, WhatNoCodeUsesMayBeMissing) {
  EXPECT_EQ(check("shstk,uintr,pku,clzero,-avx512f", kNothing), "");
  EXPECT_EQ(check("", kNothing), "");
}

TEST(CpuCheck, RefusesWhatItDoesNotKnow) {
  EXPECT_EQ(check("avx1024", kEverything),
            "this program needs the CPU feature 'avx1024', which its runtime "
            "cannot check; compile the model for another target");
}

TEST(CpuCheck, RefusesAnotherVersion) {
  EXPECT_EQ(check("", kEverything, 99),
            "the generated code is of interface version 99, this runtime knows "
            "version " +
                std::to_string(corellama::abi::kVersion) +
                "; compile the model again");
}

TEST(CpuCheck, ChoosesTheFirstThatTheCpuCanRun) {
  auto make = [](const char *target, const char *features) {
    corellama::abi::Program program{};
    program.version = corellama::abi::kVersion;
    program.target = target;
    program.features = features;
    return program;
  };
  const auto best = make("best", "avx2,amx-tile"),
             middle = make("middle", "avx2,avx512f"),
             least = make("least", "avx2"),
             native = make("native:znver4", "avx2");
  const corellama::abi::Program *const programs[] = {&best, &middle, &least,
                                                     &native, nullptr};
  auto choose = [&](const CpuReader &cpu,
                    std::optional<std::string> name = std::nullopt) {
    auto chosen = chooseProgram(programs, name, cpu);
    return chosen ? (*chosen)->target : chosen.error();
  };
  EXPECT_EQ(choose(kEverything), "best");
  EXPECT_EQ(choose(kOldSystem), "least");
  EXPECT_EQ(choose(kNoTiles), "middle");
  EXPECT_EQ(
      choose(kNothing),
      "this program needs a CPU with avx2 (it was compiled for "
      "native:znver4); compile the model with --target=native on this machine");
  EXPECT_EQ(choose(kEverything, "least"), "least");
  EXPECT_EQ(choose(kOldSystem, "middle"),
            "this program needs a CPU with avx512f (it was compiled for "
            "middle); compile the model with --target=native on this machine");
  EXPECT_EQ(choose(kEverything, "native"), "native:znver4");
  EXPECT_EQ(choose(kEverything, "native:znver4"), "native:znver4");
  EXPECT_EQ(choose(kEverything, "native:"),
            "--target: is 'native:', this program has best, middle, least, "
            "native:znver4; give one of them, or leave it out");
  EXPECT_EQ(choose(kEverything, "other"),
            "--target: is 'other', this program has best, middle, least, "
            "native:znver4; give one of them, or leave it out");
  EXPECT_EQ(targetsOf(programs), "best, middle, least, native:znver4");
}

TEST(CpuCheck, AgreesWithTheCompilerAboutThisCpu) {
  // gcc's own detection, for the features whose names it shares.
  __builtin_cpu_init();
  const std::pair<const char *, bool> facts[] = {
      {"sse4.2", __builtin_cpu_supports("sse4.2")},
      {"popcnt", __builtin_cpu_supports("popcnt")},
      {"avx", __builtin_cpu_supports("avx")},
      {"avx2", __builtin_cpu_supports("avx2")},
      {"fma", __builtin_cpu_supports("fma")},
      {"bmi", __builtin_cpu_supports("bmi")},
      {"bmi2", __builtin_cpu_supports("bmi2")},
      {"avx512f", __builtin_cpu_supports("avx512f")},
      {"avx512bw", __builtin_cpu_supports("avx512bw")},
      {"avx512vl", __builtin_cpu_supports("avx512vl")},
      {"avx512vnni", __builtin_cpu_supports("avx512vnni")},
      {"avx512bf16", __builtin_cpu_supports("avx512bf16")},
      {"gfni", __builtin_cpu_supports("gfni")},
  };
  for (auto [name, supported] : facts)
    EXPECT_EQ(check(name, kThisCpu).empty(), supported) << name;
  EXPECT_EQ(check("64bit,sse2,cx8,cmov,fxsr,x87,mmx,sse", kThisCpu), "");
}
