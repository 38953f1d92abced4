//===- StepBuffers.cpp - the buffers between the kernels of a model -------===//
//
// See StepBuffers.h.
//
//===----------------------------------------------------------------------===//

#include "passes/Llama/StepBuffers.h"
#include "mlir/IR/Builders.h"
#include "passes/Llama/PlanInvariants.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace corellama::llama;

FailureOr<int64_t> StepBuffers::rowCapacity(int64_t rows,
                                            ArrayRef<KernelOp> kernels) {
  int64_t capacity = rows;
  for (KernelOp kernel : kernels) {
    auto strategy =
        dyn_cast_or_null<StrategyInterface>(kernel.getStrategyAttr());
    // Strategies that have no tile take rows one by one.
    int64_t tile = strategy ? rowTileOf(kernel.getBody().front(), strategy) : 1;
    if (tile < 1 || tile > INT32_MAX)
      return kernel.emitOpError()
             << "\"" << kernel.getName() << "\" has a tile of " << tile
             << " rows, expected 1 to " << INT32_MAX;
    capacity = std::max<int64_t>(capacity, llvm::alignTo(rows, tile));
  }
  return capacity;
}

/// A kernel may pass on what it takes, which no op makes.
static InFlightDiagnostic errorAt(Value value) {
  Operation *op = value.getDefiningOp();
  return op ? op->emitOpError() : emitError(value.getLoc());
}

FailureOr<RankedTensorType> StepBuffers::capacityOf(Value value, int64_t rows) {
  Operation *op = value.getDefiningOp();
  auto type = dyn_cast<RankedTensorType>(value.getType());
  if (!type)
    return module.emitError()
           << "a value of type " << value.getType()
           << " goes from one kernel to another; only tensors can";
  SmallVector<int64_t> shape(type.getShape());
  if (!shape.empty() && ShapedType::isDynamic(shape[0]))
    shape[0] = rows;
  // Blocks of keys: as many as the longest context has.
  if (auto part = dyn_cast_or_null<AttentionPartOp>(op);
      part && ShapedType::isDynamic(shape[2])) {
    auto config = module->getAttrOfType<ConfigAttr>(kConfigAttr);
    if (!config)
      return module.emitError()
             << "the module has no " << kConfigAttr
             << "; without its context length there is no telling how many "
                "blocks of keys attention has";
    shape[2] = llvm::divideCeil(config.getContextLength(),
                                static_cast<int64_t>(part.getKeys()));
  }
  if (llvm::any_of(shape, ShapedType::isDynamic))
    return errorAt(value)
           << "leaves a " << type
           << " to another kernel; a buffer needs to know the extents behind "
              "the first";
  return type.clone(shape);
}

BufferOp StepBuffers::add(StringRef name, RankedTensorType type, Location loc) {
  // The name stands in reads and writes from now on, so it is free for good.
  std::string unique = name.str();
  for (unsigned number = 1; names.contains(unique) || symbols.lookup(unique);
       ++number)
    unique = (name + "." + Twine(number)).str();
  names.insert(unique);
  OpBuilder builder(module.getContext());
  auto buffer =
      BufferOp::create(builder, loc, builder.getStringAttr(unique),
                       StringAttr(), TypeAttr::get(type), IntegerAttr());
  buffers.push_back(OwningOpRef<BufferOp>(buffer));
  return buffer;
}

void StepBuffers::declare() {
  for (OwningOpRef<BufferOp> &buffer : buffers)
    symbols.insert(buffer.release(), module.getBody()->end());
  buffers.clear();
}

FailureOr<BufferOp> StepBuffers::forResult(const BufferKey &key, Value value,
                                           int64_t rows) {
  FailureOr<RankedTensorType> type = capacityOf(value, rows);
  if (failed(type))
    return failure();
  // Layer functions whose kernels differ only in formats leave values of the
  // same type, and in a step only one of them runs at a time.
  std::string text;
  llvm::raw_string_ostream(text)
      << key.step << '\0' << key.kernel << '\0' << key.occurrence << '\0'
      << key.result << '\0' << *type;
  BufferOp &buffer = byKey[text];
  if (!buffer)
    buffer = add((key.step + "." + key.kernel).str(), *type, value.getLoc());
  return buffer;
}

FailureOr<BufferOp> StepBuffers::forModel(StringRef name, Value value,
                                          int64_t rows) {
  FailureOr<RankedTensorType> type = capacityOf(value, rows);
  if (failed(type))
    return failure();
  BufferOp &buffer = byKey[name];
  if (!buffer) {
    buffer = add(name, *type, value.getLoc());
    return buffer;
  }
  // The forms leave the same columns; the largest number of rows is the room.
  auto have = cast<RankedTensorType>(buffer.getType());
  if (have.getElementType() != type->getElementType() ||
      have.getShape().drop_front() != type->getShape().drop_front())
    return errorAt(value) << "leaves a " << *type << " in buffer @" << name
                          << ", another function a " << have;
  if (type->getDimSize(0) > have.getDimSize(0))
    buffer.setTypeAttr(TypeAttr::get(*type));
  return buffer;
}
