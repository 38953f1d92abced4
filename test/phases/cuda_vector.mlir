// RUN: %opt %s --verify-roundtrip -o /dev/null
// RUN: %opt %s --llama-verify-phase=phase=vector -o /dev/null
// RUN: %opt %S/cuda_tile.mlir --corellama-vector-pipeline=backend=cuda -o %t.got
// RUN: %opt %s -o %t.want
// RUN: %python %S/compare.py --function=down.decode %t.got %t.want

// Phase vector for a GPU: what one thread does. One kernel, @down.decode of
// cuda_tile.mlir; vector.mlir has the same kernel for a CPU.
//
// Look at: the function takes (context, layer); which part a block computes is
// cuda.block_id, and a thread is lane %3 of warp %2. The block first asks for its 16
// rows of the weight, 128 bytes a thread (cuda.prefetch), because they take longest to
// come and their place is known before x. The block copies the row of
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
      %23 = arith.muli %12, %c16 : index
      %24 = arith.addi %23, %c16 : index
      %25 = arith.minsi %24, %c32 : index
      %26 = arith.cmpi slt, %23, %25 : index
      scf.if %26 {
        %27 = arith.muli %12, %c1536 : index
        %28 = arith.cmpi slt, %1, %c12 : index
        scf.if %28 {
          %29 = arith.muli %1, %c128 : index
          %30 = arith.addi %27, %29 : index
          cuda.prefetch %11[%30] : memref<?xi8, 1>
        }
      }
    }
    %16 = memref.load %6[%7] : memref<?xi64, 1>
    %17 = arith.index_cast %16 : i64 to index
    %18 = context.view %10[%17] : !llvm.ptr -> memref<?xi8, 1>
    %19 = context.field %ctx workspace : !llvm.ptr -> !llvm.ptr
    %20 = context.view %19[%c65536] : !llvm.ptr -> memref<1x48xf32, 1>
    %21 = cuda.shared at 0 : memref<1x64xf32, 3>
    %22 = arith.cmpi slt, %1, %c16 : index
    scf.if %22 {
      %23 = arith.muli %1, %c4 : index
      %24 = arith.cmpi slt, %23, %c48 : index
      %25 = scf.if %24 -> (vector<4xf32>) {
        %30 = vector.load %20[%c0, %23] {alignment = 16 : i64} : memref<1x48xf32, 1>, vector<4xf32>
        scf.yield %30 : vector<4xf32>
      } else {
        scf.yield %cst_0 : vector<4xf32>
      }
      %26 = arith.shrui %1, %c3 : index
      %27 = arith.andi %26, %c7 : index
      %28 = arith.xori %1, %27 : index
      %29 = arith.muli %28, %c4 : index
      vector.store %25, %21[%c0, %29] {alignment = 16 : i64} : memref<1x64xf32, 3>, vector<4xf32>
    }
    scf.if %15 {
      %23 = arith.muli %12, %c16 : index
      %24 = arith.addi %23, %c16 : index
      %25 = arith.minsi %24, %c32 : index
      %26 = arith.cmpi slt, %23, %25 : index
      scf.if %26 {
        %27 = context.view %19[%c65728] : !llvm.ptr -> memref<1x32xf32, 1>
        %28 = arith.muli %2, %c2 : index
        %29 = arith.addi %23, %28 : index
        %30 = vector.load %27[%c0, %29] {alignment = 8 : i64} : memref<1x32xf32, 1>, vector<2xf32>
        cuda.barrier
        %31 = arith.addi %28, %c1 : index
        %32 = arith.addi %23, %31 : index
        %33 = arith.muli %29, %c96 : index
        %34 = arith.muli %32, %c96 : index
        %35 = arith.cmpi slt, %3, %c6 : index
        %36:2 = scf.if %35 -> (f32, f32) {
          %61 = arith.muli %3, %c16 : index
          %62 = arith.addi %33, %61 : index
          %63 = cuda.load_weight %18[%62] : memref<?xi8, 1>
          %64 = arith.addi %34, %61 : index
          %65 = cuda.load_weight %18[%64] : memref<?xi8, 1>
          %66 = arith.muli %3, %c2 : index
          %67 = arith.shrui %66, %c3 : index
          %68 = arith.andi %67, %c7 : index
          %69 = arith.xori %66, %68 : index
          %70 = arith.muli %69, %c4 : index
          %71 = vector.load %21[%c0, %70] {alignment = 16 : i64} : memref<1x64xf32, 3>, vector<4xf32>
          %72 = vector.extract %71[0] : f32 from vector<4xf32>
          %73 = vector.extract %71[1] : f32 from vector<4xf32>
          %74 = vector.extract %71[2] : f32 from vector<4xf32>
          %75 = vector.extract %71[3] : f32 from vector<4xf32>
          %76 = vector.bitcast %63 : vector<4xi32> to vector<8xf16>
          %77 = vector.extract %76[0] : f16 from vector<8xf16>
          %78 = arith.extf %77 : f16 to f32
          %79 = vector.extract %76[1] : f16 from vector<8xf16>
          %80 = arith.extf %79 : f16 to f32
          %81 = vector.extract %76[2] : f16 from vector<8xf16>
          %82 = arith.extf %81 : f16 to f32
          %83 = vector.extract %76[3] : f16 from vector<8xf16>
          %84 = arith.extf %83 : f16 to f32
          %85 = math.fma %78, %72, %cst : f32
          %86 = math.fma %80, %73, %85 : f32
          %87 = math.fma %82, %74, %86 : f32
          %88 = math.fma %84, %75, %87 : f32
          %89 = vector.bitcast %65 : vector<4xi32> to vector<8xf16>
          %90 = vector.extract %89[0] : f16 from vector<8xf16>
          %91 = arith.extf %90 : f16 to f32
          %92 = vector.extract %89[1] : f16 from vector<8xf16>
          %93 = arith.extf %92 : f16 to f32
          %94 = vector.extract %89[2] : f16 from vector<8xf16>
          %95 = arith.extf %94 : f16 to f32
          %96 = vector.extract %89[3] : f16 from vector<8xf16>
          %97 = arith.extf %96 : f16 to f32
          %98 = math.fma %91, %72, %cst : f32
          %99 = math.fma %93, %73, %98 : f32
          %100 = math.fma %95, %74, %99 : f32
          %101 = math.fma %97, %75, %100 : f32
          %102 = arith.addi %66, %c1 : index
          %103 = arith.shrui %102, %c3 : index
          %104 = arith.andi %103, %c7 : index
          %105 = arith.xori %102, %104 : index
          %106 = arith.muli %105, %c4 : index
          %107 = vector.load %21[%c0, %106] {alignment = 16 : i64} : memref<1x64xf32, 3>, vector<4xf32>
          %108 = vector.extract %107[0] : f32 from vector<4xf32>
          %109 = vector.extract %107[1] : f32 from vector<4xf32>
          %110 = vector.extract %107[2] : f32 from vector<4xf32>
          %111 = vector.extract %107[3] : f32 from vector<4xf32>
          %112 = vector.extract %76[4] : f16 from vector<8xf16>
          %113 = arith.extf %112 : f16 to f32
          %114 = vector.extract %76[5] : f16 from vector<8xf16>
          %115 = arith.extf %114 : f16 to f32
          %116 = vector.extract %76[6] : f16 from vector<8xf16>
          %117 = arith.extf %116 : f16 to f32
          %118 = vector.extract %76[7] : f16 from vector<8xf16>
          %119 = arith.extf %118 : f16 to f32
          %120 = math.fma %113, %108, %88 : f32
          %121 = math.fma %115, %109, %120 : f32
          %122 = math.fma %117, %110, %121 : f32
          %123 = math.fma %119, %111, %122 : f32
          %124 = vector.extract %89[4] : f16 from vector<8xf16>
          %125 = arith.extf %124 : f16 to f32
          %126 = vector.extract %89[5] : f16 from vector<8xf16>
          %127 = arith.extf %126 : f16 to f32
          %128 = vector.extract %89[6] : f16 from vector<8xf16>
          %129 = arith.extf %128 : f16 to f32
          %130 = vector.extract %89[7] : f16 from vector<8xf16>
          %131 = arith.extf %130 : f16 to f32
          %132 = math.fma %125, %108, %101 : f32
          %133 = math.fma %127, %109, %132 : f32
          %134 = math.fma %129, %110, %133 : f32
          %135 = math.fma %131, %111, %134 : f32
          %136 = arith.addf %123, %cst : f32
          %137 = arith.addf %135, %cst : f32
          scf.yield %136, %137 : f32, f32
        } else {
          scf.yield %cst, %cst : f32, f32
        }
        %37 = cuda.shuffle_xor %36#0 mask 16 : f32
        %38 = arith.addf %36#0, %37 : f32
        %39 = cuda.shuffle_xor %38 mask 8 : f32
        %40 = arith.addf %38, %39 : f32
        %41 = cuda.shuffle_xor %40 mask 4 : f32
        %42 = arith.addf %40, %41 : f32
        %43 = cuda.shuffle_xor %42 mask 2 : f32
        %44 = arith.addf %42, %43 : f32
        %45 = cuda.shuffle_xor %44 mask 1 : f32
        %46 = arith.addf %44, %45 : f32
        %47 = cuda.shuffle_xor %36#1 mask 16 : f32
        %48 = arith.addf %36#1, %47 : f32
        %49 = cuda.shuffle_xor %48 mask 8 : f32
        %50 = arith.addf %48, %49 : f32
        %51 = cuda.shuffle_xor %50 mask 4 : f32
        %52 = arith.addf %50, %51 : f32
        %53 = cuda.shuffle_xor %52 mask 2 : f32
        %54 = arith.addf %52, %53 : f32
        %55 = cuda.shuffle_xor %54 mask 1 : f32
        %56 = arith.addf %54, %55 : f32
        %57 = vector.from_elements %46, %56 : vector<2xf32>
        %58 = arith.addf %30, %57 : vector<2xf32>
        %59 = context.view %19[%c0] : !llvm.ptr -> memref<512x32xf32, 1>
        %60 = arith.cmpi eq, %3, %c0 : index
        scf.if %60 {
          vector.store %58, %59[%c0, %29] {alignment = 8 : i64} : memref<512x32xf32, 1>, vector<2xf32>
        }
      }
    }
    return
  }
}
