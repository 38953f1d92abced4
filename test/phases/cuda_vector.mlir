// RUN: %opt %s --verify-roundtrip -o /dev/null
// RUN: %opt %s --llama-verify-phase=phase=vector -o /dev/null
// RUN: %opt %S/cuda_tile.mlir --corellama-vector-pipeline=backend=cuda -o %t.got
// RUN: %opt %s -o %t.want
// RUN: %python %S/compare.py --function=down.decode %t.got %t.want

// Phase vector for a GPU: what one thread does. One kernel, @down.decode of
// cuda_tile.mlir; vector.mlir has the same kernel for a CPU.
//
// Look at: the function takes (context, layer); which part a block computes is
// cuda.block_id, and a thread is lane %3 of warp %2. The next launch may begin
// (cuda.launch_dependents). The block first asks for its 16
// rows of the weight, 128 bytes a thread (cuda.prefetch), because they take longest to
// come and their place is known before x. Then it waits for the launches before it, which
// make x (cuda.wait_previous). The block copies the row of
// 48 columns to shared memory (cuda.shared), four columns a thread, past its end
// zeros; the xori is a swizzle, by which the lanes of a warp read different banks.
// Then cuda.barrier: no thread reads the row before all of it is there. Each warp
// computes two rows of the weight: a lane of the first six reads 8 halves of each
// (cuda.load_weight, 16 bytes: both loads come before the first use), multiplies
// them in ascending order by fma from +0 (`order <unit = #cpu.fma, block = 8, lanes = 32>`). The
// sums of the lanes go through five cuda.shuffle_xor, a tree that gives every lane
// the same bits; the residual, read before the barrier, is added, and lane 0 stores
// the two elements.

module attributes {llama.config = #llama.config<dim = 32, heads = 2, kv_heads = 1, head_size = 16, hidden = 48, vocabulary = 64, layers = 2, context_length = 2048>, llama.target = #cuda.target<name = "cuda:sm_80", features = "+ptx80">} {
  llama.weights @blk layers 2 {
    llama.weight @ffn_down : 32x48 formats [#llama.f16] in [#llama.rowmajor_split]
  }
  llama.buffer @x : tensor<512x32xf32> at 0
  llama.buffer @decode.o : tensor<1x32xf32> at 65728
  llama.buffer @decode.gate_up : tensor<1x48xf32> at 65536

  func.func private @down.decode(%ctx: !llvm.ptr, %layer: i32) attributes {llama.partition = #llama.partition<rows = [32], by = 16>, llama.reads = [@blk::@ffn_down], llama.scratch = 256 : i64, llama.strategy = #cuda.strategy<unit = #cuda.simt, threads = 256, n = 16>} {
    %c1536 = arith.constant 1536 : index
    %c6 = arith.constant 6 : index
    %cst = arith.constant 0.000000e+00 : f32
    %c65728 = arith.constant 65728 : index
    %c7 = arith.constant 7 : index
    %c3 = arith.constant 3 : index
    %cst_0 = arith.constant dense<0.000000e+00> : vector<4xf32>
    %c48 = arith.constant 48 : index
    %c4 = arith.constant 4 : index
    %c65536 = arith.constant 65536 : index
    %c128 = arith.constant 128 : index
    %c12 = arith.constant 12 : index
    %c96 = arith.constant 96 : index
    %c18 = arith.constant 18 : index
    %c0 = arith.constant 0 : index
    %c2 = arith.constant 2 : index
    %c1 = arith.constant 1 : index
    %c16 = arith.constant 16 : index
    %c32 = arith.constant 32 : index
    %0 = cuda.block_id
    %1 = cuda.thread_id
    %2 = arith.divui %1, %c32 : index
    %3 = arith.remui %1, %c32 : index
    cuda.launch_dependents
    %4 = arith.index_castui %layer : i32 to index
    %5 = context.field %ctx offsets : !llvm.ptr -> !llvm.ptr
    %6 = context.view %5[%c0] : !llvm.ptr -> memref<?xi64, 1>
    %7 = arith.addi %4, %c18 : index
    %8 = memref.load %6[%7] : memref<?xi64, 1>
    %9 = arith.index_cast %8 : i64 to index
    %10 = context.field %ctx weights : !llvm.ptr -> !llvm.ptr
    %11 = context.view %10[%9] : !llvm.ptr -> memref<?xi8, 1>
    %12 = arith.maxsi %0, %c0 : index
    %13 = arith.addi %0, %c1 : index
    %14 = arith.minsi %13, %c2 : index
    %15 = arith.cmpi slt, %12, %14 : index
    scf.if %15 {
      %20 = arith.muli %12, %c16 : index
      %21 = arith.addi %20, %c16 : index
      %22 = arith.minsi %21, %c32 : index
      %23 = arith.cmpi slt, %20, %22 : index
      scf.if %23 {
        %24 = arith.muli %12, %c1536 : index
        %25 = arith.cmpi slt, %1, %c12 : index
        scf.if %25 {
          %26 = arith.muli %1, %c128 : index
          %27 = arith.addi %24, %26 : index
          cuda.prefetch %11[%27] : memref<?xi8, 1>
        }
      }
    }
    cuda.wait_previous
    %16 = context.field %ctx workspace : !llvm.ptr -> !llvm.ptr
    %17 = context.view %16[%c65536] : !llvm.ptr -> memref<1x48xf32, 1>
    %18 = cuda.shared at 0 : memref<1x64xf32, 3>
    %19 = arith.cmpi slt, %1, %c16 : index
    scf.if %19 {
      %20 = arith.muli %1, %c4 : index
      %21 = arith.cmpi slt, %20, %c48 : index
      %22 = scf.if %21 -> (vector<4xf32>) {
        %27 = vector.load %17[%c0, %20] {alignment = 16 : i64} : memref<1x48xf32, 1>, vector<4xf32>
        scf.yield %27 : vector<4xf32>
      } else {
        scf.yield %cst_0 : vector<4xf32>
      }
      %23 = arith.shrui %1, %c3 : index
      %24 = arith.andi %23, %c7 : index
      %25 = arith.xori %1, %24 : index
      %26 = arith.muli %25, %c4 : index
      vector.store %22, %18[%c0, %26] {alignment = 16 : i64} : memref<1x64xf32, 3>, vector<4xf32>
    }
    scf.if %15 {
      %20 = arith.muli %12, %c16 : index
      %21 = arith.addi %20, %c16 : index
      %22 = arith.minsi %21, %c32 : index
      %23 = arith.cmpi slt, %20, %22 : index
      scf.if %23 {
        %24 = context.view %16[%c65728] : !llvm.ptr -> memref<1x32xf32, 1>
        %25 = arith.muli %2, %c2 : index
        %26 = arith.addi %20, %25 : index
        %27 = vector.load %24[%c0, %26] {alignment = 8 : i64} : memref<1x32xf32, 1>, vector<2xf32>
        cuda.barrier
        %28 = arith.addi %25, %c1 : index
        %29 = arith.addi %20, %28 : index
        %30 = arith.muli %26, %c96 : index
        %31 = arith.muli %29, %c96 : index
        %32 = arith.cmpi slt, %3, %c6 : index
        %33:2 = scf.if %32 -> (f32, f32) {
          %58 = arith.muli %3, %c16 : index
          %59 = arith.addi %30, %58 : index
          %60 = cuda.load_weight %11[%59] : memref<?xi8, 1>
          %61 = arith.addi %31, %58 : index
          %62 = cuda.load_weight %11[%61] : memref<?xi8, 1>
          %63 = arith.muli %3, %c2 : index
          %64 = arith.shrui %63, %c3 : index
          %65 = arith.andi %64, %c7 : index
          %66 = arith.xori %63, %65 : index
          %67 = arith.muli %66, %c4 : index
          %68 = vector.load %18[%c0, %67] {alignment = 16 : i64} : memref<1x64xf32, 3>, vector<4xf32>
          %69 = vector.extract %68[0] : f32 from vector<4xf32>
          %70 = vector.extract %68[1] : f32 from vector<4xf32>
          %71 = vector.extract %68[2] : f32 from vector<4xf32>
          %72 = vector.extract %68[3] : f32 from vector<4xf32>
          %73 = vector.bitcast %60 : vector<4xi32> to vector<8xf16>
          %74 = vector.extract %73[0] : f16 from vector<8xf16>
          %75 = arith.extf %74 : f16 to f32
          %76 = vector.extract %73[1] : f16 from vector<8xf16>
          %77 = arith.extf %76 : f16 to f32
          %78 = vector.extract %73[2] : f16 from vector<8xf16>
          %79 = arith.extf %78 : f16 to f32
          %80 = vector.extract %73[3] : f16 from vector<8xf16>
          %81 = arith.extf %80 : f16 to f32
          %82 = math.fma %75, %69, %cst : f32
          %83 = math.fma %77, %70, %82 : f32
          %84 = math.fma %79, %71, %83 : f32
          %85 = math.fma %81, %72, %84 : f32
          %86 = vector.bitcast %62 : vector<4xi32> to vector<8xf16>
          %87 = vector.extract %86[0] : f16 from vector<8xf16>
          %88 = arith.extf %87 : f16 to f32
          %89 = vector.extract %86[1] : f16 from vector<8xf16>
          %90 = arith.extf %89 : f16 to f32
          %91 = vector.extract %86[2] : f16 from vector<8xf16>
          %92 = arith.extf %91 : f16 to f32
          %93 = vector.extract %86[3] : f16 from vector<8xf16>
          %94 = arith.extf %93 : f16 to f32
          %95 = math.fma %88, %69, %cst : f32
          %96 = math.fma %90, %70, %95 : f32
          %97 = math.fma %92, %71, %96 : f32
          %98 = math.fma %94, %72, %97 : f32
          %99 = arith.addi %63, %c1 : index
          %100 = arith.shrui %99, %c3 : index
          %101 = arith.andi %100, %c7 : index
          %102 = arith.xori %99, %101 : index
          %103 = arith.muli %102, %c4 : index
          %104 = vector.load %18[%c0, %103] {alignment = 16 : i64} : memref<1x64xf32, 3>, vector<4xf32>
          %105 = vector.extract %104[0] : f32 from vector<4xf32>
          %106 = vector.extract %104[1] : f32 from vector<4xf32>
          %107 = vector.extract %104[2] : f32 from vector<4xf32>
          %108 = vector.extract %104[3] : f32 from vector<4xf32>
          %109 = vector.extract %73[4] : f16 from vector<8xf16>
          %110 = arith.extf %109 : f16 to f32
          %111 = vector.extract %73[5] : f16 from vector<8xf16>
          %112 = arith.extf %111 : f16 to f32
          %113 = vector.extract %73[6] : f16 from vector<8xf16>
          %114 = arith.extf %113 : f16 to f32
          %115 = vector.extract %73[7] : f16 from vector<8xf16>
          %116 = arith.extf %115 : f16 to f32
          %117 = math.fma %110, %105, %85 : f32
          %118 = math.fma %112, %106, %117 : f32
          %119 = math.fma %114, %107, %118 : f32
          %120 = math.fma %116, %108, %119 : f32
          %121 = vector.extract %86[4] : f16 from vector<8xf16>
          %122 = arith.extf %121 : f16 to f32
          %123 = vector.extract %86[5] : f16 from vector<8xf16>
          %124 = arith.extf %123 : f16 to f32
          %125 = vector.extract %86[6] : f16 from vector<8xf16>
          %126 = arith.extf %125 : f16 to f32
          %127 = vector.extract %86[7] : f16 from vector<8xf16>
          %128 = arith.extf %127 : f16 to f32
          %129 = math.fma %122, %105, %98 : f32
          %130 = math.fma %124, %106, %129 : f32
          %131 = math.fma %126, %107, %130 : f32
          %132 = math.fma %128, %108, %131 : f32
          %133 = arith.addf %120, %cst : f32
          %134 = arith.addf %132, %cst : f32
          scf.yield %133, %134 : f32, f32
        } else {
          scf.yield %cst, %cst : f32, f32
        }
        %34 = cuda.shuffle_xor %33#0 mask 16 : f32
        %35 = arith.addf %33#0, %34 : f32
        %36 = cuda.shuffle_xor %35 mask 8 : f32
        %37 = arith.addf %35, %36 : f32
        %38 = cuda.shuffle_xor %37 mask 4 : f32
        %39 = arith.addf %37, %38 : f32
        %40 = cuda.shuffle_xor %39 mask 2 : f32
        %41 = arith.addf %39, %40 : f32
        %42 = cuda.shuffle_xor %41 mask 1 : f32
        %43 = arith.addf %41, %42 : f32
        %44 = cuda.shuffle_xor %33#1 mask 16 : f32
        %45 = arith.addf %33#1, %44 : f32
        %46 = cuda.shuffle_xor %45 mask 8 : f32
        %47 = arith.addf %45, %46 : f32
        %48 = cuda.shuffle_xor %47 mask 4 : f32
        %49 = arith.addf %47, %48 : f32
        %50 = cuda.shuffle_xor %49 mask 2 : f32
        %51 = arith.addf %49, %50 : f32
        %52 = cuda.shuffle_xor %51 mask 1 : f32
        %53 = arith.addf %51, %52 : f32
        %54 = vector.from_elements %43, %53 : vector<2xf32>
        %55 = arith.addf %27, %54 : vector<2xf32>
        %56 = context.view %16[%c0] : !llvm.ptr -> memref<512x32xf32, 1>
        %57 = arith.cmpi eq, %3, %c0 : index
        scf.if %57 {
          vector.store %55, %56[%c0, %26] {alignment = 8 : i64} : memref<512x32xf32, 1>, vector<2xf32>
        }
      }
    }
    return
  }
}
