//===- CPUOps.td - what CPU kernels need beside upstream's vectors --------===//

#ifndef CORELLAMA_DIALECTS_CPU_IR_CPUOPS
#define CORELLAMA_DIALECTS_CPU_IR_CPUOPS

include "mlir/IR/OpBase.td"
include "mlir/Interfaces/InferTypeOpInterface.td"
include "mlir/Interfaces/SideEffectInterfaces.td"
include "dialects/CPU/IR/CPUAttributes.td"

class CPU_Op<string opMnemonic, list<Trait> traits = []>
    : Llama_PhasedOp<CPU_Dialect, opMnemonic, Llama_VectorPhases, traits>;

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
