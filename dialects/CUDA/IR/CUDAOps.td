//===- CUDAOps.td - the closed set of GPU ops -----------------------------===//
//
// What a kernel does on a GPU besides arithmetic, loads and stores. The set is
// closed: each op has exactly two lowerings, to nvvm (cuda-to-nvvm) and to calls
// of the emulator (cuda-to-emulator), so the module that ships is the module that
// is tested without a GPU. Inline assembly appears only after these lowerings.
//
//===----------------------------------------------------------------------===//

#ifndef CORELLAMA_DIALECTS_CUDA_IR_CUDAOPS
#define CORELLAMA_DIALECTS_CUDA_IR_CUDAOPS

include "mlir/IR/OpBase.td"
include "mlir/Interfaces/InferTypeOpInterface.td"
include "mlir/Interfaces/SideEffectInterfaces.td"
include "dialects/CUDA/IR/CUDAAttributes.td"

class CUDA_Op<string opMnemonic, list<Trait> traits = []>
    : Llama_PhasedOp<CUDA_Dialect, opMnemonic, Llama_VectorPhases, traits>;

def CUDA_Accumulator : Type<VectorOfLengthAndType<[4], [F32]>.predicate,
    "4 float32 sums", "::mlir::VectorType">,
  BuildableType<"::mlir::VectorType::get({4}, $_builder.getF32Type())">;
def CUDA_Bytes16 : Type<VectorOfLengthAndType<[4], [I32]>.predicate,
    "16 bytes as 4 words", "::mlir::VectorType">,
  BuildableType<"::mlir::VectorType::get({4}, $_builder.getI32Type())">;

//===----------------------------------------------------------------------===//
// Threads and blocks
//===----------------------------------------------------------------------===//

class CUDA_IdOp<string opMnemonic> : CUDA_Op<opMnemonic, [Pure]> {
  let results = (outs Index:$result);
  let assemblyFormat = "attr-dict";
}
def CUDA_ThreadIdOp : CUDA_IdOp<"thread_id"> {
  let summary = "the number of this thread in its block";
  let description = [{
    Thread t is lane t mod 32 of warp t / 32.
  }];
}
def CUDA_BlockIdOp : CUDA_IdOp<"block_id"> {
  let summary = "the number of this block in its launch";
  let description = [{
    Block b computes part b of the kernel; blocks run in any order.
  }];
}

//===----------------------------------------------------------------------===//
// Launches that overlap
//===----------------------------------------------------------------------===//

def CUDA_LaunchDependentsOp : CUDA_Op<"launch_dependents"> {
  let summary = "lets the next launch begin, as far as this block is concerned";
  let description = [{
    When all blocks have reached it, or have ended, blocks of the next launch may
    begin wherever there is room for them. It orders nothing: what they may do
    before this launch has ended is what stands before their `wait_previous`. (PTX
    ISA, griddepcontrol.launch_dependents; GPUs before 9.0 have no such instruction,
    and launch one kernel after the other.)
  }];
  let assemblyFormat = "attr-dict";
}
def CUDA_WaitPreviousOp : CUDA_Op<"wait_previous"> {
  let summary = "waits until the launches before this one have ended";
  let description = [{
    Behind it a thread sees all that they wrote, and may overwrite what they read.
    Before it they may still run, and so may any number of launches before them; so
    until then a thread writes nothing, and reads only what no launch writes
    (verifyLaunchOrder): weights, and tables that are there from the start.

    Each thread of each kernel executes it once: a launch ends only when its threads
    have, so the next one, which waits for its end, is behind all before. (PTX ISA,
    griddepcontrol.wait; for GPUs before 9.0, whose launches do not overlap, it
    becomes nothing.)

    ```mlir
    func.func @f(%w: memref<?xi8, 1>, %x: memref<?xf32, 1>, %i: index) -> f32 {
      cuda.launch_dependents
      cuda.prefetch %w[%i] : memref<?xi8, 1>
      cuda.wait_previous
      %v = memref.load %x[%i] : memref<?xf32, 1>
      return %v : f32
    }
    ```
  }];
  let assemblyFormat = "attr-dict";
}

//===----------------------------------------------------------------------===//
// Synchronisation and exchange
//===----------------------------------------------------------------------===//

def CUDA_BarrierOp : CUDA_Op<"barrier"> {
  let summary = "a barrier: waits until all threads of the block have reached it";
  let description = [{
    What any thread wrote before the barrier, to workgroup or global memory, is
    visible to all threads of the block after it. All threads of a block reach
    it, or none.
  }];
  let assemblyFormat = "attr-dict";
}
def CUDA_ConvergeOp : CUDA_Op<"converge"> {
  let summary = "waits until all lanes of the warp have reached it";
  let description = [{
    It exchanges nothing. What is loaded before it is asked for before anything
    behind it is done, whatever order would save registers: ptxas sinks loads
    below the first use of others, and a warp then waits for memory twice, but it
    does not move them over a barrier (PTX ISA, bar.warp.sync). All 32 lanes of a
    warp reach it, or none.
  }];
  let assemblyFormat = "attr-dict";
}
def CUDA_ShuffleXorOp : CUDA_Op<"shuffle_xor", [AllTypesMatch<["value", "result"]>]> {
  let summary = "the value of lane (my lane xor mask) of the warp";
  let description = [{
    Executed by all 32 lanes of a warp. Orders no memory.

    ```mlir
    func.func @f(%x: f32) -> f32 {
      %y = cuda.shuffle_xor %x mask 16 : f32
      return %y : f32
    }
    ```
  }];
  // Not Pure: a shuffle must not be moved to where some lanes are inactive.
  let arguments = (ins AnyTypeOf<[F32, I32]>:$value,
                       ConfinedAttr<I32Attr, [IntMinValue<1>, IntMaxValue<31>]>:$mask);
  let results = (outs AnyTypeOf<[F32, I32]>:$result);
  let assemblyFormat = "$value `mask` $mask attr-dict `:` type($value)";
}

//===----------------------------------------------------------------------===//
// Memory
//===----------------------------------------------------------------------===//

class CUDA_WorkgroupMemoryOf<list<Type> elements> : ConfinedType<MemRefOf<elements>,
    [CPred<"::llvm::cast<::mlir::MemRefType>($_self).getMemorySpaceAsInt() == "
           "::corellama::cuda::kWorkgroupSpace">],
    "workgroup memory, a " # MemRefOf<elements>.summary>;
def CUDA_WorkgroupMemory : CUDA_WorkgroupMemoryOf<[F32, F16, BF16, I32, I8]>;

def CUDA_SharedOp : CUDA_Op<"shared", [Pure]> {
  let summary = "workgroup memory at a byte offset";
  let description = [{
    All workgroup memory of a kernel is one region, whose size the launch names
    (`llama.scratch` on the function): more than 48 KiB cannot be static.
    Not initialised; the region begins at a multiple of 128 bytes.

    ```mlir
    func.func @f() -> memref<32xf32, 3> {
      %m = cuda.shared at 128 : memref<32xf32, 3>
      return %m : memref<32xf32, 3>
    }
    ```
  }];
  let arguments = (ins ConfinedAttr<I64Attr, [IntNonNegative]>:$at);
  let results = (outs ConfinedType<CUDA_WorkgroupMemory, [HasStaticShapePred,
    CPred<"::llvm::cast<::mlir::MemRefType>($_self).getLayout().isIdentity()">],
    "workgroup memory of static shape, without strides">:$result);
  let assemblyFormat = "`at` $at attr-dict `:` type($result)";
  let hasVerifier = 1;
  let extraClassDeclaration = [{
    /// The first byte of the region behind this memory.
    int64_t getEnd();
  }];
}
def CUDA_LoadWeightOp : CUDA_Op<"load_weight", [MemoryEffects<[MemRead]>]> {
  let summary = "16 bytes of a weight";
  let description = [{
    One aligned load of 16 bytes. `at` is a multiple of 16, counted in bytes.

    ```mlir
    func.func @f(%w: memref<?xi8, 1>, %at: index) -> vector<4xi32> {
      %v = cuda.load_weight %w[%at] : memref<?xi8, 1>
      return %v : vector<4xi32>
    }
    ```
  }];
  let arguments = (ins MemRefRankOf<[I8], [1]>:$memory, Index:$at);
  let results = (outs CUDA_Bytes16:$result);
  let assemblyFormat = "$memory `[` $at `]` attr-dict `:` type($memory)";
}
def CUDA_PrefetchOp : CUDA_Op<"prefetch"> {
  let summary = "asks for a line of global memory";
  let description = [{
    Starts to bring the line of 128 bytes that has element `at` into the second-level
    cache, and waits for nothing (PTX ISA, prefetch.global.L2). No value depends on it.
    `at` is inside the memory.

    ```mlir
    func.func @f(%w: memref<?xi8, 1>, %at: index) {
      cuda.prefetch %w[%at] : memref<?xi8, 1>
      return
    }
    ```
  }];
  let arguments = (ins MemRefRankOf<[I8, F16, F32], [1]>:$memory, Index:$at);
  let assemblyFormat = "$memory `[` $at `]` attr-dict `:` type($memory)";
  let extraClassDeclaration = [{ static constexpr int64_t kLine = 128; }];
}
def CUDA_CopyAsyncOp : CUDA_Op<"copy_async", [AttrSizedOperandSegments]> {
  let summary = "starts an asynchronous copy of 16 bytes from global to workgroup memory";
  let description = [{
    `valid` of the 16 bytes are read, 0 to 16, the others become zero. Source and
    target are at multiples of 16 bytes. The copied bytes may be read by this
    thread after a `copy_wait` that covers the copy's group, by other threads
    after a barrier behind that.
  }];
  let arguments = (ins AnyMemRef:$source, Variadic<Index>:$sourceIndices,
                       CUDA_WorkgroupMemory:$target, Variadic<Index>:$targetIndices,
                       Index:$valid);
  let assemblyFormat = [{
    $source `[` $sourceIndices `]` `to` $target `[` $targetIndices `]` `valid` $valid
    attr-dict `:` type($source) `to` type($target)
  }];
  let extraClassDeclaration = [{ static constexpr int64_t kBytes = 16; }];
}
def CUDA_CopyCommitOp : CUDA_Op<"copy_commit"> {
  let summary = "makes a group of this thread's copies since its last commit";
  let description = [{
    Groups end in the order in which they were made (PTX: cp.async.commit_group).
  }];
  let assemblyFormat = "attr-dict";
}
def CUDA_CopyWaitOp : CUDA_Op<"copy_wait"> {
  let summary = "waits until at most so many of this thread's groups are unfinished";
  let description = [{
    What the finished groups copied is visible to this thread alone until a barrier (PTX:
    cp.async.wait_group).
  }];
  let arguments = (ins ConfinedAttr<I32Attr, [IntNonNegative]>:$pending);
  let assemblyFormat = "$pending attr-dict";
}

//===----------------------------------------------------------------------===//
// Bytes
//===----------------------------------------------------------------------===//

def CUDA_PermuteBytesOp : CUDA_Op<"permute_bytes", [Pure]> {
  let summary = "four bytes of eight, by number";
  let description = [{
    Byte i of the result is byte n of the eight bytes of `low` (0 to 3) and `high`
    (4 to 7), n = bits 4 i to 4 i + 2 of `which`. Bit 4 i + 3 has to be 0; the upper
    half of `which` is not read (PTX ISA, prmt.b32).

    ```mlir
    func.func @f(%low: i32, %high: i32, %which: i32) -> i32 {
      %v = cuda.permute_bytes %low, %high, %which
      return %v : i32
    }
    ```
  }];
  let arguments = (ins I32:$low, I32:$high, I32:$which);
  let results = (outs I32:$result);
  let assemblyFormat = "$low `,` $high `,` $which attr-dict";
}

//===----------------------------------------------------------------------===//
// Tensor cores
//===----------------------------------------------------------------------===//

class CUDA_Pairs<list<int> counts> : ConfinedType<VectorOfRankAndType<[2], [F16, BF16]>, [
    CPred<"::llvm::cast<::mlir::VectorType>($_self).getDimSize(1) == 2">,
    CPred<"::llvm::is_contained({" # !interleave(counts, ", ") #
          "}, ::llvm::cast<::mlir::VectorType>($_self).getDimSize(0))">],
    !interleave(counts, " or ") # " pairs of f16 or bf16">;

def CUDA_LdMatrixOp : CUDA_Op<"ldmatrix", [MemoryEffects<[MemRead]>,
    AllElementTypesMatch<["memory", "result"]>]> {
  let summary = "matrices of 8 x 8 numbers of 16 bits from workgroup memory, spread over the warp";
  let description = [{
    Each lane gives the address of one row of 16 bytes: lanes 8 i to 8 i + 7 the
    rows of matrix i (with two matrices the addresses of lanes 16 to 31 are not
    read). Row i of the result has elements (r, 2 c) and (r, 2 c + 1) of matrix i,
    r = lane / 4, c = lane mod 4; `transposed` those at (2 c, r) and (2 c + 1, r)
    (PTX ISA, ldmatrix).
  }];
  let arguments = (ins CUDA_WorkgroupMemoryOf<[F16, BF16]>:$memory, Variadic<Index>:$indices,
                       UnitAttr:$transposed);
  let results = (outs CUDA_Pairs<[1, 2, 4]>:$result);
  let assemblyFormat = [{
    $memory `[` $indices `]` (`transposed` $transposed^)? attr-dict `:` type($memory) `->`
    type($result)
  }];
}
def CUDA_MmaOp : CUDA_Op<"mma", [AllTypesMatch<["c", "result"]>,
    AllElementTypesMatch<["a", "b"]>]> {
  let summary = "16 x 8 += (16 x 16) x (16 x 8), over a warp";
  let description = [{
    m16n8k16 of f16 or of bf16 with float32 sums (PTX ISA, mma.sync.aligned.m16n8k16.row.col). With g
    = lane / 4 and t = lane mod 4 a lane holds: of a the pairs at (g, 2t), (g + 8,
    2t), (g, 2t + 8), (g + 8, 2t + 8); of b the pairs of column g at k = 2t and 2t +
    8; of c and the result (g, 2t), (g, 2t + 1), (g + 8, 2t), (g + 8, 2t + 1).
  }];
  let arguments = (ins CUDA_Pairs<[4]>:$a, CUDA_Pairs<[2]>:$b, CUDA_Accumulator:$c);
  let results = (outs CUDA_Accumulator:$result);
  let assemblyFormat = "$a `,` $b `,` $c attr-dict `:` type($a) `,` type($b)";
}

#endif
