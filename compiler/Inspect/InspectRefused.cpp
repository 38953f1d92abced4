//===- InspectRefused.cpp - a checkpoint that cannot be compiled ----------===//
//
// See Inspect.h. A file of its own because it works on what a container says,
// where InspectCheckpoint has a model.
//
//===----------------------------------------------------------------------===//

#include "compiler/Checkpoint/GGUFConfig.h"
#include "compiler/Checkpoint/GGUFContainer.h"
#include "compiler/Inspect/Inspect.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/Casting.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/JSON.h"
#include "llvm/Support/Path.h"

using namespace corellama;
using checkpoint::GGUF;
using checkpoint::TensorRecord;
using llvm::Error;
using llvm::StringRef;
namespace json = llvm::json;

static std::string typeOf(const TensorRecord &tensor) {
  if (std::optional<StringRef> name = checkpoint::typeName(tensor.typeId))
    return name->str();
  return "type " + std::to_string(tensor.typeId);
}

/// Rows first, as inspect shows all shapes.
static std::vector<uint64_t> shapeOf(const TensorRecord &tensor) {
  auto extents = llvm::ArrayRef(tensor.dimensions, tensor.dimensionCount);
  return {extents.rbegin(), extents.rend()};
}

static json::Value asJSON(StringRef name, const GGUF &file,
                          llvm::ArrayRef<std::string> refusals) {
  json::Array tensors;
  for (const TensorRecord &tensor : file.tensors())
    tensors.push_back(json::Object{{"name", json::fixUTF8(tensor.name)},
                                   {"type", typeOf(tensor)},
                                   {"shape", json::Array(shapeOf(tensor))}});
  json::Array reasons;
  for (const std::string &refusal : refusals)
    reasons.push_back(json::fixUTF8(refusal));
  return json::Object{{"kind", "refused checkpoint"},
                      {"name", json::fixUTF8(name)},
                      {"refused", std::move(reasons)},
                      {"tensors", std::move(tensors)}};
}

static void printText(StringRef name, const GGUF &file,
                      llvm::ArrayRef<std::string> refusals,
                      llvm::raw_ostream &out) {
  out << llvm::left_justify("checkpoint", 12) << name << '\n';
  out << "\ncannot be compiled, reasons: " << refusals.size() << '\n';
  for (const std::string &refusal : refusals)
    out << "  " << refusal << '\n';
  out << "\ntensors: " << file.tensors().size() << '\n';
  for (const TensorRecord &tensor : file.tensors()) {
    out << "  ";
    out.write_escaped(tensor.name);
    out << "  " << typeOf(tensor) << ' ';
    llvm::ListSeparator by(" x ");
    for (uint64_t extent : shapeOf(tensor))
      out << by << extent;
    out << '\n';
  }
}

Error corellama::inspectRefused(StringRef path, Error refusal, bool json,
                                llvm::raw_ostream &out) {
  auto container = checkpoint::openContainer(path);
  if (!container) {
    llvm::consumeError(container.takeError()); // `refusal` says it
    return refusal;
  }
  const auto *gguf =
      llvm::dyn_cast<checkpoint::GGUFContainer>(container->get());
  std::vector<std::string> refusals;
  if (gguf && gguf->hasTensors())
    refusals = checkpoint::listRefusals(gguf->gguf());
  // Else its tensors are not those of its configuration: it may be damaged.
  if (refusals.empty())
    return refusal;
  llvm::consumeError(std::move(refusal)); // the first of them
  StringRef name = llvm::sys::path::filename(path);
  if (json)
    out << llvm::formatv("{0:2}\n", asJSON(name, gguf->gguf(), refusals));
  else
    printText(name, gguf->gguf(), refusals, out);
  return Error::success();
}
