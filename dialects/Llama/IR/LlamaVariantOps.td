//===- LlamaVariantOps.td - what stands in Llama's place elsewhere --------===//
//
// Ops of the graph that a Llama does not have: encodings of positions that are
// added to the embedding, LayerNorm, and the activations of feed-forwards without
// a gate. They go the way of the model's own ops, so that what Llama chose can be
// compared with what it could have been (docs/study). A file of its own because no
// checkpoint that is compiled has them.
//
//===----------------------------------------------------------------------===//

#ifndef CORELLAMA_DIALECTS_LLAMA_IR_LLAMAVARIANTOPS
#define CORELLAMA_DIALECTS_LLAMA_IR_LLAMAVARIANTOPS

include "dialects/Llama/IR/LlamaOps.td"

def Llama_PositionKind : I32EnumAttr<"PositionKind", "how a position is encoded", [
    I32EnumAttrCase<"Binary", 0, "binary">, I32EnumAttrCase<"Sine", 1, "sine">,
    I32EnumAttrCase<"Sinusoidal", 2, "sinusoidal">]> {
  let cppNamespace = "::corellama::llama";
}
def Llama_AngleType : I32EnumAttr<"AngleType", "in which type angles are computed", [
    I32EnumAttrCase<"F64", 0, "f64">, I32EnumAttrCase<"F32", 1, "f32">]> {
  let cppNamespace = "::corellama::llama";
}

def Llama_PositionEncodingOp : Llama_Op<"position_encoding", Llama_GraphPhases,
    [Pure, Llama_IsElementwise]> {
  let summary = "a row for each position, to be added to the embedding";
  let description = [{
    With p = pos[r] and d columns:

    - `binary`: `y[r, i] = floor(p / 2^i) mod 2`, the least significant bit first.
      A position of more than d bits is an error of the caller, which the evaluator
      and `corellama eval --native` report.
    - `sine`: `y[r, i] = sin(p base^(-i / d))`.
    - `sinusoidal`: `y[r, 2i] = sin(p base^(-2i / d))`,
      `y[r, 2i + 1] = cos(p base^(-2i / d))`.

    Angles are float64. With `angles f32` position, frequency and their product are
    each rounded to float32, as code without float64 has them: an angle of 10^6 is then
    off by up to 0.1.

    (A1) one row a position. (A2) binary rows have 1 to 31 columns: positions are
    31 bits. (A3) a base where there are angles, and no base or `angles` in binary.
    (A4) sinusoidal columns are pairs. (A5) base is from 1 to 10^300.

    Source: Vaswani et al. (arXiv:1706.03762), section 3.5, for `sinusoidal`.

    ```mlir
    func.func @encode(%pos: tensor<?xi32>) -> tensor<?x32xf32> {
      %e = llama.position_encoding sinusoidal of %pos base 1.0e+04 : tensor<?xi32> -> tensor<?x32xf32>
      return %e : tensor<?x32xf32>
    }
    ```
  }];
  let arguments = (ins Llama_PositionKind:$kind, Llama_Integers:$positions,
    OptionalAttr<F64Attr>:$base,
    DefaultValuedAttr<Llama_AngleType, "::corellama::llama::AngleType::F64">:$angles);
  let results = (outs Llama_Rows:$result);
  let assemblyFormat = [{
    $kind `of` $positions (`base` $base^)? (`angles` $angles^)? attr-dict `:`
    type($positions) `->` type($result)
  }];
  let hasVerifier = 1;
}

def Llama_VariancePasses : I32EnumAttr<"VariancePasses", "how a variance is computed", [
    I32EnumAttrCase<"OnePass", 0, "one_pass">, I32EnumAttrCase<"TwoPass", 1, "two_pass">]> {
  let cppNamespace = "::corellama::llama";
}

def Llama_LayerNormOp : Llama_Op<"layer_norm", Llama_GraphPhases,
    [Pure, AllTypesMatch<["x", "result"]>, Llama_IsRowPrologue,
     Llama_ReductionOpInterface]> {
  let summary = "(x - mean) / deviation * weight + bias, row by row";
  let description = [{
    With m = mean_j x[r, j]:
    `y[r, i] = (x[r, i] - m) / sqrt(v + eps) * w[i] + b[i]`, b being zero where it is
    left out. `two_pass`: `v = mean_j (x[r, j] - m)^2`, which reads the row again.
    `one_pass`: `v = max(mean_j x[r, j]^2 - m^2, 0)`, from sums that are made
    together: in float32 it cancels where the mean is large beside the deviation.

    (A1) w and b are vectors of x's columns. (A2) eps > 0.
    `order` (from plan): how each sum is made.

    Source: Ba, Kiros and Hinton, Layer Normalization (arXiv:1607.06450), equation 4.

    ```mlir
    func.func @norm(%x: tensor<?x32xf32>, %w: !llama.weight<32, #llama.f32>, %b: !llama.weight<32, #llama.f32>) -> tensor<?x32xf32> {
      %y = llama.layer_norm two_pass %x, %w, %b eps 1.0e-05 : tensor<?x32xf32>, !llama.weight<32, #llama.f32>, !llama.weight<32, #llama.f32>
      return %y : tensor<?x32xf32>
    }
    ```
  }];
  let arguments = (ins Llama_VariancePasses:$passes, Llama_Rows:$x,
                       Llama_WeightType:$weight, Optional<Llama_WeightType>:$bias,
                       Llama_PositiveReal:$eps,
                       OptionalAttr<Llama_ReductionOrderAttr>:$order);
  let results = (outs Llama_Rows:$result);
  let assemblyFormat = [{
    $passes $x `,` $weight (`,` $bias^)? `eps` $eps (`order` $order^)? attr-dict `:`
    type($x) `,` type($weight) (`,` type($bias)^)?
  }];
  let hasVerifier = 1;
}

def Llama_ReluOp : Llama_ElementwiseOp<"relu", (ins Llama_Rows:$x)> {
  let summary = "x where it is not below zero, else zero";
  let description = [{
    Source: Vaswani et al. (arXiv:1706.03762), equation 2, for the feed-forward;
    Nair and Hinton (ICML 2010).

    ```mlir
    func.func @relu(%x: tensor<?x48xf32>) -> tensor<?x48xf32> {
      %y = llama.relu %x : tensor<?x48xf32>
      return %y : tensor<?x48xf32>
    }
    ```
  }];
  let assemblyFormat = "$x attr-dict `:` type($result)";
}

def Llama_GeluOp : Llama_ElementwiseOp<"gelu", (ins Llama_Rows:$x)> {
  let summary = "x times the normal distribution of x, in its form with tanh";
  let description = [{
    `y = x / 2 (1 + tanh(u)) = x / (1 + exp(-2 u))` with
    `u = sqrt(2 / pi) (x + 0.044715 x^3)`: the form of BERT and GPT-2, within 5e-4 of
    `x / 2 (1 + erf(x / sqrt(2)))`. It takes the same exp as silu.

    Source: Hendrycks and Gimpel, Gaussian Error Linear Units (arXiv:1606.08415),
    section 2.

    ```mlir
    func.func @gelu(%x: tensor<?x48xf32>) -> tensor<?x48xf32> {
      %y = llama.gelu %x : tensor<?x48xf32>
      return %y : tensor<?x48xf32>
    }
    ```
  }];
  let assemblyFormat = "$x attr-dict `:` type($result)";
}

#endif
