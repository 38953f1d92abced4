// RUN: %emulator_opt %pass %s | FileCheck %s

// The code is for this machine, whatever the GPU is.
// CHECK: module attributes {llama.target = #cpu.target<name = "x86-64-v3", features = "+avx2,+f16c,+fma"
module attributes {llama.target = #cuda.target<name = "cuda:sm_80", features = "+ptx80">} {
  // Who: constant along a thread.
  // CHECK-LABEL: func.func @ids
  // CHECK:         %[[T:.+]] = llvm.call @corellama_emulator_thread() : () -> i32
  // CHECK:         arith.index_castui %[[T]] : i32 to index
  // CHECK:         %[[B:.+]] = llvm.call @corellama_emulator_block() : () -> i32
  // CHECK:         arith.index_castui %[[B]] : i32 to index
  func.func @ids(%ctx: !llvm.ptr, %layer: i32) attributes {llama.partition = #llama.partition<rows = [16], by = 16>} {
    %workspace = context.field %ctx workspace : !llvm.ptr -> !llvm.ptr
    %t = cuda.thread_id
    %b = cuda.block_id
    %m = context.view %workspace[%t] : !llvm.ptr -> memref<?xindex, 1>
    memref.store %b, %m[%t] : memref<?xindex, 1>
    return
  }

  // Memory of all spaces is the host's, in loops too; workgroup memory is at the
  // block's pointer.
  // CHECK-LABEL: func.func @memory
  // CHECK:         %[[SHARED:.+]] = llvm.call @corellama_emulator_shared() : () -> !llvm.ptr
  // CHECK:         %[[AT:.+]] = arith.constant 128 : index
  // CHECK:         %[[M:.+]] = context.view %[[SHARED]][%[[AT]]] : !llvm.ptr -> memref<64xf32>
  // CHECK:         scf.for {{.*}} iter_args(%[[R:.+]] = %[[M]]) -> (memref<64xf32>)
  // CHECK:           memref.store %{{.+}}, %[[R]][%{{.+}}] : memref<64xf32>
  // CHECK-NOT:     memref<{{.*}}, 3>
  // CHECK:         return
  func.func @memory(%ctx: !llvm.ptr, %layer: i32) attributes {llama.partition = #llama.partition<rows = [16], by = 16>} {
    %c0 = arith.constant 0 : index
    %c1 = arith.constant 1 : index
    %c64 = arith.constant 64 : index
    %zero = arith.constant 0.0 : f32
    %m = cuda.shared at 128 : memref<64xf32, 3>
    %n = scf.for %i = %c0 to %c64 step %c1 iter_args(%r = %m) -> (memref<64xf32, 3>) {
      memref.store %zero, %r[%i] : memref<64xf32, 3>
      scf.yield %r : memref<64xf32, 3>
    }
    memref.store %zero, %n[%c0] : memref<64xf32, 3>
    return
  }

  // Together: calls that LLVM may not divide between two branches.
  // CHECK-LABEL: func.func @together
  // CHECK:         llvm.call @corellama_emulator_barrier(%{{.+}}) {convergent}
  // CHECK:         %[[X:.+]] = arith.bitcast %{{.+}} : f32 to i32
  // CHECK:         %[[Y:.+]] = llvm.call @corellama_emulator_shuffle_xor(%[[X]], %{{.+}}, %{{.+}}) {convergent} : (i32, i32, i32) -> i32
  // CHECK:         arith.bitcast %[[Y]] : i32 to f32
  // CHECK:         llvm.call @corellama_emulator_shuffle_xor(%{{.+}}, %{{.+}}, %{{.+}}) {convergent}
  // CHECK:         llvm.call @corellama_emulator_converge(%{{.+}}) {convergent}
  func.func @together(%ctx: !llvm.ptr, %layer: i32) attributes {llama.partition = #llama.partition<rows = [16], by = 16>} {
    %x = arith.constant 1.0 : f32
    cuda.barrier
    %y = cuda.shuffle_xor %x mask 4 : f32
    %z = cuda.shuffle_xor %layer mask 1 : i32
    cuda.converge
    return
  }

  // The tree over a warp is one call, whichever side the shuffled value is on.
  // CHECK-LABEL: func.func @sum
  // CHECK:         %[[BITS:.+]] = arith.bitcast %arg2 : f32 to i32
  // CHECK:         %[[SUM:.+]] = llvm.call @corellama_emulator_warp_sum(%[[BITS]], %{{.+}}) {convergent} : (i32, i32) -> i32
  // CHECK:         %[[FLOAT:.+]] = arith.bitcast %[[SUM]] : i32 to f32
  // CHECK-NOT:     shuffle_xor
  // CHECK-NOT:     addf
  // CHECK:         return %[[FLOAT]]
  func.func @sum(%ctx: !llvm.ptr, %layer: i32, %x: f32) -> f32 attributes {llama.partition = #llama.partition<rows = [16], by = 16>} {
    %y0 = cuda.shuffle_xor %x mask 16 : f32
    %x1 = arith.addf %x, %y0 : f32
    %y1 = cuda.shuffle_xor %x1 mask 8 : f32
    %x2 = arith.addf %x1, %y1 : f32
    %y2 = cuda.shuffle_xor %x2 mask 4 : f32
    %x3 = arith.addf %y2, %x2 : f32
    %y3 = cuda.shuffle_xor %x3 mask 2 : f32
    %x4 = arith.addf %x3, %y3 : f32
    %y4 = cuda.shuffle_xor %x4 mask 1 : f32
    %x5 = arith.addf %x4, %y4 : f32
    return %x5 : f32
  }

  // Another tree, or one of which more is read, is not.
  // CHECK-LABEL: func.func @other_sums
  // CHECK-COUNT-9: call @corellama_emulator_shuffle_xor
  // CHECK-NOT:     warp_sum
  // CHECK:         return
  func.func @other_sums(%ctx: !llvm.ptr, %layer: i32, %x: f32) -> (f32, f32, f32) attributes {llama.partition = #llama.partition<rows = [16], by = 16>} {
    %y0 = cuda.shuffle_xor %x mask 16 : f32
    %x1 = arith.addf %x, %y0 : f32
    %y1 = cuda.shuffle_xor %x1 mask 8 : f32
    %x2 = arith.addf %x1, %y1 : f32
    %y2 = cuda.shuffle_xor %x2 mask 4 : f32
    %x3 = arith.addf %x2, %y2 : f32
    %y3 = cuda.shuffle_xor %x3 mask 2 : f32
    %x4 = arith.addf %x3, %y3 : f32
    %y4 = cuda.shuffle_xor %x4 mask 1 : f32
    %x5 = arith.addf %x4, %y4 : f32
    %u0 = cuda.shuffle_xor %x mask 8 : f32
    %x6 = arith.addf %x, %u0 : f32
    %u1 = cuda.shuffle_xor %x6 mask 4 : f32
    %x7 = arith.addf %x6, %u1 : f32
    %v0 = cuda.shuffle_xor %x5 mask 16 : f32
    %x8 = arith.addf %x, %v0 : f32
    %v1 = cuda.shuffle_xor %x8 mask 8 : f32
    %x9 = arith.addf %x8, %v1 : f32
    return %x4, %x7, %x9 : f32, f32, f32
  }

  // 16 bytes, aligned as a GPU needs it.
  // CHECK-LABEL: func.func @weights
  // CHECK:         %[[BYTES:.+]] = vector.load %{{.+}}[%{{.+}}] {alignment = 16 : i64} : memref<?xi8>, vector<16xi8>
  // CHECK:         vector.bitcast %[[BYTES]] : vector<16xi8> to vector<4xi32>
  func.func @weights(%ctx: !llvm.ptr, %layer: i32) attributes {llama.partition = #llama.partition<rows = [16], by = 16>} {
    %c0 = arith.constant 0 : index
    %w = context.field %ctx weights : !llvm.ptr -> !llvm.ptr
    %o = context.field %ctx workspace : !llvm.ptr -> !llvm.ptr
    %m = context.view %w[%c0] : !llvm.ptr -> memref<?xi8, 1>
    %n = context.view %o[%c0] : !llvm.ptr -> memref<?xi32, 1>
    %x = cuda.load_weight %m[%c0] : memref<?xi8, 1>
    vector.store %x, %n[%c0] : memref<?xi32, 1>, vector<4xi32>
    return
  }

  // A prefetch reads no value: only its bounds are checked.
  // CHECK-LABEL: func.func @prefetches
  // CHECK:         %[[AT:.+]] = llvm.getelementptr %{{.+}}[%{{.+}}] : (!llvm.ptr, i64) -> !llvm.ptr, i8
  // CHECK:         llvm.call @corellama_emulator_prefetch(%[[AT]], %{{.+}})
  func.func @prefetches(%ctx: !llvm.ptr, %layer: i32) attributes {llama.partition = #llama.partition<rows = [16], by = 16>} {
    %c128 = arith.constant 128 : index
    %w = context.field %ctx weights : !llvm.ptr -> !llvm.ptr
    %m = context.view %w[%c128] : !llvm.ptr -> memref<?xi8, 1>
    cuda.prefetch %m[%c128] : memref<?xi8, 1>
    return
  }

  // For f16 LLVM would call a library.
  // CHECK-LABEL: func.func @multiply_add_of_halves
  // CHECK-COUNT-3: arith.extf %{{.+}} : vector<2xf16> to vector<2xf32>
  // CHECK:         %[[SUM:.+]] = math.fma %{{.+}} : vector<2xf32>
  // CHECK:         arith.truncf %[[SUM]] : vector<2xf32> to vector<2xf16>
  func.func @multiply_add_of_halves(%ctx: !llvm.ptr, %layer: i32, %x: vector<2xf16>) -> vector<2xf16> attributes {llama.partition = #llama.partition<rows = [16], by = 16>} {
    %y = math.fma %x, %x, %x : vector<2xf16>
    return %y : vector<2xf16>
  }

  // CHECK-LABEL: func.func @copies
  // CHECK:         %[[TARGET:.+]] = llvm.getelementptr %{{.+}}[%{{.+}}] : (!llvm.ptr, i64) -> !llvm.ptr, f32
  // CHECK:         %[[SOURCE:.+]] = llvm.getelementptr %{{.+}}[%{{.+}}] : (!llvm.ptr, i64) -> !llvm.ptr, f32
  // CHECK:         %[[VALID:.+]] = arith.index_cast %{{.+}} : index to i32
  // CHECK:         llvm.call @corellama_emulator_copy_async(%[[TARGET]], %[[SOURCE]], %[[VALID]], %{{.+}})
  // CHECK:         %[[FIRST:.+]] = arith.constant 0 : i32
  // CHECK:         llvm.call @corellama_emulator_copy_commit(%[[FIRST]])
  // CHECK:         %[[PENDING:.+]] = arith.constant 1 : i32
  // CHECK:         %[[SECOND:.+]] = arith.constant 1 : i32
  // CHECK:         llvm.call @corellama_emulator_copy_wait(%[[PENDING]], %[[SECOND]])
  // What orders memory is numbered by itself.
  func.func @copies(%ctx: !llvm.ptr, %layer: i32) attributes {llama.partition = #llama.partition<rows = [16], by = 16>} {
    %c0 = arith.constant 0 : index
    %c16 = arith.constant 16 : index
    %w = context.field %ctx workspace : !llvm.ptr -> !llvm.ptr
    %m = context.view %w[%c0] : !llvm.ptr -> memref<?x8xf32, 1>
    %s = cuda.shared at 0 : memref<16x8xf32, 3>
    cuda.copy_async %m[%c0, %c0] to %s[%c0, %c0] valid %c16 : memref<?x8xf32, 1> to memref<16x8xf32, 3>
    cuda.copy_commit
    cuda.copy_wait 1
    return
  }

  // Registers go through local variables, which stand in the entry.
  // CHECK-LABEL: func.func @tensor_cores
  // CHECK-COUNT-5: llvm.alloca
  // CHECK:         %[[TWO:.+]] = arith.constant 2 : i32
  // CHECK:         llvm.call @corellama_emulator_ldmatrix(%{{.+}}, %[[TWO]], %[[A:.+]], %{{.+}}) {convergent}
  // CHECK:         %[[WORDS:.+]] = llvm.load %[[A]] : !llvm.ptr -> vector<2xi32>
  // CHECK:         %[[FLAT:.+]] = vector.bitcast %[[WORDS]] : vector<2xi32> to vector<4xf16>
  // CHECK:         vector.shape_cast %[[FLAT]] : vector<4xf16> to vector<2x2xf16>
    // CHECK:         llvm.call @corellama_emulator_mma(%{{.+}}, %{{.+}}, %{{.+}}, %[[D:.+]], %{{.+}}) {convergent}
  // CHECK:         llvm.load %[[D]] : !llvm.ptr -> vector<4xf32>
  func.func @tensor_cores(%ctx: !llvm.ptr, %layer: i32) attributes {llama.partition = #llama.partition<rows = [16], by = 16>} {
    %c0 = arith.constant 0 : index
    %s = cuda.shared at 0 : memref<16x8xf16, 3>
    %a = arith.constant dense<1.0> : vector<4x2xf16>
    %b = cuda.ldmatrix %s[%c0, %c0] : memref<16x8xf16, 3> -> vector<2x2xf16>
    %c = arith.constant dense<0.0> : vector<4xf32>
    %d = cuda.mma %a, %b, %c : vector<4x2xf16>, vector<2x2xf16>
    %m = cuda.shared at 256 : memref<4xf32, 3>
    vector.store %d, %m[%c0] : memref<4xf32, 3>, vector<4xf32>
    return
  }

  // CHECK-LABEL: func.func @matrices_transposed
  // CHECK:         llvm.call @corellama_emulator_ldmatrix_transposed
  func.func @matrices_transposed(%ctx: !llvm.ptr, %layer: i32) attributes {llama.partition = #llama.partition<rows = [16], by = 16>} {
    %c0 = arith.constant 0 : index
    %s = cuda.shared at 0 : memref<16x8xf16, 3>
    %a = cuda.ldmatrix %s[%c0, %c0] transposed : memref<16x8xf16, 3> -> vector<1x2xf16>
    %to = cuda.shared at 256 : memref<1x2xf16, 3>
    vector.store %a, %to[%c0, %c0] : memref<1x2xf16, 3>, vector<1x2xf16>
    return
  }

  // CHECK-LABEL: func.func @tensor_cores_on_bf16
  // CHECK:         llvm.call @corellama_emulator_mma_bf16
  func.func @tensor_cores_on_bf16(%ctx: !llvm.ptr, %layer: i32) attributes {llama.partition = #llama.partition<rows = [16], by = 16>} {
    %c0 = arith.constant 0 : index
    %a = arith.constant dense<1.0> : vector<4x2xbf16>
    %b = arith.constant dense<1.0> : vector<2x2xbf16>
    %c = arith.constant dense<0.0> : vector<4xf32>
    %d = cuda.mma %a, %b, %c : vector<4x2xbf16>, vector<2x2xbf16>
    %m = cuda.shared at 256 : memref<4xf32, 3>
    vector.store %d, %m[%c0] : memref<4xf32, 3>, vector<4xf32>
    return
  }

  // CHECK:       llvm.func @corellama_emulator_thread() -> i32 attributes {memory_effects = #llvm.memory_effects<other = none, {{.*}}, no_unwind, will_return}
  // CHECK:       llvm.func @corellama_emulator_barrier(i32) attributes {convergent, no_unwind}
  // CHECK-NOT:   cuda.
}
