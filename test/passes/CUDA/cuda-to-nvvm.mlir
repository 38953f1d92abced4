// RUN: %opt %pass %s | FileCheck %s

// Each op of cuda as ops of nvvm and llvm.

// CHECK: llvm.mlir.global external @corellama_shared() {addr_space = 3 : i32, alignment = 128 : i64} : !llvm.array<0 x i8>

// Numbers of threads are below the block's size, which LLVM makes use of.
// CHECK-LABEL: func.func @a_thread_and_its_block
// CHECK:         nvvm.read.ptx.sreg.tid.x range <i32, 0, 256> : i32
// CHECK:         nvvm.read.ptx.sreg.ctaid.x range <i32, 0, 2147483647> : i32
func.func @a_thread_and_its_block() -> (index, index) attributes {llama.strategy = #cuda.strategy<unit = #cuda.simt, threads = 256>} {
  %t = cuda.thread_id
  %b = cuda.block_id
  return %t, %b : index, index
}

// CHECK-LABEL: func.func @a_barrier
// CHECK:         nvvm.barrier0
func.func @a_barrier() attributes {llama.strategy = #cuda.strategy<unit = #cuda.simt, threads = 256>} {
  cuda.barrier
  return
}

// A kernel, which waits for earlier launches before it reads what they write.
// CHECK-LABEL: func.func private @launches_that_overlap
// CHECK:         nvvm.griddepcontrol launch_dependents
// CHECK:         llvm.inline_asm {{.+}}prefetch
// CHECK:         nvvm.griddepcontrol wait
// CHECK:         memref.load
func.func private @launches_that_overlap(%ctx: !llvm.ptr, %layer: i32) attributes {llama.partition = #llama.partition<rows = [1], by = 1>, llama.strategy = #cuda.strategy<unit = #cuda.simt, threads = 256>} {
  %c0 = arith.constant 0 : index
  cuda.launch_dependents
  %offsets = context.field %ctx offsets : !llvm.ptr -> !llvm.ptr
  %table = context.view %offsets[%c0] : !llvm.ptr -> memref<?xi64, 1>
  %offset = memref.load %table[%c0] : memref<?xi64, 1>
  %at = arith.index_cast %offset : i64 to index
  %weights = context.field %ctx weights : !llvm.ptr -> !llvm.ptr
  %w = context.view %weights[%at] : !llvm.ptr -> memref<?xi8, 1>
  %some = arith.cmpi slt, %at, %c0 : index
  scf.if %some {
    cuda.prefetch %w[%c0] : memref<?xi8, 1>
  }
  cuda.wait_previous
  %workspace = context.field %ctx workspace : !llvm.ptr -> !llvm.ptr
  %x = context.view %workspace[%c0] : !llvm.ptr -> memref<?xf32, 1>
  %v = memref.load %x[%c0] : memref<?xf32, 1>
  memref.store %v, %x[%c0] : memref<?xf32, 1>
  return
}

// CHECK-LABEL: func.func @a_converge
// CHECK:         %[[ALL:.+]] = llvm.mlir.constant(-1 : i32)
// CHECK:         nvvm.bar.warp.sync %[[ALL]] : i32
func.func @a_converge() attributes {llama.strategy = #cuda.strategy<unit = #cuda.simt, threads = 256>} {
  cuda.converge
  return
}

// All lanes take part, in segments of a whole warp.
// CHECK-LABEL: func.func @a_shuffle
// CHECK-SAME:    (%[[X:.+]]: f32)
// CHECK-DAG:     %[[ALL:.+]] = llvm.mlir.constant(-1 : i32)
// CHECK-DAG:     %[[MASK:.+]] = llvm.mlir.constant(16 : i32)
// CHECK-DAG:     %[[CLAMP:.+]] = llvm.mlir.constant(31 : i32)
// CHECK:         nvvm.shfl.sync bfly %[[ALL]], %[[X]], %[[MASK]], %[[CLAMP]] : f32 -> f32
func.func @a_shuffle(%x: f32) -> f32 attributes {llama.strategy = #cuda.strategy<unit = #cuda.simt, threads = 256>} {
  %y = cuda.shuffle_xor %x mask 16 : f32
  return %y : f32
}

// Workgroup memory is one symbol plus an offset in bytes.
// CHECK-LABEL: func.func @workgroup_memory
// CHECK:         %[[BASE:.+]] = llvm.mlir.addressof @corellama_shared : !llvm.ptr<3>
// CHECK:         llvm.getelementptr %[[BASE]][256] : (!llvm.ptr<3>) -> !llvm.ptr<3>, i8
// CHECK:         builtin.unrealized_conversion_cast {{.+}} to memref<4x32xf32, 3>
func.func @workgroup_memory() -> memref<4x32xf32, 3> attributes {llama.strategy = #cuda.strategy<unit = #cuda.simt, threads = 256>} {
  %m = cuda.shared at 256 : memref<4x32xf32, 3>
  return %m : memref<4x32xf32, 3>
}

// In global memory and at a multiple of 16 bytes: ld.global.v4. Not invariant, because
// ptxas moves ld.global.nc over a converge.
// CHECK-LABEL: func.func @a_weight
// CHECK:         %[[AT:.+]] = llvm.getelementptr {{.+}} : (!llvm.ptr<1>, i64) -> !llvm.ptr<1>, i8
// CHECK:         llvm.load %[[AT]] {alignment = 16 : i64} : !llvm.ptr<1> -> vector<4xi32>
func.func @a_weight(%w: memref<?xi8, 1>, %at: index) -> vector<4xi32> attributes {llama.strategy = #cuda.strategy<unit = #cuda.simt, threads = 256>} {
  %v = cuda.load_weight %w[%at] : memref<?xi8, 1>
  return %v : vector<4xi32>
}

// One instruction of bits where ptxas would make two.
// CHECK-LABEL: func.func @bits
// CHECK:         %[[Y:.+]] = llvm.inline_asm "lop3.b32 $0, $1, 983055, 1677747200, 0xEA;", "=r,r" %arg0 : (i32) -> i32
// CHECK:         return %[[Y]]
func.func @bits(%x: i32) -> i32 attributes {llama.strategy = #cuda.strategy<unit = #cuda.simt, threads = 256>} {
  %mask = arith.constant 0x000F000F : i32
  %more = arith.constant 0x64006400 : i32
  %m = arith.andi %x, %mask : i32
  %y = arith.ori %m, %more : i32
  return %y : i32
}

// CHECK-LABEL: func.func @a_prefetch
// CHECK:         %[[AT:.+]] = llvm.getelementptr {{.+}} : (!llvm.ptr<1>, i64) -> !llvm.ptr<1>, i8
// CHECK:         llvm.inline_asm has_side_effects {{.*}}"prefetch.global.L2 [$0];", "l" %[[AT]] : (!llvm.ptr<1>) -> ()
func.func @a_prefetch(%w: memref<?xi8, 1>, %at: index) attributes {llama.strategy = #cuda.strategy<unit = #cuda.simt, threads = 256>} {
  cuda.prefetch %w[%at] : memref<?xi8, 1>
  return
}

// The bytes that are not valid become zero, by the instruction itself.
// CHECK-LABEL: func.func @a_copy
// CHECK-DAG:     %[[ROW:.+]] = llvm.mlir.constant(64 : index)
// CHECK:         llvm.mul {{.+}}, %[[ROW]] : i64
// CHECK:         %[[VALID:.+]] = arith.index_cast %{{.+}} : index to i32
// CHECK:         nvvm.cp.async.shared.global %{{.+}}, %{{.+}}, 16, cache = cg, %[[VALID]] : !llvm.ptr<3>, !llvm.ptr<1>, i32
// CHECK:         nvvm.cp.async.commit.group
// CHECK:         nvvm.cp.async.wait.group 1
func.func @a_copy(%from: memref<?x64xf16, 1>, %to: memref<64x32xf16, 3>, %i: index, %j: index, %valid: index) attributes {llama.strategy = #cuda.strategy<unit = #cuda.mma, threads = 128>} {
  cuda.copy_async %from[%i, %j] to %to[%i, %j] valid %valid : memref<?x64xf16, 1> to memref<64x32xf16, 3>
  cuda.copy_commit
  cuda.copy_wait 1
  return
}

// Rows in memory that knows no space are asked for as global memory.
// CHECK-LABEL: func.func @a_copy_from_generic_memory
// CHECK:         %[[GLOBAL:.+]] = llvm.addrspacecast %{{.+}} : !llvm.ptr to !llvm.ptr<1>
// CHECK:         nvvm.cp.async.shared.global %{{.+}}, %[[GLOBAL]]
func.func @a_copy_from_generic_memory(%from: memref<?xf16>, %to: memref<64xf16, 3>, %i: index) attributes {llama.strategy = #cuda.strategy<unit = #cuda.mma, threads = 128>} {
  cuda.copy_async %from[%i] to %to[%i] valid %i : memref<?xf16> to memref<64xf16, 3>
  return
}

// CHECK-LABEL: func.func @bytes_by_number
// CHECK-SAME:    (%[[L:.+]]: i32, %[[H:.+]]: i32, %[[W:.+]]: i32)
// CHECK:         nvvm.prmt <default> %[[W]], %[[L]], %[[H]] : i32
func.func @bytes_by_number(%low: i32, %high: i32, %which: i32) -> i32 attributes {llama.strategy = #cuda.strategy<unit = #cuda.simt, threads = 256>} {
  %v = cuda.permute_bytes %low, %high, %which
  return %v : i32
}

// CHECK-LABEL: func.func @four_matrices
// CHECK:         %[[WORDS:.+]] = nvvm.ldmatrix %{{.+}} {{{.*}}layout = #nvvm.mma_layout<row>, num = 4 : i32{{.*}}} : (!llvm.ptr<3>) -> !llvm.struct<(i32, i32, i32, i32)>
// CHECK:         %[[WORD:.+]] = llvm.extractvalue %[[WORDS]][3]
// CHECK:         %[[PAIR:.+]] = llvm.bitcast %[[WORD]] : i32 to vector<2xf16>
// CHECK:         vector.insert %[[PAIR]], %{{.+}} [3] : vector<2xf16> into vector<4x2xf16>
func.func @four_matrices(%m: memref<64x32xf16, 3>, %i: index, %j: index) -> vector<4x2xf16> attributes {llama.strategy = #cuda.strategy<unit = #cuda.mma, threads = 128>} {
  %v = cuda.ldmatrix %m[%i, %j] : memref<64x32xf16, 3> -> vector<4x2xf16>
  return %v : vector<4x2xf16>
}

// CHECK-LABEL: func.func @matrices_transposed
// CHECK:         nvvm.ldmatrix %{{.+}} {{{.*}}layout = #nvvm.mma_layout<col>, num = 4 : i32{{.*}}}
func.func @matrices_transposed(%m: memref<64x32xf16, 3>, %i: index, %j: index) -> vector<4x2xf16> attributes {llama.strategy = #cuda.strategy<unit = #cuda.mma, threads = 128>} {
  %v = cuda.ldmatrix %m[%i, %j] transposed : memref<64x32xf16, 3> -> vector<4x2xf16>
  return %v : vector<4x2xf16>
}

// CHECK-LABEL: func.func @one_matrix
// CHECK:         %[[WORD:.+]] = nvvm.ldmatrix %{{.+}} {{{.*}}num = 1 : i32{{.*}}} : (!llvm.ptr<3>) -> i32
// CHECK:         llvm.bitcast %[[WORD]] : i32 to vector<2xf16>
func.func @one_matrix(%m: memref<64x32xf16, 3>, %i: index, %j: index) -> vector<1x2xf16> attributes {llama.strategy = #cuda.strategy<unit = #cuda.mma, threads = 128>} {
  %v = cuda.ldmatrix %m[%i, %j] : memref<64x32xf16, 3> -> vector<1x2xf16>
  return %v : vector<1x2xf16>
}

// CHECK-LABEL: func.func @a_product_of_halves
// CHECK:         nvvm.mma.sync A[%{{.+}}, %{{.+}}, %{{.+}}, %{{.+}}] B[%{{.+}}, %{{.+}}] C[%{{.+}}, %{{.+}}, %{{.+}}, %{{.+}}]
// CHECK-SAME:    shape = #nvvm.shape<m = 16, n = 8, k = 16>
// CHECK-SAME:    (vector<2xf16>, vector<2xf16>, f32) -> !llvm.struct<(f32, f32, f32, f32)>
func.func @a_product_of_halves(%a: vector<4x2xf16>, %b: vector<2x2xf16>, %c: vector<4xf32>) -> vector<4xf32> attributes {llama.strategy = #cuda.strategy<unit = #cuda.mma, threads = 128>} {
  %d = cuda.mma %a, %b, %c : vector<4x2xf16>, vector<2x2xf16>
  return %d : vector<4xf32>
}

// Registers of bf16 are words.
// CHECK-LABEL: func.func @a_product_of_bf16
// CHECK-COUNT-6: llvm.bitcast %{{.+}} : vector<2xbf16> to i32
// CHECK:         nvvm.mma.sync
// CHECK-SAME:    multiplicandAPtxType = #nvvm.mma_type<bf16>, multiplicandBPtxType = #nvvm.mma_type<bf16>
// CHECK-SAME:    (i32, i32, f32) -> !llvm.struct<(f32, f32, f32, f32)>
func.func @a_product_of_bf16(%a: vector<4x2xbf16>, %b: vector<2x2xbf16>, %c: vector<4xf32>) -> vector<4xf32> attributes {llama.strategy = #cuda.strategy<unit = #cuda.mma<bf16>, threads = 128>} {
  %d = cuda.mma %a, %b, %c : vector<4x2xbf16>, vector<2x2xbf16>
  return %d : vector<4xf32>
}

// vector.fma would become an fmuladd, which may be split into two roundings.
// CHECK-LABEL: func.func @an_fma_rounds_once
// CHECK-SAME:    (%[[A:.+]]: vector<4xf32>, %[[B:.+]]: vector<4xf32>, %[[C:.+]]: vector<4xf32>)
// CHECK:         math.fma %[[A]], %[[B]], %[[C]] : vector<4xf32>
// CHECK-NOT:     vector.fma
// CHECK:         return
func.func @an_fma_rounds_once(%a: vector<4xf32>, %b: vector<4xf32>, %c: vector<4xf32>) -> vector<4xf32> attributes {llama.strategy = #cuda.strategy<unit = #cuda.simt, threads = 256>} {
  %d = vector.fma %a, %b, %c : vector<4xf32>
  return %d : vector<4xf32>
}

// A step's functions are the host's and stay as they are.
// CHECK-LABEL: func.func @host_code
// CHECK:         vector.fma
func.func @host_code(%a: vector<4xf32>, %b: vector<4xf32>, %c: vector<4xf32>) -> vector<4xf32> {
  %d = vector.fma %a, %b, %c : vector<4xf32>
  return %d : vector<4xf32>
}
