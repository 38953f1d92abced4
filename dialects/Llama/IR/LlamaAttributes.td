//===- LlamaAttributes.td - formats, layouts, strategies, the model -------===//

#ifndef CORELLAMA_DIALECTS_LLAMA_IR_LLAMAATTRIBUTES
#define CORELLAMA_DIALECTS_LLAMA_IR_LLAMAATTRIBUTES

include "mlir/IR/AttrTypeBase.td"
include "mlir/IR/EnumAttr.td"
include "mlir/IR/BuiltinAttributeInterfaces.td"
include "dialects/Llama/IR/LlamaDialect.td"

class Llama_Attr<string name, string attrMnemonic, list<Trait> traits = []>
    : AttrDef<Llama_Dialect, name, traits> {
  let mnemonic = attrMnemonic;
}

//===----------------------------------------------------------------------===//
// Formats: what the bytes of a weight mean
//===----------------------------------------------------------------------===//

class Llama_Format<string name, string attrMnemonic>
    : Llama_Attr<name, attrMnemonic,
                 [DeclareAttrInterfaceMethods<Llama_FormatInterface>]>;

def Llama_F32Attr : Llama_Format<"F32", "f32"> {
  let summary = "IEEE 754 binary32";
}
def Llama_F16Attr : Llama_Format<"F16", "f16"> {
  let summary = "IEEE 754 binary16";
}
def Llama_BF16Attr : Llama_Format<"BF16", "bf16"> {
  let summary = "the upper half of a binary32";
}
def Llama_Q8_0Attr : Llama_Format<"Q8_0", "q8_0"> {
  let summary = "blocks of 32: value = scale * quant, 8-bit signed quants";
  let description = [{
    34 bytes a block (ggml's `block_q8_0`): an f16 scale, then 32 signed bytes.
  }];
}
def Llama_Q4_0Attr : Llama_Format<"Q4_0", "q4_0"> {
  let summary = "blocks of 32: value = scale * (quant - 8), 4-bit quants";
  let description = [{
    18 bytes a block (ggml's `block_q4_0`): an f16 scale, then 16 bytes; byte j
    has column j in its low and column j + 16 in its high nibble.
  }];
}
def Llama_Q4_1Attr : Llama_Format<"Q4_1", "q4_1"> {
  let summary = "blocks of 32: value = scale * quant + minimum, 4-bit quants";
  let description = [{
    20 bytes a block (ggml's `block_q4_1`): an f16 scale, an f16 minimum, then
    16 bytes with nibbles as in Q4_0.
  }];
}
def Llama_Q6_KAttr : Llama_Format<"Q6_K", "q6_k"> {
  let summary = "blocks of 256 in 16 parts: value = d * scale * (quant - 32), 6-bit quants";
  let description = [{
    210 bytes a block (ggml's `block_q6_K`): 128 bytes with the low four bits of
    the quants, 64 with the high two, 16 signed 8-bit scales (one for 16
    columns), an f16 d. With column c = 128 h + 32 g + i (h < 2, g < 4, i < 32):
    low bits in byte 64 h + 32 (g mod 2) + i, low nibble for g < 2; high bits in
    byte 32 h + i from bit 2 g; scale 8 h + 2 g + i / 16.
  }];
}

//===----------------------------------------------------------------------===//
// Layouts: the order of the bytes in the image and in memory
//===----------------------------------------------------------------------===//

class Llama_Layout<string name, string attrMnemonic>
    : Llama_Attr<name, attrMnemonic,
                 [DeclareAttrInterfaceMethods<Llama_LayoutInterface>]>;

def Llama_RowMajorAttr : Llama_Layout<"RowMajor", "rowmajor"> {
  let summary = "rows follow each other, each in the checkpoint's own blocks";
  let description = [{
    For weights: the bytes of the checkpoint. For the cache's values: positions
    follow each other, the elements of a head side by side, padded to 16.
  }];
}
def Llama_Rows16Attr : Llama_Layout<"Rows16", "rows16"> {
  let summary = "groups of 16 rows interleaved, one contiguous stream each";
  let description = [{
    A group of 16 rows (the last one padded with zeros) is one contiguous stream;
    groups follow each other. In a group blocks of columns ascend, so that a
    worker reads ahead along k and never jumps. `k` consecutive columns of a row
    stand side by side, then the next row's: 16 rows x 4 bytes of quants are one
    512-bit vector, whose 32-bit lane r belongs to row r.

    Quants (k = 4), one block of 32 columns of 16 rows:
    ```
    Q4_0 288 B: | 16 f16 scales | P0 .. P3 |    Pp: byte 4r+j: low nibble row r,
    Q4_1 320 B: | scales | 16 f16 minima | P0 .. P3 |  column 4p+j; high nibble
                                                       column 16+4p+j
    Q8_0 544 B: | scales | Q0 .. Q7 |           Qp: byte 4r+j: row r, column 4p+j
    ```
    Q6_K (k = 4), 16 rows x 256 columns, 3360 bytes: 16 f16 d, 16 parts of 16
    scales (signed bytes, row r of part s at 16 s + r), then for each pair of
    16-column parts (2t, 2t + 1): 4 vectors of 64 bytes whose byte 4r+j holds
    the low four bits of columns 32t+4p+j (low nibble) and 32t+16+4p+j (high
    nibble), then 2 vectors of 64 bytes for the high two bits: byte 4r+j of
    vector v holds columns 32t + 16v + {0, 4, 8, 12} + j from bits 0, 2, 4, 6.

    Plain numbers: F32 and F16 with k = 1: column c of the group is 16
    consecutive numbers. BF16 with k = 2: a pair of columns (2p, 2p+1) of row r
    is one 32-bit lane; an odd last column is padded with zero.
  }];
  let parameters = (ins "int64_t":$k);
  let assemblyFormat = "`<` `k` `=` $k `>`";
}
def Llama_RowMajorSplitAttr : Llama_Layout<"RowMajorSplit", "rowmajor_split"> {
  let summary = "row by row, quants apart from scales, each plane's row padded to 16 bytes";
  let description = [{
    One region for each plane, in the format's order; in a region rows follow
    each other, each padded to 16 bytes, so that a warp reads 16 bytes a lane
    from aligned addresses. Inside a row fields stand as `locateInBlock` has
    them, blocks side by side; but for the quants of Q6_K, whose halves of a byte
    are 64 columns apart in the checkpoint. Here a block of 32 columns is 16 bytes
    of low bits as in Q4_0, and 8 bytes of high bits: byte 4 h + j has those of
    columns 16 h + {0, 4, 8, 12} + j from bits 0, 2, 4, 6.
  }];
}
def Llama_Keys16Attr : Llama_Layout<"Keys16", "keys16"> {
  let summary = "the cache's keys: groups of 16 positions, element by element";
  let description = [{
    A group of 16 positions of a head is [head size / d][16 positions][d]
    elements: a vector holds the same element of 16 positions, so scores need no
    sum across lanes.
  }];
  let parameters = (ins "int64_t":$d);
  let assemblyFormat = "`<` `d` `=` $d `>`";
}

//===----------------------------------------------------------------------===//
// Order, cut, strategy: how a kernel runs
//===----------------------------------------------------------------------===//

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

def Llama_OrderAttr : Llama_Attr<"Order", "order"> {
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

def Llama_CutAttr : Llama_Attr<"Cut", "cut"> {
  let summary = "how a kernel is cut into parts";
  let description = [{
    Parts are numbered from 0; who computes which part is free, so nothing here
    may depend on the number of workers.

    - `<rows = [2048, 256, 256], by = 32>`: rows of weights in groups; each group
      is cut into pieces of `by` rows, the last one shorter; a part never spans
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

def Llama_CPUAttr : Llama_Attr<"CPU", "cpu", [Llama_TileInterface]> {
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
    // TileInterface; m and n are parameters.
    bool keepsPanels() const;
    bool keepsBlockSums() const;
    int64_t getValueGroups(int64_t rows) const;
  }];
  // Parsed like a struct with defaults; printed whole, because what a kernel
  // runs with should be read, not known.
  let hasCustomAssemblyFormat = 1;
}

def Llama_GPUAttr : Llama_Attr<"GPU", "gpu", [Llama_TileInterface]> {
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
    // TileInterface; m and n are parameters.
    bool keepsPanels() const;
    bool keepsBlockSums() const;
    int64_t getValueGroups(int64_t rows) const;
  }];
  let assemblyFormat = "`<` struct(params) `>`";
  let genVerifyDecl = 1;
}

//===----------------------------------------------------------------------===//
// The model and its target, on the module
//===----------------------------------------------------------------------===//

def Llama_ConfigAttr : Llama_Attr<"Config", "config"> {
  let summary = "the sizes of a model, as its checkpoint has them";
  let parameters = (ins
    "int64_t":$dim, "int64_t":$heads, "int64_t":$kv_heads, "int64_t":$head_size,
    "int64_t":$hidden, "int64_t":$vocabulary, "int64_t":$layers,
    "int64_t":$context_length, "::mlir::FloatAttr":$eps, "::mlir::FloatAttr":$rope_base
  );
  let assemblyFormat = "`<` struct(params) `>`";
  let genVerifyDecl = 1;
}

def Llama_TargetAttr : Llama_Attr<"Target", "target"> {
  let summary = "the machine that code is generated for";
  let description = [{
    Stamped on the module by the driver before `specialize`, as
    `llama.target`. `name` as on the command line, `features` in LLVM's spelling
    ("+avx2,+fma"; "+ptx80" for a GPU). Of a CPU also `vector_bits`, the widest
    vector that code should use, and `l2_bytes`, the cache of a core that a
    worker may fill; of a GPU `workgroup_bytes`, the most workgroup memory of a
    block (0: not known). How its kernels run is the table of its family
    (`StrategyInterface`).
  }];
  let parameters = (ins
    "::corellama::llama::Family":$family, "::mlir::StringAttr":$name,
    DefaultValuedParameter<"::mlir::StringAttr", "::mlir::StringAttr()">:$features,
    DefaultValuedParameter<"int64_t", "0">:$vector_bits,
    DefaultValuedParameter<"int64_t", "0">:$l2_bytes,
    DefaultValuedParameter<"int64_t", "0">:$workgroup_bytes
  );
  let assemblyFormat = "`<` struct(params) `>`";
}

def Llama_EntryAttr : Llama_Attr<"Entry", "entry"> {
  let summary = "the functions of one form of the model";
  let description = [{
    `rows`: the rows of a call: 1, or at most so many. `of[l]` is the index in
    `layers` of the function of layer l: layers whose weights have the same
    formats share one.
  }];
  let parameters = (ins
    "::mlir::StringAttr":$name, "int64_t":$rows,
    "::mlir::FlatSymbolRefAttr":$embed, "::mlir::ArrayAttr":$layers,
    "::mlir::DenseI32ArrayAttr":$of, "::mlir::FlatSymbolRefAttr":$head
  );
  let assemblyFormat = "`<` struct(params) `>`";
}

#endif
