//===- FibreProgram.cpp - a checkpoint, run as GPU code on fibres ---------===//
//
// See FibreProgram.h.
//
//===----------------------------------------------------------------------===//

#include "compiler/Runner/FibreProgram.h"
#include "compiler/Driver/Registration.h"
#include "compiler/Image/Packing.h"
#include "compiler/Import/Import.h"
#include "compiler/Pipelines/Pipelines.h"
#include "compiler/Target/Target.h"
#include "runtime/ABI/Image.h"
#include "llvm/Support/MathExtras.h"

using namespace corellama;
using llvm::Error;
using llvm::Expected;

/// Weights start at multiples of this, as in an image.
static constexpr uint64_t kWeightAlignment = 64;

static Error runPhases(mlir::ModuleOp module, llama::Phase first,
                       llama::Phase last, const FibreProgramOptions &options) {
  PipelineOptions pipeline;
  pipeline.activations = options.activations;
  pipeline.cacheType = options.cacheType;
  pipeline.chunk = static_cast<int64_t>(options.chunk);
  pipeline.backend = "fibres";
  mlir::PassManager manager(module.getContext());
  buildPhases(manager, first, last, pipeline);
  if (mlir::failed(manager.run(module)))
    return llvm::createStringError("the phases from " +
                                   llama::infoOf(first).name + " to " +
                                   llama::infoOf(last).name + " failed");
  return Error::success();
}

namespace {

/// The weights as kernels read them, and where each begins.
struct PackedWeights {
  std::vector<uint8_t> bytes;
  std::vector<uint64_t> offsets;

  Error add(mlir::ModuleOp module, llama::WeightOp weight,
            const checkpoint::Checkpoint &checkpoint) {
    for (int64_t layer = 0; layer < weight.getCount(); ++layer) {
      const checkpoint::TensorInfo *tensor =
          checkpoint.find(tensorNameOf(weight, layer));
      auto packer = image::Packer::create(
          weight.getFormat(layer), weight.getLayout(layer), weight.getRows(),
          weight.getColumns());
      if (!packer)
        return packer.takeError();
      uint64_t at = llvm::alignTo(bytes.size(), kWeightAlignment);
      bytes.resize(at + packer->bytes());
      packer->pack(
          0, packer->tileCount(), checkpoint.bytes(*tensor),
          llvm::MutableArrayRef<uint8_t>(bytes).slice(at, packer->bytes()));
      offsets[llama::getWeightTableIndex(module, weight) + layer] = at;
    }
    return Error::success();
  }

  Error pack(mlir::ModuleOp module, const checkpoint::Checkpoint &checkpoint) {
    offsets.resize(llama::getWeightTableSize(module));
    Error error = Error::success();
    module->walk([&](llama::WeightOp weight) {
      if (!error)
        error = add(module, weight, checkpoint);
    });
    return error;
  }
};

} // namespace

Expected<std::unique_ptr<FibreProgram>>
FibreProgram::compile(const checkpoint::Checkpoint &checkpoint,
                      const FibreProgramOptions &options) {
  mlir::DialectRegistry registry;
  registerAllDialects(registry);
  mlir::MLIRContext mlirContext(registry,
                                mlir::MLIRContext::Threading::DISABLED);
  auto target = resolveTarget(mlirContext, options.target);
  if (!target)
    return target.takeError();
  if (target->getFamily() != llama::Family::GPU)
    return llvm::createStringError("--target: '" + options.target +
                                   "' is no GPU");
  auto module = importCheckpoint(mlirContext, checkpoint);
  (*module)->setAttr(llama::kTargetAttr, *target);
  if (Error error = runPhases(*module, llama::Phase::Import,
                              llama::Phase::Schedule, options))
    return error;
  PackedWeights weights;
  if (Error error = weights.pack(*module, checkpoint))
    return error;
  if (Error error =
          runPhases(*module, llama::Phase::Tile, llama::Phase::LLVM, options))
    return error;
  auto loaded = FibreModule::load(*module);
  if (!loaded)
    return loaded.takeError();

  const checkpoint::ModelConfig &config = checkpoint.config();
  KernelContextSizes sizes;
  sizes.weightBytes = weights.bytes.size();
  sizes.workspaceBytes = loaded->program().workspaceBytes;
  sizes.capacity = llvm::alignTo(options.positions, abi::kCacheBlock);
  // Keys and values alike: a position is a row, padded to 16 elements.
  size_t element = options.cacheType == "f16" ? 2 : 4;
  sizes.keyBytes = sizes.valueBytes =
      config.layers * config.kvHeads * sizes.capacity *
      llvm::alignTo(config.headSize, 16) * element;
  sizes.ropeRow = abi::ropeRowOf(config.headSize);
  KernelContext context(sizes);
  std::copy(weights.bytes.begin(), weights.bytes.end(), context.weights.data());
  context.offsets = std::move(weights.offsets);
  context.fillRope(config.headSize, config.ropeBase);
  context.poison();
  return std::unique_ptr<FibreProgram>(new FibreProgram(
      std::move(*loaded), std::move(context), options.fibres, config.vocab));
}

Error FibreProgram::step(abi::DeviceStepFunction function,
                         llvm::ArrayRef<int32_t> ids,
                         std::vector<float> &logits) {
  context.setRows(ids.size(), position);
  std::copy(ids.begin(), ids.end(), context.tokens.begin());
  position += ids.size();
  FibreDevice device = module.makeDevice(context, fibres);
  if (fibres.seed)
    ++*fibres.seed;
  if (Error error = device.run(function, context.context()))
    return error;
  const auto *own = reinterpret_cast<const float *>(
      context.workspace.data() + module.program().logitsOffset);
  for (context.headRow = 0; context.headRow < ids.size(); ++context.headRow) {
    if (Error error = device.run(module.program().head, context.context()))
      return error;
    logits.insert(logits.end(), own, own + vocabularySize);
  }
  return Error::success();
}

Error FibreProgram::prefill(llvm::ArrayRef<int32_t> ids,
                            std::vector<float> &logits) {
  return step(module.program().prefill, ids, logits);
}

Error FibreProgram::decode(llvm::ArrayRef<int32_t> ids,
                           std::vector<float> &logits) {
  for (int32_t id : ids)
    if (Error error = step(module.program().decode, id, logits))
      return error;
  return Error::success();
}
