//===- RandomGraph.h - legal models that no checkpoint has ----------------===//
//
// A seed -> models at phase import, as text. Each has two layers of different
// structure, drawn from one grammar:
//
//   layer    = producer products trees sinks result
//   producer = none | norm                      what the products read
//   products = 1 to 4 linears, each of its own format
//   tree     = leaf | rope(tree) | silu(tree) | mul(tree, tree)
//            | add(tree, tree) | swiglu(tree, tree) | scale(tree) | bias(tree)
//            | norm of heads(tree), at most 3 ops deep
//   leaf     = product | the layer's rows | the normalised rows | earlier tree
//   sink     = buffer | cache | both            of a tree
//   result   = a sum of buffers, of attention over the cache, of products of
//              both, as they are or normalised, and of the layer's rows
//
// Attention of a layer sees a window or all keys. The head of every other model
// has an op between its norm and its product. So every op meets every other one
// in places where a Llama has none, and what does not fuse has to be a kernel
// of its own. Sizes are multiples of what their formats ask for and of nothing
// else.
//
//===----------------------------------------------------------------------===//

#ifndef CORELLAMA_TEST_PASSES_GRAPHS_RANDOMGRAPH_H
#define CORELLAMA_TEST_PASSES_GRAPHS_RANDOMGRAPH_H

#include "test/passes/Testing/TestModel.h"
#include <map>

namespace corellama::test {

struct RandomGraph {
  /// How to draw it again, for a message.
  uint32_t seed;
  size_t number;
  ModelShape shape;
  std::string cacheType;
  /// Of attention in each of the two layers; 0: none.
  int64_t windows[2] = {0, 0};
  /// What ropes have behind their heads: " as <...>", or nothing.
  std::string rotation;
  /// Without its target, which is $TARGET.
  std::string text;

  std::string describe() const;
};

/// How often something was drawn: an op of a tree inside of it ("silu inner")
/// or as its root for a sink ("silu buffer", "silu cache", "silu both"),
/// producers
/// ("producer norm") and numbers of products ("products 3").
using RoleCounts = std::map<std::string, int>;

/// The first `count` graphs of a seed. What has been drawn least often is drawn
/// first, so that few graphs have everything; `counts` tells how often.
std::vector<RandomGraph> randomGraphs(uint32_t seed, size_t count,
                                      RoleCounts &counts);

} // namespace corellama::test

#endif // CORELLAMA_TEST_PASSES_GRAPHS_RANDOMGRAPH_H
