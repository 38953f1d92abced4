//===- TestModel.cpp - a small model, compiled for tests of kernels -------===//
//
// See TestModel.h.
//
//===----------------------------------------------------------------------===//

#include "test/passes/Testing/TestModel.h"
#include "compiler/Image/Manifest.h"
#include "compiler/Image/Packing.h"
#include "compiler/Image/RopeFrequencies.h"
#include "compiler/Pipelines/Pipelines.h"
#include "compiler/Registration/Registration.h"
#include "compiler/Runner/Runner.h"
#include "compiler/Target/Target.h"
#include "dialects/Llama/IR/LlamaDialect.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/AttrTypeSubElements.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/Verifier.h"
#include "mlir/Parser/Parser.h"
#include "mlir/Pass/PassManager.h"
#include "runtime/ABI/Image.h"
#include "test/emulator/Passes.h"
#include "test/passes/Testing/Expansion.h"
#include "test/passes/Testing/RandomWeights.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/MathExtras.h"
#include <cmath>

namespace corellama::test {

using llama::reference::Format;
using llama::reference::WeightData;

mlir::MLIRContext &kernelContext() {
  static mlir::MLIRContext *context = [] {
    mlir::DialectRegistry registry;
    registerAllDialects(registry);
    auto *made =
        new mlir::MLIRContext(registry, mlir::MLIRContext::Threading::DISABLED);
    made->loadAllAvailableDialects();
    return made;
  }();
  return *context;
}

static llama::TargetInterface targetOf(const std::string &name) {
  return llvm::cantFail(resolveTarget(kernelContext(), name));
}

bool hostHas(const std::string &name) {
  llama::TargetInterface target = targetOf(name);
  std::string missing;
  if (!hostSupports(target, missing))
    return false;
  const llvm::StringMap<bool> host = testedFeatures();
  llvm::SmallVector<llvm::StringRef> wanted;
  target.getFeatures().split(wanted, ',');
  return llvm::all_of(wanted, [&](llvm::StringRef feature) {
    return host.lookup(feature.ltrim('+'));
  });
}

std::string targetText(const std::string &target) {
  std::string text;
  llvm::raw_string_ostream(text) << targetOf(target);
  return text;
}

static std::string targetText(const ModelChoice &choice) {
  std::string text = targetText(choice.target);
  if (!choice.vectorBits)
    return text;
  const std::string field = "vector_bits = ";
  size_t at = text.find(field) + field.size();
  return text.replace(at, text.find_first_not_of("0123456789", at) - at,
                      std::to_string(choice.vectorBits));
}

//===----------------------------------------------------------------------===//
// The module
//===----------------------------------------------------------------------===//

/// Text with $NAME replaced by numbers and words.
static std::string
substitute(std::string text,
           llvm::ArrayRef<std::pair<std::string, std::string>> values) {
  for (const auto &[name, value] : values)
    for (size_t at = text.find(name); at != std::string::npos;
         at = text.find(name, at))
      text.replace(at, name.size(), value);
  return text;
}

std::string importText(const ModelChoice &choice, llvm::StringRef format) {
  const ModelShape &s = choice.shape;
  static const char *text = R"mlir(
module attributes {
    llama.config = #llama.config<dim = $DIM, heads = $HEADS, kv_heads = $KVHEADS, head_size = $SIZE, hidden = $HIDDEN, vocabulary = $VOCABULARY, layers = $LAYERS, context_length = $CONTEXT>,
    llama.options = {},
    llama.target = $TARGET} {
  llama.weight @token_embd : $VOCABULARYx$DIM formats [#llama.$FORMAT]
  llama.weight @output_norm : $DIM formats [#llama.f32]
  llama.weights @blk layers $LAYERS {
    llama.weight @attn_norm : $DIM formats [#llama.f32]
    llama.weight @attn_q : $QUERIESx$DIM formats [#llama.$FORMAT]
    llama.weight @attn_k : $KEYSx$DIM formats [#llama.$FORMAT]
    llama.weight @attn_v : $KEYSx$DIM formats [#llama.$FORMAT]
    llama.weight @attn_output : $DIMx$QUERIES formats [#llama.$FORMAT]
    llama.weight @ffn_norm : $DIM formats [#llama.f32]
    llama.weight @ffn_gate : $HIDDENx$DIM formats [#llama.$FORMAT]
    llama.weight @ffn_up : $HIDDENx$DIM formats [#llama.$FORMAT]
    llama.weight @ffn_down : $DIMx$HIDDEN formats [#llama.$FORMAT]
  }
  llama.model @m entries [#llama.entry<name = "import", rows = 0, embed = @embed, layers = [@layer], of = [$ZEROS]>] lm_heads [@lm_head]
  func.func private @embed(%ids: tensor<?xi32>) -> tensor<?x$DIMxf32> {
    %w = llama.weight_ref @token_embd : <$VOCABULARYx$DIM, #llama.$FORMAT>
    %x = llama.embed %ids, %w : tensor<?xi32>, <$VOCABULARYx$DIM, #llama.$FORMAT> -> tensor<?x$DIMxf32>
    return %x : tensor<?x$DIMxf32>
  }
  func.func private @layer(%x: tensor<?x$DIMxf32>, %pos: tensor<?xi32>, %kv: !llama.cache<$LAYERSx$KVHEADSx$SIZE, f32>, %l: index) -> tensor<?x$DIMxf32> {
    %g0 = llama.weight_ref @blk::@attn_norm[%l] : <$DIM, #llama.f32>
    %h = llama.rms_norm %x, %g0 eps 1.0e-05 : tensor<?x$DIMxf32>, <$DIM, #llama.f32>
    %wq = llama.weight_ref @blk::@attn_q[%l] : <$QUERIESx$DIM, #llama.$FORMAT>
    %wk = llama.weight_ref @blk::@attn_k[%l] : <$KEYSx$DIM, #llama.$FORMAT>
    %wv = llama.weight_ref @blk::@attn_v[%l] : <$KEYSx$DIM, #llama.$FORMAT>
    %q = llama.linear %h, %wq : tensor<?x$DIMxf32>, <$QUERIESx$DIM, #llama.$FORMAT> -> tensor<?x$QUERIESxf32>
    %k = llama.linear %h, %wk : tensor<?x$DIMxf32>, <$KEYSx$DIM, #llama.$FORMAT> -> tensor<?x$KEYSxf32>
    %v = llama.linear %h, %wv : tensor<?x$DIMxf32>, <$KEYSx$DIM, #llama.$FORMAT> -> tensor<?x$KEYSxf32>
    %qr = llama.rope %q, %pos base 1.0e+04 heads $HEADS : tensor<?x$QUERIESxf32>, tensor<?xi32>
    %kr = llama.rope %k, %pos base 1.0e+04 heads $KVHEADS : tensor<?x$KEYSxf32>, tensor<?xi32>
    llama.kv_append %kv[%l], %kr, %v at %pos : <$LAYERSx$KVHEADSx$SIZE, f32>, tensor<?x$KEYSxf32>, tensor<?x$KEYSxf32>, tensor<?xi32>
    %a = llama.attention %qr, %kv[%l], %pos causal heads $HEADS$WINDOW : tensor<?x$QUERIESxf32>, <$LAYERSx$KVHEADSx$SIZE, f32>, tensor<?xi32>
    %wo = llama.weight_ref @blk::@attn_output[%l] : <$DIMx$QUERIES, #llama.$FORMAT>
    %o = llama.linear %a, %wo : tensor<?x$QUERIESxf32>, <$DIMx$QUERIES, #llama.$FORMAT> -> tensor<?x$DIMxf32>
    %x1 = llama.add %x, %o : tensor<?x$DIMxf32>
    %g1 = llama.weight_ref @blk::@ffn_norm[%l] : <$DIM, #llama.f32>
    %h1 = llama.rms_norm %x1, %g1 eps 1.0e-05 : tensor<?x$DIMxf32>, <$DIM, #llama.f32>
    %wg = llama.weight_ref @blk::@ffn_gate[%l] : <$HIDDENx$DIM, #llama.$FORMAT>
    %wu = llama.weight_ref @blk::@ffn_up[%l] : <$HIDDENx$DIM, #llama.$FORMAT>
    %wd = llama.weight_ref @blk::@ffn_down[%l] : <$DIMx$HIDDEN, #llama.$FORMAT>
    %g = llama.linear %h1, %wg : tensor<?x$DIMxf32>, <$HIDDENx$DIM, #llama.$FORMAT> -> tensor<?x$HIDDENxf32>
    %u = llama.linear %h1, %wu : tensor<?x$DIMxf32>, <$HIDDENx$DIM, #llama.$FORMAT> -> tensor<?x$HIDDENxf32>
    %s = llama.swiglu %g, %u : tensor<?x$HIDDENxf32>
    %d = llama.linear %s, %wd : tensor<?x$HIDDENxf32>, <$DIMx$HIDDEN, #llama.$FORMAT> -> tensor<?x$DIMxf32>
    %x2 = llama.add %x1, %d : tensor<?x$DIMxf32>
    return %x2 : tensor<?x$DIMxf32>
  }
  func.func private @lm_head(%x: tensor<?x$DIMxf32>) -> tensor<?x$VOCABULARYxf32> {
    %g = llama.weight_ref @output_norm : <$DIM, #llama.f32>
    %h = llama.rms_norm %x, %g eps 1.0e-05 : tensor<?x$DIMxf32>, <$DIM, #llama.f32>
    %w = llama.weight_ref @token_embd : <$VOCABULARYx$DIM, #llama.$FORMAT>
    %y = llama.linear %h, %w : tensor<?x$DIMxf32>, <$VOCABULARYx$DIM, #llama.$FORMAT> -> tensor<?x$VOCABULARYxf32>
    return %y : tensor<?x$VOCABULARYxf32>
  }
})mlir";
  std::string zeros = "0";
  for (int64_t layer = 1; layer < s.layers; ++layer)
    zeros += ", 0";
  auto number = [](int64_t value) { return std::to_string(value); };
  return substitute(text,
                    {{"$DIM", number(s.dim)},
                     {"$HEADS", number(s.heads)},
                     {"$KVHEADS", number(s.kvHeads)},
                     {"$SIZE", number(s.headSize)},
                     {"$HIDDEN", number(s.hidden)},
                     {"$VOCABULARY", number(s.vocabulary)},
                     {"$LAYERS", number(s.layers)},
                     {"$CONTEXT", number(choice.capacity)},
                     {"$QUERIES", number(s.heads * s.headSize)},
                     {"$KEYS", number(s.kvHeads * s.headSize)},
                     {"$ZEROS", zeros},
                     {"$WINDOW", s.window ? " window " + number(s.window) : ""},
                     {"$FORMAT", format.str()},
                     {"$TARGET", targetText(choice)}});
}

static llvm::Error runPhases(mlir::ModuleOp module, llama::Phase first,
                             llama::Phase last, const ModelChoice &choice) {
  PipelineOptions options;
  std::vector<int64_t> rows{1};
  llvm::append_range(rows, choice.forms);
  rows.push_back(choice.chunk);
  options.rows = rows;
  options.cacheType = choice.cacheType;
  options.activations = choice.activations;
  options.backend = choice.emulated ? "cuda" : "cpu";
  mlir::PassManager manager(module.getContext());
  // As in the compiler, phases end in verification (llama-set-phase).
  manager.enableVerifier(false);
  if (choice.emulated)
    emulator::buildPhases(manager, first, last, options);
  else
    buildPhases(manager, first, last, options);
  if (mlir::failed(manager.run(module)) || mlir::failed(mlir::verify(module)))
    return llvm::createStringError("a pipeline failed");
  return llvm::Error::success();
}

//===----------------------------------------------------------------------===//
// Weights
//===----------------------------------------------------------------------===//

std::string RandomWeights::nameOf(mlir::SymbolRefAttr weight) {
  std::string name = weight.getRootReference().str();
  for (mlir::FlatSymbolRefAttr nested : weight.getNestedReferences())
    name += "::" + nested.getValue().str();
  return name;
}

llvm::Expected<WeightData> RandomWeights::get(mlir::SymbolRefAttr weight,
                                              std::optional<int64_t> layer) {
  auto it = entries.find({nameOf(weight), layer.value_or(0)});
  if (it == entries.end())
    return llvm::createStringError("no weight " + nameOf(weight));
  WeightData data;
  data.format = it->second.format;
  data.shape = it->second.shape;
  data.bytes = it->second.bytes;
  return data;
}

llvm::Error TestModel::packWeights(std::mt19937 &random) {
  mlir::ModuleOp module = *schedule;
  offsets.resize(llama::getWeightTableSize(module));
  llvm::Error error = llvm::Error::success();
  module->walk([&](llama::WeightOp op) {
    auto parent = mlir::dyn_cast<llama::WeightsOp>(op->getParentOp());
    std::string name = (parent ? parent.getSymName().str() + "::" : "") +
                       op.getSymName().str();
    int64_t rows = op.getRows(), columns = op.getColumns();
    for (int64_t layer = 0; layer < op.getCount() && !error; ++layer) {
      llama::FormatInterface format = op.getFormat(layer);
      RandomWeights::Entry entry;
      entry.format = *llama::reference::parseFormat(format.getName());
      entry.shape.assign(op.getShape().begin(), op.getShape().end());
      auto make = choice.integers ? integerWeight : randomWeight;
      entry.bytes = make(entry.format, rows, columns, random);

      std::vector<double> values =
          decodeWeight(entry.format, entry.bytes, rows, columns);
      for (double &value : values)
        value = std::abs(value);
      // With the larger of two rows in both, a product has one magnitude in the
      // two columns of a pair, which no rotation makes larger in one and
      // smaller in the other. So has what a vector is added to or multiplies.
      if (!choice.text.empty() && rows == 1)
        for (int64_t column = 0; column + 1 < columns; column += 2)
          values[column] = values[column + 1] =
              std::max(values[column], values[column + 1]);
      if (!choice.text.empty())
        for (int64_t row = 0; row + 1 < rows; row += 2)
          for (int64_t column = 0; column < columns; ++column) {
            double &a = values[row * columns + column],
                   &b = values[(row + 1) * columns + column];
            a = b = std::max(a, b);
          }
      magnitudes.entries[{name, layer}] = {Format::F32, entry.shape,
                                           toF32Bytes(values)};

      auto packer =
          image::Packer::create(format, op.getLayout(layer), rows, columns);
      if (!packer) {
        error = packer.takeError();
        return;
      }
      uint64_t at = llvm::alignTo(packed.size(), 64);
      packed.resize(at + packer->bytes());
      packer->pack(0, packer->tileCount(), entry.bytes,
                   llvm::MutableArrayRef<uint8_t>(packed).drop_front(at));
      offsets[llama::getWeightTableIndex(module, op) + layer] = at;
      weights.entries[{name, layer}] = std::move(entry);
    }
  });
  return error;
}

/// The same kernels with weights in F32; where elementwise ops are nested, also
/// with 2 x in place of each rotation of x, which a rotation of a pair of equal
/// numbers does not exceed.
void TestModel::makeMagnitudeSchedule() {
  magnitudeSchedule = schedule->clone();
  mlir::MLIRContext *context = magnitudeSchedule->getContext();
  auto f32 = llama::F32Attr::get(context);
  magnitudeSchedule->walk([&](mlir::Operation *op) {
    if (auto weight = mlir::dyn_cast<llama::WeightOp>(op)) {
      weight.setFormatsAttr(mlir::ArrayAttr::get(context, f32));
      weight.removeOfAttr();
    }
    for (mlir::Value result : op->getResults())
      if (auto type = mlir::dyn_cast<llama::WeightType>(result.getType()))
        result.setType(llama::WeightType::get(context, type.getShape(), f32));
    if (auto rope = mlir::dyn_cast<llama::RopeOp>(op);
        rope && !choice.text.empty()) {
      mlir::OpBuilder builder(rope);
      auto twice = llama::AddOp::create(builder, rope.getLoc(), rope.getX(),
                                        rope.getX());
      rope->replaceAllUsesWith(twice->getResults());
      rope->erase();
    }
  });
}

//===----------------------------------------------------------------------===//
// The model
//===----------------------------------------------------------------------===//

static void removeRings(mlir::ModuleOp module) {
  mlir::AttrTypeReplacer replacer;
  replacer.addReplacement(
      [](llama::CacheType cache) -> mlir::Type { return cache.withRing(0); });
  replacer.recursivelyReplaceElementsIn(module, /*replaceAttrs=*/true,
                                        /*replaceLocs=*/false,
                                        /*replaceTypes=*/true);
}

std::unique_ptr<TestModel> TestModel::compile(const ModelChoice &choice,
                                              std::string &message) {
  std::unique_ptr<TestModel> model(new TestModel(choice));
  auto build = [&]() -> llvm::Error {
    std::string text =
        choice.text.empty()
            ? importText(choice, llama::reference::formatName(choice.format))
            : substitute(choice.text, {{"$TARGET", targetText(choice.target)}});
    model->schedule =
        mlir::parseSourceString<mlir::ModuleOp>(text, &kernelContext());
    if (!model->schedule)
      return llvm::createStringError("the text does not parse");
    if (llvm::Error error = runPhases(*model->schedule, llama::Phase::Import,
                                      llama::Phase::Specialize, choice))
      return error;
    if (choice.keepsContext)
      removeRings(*model->schedule);
    if (llvm::Error error = runPhases(*model->schedule, llama::Phase::Fuse,
                                      llama::Phase::Schedule, choice))
      return error;
    model->makeMagnitudeSchedule();
    auto layout =
        image::findOnly<llama::CacheLayoutOp>(*model->schedule, "plan");
    if (!layout)
      return layout.takeError();
    llama::CacheType cache = layout->getCache();
    auto plan = [&](bool ofKeys) {
      mlir::Type element = ofKeys ? cache.getKeyType() : cache.getValueType();
      llama::KVCacheLayoutInterface half =
          ofKeys ? layout->getKeys() : layout->getValues();
      return TestModel::CachePlan{element,
                                  half.getStrides(cache.getHeadSize(), element),
                                  *layout->getBytes(ofKeys, choice.capacity)};
    };
    model->keys = plan(/*ofKeys=*/true);
    model->values = plan(/*ofKeys=*/false);
    model->cacheHeads = cache.getHeads();
    model->regions = layout->getRegions(choice.capacity);
    for (int64_t layer = 0; layer < cache.getLayers(); ++layer)
      model->rings.push_back(layout->getRing(layer));
    std::mt19937 random(static_cast<uint32_t>(choice.format) + 1);
    if (llvm::Error error = model->packWeights(random))
      return error;
    model->vector = model->schedule->clone();
    if (llvm::Error error = runPhases(*model->vector, llama::Phase::Tile,
                                      llama::Phase::Vector, choice))
      return error;
    // A graph without rope has no table.
    for (auto rope : model->vector->getOps<llama::RopeTableOp>()) {
      auto frequencies = image::makeRopeFrequencies(rope);
      if (!frequencies)
        return frequencies.takeError();
      model->frequencies = std::move(*frequencies);
    }
    if (!choice.only.empty())
      keepKernels(*model->vector, [&](llvm::StringRef name) {
        return llvm::is_contained(choice.only, name);
      });
    if (!choice.emulated && !choice.expands && !hostHas(choice.target)) {
      mlir::OwningOpRef<mlir::ModuleOp> code = model->vector->clone();
      return runPhases(*code, llama::Phase::LLVM, llama::Phase::LLVM, choice);
    }
    auto loaded = model->load(*model->vector);
    if (!loaded)
      return loaded.takeError();
    model->loaded = std::move(*loaded);
    return llvm::Error::success();
  };
  if (llvm::Error error = build()) {
    message = model->describe() + ": " + llvm::toString(std::move(error));
    return nullptr;
  }
  return model;
}

void keepKernels(mlir::ModuleOp module,
                 llvm::function_ref<bool(llvm::StringRef)> keep) {
  for (mlir::Operation &op :
       llvm::make_early_inc_range(module.getBody()->getOperations())) {
    auto kernel = mlir::dyn_cast<mlir::func::FuncOp>(op);
    if (mlir::isa<llama::StepOp, llama::ModelOp>(op) ||
        (kernel && kernel->hasAttr(llama::kPartitionAttr) &&
         !keep(kernel.getName())))
      op.erase();
  }
}

llvm::Expected<std::unique_ptr<LoadedKernels>>
TestModel::load(mlir::ModuleOp vector) const {
  mlir::OwningOpRef<mlir::ModuleOp> code = vector.clone();
  if (choice.expands && !hostHas(choice.target))
    expandInstructions(*code);
  if (llvm::Error error =
          runPhases(*code, llama::Phase::LLVM, llama::Phase::LLVM, choice))
    return error;
  if (choice.expands && !hostHas(choice.target)) {
    expandTiles(*code);
    expandBF16(*code);
  }
  return loadKernels(*code, choice.emulated);
}

KernelContext TestModel::makeContext() const {
  const ModelShape &s = choice.shape;
  KernelContextSizes sizes;
  sizes.weightBytes = packed.size();
  sizes.workspaceBytes = loaded->workspaceBytes();
  sizes.keyBytes = keys.bytes;
  sizes.valueBytes = values.bytes;
  sizes.ropeRow = abi::ropeRowOf(s.headSize);
  sizes.capacity = choice.capacity;
  sizes.scratchBytes = loaded->scratchBytes();
  KernelContext context(sizes);
  std::copy(packed.begin(), packed.end(), context.weights.data());
  context.offsets = offsets;
  context.regions = regions;
  context.fillRope(frequencies);
  context.poison();
  return context;
}

size_t TestModel::byteInRegion(CacheElement at, bool ofScale) const {
  const CachePlan &plan = cachePlan(at.keys);
  const llama::KVCacheStrides &strides = plan.strides;
  llama::KVCacheStrides::Numbers math;
  int64_t ring = rings[at.layer];
  int64_t position = at.position % (ring ? ring : choice.capacity);
  // Without rings one region holds all layers.
  bool apart = llvm::any_of(rings, [](int64_t ring) { return ring != 0; });
  auto begin = static_cast<int64_t>(apart ? regions[at.layer] : 0);
  int64_t layers = apart ? 1 : rings.size(), heads = layers * cacheHeads,
          head = apart ? at.head : at.layer * cacheHeads + at.head;
  int64_t place =
      begin * strides.perPosition +
      (ofScale ? strides.scaleAddress(math, heads, head, position, at.element)
               : strides.address(math, heads, head, position, at.element));
  // Strides with scales are in bytes.
  return strides.block ? place
                       : place * (plan.element.getIntOrFloatBitWidth() / 8);
}

size_t TestModel::cacheByte(CacheElement at) const {
  return byteInRegion(at, /*ofScale=*/false);
}

size_t TestModel::scaleByte(CacheElement at) const {
  return byteInRegion(at, /*ofScale=*/true);
}

std::string TestModel::describe() const {
  const ModelShape &s = choice.shape;
  return llvm::formatv("{0} for {1}, {2} cache, dim {3}, {4} heads of {5}, {6} "
                       "of keys, hidden {7}, vocabulary {8}, {9} layers",
                       llama::reference::formatName(choice.format),
                       choice.target, choice.cacheType, s.dim, s.heads,
                       s.headSize, s.kvHeads, s.hidden, s.vocabulary, s.layers)
      .str();
}

} // namespace corellama::test
