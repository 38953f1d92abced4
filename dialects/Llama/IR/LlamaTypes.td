//===- LlamaTypes.td - weights, the cache, rounded activations ------------===//

#ifndef CORELLAMA_DIALECTS_LLAMA_IR_LLAMATYPES
#define CORELLAMA_DIALECTS_LLAMA_IR_LLAMATYPES

include "dialects/Llama/IR/LlamaAttributes.td"

class Llama_Type<string name, string typeMnemonic, list<Trait> traits = []>
    : TypeDef<Llama_Dialect, name, traits> {
  let mnemonic = typeMnemonic;
}

def Llama_WeightType : Llama_Type<"Weight", "weight"> {
  let summary = "a handle to a weight: its shape and what its bytes mean";
  let description = [{
    `!llama.weight<256x2048, #llama.q4_0>` has 256 rows (results of a product)
    of 2048 columns (its k); a vector, such as a norm's, has one extent. The
    declaration says where the bytes are and in which order.
  }];
  let parameters = (ins ArrayRefParameter<"int64_t">:$shape,
                        "::corellama::llama::FormatInterface":$format);
  let assemblyFormat = "`<` custom<StaticDimensions>($shape) `,` $format `>`";
  let genVerifyDecl = 1;
  let extraClassDeclaration = [{
    int64_t getRows() const { return getShape().size() == 1 ? 1 : getShape()[0]; }
    int64_t getColumns() const { return getShape().back(); }
  }];
}

def Llama_CacheType : Llama_Type<"Cache", "cache"> {
  let summary = "the KV cache: layers x heads x head size of keys and of values";
  let description = [{
    A reference: `kv_append` writes the cache and `attention` reads it, both
    with effects on a resource of its own. Heads are those of keys and values. A
    cache argument of an entry function starts empty.

    `!llama.cache<2x1x64, f16>` has keys and values in f16, `!llama.cache<2x1x64,
    q8_0, f16>` keys in q8_0 and values in f16. An appended value is rounded to
    f32, f16 or bf16 alone, halves to the even number; q8_0 (`!llama.q8_0`) rounds
    32 elements of a head together, so there heads are whole blocks. What is read
    is the rounded number, in float32.

    `!llama.cache<2x1x64, f16 ring 768>`: in the layers that are reached by this
    type an appended position takes the place of the one 768 before it. Without a
    ring all positions of the context are kept. The layers of a model may differ
    in this and in nothing else.
  }];
  let parameters = (ins ArrayRefParameter<"int64_t">:$shape,
                        "::mlir::Type":$keyType, "::mlir::Type":$valueType,
                        DefaultValuedParameter<"int64_t", "0">:$ring);
  let builders = [
    TypeBuilder<(ins "::llvm::ArrayRef<int64_t>":$shape, "::mlir::Type":$both),
                [{ return $_get($_ctxt, shape, both, both, /*ring=*/0); }]>];
  let assemblyFormat = [{
    `<` custom<StaticDimensions>($shape) `,` custom<CacheElements>($keyType, $valueType)
    (`ring` $ring^)? `>`
  }];
  let genVerifyDecl = 1;
  let extraClassDeclaration = [{
    int64_t getLayers() const { return getShape()[0]; }
    int64_t getHeads() const { return getShape()[1]; }
    int64_t getHeadSize() const { return getShape()[2]; }
    /// The same cache with a ring of so many positions; 0: without one.
    CacheType withRing(int64_t positions) const {
      return get(getContext(), getShape(), getKeyType(), getValueType(), positions);
    }
    /// "q8_0", or the name of a builtin type.
    static std::string getElementText(::mlir::Type element);
    /// As the type prints it and as options name it: "f16", or "q8_0,f16" where
    /// keys and values differ.
    std::string getElementsText() const;
  }];
}

def Llama_Q8_0Type : Llama_Type<"Q8_0", "q8_0"> {
  let summary = "element of a cache in q8_0: blocks of 32 share a scale";
  let description = [{
    32 elements of a head are q * d with an integer |q| <= 127 and d in f16, as in
    a Q8_0 weight: q is what `!llama.q8b32` makes of the 32 values, d its scale
    rounded to f16, halves to the even number. q * d has 19 bits, so it is exact
    in float32.
  }];
  let extraClassDeclaration = [{
    static constexpr int64_t kBlock = 32;
  }];
}

class Llama_RecordType<string name, string typeMnemonic, int digits>
    : Llama_Type<name, typeMnemonic, [Llama_RowRecordInterface]> {
  let extraClassDeclaration =
      "static int64_t getDigits() { return " # digits # "; }";
}

def Llama_Q8B32Type : Llama_RecordType<"Q8B32", "q8b32", 1> {
  let summary = "element of a row rounded to 8 bits in blocks of 32";
  let description = [{
    Rows of records of one digit (`RowRecordInterface`): a value is q * d with an
    integer |q| <= 127 and d a 127th of the block's largest value; docs/bits.md has
    the formula. Only for products with block-quantised weights.
  }];
}

def Llama_X24B32Type : Llama_RecordType<"X24B32", "x24b32", 3> {
  let summary = "element of a row in fixed point of 24 bits, in blocks of 32";
  let description = [{
    Rows of records of three digits (`RowRecordInterface`): a value is X * d with
    an integer |X| <= 8193532, 23 bits and a sign, and d the least power of two
    with which the block's largest value is one; docs/bits.md has the formula. Only
    for products with block-quantised weights.
  }];
}

#endif
