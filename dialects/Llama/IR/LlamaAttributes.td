//===- LlamaAttributes.td - all attributes of llama -----------------------===//

#ifndef CORELLAMA_DIALECTS_LLAMA_IR_LLAMAATTRIBUTES
#define CORELLAMA_DIALECTS_LLAMA_IR_LLAMAATTRIBUTES

include "dialects/Llama/IR/LlamaFormats.td"
include "dialects/Llama/IR/LlamaLayouts.td"
include "dialects/Llama/IR/LlamaModel.td"
include "dialects/Llama/IR/LlamaPlan.td"
include "dialects/Llama/IR/LlamaRotation.td"

#endif
