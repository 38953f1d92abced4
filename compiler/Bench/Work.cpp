//===- Work.cpp - what a program has to read and to multiply --------------===//
//
// See Work.h.
//
//===----------------------------------------------------------------------===//

#include "compiler/Bench/Work.h"
#include "dialects/Llama/IR/LlamaDialect.h"
#include "mlir/AsmParser/AsmParser.h"
#include "mlir/IR/Diagnostics.h"
#include "passes/CPU/UnitLowering.h"
#include "llvm/ADT/StringMap.h"
#include "llvm/Support/MathExtras.h"
#include <algorithm>

using namespace corellama;
using namespace corellama::bench;
using llvm::Error;
using llvm::StringRef;
namespace json = llvm::json;

// What kernels reach, of Zen 4 (docs/performance.md, "The cost model").
/// Of what a loop that only reads is delivered: a part's first lines are late.
static constexpr double kReadReach = 0.96;
/// Of what a unit's instructions allow: rows of x come from the second-level
/// cache, tiles are stored, the last part of a kernel has one worker.
static constexpr double kUnitReach = 0.93;
/// Share of the peak that instructions of attention allow on many rows, where
/// exp and masks take a fifth; and where the pipes of fmas convert keys and
/// values too, and loads are as many as fmas (hasTwoPipes).
static constexpr double kAttentionBound = 0.8, kLoadedAttentionBound = 0.55;
/// The same on one row, for g heads of queries that share keys, is
/// kDecodeAttentionBound g / (g + kDecodeAttentionRead), because to read 16
/// numbers and to widen them takes the time of kDecodeAttentionRead fmas.
/// Measured with g = 3 and 8.
static constexpr double kDecodeAttentionBound = 0.86,
                        kDecodeAttentionRead = 2.1;
/// Seconds of a barrier, and of what a kernel does before its first part.
static constexpr double kDispatchSeconds = 1e-6;

double Cost::floor(const Rates &rates) const {
  return std::max(bytes / rates.bytes, operations / rates.operations[unit]);
}

double Cost::bound(const Rates &rates) const {
  return std::max(bytes / rates.bytes, slots / rates.operations[unit]);
}

double Cost::prediction(const Rates &rates) const {
  return kDispatchSeconds +
         std::max(bytes / (kReadReach * rates.bytes),
                  slots / (kUnitReach * rates.operations[unit]));
}

//===----------------------------------------------------------------------===//
// The manifest
//===----------------------------------------------------------------------===//

namespace {
/// Reads a manifest whose fields may be missing: the first that is becomes the
/// error, and every later answer is empty.
class Reader {
public:
  std::string missing;

  const json::Array &list(const json::Object &object, StringRef key) {
    static const json::Array none;
    const json::Array *found = object.getArray(key);
    return found ? *found : (miss(key), none);
  }
  const json::Object &object(const json::Object &outer, StringRef key) {
    const json::Object *found = outer.getObject(key);
    return found ? *found : (miss(key), nothing);
  }
  const json::Object &object(const json::Value &value, StringRef of) {
    const json::Object *found = value.getAsObject();
    return found ? *found : (miss(of), nothing);
  }
  std::string text(const json::Object &object, StringRef key) {
    auto found = object.getString(key);
    return found ? found->str() : (miss(key), "");
  }
  uint64_t count(const json::Object &object, StringRef key) {
    const json::Value *found = object.get(key);
    return found ? count(*found, key) : (miss(key), 0);
  }
  uint64_t count(const json::Value &value, StringRef of) {
    auto number = value.getAsInteger();
    return number && *number >= 0 ? uint64_t(*number) : (miss(of), 0);
  }
  void miss(StringRef key) {
    if (missing.empty())
      missing = key;
  }

private:
  const json::Object nothing;
};
} // namespace

llvm::Expected<Work> Work::create(const json::Object &manifest, StringRef path,
                                  mlir::MLIRContext &context) {
  Work work;
  if (Error error = work.read(manifest, context))
    return llvm::createStringError(
        path + ": manifest: " + llvm::toString(std::move(error)) +
        "; compile it again with this compiler");
  return work;
}

Error Work::read(const json::Object &manifest, mlir::MLIRContext &mlir) {
  Reader reader;
  model = reader.text(reader.object(manifest, "checkpoint"), "name");
  const json::Object &cpu = reader.object(manifest, "target");
  target = reader.text(cpu, "name");
  auto targetAttr =
      cpu::TargetAttr::get(&mlir, target, reader.text(cpu, "features"),
                           int64_t(reader.count(cpu, "vector_bits")));
  attentionBound =
      cpu::hasTwoPipes(targetAttr) ? kLoadedAttentionBound : kAttentionBound;
  activations = reader.text(manifest, "activations");
  const json::Object &cache = reader.object(manifest, "cache");
  keyType = reader.text(cache, "type_k");
  valueType = reader.text(cache, "type_v");
  const json::Object &memory = reader.object(manifest, "memory");
  cacheBytes = reader.count(memory, "cache_per_position");
  const json::Object &config = reader.object(manifest, "config");
  layers = reader.count(config, "layers");
  queryHeads = reader.count(config, "heads");
  kvHeads = reader.count(config, "kv_heads");
  headSize = reader.count(config, "head_size");
  context = reader.count(config, "context");
  if (layers == 0)
    reader.miss("layers");
  if (kvHeads == 0)
    reader.miss("kv_heads");
  if (config.get("window"))
    window = reader.count(config, "window");
  if (config.get("window_layers"))
    for (const json::Value &layer : reader.list(config, "window_layers"))
      windowed.push_back(reader.count(layer, "window_layers"));

  Kernel::Weight tensors;
  std::vector<const llama::FormatFacts *> formats;
  for (const json::Value &value : reader.list(manifest, "tensors")) {
    const json::Object &tensor = reader.object(value, "tensors");
    uint64_t elements = 1;
    for (const json::Value &extent : reader.list(tensor, "shape"))
      elements *= reader.count(extent, "shape");
    tensors.elements.push_back(elements);
    tensors.bytes.push_back(reader.count(tensor, "bytes"));
    formats.push_back(llama::findFormat(reader.text(tensor, "format")));
    if (!formats.back())
      reader.miss("format");
    parameters += elements;
    weightBytes += tensors.bytes.back();
  }

  llvm::StringMap<size_t> places;
  for (const json::Value &value : reader.list(manifest, "kernels")) {
    const json::Object &object = reader.object(value, "kernels");
    Kernel kernel;
    kernel.name = reader.text(object, "name");
    kernel.readsCache = object.getBoolean("reads_cache").value_or(false);
    std::string text = reader.text(object, "strategy");
    mlir::ScopedDiagnosticHandler quiet(
        &mlir, [](mlir::Diagnostic &) { return mlir::success(); });
    auto strategy = llvm::dyn_cast_or_null<llama::StrategyInterface>(
        mlir::parseAttribute(text, &mlir));
    if (!strategy) {
      reader.miss("strategy");
      break;
    }
    auto *unit = llvm::find(units, strategy.getUnit());
    kernel.unit = size_t(unit - units.begin());
    if (unit == units.end())
      units.push_back(strategy.getUnit());
    for (const json::Value &weight : reader.list(object, "weights")) {
      const json::Array *range = weight.getAsArray();
      uint64_t first = range && range->size() == 2
                           ? reader.count((*range)[0], "weights")
                           : tensors.bytes.size();
      uint64_t count = first < tensors.bytes.size()
                           ? reader.count((*range)[1], "weights")
                           : 0;
      if (count == 0 || count > tensors.bytes.size() - first) {
        reader.miss("weights");
        break;
      }
      auto slice = [&](const std::vector<uint64_t> &all) {
        return std::vector<uint64_t>(all.begin() + int64_t(first),
                                     all.begin() + int64_t(first + count));
      };
      std::vector<double> bounds;
      for (uint64_t i = first; i < first + count && formats[i]; ++i)
        bounds.push_back(
            llvm::cast<cpu::UnitLoweringInterface>(strategy.getUnit())
                .getBound(*formats[i], targetAttr));
      kernel.weights.push_back(
          {slice(tensors.bytes), slice(tensors.elements), std::move(bounds)});
    }
    places[kernel.name] = kernels.size();
    kernels.push_back(std::move(kernel));
  }

  auto readForms = [&](StringRef key, std::vector<Form> &into) {
    for (const json::Value &value : reader.list(manifest, key)) {
      const json::Object &object = reader.object(value, key);
      Form form{reader.count(object, "rows"), {}};
      for (const json::Value &entry : reader.list(object, "dispatches")) {
        const json::Array *pair = entry.getAsArray();
        auto found = pair && pair->size() == 2
                         ? places.find((*pair)[0].getAsString().value_or(""))
                         : places.end();
        uint64_t layer = found != places.end()
                             ? reader.count((*pair)[1], "dispatches")
                             : layers;
        if (layer >= layers)
          return reader.miss("dispatches");
        form.dispatches.push_back({found->second, layer});
      }
      into.push_back(std::move(form));
    }
    if (into.empty())
      reader.miss(key);
  };
  if (reader.missing.empty()) {
    readForms("forms", forms);
    readForms("lm_heads", heads);
  }
  if (!reader.missing.empty())
    return llvm::createStringError("'" + reader.missing +
                                   "' is missing or not as expected");
  return Error::success();
}

//===----------------------------------------------------------------------===//
// The cost model
//===----------------------------------------------------------------------===//

static const Form *findForm(const std::vector<Form> &forms, uint64_t rows) {
  auto found =
      llvm::find_if(forms, [&](const Form &form) { return rows <= form.rows; });
  return found == forms.end() ? nullptr : &*found;
}
const Form *Work::formFor(uint64_t rows) const { return findForm(forms, rows); }
const Form *Work::headFor(uint64_t rows) const { return findForm(heads, rows); }

Cost Work::costOf(const Dispatch &dispatch, uint64_t rows,
                  uint64_t depth) const {
  const Kernel &kernel = kernels[dispatch.kernel];
  Cost cost;
  cost.unit = kernel.unit;
  for (const Kernel::Weight &weight : kernel.weights) {
    size_t i = std::min<size_t>(dispatch.layer, weight.bytes.size() - 1);
    cost.bytes += double(weight.bytes[i]);
    double operations = 2.0 * double(weight.elements[i]) * double(rows);
    cost.operations += operations;
    cost.slots += operations / weight.bounds[i];
  }
  if (kernel.readsCache) {
    uint64_t seen = UINT64_MAX;
    if (windowed.empty() || llvm::is_contained(windowed, dispatch.layer))
      seen = window;
    uint64_t keys = std::min(depth + rows, llvm::SaturatingAdd(seen, rows - 1));
    cost.bytes += double(keys) * double(cacheBytes) / double(layers);
    // Row i meets depth + i + 1 keys, or its window: a product of a head's size
    // for the score, and one for the value.
    uint64_t whole = seen > depth ? std::min(rows, seen - depth) : 0;
    double pairs = double(whole) * (double(depth) + (double(whole) + 1) / 2) +
                   (whole < rows ? double(rows - whole) * double(seen) : 0);
    double operations = 4.0 * double(queryHeads) * double(headSize) * pairs;
    cost.operations += operations;
    double group = double(queryHeads) / double(kvHeads);
    cost.slots += operations / (rows > 1 ? attentionBound
                                         : kDecodeAttentionBound * group /
                                               (group + kDecodeAttentionRead));
  }
  return cost;
}

static double timeOf(Estimate estimate, const Cost &cost, const Rates &rates) {
  return estimate == Estimate::Floor ? cost.floor(rates)
                                     : cost.prediction(rates);
}

double Work::callTime(Estimate estimate, uint64_t rows, uint64_t depth,
                      const Rates &rates) const {
  double seconds = 0;
  for (const Dispatch &dispatch : formFor(rows)->dispatches)
    seconds += timeOf(estimate, costOf(dispatch, rows, depth), rates);
  return seconds;
}

double Work::headTime(Estimate estimate, const Rates &rates) const {
  double seconds = 0;
  for (const Dispatch &dispatch : headFor(1)->dispatches)
    seconds += timeOf(estimate, costOf(dispatch, 1, 0), rates);
  return seconds;
}

double Work::promptTime(Estimate estimate, uint64_t rows, uint64_t depth,
                        uint64_t batch, const Rates &rates) const {
  double seconds = headTime(estimate, rates);
  for (uint64_t done = 0, now; done < rows; done += now) {
    now = std::min(batch, rows - done);
    seconds += callTime(estimate, now, depth + done, rates);
  }
  return seconds;
}

double Work::generateTime(Estimate estimate, uint64_t steps, uint64_t depth,
                          const Rates &rates) const {
  double seconds = 0;
  for (uint64_t i = 0; i < steps; ++i)
    seconds +=
        callTime(estimate, 1, depth + i, rates) + headTime(estimate, rates);
  return seconds;
}
