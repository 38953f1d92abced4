//===- LlamaOpBase.td - what all ops of llama share -----------------------===//

#ifndef CORELLAMA_DIALECTS_LLAMA_IR_LLAMAOPBASE
#define CORELLAMA_DIALECTS_LLAMA_IR_LLAMAOPBASE

include "mlir/IR/OpBase.td"
include "mlir/IR/SymbolInterfaces.td"
include "mlir/Interfaces/InferTypeOpInterface.td"
include "mlir/Interfaces/SideEffectInterfaces.td"
include "dialects/Llama/IR/LlamaTypes.td"

// The phases an op may stand in: see Phase.h.
class Llama_Phases<string first, string last> {
  string text = "::corellama::llama::Phase::" # first #
    ", ::corellama::llama::Phase::" # last;
}
def Llama_GraphPhases : Llama_Phases<"Import", "Schedule">;
def Llama_FusePhases : Llama_Phases<"Fuse", "Plan">;
def Llama_AttentionPartPhases : Llama_Phases<"Fuse", "Schedule">;
def Llama_FunctionPhases : Llama_Phases<"Schedule", "Schedule">;
def Llama_DeclarationPhases : Llama_Phases<"Import", "LLVM">;
def Llama_PlannedPhases : Llama_Phases<"Plan", "LLVM">;
def Llama_RopeTablePhases : Llama_Phases<"Tile", "LLVM">;
def Llama_BufferPhases : Llama_Phases<"Schedule", "LLVM">;
def Llama_StepPhases : Llama_Phases<"Schedule", "Vector">;
def Llama_TilePhases : Llama_Phases<"Tile", "Tile">;
def Llama_VectorPhases : Llama_Phases<"Vector", "Vector">;

// An op of one of our dialects, which stands in some phases and no others.
class Llama_PhasedOp<Dialect dialect, string opMnemonic, Llama_Phases phases,
                     list<Trait> traits = []>
    : Op<dialect, opMnemonic,
         traits # [DeclareOpInterfaceMethods<Llama_PhaseOpInterface>]> {
  let extraClassDefinition = "::corellama::llama::PhaseRange $cppClass::getPhases() { return {"
    # phases.text # "}; }";
}
class Llama_Op<string opMnemonic, Llama_Phases phases, list<Trait> traits = []>
    : Llama_PhasedOp<Llama_Dialect, opMnemonic, phases, traits>;

def Llama_Positive : ConfinedAttr<I64Attr, [IntPositive]>;
def Llama_PositiveReal : ConfinedAttr<F64Attr, [AttrConstraint<
    CPred<"::llvm::cast<::mlir::FloatAttr>($_self).getValueAsDouble() > 0">,
    "whose value is positive">]>;

def Llama_Integers : ConfinedType<RankedTensorOf<[I32]>, [HasAnyRankOfPred<[1]>],
    "one 32-bit integer a row">;

#endif
