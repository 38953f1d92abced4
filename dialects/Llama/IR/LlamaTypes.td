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

def Llama_Q8B32Type : Llama_Type<"Q8B32", "q8b32"> {
  let summary = "element of a row rounded to 8 bits in blocks of 32";
  let description = [{
    A row in blocks of 32 values, each q * d with an integer |q| <= 127 and a
    float32 d for the block; docs/bits.md has the formula. Only for products with
    block-quantised weights.

    In memory a block is a record of 48 bytes: 32 signed bytes q; d; the sums of
    all and of the last 16 of q as int32, times -128; d times the first sum as float32,
    which a weight's minimum is multiplied by. Quants of a weight are made unsigned by
    adding 128, or a smaller power of two, so that minus that times the sum is what a sum
    of products begins with: the number in the record, or one shift of it. The value of
    column 70 is byte 2 * 48 + 6 of its row times the float32 at byte 2 * 48 + 32.
  }];
  let extraClassDeclaration = [{
    /// Values of a block, and values of its second sum.
    static constexpr int64_t kBlock = 32, kHalf = 16;
    /// Bytes of a block's record, and where its numbers are in it.
    static constexpr int64_t kRecordBytes = 48, kScaleByte = 32, kSumByte = 36,
                             kLastHalfSumByte = 40, kScaledSumByte = 44;
    /// What the sums in a record are multiplied by.
    static constexpr int32_t kSumFactor = -128;
    /// The largest quant, and the smallest amax that is not taken for 0: both
    /// amax / 127 and 127 / amax are normal numbers from there on.
    static constexpr float kLargest = 127.0f, kSmallestMaximum = 0x1p-119f;

    static int64_t getRowBytes(int64_t columns) {
      return (columns + kBlock - 1) / kBlock * kRecordBytes;
    }
  }];
}

#endif
