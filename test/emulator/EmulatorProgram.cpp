//===- EmulatorProgram.cpp - a checkpoint, run as emulated GPU code -------===//
//
// See EmulatorProgram.h. From top to bottom: the phases; weights; memory; a
// step.
//
//===----------------------------------------------------------------------===//

#include "test/emulator/EmulatorProgram.h"
#include "compiler/Image/Manifest.h"
#include "compiler/Image/Packing.h"
#include "compiler/Image/RopeFrequencies.h"
#include "compiler/Import/Import.h"
#include "compiler/Pipelines/Pipelines.h"
#include "compiler/Registration/Registration.h"
#include "compiler/Target/Target.h"
#include "dialects/CUDA/IR/CUDADialect.h"
#include "mlir/IR/Diagnostics.h"
#include "runtime/ABI/Image.h"
#include "test/emulator/Passes.h"
#include "llvm/Support/MathExtras.h"
#include "llvm/Support/Memory.h"
#include <numeric>

using namespace corellama;
using llvm::Error;
using llvm::Expected;

/// Weights start at multiples of this, as in an image.
static constexpr uint64_t kWeightAlignment = 64;

//===----------------------------------------------------------------------===//
// The phases
//===----------------------------------------------------------------------===//

namespace {

/// Runs phases, and returns the first error of a pass. The driver prints errors
/// of passes; the caller of this library decides what to do with them.
class PhaseRunner {
public:
  PhaseRunner(mlir::MLIRContext &context, llvm::StringRef path,
              const EmulatorProgramOptions &options)
      : path(path), handler(&context, [this](mlir::Diagnostic &diagnostic) {
          if (diagnostic.getSeverity() == mlir::DiagnosticSeverity::Error &&
              message.empty())
            message = describe(diagnostic);
          return mlir::success();
        }) {
    pipeline.activations = options.activations;
    pipeline.cacheType = options.cacheType;
    pipeline.rows = options.rows;
    pipeline.backend = "cuda";
  }

  Error run(mlir::ModuleOp module, llama::Phase first, llama::Phase last) {
    for (const PhasePipeline &row : allPhasePipelines()) {
      if (row.phase < first || row.phase > last)
        continue;
      mlir::PassManager manager(module.getContext());
      emulator::buildPhases(manager, row.phase, row.phase, pipeline);
      if (mlir::failed(manager.run(module)))
        return llvm::createStringError(
            path + ": phase " + llama::infoOf(row.phase).name + ": " +
            (message.empty() ? "failed without saying why" : message));
    }
    return Error::success();
  }

private:
  /// Ops are named after what they were made from; there is no source file.
  static std::string describe(mlir::Diagnostic &diagnostic) {
    auto name = diagnostic.getLocation()->findInstanceOf<mlir::NameLoc>();
    return (name ? "'" + name.getName().str() + "': " : "") + diagnostic.str();
  }

  llvm::StringRef path;
  PipelineOptions pipeline;
  std::string message;
  mlir::ScopedDiagnosticHandler handler;
};

} // namespace

//===----------------------------------------------------------------------===//
// Weights
//===----------------------------------------------------------------------===//

namespace {

/// The offset of each weight. Computed before their memory is allocated, while
/// the module still has the ops that refer to them.
struct WeightPlan {
  struct Part {
    image::Packer packer;
    const checkpoint::TensorInfo *tensor;
    uint64_t at;
  };
  std::vector<Part> parts;
  std::vector<uint64_t> offsets;
  uint64_t bytes = 0;

  Error add(mlir::ModuleOp module, llama::WeightOp weight,
            const checkpoint::Checkpoint &checkpoint) {
    for (int64_t layer = 0; layer < weight.getCount(); ++layer) {
      const checkpoint::TensorInfo *tensor =
          findTensor(checkpoint, weight, layer);
      auto packer = image::Packer::create(
          weight.getFormat(layer), weight.getLayout(layer), weight.getRows(),
          weight.getColumns());
      if (!packer)
        return packer.takeError();
      uint64_t at = llvm::alignTo(bytes, kWeightAlignment);
      bytes = llvm::SaturatingAdd(at, packer->bytes());
      offsets[llama::getWeightTableIndex(module, weight) + layer] = at;
      parts.push_back({std::move(*packer), tensor, at});
    }
    return Error::success();
  }

  Error make(mlir::ModuleOp module, const checkpoint::Checkpoint &checkpoint) {
    offsets.resize(llama::getWeightTableSize(module));
    Error error = Error::success();
    module->walk([&](llama::WeightOp weight) {
      if (!error)
        error = add(module, weight, checkpoint);
    });
    return error;
  }

  void pack(const checkpoint::Checkpoint &checkpoint,
            llvm::MutableArrayRef<uint8_t> out) const {
    std::vector<uint8_t> scratch;
    for (const Part &part : parts)
      part.packer.pack(0, part.packer.tileCount(),
                       // Nothing is rounded, so no row can be refused.
                       llvm::cantFail(checkpoint.readRows(
                           *part.tensor, 0, part.tensor->rows, scratch)),
                       out.slice(part.at, part.packer.bytes()));
  }
};

} // namespace

//===----------------------------------------------------------------------===//
// Memory
//===----------------------------------------------------------------------===//

static KernelContextSizes sizesOf(llama::CacheLayoutOp layout,
                                  uint64_t positions) {
  KernelContextSizes sizes;
  sizes.capacity = llvm::alignTo(positions, abi::kCacheBlock);
  auto bytes = [&](bool ofKeys) -> uint64_t {
    mlir::FailureOr<uint64_t> all = layout.getBytes(ofKeys, sizes.capacity);
    return mlir::failed(all) ? UINT64_MAX : *all;
  };
  sizes.keyBytes = bytes(/*ofKeys=*/true);
  sizes.valueBytes = bytes(/*ofKeys=*/false);
  sizes.ropeRow = abi::ropeRowOf(layout.getCache().getHeadSize());
  return sizes;
}

/// Tries to allocate the memory and frees it. KernelContext and EmulatorMemory
/// end the process if allocation fails, which is acceptable only in tests of
/// one kernel.
static Error checkMemory(const KernelContextSizes &sizes) {
  uint64_t ropeBytes = llvm::SaturatingMultiply<uint64_t>(
      sizes.capacity * sizeof(float), sizes.ropeRow);
  uint64_t bytes = llvm::SaturatingAdd<uint64_t>(
      sizes.weightBytes, sizes.workspaceBytes, sizes.keyBytes, sizes.valueBytes,
      ropeBytes);
  std::vector<llvm::sys::OwningMemoryBlock> blocks;
  auto isThere = [&](uint64_t wanted) {
    // More than that would wrap around when it is rounded to pages.
    if (wanted > std::numeric_limits<int64_t>::max())
      return false;
    std::error_code code;
    blocks.emplace_back(llvm::sys::Memory::allocateMappedMemory(
        wanted, nullptr,
        llvm::sys::Memory::MF_READ | llvm::sys::Memory::MF_WRITE, code));
    return !code;
  };
  bool enough = isThere(bytes);
  // What EmulatorMemory remembers: of it, only what is touched costs memory.
  uint64_t watchBytes = 0;
  for (uint64_t written :
       {sizes.workspaceBytes, sizes.keyBytes, sizes.valueBytes}) {
    uint64_t wanted =
        llvm::SaturatingMultiply(written, EmulatorMemory::kWatchBytes);
    watchBytes = llvm::SaturatingAdd(watchBytes, wanted);
    enough = enough && isThere(wanted);
  }
  if (enough)
    return Error::success();
  return llvm::createStringError(
      "there is no memory for " + llvm::Twine(sizes.capacity) +
      " positions: with the weights " + llvm::Twine(bytes >> 20) +
      " MiB, and room to watch them in, " + llvm::Twine(watchBytes >> 20) +
      " MiB; give a smaller -n");
}

//===----------------------------------------------------------------------===//
// The program
//===----------------------------------------------------------------------===//

Expected<std::unique_ptr<EmulatorProgram>>
EmulatorProgram::compile(const checkpoint::Checkpoint &checkpoint,
                         const EmulatorProgramOptions &options) {
  const checkpoint::ModelConfig &config = checkpoint.config();
  if (options.positions > config.context)
    return llvm::createStringError(
        checkpoint.path() + ": was made for at most " +
        llvm::Twine(config.context) + " positions, and " +
        llvm::Twine(options.positions) + " are asked for; give a smaller -n");
  mlir::DialectRegistry registry;
  registerAllDialects(registry);
  mlir::MLIRContext mlirContext(registry,
                                mlir::MLIRContext::Threading::DISABLED);
  auto target = resolveTarget(mlirContext, options.target);
  if (!target)
    return target.takeError();
  if (!mlir::isa<cuda::TargetAttr>(*target))
    return llvm::createStringError(
        "--target: '" + options.target +
        "' is no GPU; expected a name such as cuda:sm_80");
  auto module = importCheckpoint(mlirContext, checkpoint);
  (*module)->setAttr(llama::kTargetAttr, *target);
  PhaseRunner phases(mlirContext, checkpoint.path(), options);
  if (Error error =
          phases.run(*module, llama::Phase::Import, llama::Phase::Schedule))
    return error;
  WeightPlan weights;
  if (Error error = weights.make(*module, checkpoint))
    return error;
  if (Error error = phases.run(*module, llama::Phase::Tile, llama::Phase::LLVM))
    return error;
  auto loaded = EmulatorModule::load(*module);
  if (!loaded)
    return loaded.takeError();

  auto layout = image::findOnly<llama::CacheLayoutOp>(*module, "plan");
  if (!layout)
    return layout.takeError();
  auto rope = image::findOnly<llama::RopeTableOp>(*module, "tile");
  if (!rope)
    return rope.takeError();
  auto frequencies = image::makeRopeFrequencies(*rope);
  if (!frequencies)
    return frequencies.takeError();
  KernelContextSizes sizes = sizesOf(*layout, options.positions);
  sizes.weightBytes = weights.bytes;
  sizes.workspaceBytes = loaded->program().workspaceBytes;
  if (Error error = checkMemory(sizes))
    return error;
  KernelContext context(sizes);
  weights.pack(checkpoint, {context.weights.data(), context.weights.size()});
  context.offsets = std::move(weights.offsets);
  context.regions = layout->getRegions(sizes.capacity);
  context.fillRope(*frequencies);
  context.poison();
  return std::unique_ptr<EmulatorProgram>(new EmulatorProgram(
      std::move(*loaded), std::move(context), options, config.vocab));
}

/// One call of the first form that has room for all of `ids`, then its logits.
Error EmulatorProgram::call(llvm::ArrayRef<int32_t> ids, LogitsSink sink) {
  if (ids.size() > positions - position)
    return llvm::createStringError("there is room for " +
                                   llvm::Twine(positions) + " positions");
  const abi::DeviceProgram &program = module.program();
  context.setRows(ids.size(), position);
  std::copy(ids.begin(), ids.end(), context.tokens.begin());
  position += ids.size();
  EmulatorDevice device = module.makeDevice(context, fibres);
  if (fibres.seed)
    ++*fibres.seed;
  const auto *form =
      abi::findEntry(program.entries, program.entryCount, ids.size());
  abi::Context arguments = context.context();
  if (Error error = device.run(form->step, arguments))
    return error;
  const auto *logits = reinterpret_cast<const float *>(
      context.workspace.data() + program.logitsOffset);
  uint64_t most = program.lmHeads[program.lmHeadCount - 1].rows;
  for (size_t first = 0; first < ids.size(); first += most) {
    uint64_t count = std::min<uint64_t>(most, ids.size() - first);
    std::iota(context.wanted.begin(), context.wanted.begin() + count, first);
    arguments.rows = count;
    const auto *head =
        abi::findEntry(program.lmHeads, program.lmHeadCount, count);
    if (Error error = device.run(head->step, arguments))
      return error;
    for (uint64_t row = 0; row < count; ++row)
      if (Error error = sink({logits + row * vocabularySize, vocabularySize}))
        return error;
  }
  return Error::success();
}

Error EmulatorProgram::append(llvm::ArrayRef<int32_t> ids, uint64_t most,
                              LogitsSink sink) {
  const abi::DeviceProgram &program = module.program();
  most = std::min(most, program.entries[program.entryCount - 1].rows);
  for (size_t first = 0; first < ids.size(); first += most)
    if (Error error = call(
            ids.slice(first, std::min<size_t>(most, ids.size() - first)), sink))
      return error;
  return Error::success();
}
