//===- Import.cpp - a checkpoint as a module of the llama dialect ---------===//
//
// See Import.h. Declarations first, then the model, then one function for the
// embedding, for each layer signature, for the LM head.
//
//===----------------------------------------------------------------------===//

#include "compiler/Import/Import.h"
#include "compiler/Import/LayerSignatures.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/Builders.h"

using namespace mlir;
using namespace corellama;
using namespace corellama::llama;
using checkpoint::Checkpoint;
using checkpoint::ModelConfig;
using checkpoint::Role;
using checkpoint::TensorInfo;

FormatInterface corellama::formatOf(MLIRContext &context,
                                    checkpoint::TensorType type) {
  return getFormat(&context, checkpoint::getFacts(type));
}

std::string corellama::checkpointAttribute(const Checkpoint &checkpoint) {
  return "blake3:" + checkpoint.identity();
}

ConfigAttr corellama::configAttribute(MLIRContext &context,
                                      const Checkpoint &checkpoint) {
  const ModelConfig &config = checkpoint.config();
  return ConfigAttr::get(&context, config.dim, config.heads, config.kvHeads,
                         config.headSize, config.hidden, config.vocab,
                         config.layers, config.context);
}

std::string corellama::nameOf(WeightOp weight, int64_t layer) {
  std::string name = (weight.getSymName() + ".weight").str();
  if (auto layered = dyn_cast<WeightsOp>(weight->getParentOp()))
    name = (layered.getSymName() + "." + Twine(layer) + "." + name).str();
  return name;
}

const TensorInfo *corellama::findTensor(const Checkpoint &checkpoint,
                                        WeightOp weight, int64_t layer) {
  std::optional<Role> role = checkpoint::findRole(weight.getSymName());
  auto layered = dyn_cast<WeightsOp>(weight->getParentOp());
  if (!role || getInfo(*role).isLayered != static_cast<bool>(layered))
    return nullptr;
  return checkpoint.find(*role, layer);
}

namespace {

constexpr llvm::StringLiteral kLayers = "blk";

/// A weight's declaration as functions refer to it.
struct Declared {
  SymbolRefAttr symbol;
  SmallVector<int64_t> shape;
  /// For locations.
  std::string name;
};

class Importer {
public:
  Importer(MLIRContext &context, const Checkpoint &checkpoint)
      : checkpoint(checkpoint), config(checkpoint.config()), builder(&context),
        signatures(findLayerSignatures(checkpoint)) {}

  OwningOpRef<ModuleOp> run() {
    OwningOpRef<ModuleOp> module = ModuleOp::create(at("model"));
    builder.setInsertionPointToStart(module->getBody());
    (*module)->setAttr(kCheckpointAttr,
                       builder.getStringAttr(checkpointAttribute(checkpoint)));
    (*module)->setAttr(kConfigAttr,
                       configAttribute(*builder.getContext(), checkpoint));

    for (Role role : checkpoint::modelRoles(config))
      declare(role);
    if (config.tiedLMHead)
      declared(Role::Output) = declared(Role::Embedding);
    declareLayers();
    declareModel();
    makeEmbed();
    for (size_t i = 0; i < signatures.distinct.size(); ++i)
      makeLayer(i);
    makeLMHead();
    return module;
  }

private:
  Location at(const Twine &name) {
    return NameLoc::get(builder.getStringAttr(name));
  }

  //===--------------------------------------------------------------------===//
  // Declarations
  //===--------------------------------------------------------------------===//

  /// A matrix with one row is still a matrix.
  SmallVector<int64_t> shapeOf(Role role) {
    const checkpoint::RoleInfo &info = getInfo(role);
    auto columns = static_cast<int64_t>(sizeOf(info.columns, config));
    if (info.isVector())
      return {columns};
    return {static_cast<int64_t>(sizeOf(info.rows, config)), columns};
  }

  Declared &declared(Role role) {
    return declaredWeights[static_cast<unsigned>(role)];
  }

  void declareWeight(const Declared &weight, ArrayRef<Attribute> formats,
                     ArrayRef<int32_t> of) {
    WeightOp::create(builder, at(weight.name), weight.symbol.getLeafReference(),
                     /*sym_visibility=*/StringAttr(),
                     builder.getDenseI64ArrayAttr(weight.shape),
                     builder.getArrayAttr(formats),
                     of.empty() ? DenseI32ArrayAttr()
                                : builder.getDenseI32ArrayAttr(of),
                     /*layouts=*/ArrayAttr());
  }

  void declare(Role role) {
    Declared &weight = declared(role);
    weight = {FlatSymbolRefAttr::get(builder.getContext(), getInfo(role).name),
              shapeOf(role), checkpoint::weightName(role, "")};
    declareWeight(weight,
                  formatOf(*builder.getContext(), checkpoint.find(role)->type),
                  {});
  }

  void declareLayers() {
    auto layered =
        WeightsOp::create(builder, at(kLayers), builder.getStringAttr(kLayers),
                          /*sym_visibility=*/StringAttr(), config.layers);
    OpBuilder::InsertionGuard guard(builder);
    builder.createBlock(&layered.getBody());
    for (Role role : signatures.roles) {
      Declared &weight = declared(role);
      weight = {SymbolRefAttr::get(builder.getContext(), kLayers,
                                   FlatSymbolRefAttr::get(builder.getContext(),
                                                          getInfo(role).name)),
                shapeOf(role), checkpoint::weightName(role, "*")};

      SmallVector<Attribute> formats;
      SmallVector<int32_t> of;
      for (int32_t signature : signatures.of) {
        Attribute format =
            formatOf(*builder.getContext(), signatures.typeOf(signature, role));
        auto known = llvm::find(formats, format);
        of.push_back(known - formats.begin());
        if (known == formats.end())
          formats.push_back(format);
      }
      declareWeight(weight, formats,
                    formats.size() == 1 ? ArrayRef<int32_t>() : of);
    }
  }

  std::string layerName(size_t signature) {
    if (signatures.distinct.size() == 1)
      return "layer";
    return ("layer." + Twine(signature)).str();
  }

  void declareModel() {
    MLIRContext *context = builder.getContext();
    SmallVector<Attribute> layers;
    for (size_t i = 0; i < signatures.distinct.size(); ++i)
      layers.push_back(FlatSymbolRefAttr::get(context, layerName(i)));
    Attribute entry = EntryAttr::get(
        context, builder.getStringAttr("import"), /*rows=*/0,
        FlatSymbolRefAttr::get(context, "embed"), builder.getArrayAttr(layers),
        builder.getDenseI32ArrayAttr(signatures.of));
    ModelOp::create(
        builder, at("model"), builder.getStringAttr("m"),
        /*sym_visibility=*/StringAttr(), builder.getArrayAttr(entry),
        /*steps=*/ArrayAttr(),
        builder.getArrayAttr(FlatSymbolRefAttr::get(context, "lm_head")));
  }

  //===--------------------------------------------------------------------===//
  // Functions
  //===--------------------------------------------------------------------===//

  /// A tensor of any number of rows.
  RankedTensorType rows(int64_t columns) {
    return RankedTensorType::get({ShapedType::kDynamic, columns},
                                 builder.getF32Type());
  }
  RankedTensorType integers() {
    return RankedTensorType::get({ShapedType::kDynamic}, builder.getI32Type());
  }

  /// Starts a function and sets the builder to its body; `finish` ends it.
  func::FuncOp begin(StringRef name, TypeRange inputs, Type result) {
    auto function = func::FuncOp::create(
        builder, at(name), name, builder.getFunctionType(inputs, result));
    function.setPrivate();
    builder.setInsertionPointToStart(function.addEntryBlock());
    return function;
  }
  void finish(func::FuncOp function, Value result) {
    func::ReturnOp::create(builder, function.getLoc(), result);
    builder.setInsertionPointAfter(function);
  }

  Value reference(const Declared &weight, checkpoint::TensorType type,
                  Value layer = {}) {
    auto handle = WeightType::get(builder.getContext(), weight.shape,
                                  formatOf(*builder.getContext(), type));
    return WeightRefOp::create(builder, at(weight.name), handle, weight.symbol,
                               layer,
                               /*layout=*/Attribute(), /*index=*/IntegerAttr());
  }
  Value norm(Location loc, Value x, Value weight, IntegerAttr heads = {}) {
    return RmsNormOp::create(builder, loc, x.getType(), x, weight,
                             builder.getF64FloatAttr(config.eps), heads,
                             /*order=*/ReductionOrderAttr());
  }
  /// x itself where the factor is 1.
  Value scaled(Value x, double by) {
    if (by == 1)
      return x;
    return ScaleOp::create(builder, x.getLoc(), x.getType(), x,
                           builder.getF64FloatAttr(by));
  }
  /// How the model's angles differ from plain ones; null where they do not.
  RotationAttr rotation() {
    const checkpoint::RopeScaling &rope = config.rope;
    using Rule = checkpoint::RopeScaling::Rule;
    auto real = [&](bool isThere, double value) {
      return isThere ? builder.getF64FloatAttr(value) : FloatAttr();
    };
    bool scales = rope.rule != Rule::None,
         partial = config.turned() != config.headSize,
         hasTurns = rope.rule == Rule::Llama3 || rope.rule == Rule::YaRN;
    if (!scales && !partial && !rope.magnitude && rope.factors.empty())
      return {};
    SmallVector<Attribute> factors;
    for (float factor : rope.factors)
      factors.push_back(builder.getF64FloatAttr(factor));
    return RotationAttr::get(
        builder.getContext(),
        partial ? static_cast<int64_t>(config.turned()) : 0,
        static_cast<RopeRule>(rope.rule), real(scales, rope.factor),
        static_cast<int64_t>(rope.original), real(hasTurns, rope.low),
        real(hasTurns, rope.high),
        real(rope.magnitude.has_value(), rope.magnitude.value_or(1)),
        rope.factors.empty() ? ArrayAttr() : builder.getArrayAttr(factors));
  }
  Value linear(Location loc, Value x, Value weight) {
    return LinearOp::create(builder, loc,
                            rows(cast<WeightType>(weight.getType()).getRows()),
                            x, weight, /*order=*/ReductionOrderAttr());
  }

  /// A weight of the model, not of a layer.
  Value reference(Role role) {
    return reference(declared(role), checkpoint.find(role)->type);
  }

  void makeEmbed() {
    func::FuncOp function = begin("embed", integers(), rows(config.dim));
    Value weight = reference(Role::Embedding);
    Value x = EmbedOp::create(builder, weight.getLoc(), rows(config.dim),
                              function.getArgument(0), weight);
    finish(function, scaled(x, config.embeddingScale));
  }

  void makeLMHead() {
    func::FuncOp function =
        begin("lm_head", rows(config.dim), rows(config.vocab));
    Value gain = reference(Role::OutputNorm);
    Value h = norm(gain.getLoc(), function.getArgument(0), gain);
    Value weight = reference(
        declared(Role::Output),
        checkpoint.find(config.tiedLMHead ? Role::Embedding : Role::Output)
            ->type);
    finish(function,
           scaled(linear(weight.getLoc(), h, weight), config.logitScale));
  }

  void makeLayer(size_t signature) {
    auto cache =
        CacheType::get(builder.getContext(),
                       {int64_t(config.layers), int64_t(config.kvHeads),
                        int64_t(config.headSize)},
                       builder.getF32Type());
    RankedTensorType residual = rows(config.dim);
    func::FuncOp function =
        begin(layerName(signature),
              {residual, integers(), cache, builder.getIndexType()}, residual);
    Value x = function.getArgument(0), positions = function.getArgument(1);
    Value kv = function.getArgument(2), layer = function.getArgument(3);

    auto weight = [&](Role role) {
      return reference(declared(role), signatures.typeOf(signature, role),
                       layer);
    };
    auto normed = [&](Value x, Role role) {
      Value gain = weight(role);
      return norm(gain.getLoc(), x, gain);
    };
    // With its bias, where it has one.
    auto product = [&](Value x, Value w, Role bias) -> Value {
      Value y = linear(w.getLoc(), x, w);
      if (!hasRole(config, bias))
        return y;
      Value added = weight(bias);
      return BiasOp::create(builder, added.getLoc(), y.getType(), y, added);
    };
    auto normedHeads = [&](Value x, Role role, uint64_t heads) {
      if (!hasRole(config, role))
        return x;
      Value gain = weight(role);
      return norm(gain.getLoc(), x, gain, builder.getI64IntegerAttr(heads));
    };
    auto rotated = [&](Value x, uint64_t heads) -> Value {
      return RopeOp::create(builder, x.getLoc(), x.getType(), x, positions,
                            builder.getF64FloatAttr(config.ropeBase),
                            builder.getI64IntegerAttr(heads), rotation());
    };

    // Attention.
    Value h = normed(x, Role::AttnNorm);
    Value wq = weight(Role::AttnQ), wk = weight(Role::AttnK),
          wv = weight(Role::AttnV);
    Value q = product(h, wq, Role::AttnQBias);
    Value k = product(h, wk, Role::AttnKBias);
    Value v = product(h, wv, Role::AttnVBias);
    q = normedHeads(q, Role::AttnQNorm, config.heads);
    k = normedHeads(k, Role::AttnKNorm, config.kvHeads);
    q = rotated(q, config.heads);
    k = rotated(k, config.kvHeads);
    KVAppendOp::create(builder, k.getLoc(), kv, layer, k, v, positions);
    uint64_t window = signatures.distinct[signature].window;
    Value a = AttentionOp::create(
        builder, q.getLoc(), q.getType(), q, kv, layer, positions,
        builder.getI64IntegerAttr(config.heads),
        window ? builder.getI64IntegerAttr(window) : IntegerAttr(),
        config.attentionScale ? builder.getF64FloatAttr(*config.attentionScale)
                              : FloatAttr(),
        /*keys=*/IntegerAttr(), /*order=*/ReductionOrderAttr());
    Value o = product(a, weight(Role::AttnOutput), Role::AttnOutputBias);
    o = scaled(o, config.residualScale);
    x = AddOp::create(builder, o.getLoc(), residual, x, o);

    // Feed forward.
    h = normed(x, Role::FfnNorm);
    Value wg = weight(Role::FfnGate), wu = weight(Role::FfnUp),
          wd = weight(Role::FfnDown);
    Value g = product(h, wg, Role::FfnGateBias);
    Value u = product(h, wu, Role::FfnUpBias);
    Value s = SwigluOp::create(builder, u.getLoc(), u.getType(), g, u);
    Value d = product(s, wd, Role::FfnDownBias);
    d = scaled(d, config.residualScale);
    finish(function, AddOp::create(builder, d.getLoc(), residual, x, d));
  }

  const Checkpoint &checkpoint;
  const ModelConfig &config;
  OpBuilder builder;
  LayerSignatures signatures;
  Declared declaredWeights[checkpoint::kRoleCount]; ///< by role
};

} // namespace

OwningOpRef<ModuleOp>
corellama::importCheckpoint(MLIRContext &context,
                            const Checkpoint &checkpoint) {
  context.loadDialect<LlamaDialect, func::FuncDialect>();
  return Importer(context, checkpoint).run();
}
