//===- TileOps.td - the ops of a kernel's body ----------------------------===//
//
// What scf, arith, math, vector and memref lack to write a kernel's body for any
// target: access to memory (context, buffers, weights, cache, scratch), a norm's
// work on whole rows (sum, stage), and the loops over k, which each target
// lowers in its own way (contract, score_keys, sum_values).
//
//===----------------------------------------------------------------------===//

#ifndef CORELLAMA_DIALECTS_TILE_IR_TILEOPS
#define CORELLAMA_DIALECTS_TILE_IR_TILEOPS

include "mlir/IR/AttrTypeBase.td"
include "mlir/IR/OpBase.td"
include "mlir/Interfaces/InferTypeOpInterface.td"
include "mlir/Interfaces/SideEffectInterfaces.td"
include "dialects/Llama/IR/LlamaOpBase.td"

def Tile_Dialect : Dialect {
  let name = "tile";
  let cppNamespace = "::corellama::tile";
  let summary = "the body of a kernel, before a target's instructions";
  let description = [{
    A kernel is a function `(context, layer, begin, end)` that computes parts
    begin to end of its work. Its body is scf, arith and math on builtin
    vectors (RoPE, SwiGLU and residuals are vector arithmetic), and the ops of
    this dialect. A vector of m x n is a tile: m rows of the call, n rows of a
    weight. The loop over k is inside `contract`, because a target's unit decides
    the loop's shape; the op's `order` fixes the order of its sums.

    Weights, caches, rows and panels are handles: names of memory. Each is used
    where the op that makes it (`weight`, `cache`, `buffer_rows` or `stage`,
    `panel`) can be seen, never as a block's argument or a result of control flow.

    No tensors are left in this phase. The description of an op defines its
    result in real numbers; `#llama.reduction_order` fixes the summation order,
    and with it the bits.
  }];
  // Reduction orders and weight types of llama appear in tile's textual form.
  let dependentDialects = ["::corellama::llama::LlamaDialect"];
  let useDefaultTypePrinterParser = 1;
}

class Tile_Type<string name, string typeMnemonic> : TypeDef<Tile_Dialect, name> {
  let mnemonic = typeMnemonic;
}
def Tile_ContextType : Tile_Type<"Context", "context"> {
  let summary = "the context a kernel is called with";
  let description = [{
    The struct of `runtime/ABI/Kernel.h`, whose fields only the lowering knows.
  }];
}
def Tile_RowsType : Tile_Type<"Rows", "rows"> {
  let summary = "rows of activations as a contraction reads them";
  let description = [{
    `!tile.rows<512x576xf32>`: at most 512 rows of 576 columns, of any type of
    activations, in a buffer or staged in scratch.
  }];
  let parameters = (ins "int64_t":$rows, "int64_t":$columns, "::mlir::Type":$elementType);
  let assemblyFormat = "`<` custom<Extents>($rows, $columns, \"true\") `` $elementType `>`";
}
def Tile_PanelType : Tile_Type<"Panel", "panel"> {
  let summary = "a range of a weight's rows, decoded in scratch for a unit";
  let description = [{
    `!tile.panel<16x576, #llama.q4_1, #cpu.fma>`: 16 rows, decoded as the unit
    reads them (`#cpu.fma`: quants as f32, scales and minima beside them), so that
    many tiles of rows reuse the decoding.
  }];
  let parameters = (ins "int64_t":$rows, "int64_t":$columns,
                        "::corellama::llama::FormatInterface":$format,
                        "::corellama::llama::ContractionUnitInterface":$unit);
  let assemblyFormat = [{
    `<` custom<Extents>($rows, $columns, "false") `,` $format `,` $unit `>`
  }];
}

def Tile_ResolvesHandles : NativeOpTrait<"ResolvesHandles"> {
  let cppNamespace = "::corellama::tile";
}

class Tile_Op<string opMnemonic, list<Trait> traits = []>
    : Llama_PhasedOp<Tile_Dialect, opMnemonic, Llama_TilePhases,
                     traits # [Tile_ResolvesHandles]>;

def Tile_F32Memory : StaticShapeMemRefOf<[F32]>;
// Memory of a buffer may be written as f16 or bf16 (rounded rows, read by
// `buffer_rows`); all other memory is f32.
def Tile_BufferMemory : StaticShapeMemRefOf<[F32, F16, BF16]>;
def Tile_Tile : VectorOfRankAndType<[2], [F32]>;
def Tile_StoredTile : VectorOfRankAndType<[2], [F32, F16, BF16]>;
def Tile_PerRow : VectorOfRankAndType<[1], [F32]>;

//===----------------------------------------------------------------------===//
// What the runtime provides
//===----------------------------------------------------------------------===//

class Tile_Count<string opMnemonic> : Tile_Op<opMnemonic, [Pure]> {
  let arguments = (ins Tile_ContextType:$ctx);
  let results = (outs Index:$result);
  let assemblyFormat = "$ctx attr-dict";
}
def Tile_RowCountOp : Tile_Count<"row_count"> {
  let summary = "rows of this call";
  let description = [{
    At most the bound of the kernel's step. In a head, the rows that are wanted.
  }];
}
def Tile_KeyCountOp : Tile_Count<"key_count"> {
  let summary = "positions filled after this call: the last position + 1";
  let description = [{
    Keys and values of these positions are in the cache when attention runs.
  }];
}
class Tile_OfRow<string opMnemonic> : Tile_Op<opMnemonic, [Pure]> {
  let arguments = (ins Tile_ContextType:$ctx, Index:$row);
  let results = (outs Index:$result);
  let assemblyFormat = "$ctx `[` $row `]` attr-dict";
}
def Tile_PositionOp : Tile_OfRow<"position"> {
  let summary = "the position of a row; positions of a call are consecutive";
  let description = [{
    Row r of a call has the position of row 0 plus r.
  }];
}
def Tile_WantedRowOp : Tile_OfRow<"wanted_row"> {
  let summary = "the row of the last call that a row of a head is made from";
  let description = [{
    A head's rows are those whose logits are wanted, in the order of the runtime's list.
  }];
}
def Tile_TokenOp : Tile_OfRow<"token"> {
  let summary = "the token id of a row, below the vocabulary: the runtime checks it";
  let description = [{
    The embedding reads the row of its weight that has this number.
  }];
}

//===----------------------------------------------------------------------===//
// Access to memory
//===----------------------------------------------------------------------===//

class Tile_BufferHandle<string opMnemonic>
    : Tile_Op<opMnemonic, [Pure, Llama_MemoryHandleInterface]> {
  let extraClassDeclaration = [{
    ::mlir::FlatSymbolRefAttr getHandleBuffer() { return getBufferAttr(); }
    ::mlir::IntegerAttr getHandleOffset() { return getAtAttr(); }
  }];
}
def Tile_BufferOp : Tile_BufferHandle<"buffer"> {
  let summary = "the memory of a buffer, seen in any static shape of its size";
  let description = [{
    `at` is the buffer's first byte in the workspace. The shape may differ from the declared
    one: a row of heads, for example, can be viewed as one row for each head.
  }];
  let arguments = (ins Tile_ContextType:$ctx, FlatSymbolRefAttr:$buffer, I64Attr:$at);
  let results = (outs Tile_BufferMemory:$result);
  let assemblyFormat = "$ctx $buffer `at` $at attr-dict `:` type($result)";
}
def Tile_BufferRowsOp : Tile_BufferHandle<"buffer_rows"> {
  let summary = "the rows of a buffer as a contraction reads them";
  let description = [{
    As `tile.buffer`, for the operand `rows` of a contraction, whose lowering decides how rows
    are loaded.
  }];
  let arguments = (ins Tile_ContextType:$ctx, FlatSymbolRefAttr:$buffer, I64Attr:$at);
  let results = (outs Tile_RowsType:$result);
  let assemblyFormat = "$ctx $buffer `at` $at attr-dict `:` type($result)";
}
def Tile_ScratchOp : Tile_Op<"scratch"> {
  let summary = "memory of the worker, until the end of the call";
  let description = [{
    Stands at the top level of a kernel. Not initialised. Rows are 64-byte
    aligned only if the size of a row is a multiple of 64 bytes.
  }];
  let results = (outs Res<Tile_F32Memory, "", [MemAlloc]>:$result);
  let assemblyFormat = "attr-dict `:` type($result)";
}
def Tile_WeightOp : Tile_Op<"weight", [Pure]> {
  let summary = "a weight of the image, by its index in the table of offsets";
  let description = [{
    The table of offsets has one entry for each weight and layer; `index` is the entry of the
    first layer and `layer` is added to it. `layout` is the order of the bytes there.
  }];
  let arguments = (ins Tile_ContextType:$ctx, SymbolRefAttr:$weight,
    Optional<Index>:$layer, AnyAttr:$layout, I64Attr:$index);
  let results = (outs Llama_WeightType:$result);
  let assemblyFormat = [{
    $ctx $weight (`[` $layer^ `]`)? attr-dict `:` type($result) `in` $layout
    `index` $index
  }];
}
def Tile_CacheOp : Tile_Op<"cache", [Pure, Llama_MemoryHandleInterface]> {
  let summary = "the cache of a layer";
  let description = [{
    Keys and values of one layer, in the layouts of `llama.cache_layout`. `apart`:
    regions of layers differ in size, and the context says where the layer's begins.
    In a ring of R positions, position p stands at place p mod R; without one, places
    are positions.

    (A1) a ring is `apart`.
  }];
  let arguments = (ins Tile_ContextType:$ctx, Index:$layer,
    Llama_KVCacheLayoutAttr:$keys, Llama_KVCacheLayoutAttr:$values, UnitAttr:$apart);
  let results = (outs Llama_CacheType:$result);
  let assemblyFormat = [{
    $ctx `[` $layer `]` attr-dict `:` type($result) `keys` $keys `values` $values
    (`apart` $apart^)?
  }];
  let hasVerifier = 1;
  let extraClassDeclaration = [{
    /// Heads of the region that holds the layer: of all layers, or of it alone.
    int64_t getRegionHeads() {
      auto type = ::llvm::cast<::corellama::llama::CacheType>(getType());
      return type.getHeads() * (getApart() ? 1 : type.getLayers());
    }
    ::mlir::FlatSymbolRefAttr getHandleBuffer() { return {}; }
    ::mlir::IntegerAttr getHandleOffset() { return {}; }
  }];
}

//===----------------------------------------------------------------------===//
// Operations on whole rows, for norms
//===----------------------------------------------------------------------===//

def Tile_SumOp : Tile_Op<"sum", [SingleBlock, RecursiveMemoryEffects]> {
  let summary = "the sum over a row of what the region makes of each element";
  let description = [{
    For each of m rows from `row`: sum over all columns of region(x), in the
    written order: lane j of `lanes` sums columns j mod lanes ascending from +0,
    then the tree adds lane j and lane j + lanes/2, halving.
  }];
  let arguments = (ins Arg<Tile_F32Memory, "", [MemRead]>:$source, Index:$row,
                       Llama_ReductionOrderAttr:$order);
  let results = (outs Tile_PerRow:$result);
  let regions = (region SizedRegion<1>:$body);
  let assemblyFormat = [{
    $source `[` $row `]` `order` $order attr-dict `:` type($source) `->` type($result) $body
  }];
  let hasVerifier = 1;
}
def Tile_StageOp : Tile_Op<"stage", [SingleBlock, RecursiveMemoryEffects, AttrSizedOperandSegments]> {
  let summary = "an elementwise map of whole rows into worker memory";
  let description = [{
    For each row and column: region(x, one value of each per-row vector, one of
    each per-column weight), as it is or rounded to bf16,
    q8b32 or x24b32. Rows are `row`, `row + every`, `row + 2 every`, ...: the heads of one position, or
    one head of consecutive positions, are such rows of a buffer. They stay until
    the end of the call, or until this op runs again.
  }];
  let arguments = (ins Arg<Tile_F32Memory, "", [MemRead]>:$source, Index:$row,
    DefaultValuedAttr<I64Attr, "1">:$every,
    Variadic<Tile_PerRow>:$perRow, Variadic<Llama_WeightType>:$perColumn);
  let results = (outs Res<Tile_RowsType, "", [MemAlloc]>:$result);
  let regions = (region SizedRegion<1>:$body);
  let assemblyFormat = [{
    $source `[` $row `]` (`every` $every^)? (`rows` `(` $perRow^ `:` type($perRow) `)`)?
    (`columns` `(` $perColumn^ `:` type($perColumn) `)`)? attr-dict `:` type($source)
    `->` type($result) $body
  }];
  let hasVerifier = 1;
}
def Tile_RoundRowsOp : Tile_Op<"round_rows"> {
  let summary = "round rows of float32 to rows of q8b32 or x24b32";
  let description = [{
    Rows 0 to `count` of the source become rows `row`, `row + 1`, ... of the
    target, from its column `column` on; columns that the target does not have are
    left out. Widths and `column` are whole blocks of 32 columns. How a block is rounded
    is `llama.quantize`'s.
  }];
  let arguments = (ins Arg<Tile_F32Memory, "", [MemRead]>:$source,
    Arg<Tile_RowsType, "", [MemWrite]>:$target, Index:$row, Index:$column,
    Index:$count);
  let assemblyFormat = [{
    $source `,` $target `[` $row `,` $column `]` `count` $count attr-dict `:`
    type($source) `,` type($target)
  }];
  let hasVerifier = 1;
}
def Tile_YieldOp : Tile_Op<"yield", [Pure, Terminator, ParentOneOf<["SumOp", "StageOp"]>]> {
  let summary = "ends the region of a sum or a stage";
  let description = [{
    Its operand is the value that is summed, or stored.
  }];
  let arguments = (ins F32:$value);
  let assemblyFormat = "$value attr-dict";
}
def Tile_ReduceLanesOp : Tile_Op<"reduce_lanes", [Pure]> {
  let summary = "the lanes of each row added, or their maximum";
  let description = [{
    `add` goes by a fixed tree: lane j and lane j + L/2, L halving until one is
    left. `max` of values without NaN is the same in any order.
  }];
  let arguments = (ins StrAttr:$kind, Tile_Tile:$source);
  let results = (outs Tile_PerRow:$result);
  let assemblyFormat = "$kind $source attr-dict `:` type($source) `->` type($result)";
  let hasVerifier = 1;
}
def Tile_BroadcastRowsOp : Tile_Op<"broadcast_rows", [Pure]> {
  let summary = "one value a row, in all columns";
  let description = [{
    `result[i, j] = source[i]`.
  }];
  let arguments = (ins VectorOfRankAndType<[1], [F32, I1]>:$source);
  let results = (outs VectorOfRankAndType<[2], [F32, I1]>:$result);
  let assemblyFormat = "$source attr-dict `:` type($source) `->` type($result)";
}
def Tile_ColumnValuesOp : Tile_Op<"column_values", [MemoryEffects<[MemRead]>]> {
  let summary = "elements of a per-column weight, such as a norm's, in each row of a tile";
  let description = [{Elements past the weight's last are zero.}];
  let arguments = (ins Llama_WeightType:$weight, Index:$first);
  let results = (outs Tile_Tile:$result);
  let assemblyFormat = "$weight `[` $first `]` attr-dict `:` type($weight) `->` type($result)";
}
def Tile_BlockSumsOp : Tile_Op<"block_sums"> {
  let summary = "the sum of each block of columns of rows 0 to count";
  let description = [{
    One chain a block, columns ascending from +0. A product multiplies a
    format's minima by these sums; they are made once a call, for all tiles.
  }];
  let arguments = (ins Arg<Tile_RowsType, "", [MemRead]>:$rows, Index:$count,
    I64Attr:$block);
  let results = (outs Res<Tile_F32Memory, "", [MemAlloc]>:$result);
  let assemblyFormat = [{
    $rows `,` $count `block` $block attr-dict `:` type($rows) `->` type($result)
  }];
}

//===----------------------------------------------------------------------===//
// The loops over k
//===----------------------------------------------------------------------===//

def Tile_PanelOp : Tile_Op<"panel"> {
  let summary = "decode 16 rows of a weight once, to reuse them over row tiles";
  let description = [{
    Where several tiles of rows are multiplied by the same rows of a weight, decoding them
    once is cheaper. The unit says whether it uses panels (`usesPanels`), and its lowering
    decides what they hold.
  }];
  let arguments = (ins Llama_WeightType:$weight, Index:$first);
  let results = (outs Res<Tile_PanelType, "", [MemAlloc]>:$result);
  let assemblyFormat = "$weight `[` $first `]` attr-dict `:` type($weight) `->` type($result)";
}
def Tile_ContractOp : Tile_Op<"contract", [MemoryEffects<[MemRead]>]> {
  let summary = "a tile of a product: m rows of x by n rows of a weight, over all of k";
  let description = [{
    result[i, j] = sum_k rows[row + i, k] * weight[first + j, k], each element in
    the written order. The weight is in memory or is a decoded panel; then
    `first` counts from the panel's first row. The order names the unit, and the
    verifier asks the unit for the type of the rows, the formats, the order
    itself, and whether it needs `sums` (of `block_sums`). Rows beyond the
    weight's last are padding of the image and give zeros or unused values; rows
    beyond the call's are computed and not stored.
  }];
  let arguments = (ins Tile_RowsType:$rows, Index:$row,
    AnyTypeOf<[Llama_WeightType, Tile_PanelType]>:$weight, Index:$first,
    Optional<Tile_F32Memory>:$sums, Llama_ReductionOrderAttr:$order);
  let results = (outs Tile_Tile:$result);
  let assemblyFormat = [{
    $rows `[` $row `]` `,` $weight `[` $first `]` (`sums` `(` $sums^ `:` type($sums) `)`)?
    `order` $order attr-dict `:` type($rows) `,` type($weight) `->` type($result)
  }];
  let hasVerifier = 1;
}
def Tile_ScoreKeysOp : Tile_Op<"score_keys", [MemoryEffects<[MemRead]>]> {
  let summary = "m rows of a query by n keys of a head, over the head's elements";
  let description = [{
    result[i, j] = sum_d rows[row + i, d] * key[head, first + j, d], one chain of
    fma from +0, d ascending. `first` is a place of the cache and a multiple of n.
    With an `order` lane l of `lanes` takes the elements of blocks l, l + lanes, ...
    of `block` elements in such a chain, and a tree adds the lanes; with the order of a
    unit, the unit sums as it does (docs/bits.md).
  }];
  let arguments = (ins Tile_RowsType:$rows, Index:$row, Llama_CacheType:$cache, Index:$head,
                       Index:$first, OptionalAttr<Llama_ReductionOrderAttr>:$order);
  let results = (outs Tile_Tile:$result);
  let assemblyFormat = [{
    $rows `[` $row `]` `,` $cache `[` $head `,` $first `]` (`order` $order^)? attr-dict `:`
    type($rows) `,` type($cache) `->` type($result)
  }];
}
def Tile_SumValuesOp : Tile_Op<"sum_values", [MemoryEffects<[MemRead]>]> {
  let summary = "weighted sum of a head's values over keys: n of its elements";
  let description = [{
    result[i, j] = sum over keys p < limit_i of weights[i, p] *
    value[head, first + p, element + j], one chain of fma from +0, p ascending;
    limit_i = max(0, min(count + i * advance, columns of weights)). Row i of a
    tile of consecutive positions sees i keys more than row 0, so `advance` is 1
    there and 0 where all rows are heads of one position. With `window = W` keys
    p < count + i * advance - W are left out, too. A value outside of a row's
    keys is not multiplied: 0 x inf would leak from other rows. `first` is a place
    of the cache. With an `order` chain l of `lanes` takes keys l, l + lanes, ..., a
    value outside of a row's keys being +0, and a tree adds the chains. With the order of
    a unit the weights are a tile, those outside of a row's keys are +0, and all are
    multiplied, but for keys that the cache does not have yet.

    (A1) weights are a tile where the order has a unit, and else in memory.
  }];
  let arguments = (ins AnyTypeOf<[Tile_F32Memory, Tile_Tile]>:$weights,
    Llama_CacheType:$cache, Index:$head,
    Index:$first, Index:$element, Index:$count, I64Attr:$advance,
    OptionalAttr<I64Attr>:$window, OptionalAttr<Llama_ReductionOrderAttr>:$order);
  let results = (outs Tile_Tile:$result);
  let assemblyFormat = [{
    $weights `,` $cache `[` $head `,` $first `,` $element `]` `count` $count
    `advance` $advance (`window` $window^)? (`order` $order^)? attr-dict `:`
    type($weights) `,` type($cache) `->` type($result)
  }];
  let hasVerifier = 1;
}
def Tile_DecodeOp : Tile_Op<"decode", [MemoryEffects<[MemRead]>]> {
  let summary = "values of one row of a weight, dequantised to f32";
  let description = [{
    result[0, j] = weight[row, column + j]; columns past the weight's last are
    unspecified, and not read.
  }];
  let arguments = (ins Llama_WeightType:$weight, Index:$row, Index:$column);
  let results = (outs ConfinedType<Tile_Tile,
    [CPred<"::llvm::cast<::mlir::VectorType>($_self).getDimSize(0) == 1">],
    "a tile of one row">:$result);
  let assemblyFormat = [{
    $weight `[` $row `,` $column `]` attr-dict `:` type($weight) `->` type($result)
  }];
}

//===----------------------------------------------------------------------===//
// Epilogues
//===----------------------------------------------------------------------===//

def Tile_RopeRowOp : Tile_Op<"rope_row", [MemoryEffects<[MemRead]>]> {
  let summary = "cosines or signed sines for a tile, by position and column";
  let description = [{
    Element (i, j) belongs to row `row` + i and column `first` + j; the table
    repeats for each head, so a tile may begin and end in any head. With `sine`
    the value includes the rotation's sign: -sin for even columns.
  }];
  let arguments = (ins Tile_ContextType:$ctx, Index:$row, Index:$first,
                       I64Attr:$head, UnitAttr:$sine);
  let results = (outs Tile_Tile:$result);
  let assemblyFormat = [{
    $ctx `[` $row `,` $first `]` `head` $head (`sine` $sine^)? attr-dict `:` type($result)
  }];
}
def Tile_SwapPairsOp : Tile_Op<"swap_pairs", [Pure, SameOperandsAndResultType]> {
  let summary = "(a, b) -> (b, a) for each pair of columns";
  let description = [{
    `result[i, 2 j] = source[i, 2 j + 1]` and back: the partner of each element in RoPE.
  }];
  let arguments = (ins Tile_Tile:$source);
  let results = (outs Tile_Tile:$result);
  let assemblyFormat = "$source attr-dict `:` type($source)";
}
def Tile_CausalMaskOp : Tile_Op<"causal_mask", [Pure]> {
  let summary = "key + j <= position + i * advance (< key + j + window)";
  let description = [{Element (i, j) is for row i; a result of rank 1 has one element a row, j = 0.}];
  let arguments = (ins Index:$key, Index:$position, I64Attr:$advance,
    OptionalAttr<I64Attr>:$window);
  let results = (outs VectorOfRankAndType<[1, 2], [I1]>:$result);
  let assemblyFormat = [{
    $key `,` $position `advance` $advance (`window` $window^)? attr-dict `:` type($result)
  }];
}
def Tile_LoadOp : Tile_Op<"load", [AttrSizedOperandSegments]> {
  let summary = "a tile from memory";
  let description = [{
    Columns from `columns` on (absent: the memory's extent) are not read and are
    zero; rows from `rows` on are unspecified.
  }];
  let arguments = (ins Arg<Tile_F32Memory, "", [MemRead]>:$source, Index:$row, Index:$column,
                       Optional<Index>:$rows, Optional<Index>:$columns);
  let results = (outs Tile_Tile:$result);
  let assemblyFormat = [{
    $source `[` $row `,` $column `]` (`rows` $rows^)? (`columns` $columns^)? attr-dict `:`
    type($source) `->` type($result)
  }];
}
def Tile_StoreOp : Tile_Op<"store", [AttrSizedOperandSegments,
    AllElementTypesMatch<["value", "target"]>]> {
  let summary = "a tile to memory, up to the limits of rows and columns";
  let description = [{
    Rows from `rows` on and columns from `columns` on (absent: the memory's
    extents) are not written. Memory of f16 or bf16 takes tiles of such numbers.
  }];
  let arguments = (ins Tile_StoredTile:$value, Arg<Tile_BufferMemory, "", [MemWrite]>:$target,
    Index:$row, Index:$column, Optional<Index>:$rows, Optional<Index>:$columns);
  let assemblyFormat = [{
    $value `,` $target `[` $row `,` $column `]` (`rows` $rows^)? (`columns` $columns^)?
    attr-dict `:` type($value) `,` type($target)
  }];
}
def Tile_AppendOp : Tile_Op<"append", [MemoryEffects<[MemWrite]>]> {
  let summary = "a tile of keys or values into the cache";
  let description = [{
    With c = first + j, element (i, j) goes to head c / head size, element c mod
    head size, at the place of row `row` + i's position, rounded to the cache's type.
    Rows from `rows` on and columns beyond the last head are not written. In q8_0 a
    tile is of whole blocks of 32 elements.
  }];
  let arguments = (ins Tile_Tile:$value, Llama_CacheType:$cache,
    Tile_ContextType:$ctx, Index:$row, Index:$first, Index:$rows, StrAttr:$what);
  let assemblyFormat = [{
    $what $value `,` $cache `,` $ctx `[` $row `,` $first `]` `rows` $rows attr-dict `:`
    type($value) `,` type($cache)
  }];
  let hasVerifier = 1;
}

#endif
