//===- TargetTest.cpp - the table of targets and this machine -------------===//
//
// Each row of the table against LLVM's own knowledge of the CPU, or what it is
// to say of a GPU; messages whole.
//
//===----------------------------------------------------------------------===//

#include "compiler/Target/Target.h"
#include "compiler/Target/Targets.h"
#include "dialects/CPU/IR/CPUDialect.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/StringSet.h"
#include "llvm/TargetParser/Host.h"
#include "llvm/TargetParser/X86TargetParser.h"
#include "gtest/gtest.h"

using namespace corellama;
using llvm::StringRef;

namespace {

class TargetTest : public testing::Test {
protected:
  llama::TargetInterface resolve(StringRef name) {
    auto target = resolveTarget(context, name);
    if (!target) {
      ADD_FAILURE() << llvm::toString(target.takeError());
      return {};
    }
    return *target;
  }
  static llvm::StringSet<> featuresOf(llama::TargetInterface target) {
    llvm::StringSet<> features;
    llvm::SmallVector<StringRef> words;
    target.getFeatures().split(words, ',');
    for (StringRef word : words) {
      EXPECT_TRUE(word.consume_front("+")) << word.str();
      EXPECT_TRUE(features.insert(word).second) << word.str();
    }
    return features;
  }
  std::string messageOf(StringRef name) {
    auto target = resolveTarget(context, name);
    return target ? "" : llvm::toString(target.takeError());
  }

  mlir::MLIRContext context;
};

TEST_F(TargetTest, EveryCPUIsOneOfLLVMAndAtLeastV3) {
  llvm::SmallVector<StringRef> known;
  llvm::X86::fillValidCPUArchList(known, /*Only64Bit=*/true);
  for (const TargetInfo &info : allTargets()) {
    if (!info.isCPU())
      continue;
    EXPECT_TRUE(llvm::is_contained(known, info.name)) << info.name.str();
    auto target = mlir::dyn_cast<cpu::TargetAttr>(resolve(info.name));
    ASSERT_TRUE(target) << info.name.str();
    EXPECT_EQ(target.getName(), info.name);
    llvm::StringSet<> features = featuresOf(target);
    for (StringRef feature : requiredFeatures())
      EXPECT_TRUE(features.contains(feature))
          << info.name.str() << " " << feature.str();
    EXPECT_EQ(target.getVectorBits(),
              features.contains("avx512vl") ? 512 : 256);
  }
}

TEST_F(TargetTest, GPUsHaveAVersionOfPTXAndNothingOfACPU) {
  using Limit = std::pair<StringRef, int>;
  for (auto [name, bytes] :
       {Limit("cuda:sm_80", 163 * 1024), Limit("cuda:sm_90a", 227 * 1024)}) {
    llama::TargetInterface target = resolve(name);
    std::string text;
    llvm::raw_string_ostream(text) << target;
    EXPECT_EQ(text, "#cuda.target<name = \"" + name.str() +
                        "\", features = \"+ptx80\", workgroup_bytes = " +
                        std::to_string(bytes) + ">");
  }
}

TEST_F(TargetTest, EveryUsableFeatureIsOneOfSomeCPU) {
  llvm::SmallVector<StringRef> cpus;
  llvm::X86::fillValidCPUArchList(cpus, /*Only64Bit=*/true);
  llvm::StringMap<bool> known;
  for (StringRef cpu : cpus) {
    llvm::SmallVector<StringRef> listed;
    llvm::X86::getFeaturesForCPU(cpu, listed);
    for (StringRef feature : listed) {
      known[feature] = true;
      llvm::X86::updateImpliedFeatures(feature, true, known);
    }
  }
  for (StringRef feature : usableFeatures())
    EXPECT_TRUE(known.lookup(feature)) << feature.str();
  for (StringRef feature : requiredFeatures())
    EXPECT_TRUE(llvm::is_contained(usableFeatures(), feature)) << feature.str();
}

TEST_F(TargetTest, ImpliedFeaturesAreSpeltOut) {
  // LLVM's list of the level has only avx2 and sse4.2.
  EXPECT_EQ(resolve("x86-64-v3").getFeatures(),
            "+cx16,+popcnt,+sahf,+sse3,+ssse3,+sse4.1,+sse4.2,+crc32,"
            "+avx,+avx2,+bmi,+bmi2,+f16c,+fma,+lzcnt,+movbe");
  EXPECT_TRUE(featuresOf(resolve("x86-64-v4")).contains("avx512f"));
}

TEST_F(TargetTest, NamedMachinesHaveTheirUnits) {
  EXPECT_TRUE(featuresOf(resolve("znver4")).contains("avx512vnni"));
  EXPECT_FALSE(featuresOf(resolve("znver4")).contains("amx-tile"));
  EXPECT_TRUE(featuresOf(resolve("sapphirerapids")).contains("amx-bf16"));
  EXPECT_TRUE(featuresOf(resolve("alderlake")).contains("avxvnni"));
  EXPECT_FALSE(featuresOf(resolve("skylake-avx512")).contains("avx512vnni"));
}

TEST_F(TargetTest, WhatNoKernelUsesIsNotAskedFor) {
  llvm::StringSet<> features = featuresOf(resolve("znver5"));
  for (StringRef feature : {"rdrnd", "clzero", "invpcid", "sha", "xsaves"})
    EXPECT_FALSE(features.contains(feature)) << feature.str();
}

TEST_F(TargetTest, AnUnknownNameGetsItsNearest) {
  EXPECT_EQ(messageOf("znver44"),
            "--target: 'znver44' is not a target, perhaps znver4; "
            "--list-targets shows all of them");
  EXPECT_EQ(messageOf("natve"),
            "--target: 'natve' is not a target, perhaps native; "
            "--list-targets shows all of them");
  EXPECT_EQ(messageOf("x86-64-v"),
            "--target: 'x86-64-v' is not a target, perhaps x86-64-v3 or "
            "x86-64-v4; --list-targets shows all of them");
  EXPECT_EQ(messageOf("cuda:sm_90"),
            "--target: 'cuda:sm_90' is not a target, perhaps cuda:sm_80 or "
            "cuda:sm_90a; --list-targets shows all of them");
}

TEST_F(TargetTest, BaselineX86IsNotATarget) {
  EXPECT_NE(messageOf("x86-64"), "");
  EXPECT_NE(messageOf("x86-64-v2"), "");
  EXPECT_NE(messageOf(""), "");
}

TEST_F(TargetTest, NativeIsThisMachine) {
  llvm::StringMap<bool> host = llvm::sys::getHostCPUFeatures();
  for (StringRef feature : requiredFeatures())
    if (!host.lookup(feature))
      GTEST_SKIP() << "this machine lacks " << feature.str();
  llama::TargetInterface target = resolve("native");
  EXPECT_EQ(target.getName(), "native:" + llvm::sys::getHostCPUName().str());
  llvm::StringSet<> features = featuresOf(target);
  for (StringRef feature : usableFeatures())
    EXPECT_EQ(features.contains(feature), host.lookup(feature))
        << feature.str();
}

TEST_F(TargetTest, TheListHasEveryTargetAndThisMachine) {
  std::string text;
  llvm::raw_string_ostream stream(text);
  listTargets(stream);
  for (const TargetInfo &info : allTargets())
    EXPECT_NE(text.find(info.name.str() + " "), std::string::npos)
        << info.name.str();
  EXPECT_NE(text.find("\ncuda:sm_80       GPU               "
                      "NVIDIA A100, and any later GPU\n"),
            std::string::npos)
      << text;
  EXPECT_NE(text.find("native "), std::string::npos);
  EXPECT_NE(text.find("this machine: "), std::string::npos);
}

} // namespace
