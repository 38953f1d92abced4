//===- InspectRefused.cpp - a checkpoint that cannot be compiled ----------===//
//
// See Inspect.h. A file of its own because it works on what a container says,
// where InspectCheckpoint has a model.
//
//===----------------------------------------------------------------------===//

#include "compiler/Checkpoint/Container.h"
#include "compiler/Inspect/Inspect.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/JSON.h"
#include "llvm/Support/Path.h"

using namespace corellama;
using checkpoint::Container;
using checkpoint::Refusals;
using checkpoint::TensorSummary;
using llvm::Error;
using llvm::StringRef;
namespace json = llvm::json;

/// What is known of the model; nothing where a size is refused.
static std::optional<checkpoint::ModelConfig>
configOf(const Container &container) {
  Refusals known; // by the caller
  auto config = container.readConfig(known);
  if (config && config->headSize == 0)
    config.reset();
  return config;
}

static json::Value asJSON(StringRef name, const Container &container,
                          const Refusals &refusals) {
  json::Array tensors, reasons;
  container.visitTensors([&](const TensorSummary &tensor) {
    tensors.push_back(json::Object{{"name", json::fixUTF8(tensor.name)},
                                   {"type", tensor.type},
                                   {"shape", json::Array(tensor.shape)}});
  });
  for (const std::string &refusal : refusals.lines())
    reasons.push_back(json::fixUTF8(refusal));
  json::Object object{{"kind", "refused checkpoint"},
                      {"name", json::fixUTF8(name)},
                      {"refused", std::move(reasons)},
                      {"tensors", std::move(tensors)}};
  if (auto config = configOf(container))
    object["config"] = toJSON(*config);
  return object;
}

static void printText(StringRef name, const Container &container,
                      const Refusals &refusals, llvm::raw_ostream &out) {
  out << llvm::left_justify("checkpoint", 12) << name << '\n';
  if (auto config = configOf(container))
    printSizes(*config, out);
  out << "\ncannot be compiled, reasons: " << refusals.count() << '\n';
  for (const std::string &refusal : refusals.lines())
    out << "  " << refusal << '\n';
  size_t count = 0;
  container.visitTensors([&](const TensorSummary &) { ++count; });
  out << "\ntensors: " << count << '\n';
  container.visitTensors([&](const TensorSummary &tensor) {
    // As the reasons have it, without quotes.
    const std::string name = checkpoint::quoted(tensor.name);
    out << "  " << StringRef(name).drop_front().drop_back() << "  "
        << tensor.type << ' ';
    llvm::ListSeparator by(" x ");
    for (uint64_t extent : tensor.shape)
      out << by << extent;
    out << '\n';
  });
}

Error corellama::inspectRefused(StringRef path, Error refusal, bool json,
                                llvm::raw_ostream &out) {
  auto container = checkpoint::openContainer(path);
  if (!container) {
    llvm::consumeError(container.takeError()); // `refusal` says it
    return refusal;
  }
  const Refusals refusals = (*container)->listRefusals();
  if (!(*container)->hasTensors() || refusals.empty())
    return refusal;
  llvm::consumeError(std::move(refusal)); // the first of them
  StringRef name = llvm::sys::path::filename(path);
  std::string text;
  llvm::raw_string_ostream buffer(text);
  if (json)
    buffer << llvm::formatv("{0:2}\n", asJSON(name, **container, refusals));
  else
    printText(name, **container, refusals, buffer);
  if (Error error = (*container)->checkUnchanged())
    return error;
  out << text;
  return Error::success();
}
