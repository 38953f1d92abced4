//===- LlamaOps.td - the graph of a Llama ---------------------------------===//
//
// What is computed, on tensors whose first dimension is the tokens of a call
// ("rows"). Constraints are labelled (A1), (A2), ...; the same label stands
// beside the check in LlamaOps.cpp, unless the type of an operand or attribute says
// it already, and in the name of the test that breaks it.
//
//===----------------------------------------------------------------------===//

#ifndef CORELLAMA_DIALECTS_LLAMA_IR_LLAMAOPS
#define CORELLAMA_DIALECTS_LLAMA_IR_LLAMAOPS

include "dialects/Llama/IR/LlamaOpBase.td"
include "dialects/Llama/IR/LlamaOpTraits.td"
include "dialects/Llama/IR/LlamaDeclarations.td"
include "dialects/Llama/IR/LlamaSchedule.td"

// The only state that a step changes.
def Llama_CacheResource : Resource<"CacheResource">;

class Llama_RowsOf<list<Type> elements> : ConfinedType<RankedTensorOf<elements>,
    [HasAnyRankOfPred<[2]>,
     CPred<"!::llvm::cast<::mlir::ShapedType>($_self).isDynamicDim(1)">],
    "rows x columns with the columns known, a " # RankedTensorOf<elements>.summary>;
def Llama_Rows : Llama_RowsOf<[F32]>;
def Llama_AnyRows : Llama_RowsOf<[F32, F16, BF16, Llama_Q8B32Type,
                                   Llama_X24B32Type]>;
// Of attention: rows x heads x blocks x (head size + 2).
def Llama_Parts : RankedTensorOf<[F32]>;

def Llama_EmbedOp : Llama_Op<"embed", Llama_GraphPhases, [Pure]> {
  let summary = "row ids[r] of the embedding";
  let description = [{
    `y[r, :] = w[ids[r], :]`, dequantised to float32.

    (A1) y has as many rows as there are ids and as many columns as w.
    An id outside w's rows is an error of the caller: the runtime checks ids.

    Source: Llama 2 (arXiv:2307.09288), section 2.2; the table is the
    checkpoint's `token_embd`.

    ```mlir
    func.func @embed(%ids: tensor<?xi32>, %w: !llama.weight<64x32, #llama.q8_0>) -> tensor<?x32xf32> {
      %x = llama.embed %ids, %w : tensor<?xi32>, !llama.weight<64x32, #llama.q8_0> -> tensor<?x32xf32>
      return %x : tensor<?x32xf32>
    }
    ```
  }];
  let arguments = (ins Llama_Integers:$ids, Llama_WeightType:$weight);
  let results = (outs Llama_Rows:$result);
  let assemblyFormat = [{
    $ids `,` $weight attr-dict `:` type($ids) `,` type($weight) `->` type($result)
  }];
  let hasVerifier = 1;
}

def Llama_RmsNormOp : Llama_Op<"rms_norm", Llama_GraphPhases,
    [Pure, AllTypesMatch<["x", "result"]>, Llama_IsRowPrologue,
     Llama_ReductionOpInterface]> {
  let summary = "x / rms(x) * weight, row by row or head by head";
  let description = [{
    `y[r, i] = x[r, i] / sqrt(mean_j x[r, j]^2 + eps) * w[i]`. With `heads = H` a row
    is H heads, side by side, and each of them is such a row: one weight of the head's
    size serves them all, as checkpoints that norm queries and keys have it.

    (A1) w is a vector of x's columns, or of those of one head. (A2) eps > 0. (A3) x's
    columns are a multiple of the heads.
    `order` (from plan): how the sum of squares is made.

    Source: Zhang and Sennrich, Root Mean Square Layer Normalization
    (arXiv:1910.07467), equation 4; Dehghani et al. (arXiv:2302.05442), section 2, for
    norms of queries and keys.

    ```mlir
    func.func @norm(%x: tensor<?x32xf32>, %w: !llama.weight<32, #llama.f32>) -> tensor<?x32xf32> {
      %y = llama.rms_norm %x, %w eps 1.0e-05 : tensor<?x32xf32>, !llama.weight<32, #llama.f32>
      return %y : tensor<?x32xf32>
    }
    ```
  }];
  let arguments = (ins Llama_Rows:$x, Llama_WeightType:$weight, Llama_PositiveReal:$eps,
                       OptionalAttr<Llama_Positive>:$heads,
                       OptionalAttr<Llama_ReductionOrderAttr>:$order);
  let results = (outs Llama_Rows:$result);
  let assemblyFormat = [{
    $x `,` $weight `eps` $eps (`heads` $heads^)? (`order` $order^)? attr-dict `:`
    type($x) `,` type($weight)
  }];
  let hasVerifier = 1;
}

def Llama_LinearOp : Llama_Op<"linear", Llama_GraphPhases,
    [Pure, Llama_IsProduct, Llama_ReductionOpInterface]> {
  let summary = "x * transposed weight";
  let description = [{
    `y[r, n] = sum_k x[r, k] * w[n, k]`, in float32; with rows of `!llama.q8b32`,
    `!llama.x24b32` or bf16 the products and sums are exact or float32, so that the
    result depends on x's rounding alone.

    (A1) w is a matrix whose columns are x's. (A2) y has x's rows and w's rows
    as columns. (A3) rows of `!llama.q8b32` and `!llama.x24b32` only with a
    block-quantised weight.
    `order` (from plan): how the sum over k is made, and (A4) by which unit, which
    reads such rows, multiplies the format and sums in that order.

    Source: Llama 2 (arXiv:2307.09288). A projection with a bias is followed by `bias`.

    ```mlir
    func.func @project(%x: tensor<?x32xf32>, %w: !llama.weight<48x32, #llama.q4_0>) -> tensor<?x48xf32> {
      %y = llama.linear %x, %w : tensor<?x32xf32>, !llama.weight<48x32, #llama.q4_0> -> tensor<?x48xf32>
      return %y : tensor<?x48xf32>
    }
    ```
  }];
  let arguments = (ins Llama_AnyRows:$x, Llama_WeightType:$weight,
                       OptionalAttr<Llama_ReductionOrderAttr>:$order);
  let results = (outs Llama_Rows:$result);
  let assemblyFormat = [{
    $x `,` $weight (`order` $order^)? attr-dict `:` type($x) `,` type($weight) `->` type($result)
  }];
  let hasVerifier = 1;
}

def Llama_RopeOp : Llama_Op<"rope", Llama_GraphPhases,
    [Pure, AllTypesMatch<["x", "result"]>, Llama_IsElementwise]> {
  let summary = "rotate pairs of each head by an angle proportional to the position";
  let description = [{
    With t = pos[r] * base^(-2i / d) for pair i of a head of size d:
    `y[2i] = x[2i] cos t - x[2i+1] sin t`, `y[2i+1] = x[2i] sin t + x[2i+1] cos t`.
    Pairs are adjacent, as in GGUF; rows of checkpoints that pair i with
    i + d/2 are permuted once, when they are packed. `#llama.rotation` says how the
    angles differ from these: scaled to a longer context, or for a part of the head.

    (A1) x's columns are heads times an even head size. (A2) one position a row.
    (A3) base > 0. (A4) the rotation turns at most the whole head, and its factors are
    one a pair that it turns.

    Source: Su et al., RoFormer (arXiv:2104.09864), equation 34.

    ```mlir
    func.func @rotate(%q: tensor<?x32xf32>, %pos: tensor<?xi32>) -> tensor<?x32xf32> {
      %r = llama.rope %q, %pos base 1.0e+04 heads 2 : tensor<?x32xf32>, tensor<?xi32>
      return %r : tensor<?x32xf32>
    }
    ```
  }];
  let arguments = (ins Llama_Rows:$x, Llama_Integers:$positions, Llama_PositiveReal:$base,
                       I64Attr:$heads, OptionalAttr<Llama_RotationAttr>:$rotation);
  let results = (outs Llama_Rows:$result);
  let assemblyFormat = [{
    $x `,` $positions `base` $base `heads` $heads (`as` $rotation^)? attr-dict `:`
    type($x) `,` type($positions)
  }];
  let extraClassDeclaration = [{
    int64_t getHeadSize() {
      return ::llvm::cast<::mlir::RankedTensorType>(getType()).getDimSize(1) /
             static_cast<int64_t>(getHeads());
    }
  }];
  let hasVerifier = 1;
}

def Llama_KVAppendOp : Llama_Op<"kv_append", Llama_GraphPhases, [Llama_IsSink]> {
  let summary = "store the new rows of keys and values in the cache";
  let description = [{
    Row r of `keys` and of `values` becomes position `positions[r]` of the layer,
    converted to the cache's element type. In a ring of R positions it takes the
    place of position `positions[r]` - R, which is gone.

    (A1) keys and values have heads x head size of the cache as columns.
    (A2) one position a row, the same number of rows in both.
    Writes the cache and is never dead.

    Source: Pope et al., Efficiently Scaling Transformer Inference
    (arXiv:2211.05102), section 3.3.

    ```mlir
    func.func @append(%kv: !llama.cache<2x1x16, f16>, %l: index, %k: tensor<?x16xf32>, %v: tensor<?x16xf32>, %pos: tensor<?xi32>) {
      llama.kv_append %kv[%l], %k, %v at %pos : !llama.cache<2x1x16, f16>, tensor<?x16xf32>, tensor<?x16xf32>, tensor<?xi32>
      return
    }
    ```
  }];
  let arguments = (ins
    Arg<Llama_CacheType, "the cache", [MemWrite<Llama_CacheResource>]>:$cache,
    Index:$layer, Llama_Rows:$keys, Llama_Rows:$values, Llama_Integers:$positions);
  let assemblyFormat = [{
    $cache `[` $layer `]` `,` $keys `,` $values `at` $positions attr-dict `:`
    type($cache) `,` type($keys) `,` type($values) `,` type($positions)
  }];
  let hasVerifier = 1;
}

def Llama_AttentionOp : Llama_Op<"attention", Llama_GraphPhases,
    [AllTypesMatch<["query", "result"]>, Llama_ReductionOpInterface]> {
  let summary = "softmax(q k / sqrt(d)) v over the cache";
  let description = [{
    Head h of row r attends to the positions p <= positions[r] of the layer's
    cache head h / (heads / cache heads):
    `y = sum_p softmax_p(q . k[p] / sqrt(d)) v[p]`. Heads equal to the cache's
    are multi-head attention, one cache head is multi-query, between them
    grouped-query attention: the shapes say which. `scale` stands for 1 / sqrt(d)
    where a model has another factor. With `window = W` only positions
    p > positions[r] - W count, W of them with the row's own.

    `keys = K` (from fuse): positions are treated in blocks at absolute
    multiples of K, each alone, merged left to right as `attention_merge` says,
    which is a matter of rounding only.

    (A1) the query's columns are heads x head size of the cache.
    (A2) heads is a multiple of the cache's heads. (A3) one position a row.
    (A4) keys > 0. (A5) window > 0. (A6) where the cache is a ring, there is a
    window, of the ring's positions at most.
    Reads the cache: dead when unused.

    Source: Vaswani et al. (arXiv:1706.03762), equation 1; Ainslie et al., GQA
    (arXiv:2305.13245); Jiang et al., Mistral 7B (arXiv:2310.06825), section 2, for
    windows; Granite 3.0 (2024) for `attention_multiplier`, the scale.

    ```mlir
    func.func @attend(%q: tensor<?x32xf32>, %kv: !llama.cache<2x1x16, f16>, %l: index, %pos: tensor<?xi32>) -> tensor<?x32xf32> {
      %y = llama.attention %q, %kv[%l], %pos causal heads 2 : tensor<?x32xf32>, !llama.cache<2x1x16, f16>, tensor<?xi32>
      return %y : tensor<?x32xf32>
    }
    ```
  }];
  let arguments = (ins Llama_Rows:$query,
    Arg<Llama_CacheType, "the cache", [MemRead<Llama_CacheResource>]>:$cache,
    Index:$layer, Llama_Integers:$positions, I64Attr:$heads,
    OptionalAttr<Llama_Positive>:$window, OptionalAttr<Llama_PositiveReal>:$scale,
    OptionalAttr<Llama_Positive>:$keys, OptionalAttr<Llama_ReductionOrderAttr>:$order);
  let results = (outs Llama_Rows:$result);
  let assemblyFormat = [{
    $query `,` $cache `[` $layer `]` `,` $positions `causal` `heads` $heads
    (`window` $window^)? (`scale` $scale^)? (`keys` $keys^)? (`order` $order^)?
    attr-dict `:` type($query) `,` type($cache) `,` type($positions)
  }];
  let hasVerifier = 1;
}

def Llama_AttentionPartOp : Llama_Op<"attention_part", Llama_AttentionPartPhases,
    [Llama_ReductionOpInterface]> {
  let summary = "attention over each block of keys alone: accumulator, maximum, sum";
  let description = [{
    For each row, head and block b of `keys` positions, with scores
    s[p] = q . k[p] / sqrt(d) of the block's positions p <= positions[r] (`scale` and
    `window` as in `attention`):
    m = max s[p], `y[..., 0..d) = sum_p exp(s[p] - m) v[p]`, `y[..., d] = m`,
    `y[..., d + 1] = sum_p exp(s[p] - m)`. The blocks are those up to the last
    position, so their number is dynamic.

    (A1) to (A3) as for `attention`. (A4) y is rows x heads x blocks x (d + 2).
    (A5) keys > 0. (A6) window > 0. (A7) as (A6) of `attention`.

    Source: Dao et al., Flash-Decoding (2023); Milakov and Gimelshein, Online
    normalizer calculation for softmax (arXiv:1805.02867).

    ```mlir
    func.func @parts(%q: tensor<1x32xf32>, %kv: !llama.cache<2x1x16, f16>, %l: index, %pos: tensor<1xi32>) -> tensor<1x2x?x18xf32> {
      %p = llama.attention_part %q, %kv[%l], %pos causal heads 2 keys 256 : tensor<1x32xf32>, !llama.cache<2x1x16, f16>, tensor<1xi32> -> tensor<1x2x?x18xf32>
      return %p : tensor<1x2x?x18xf32>
    }
    ```
  }];
  let arguments = (ins Llama_Rows:$query,
    Arg<Llama_CacheType, "the cache", [MemRead<Llama_CacheResource>]>:$cache,
    Index:$layer, Llama_Integers:$positions, I64Attr:$heads,
    OptionalAttr<Llama_Positive>:$window, OptionalAttr<Llama_PositiveReal>:$scale,
    Llama_Positive:$keys, OptionalAttr<Llama_ReductionOrderAttr>:$order);
  let results = (outs Llama_Parts:$result);
  let assemblyFormat = [{
    $query `,` $cache `[` $layer `]` `,` $positions `causal` `heads` $heads
    (`window` $window^)? (`scale` $scale^)? `keys` $keys (`order` $order^)? attr-dict `:`
    type($query) `,` type($cache) `,` type($positions) `->` type($result)
  }];
  let hasVerifier = 1;
}

def Llama_AttentionMergeOp : Llama_Op<"attention_merge", Llama_AttentionPartPhases,
    [Pure, Llama_IsRowPrologue]> {
  let summary = "merge the blocks of attention_part, left to right";
  let description = [{
    From m = -inf, s = 0, o = 0, for each block (oi, mi, si) in order:
    m' = max(m, mi), a = exp(m - m'), c = exp(mi - m'), s' = fma(s, a, si * c),
    o' = fma(o, a, oi * c); then `y = o / s`. `keys` says how many positions a
    block has, from which code knows how many blocks there are; `window` says which
    of them a row has keys in.

    (A1) parts are rows x heads x blocks x (d + 2). (A2) y is rows x (heads * d).

    Source: as for `attention_part`.

    ```mlir
    func.func @merge(%p: tensor<1x2x?x18xf32>) -> tensor<1x32xf32> {
      %y = llama.attention_merge %p heads 2 : tensor<1x2x?x18xf32> -> tensor<1x32xf32>
      return %y : tensor<1x32xf32>
    }
    ```
  }];
  let arguments = (ins Llama_Parts:$parts, I64Attr:$heads,
                       OptionalAttr<Llama_Positive>:$window, OptionalAttr<I64Attr>:$keys);
  let results = (outs Llama_Rows:$result);
  let assemblyFormat = [{
    $parts `heads` $heads (`window` $window^)? (`keys` $keys^)? attr-dict `:`
    type($parts) `->` type($result)
  }];
  let builders = [OpBuilder<(ins "::mlir::Type":$result, "::mlir::Value":$parts,
                                 "uint64_t":$heads),
    [{ build($_builder, $_state, result, parts, heads, ::mlir::IntegerAttr(),
             ::mlir::IntegerAttr()); }]>];
  let hasVerifier = 1;
}

class Llama_ElementwiseOp<string opMnemonic, dag operands, list<Trait> traits = []>
    : Llama_Op<opMnemonic, Llama_GraphPhases,
               [Pure, SameOperandsAndResultType, Llama_IsElementwise] # traits> {
  let arguments = operands;
  let results = (outs Llama_Rows:$result);
}

def Llama_SwigluOp : Llama_ElementwiseOp<"swiglu",
    (ins Llama_Rows:$gate, Llama_Rows:$up)> {
  let summary = "silu(gate) * up";
  let description = [{
    `y = gate / (1 + exp(-gate)) * up`. Canonical for `mul(silu(gate), up)`.

    Source: Shazeer, GLU Variants Improve Transformer (arXiv:2002.05202),
    equation 6.

    ```mlir
    func.func @gated(%g: tensor<?x48xf32>, %u: tensor<?x48xf32>) -> tensor<?x48xf32> {
      %y = llama.swiglu %g, %u : tensor<?x48xf32>
      return %y : tensor<?x48xf32>
    }
    ```
  }];
  let assemblyFormat = "$gate `,` $up attr-dict `:` type($result)";
}

def Llama_SiluOp : Llama_ElementwiseOp<"silu", (ins Llama_Rows:$x)> {
  let summary = "x / (1 + exp(-x))";
  let description = [{
    Source: Hendrycks and Gimpel (arXiv:1606.08415); Ramachandran et al.
    (arXiv:1710.05941), there called Swish with beta = 1.

    ```mlir
    func.func @silu(%x: tensor<?x48xf32>) -> tensor<?x48xf32> {
      %y = llama.silu %x : tensor<?x48xf32>
      return %y : tensor<?x48xf32>
    }
    ```
  }];
  let assemblyFormat = "$x attr-dict `:` type($result)";
}

def Llama_MulOp : Llama_ElementwiseOp<"mul",
    (ins Llama_Rows:$lhs, Llama_Rows:$rhs), [Commutative]> {
  let summary = "lhs * rhs, element by element";
  let description = [{
    ```mlir
    func.func @mul(%a: tensor<?x48xf32>, %b: tensor<?x48xf32>) -> tensor<?x48xf32> {
      %y = llama.mul %a, %b : tensor<?x48xf32>
      return %y : tensor<?x48xf32>
    }
    ```
  }];
  let assemblyFormat = "$lhs `,` $rhs attr-dict `:` type($result)";
  let hasCanonicalizer = 1;
}

def Llama_AddOp : Llama_ElementwiseOp<"add",
    (ins Llama_Rows:$lhs, Llama_Rows:$rhs), [Commutative]> {
  let summary = "lhs + rhs, element by element: the residual";
  let description = [{
    Source: He et al. (arXiv:1512.03385), equation 1.

    ```mlir
    func.func @residual(%x: tensor<?x32xf32>, %y: tensor<?x32xf32>) -> tensor<?x32xf32> {
      %z = llama.add %x, %y : tensor<?x32xf32>
      return %z : tensor<?x32xf32>
    }
    ```
  }];
  let assemblyFormat = "$lhs `,` $rhs attr-dict `:` type($result)";
}

def Llama_ScaleOp : Llama_Op<"scale", Llama_GraphPhases,
    [Pure, SameOperandsAndResultType, Llama_IsElementwise]> {
  let summary = "x times a constant";
  let description = [{
    `y = x * by`, `by` rounded to float32: of the embedding, of what a layer adds to
    the residual, or of the logits, where a model has such factors.

    Source: Granite 3.0 (2024), there `embedding_multiplier`, `residual_multiplier` and
    the inverse of `logits_scaling`; Yang et al., Tensor Programs V (arXiv:2203.03466).

    ```mlir
    func.func @scale(%x: tensor<?x32xf32>) -> tensor<?x32xf32> {
      %y = llama.scale %x by 1.2e+01 : tensor<?x32xf32>
      return %y : tensor<?x32xf32>
    }
    ```
  }];
  let arguments = (ins Llama_Rows:$x, F64Attr:$by);
  let results = (outs Llama_Rows:$result);
  let assemblyFormat = "$x `by` $by attr-dict `:` type($result)";
}

def Llama_BiasOp : Llama_Op<"bias", Llama_GraphPhases,
    [Pure, AllTypesMatch<["x", "result"]>, Llama_IsElementwise]> {
  let summary = "x + a weight of one element a column";
  let description = [{
    `y[r, i] = x[r, i] + w[i]`: the bias of a projection.

    (A1) w is a vector of x's columns.

    Source: Qwen2 (arXiv:2407.10671), section 2.2.1, which has them for q, k and v.

    ```mlir
    func.func @biased(%x: tensor<?x32xf32>, %w: !llama.weight<32, #llama.f32>) -> tensor<?x32xf32> {
      %y = llama.bias %x, %w : tensor<?x32xf32>, !llama.weight<32, #llama.f32>
      return %y : tensor<?x32xf32>
    }
    ```
  }];
  let arguments = (ins Llama_Rows:$x, Llama_WeightType:$weight);
  let results = (outs Llama_Rows:$result);
  let assemblyFormat = "$x `,` $weight attr-dict `:` type($x) `,` type($weight)";
  let hasVerifier = 1;
}

def Llama_QuantizeOp : Llama_Op<"quantize", Llama_GraphPhases, [Pure]> {
  let summary = "round rows to another type";
  let description = [{
    To `!llama.q8b32`: in blocks of 32 along a row, with amax the largest |x| of
    the block, d = amax / 127 and q = roundeven(x * (127 / amax)) in float32. A
    block whose amax is below 2^-119 is all zero; in one that holds an infinity or
    a NaN d is NaN and q is 0.

    To `!llama.x24b32`: d is the least power of two with amax <= 8193532 d, X =
    roundeven(x / d). A block whose amax is below 2^-104 is all zero; one that holds
    an infinity or a NaN is as above. To f16 and bf16: round to nearest even.

    (A1) same shape. (A2) the result is not float32. (A3) x is rows x columns.
    (A4) rows of q8b32 and x24b32 are whole blocks.

    ```mlir
    func.func @round(%x: tensor<?x32xf32>) -> tensor<?x32x!llama.q8b32> {
      %y = llama.quantize %x : tensor<?x32xf32> to tensor<?x32x!llama.q8b32>
      return %y : tensor<?x32x!llama.q8b32>
    }
    ```
  }];
  let arguments = (ins Llama_Rows:$x);
  let results = (outs Llama_AnyRows:$result);
  let assemblyFormat = "$x attr-dict `:` type($x) `to` type($result)";
  let hasVerifier = 1;
}

// Behind the ops whose classes it shares: the generated files of the dialect are
// made from this one.
include "dialects/Llama/IR/LlamaVariantOps.td"

#endif
