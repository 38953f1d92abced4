//===- LlamaModel.td - the model and its target ---------------------------===//
//
// What stands on the module: the sizes of the model, the machine that code is
// generated for, and the entries of the model.
//
//===----------------------------------------------------------------------===//

#ifndef CORELLAMA_DIALECTS_LLAMA_IR_LLAMAMODEL
#define CORELLAMA_DIALECTS_LLAMA_IR_LLAMAMODEL

include "dialects/Llama/IR/LlamaAttributeBase.td"

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
    "::mlir::DenseI32ArrayAttr":$of, "::mlir::FlatSymbolRefAttr":$lm_head
  );
  let assemblyFormat = "`<` struct(params) `>`";
}

#endif
