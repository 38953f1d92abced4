//===- LlamaOpBase.td - what all ops of llama share -----------------------===//

#ifndef CORELLAMA_DIALECTS_LLAMA_IR_LLAMAOPBASE
#define CORELLAMA_DIALECTS_LLAMA_IR_LLAMAOPBASE

include "mlir/IR/OpBase.td"
include "mlir/IR/SymbolInterfaces.td"
include "mlir/Interfaces/InferTypeOpInterface.td"
include "mlir/Interfaces/SideEffectInterfaces.td"
include "dialects/Llama/IR/LlamaTypes.td"

// The phases an op may stand in and the pass that removes it, which for a GPU
// may be another: see Phase.h.
class Llama_Phases<string first, string last, string removedBy,
                   string removedByOnGPU = removedBy> {
  string text = "::corellama::llama::Phase::" # first #
    ", ::corellama::llama::Phase::" # last # ", \"" # removedBy # "\", \"" #
    removedByOnGPU # "\"";
}
def Llama_GraphPhases : Llama_Phases<"Import", "Schedule", "llama-to-tile">;
def Llama_FusePhases : Llama_Phases<"Fuse", "Plan", "llama-outline-kernels">;
def Llama_AttentionPartPhases : Llama_Phases<"Fuse", "Schedule", "llama-to-tile">;
def Llama_FunctionPhases : Llama_Phases<"Schedule", "Schedule", "llama-to-tile">;
def Llama_DeclarationPhases : Llama_Phases<"Import", "LLVM", "code generation">;
def Llama_PlannedPhases : Llama_Phases<"Plan", "LLVM", "code generation">;
def Llama_BufferPhases : Llama_Phases<"Schedule", "LLVM", "code generation">;
def Llama_StepPhases : Llama_Phases<"Schedule", "Vector",
  "cpu-step-to-workers", "cuda-step-to-launches">;

class Llama_Op<string opMnemonic, Llama_Phases phases, list<Trait> traits = []>
    : Op<Llama_Dialect, opMnemonic,
         traits # [DeclareOpInterfaceMethods<Llama_PhaseOpInterface>]> {
  let extraClassDefinition = "::corellama::llama::PhaseRange $cppClass::getPhases() { return {"
    # phases.text # "}; }";
}

#endif
