//===- RandomGraph.cpp - legal models that no checkpoint has --------------===//
//
// See RandomGraph.h.
//
//===----------------------------------------------------------------------===//

#include "test/passes/Graphs/RandomGraph.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/FormatVariadic.h"
#include <climits>
#include <map>
#include <optional>
#include <random>

using namespace corellama::test;
using llvm::formatv;

std::string RandomGraph::describe() const {
  return formatv("graph {0} of CORELLAMA_SEED={1}, {2} cache:\n{3}", number,
                 seed, cacheType, text);
}

namespace {

const char *const kOps[] = {"rope",   "silu",  "mul",  "add",
                            "swiglu", "scale", "bias", "head_norm"};
/// Of one operand.
const char *const kUnary[] = {"rope", "silu", "scale", "bias", "head_norm"};

/// Formats whose blocks are `block` columns or fewer.
const std::pair<const char *, int64_t> kFormats[] = {
    {"f32", 1},    {"f16", 1},     {"bf16", 1},     {"q8_0", 32},
    {"q4_0", 32},  {"q4_1", 32},   {"q5_0", 32},    {"q5_1", 32},
    {"q2_k", 256}, {"q3_k", 256},  {"q4_k", 256},   {"q5_k", 256},
    {"q6_k", 256}, {"iq4_nl", 32}, {"iq4_xs", 256}, {"mxfp4", 32}};

/// One layer's function, and the weights that it declares.
class LayerWriter {
public:
  LayerWriter(const RandomGraph &graph, std::mt19937 &random,
              RoleCounts &counts, int64_t layer)
      : s(graph.shape), f16Cache(graph.cacheType == "f16"),
        rotation(graph.rotation), window(graph.windows[layer]), random(random),
        counts(counts), layer(layer) {}

  void write();
  std::string weights, function;

private:
  struct Value {
    std::string name;
    int64_t width;
  };

  int64_t below(int64_t limit) {
    return std::uniform_int_distribution<int64_t>(0, limit - 1)(random);
  }
  bool chance(int64_t in) { return below(in) == 0; }
  const Value &pick(const std::vector<Value> &values) {
    return values[below(values.size())];
  }
  std::string rows(int64_t width) {
    return formatv("tensor<?x{0}xf32>", width);
  }
  std::string fresh() { return formatv("%v{0}", next++); }

  Value linear(const Value &x, int64_t width);
  Value norm(const Value &x, int64_t heads = 1);
  Value bias(const Value &x);
  std::string vectorWeight(llvm::StringRef value, int64_t width);
  Value tree(int64_t width, int depth, llvm::StringRef role);
  Value leaf(int64_t width);
  size_t takeLeastSeen(llvm::ArrayRef<std::string> choices);
  std::string takeOp(int64_t width, llvm::StringRef role);
  bool canRotate(int64_t width) { return width % s.headSize == 0; }

  const ModelShape &s;
  const bool f16Cache;
  const std::string &rotation;
  const int64_t window;
  std::mt19937 &random;
  RoleCounts &counts;
  const int64_t layer;
  int next = 0, weightCount = 0;
  /// Products that no tree has used, and all that a leaf may be.
  std::vector<Value> unused, leaves;
};

LayerWriter::Value LayerWriter::linear(const Value &x, int64_t width) {
  std::vector<const char *> formats;
  for (auto [name, block] : kFormats)
    if (x.width % block == 0)
      formats.push_back(name);
  // Rows of whole blocks have more formats with blocks than without.
  const char *format = formats[below(formats.size())];
  std::string type = formatv("<{0}x{1}, #llama.{2}>", width, x.width, format);
  std::string name = formatv("l{0}_w{1}", layer, weightCount++);
  weights += formatv("    llama.weight @{0} : {1}x{2} formats [#llama.{3}]\n",
                     name, width, x.width, format);
  Value y{fresh(), width};
  function += formatv("    {0}w = llama.weight_ref @blk::@{1}[%l] : {2}\n",
                      y.name, name, type);
  function += formatv("    {0} = llama.linear {1}, {0}w : {2}, {3} -> {4}\n",
                      y.name, x.name, rows(x.width), type, rows(width));
  return y;
}

/// Declares a vector for `value` and refers to it; the handle's type.
std::string LayerWriter::vectorWeight(llvm::StringRef value, int64_t width) {
  std::string name = formatv("l{0}_g{1}", layer, weightCount++);
  std::string type = formatv("<{0}, #llama.f32>", width);
  weights += formatv("    llama.weight @{0} : {1} formats [#llama.f32]\n", name,
                     width);
  function += formatv("    {0}w = llama.weight_ref @blk::@{1}[%l] : {2}\n",
                      value, name, type);
  return type;
}

LayerWriter::Value LayerWriter::norm(const Value &x, int64_t heads) {
  Value y{fresh(), x.width};
  std::string type = vectorWeight(y.name, x.width / heads);
  std::string each = heads == 1 ? "" : formatv("heads {0} ", heads).str();
  function +=
      formatv("    {0} = llama.rms_norm {1}, {0}w eps 1.0e-05 {2}: {3}, "
              "{4}\n",
              y.name, x.name, each, rows(x.width), type);
  return y;
}

LayerWriter::Value LayerWriter::bias(const Value &x) {
  Value y{fresh(), x.width};
  std::string type = vectorWeight(y.name, x.width);
  function += formatv("    {0} = llama.bias {1}, {0}w : {2}, {3}\n", y.name,
                      x.name, rows(x.width), type);
  return y;
}

LayerWriter::Value LayerWriter::leaf(int64_t width) {
  for (auto it = unused.begin(); it != unused.end(); ++it)
    if (it->width == width) {
      Value value = *it;
      unused.erase(it);
      return value;
    }
  std::vector<Value> fitting;
  llvm::copy_if(leaves, std::back_inserter(fitting),
                [&](const Value &value) { return value.width == width; });
  return pick(fitting);
}

/// One of the choices that were taken least often, which is counted.
size_t LayerWriter::takeLeastSeen(llvm::ArrayRef<std::string> choices) {
  int least = INT_MAX;
  for (const std::string &choice : choices)
    least = std::min(least, counts[choice]);
  std::vector<size_t> seenLeast;
  for (auto [i, choice] : llvm::enumerate(choices))
    if (counts[choice] == least)
      seenLeast.push_back(i);
  size_t taken = seenLeast[below(seenLeast.size())];
  ++counts[choices[taken]];
  return taken;
}

std::string LayerWriter::takeOp(int64_t width, llvm::StringRef role) {
  std::vector<std::string> ops, choices;
  for (llvm::StringRef op : kOps)
    if ((op != "rope" && op != "head_norm") || canRotate(width)) {
      ops.push_back(op.str());
      choices.push_back(formatv("{0} {1}", op, role));
    }
  return ops[takeLeastSeen(choices)];
}

LayerWriter::Value LayerWriter::tree(int64_t width, int depth,
                                     llvm::StringRef role) {
  if (depth == 0 || (role == "inner" && chance(3)))
    return leaf(width);
  std::string op = takeOp(width, role);
  Value a = tree(width, depth - 1, "inner"), b = a;
  if (!llvm::is_contained(kUnary, op))
    b = tree(width, depth - 1, "inner");
  if (op == "head_norm")
    return norm(a, width / s.headSize);
  if (op == "bias")
    return bias(a);
  Value y{fresh(), width};
  if (op == "rope")
    function +=
        formatv("    {0} = llama.rope {1}, %pos base 1.0e+04 heads {2}{3} : "
                "{4}, tensor<?xi32>\n",
                y.name, a.name, width / s.headSize, rotation, rows(width));
  else if (op == "scale") {
    int64_t tenths = 1 + below(20);
    function += formatv("    {0} = llama.scale {1} by {2}.{3} : {4}\n", y.name,
                        a.name, tenths / 10, tenths % 10, rows(width));
  } else if (op == "silu")
    function += formatv("    {0} = llama.silu {1} : {2}\n", y.name, a.name,
                        rows(width));
  else
    function += formatv("    {0} = llama.{1} {2}, {3} : {4}\n", y.name, op,
                        a.name, b.name, rows(width));
  return y;
}

void LayerWriter::write() {
  const int64_t keys = s.kvHeads * s.headSize, queries = s.heads * s.headSize;
  const Value x{"%x", s.dim};
  std::string cache =
      formatv("<{0}x{1}x{2}, f32>", s.layers, s.kvHeads, s.headSize);

  Value read = takeLeastSeen({"producer none", "producer norm"}) ? norm(x) : x;
  leaves = {x};
  if (read.name != x.name)
    leaves.push_back(read);
  // One layer of ten appends nothing. Two widths at most, so that products
  // meet in trees; a layer that appends makes what fits the cache.
  const bool appends = counts["layers"]++ % 10 != 9;
  const int64_t widths[] = {keys, queries, s.hidden, s.dim};
  int64_t first = appends ? keys : widths[below(4)],
          second = chance(3) ? keys : widths[below(4)];
  size_t products = 1 + takeLeastSeen({"products 1", "products 2", "products 3",
                                       "products 4"});
  for (size_t i = 0; i < products; ++i) {
    unused.push_back(linear(read, i % 2 ? second : first));
    leaves.push_back(unused.back());
  }

  // Trees for the cache first, in pairs of keys and values. Half of them
  // are read from a buffer as well.
  std::vector<Value> buffers;
  if (appends) {
    // A cache of f16 overflows where products of products are multiplied.
    int depth = f16Cache ? 1 : 3;
    auto cacheTree = [&] {
      bool isCacheOnly = counts["trees for the cache"]++ % 2;
      Value made = tree(keys, depth, isCacheOnly ? "cache" : "both");
      if (!isCacheOnly)
        buffers.push_back(made);
      return made;
    };
    Value k = cacheTree(), v = cacheTree();
    function += formatv("    llama.kv_append %kv[%l], {0}, {1} at %pos : {2}, "
                        "{3}, {3}, tensor<?xi32>\n",
                        k.name, v.name, cache, rows(keys));
    leaves.push_back(v);
  }
  do {
    int64_t width = unused.empty() ? pick(leaves).width : unused.front().width;
    buffers.push_back(tree(width, 1 + below(3), "buffer"));
    leaves.push_back(buffers.back());
  } while (!unused.empty() || chance(4));
  if (appends) {
    auto query = llvm::find_if(
        buffers, [&](const Value &value) { return value.width == queries; });
    if (query != buffers.end()) {
      Value a{fresh(), queries};
      std::string sees =
          window ? formatv(" window {0} scale 1.5e-01", window).str() : "";
      function +=
          formatv("    {0} = llama.attention {1}, %kv[%l], %pos causal "
                  "heads {2}{3} : {4}, {5}, tensor<?xi32>\n",
                  a.name, query->name, s.heads, sees, rows(queries), cache);
      buffers.push_back(a);
    }
  }

  // Rows of the next layer: what was left in buffers, projected, or normalised
  // and summed before; as it is where it has the width.
  std::optional<Value> result;
  auto add = [&](std::optional<Value> &sum, const Value &term) {
    if (!sum) {
      sum = term;
      return;
    }
    Value more{fresh(), term.width};
    function += formatv("    {0} = llama.add {1}, {2} : {3}\n", more.name,
                        sum->name, term.name, rows(term.width));
    sum = more;
  };
  std::map<int64_t, std::optional<Value>> normalised;
  for (const Value &value : buffers)
    if (value.width == s.dim && chance(2))
      add(result, value);
    else if (chance(4))
      add(result, linear(value, s.dim));
    else
      add(normalised[value.width], norm(value));
  for (const auto &[width, value] : normalised)
    add(result, linear(*value, s.dim));
  if (chance(2))
    add(result, x);

  function =
      formatv("  func.func private @layer{0}(%x: {1}, %pos: tensor<?xi32>, "
              "%kv: !llama.cache{2}, %l: index) -> {1} {{\n{3}"
              "    return {4} : {1}\n  }\n",
              layer, rows(s.dim), cache, function, result->name);
}

} // namespace

/// Embedding and head, which every model has, around two layers.
static const char *const kModel = R"mlir(module attributes {
    llama.config = #llama.config<dim = {0}, heads = {1}, kv_heads = {2}, head_size = {3}, hidden = {4}, vocabulary = {5}, layers = 2, context_length = 512>,
    llama.target = $TARGET} {{
  llama.weight @token_embd : {5}x{0} formats [#llama.f16]
  llama.weight @output_norm : {0} formats [#llama.f32]
  llama.weights @blk layers 2 {{
{6}  }
  llama.model @m entries [#llama.entry<name = "import", rows = 0, embed = @embed, layers = [@layer0, @layer1], of = [0, 1]>] lm_heads [@lm_head]
  func.func private @embed(%ids: tensor<?xi32>) -> tensor<?x{0}xf32> {{
    %w = llama.weight_ref @token_embd : <{5}x{0}, #llama.f16>
    %x = llama.embed %ids, %w : tensor<?xi32>, <{5}x{0}, #llama.f16> -> tensor<?x{0}xf32>
    return %x : tensor<?x{0}xf32>
  }
{7}  func.func private @lm_head(%x: tensor<?x{0}xf32>) -> tensor<?x{5}xf32> {{
    %g = llama.weight_ref @output_norm : <{0}, #llama.f32>
    %h = llama.rms_norm %x, %g eps 1.0e-05 : tensor<?x{0}xf32>, <{0}, #llama.f32>
{8}    %w = llama.weight_ref @token_embd : <{5}x{0}, #llama.f16>
    %y = llama.linear {9}, %w : tensor<?x{0}xf32>, <{5}x{0}, #llama.f16> -> tensor<?x{5}xf32>
    return %y : tensor<?x{5}xf32>
  }
}
)mlir";

std::vector<RandomGraph>
corellama::test::randomGraphs(uint32_t seed, size_t count, RoleCounts &counts) {
  std::mt19937 random(seed);
  auto oneOf = [&](std::initializer_list<int64_t> values) {
    return values.begin()[std::uniform_int_distribution<size_t>(
        0, values.size() - 1)(random)];
  };
  std::vector<RandomGraph> graphs;
  for (size_t number = 0; number < count; ++number) {
    RandomGraph graph;
    graph.seed = seed;
    graph.number = number;
    ModelShape &s = graph.shape;
    // Rows of blocks of 32 columns, or of none; and one in eight of 256.
    s.dim = number % 8 == 7 ? 256 : oneOf({43, 70, 75, 96, 160});
    s.headSize = oneOf({6, 10, 14, 18});
    s.kvHeads = oneOf({1, 2, 3});
    s.heads = s.kvHeads * oneOf({1, 2});
    s.hidden = oneOf({37, 52, 83, 96});
    s.vocabulary = 29;
    graph.cacheType = number % 2 ? "f16" : "f32";
    // Rings of one block, and of the two that the context has: none.
    for (int64_t &window : graph.windows)
      window = oneOf({0, 1, 7, 246, 300});
    // All ropes of a model turn alike.
    if (number % 3 == 1)
      graph.rotation = formatv(" as <dims = {0}>", s.headSize / 4 * 2);
    else if (number % 3 == 2)
      graph.rotation = " as <rule = linear, factor = 4.0, magnitude = 0.75>";
    std::string weights, functions;
    for (int64_t layer : {0, 1}) {
      LayerWriter writer(graph, random, counts, layer);
      writer.write();
      weights += writer.weights;
      functions += writer.function;
    }
    // A norm that no product reads is a kernel of its own, here of the one row
    // that the head takes.
    bool isGated = number % 2;
    std::string gate =
        formatv("    %s = llama.silu %h : tensor<?x{0}xf32>\n", s.dim);
    graph.text = formatv(kModel, s.dim, s.heads, s.kvHeads, s.headSize,
                         s.hidden, s.vocabulary, weights, functions,
                         isGated ? gate : "", isGated ? "%s" : "%h");
    graphs.push_back(std::move(graph));
  }
  return graphs;
}
