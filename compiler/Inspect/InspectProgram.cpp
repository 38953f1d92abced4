//===- InspectProgram.cpp - what is in a program --------------------------===//
//
// See Inspect.h. All facts but those of text are in the manifest. It is text
// from a file of unknown origin, so a field that is missing or of another type
// is omitted.
//
//===----------------------------------------------------------------------===//

#include "compiler/Image/ProgramImage.h"
#include "compiler/Inspect/Inspect.h"
#include "compiler/Text/CheckpointText.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/JSON.h"
#include "llvm/Support/Path.h"
#include <map>

using namespace corellama;
using llvm::StringRef;
namespace json = llvm::json;

/// The nested member at the path `keys`, or null.
static const json::Value *member(const json::Object &object,
                                 std::initializer_list<StringRef> keys) {
  const json::Object *inner = &object;
  const json::Value *value = nullptr;
  for (StringRef key : keys) {
    if (!inner)
      return nullptr;
    value = inner->get(key);
    inner = value ? value->getAsObject() : nullptr;
  }
  return value;
}

/// A string as it is, escaped for a terminal; anything else as JSON.
static std::string shown(const json::Value *value) {
  if (!value)
    return "";
  std::string text;
  llvm::raw_string_ostream stream(text);
  if (auto string = value->getAsString())
    stream.write_escaped(*string);
  else
    stream << *value;
  return text;
}

static std::string memberText(const json::Object &object,
                              std::initializer_list<StringRef> keys) {
  return shown(member(object, keys));
}

static void printKernels(const json::Array &kernels, llvm::raw_ostream &out) {
  const StringRef columns[] = {"name", "parts", "scratch", "strategy"};
  size_t widths[std::size(columns)] = {};
  std::vector<std::array<std::string, std::size(columns)>> rows = {
      {"kernel", "parts", "scratch", "strategy"}};
  for (const json::Value &value : kernels)
    if (const json::Object *kernel = value.getAsObject())
      for (auto [cell, column] : llvm::zip_equal(rows.emplace_back(), columns))
        cell = memberText(*kernel, {column});
  for (const auto &row : rows)
    for (auto [width, cell] : llvm::zip_equal(widths, row))
      width = std::max(width, cell.size());
  out << "\nkernels: " << rows.size() - 1 << '\n';
  for (const auto &row : rows) {
    std::string line;
    for (auto [width, cell] : llvm::zip_equal(widths, row))
      llvm::raw_string_ostream(line) << "  " << llvm::left_justify(cell, width);
    out << StringRef(line).rtrim() << '\n';
  }
}

/// "768 positions in 12 layers, 1024 in 2; the context in 14".
static std::string describeRings(const json::Array &rings) {
  std::map<int64_t, size_t> layers; // by the ring's positions
  for (const json::Value &ring : rings)
    ++layers[ring.getAsInteger().value_or(0)];
  std::string text;
  for (auto [positions, count] : layers) {
    if (positions == 0)
      continue;
    bool isFirst = text.empty();
    text += (isFirst ? "" : ", ") + std::to_string(positions) +
            (isFirst ? " positions in " : " in ") + std::to_string(count);
    if (isFirst)
      text += count == 1 ? " layer" : " layers";
  }
  if (size_t whole = layers[0])
    text += "; the context in " + std::to_string(whole);
  return text;
}

static void printText(const json::Object &manifest,
                      const image::ImageView &view, const CheckpointText &text,
                      StringRef path, llvm::raw_ostream &out) {
  auto line = [&](StringRef what, const llvm::Twine &value) {
    out << llvm::left_justify(what, 12) << value << '\n';
  };
  auto of = [&](std::initializer_list<StringRef> keys) {
    return memberText(manifest, keys);
  };
  line("program", llvm::sys::path::filename(path));
  line("checkpoint", of({"checkpoint", "name"}));
  line("blake3", of({"checkpoint", "blake3"}));
  if (const json::Object *source = manifest.getObject("checkpoint"))
    if (source->get("quantized"))
      line("quantized", "to " + of({"checkpoint", "quantized"}));
  line("compiler", of({"compiler", "name"}) + " " +
                       of({"compiler", "version"}) + ", LLVM " +
                       of({"compiler", "llvm"}));
  const json::Object *target = manifest.getObject("target");
  line("target",
       of({"target", "name"}) +
           (target && target->get("vector_bits")
                ? ", " + of({"target", "vector_bits"}) + "-bit vectors"
                : ""));
  line("features", of({"target", "features"}));
  if (const json::Array *variants = manifest.getArray("variants"))
    for (const json::Value &variant : *variants)
      if (const json::Object *object = variant.getAsObject())
        line("or target", memberText(*object, {"target", "name"}));
  line("activations", of({"activations"}));
  line("cache", "keys " + of({"cache", "type_k"}) + " in " +
                    of({"cache", "keys"}) + ", values " +
                    of({"cache", "type_v"}) + " in " + of({"cache", "values"}));
  if (const json::Object *cache = manifest.getObject("cache"))
    if (const json::Array *rings = cache->getArray("rings"))
      line("", "rings of " + describeRings(*rings));
  line("rows", "of a call, at most: " + of({"rows"}));
  line("model", of({"config", "layers"}) + " layers, dim " +
                    of({"config", "dim"}) + ", hidden " +
                    of({"config", "hidden"}) + ", " + of({"config", "heads"}) +
                    " heads over " + of({"config", "kv_heads"}) + " of " +
                    of({"config", "head_size"}) + ", vocabulary " +
                    of({"config", "vocabulary"}) + ", context " +
                    of({"config", "context"}));
  for (const auto &[what, value] : text.lines())
    line(what, value);

  out << "\nmemory\n";
  for (StringRef what :
       {"weights", "workspace", "scratch", "cache_per_position", "cache"})
    out << "  " << llvm::left_justify(what, 19)
        << llvm::right_justify(memberText(manifest, {"memory", what}), 12)
        << " bytes\n";
  out << "  " << llvm::left_justify("image", 19)
      << llvm::right_justify(llvm::utostr(view.header.bytes), 12)
      << " bytes at byte " << view.fileOffset << " of the file\n";

  if (const json::Array *kernels = manifest.getArray("kernels"))
    printKernels(*kernels, out);

  const json::Array *tensors = manifest.getArray("tensors");
  if (!tensors)
    return;
  out << "\ntensors: " << tensors->size() << '\n';
  for (const json::Value &value : *tensors)
    if (const json::Object *tensor = value.getAsObject())
      out << "  " << llvm::left_justify(memberText(*tensor, {"name"}), 26)
          << "  " << llvm::left_justify(memberText(*tensor, {"format"}), 5)
          << llvm::right_justify(memberText(*tensor, {"shape"}), 15) << "  "
          << llvm::left_justify(memberText(*tensor, {"layout"}), 24)
          << llvm::right_justify(memberText(*tensor, {"bytes"}), 11)
          << " bytes\n";
}

llvm::Error corellama::inspectProgram(StringRef path, bool json,
                                      llvm::raw_ostream &out) {
  llvm::Expected<image::ImageView> view = image::openProgramImage(path);
  if (!view)
    return view.takeError();
  llvm::Expected<json::Object> manifest = image::readManifest(*view);
  if (!manifest)
    return manifest.takeError();
  auto data = runtime::TextData::parse({view->text.data(), view->text.size()});
  if (!data)
    return llvm::createStringError(path + ": " + data.error());
  const CheckpointText text = describeText(*data);
  if (json) {
    (*manifest)["kind"] = "program";
    (*manifest)["text"] = text.toJSON();
    (*manifest)["image"] =
        json::Object{{"offset", view->fileOffset},
                     {"bytes", view->header.bytes},
                     {"text", view->header.text.bytes},
                     {"weights", view->header.weights.bytes}};
    out << llvm::formatv("{0:2}\n", json::Value(std::move(*manifest)));
  } else {
    printText(*manifest, *view, text, path, out);
  }
  return llvm::Error::success();
}
