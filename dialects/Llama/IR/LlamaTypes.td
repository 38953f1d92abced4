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
  }];
  let parameters = (ins ArrayRefParameter<"int64_t">:$shape,
                        "::mlir::Type":$elementType);
  let assemblyFormat = "`<` custom<StaticDimensions>($shape) `,` $elementType `>`";
  let genVerifyDecl = 1;
  let extraClassDeclaration = [{
    int64_t getLayers() const { return getShape()[0]; }
    int64_t getHeads() const { return getShape()[1]; }
    int64_t getHeadSize() const { return getShape()[2]; }
  }];
}

def Llama_Q8B32Type : Llama_Type<"Q8B32", "q8b32"> {
  let summary = "element of a row rounded to 8 bits in blocks of 32";
  let description = [{
    A row is rounded in blocks of 32, the last one padded with zeros: d = amax /
    127 in f32, q = roundeven(x * (127 / amax)); amax = 0 gives zeros. Only for
    products with block-quantised weights.
  }];
}

#endif
