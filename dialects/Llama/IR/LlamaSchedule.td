//===- LlamaSchedule.td - kernels, buffers, steps -------------------------===//

#ifndef CORELLAMA_DIALECTS_LLAMA_IR_LLAMASCHEDULE
#define CORELLAMA_DIALECTS_LLAMA_IR_LLAMASCHEDULE

include "dialects/Llama/IR/LlamaOpBase.td"

def Llama_BufferResource : Resource<"BufferResource">;
def Llama_ScheduleResource : Resource<"ScheduleResource">;

def Llama_KernelOp : Llama_Op<"kernel", Llama_FusePhases,
    [IsolatedFromAbove, SingleBlock, RecursiveMemoryEffects]> {
  let summary = "ops that one kernel computes";
  let description = [{
    A name, values in, at most three values out. `plan` writes the strategy and
    the partition; nothing else says how it runs. The name is a role (qkv, attn, o,
    gate_up, down, norm, head, embed) and only the override option reads it.

    (A1) at most three results. (A2) ends in `yield` of the results' types.

    ```mlir
    func.func private @f(%x: tensor<1x32xf32>, %l: index) -> tensor<1x32xf32> {
      %h = llama.kernel "norm" (%ix = %x : tensor<1x32xf32>, %il = %l : index) -> tensor<1x32xf32> {
        %g = llama.weight_ref @blk::@attn_norm[%il] : !llama.weight<32, #llama.f32>
        %n = llama.rms_norm %ix, %g eps 1.0e-05 : tensor<1x32xf32>, !llama.weight<32, #llama.f32>
        llama.yield %n : tensor<1x32xf32>
      }
      return %h : tensor<1x32xf32>
    }
    llama.weights @blk layers 2 { llama.weight @attn_norm : 32 formats [#llama.f32] }
    ```
  }];
  let arguments = (ins StrAttr:$name, Variadic<AnyType>:$inputs,
    OptionalAttr<AnyAttr>:$strategy, OptionalAttr<Llama_PartitionAttr>:$partition);
  let results = (outs Variadic<AnyType>:$outputs);
  let regions = (region SizedRegion<1>:$body);
  let hasCustomAssemblyFormat = 1;
  let hasVerifier = 1;
}

def Llama_YieldOp : Llama_Op<"yield", Llama_FusePhases,
    [Pure, Terminator, HasParent<"KernelOp">]> {
  let summary = "ends a kernel";
  let description = [{
    Its operands are the kernel's results: what other kernels may read.
  }];
  let arguments = (ins Variadic<AnyType>:$values);
  let assemblyFormat = "attr-dict ($values^ `:` type($values))?";
}

def Llama_BufferOp : Llama_Op<"buffer", Llama_BufferPhases, [Symbol]> {
  let summary = "a value of a step in memory";
  let description = [{
    The type is the capacity: all rows of the largest call, rounded up to the
    row tile. `at` is the byte offset in the workspace. Values carried round the
    loop over layers share one buffer. Buffers may overlap where no two of their
    values live at once.

    (A1) a static shape. (A2) at is not negative.

    ```mlir
    llama.buffer @decode.q : tensor<1x32xf32> at 128
    ```
  }];
  let arguments = (ins SymbolNameAttr:$sym_name,
    OptionalAttr<StrAttr>:$sym_visibility, TypeAttrOf<AnyRankedTensor>:$type,
    OptionalAttr<ConfinedAttr<I64Attr, [IntNonNegative]>>:$at);
  let assemblyFormat = [{
    $sym_name `:` $type (`at` $at^)? attr-dict
  }];
  let hasVerifier = 1;
  let extraClassDeclaration = [{ uint64_t getBytes(); }];
}

def Llama_BufferReadOp : Llama_Op<"buffer_read", Llama_FunctionPhases,
    [DeclareOpInterfaceMethods<SymbolUserOpInterface>]> {
  let summary = "the value of a buffer, or some rows of it";
  let description = [{
    With `rows`, row r of the result is row rows[r] of the buffer.

    (A1) the symbol is a buffer whose element type and inner extents are the
    result's, with room for the rows that the function is called with.
    (A2) the result has a row for each of `rows`.
  }];
  let arguments = (ins
    Arg<FlatSymbolRefAttr, "the buffer", [MemRead<Llama_BufferResource>]>:$buffer,
    Optional<Llama_Integers>:$rows, OptionalAttr<I64Attr>:$at);
  let results = (outs AnyRankedTensor:$result);
  let assemblyFormat = [{
    $buffer (`[` $rows^ `:` type($rows) `]`)? (`at` $at^)? attr-dict `:` type($result)
  }];
}

def Llama_BufferWriteOp : Llama_Op<"buffer_write", Llama_FunctionPhases,
    [DeclareOpInterfaceMethods<SymbolUserOpInterface>]> {
  let summary = "gives a buffer its value";
  let description = [{(A1) as for `buffer_read`.}];
  let arguments = (ins AnyRankedTensor:$value,
    Arg<FlatSymbolRefAttr, "the buffer", [MemWrite<Llama_BufferResource>]>:$buffer,
    OptionalAttr<I64Attr>:$at);
  let assemblyFormat = "$value `,` $buffer (`at` $at^)? attr-dict `:` type($value)";
}

def Llama_StepOp : Llama_Op<"step", Llama_StepPhases,
    [Symbol, IsolatedFromAbove, SingleBlock, NoTerminator]> {
  let summary = "what runs, in which order, and where all of it must have ended";
  let description = [{
    Workers are implicit: every worker goes through the step; a dispatch is shared
    among them part by part; a barrier is where all earlier dispatches have ended. The
    step ends with an implicit barrier. `rows`: the most rows of a call.

    (A1) only dispatch, barrier, constants and loops over layers inside.
    (A2) rows > 0. (A3) the functions that it dispatches take as many rows.

    ```mlir
    llama.step @decode rows 1 {
      %c0 = arith.constant 0 : index
      %c1 = arith.constant 1 : index
      %c2 = arith.constant 2 : index
      scf.for %l = %c0 to %c2 step %c1 {
        llama.dispatch @qkv(%l)
        llama.barrier
      }
    }
    func.func private @qkv(%l: index)
    ```
  }];
  let arguments = (ins SymbolNameAttr:$sym_name,
    OptionalAttr<StrAttr>:$sym_visibility,
    ConfinedAttr<I64Attr, [IntPositive, IntMaxValue<2147483647>]>:$rows);
  let regions = (region SizedRegion<1>:$body);
  let assemblyFormat = "$sym_name `rows` $rows attr-dict-with-keyword $body";
  let hasVerifier = 1;
}

def Llama_DispatchOp : Llama_Op<"dispatch", Llama_StepPhases,
    [MemoryEffects<[MemWrite<Llama_ScheduleResource>]>,
     DeclareOpInterfaceMethods<SymbolUserOpInterface>]> {
  let summary = "run a kernel, in its own parts";
  let description = [{
    `@k(%l)`, or a table by layer: `[@k.0, @k.1] of [1, 0, 0, 1] (%l)`.

    (A1) callees are functions. (A2) `of` and the layer where there is more than
    one callee, each index below their number.
  }];
  let arguments = (ins
    ConfinedAttr<TypedArrayAttrBase<FlatSymbolRefAttr, "callees">,
                 [ArrayMinCount<1>]>:$callees,
    OptionalAttr<DenseI32ArrayAttr>:$of, Optional<Index>:$layer);
  let assemblyFormat = [{
    custom<Callees>($callees) (`of` $of^)? (`(` $layer^ `)`)? attr-dict
  }];
  let hasVerifier = 1;
}

def Llama_BarrierOp : Llama_Op<"barrier", Llama_StepPhases,
    [MemoryEffects<[MemWrite<Llama_ScheduleResource>]>]> {
  let summary = "all earlier dispatches of the step have ended";
  let description = [{
    What later dispatches of the step read has been written by earlier ones, and what they
    write is no longer read. On a CPU workers wait for each other; on a GPU launches of one
    stream follow each other, so that it becomes nothing.
  }];
  let assemblyFormat = "attr-dict";
}

#endif
