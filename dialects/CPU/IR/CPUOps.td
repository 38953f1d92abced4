//===- CPUOps.td - what CPU kernels need beside upstream's vectors --------===//

#ifndef CORELLAMA_DIALECTS_CPU_IR_CPUOPS
#define CORELLAMA_DIALECTS_CPU_IR_CPUOPS

include "mlir/IR/OpBase.td"
include "mlir/Interfaces/InferTypeOpInterface.td"
include "mlir/Interfaces/SideEffectInterfaces.td"
include "dialects/Llama/IR/LlamaOpBase.td"

def CPU_Dialect : Dialect {
  let name = "cpu";
  let cppNamespace = "::corellama::cpu";
  let summary = "instructions of CPUs that upstream lacks";
  let description = [{
    Phase `vector` of the CPU: kernel bodies are upstream's `vector`, `arith`,
    `scf` and `memref`, memory is reached by `context`, and here is one op for
    each instruction that upstream lacks, with the same meaning on any target
    that has it.
  }];
}

def CPU_VectorPhases : Llama_Phases<"Vector", "Vector", "cpu-to-llvm">;

class CPU_Op<string opMnemonic, list<Trait> traits = [],
             Llama_Phases phases = CPU_VectorPhases>
    : Op<CPU_Dialect, opMnemonic,
         traits # [DeclareOpInterfaceMethods<Llama_PhaseOpInterface>]> {
  let extraClassDefinition = "::corellama::llama::PhaseRange $cppClass::getPhases() { return {"
    # phases.text # "}; }";
}

def CPU_Lookup16Op : CPU_Op<"lookup16", [Pure, AllTypesMatch<["table", "result"]>]> {
  let summary = "table[index mod 16], lane by lane: vpermps";
  let description = [{
    `result[i] = table[index[i] & 15]`. One instruction with AVX-512F (VPERMPS
    with a 512-bit table reads the low four bits of each index: Intel SDM,
    volume 2, VPERMPS), so a 4-bit quant needs no mask, no conversion and no
    subtraction.

    ```mlir
    func.func @f(%t: vector<16xf32>, %i: vector<16xi32>) -> vector<16xf32> {
      %v = cpu.lookup16 %t, %i : vector<16xf32>, vector<16xi32>
      return %v : vector<16xf32>
    }
    ```
  }];
  let arguments = (ins VectorOfLengthAndType<[16], [F32]>:$table,
                       VectorOfLengthAndType<[16], [I32]>:$index);
  let results = (outs VectorOfLengthAndType<[16], [F32]>:$result);
  let assemblyFormat = "$table `,` $index attr-dict `:` type($table) `,` type($index)";
}

#endif
