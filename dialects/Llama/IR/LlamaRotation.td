//===- LlamaRotation.td - angles that are not plain RoPE ------------------===//
//
// What a family of models changes of RoPE's angles: which columns turn, and how the
// angles are scaled for contexts longer than those of the training. Data, so that all of
// it is one table of angles, and no kernel knows of it.
//
//===----------------------------------------------------------------------===//

#ifndef CORELLAMA_DIALECTS_LLAMA_IR_LLAMAROTATION
#define CORELLAMA_DIALECTS_LLAMA_IR_LLAMAROTATION

include "dialects/Llama/IR/LlamaAttributeBase.td"

def Llama_RopeRule : I32EnumAttr<"RopeRule", "how angles are scaled", [
    I32EnumAttrCase<"None", 0, "none">, I32EnumAttrCase<"Linear", 1, "linear">,
    I32EnumAttrCase<"Llama3", 2, "llama3">, I32EnumAttrCase<"YaRN", 3, "yarn">]> {
  let cppNamespace = "::corellama::llama";
  let genSpecializedAttr = 0;
}

def Llama_RotationAttr : Llama_Attr<"Rotation", "rotation"> {
  let summary = "how RoPE's angles differ from pos * base^(-2i / d)";
  let description = [{
    Pair i of the D = `dims` columns that turn (0: the whole head, d) has the frequency
    f = base^(-2i / D) / `factors`[i], without `factors` base^(-2i / D). The columns of a
    head from D on do not turn. Then, with s = `factor` and T = `original` f / 2 pi, the
    turns that the pair makes in the original context:

    - `linear`: f / s.
    - `llama3`: w f + (1 - w) f / s with w = (T - `low`) / (`high` - `low`) held in
      [0, 1]: pairs of at most `low` turns are scaled, those of at least `high` are not.
    - `yarn`: the same with w = 1 - (i - a) / (b - a) held in [0, 1], where a is the floor
      of c(`high`), at least 0, and b the ceiling of c(`low`), at most D - 1; c(t) =
      D ln(`original` / (2 pi t)) / (2 ln base) is the pair that makes t turns. b - a is
      held above 0.001.

    Cosines and sines of pairs that turn are multiplied by `magnitude`, which is 1 where
    it is not given, and 0.1 ln(s) + 1 with `yarn`.

    D is even; s, all factors (numbers of f64) and `original` are at least 1; 0 < `low` < `high`;
    0 < `magnitude` < 65536; no rule has a parameter that it does not read.

    Sources: Chen et al. (arXiv:2306.15595), `linear`; Llama 3.1 (2024), `llama3`; Peng et
    al., YaRN (arXiv:2309.00071), definitions 1 to 3 and section 3.4; `factors`: the tensor
    `rope_freqs` of GGUF.
  }];
  let parameters = (ins
    DefaultValuedParameter<"int64_t", "0">:$dims,
    DefaultValuedParameter<"::corellama::llama::RopeRule",
                           "::corellama::llama::RopeRule::None">:$rule,
    OptionalParameter<"::mlir::FloatAttr">:$factor,
    DefaultValuedParameter<"int64_t", "0">:$original,
    OptionalParameter<"::mlir::FloatAttr">:$low,
    OptionalParameter<"::mlir::FloatAttr">:$high,
    OptionalParameter<"::mlir::FloatAttr">:$magnitude,
    OptionalParameter<"::mlir::ArrayAttr">:$factors
  );
  let assemblyFormat = "`<` struct(params) `>`";
  let genVerifyDecl = 1;
  let extraClassDeclaration = [{
    /// Columns of a head that turn.
    int64_t getTurned(int64_t headSize) const {
      return getDims() ? getDims() : headSize;
    }
  }];
}

#endif
