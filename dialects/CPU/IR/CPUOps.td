//===- CPUOps.td - what CPU kernels need beside upstream's vectors --------===//

#ifndef CORELLAMA_DIALECTS_CPU_IR_CPUOPS
#define CORELLAMA_DIALECTS_CPU_IR_CPUOPS

include "mlir/Dialect/LLVMIR/LLVMOpBase.td"
include "mlir/IR/EnumAttr.td"
include "mlir/IR/OpBase.td"
include "mlir/Interfaces/InferTypeOpInterface.td"
include "mlir/Interfaces/SideEffectInterfaces.td"
include "dialects/CPU/IR/CPUEnums.td"
include "dialects/Llama/IR/LlamaOpBase.td"

def CPU_Dialect : Dialect {
  let name = "cpu";
  let cppNamespace = "::corellama::cpu";
  let summary = "addresses from the context, and instructions upstream lacks";
  let description = [{
    Phase `vector` of the CPU: kernel bodies are upstream's `vector`, `arith`,
    `scf` and `memref`. Two ops say where memory is (`field`, `view`), so that
    nothing else knows the layout of the context; the others are instructions,
    each with the same meaning on any target that has it.
  }];
  let dependentDialects = ["::mlir::LLVM::LLVMDialect"];
}

def CPU_VectorPhases : Llama_Phases<"Vector", "Vector", "cpu-to-llvm">;

class CPU_Op<string opMnemonic, list<Trait> traits = [],
             Llama_Phases phases = CPU_VectorPhases>
    : Op<CPU_Dialect, opMnemonic,
         traits # [DeclareOpInterfaceMethods<Llama_PhaseOpInterface>]> {
  let extraClassDefinition = "::corellama::llama::PhaseRange $cppClass::getPhases() { return {"
    # phases.text # "}; }";
}

def CPU_FieldOp : CPU_Op<"field", [Pure]> {
  let summary = "a field of the context";
  let description = [{
    Pointers as `!llvm.ptr`, numbers as index. Pure: the context is constant
    while a step runs.

    ```mlir
    func.func @f(%ctx: !llvm.ptr) -> index {
      %n = cpu.field %ctx rows : !llvm.ptr -> index
      return %n : index
    }
    ```
  }];
  let arguments = (ins LLVM_AnyPointer:$ctx, CPU_Field:$field);
  let results = (outs AnyTypeOf<[LLVM_AnyPointer, Index]>:$result);
  let assemblyFormat = "$ctx $field attr-dict `:` type($ctx) `->` type($result)";
  let hasVerifier = 1;
}

def CPU_ViewOp : CPU_Op<"view", [Pure]> {
  let summary = "memory at a pointer plus bytes";
  let description = [{
    Only the strides of the type matter, so its first extent may be dynamic:
    nobody asks for it.

    ```mlir
    func.func @f(%p: !llvm.ptr, %at: index) -> vector<16xf32> {
      %m = cpu.view %p[%at] : !llvm.ptr -> memref<?xf32>
      %c0 = arith.constant 0 : index
      %v = vector.load %m[%c0] : memref<?xf32>, vector<16xf32>
      return %v : vector<16xf32>
    }
    ```
  }];
  let arguments = (ins LLVM_AnyPointer:$base, Index:$offset);
  let results = (outs AnyMemRef:$result);
  let assemblyFormat = "$base `[` $offset `]` attr-dict `:` type($base) `->` type($result)";
  let hasVerifier = 1;
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
