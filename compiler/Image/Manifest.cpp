//===- Manifest.cpp - what a program was made from and how ----------------===//
//
// See Manifest.h.
//
//===----------------------------------------------------------------------===//

#include "compiler/Image/Manifest.h"
#include "compiler/Import/Import.h"
#include "dialects/CPU/IR/CPUDialect.h"
#include "mlir/IR/SymbolTable.h"
#include "passes/Llama/CarriedOptions.h"
#include "runtime/ABI/Kernel.h"
#include "llvm/Config/llvm-config.h"
#include "llvm/Support/JSON.h"
#include "llvm/Support/MathExtras.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/ScopedPrinter.h"

using namespace mlir;
using namespace corellama;
using namespace corellama::image;
using namespace corellama::llama;
using llvm::Error;
using llvm::Expected;
namespace json = llvm::json;

Error corellama::image::refuseModule(const Twine &problem) {
  return llvm::createStringError("module: " + problem);
}

/// A string from a checkpoint, which may hold any bytes.
static std::string text(StringRef bytes) { return json::fixUTF8(bytes); }

/// A count of the module; a signed attribute, so negative ones are refused.
static Expected<int64_t> count(DictionaryAttr facts, StringRef where,
                               StringRef name) {
  auto value = facts ? facts.getAs<IntegerAttr>(name) : IntegerAttr();
  if (!value || !value.getType().isSignlessInteger(64) || value.getInt() < 0)
    return refuseModule(where + ": " + name +
                        " is missing or no count of 64 bits; " +
                        "run the phases up to `llvm`");
  return value.getInt();
}

/// The number of parts as a formula of rows and keys if the kernel's function
/// still has one, else the symbol of the function that computes it.
static std::string partsOf(Operation *function, Attribute symbol) {
  auto partition = function
                       ? function->getAttrOfType<PartitionAttr>(kPartitionAttr)
                       : PartitionAttr();
  if (!partition) {
    auto reference = dyn_cast_or_null<FlatSymbolRefAttr>(symbol);
    return reference ? reference.getValue().str() : "";
  }
  std::string formula = llvm::to_string(partition.getParts().getResult(0)),
              named;
  // Dimensions are printed as d0 and d1; nothing else in a map has a digit
  // after a d.
  for (size_t i = 0; i < formula.size(); ++i) {
    StringRef rest = StringRef(formula).substr(i);
    if (rest.starts_with("d0") || rest.starts_with("d1")) {
      named += rest[1] == '0' ? "rows" : "keys";
      ++i;
    } else {
      named += formula[i];
    }
  }
  return named;
}

/// How a kernel computes, and what it reads: for each weight the places of its
/// tensors in `tensors`, first and count (one a layer, or one), and the cache.
static void describe(ModuleOp module, Operation *function,
                     json::Object &object) {
  if (Attribute strategy = function->getAttr(kStrategyAttr))
    object["strategy"] = text(llvm::to_string(strategy));
  object["reads_cache"] = function->hasAttr(kReadsCacheAttr);
  json::Array weights;
  if (auto reads = function->getAttrOfType<ArrayAttr>(kReadsAttr))
    for (auto symbol : reads.getAsRange<SymbolRefAttr>())
      if (auto weight = dyn_cast_or_null<WeightOp>(
              SymbolTable::lookupSymbolIn(module, symbol)))
        weights.push_back(json::Array{getWeightTableIndex(module, weight),
                                      weight.getCount()});
  object["weights"] = std::move(weights);
}

/// For each step in a list of llama.program the most rows of a call, and its
/// dispatches in order: a kernel and a layer.
static Expected<json::Array> steps(DictionaryAttr program, StringRef name) {
  auto list = program.getAs<ArrayAttr>(name);
  if (!list)
    return refuseModule("llama.program: " + name +
                        " is missing; run the phases up to `llvm`");
  json::Array result;
  for (Attribute attribute : list) {
    auto step = dyn_cast<DictionaryAttr>(attribute);
    Expected<int64_t> bound =
        count(step, ("llama.program: " + name).str(), "rows");
    if (!bound)
      return bound.takeError();
    json::Object object{{"rows", *bound}};
    if (auto stepName = step.getAs<StringAttr>("name"))
      object["name"] = text(stepName.getValue());
    json::Array dispatches;
    auto kernels = step.getAs<ArrayAttr>("dispatches");
    auto layers = step.getAs<DenseI64ArrayAttr>("layers");
    if (kernels && layers)
      for (auto [kernel, layer] : llvm::zip(
               kernels.getAsRange<FlatSymbolRefAttr>(), layers.asArrayRef()))
        dispatches.push_back(json::Array{text(kernel.getValue()), layer});
    object["dispatches"] = std::move(dispatches);
    result.push_back(std::move(object));
  }
  return result;
}

static Expected<json::Array> kernels(ModuleOp module) {
  json::Array list;
  auto kernels = module->getAttrOfType<ArrayAttr>(llama::kKernelsAttr);
  if (!kernels)
    return refuseModule("has no llama.kernels; run the phases up to `llvm`");
  for (Attribute attribute : kernels) {
    auto kernel = dyn_cast<DictionaryAttr>(attribute);
    auto name = kernel ? kernel.getAs<StringAttr>("name") : StringAttr();
    auto symbol =
        kernel ? kernel.getAs<SymbolRefAttr>("function") : SymbolRefAttr();
    if (!name || !symbol)
      return refuseModule("llama.kernels: an entry has no name or no function");
    Expected<int64_t> scratch = count(kernel, name, "scratch_bytes");
    if (!scratch)
      return scratch.takeError();
    Operation *function = SymbolTable::lookupSymbolIn(module, symbol);
    // On a GPU the function is an entry point of the device; dispatches name
    // the kernel.
    bool onDevice = !symbol.getNestedReferences().empty();
    json::Object object{{"name", text(name)},
                        {"symbol", text(onDevice ? name.getValue()
                                                 : symbol.getLeafReference())},
                        {"parts", partsOf(function, kernel.get("parts"))},
                        {"scratch", *scratch}};
    if (function)
      describe(module, function, object);
    list.push_back(std::move(object));
  }
  return list;
}

static json::Array tensors(const ImagePlan &plan) {
  json::Array list;
  for (const ImageWeight &weight : plan.weights) {
    json::Array shape{weight.tensor->rows, weight.tensor->columns};
    if (weight.tensor->rows == 1)
      shape.erase(shape.begin());
    list.push_back(json::Object{{"name", weightName(weight.tensor->id)},
                                {"shape", std::move(shape)},
                                {"format", weight.format.getName()},
                                {"layout", llvm::to_string(weight.layout)},
                                {"bytes", weight.packer->bytes()}});
  }
  return list;
}

Expected<std::string>
corellama::image::makeManifest(ModuleOp module,
                               const checkpoint::Checkpoint &checkpoint,
                               StringRef version, const ImagePlan &plan) {
  auto target = module->getAttrOfType<TargetInterface>(kTargetAttr);
  if (!target)
    return refuseModule("has no llama.target; run the phases up to `llvm`");
  json::Object targetFacts{{"name", text(target.getName())},
                           {"features", text(target.getFeatures())}};
  if (auto cpuTarget = dyn_cast<cpu::TargetAttr>(target))
    targetFacts["vector_bits"] = cpuTarget.getVectorBits();
  auto program = module->getAttrOfType<DictionaryAttr>(llama::kProgramAttr);
  if (!program)
    return refuseModule("has no llama.program; run the phases up to `llvm`");
  Expected<CacheLayoutOp> cache = findOnly<CacheLayoutOp>(module, "plan");
  if (!cache)
    return cache.takeError();
  Expected<RopeTableOp> rope = findOnly<RopeTableOp>(module, "tile");
  if (!rope)
    return rope.takeError();
  Expected<json::Array> kernelList = kernels(module);
  if (!kernelList)
    return kernelList.takeError();
  // A GPU has no worker, whose scratch it would be: kernels have their own.
  const bool onCPU = isa<cpu::TargetAttr>(target);
  int64_t workspaceBytes, scratchBytes = 0;
  const std::pair<StringRef, int64_t &> counts[] = {
      {"workspace_bytes", workspaceBytes}, {"scratch_bytes", scratchBytes}};
  for (auto &[name, value] : ArrayRef(counts).take_front(onCPU ? 2 : 1)) {
    Expected<int64_t> found = count(program, llama::kProgramAttr, name);
    if (!found)
      return found.takeError();
    value = *found;
  }

  Expected<json::Array> forms = steps(program, "entries");
  if (!forms)
    return forms.takeError();
  Expected<json::Array> heads = steps(program, "lm_heads");
  if (!heads)
    return heads.takeError();
  // The most rows of a call, for each form.
  json::Array rows;
  for (const json::Value &form : *forms)
    rows.push_back(*form.getAsObject()->get("rows"));

  CacheType cacheType = cache->getCache();
  json::Object cacheFacts{
      {"type_k", CacheType::getElementText(cacheType.getKeyType())},
      {"type_v", CacheType::getElementText(cacheType.getValueType())},
      {"keys", llvm::to_string(cache->getKeys())},
      {"values", llvm::to_string(cache->getValues())}};
  if (!plan.rings.empty())
    cacheFacts["rings"] = json::Array(plan.rings);
  uint64_t cacheBytes = 0; // of the whole context
  for (bool ofKeys : {true, false})
    if (FailureOr<uint64_t> bytes = cache->getBytes(
            ofKeys, llvm::alignTo(plan.header.context, abi::kCacheBlock));
        succeeded(bytes))
      cacheBytes = llvm::SaturatingAdd(cacheBytes, *bytes);
    else
      cacheBytes = UINT64_MAX;
  auto activations = getCarriedOption<StringAttr>(module, "activations");
  if (!activations)
    return refuseModule("has no llama.options with activations, which every "
                        "dump carries");
  json::Object config = toJSON(checkpoint.config());
  config["rope_base"] = rope->getBase().convertToDouble();
  config.erase("eps"); // it stands in the code, which may be an edited one
  json::Object source{
      {"name", text(llvm::sys::path::filename(checkpoint.path()))},
      {"blake3", checkpoint.identity()},
      {"bytes", checkpoint.fileBytes()}};
  // What tells the program from one whose weights are the file's.
  if (auto format = getCarriedOption<StringAttr>(module, "quantize");
      format && checkpoint.isQuantized())
    source["quantized"] = text(format);
  json::Object manifest{
      {"checkpoint", std::move(source)},
      {"config", std::move(config)},
      {"target", std::move(targetFacts)},
      {"activations", text(activations)},
      // With auto a GPU's prefill rounds rows that its decode does not; else
      // both multiply the same rows by the same unit (llama-verify-phase).
      {"decode_equals_prefill", activations != "auto"},
      {"cache", std::move(cacheFacts)},
      {"rows", std::move(rows)},
      {"forms", std::move(*forms)},
      {"lm_heads", std::move(*heads)},
      {"compiler", json::Object{{"name", "CoreLlama"},
                                {"version", text(version)},
                                {"llvm", LLVM_VERSION_STRING}}},
      {"kernels", std::move(*kernelList)},
      {"memory",
       json::Object{{"weights", plan.header.weights.bytes},
                    {"workspace", workspaceBytes},
                    {"scratch", scratchBytes},
                    {"cache_per_position",
                     cacheType.getLayers() *
                         (plan.header.keyBytes + plan.header.valueBytes)},
                    {"cache", cacheBytes}}},
      {"tensors", tensors(plan)}};
  return llvm::to_string(json::Value(std::move(manifest))); // sorts the keys
}

Error corellama::image::addVariantManifests(std::string &manifest,
                                            ArrayRef<StringRef> others) {
  Expected<json::Value> whole = json::parse(manifest);
  if (!whole)
    return whole.takeError();
  json::Array variants;
  for (StringRef text : others) {
    Expected<json::Value> other = json::parse(text);
    if (!other)
      return other.takeError();
    for (StringRef key : {"activations", "cache", "tensors"})
      if (*other->getAsObject()->get(key) != *whole->getAsObject()->get(key))
        return refuseModule("the code of two targets has different " + key +
                            "; compile a program for each");
    json::Object variant;
    for (StringRef key : {"target", "forms", "lm_heads", "kernels", "memory"})
      variant[key] = std::move(*other->getAsObject()->get(key));
    variants.push_back(std::move(variant));
  }
  whole->getAsObject()->insert({"variants", std::move(variants)});
  manifest = llvm::to_string(*whole);
  return Error::success();
}
