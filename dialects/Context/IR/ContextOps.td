//===- ContextOps.td - where the memory of a kernel is --------------------===//

#ifndef CORELLAMA_DIALECTS_CONTEXT_IR_CONTEXTOPS
#define CORELLAMA_DIALECTS_CONTEXT_IR_CONTEXTOPS

include "mlir/Dialect/LLVMIR/LLVMOpBase.td"
include "mlir/IR/EnumAttr.td"
include "mlir/IR/OpBase.td"
include "mlir/Interfaces/SideEffectInterfaces.td"
include "dialects/Context/IR/ContextEnums.td"
include "dialects/Llama/IR/LlamaOpBase.td"

def Context_Dialect : Dialect {
  let name = "context";
  let cppNamespace = "::corellama::context";
  let summary = "addresses from the context that a kernel is called with";
  let description = [{
    Phase `vector` of every target: two ops say where memory is, so that nothing
    else knows the layout of the context (runtime/ABI/Kernel.h), which is the
    same on a CPU and on a GPU.
  }];
  let dependentDialects = ["::mlir::LLVM::LLVMDialect"];
}

class Context_Op<string opMnemonic, list<Trait> traits = []>
    : Llama_PhasedOp<Context_Dialect, opMnemonic, Llama_VectorPhases, traits>;

def Context_FieldOp : Context_Op<"field", [Pure]> {
  let summary = "a field of the context";
  let description = [{
    Pointers as `!llvm.ptr`, numbers as index. Pure: the context is constant
    while a step runs.

    ```mlir
    func.func @f(%ctx: !llvm.ptr) -> index {
      %n = context.field %ctx rows : !llvm.ptr -> index
      return %n : index
    }
    ```
  }];
  let arguments = (ins LLVM_AnyPointer:$ctx, Context_Field:$field);
  let results = (outs AnyTypeOf<[LLVM_AnyPointer, Index]>:$result);
  let assemblyFormat = "$ctx $field attr-dict `:` type($ctx) `->` type($result)";
  let hasVerifier = 1;
}

def Context_ViewOp : Context_Op<"view", [Pure]> {
  let summary = "memory at a pointer plus bytes";
  let description = [{
    Only the strides of the type matter, so its first extent may be dynamic: no
    lowering reads it. Memory space 1 is a GPU's global memory: the pointer is
    cast to that space, so that loads need not find the space at run time.

    ```mlir
    func.func @f(%p: !llvm.ptr, %at: index) -> vector<16xf32> {
      %m = context.view %p[%at] : !llvm.ptr -> memref<?xf32>
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

#endif
