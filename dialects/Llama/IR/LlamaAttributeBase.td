//===- LlamaAttributeBase.td - what all attributes of llama share ---------===//

#ifndef CORELLAMA_DIALECTS_LLAMA_IR_LLAMAATTRIBUTEBASE
#define CORELLAMA_DIALECTS_LLAMA_IR_LLAMAATTRIBUTEBASE

include "mlir/IR/AttrTypeBase.td"
include "mlir/IR/BuiltinAttributeInterfaces.td"
include "mlir/IR/EnumAttr.td"
include "dialects/Llama/IR/LlamaDialect.td"

class Llama_Attr<string name, string attrMnemonic, list<Trait> traits = []>
    : AttrDef<Llama_Dialect, name, traits> {
  let mnemonic = attrMnemonic;
}

#endif
