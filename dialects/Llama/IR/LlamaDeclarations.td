//===- LlamaDeclarations.td - the model, its weights, its cache -----------===//
//
// What stands in the module in every phase: from these the image, the table of
// offsets and the workspace are made.
//
//===----------------------------------------------------------------------===//

#ifndef CORELLAMA_DIALECTS_LLAMA_IR_LLAMADECLARATIONS
#define CORELLAMA_DIALECTS_LLAMA_IR_LLAMADECLARATIONS

include "dialects/Llama/IR/LlamaOpBase.td"

// Reads of what the runtime provides; nothing in a step writes it.
def Llama_ContextResource : Resource<"ContextResource">;

def Llama_ModelOp : Llama_Op<"model", Llama_DeclarationPhases,
    [Symbol, DeclareOpInterfaceMethods<SymbolUserOpInterface>]> {
  let summary = "the functions of each form of the model, and the order of its layers";
  let description = [{
    Until schedule, `entries` has one for each form: import has one with rows = 0
    (any number); specialize makes a form of it for each bound on the rows of a
    call. From schedule on `steps` names the steps of the forms instead. `heads`
    are the forms of the LM head, functions or steps, which make logits of some of
    the rows that a form leaves: bounded as well, and apart from the forms, because
    a call of many rows mostly wants the logits of one.

    Forms and heads stand with ascending bounds; whoever calls takes the first
    that has room.

    (A1) either entries or steps. (A2) an entry's `of` has one index a layer,
    each below the number of its layer functions. (A3) every symbol is a
    function (entries) or a step (steps). (A4) at least one head.
    (A5) no two entries have one name.

    ```mlir
    llama.model @m entries [#llama.entry<name = "import", rows = 0, embed = @embed, layers = [@layer], of = [0, 0]>] lm_heads [@lm_head]
    func.func private @embed(%ids: tensor<?xi32>) -> tensor<?x32xf32>
    func.func private @layer(%x: tensor<?x32xf32>, %pos: tensor<?xi32>, %kv: !llama.cache<2x1x16, f32>, %l: index) -> tensor<?x32xf32>
    func.func private @lm_head(%x: tensor<?x32xf32>) -> tensor<?x64xf32>
    ```
  }];
  let arguments = (ins SymbolNameAttr:$sym_name,
    OptionalAttr<StrAttr>:$sym_visibility,
    OptionalAttr<TypedArrayAttrBase<Llama_EntryAttr, "entries">>:$entries,
    OptionalAttr<TypedArrayAttrBase<FlatSymbolRefAttr, "steps">>:$steps,
    ConfinedAttr<TypedArrayAttrBase<FlatSymbolRefAttr, "heads">,
                 [ArrayMinCount<1>]>:$lm_heads);
  let assemblyFormat = [{
    $sym_name (`entries` $entries^)? (`steps` $steps^)? `lm_heads` $lm_heads attr-dict
  }];
  let hasVerifier = 1;
}

def Llama_WeightsOp : Llama_Op<"weights", Llama_DeclarationPhases,
    [Symbol, SymbolTable, IsolatedFromAbove, SingleBlock, NoTerminator]> {
  let summary = "the weights that exist once a layer";
  let description = [{
    (A1) only `weight` inside. (A2) layers > 0.

    ```mlir
    llama.weights @blk layers 2 {
      llama.weight @attn_q : 256x256 formats [#llama.q4_0]
      llama.weight @attn_v : 64x256 formats [#llama.q4_0, #llama.q6_k] of [1, 0]
    }
    ```
  }];
  let arguments = (ins SymbolNameAttr:$sym_name,
    OptionalAttr<StrAttr>:$sym_visibility, Llama_Positive:$layers);
  let regions = (region SizedRegion<1>:$body);
  let assemblyFormat = "$sym_name `layers` $layers attr-dict-with-keyword $body";
  let hasVerifier = 1;
}

def Llama_WeightOp : Llama_Op<"weight", Llama_DeclarationPhases, [Symbol]> {
  let summary = "declares a weight: shape, formats, and from plan on its layouts";
  let description = [{
    In `weights`, `of[l]` is the index in `formats` for layer l; absent: all 0.
    `layouts` (from plan) has one for each format.

    (A1) one or two positive extents. (A2) at least one format; `of` has one
    index a layer, each below the number of formats. (A3) a layout for each
    format, which accepts format and shape. (A4) a row is a whole number of the
    format's blocks.

    ```mlir
    llama.weight @output_norm : 32 formats [#llama.f32] in [#llama.rowmajor]
    ```
  }];
  let arguments = (ins SymbolNameAttr:$sym_name,
    OptionalAttr<StrAttr>:$sym_visibility, DenseI64ArrayAttr:$shape,
    ConfinedAttr<ArrayAttr, [ArrayMinCount<1>]>:$formats, OptionalAttr<DenseI32ArrayAttr>:$of,
    OptionalAttr<ArrayAttr>:$layouts);
  let assemblyFormat = [{
    $sym_name `:` custom<DimensionList>($shape) `formats` $formats (`of` $of^)?
    (`in` $layouts^)? attr-dict
  }];
  let hasVerifier = 1;
  let extraClassDeclaration = [{
    int64_t getRows() { return getShape().size() == 1 ? 1 : getShape()[0]; }
    int64_t getColumns() { return getShape().back(); }
    /// How many weights this declares: one, or one a layer.
    int64_t getCount();
    ::corellama::llama::FormatInterface getFormat(int64_t layer);
    /// Null before plan.
    ::corellama::llama::LayoutInterface getLayout(int64_t layer);
  }];
}

def Llama_WeightRefOp : Llama_Op<"weight_ref", Llama_GraphPhases,
    [Pure, DeclareOpInterfaceMethods<SymbolUserOpInterface>]> {
  let summary = "a handle to a declared weight";
  let description = [{
    `schedule` sets the layout and the index of the weight in the table of
    offsets (of layer 0, where it exists once a layer), so that function passes
    never read a sibling.

    (A1) the symbol is a `weight`; its shape and one of its formats are the
    type's. (A2) a layer exactly where the weight is declared in `weights`.

    ```mlir
    llama.weight @token_embd : 64x32 formats [#llama.q8_0]
    func.func private @lm_head() {
      %w = llama.weight_ref @token_embd : !llama.weight<64x32, #llama.q8_0>
      return
    }
    ```
  }];
  let arguments = (ins SymbolRefAttr:$weight, Optional<Index>:$layer,
    OptionalAttr<AnyAttr>:$layout, OptionalAttr<I64Attr>:$index);
  let results = (outs Llama_WeightType:$result);
  let assemblyFormat = [{
    $weight (`[` $layer^ `]`)? attr-dict `:` type($result)
    (`in` $layout^)? (`index` $index^)?
  }];
}

def Llama_CacheLayoutOp : Llama_Op<"cache_layout", Llama_PlannedPhases> {
  let summary = "the layouts of the cache's keys and values";
  let description = [{
    `rings` is there where some layer's cache is a ring: for each layer its
    positions, or 0 where the layer keeps the context. Regions of layers then
    differ in size; the context says where each begins (`regions` of
    runtime/ABI/Kernel.h).

    (A1) the type is without a ring. (A2) rings are one a layer, not all of them 0,
    and each is one that a type can have.

    ```mlir
    llama.cache_layout !llama.cache<2x1x16, f16> keys #llama.keys_interleaved16 values #llama.rowmajor
    ```
  }];
  let arguments = (ins TypeAttrOf<Llama_CacheType>:$type,
    Llama_KVCacheLayoutAttr:$keys, Llama_KVCacheLayoutAttr:$values,
    OptionalAttr<DenseI64ArrayAttr>:$rings);
  let assemblyFormat = "$type `keys` $keys `values` $values (`rings` $rings^)? attr-dict";
  let hasVerifier = 1;
  let extraClassDeclaration = [{
    ::corellama::llama::CacheType getCache() {
      return ::llvm::cast<::corellama::llama::CacheType>(getType());
    }
    /// Positions of a layer's ring; 0: it has none.
    int64_t getRing(int64_t layer) {
      return getRings() ? (*getRings())[layer] : 0;
    }
    /// Where the region of each layer begins, in positions of a head, and where the
    /// last one ends, if the context has `capacity` positions; empty on overflow.
    ::std::vector<uint64_t> getRegions(uint64_t capacity);
    /// Bytes of the keys, or of the values, of all layers and heads. Overflow is
    /// failure.
    ::llvm::FailureOr<uint64_t> getBytes(bool ofKeys, uint64_t capacity);
  }];
}

def Llama_Even : AttrConstraint<
    CPred<"::llvm::cast<::mlir::IntegerAttr>($_self).getInt() % 2 == 0">,
    "whose value is even">;

def Llama_RopeTableOp : Llama_Op<"rope_table", Llama_RopeTablePhases> {
  let summary = "the angles of the table that tile.rope_row reads";
  let description = [{
    A position p turns pair i of a head of size `head` by p * base^(-2i / head),
    or as `rotation` says, as `rope` did in the graph. `llama-to-tile` makes it of the
    ops, which all rotate alike; the image's angles are made of it.

    (A1) the head size is even and positive. (A2) base > 0. (A3) the rotation turns at
    most the whole head, and its factors are one a pair that it turns.

    ```mlir
    llama.rope_table head 64 base 1.0e+04
    ```
  }];
  let arguments = (ins ConfinedAttr<I64Attr, [IntPositive, Llama_Even]>:$head,
                       Llama_PositiveReal:$base, OptionalAttr<Llama_RotationAttr>:$rotation);
  let assemblyFormat = "`head` $head `base` $base (`as` $rotation^)? attr-dict";
  let hasVerifier = 1;
}

def Llama_Input : I32EnumAttr<"Input", "what the runtime provides", [
    I32EnumAttrCase<"Ids", 0, "ids">, I32EnumAttrCase<"Positions", 1, "positions">,
    I32EnumAttrCase<"Cache", 2, "cache">, I32EnumAttrCase<"Wanted", 3, "wanted">]> {
  let cppNamespace = "::corellama::llama";
}

def Llama_InputOp : Llama_Op<"input", Llama_FunctionPhases> {
  let summary = "what the runtime provides to a kernel";
  let description = [{
    `ids` and `positions`: one a row of the call. `cache`: the KV cache. `wanted`:
    the rows of the last call whose logits the LM head is asked for.

    (A1) the type belongs to the name: `!llama.cache`, `tensor<..xi32>` for all else.

    ```mlir
    func.func private @k() {
      %ids = llama.input ids : tensor<1xi32>
      return
    }
    ```
  }];
  let arguments = (ins Llama_Input:$name);
  let results = (outs Res<AnyType, "", [MemRead<Llama_ContextResource>]>:$result);
  let assemblyFormat = "$name attr-dict `:` type($result)";
  let hasVerifier = 1;
}

#endif
