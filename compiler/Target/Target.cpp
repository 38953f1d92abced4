//===- Target.cpp - names of machines -> the target attribute -------------===//
//
// See Target.h.
//
//===----------------------------------------------------------------------===//

#include "compiler/Target/Target.h"
#include "compiler/Target/Targets.h"
#include "dialects/CPU/IR/CPUDialect.h"
#include "dialects/CUDA/IR/CUDADialect.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/StringMap.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/raw_ostream.h"
#include "llvm/TargetParser/Host.h"
#include "llvm/TargetParser/X86TargetParser.h"
#include <climits>
#include <sys/syscall.h>
#include <unistd.h>

using namespace mlir;
using namespace corellama;
using llvm::Error;
using llvm::Expected;
using llvm::StringLiteral;

/// Feature names, with whether the CPU has them.
using FeatureSet = llvm::StringMap<bool>;

static Error refuse(const Twine &message) {
  return llvm::createStringError("--target: " + message);
}

//===----------------------------------------------------------------------===//
// Features
//===----------------------------------------------------------------------===//

/// The features of a CPU that LLVM knows, implied ones included.
static FeatureSet featuresOfCPU(StringRef cpu) {
  SmallVector<StringRef> listed;
  llvm::X86::getFeaturesForCPU(cpu, listed);
  FeatureSet features;
  for (StringRef feature : listed) {
    features[feature] = true;
    llvm::X86::updateImpliedFeatures(feature, /*Enabled=*/true, features);
  }
  return features;
}

llvm::StringMap<bool> corellama::hostFeatures() {
  FeatureSet features = llvm::sys::getHostCPUFeatures();
  // As runtime/Cpu/CpuCheck.cpp does it for programs.
  constexpr long kRequestPermission = 0x1023, kTileData = 18;
  if (features.lookup("amx-tile") &&
      syscall(SYS_arch_prctl, kRequestPermission, kTileData) != 0)
    for (auto &feature : features)
      if (feature.getKey().starts_with("amx-"))
        feature.second = false;
  return features;
}

static SmallVector<StringRef> lackingOf(const FeatureSet &features,
                                        ArrayRef<StringLiteral> wanted) {
  SmallVector<StringRef> lacking;
  for (StringRef feature : wanted)
    if (!features.lookup(feature))
      lacking.push_back(feature);
  return lacking;
}

static std::string usableOf(const FeatureSet &features) {
  std::string text;
  for (StringRef feature : usableFeatures())
    if (features.lookup(feature))
      text += ((text.empty() ? "+" : ",+") + feature).str();
  return text;
}

static int64_t vectorBitsOf(const FeatureSet &features) {
  for (StringRef feature : {"avx512f", "avx512bw", "avx512dq", "avx512vl"})
    if (!features.lookup(feature))
      return 256;
  return 512;
}

//===----------------------------------------------------------------------===//
// Names
//===----------------------------------------------------------------------===//

static constexpr StringLiteral kNative = "native";

/// ", perhaps " and the names that are the fewest edits away, at most three.
static std::string nearestNames(StringRef name) {
  SmallVector<StringRef> names = {kNative}, nearest;
  for (const TargetInfo &target : allTargets())
    names.push_back(target.name);
  unsigned fewest = UINT_MAX;
  for (StringRef candidate : names)
    fewest = std::min(fewest, name.edit_distance(candidate));
  for (StringRef candidate : names)
    if (nearest.size() < 3 && name.edit_distance(candidate) == fewest)
      nearest.push_back(candidate);
  // With more than half of the letters changed a suggestion does not help.
  if (fewest > name.size() / 2)
    return "";
  StringRef last = nearest.pop_back_val();
  return ", perhaps " + llvm::join(nearest, ", ") +
         (nearest.empty() ? "" : " or ") + last.str();
}

static llama::TargetInterface makeAttribute(MLIRContext &context,
                                            const Twine &name,
                                            const FeatureSet &features) {
  context.loadDialect<cpu::CPUDialect>();
  return cpu::TargetAttr::get(&context, name.str(), usableOf(features),
                              vectorBitsOf(features));
}

std::string corellama::whyNoTarget(StringRef name) {
  if (name == kNative || findTarget(name))
    return "";
  return ("'" + name + "' is not a target" + nearestNames(name) +
          "; --list-targets shows all of them")
      .str();
}

Expected<llama::TargetInterface> corellama::resolveTarget(MLIRContext &context,
                                                          StringRef name) {
  if (name == kNative) {
    StringRef cpu = llvm::sys::getHostCPUName();
    FeatureSet features = hostFeatures();
    if (auto lacking = lackingOf(features, requiredFeatures());
        !lacking.empty())
      return refuse(
          "this machine (" + cpu + ") lacks " + llvm::join(lacking, ", ") +
          ", which programs need; compile for another one, as in --target=" +
          allTargets().front().name);
    return makeAttribute(context, kNative + ":" + cpu, features);
  }
  const TargetInfo *info = findTarget(name);
  if (!info)
    return refuse(whyNoTarget(name));
  if (!info->isCPU()) {
    context.loadDialect<cuda::CUDADialect>();
    return cuda::TargetAttr::get(&context, name, info->features,
                                 static_cast<int64_t>(info->workgroupBytes));
  }
  return makeAttribute(context, name, featuresOfCPU(name));
}

Error corellama::verifyTarget(llama::TargetInterface target) {
  if (!isa<cpu::TargetAttr>(target))
    return findTarget(target.getName())
               ? Error::success()
               : llvm::createStringError(whyNoTarget(target.getName()));
  SmallVector<StringRef> listed;
  FeatureSet features;
  target.getFeatures().split(listed, ',', -1, /*KeepEmpty=*/false);
  for (StringRef feature : listed) {
    StringRef name = feature;
    if (!name.consume_front("+") || !llvm::is_contained(usableFeatures(), name))
      return llvm::createStringError(
          "has the feature '" + feature +
          "', expected + and one that a program can check when it starts");
    features[name] = true;
  }
  if (auto lacking = lackingOf(features, requiredFeatures()); !lacking.empty())
    return llvm::createStringError("lacks " + llvm::join(lacking, ", ") +
                                   ", which programs need");
  return Error::success();
}

void corellama::listTargets(llvm::raw_ostream &out) {
  for (const TargetInfo &target : allTargets()) {
    std::string size = "GPU";
    if (target.isCPU())
      size = llvm::formatv("{0}-bit vectors",
                           vectorBitsOf(featuresOfCPU(target.name)));
    out << llvm::formatv("{0,-16} {1,-15}   {2}\n", target.name, size,
                         target.machines);
  }
  FeatureSet host = llvm::sys::getHostCPUFeatures();
  out << llvm::formatv("{0,-16} {1}-bit vectors   this machine: {2}\n", kNative,
                       vectorBitsOf(host), llvm::sys::getHostCPUName());
}
