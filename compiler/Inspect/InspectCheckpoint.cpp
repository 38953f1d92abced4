//===- InspectCheckpoint.cpp - what is in a checkpoint --------------------===//
//
// See Inspect.h.
//
//===----------------------------------------------------------------------===//

#include "compiler/Import/LayerSignatures.h"
#include "compiler/Inspect/Inspect.h"
#include "compiler/Text/CheckpointText.h"
#include "compiler/Text/ContainerText.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/Format.h"
#include "llvm/Support/JSON.h"
#include "llvm/Support/Path.h"

using namespace corellama;
using checkpoint::Checkpoint;
using checkpoint::ModelConfig;
using checkpoint::TensorInfo;
using llvm::ListSeparator;
using llvm::StringRef;
using llvm::Twine;
namespace json = llvm::json;

/// A vector has one extent, a matrix two, rows first.
static bool isVector(const TensorInfo &tensor) {
  return getInfo(tensor.id.role).isVector();
}

/// Layers [0, 3, 4, 5] as "0, 3-5".
static std::string ranges(llvm::ArrayRef<uint64_t> layers) {
  std::string text;
  for (size_t first = 0, last; first < layers.size(); first = last + 1) {
    last = first;
    while (last + 1 < layers.size() && layers[last + 1] == layers[last] + 1)
      ++last;
    if (first != 0)
      text += ", ";
    text += llvm::utostr(layers[first]);
    if (last != first)
      text += "-" + llvm::utostr(layers[last]);
  }
  return text;
}

/// The layers of each signature.
static std::vector<std::vector<uint64_t>>
layersOf(const LayerSignatures &signatures) {
  std::vector<std::vector<uint64_t>> layers(signatures.distinct.size());
  for (auto [layer, signature] : llvm::enumerate(signatures.of))
    layers[signature].push_back(layer);
  return layers;
}

/// How a weight is stored in layers, and how the graph reads it where that is
/// another type: "Q4_0", "BF16 widened to F32".
static std::string describeType(const Checkpoint &checkpoint,
                                checkpoint::Role role,
                                llvm::ArrayRef<uint64_t> layers,
                                checkpoint::TensorType type) {
  llvm::SmallVector<StringRef> others;
  for (uint64_t layer : layers) {
    const checkpoint::TensorType stored =
        checkpoint.find(role, layer)->storedType;
    if (stored != type && !llvm::is_contained(others, getName(stored)))
      others.push_back(getName(stored));
  }
  return llvm::join(others, " or ") + (others.empty() ? "" : " widened to ") +
         getName(type).str();
}

static uint64_t countParameters(const Checkpoint &checkpoint) {
  uint64_t count = 0; // bounded by the file's bits
  for (const TensorInfo &tensor : checkpoint.tensors())
    count += tensor.rows * tensor.columns;
  return count;
}

static json::Value asJSON(const Checkpoint &checkpoint) {
  json::Array tensors, signatures;
  for (const TensorInfo &tensor : checkpoint.tensors()) {
    json::Array shape{tensor.rows, tensor.columns};
    if (isVector(tensor))
      shape.erase(shape.begin());
    tensors.push_back(json::Object{{"name", tensor.name},
                                   {"type", getName(tensor.storedType)},
                                   {"shape", std::move(shape)},
                                   {"bytes", tensor.bytes},
                                   {"offset", tensor.offset}});
  }
  LayerSignatures found = findLayerSignatures(checkpoint);
  for (auto [signature, layers] :
       llvm::zip_equal(found.distinct, layersOf(found))) {
    json::Object types;
    for (auto [role, type] : llvm::zip_equal(found.roles, signature.types))
      types[getInfo(role).name] = checkpoint::getName(type);
    signatures.push_back(json::Object{{"types", std::move(types)},
                                      {"layers", json::Array(layers)}});
    if (signature.window != 0)
      (*signatures.back().getAsObject())["window"] = signature.window;
  }
  CheckpointText text = describeText(readText(checkpoint.container()).data);
  return json::Object{
      {"kind", "checkpoint"},
      {"name", json::fixUTF8(llvm::sys::path::filename(checkpoint.path()))},
      {"bytes", checkpoint.fileBytes()},
      {"blake3", checkpoint.identity()},
      {"parameters", countParameters(checkpoint)},
      {"config", toJSON(checkpoint.config())},
      {"text", text.toJSON()},
      {"signatures", std::move(signatures)},
      {"tensors", std::move(tensors)}};
}

static void printLine(StringRef what, const Twine &value,
                      llvm::raw_ostream &out) {
  out << llvm::left_justify(what, 12) << value << '\n';
}

void corellama::printSizes(const ModelConfig &config, llvm::raw_ostream &out) {
  printLine("layers", Twine(config.layers), out);
  printLine("dim", Twine(config.dim), out);
  printLine("hidden", Twine(config.hidden), out);
  printLine("heads",
            Twine(config.heads) + " of " + Twine(config.headSize) + ", over " +
                Twine(config.kvHeads) + " of keys and values",
            out);
  printLine("vocabulary",
            Twine(config.vocab) +
                (config.tiedLMHead ? ", LM head tied to the embedding" : ""),
            out);
  printLine("context", Twine(config.context), out);
}

static void printText(const Checkpoint &checkpoint, llvm::raw_ostream &out) {
  const ModelConfig &config = checkpoint.config();
  auto line = [&](StringRef what, const Twine &value) {
    printLine(what, value, out);
  };
  line("checkpoint", llvm::sys::path::filename(checkpoint.path()));
  // Metadata may hold any bytes; a terminal gets printable ones.
  std::string name;
  llvm::raw_string_ostream(name).write_escaped(config.name);
  line("model", name.empty() ? "(no name)" : name);
  line("blake3", checkpoint.identity());
  line("bytes", Twine(checkpoint.fileBytes()));
  line("parameters", Twine(countParameters(checkpoint)));
  printSizes(config, out);
  CheckpointText text = describeText(readText(checkpoint.container()).data);
  for (const auto &[what, value] : text.lines())
    line(what, value);
  out << llvm::left_justify("rope base", 12)
      << llvm::format("%g\n", config.ropeBase);
  out << llvm::left_justify("rms eps", 12) << llvm::format("%g\n", config.eps);
  for (auto [key, value] : listFeatures(config)) {
    std::string words = key.str();
    llvm::replace(words, '_', ' ');
    out << llvm::left_justify(words, 12) << ' ' << value << '\n';
  }

  LayerSignatures found = findLayerSignatures(checkpoint);
  out << "\nlayer signatures: " << found.distinct.size() << '\n';
  for (auto [i, layers] : llvm::enumerate(layersOf(found))) {
    out << "  layers " << ranges(layers) << ":";
    ListSeparator comma(",");
    const LayerSignature &signature = found.distinct[i];
    for (auto [role, type] : llvm::zip_equal(found.roles, signature.types))
      out << comma << ' ' << getInfo(role).name << ' '
          << describeType(checkpoint, role, layers, type);
    if (signature.window != 0)
      out << comma << " window of " << signature.window;
    out << '\n';
  }

  size_t width = 0;
  for (const TensorInfo &tensor : checkpoint.tensors())
    width = std::max(width, tensor.name.size());
  out << "\ntensors: " << checkpoint.tensors().size() << '\n';
  for (const TensorInfo &tensor : checkpoint.tensors()) {
    std::string shape = llvm::utostr(tensor.columns);
    if (!isVector(tensor))
      shape = llvm::utostr(tensor.rows) + " x " + shape;
    out << "  " << llvm::left_justify(tensor.name, width) << "  "
        << llvm::left_justify(checkpoint::getName(tensor.storedType), 5) << ' '
        << llvm::right_justify(shape, 16) << "  "
        << llvm::right_justify(llvm::utostr(tensor.bytes), 11) << " bytes\n";
  }
}

void corellama::inspectCheckpoint(const Checkpoint &checkpoint, bool json,
                                  llvm::raw_ostream &out) {
  if (json)
    out << llvm::formatv("{0:2}\n", asJSON(checkpoint));
  else
    printText(checkpoint, out);
}
