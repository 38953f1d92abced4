//===- CheckpointWeights.cpp - weights of a module from its checkpoint ----===//
//
// See CheckpointWeights.h.
//
//===----------------------------------------------------------------------===//

#include "compiler/Native/CheckpointWeights.h"
#include "compiler/Checkpoint/Checkpoint.h"
#include "compiler/Import/Import.h"
#include "passes/Llama/CarriedOptions.h"

using namespace corellama;
using namespace corellama::llama::reference;

namespace {
class CheckpointWeights : public WeightSource {
public:
  CheckpointWeights(mlir::ModuleOp module, checkpoint::Checkpoint checkpoint)
      : module(module), checkpoint(std::move(checkpoint)) {}

  llvm::Expected<WeightData> get(mlir::SymbolRefAttr symbol,
                                 std::optional<int64_t> layer) override {
    auto weight = mlir::dyn_cast_or_null<llama::WeightOp>(
        mlir::SymbolTable::lookupSymbolIn(module, symbol));
    if (!weight)
      return formatError("{0} is not a declared weight", symbol);
    std::string name = nameOf(weight, layer.value_or(0));
    const checkpoint::TensorInfo *tensor =
        findTensor(checkpoint, weight, layer.value_or(0));
    if (!tensor)
      return formatError("{0}: has no {1}, which the module declares",
                         checkpoint.path(), name);
    llvm::StringRef format =
        formatOf(*module.getContext(), tensor->type).getName();
    WeightData data;
    std::optional<Format> known = parseFormat(format);
    if (!known)
      return formatError("format {0} is not known to the evaluator", format);
    data.format = *known;
    data.shape.assign(weight.getShape().begin(), weight.getShape().end());
    if (static_cast<uint64_t>(data.rows()) != tensor->rows ||
        static_cast<uint64_t>(data.columns()) != tensor->columns)
      return formatError("{0}: {1} is {2}x{3}, the module declares {4}",
                         checkpoint.path(), name, tensor->rows, tensor->columns,
                         formatShape(data.shape));
    auto scratch = std::make_shared<std::vector<uint8_t>>();
    auto rows = checkpoint.readRows(*tensor, 0, tensor->rows, *scratch);
    if (!rows)
      return rows.takeError();
    data.bytes = *rows;
    data.owner = std::move(scratch);
    return data;
  }

private:
  mlir::ModuleOp module;
  checkpoint::Checkpoint checkpoint;
};
} // namespace

llvm::Expected<std::unique_ptr<WeightSource>>
corellama::openCheckpointWeights(mlir::ModuleOp module,
                                 const std::string &path) {
  auto opened = checkpoint::openCheckpoint(path);
  if (!opened)
    return opened.takeError();
  // Weights that a module was made to round are rounded here, too.
  if (auto format =
          llama::getCarriedOption<mlir::StringAttr>(module, "quantize"))
    if (llvm::Error error = opened->quantize(format))
      return error;
  return std::make_unique<CheckpointWeights>(module, std::move(*opened));
}
