//===- LlamaPlan.td - how a kernel runs -----------------------------------===//
//
// What phase plan writes on kernels and their ops: the order of each sum, the
// partition into parts, the strategy.
//
//===----------------------------------------------------------------------===//

#ifndef CORELLAMA_DIALECTS_LLAMA_IR_LLAMAPLAN
#define CORELLAMA_DIALECTS_LLAMA_IR_LLAMAPLAN

include "dialects/Llama/IR/LlamaAttributeBase.td"

def Llama_ScaleMode : I32EnumAttr<"ScaleMode", "where a scale is applied", [
    I32EnumAttrCase<"None", 0, "none">,
    I32EnumAttrCase<"Outer", 1, "outer">,
    I32EnumAttrCase<"Inner", 2, "inner">]> {
  let cppNamespace = "::corellama::llama";
  let genSpecializedAttr = 0;
}
def Llama_Unit : I32EnumAttr<"Unit", "the arithmetic unit of a contraction", [
    I32EnumAttrCase<"F32", 0, "f32">, I32EnumAttrCase<"VNNI", 1, "vnni">,
    I32EnumAttrCase<"BF16", 2, "bf16">, I32EnumAttrCase<"AMX", 3, "amx">,
    I32EnumAttrCase<"SIMT", 4, "simt">, I32EnumAttrCase<"MMA", 5, "mma">]> {
  let cppNamespace = "::corellama::llama";
  let genSpecializedAttr = 0;
}
def Llama_Family : I32EnumAttr<"Family", "a family of targets", [
    I32EnumAttrCase<"CPU", 0, "cpu">, I32EnumAttrCase<"GPU", 1, "gpu">]> {
  let cppNamespace = "::corellama::llama";
  let genSpecializedAttr = 0;
}

def Llama_ReductionOrderAttr : Llama_Attr<"ReductionOrder", "reduction_order"> {
  let summary = "the order in which a sum is made, per element of the result";
  let description = [{
    A promise about bits. Blocks of `block` terms ascend; in a block, chain c of
    `chains` sums its contiguous share by fma from +0, ascending; chains add left
    to right. Then, with `scale = outer`: acc = fma(sum, scale, acc), and where
    the format has minima acc = fma(minimum, sum of x, acc), the sum of x being
    one chain, ascending; without scales: acc = acc + sum. With `inner`:
    acc = fma(w, x, acc), w dequantised and rounded to float32.
    `lanes = L`: lane j sums the terms j, j + L, ... ascending, then a fixed
    tree adds lane j and lane j + L/2, L halving.

    That is the unit `f32`; the others have orders of their own.

    - `unit = simt`: lane j of L takes blocks j, j + L, ... ascending, a block
      being the 16 bytes of quants that one load brings; its terms are one chain
      of fma from +0, then scale and minimum as above, the scale being that of
      the block's columns, and columns of several scales one chain each,
      ascending; the tree adds the lanes.
    - `unit = mma`: blocks ascend; a block is summed by the tensor core in steps
      of its own depth, in float32, in the order that its maker does not say;
      without scales the blocks are not summed apart.
  }];
  let parameters = (ins
    DefaultValuedParameter<"::corellama::llama::Unit",
                           "::corellama::llama::Unit::F32">:$unit,
    DefaultValuedParameter<"int64_t", "0">:$block,
    DefaultValuedParameter<"int64_t", "1">:$chains,
    DefaultValuedParameter<"::corellama::llama::ScaleMode",
                           "::corellama::llama::ScaleMode::None">:$scale,
    DefaultValuedParameter<"int64_t", "0">:$lanes
  );
  let assemblyFormat = "`<` struct(params) `>`";
  let genVerifyDecl = 1;
}

def Llama_PartitionAttr : Llama_Attr<"Partition", "partition"> {
  let summary = "how a kernel is partitioned into parts";
  let description = [{
    Parts are numbered from 0; who computes which part is free, so nothing here
    may depend on the number of workers.

    - `<rows = [2048, 256, 256], by = 32>`: rows of weights in groups; each group
      is partitioned into pieces of `by` rows, the last one shorter; a part never spans
      two groups. Weights that one epilogue joins (gate and up) are one group.
      With `rows_by = 64` those pieces times tiles of 64 rows of the call;
      part = tile * pieces + piece.
    - `<of = keys, by = 256, times = 3>`: blocks of `by` keys times 3 heads of
      keys and values; part = block * times + head.
    - `<of = rows, by = 8, times = 3>`: tiles of `by` rows of the call;
      part = tile * times + head.
  }];
  let parameters = (ins
    OptionalArrayRefParameter<"int64_t">:$rows,
    DefaultValuedParameter<"::mlir::StringAttr", "::mlir::StringAttr()">:$of,
    "int64_t":$by,
    DefaultValuedParameter<"int64_t", "1">:$times,
    DefaultValuedParameter<"int64_t", "0">:$rows_by
  );
  let hasCustomAssemblyFormat = 1;
  let genVerifyDecl = 1;
  let extraClassDeclaration = [{
    /// Parts of a call with so many rows and keys; dimensions 0 and 1.
    ::mlir::AffineMap getParts() const;
    bool isOfKeys() const { return getOf() && getOf().getValue() == "keys"; }
    bool isOfRows() const { return getOf() && getOf().getValue() == "rows"; }
  }];
}

def Llama_CPUAttr : Llama_Attr<"CPU", "cpu", [Llama_TileShapeInterface]> {
  let summary = "how a kernel runs on a CPU";
  let description = [{
    `unit`: the arithmetic; `m` x `n`: rows of x by rows of the weight in one
    register tile.
  }];
  let parameters = (ins
    DefaultValuedParameter<"::corellama::llama::Unit",
                           "::corellama::llama::Unit::F32">:$unit,
    DefaultValuedParameter<"int64_t", "1">:$m,
    DefaultValuedParameter<"int64_t", "16">:$n
  );
  let extraClassDeclaration = [{
    // TileShapeInterface; m and n are parameters.
    bool keepsPanels() const;
    bool keepsBlockSums() const;
    int64_t getValueGroups(int64_t rows) const;
  }];
  // Parsed like a struct with defaults; printed whole, because what a kernel
  // runs with should be read, not known.
  let hasCustomAssemblyFormat = 1;
}

def Llama_GPUAttr : Llama_Attr<"GPU", "gpu", [Llama_TileShapeInterface]> {
  let summary = "how a kernel runs on a GPU";
  let description = [{
    `unit`: simt or mma. `threads` a block, a power of two, 32 to 1024;
    `m` x `n`: the tile of a block; `k`: the depth of a stage in shared memory,
    of which there are `stages`.
  }];
  let parameters = (ins
    "::corellama::llama::Unit":$unit, "int64_t":$threads,
    DefaultValuedParameter<"int64_t", "1">:$m,
    DefaultValuedParameter<"int64_t", "0">:$n,
    DefaultValuedParameter<"int64_t", "0">:$k,
    DefaultValuedParameter<"int64_t", "1">:$stages
  );
  let extraClassDeclaration = [{
    // TileShapeInterface; m and n are parameters.
    bool keepsPanels() const;
    bool keepsBlockSums() const;
    int64_t getValueGroups(int64_t rows) const;
  }];
  let assemblyFormat = "`<` struct(params) `>`";
  let genVerifyDecl = 1;
}

#endif
