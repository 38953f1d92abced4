//===- Dump.cpp - every value of an evaluation as a file ------------------===//
//
// See Dump.h.
//
//===----------------------------------------------------------------------===//

#include "dialects/Llama/Reference/Dump.h"
#include "dialects/Llama/Reference/Npy.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/ToolOutputFile.h"

using namespace mlir;
using namespace corellama::llama;
using namespace corellama::llama::reference;
using llvm::createStringError;
using llvm::Error;

/// A file that is kept if `write` and the disk take all of it.
static Error writeFile(StringRef path,
                       function_ref<Error(llvm::raw_ostream &)> write) {
  std::error_code code;
  llvm::ToolOutputFile file(path, code, llvm::sys::fs::OF_None);
  if (code)
    return createStringError(path + ": " + code.message());
  if (Error error = write(file.os()))
    return error;
  file.os().flush();
  if (file.os().has_error()) {
    Error error = createStringError(path + ": " + file.os().error().message());
    file.os().clear_error();
    return error;
  }
  file.keep();
  return Error::success();
}

Error reference::writeNpyFile(StringRef path, const Datum &value) {
  return writeFile(path, [&](llvm::raw_ostream &out) -> Error {
    if (auto *tensor = std::get_if<Tensor>(&value))
      writeNpy(out, *tensor);
    else if (auto *integers = std::get_if<IntTensor>(&value))
      writeNpy(out, *integers);
    else if (auto *integer = std::get_if<int64_t>(&value))
      writeNpy(out, IntTensor{{}, {*integer}});
    else
      return createStringError("results are tensors and integers");
    return Error::success();
  });
}

/// The name in the text that the module was read from: "q", "15", or "15_1" for
/// the second result of `%15:2`.
std::string Dump::nameOf(Value value) const {
  auto textOf = [](llvm::SMRange range) {
    return StringRef(range.Start.getPointer(),
                     range.End.getPointer() - range.Start.getPointer())
        .ltrim('%')
        .str();
  };
  if (auto argument = dyn_cast<BlockArgument>(value)) {
    const auto *block = names.getBlockDef(argument.getOwner());
    if (block && argument.getArgNumber() < block->arguments.size())
      return textOf(block->arguments[argument.getArgNumber()].loc);
    return {};
  }
  const auto *op = names.getOpDef(value.getDefiningOp());
  if (!op)
    return {};
  unsigned number = cast<OpResult>(value).getResultNumber();
  for (const auto &group : llvm::reverse(op->resultGroups))
    if (group.startIndex <= number) {
      std::string name = textOf(group.definition.loc);
      unsigned inGroup = number - group.startIndex;
      return inGroup ? name + "_" + std::to_string(inGroup) : name;
    }
  return {};
}

Error Dump::write(StringRef function, std::optional<int64_t> layer, Value value,
                  StringRef suffix, const Datum &datum) {
  std::string name = nameOf(value);
  if (name.empty())
    return Error::success();
  std::string file;
  if (function != entry)
    file = function.str() + (layer ? "." + std::to_string(*layer) : "") + ".";
  file += name + suffix.str() + ".npy";
  if (!written.insert(file).second)
    return createStringError(
        "--dump: " + file +
        " would be written twice; run all rows in one call, and no loops");
  SmallString<128> path(folder);
  llvm::sys::path::append(path, file);
  Operation *op = value.getDefiningOp();
  const Shape &shape = std::holds_alternative<Tensor>(datum)
                           ? std::get<Tensor>(datum).shape
                           : std::get<IntTensor>(datum).shape;
  llvm::json::Object row{
      {"file", file},
      {"function", function},
      {"value", name},
      {"op", op ? op->getName().getStringRef() : StringRef("argument")},
      {"shape", llvm::json::Array(ArrayRef<int64_t>(shape))}};
  if (layer)
    row["layer"] = *layer;
  index.push_back(std::move(row));
  return writeNpyFile(path, datum);
}

Error Dump::value(StringRef function, std::optional<int64_t> layer, Value value,
                  const Datum &datum) {
  if (!std::holds_alternative<Tensor>(datum) &&
      !std::holds_alternative<IntTensor>(datum))
    return Error::success();
  return write(function, layer, value, "", datum);
}

Error Dump::probabilities(StringRef function, std::optional<int64_t> layer,
                          Value attention, const Tensor &probabilities) {
  return write(function, layer, attention, ".probabilities",
               Datum(probabilities));
}

Error Dump::finish() {
  SmallString<128> path(folder);
  llvm::sys::path::append(path, "index.json");
  return writeFile(path, [&](llvm::raw_ostream &out) {
    out << llvm::formatv("{0:2}\n", llvm::json::Value(std::move(index)));
    return Error::success();
  });
}
