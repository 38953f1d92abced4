//===- NativeFunction.cpp - a compiled function, in memory ----------------===//
//
// See NativeFunction.h.
//
//===----------------------------------------------------------------------===//

#include "compiler/Native/NativeFunction.h"
#include "compiler/Image/Packing.h"
#include "runtime/ABI/Image.h"
#include "llvm/Support/MathExtras.h"
#include <cstring>

using namespace corellama;
using namespace corellama::llama::reference;
using llvm::Error;
using llvm::Expected;

/// Weights begin at multiples of a cache line, as in an image.
static constexpr uint64_t kWeightAlignment = 64;

//===----------------------------------------------------------------------===//
// Weights
//===----------------------------------------------------------------------===//

static Expected<WeightData> findWeight(const NativeWeight &wanted,
                                       WeightSource *source,
                                       llvm::ArrayRef<Datum> arguments) {
  if (wanted.argument)
    return std::get<WeightData>(arguments[*wanted.argument]);
  if (!source)
    return formatError("{0} is needed, but no weights were given",
                       wanted.symbol);
  Expected<WeightData> data = source->get(wanted.symbol, wanted.layer);
  if (!data)
    return data.takeError();
  if (formatName(data->format) != wanted.format.getName() ||
      data->shape != wanted.shape)
    return formatError("{0} is {1} in {2}, not {3} in {4}", wanted.symbol,
                       formatShape(data->shape), formatName(data->format),
                       formatShape(wanted.shape), wanted.format.getName());
  if (Error error = checkWeight(*data))
    return std::move(error);
  return data;
}

namespace {
struct PackedWeights {
  std::vector<uint8_t> bytes;
  std::vector<uint64_t> offsets;
};
} // namespace

static Expected<PackedWeights> packWeights(const NativeModule &module,
                                           WeightSource *source,
                                           llvm::ArrayRef<Datum> arguments) {
  PackedWeights packed;
  packed.offsets.resize(module.weightTableSize);
  for (const NativeWeight &wanted : module.weights) {
    Expected<WeightData> data = findWeight(wanted, source, arguments);
    if (!data)
      return data.takeError();
    auto packer = image::Packer::create(wanted.format, wanted.layout,
                                        data->rows(), data->columns());
    if (!packer)
      return packer.takeError();
    uint64_t at = llvm::alignTo(packed.bytes.size(), kWeightAlignment);
    packed.bytes.resize(at + packer->bytes());
    packer->pack(0, packer->tileCount(), data->bytes,
                 llvm::MutableArrayRef<uint8_t>(packed.bytes).drop_front(at));
    packed.offsets[wanted.index] = at;
  }
  return packed;
}

//===----------------------------------------------------------------------===//
// Tensors
//===----------------------------------------------------------------------===//

/// Calls with each element's index and its byte in the workspace.
static void
forEachElement(llvm::ArrayRef<int64_t> shape, const TensorPlace &place,
               llvm::function_ref<void(size_t index, size_t byte)> visit) {
  size_t count = 1;
  for (int64_t extent : shape)
    count *= extent;
  size_t width = place.capacity.getElementTypeBitWidth() / 8;
  for (size_t index = 0; index < count; ++index) {
    size_t left = index, offset = 0, stride = 1;
    for (size_t d = shape.size(); d-- > 0;) {
      offset += left % shape[d] * stride;
      left /= shape[d];
      stride *= place.capacity.getDimSize(d);
    }
    visit(index, place.at + offset * width);
  }
}

static void writeTensor(const Tensor &tensor, const TensorPlace &place,
                        uint8_t *workspace) {
  forEachElement(tensor.shape, place, [&](size_t index, size_t byte) {
    auto value = static_cast<float>(tensor.values[index]);
    std::memcpy(workspace + byte, &value, sizeof(value));
  });
}

static Expected<Tensor> readTensor(const NativeModule &module,
                                   const TensorPlace &place,
                                   const uint8_t *workspace) {
  mlir::Type element = place.capacity.getElementType();
  if (!element.isF32() && !element.isF16() && !element.isBF16())
    return formatError("a result of {0} cannot be written to a file", element);
  Shape shape(place.capacity.getShape());
  shape.front() = module.rows;
  // Blocks of keys, of which the capacity is a whole context's.
  if (shape.size() == 4)
    shape[2] = llvm::divideCeil(module.firstPosition + module.rows,
                                static_cast<int64_t>(abi::kCacheBlock));
  Expected<int64_t> count = countElements(shape);
  if (!count)
    return count.takeError();
  Tensor tensor = Tensor::zeros(shape);
  forEachElement(shape, place, [&](size_t index, size_t byte) {
    if (element.isF32()) {
      float value;
      std::memcpy(&value, workspace + byte, sizeof(value));
      tensor.values[index] = value;
      return;
    }
    uint16_t bits;
    std::memcpy(&bits, workspace + byte, sizeof(bits));
    tensor.values[index] = element.isF16() ? decodeF16(bits) : decodeBF16(bits);
  });
  return tensor;
}

//===----------------------------------------------------------------------===//
// The function
//===----------------------------------------------------------------------===//

Expected<NativeFunction> NativeFunction::load(NativeModule module,
                                              WeightSource *weights,
                                              llvm::ArrayRef<Datum> arguments,
                                              bool fillCache) {
  if (module.readsCache && module.firstPosition > 0 && !fillCache)
    return formatError("attention reads positions 0 to {0} of the cache, which "
                       "were never appended",
                       module.firstPosition - 1);
  std::string missing;
  if (!hostSupports(module.target, missing))
    return formatError("this CPU lacks {0} of the target", missing);
  auto code = RunnerModule::load(*module.module);
  if (!code)
    return code.takeError();
  auto packed = packWeights(module, weights, arguments);
  if (!packed)
    return packed.takeError();

  KernelContextSizes sizes;
  sizes.weightBytes = packed->bytes.size();
  sizes.workspaceBytes = code->program().workspaceBytes;
  sizes.keyBytes = module.keyBytes;
  sizes.valueBytes = module.valueBytes;
  sizes.capacity = module.capacity;
  sizes.scratchBytes = code->program().scratchBytes;
  if (!module.frequencies.empty()) {
    sizes.ropeRow = abi::ropeRowOf(2 * module.frequencies.size());
    sizes.ropeFirst = module.firstPosition;
    sizes.ropePositions = module.rows;
  }
  NativeFunction function(std::move(module), std::move(*code),
                          KernelContext(sizes));
  KernelContext &context = function.context;
  context.regions = function.module.regions;
  context.poison();
  if (fillCache)
    for (AlignedBytes *bytes : {&context.keys, &context.values})
      std::memset(bytes->data(), 0, bytes->size());
  std::copy(packed->bytes.begin(), packed->bytes.end(), context.weights.data());
  context.offsets = std::move(packed->offsets);
  context.fillRope(function.module.frequencies);
  context.setRows(function.module.rows, function.module.firstPosition);
  if (function.module.ids)
    for (auto [token, id] :
         llvm::zip(context.tokens,
                   std::get<IntTensor>(arguments[*function.module.ids]).values))
      token = static_cast<int32_t>(id);
  for (auto [place, datum] : llvm::zip(function.module.arguments, arguments))
    if (place)
      writeTensor(std::get<Tensor>(datum), *place, context.workspace.data());
  for (const std::string &name : function.module.kernels)
    function.kernels.push_back(function.code.lookup(name));
  return function;
}

void NativeFunction::run() {
  for (size_t kernel = 0; kernel < kernels.size(); ++kernel)
    runKernel(kernel);
}

Expected<std::vector<Datum>>
NativeFunction::results(llvm::ArrayRef<Datum> arguments) const {
  std::vector<Datum> results;
  for (const NativeModule::Result &result : module.results) {
    if (!result.place) {
      results.push_back(arguments[result.argument]);
      continue;
    }
    auto tensor = readTensor(module, *result.place, context.workspace.data());
    if (!tensor)
      return tensor.takeError();
    results.emplace_back(std::move(*tensor));
  }
  return results;
}
