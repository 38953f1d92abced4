//===- Image.cpp - plan the image, write it to memory ---------------------===//
//
// See Image.h. Planning checks everything, so that writing can only run out of
// space.
//
//===----------------------------------------------------------------------===//

#include "compiler/Image/Image.h"
#include "compiler/Image/Manifest.h"
#include "compiler/Image/RopeFrequencies.h"
#include "compiler/Import/Import.h"
#include "compiler/Text/TextSection.h"
#include "runtime/ABI/Kernel.h"
#include "llvm/ADT/DenseMap.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/CheckedArithmetic.h"
#include "llvm/Support/MathExtras.h"
#include "llvm/Support/ThreadPool.h"
#include <atomic>
#include <cstring>
#include <mutex>

using namespace mlir;
using namespace corellama;
using namespace corellama::image;
using namespace corellama::llama;
using checkpoint::Checkpoint;
using checkpoint::TensorInfo;
using llvm::Error;
using llvm::Expected;

//===----------------------------------------------------------------------===//
// Weights
//===----------------------------------------------------------------------===//

namespace {

/// Declarations -> plan.weights, each with its offset.
class WeightPlanner {
public:
  WeightPlanner(ModuleOp module, const Checkpoint &checkpoint, ImagePlan &plan)
      : module(module), checkpoint(checkpoint), plan(plan) {}

  Error run() {
    // First the counts, which give the table's size.
    for (auto layered : module.getOps<WeightsOp>())
      if (static_cast<uint64_t>(layered.getLayers()) !=
          checkpoint.config().layers)
        return refuseModule(
            "@" + layered.getSymName() + " has " + Twine(layered.getLayers()) +
            " layers, the checkpoint has " + Twine(checkpoint.config().layers));
    plan.weights.resize(getWeightTableSize(module));
    for (Operation &op : module.getBody()->getOperations())
      if (auto weight = dyn_cast<WeightOp>(op)) {
        if (Error error = add(weight))
          return error;
      } else if (auto layered = dyn_cast<WeightsOp>(op)) {
        for (auto inner : layered.getBody().getOps<WeightOp>())
          if (Error error = add(inner))
            return error;
      }
    return place();
  }

private:
  Error add(WeightOp weight) {
    int64_t index = getWeightTableIndex(module, weight);
    for (int64_t layer = 0; layer < weight.getCount(); ++layer) {
      Expected<ImageWeight> planned = planOne(weight, layer);
      if (!planned)
        return planned.takeError();
      plan.weights[index + layer] = std::move(*planned);
    }
    return Error::success();
  }

  Expected<ImageWeight> planOne(WeightOp weight, int64_t layer) {
    auto refuse = [&](const Twine &problem) {
      return refuseModule("'" + nameOf(weight, layer) + "': " + problem);
    };
    const TensorInfo *tensor = findTensor(checkpoint, weight, layer);
    if (!tensor)
      return refuse("is declared, the checkpoint has no such tensor");
    FormatInterface format = weight.getFormat(layer);
    LayoutInterface layout = weight.getLayout(layer);
    if (!layout)
      return refuse("has no layout; run the phases from `plan` on");
    if (static_cast<uint64_t>(weight.getRows()) != tensor->rows ||
        static_cast<uint64_t>(weight.getColumns()) != tensor->columns ||
        format != formatOf(*module.getContext(), tensor->type))
      return refuse("is declared as " + Twine(weight.getRows()) + " x " +
                    Twine(weight.getColumns()) + " in " + format.getName() +
                    ", the checkpoint has " + Twine(tensor->rows) + " x " +
                    Twine(tensor->columns) + " in " +
                    checkpoint::getName(tensor->type));

    std::shared_ptr<const Packer> &packer =
        packers[{format, layout, tensor->rows, tensor->columns}];
    if (!packer) {
      Expected<Packer> made =
          Packer::create(format, layout, tensor->rows, tensor->columns);
      if (!made)
        return refuse(llvm::toString(made.takeError()));
      packer = std::make_shared<const Packer>(std::move(*made));
    }
    return ImageWeight{tensor, format, layout, packer, /*offset=*/0};
  }

  /// Places weights one after the other, in the order of the table.
  Error place() {
    std::optional<uint64_t> end = 0;
    for (ImageWeight &weight : plan.weights) {
      weight.offset = llvm::alignTo(*end, kWeightAlignment);
      end = llvm::checkedAddUnsigned(weight.offset, weight.packer->bytes());
      // Below half of the range, rounding up later cannot overflow.
      if (!end || *end > UINT64_MAX / 2)
        return refuseModule("its weights exceed 64-bit sizes");
    }
    if (*end == 0)
      return refuseModule("declares no weights");
    plan.header.weights.bytes = llvm::alignTo(*end, kWeightAlignment);
    return Error::success();
  }

  ModuleOp module;
  const Checkpoint &checkpoint;
  ImagePlan &plan;
  /// For look-ups only; it is never iterated over.
  llvm::DenseMap<std::tuple<Attribute, Attribute, uint64_t, uint64_t>,
                 std::shared_ptr<const Packer>>
      packers;
};

} // namespace

//===----------------------------------------------------------------------===//
// Header
//===----------------------------------------------------------------------===//

/// Bytes of keys and of values for one position of a layer, in their layouts,
/// and the rings of layers.
static Error planCache(ModuleOp module, const checkpoint::ModelConfig &config,
                       ImagePlan &plan) {
  abi::ImageHeader &header = plan.header;
  Expected<CacheLayoutOp> layout = findOnly<CacheLayoutOp>(module, "plan");
  if (!layout)
    return layout.takeError();
  CacheType cache = layout->getCache();
  auto refuse = [&](const Twine &problem) {
    return refuseModule("llama.cache_layout: " + problem);
  };
  if (static_cast<uint64_t>(cache.getLayers()) != config.layers ||
      static_cast<uint64_t>(cache.getHeads()) != config.kvHeads ||
      static_cast<uint64_t>(cache.getHeadSize()) != config.headSize)
    return refuse("is of " + Twine(cache.getLayers()) + " x " +
                  Twine(cache.getHeads()) + " x " + Twine(cache.getHeadSize()) +
                  ", the checkpoint asks for " + Twine(config.layers) + " x " +
                  Twine(config.kvHeads) + " x " + Twine(config.headSize));
  // The runtime's bound (runtime/Weights), by which its products stay in range.
  constexpr uint64_t kMostBytes = uint64_t(1) << 32;
  auto perPosition = [&](KVCacheLayoutInterface halfLayout, Type element) {
    FailureOr<uint64_t> bytes =
        halfLayout.getCacheBytes(cache, element, abi::kCacheBlock);
    return failed(bytes) ? UINT64_MAX
                         : *bytes / abi::kCacheBlock / cache.getLayers();
  };
  header.keyBytes = perPosition(layout->getKeys(), cache.getKeyType());
  header.valueBytes = perPosition(layout->getValues(), cache.getValueType());
  if (header.keyBytes > kMostBytes || header.valueBytes > kMostBytes)
    return refuse("a position of a layer has " + Twine(header.keyBytes) +
                  " bytes of keys and " + Twine(header.valueBytes) +
                  " of values, a program can have " + Twine(kMostBytes) +
                  " of each");
  if (auto rings = layout->getRings())
    for (int64_t ring : *rings) {
      if (ring % abi::kCacheBlock != 0)
        return refuse("has a ring of " + Twine(ring) +
                      " positions, expected a multiple of " +
                      Twine(abi::kCacheBlock));
      plan.rings.push_back(ring);
    }
  return Error::success();
}

/// The frequencies of the module's rope_table, for the checkpoint's heads.
static Error planRope(ModuleOp module, const checkpoint::ModelConfig &config,
                      ImagePlan &plan) {
  Expected<RopeTableOp> table = findOnly<RopeTableOp>(module, "tile");
  if (!table)
    return table.takeError();
  if (static_cast<uint64_t>(table->getHead()) != config.headSize)
    return refuseModule("llama.rope_table: is for heads of " +
                        Twine(table->getHead()) + ", the checkpoint asks for " +
                        Twine(config.headSize));
  Expected<std::vector<abi::PairRotation>> frequencies =
      makeRopeFrequencies(*table);
  if (!frequencies)
    return frequencies.takeError();
  plan.frequencies = std::move(*frequencies);
  return Error::success();
}

/// The header's ranges; all but the weights are far smaller than the
/// checkpoint's file.
static void placeSections(ImagePlan &plan) {
  abi::ImageHeader &header = plan.header;
  uint64_t end = sizeof(header);
  header.offsets.bytes = plan.weights.size() * sizeof(uint64_t);
  header.frequencies.bytes =
      plan.frequencies.size() * sizeof(abi::PairRotation);
  header.rings.bytes = plan.rings.size() * sizeof(uint64_t);
  header.manifest.bytes = plan.manifest.size();
  header.text.bytes = textSectionBytes(*plan.text);
  for (const abi::ImageSection &section : abi::kImageSections) {
    abi::ImageRange &range = header.*section.range;
    range.offset = llvm::alignTo(end, section.alignment);
    end = range.offset + range.bytes;
  }
  header.bytes = end;
}

Expected<ImagePlan> corellama::image::planImage(ModuleOp module,
                                                const Checkpoint &checkpoint,
                                                const runtime::TextData &text,
                                                StringRef version) {
  MLIRContext &context = *module.getContext();
  const checkpoint::ModelConfig &config = checkpoint.config();
  auto identity = module->getAttrOfType<StringAttr>(kCheckpointAttr);
  if (!identity || identity.getValue() != checkpointAttribute(checkpoint))
    return refuseModule("is of checkpoint " +
                        (identity ? identity.getValue() : "(none named)") +
                        ", " + checkpoint.path() + " is " +
                        checkpointAttribute(checkpoint) +
                        "; compile each checkpoint from its own module");
  if (module->getAttr(kConfigAttr) != configAttribute(context, checkpoint))
    return refuseModule("its llama.config is not the checkpoint's; compile the "
                        "checkpoint anew");

  ImagePlan plan;
  abi::ImageHeader &header = plan.header;
  header = {};
  memcpy(header.magic, abi::kImageMagic, sizeof(header.magic));
  header.version = abi::kVersion;
  header.headerBytes = sizeof(header);
  header.layers = config.layers;
  header.vocabulary = config.vocab;
  header.context = config.context;
  header.heads = config.heads;
  header.kvHeads = config.kvHeads;
  header.headSize = config.headSize;
  header.ropeRow = abi::ropeRowOf(config.headSize);
  if (Error error = planRope(module, config, plan))
    return error;
  if (Error error = planCache(module, config, plan))
    return error;
  if (Error error = WeightPlanner(module, checkpoint, plan).run())
    return error;
  Expected<std::string> manifest =
      makeManifest(module, checkpoint, version, plan);
  if (!manifest)
    return manifest.takeError();
  plan.manifest = std::move(*manifest);
  plan.text = &text;
  placeSections(plan);
  return plan;
}

Error corellama::image::addVariants(ImagePlan &plan,
                                    ArrayRef<ImagePlan> others) {
  std::vector<StringRef> manifests;
  for (const ImagePlan &other : others) {
    // The same formats and layouts, as the manifests say, in the same order.
    bool isSame =
        llvm::equal(plan.weights, other.weights,
                    [](const ImageWeight &a, const ImageWeight &b) {
                      return a.tensor == b.tensor && a.offset == b.offset;
                    });
    if (!isSame)
      return refuseModule("the code of two targets reads weights at different "
                          "offsets; compile a program for each");
    manifests.push_back(other.manifest);
  }
  if (Error error = addVariantManifests(plan.manifest, manifests))
    return error;
  placeSections(plan);
  return Error::success();
}

//===----------------------------------------------------------------------===//
// Bytes
//===----------------------------------------------------------------------===//

/// Bytes of rows that one task packs: enough that claiming a task costs little,
/// few enough that all threads end at about the same time and that what they
/// pack is small.
static constexpr uint64_t kTaskBytes = 1 << 20;

namespace {

/// Packs all weights. Threads claim tasks of some rows in their order; no two
/// tasks write the same byte, so the result does not depend on the threads.
class WeightWriter {
public:
  WeightWriter(const ImagePlan &plan, const Checkpoint &checkpoint,
               ImageWriter write)
      : plan(plan), checkpoint(checkpoint), write(write) {
    for (const ImageWeight &weight : plan.weights)
      addTasks(weight);
  }

  Error run() {
    llvm::DefaultThreadPool pool(llvm::hardware_concurrency());
    for (unsigned thread = 0; thread < pool.getMaxConcurrency(); ++thread)
      pool.async([this] { work(); });
    pool.wait();
    return error ? std::move(*error) : Error::success();
  }

private:
  struct Task {
    const ImageWeight *weight;
    uint64_t first, count;
  };

  void addTasks(const ImageWeight &weight) {
    const Packer &packer = *weight.packer;
    uint64_t tiles = packer.tileCount();
    uint64_t tileBytes = llvm::divideCeil(packer.sourceBytes(), tiles);
    uint64_t step =
        std::max<uint64_t>(1, kTaskBytes / std::max<uint64_t>(1, tileBytes));
    // Tiles that are spread over the layout are packed together.
    if (packer.rangeOf(0, 1).bytes == packer.bytes())
      step = tiles;
    for (uint64_t first = 0; first < tiles; first += step)
      tasks.push_back({&weight, first, std::min(step, tiles - first)});
  }

  void work() {
    std::vector<uint8_t> converted, packed;
    for (size_t i; (i = next.fetch_add(1, std::memory_order_relaxed)) <
                   std::min(tasks.size(), end.load());)
      if (Error failed = pack(tasks[i], converted, packed)) {
        // Every task before has been claimed, so the first error is found
        // whichever thread is faster.
        std::lock_guard<std::mutex> lock(failing);
        if (i >= end) {
          llvm::consumeError(std::move(failed));
          continue;
        }
        if (error)
          llvm::consumeError(std::move(*error));
        error.emplace(std::move(failed));
        end = i;
      }
  }

  Error pack(const Task &task, std::vector<uint8_t> &converted,
             std::vector<uint8_t> &packed) {
    const auto &[weight, first, count] = task;
    const Packer &packer = *weight->packer;
    Packer::Range range = packer.rangeOf(first, count);
    Expected<ArrayRef<uint8_t>> rows =
        checkpoint.readRows(*weight->tensor, first * Packer::kTileRows,
                            packer.rowCount(first, count), converted);
    if (!rows)
      return rows.takeError();
    packed.assign(range.bytes, 0);
    packer.pack(first, count, *rows, packed);
    // To where the next weight begins: what is written has no gaps.
    if (first + count == packer.tileCount())
      packed.resize(
          llvm::alignTo(range.offset + range.bytes, kWeightAlignment) -
          range.offset);
    return write(plan.header.weights.offset + weight->offset + range.offset,
                 packed);
  }

  const ImagePlan &plan;
  const Checkpoint &checkpoint;
  ImageWriter write;
  std::vector<Task> tasks;
  std::atomic<size_t> next = 0;
  /// The task that failed, or beyond all; tasks from it on are left out.
  std::atomic<size_t> end = SIZE_MAX;
  std::mutex failing; ///< guards `error` and changes of `end`
  std::optional<Error> error;
};

template <typename T> ArrayRef<uint8_t> bytesOf(ArrayRef<T> values) {
  return {reinterpret_cast<const uint8_t *>(values.data()),
          values.size() * sizeof(T)};
}

/// Piece by piece: it may be as large as the file that it comes from.
Error writeText(const ImagePlan &plan, const Checkpoint &checkpoint,
                ImageWriter write) {
  const abi::ImageRange &range = plan.header.text;
  uint64_t done = 0;
  Error error = Error::success();
  writeTextSection(*plan.text, [&](std::string_view piece) {
    const uint64_t begin = done;
    done += piece.size();
    if (!error && done <= range.bytes)
      error = write(range.offset + begin, llvm::arrayRefFromStringRef(piece));
  });
  if (error || done == range.bytes)
    return error;
  // The file that the texts lie in is of another length than it was.
  if (Error changed = checkpoint.checkUnchanged())
    return changed;
  return refuseModule("its tokenizer has changed while it was read; run the "
                      "command again");
}

} // namespace

Error corellama::image::writeImage(const ImagePlan &plan,
                                   const Checkpoint &checkpoint,
                                   ImageWriter write) {
  const abi::ImageHeader &header = plan.header;
  std::vector<uint64_t> offsets;
  for (const ImageWeight &weight : plan.weights)
    offsets.push_back(weight.offset);
  const std::pair<uint64_t, ArrayRef<uint8_t>> sections[] = {
      {0, bytesOf(ArrayRef(header))},
      {header.offsets.offset, bytesOf(ArrayRef(offsets))},
      {header.frequencies.offset, bytesOf(ArrayRef(plan.frequencies))},
      {header.rings.offset, bytesOf(ArrayRef(plan.rings))},
      {header.manifest.offset, llvm::arrayRefFromStringRef(plan.manifest)}};
  for (const auto &[offset, bytes] : sections)
    if (Error error = write(offset, bytes))
      return error;
  if (Error error = writeText(plan, checkpoint, write))
    return error;
  return WeightWriter(plan, checkpoint, write).run();
}

Error corellama::image::writeImage(const ImagePlan &plan,
                                   const Checkpoint &checkpoint,
                                   MutableArrayRef<uint8_t> out) {
  if (out.size() != plan.header.bytes)
    return refuseModule("its image has " + Twine(plan.header.bytes) +
                        " bytes, given are " + Twine(out.size()));
  return writeImage(plan, checkpoint,
                    [&](uint64_t offset, ArrayRef<uint8_t> bytes) {
                      llvm::copy(bytes, out.begin() + offset);
                      return Error::success();
                    });
}
