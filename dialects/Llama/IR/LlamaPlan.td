//===- LlamaPlan.td - how a kernel runs -----------------------------------===//
//
// What phase plan writes on kernels and their ops: the order of each sum and the
// partition into parts. Strategies are attributes of the target's dialect.
//
//===----------------------------------------------------------------------===//

#ifndef CORELLAMA_DIALECTS_LLAMA_IR_LLAMAPLAN
#define CORELLAMA_DIALECTS_LLAMA_IR_LLAMAPLAN

include "dialects/Llama/IR/LlamaAttributeBase.td"

def Llama_ScaleMode : I32EnumAttr<"ScaleMode", "where a scale is applied", [
    I32EnumAttrCase<"None", 0, "none">,
    I32EnumAttrCase<"Outer", 1, "outer">]> {
  let cppNamespace = "::corellama::llama";
  let genSpecializedAttr = 0;
}
def Llama_ReductionOrderAttr : Llama_Attr<"ReductionOrder", "reduction_order"> {
  let summary = "the order in which a sum is made, per element of the result";
  let description = [{
    The order fixes the bits of the sum. For a product, `unit` names the
    instructions, and each unit has one order for each format
    (`ContractionUnitInterface`):

    - `#cpu.fma`: blocks of `block` terms ascend; a block is one chain of fma from
      +0, ascending. Then, with `scale = outer`: acc = fma(sum, scale, acc), and
      where the format has minima acc = fma(minimum, sum of x, acc), the sum of x
      being one chain, ascending; without scales: acc = acc + sum.
    - `#cpu.dot_u8s8`: blocks of `block` terms ascend; a block is an exact sum of
      integers, the same in every order. Then acc = fma(float(sum),
      scale * d, acc) with d the row's own scale, and where the format has minima
      acc = fma(minimum, d * float(sum of q), acc). With `digits = 3` there are
      three such sums, which become one float32: fma(float(highest), 254^2,
      fma(float(next), 254, float(last))).
    - `#cpu.dot_bf16`: blocks of `block` = 2 terms ascend in one chain: acc =
      fma(x0, w0, fma(x1, w1, acc)), each fma with subnormal numbers as zeros.
    - `#cpu.amx_bf16`: blocks of `block` = 32 terms ascend; in a block the terms of
      even columns are one chain of fma from +0, those of odd columns another,
      ascending. Then acc = acc + (even + odd). Subnormal numbers are zeros.
    - `#cuda.simt`: lane j of `lanes` takes blocks j, j + lanes, ... ascending, a
      block being the 16 bytes of quants that one load brings; its terms are one
      chain of fma from +0, then scale and minimum as above, with the scale of
      the block's columns; columns of several scales are one chain each,
      ascending. A tree adds the lanes.
    - `#cuda.mma`: blocks ascend; a block is summed by the tensor core in steps of
      its own depth, in float32, in an order that the vendor leaves unspecified;
      without scales the blocks share one accumulator.

    A norm has no unit, and attention only that of tensor cores, which compute it then
    (`#cuda.mma`). `lanes = L`: lane j sums the terms j, j + L,
    ... ascending, then a fixed tree adds lane j and lane j + L/2, L halving.
    Attention with a `block` has its keys shared by lanes, each of which takes blocks
    of so many elements, and its values likewise: `tile.score_keys` and
    `tile.sum_values` have the orders that follow (docs/bits.md).
  }];
  let parameters = (ins
    DefaultValuedParameter<"::corellama::llama::ContractionUnitInterface",
                           "::corellama::llama::ContractionUnitInterface()">:$unit,
    DefaultValuedParameter<"int64_t", "0">:$block,
    DefaultValuedParameter<"::corellama::llama::ScaleMode",
                           "::corellama::llama::ScaleMode::None">:$scale,
    DefaultValuedParameter<"int64_t", "0">:$lanes
  );
  let assemblyFormat = "`<` struct(params) `>`";
  let genVerifyDecl = 1;
}

def Llama_PartitionOf : I32EnumAttr<"PartitionOf", "what a partition divides", [
    I32EnumAttrCase<"Weights", 0, "weights">, I32EnumAttrCase<"Keys", 1, "keys">,
    I32EnumAttrCase<"Rows", 2, "rows">]> {
  let cppNamespace = "::corellama::llama";
  let genSpecializedAttr = 0;
}

def Llama_PartitionAttr : Llama_Attr<"Partition", "partition"> {
  let summary = "how a kernel is partitioned into parts";
  let description = [{
    Parts are numbered from 0. Any worker may compute any part, so the partition
    does not depend on the number of workers.

    - `<rows = [2048, 256, 256], by = 32>`: rows of weights in groups; each group is
      divided into pieces of `by` rows, the last piece shorter; a part never spans two
      groups. Weights that one epilogue joins (gate and up) are one group. With
      `rows_by = 64` a part is one piece for one tile of 64 rows of the call; part =
      piece * tiles + tile, so that those of a piece follow each other, and whoever runs
      them reads its weights from memory once.
    - `<of = keys, by = 256, times = 3>`: blocks of `by` keys times 3 heads of
      keys and values; part = block * times + head.
    - `<of = rows, by = 8, times = 3>`: tiles of `by` rows of the call;
      part = tile * times + head.
  }];
  let parameters = (ins
    OptionalParameter<"::mlir::DenseI64ArrayAttr">:$rows,
    DefaultValuedParameter<"::corellama::llama::PartitionOf",
                           "::corellama::llama::PartitionOf::Weights">:$of,
    "int64_t":$by,
    DefaultValuedParameter<"int64_t", "1">:$times,
    DefaultValuedParameter<"int64_t", "0">:$rows_by
  );
  let assemblyFormat = "`<` struct(params) `>`";
  let genVerifyDecl = 1;
  let extraClassDeclaration = [{
    /// The number of parts of a call, from its rows (d0) and keys (d1).
    ::mlir::AffineMap getParts() const;
  }];
}

#endif
