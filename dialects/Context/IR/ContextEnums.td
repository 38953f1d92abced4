//===- ContextEnums.td - the fields of the context ------------------------===//
//
// A file apart from the ops, so that generating the enum does not generate the
// enums of llama again.
//
//===----------------------------------------------------------------------===//

#ifndef CORELLAMA_DIALECTS_CONTEXT_IR_CONTEXTENUMS
#define CORELLAMA_DIALECTS_CONTEXT_IR_CONTEXTENUMS

include "mlir/IR/EnumAttr.td"

def Context_Field : I32EnumAttr<"Field", "a field of the context (runtime/ABI/Kernel.h)", [
    I32EnumAttrCase<"Weights", 0, "weights">,
    I32EnumAttrCase<"Offsets", 1, "offsets">,
    I32EnumAttrCase<"Workspace", 2, "workspace">,
    I32EnumAttrCase<"Keys", 3, "keys">,
    I32EnumAttrCase<"Values", 4, "values">,
    I32EnumAttrCase<"Rope", 5, "rope">,
    I32EnumAttrCase<"Tokens", 6, "tokens">,
    I32EnumAttrCase<"Positions", 7, "positions">,
    I32EnumAttrCase<"Rows", 8, "rows">,
    I32EnumAttrCase<"KeyCount", 9, "key_count">,
    I32EnumAttrCase<"Capacity", 10, "capacity">,
    I32EnumAttrCase<"Wanted", 11, "wanted">,
    I32EnumAttrCase<"Threads", 12, "threads">,
    I32EnumAttrCase<"Regions", 13, "regions">]> {
  let cppNamespace = "::corellama::context";
}

#endif
