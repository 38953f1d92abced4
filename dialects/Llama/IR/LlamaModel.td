//===- LlamaModel.td - the model and its target ---------------------------===//
//
// What stands on the module and on llama.model: the sizes of the model and its
// entries.
//
//===----------------------------------------------------------------------===//

#ifndef CORELLAMA_DIALECTS_LLAMA_IR_LLAMAMODEL
#define CORELLAMA_DIALECTS_LLAMA_IR_LLAMAMODEL

include "dialects/Llama/IR/LlamaAttributeBase.td"

def Llama_ConfigAttr : Llama_Attr<"Config", "config"> {
  let summary = "the sizes of a model, as its checkpoint has them";
  let description = [{
    Stands on the module as `llama.config`, written by import. Sizes are positive and below
    2^31; `heads` is a multiple of `kv_heads`, and `head_size` is even, because RoPE rotates
    pairs. A verifier holds the ops against it.
  }];
  let parameters = (ins
    "int64_t":$dim, "int64_t":$heads, "int64_t":$kv_heads, "int64_t":$head_size,
    "int64_t":$hidden, "int64_t":$vocabulary, "int64_t":$layers,
    "int64_t":$context_length
  );
  let assemblyFormat = "`<` struct(params) `>`";
  let genVerifyDecl = 1;
}

def Llama_EntryAttr : Llama_Attr<"Entry", "entry"> {
  let summary = "the functions of one form of the model";
  let description = [{
    `rows`: a call has at most so many rows; 0 (import): any number. `of[l]` is the
    index in `layers` of the function of layer l: layers whose weights have the
    same formats share one. The name is for people: what a form may do follows
    from its bound.
  }];
  let parameters = (ins
    "::mlir::StringAttr":$name, "int64_t":$rows,
    "::mlir::FlatSymbolRefAttr":$embed, "::mlir::ArrayAttr":$layers,
    "::mlir::DenseI32ArrayAttr":$of
  );
  let assemblyFormat = "`<` struct(params) `>`";
}

#endif
