// RUN: %opt %s --verify-roundtrip | FileCheck %s

// Every op of cuda in its own syntax.

// CHECK-LABEL: func.func @who
// CHECK:         cuda.thread_id
// CHECK:         cuda.block_id
func.func @who() -> (index, index) {
  %t = cuda.thread_id
  %b = cuda.block_id
  return %t, %b : index, index
}

// CHECK-LABEL: func.func @behind_each_other
// CHECK:         cuda.launch_dependents
// CHECK:         cuda.wait_previous
func.func @behind_each_other() {
  cuda.launch_dependents
  cuda.wait_previous
  return
}

// CHECK-LABEL: func.func @together
// CHECK:         cuda.barrier
// CHECK:         cuda.converge
// CHECK:         cuda.shuffle_xor %{{.+}} mask 16 : f32
// CHECK:         cuda.shuffle_xor %{{.+}} mask 1 : i32
func.func @together(%x: f32, %i: i32) -> (f32, i32) {
  cuda.barrier
  cuda.converge
  %y = cuda.shuffle_xor %x mask 16 : f32
  %j = cuda.shuffle_xor %i mask 1 : i32
  return %y, %j : f32, i32
}

// CHECK-LABEL: func.func @memory
// CHECK:         %[[SHARED:.+]] = cuda.shared at 128 : memref<64x32xf16, 3>
// CHECK:         cuda.load_weight %{{.+}}[%{{.+}}] : memref<?xi8, 1>
// CHECK:         cuda.prefetch %{{.+}}[%{{.+}}] : memref<?xi8, 1>
// CHECK:         cuda.copy_async %{{.+}}[%{{.+}}, %{{.+}}] to %[[SHARED]][%{{.+}}, %{{.+}}] valid %{{.+}} : memref<?x64xf16, 1> to memref<64x32xf16, 3>
// CHECK:         cuda.copy_commit
// CHECK:         cuda.copy_wait 1
func.func @memory(%w: memref<?xi8, 1>, %rows: memref<?x64xf16, 1>, %i: index) -> vector<4xi32> {
  %shared = cuda.shared at 128 : memref<64x32xf16, 3>
  %v = cuda.load_weight %w[%i] : memref<?xi8, 1>
  cuda.prefetch %w[%i] : memref<?xi8, 1>
  cuda.copy_async %rows[%i, %i] to %shared[%i, %i] valid %i : memref<?x64xf16, 1> to memref<64x32xf16, 3>
  cuda.copy_commit
  cuda.copy_wait 1
  return %v : vector<4xi32>
}

// CHECK-LABEL: func.func @bytes
// CHECK:         cuda.permute_bytes %{{.+}}, %{{.+}}, %{{.+}}
func.func @bytes(%low: i32, %high: i32, %which: i32) -> i32 {
  %v = cuda.permute_bytes %low, %high, %which
  return %v : i32
}

// CHECK-LABEL: func.func @tensor_cores
// CHECK:         cuda.ldmatrix %{{.+}}[%{{.+}}, %{{.+}}] : memref<64x32xf16, 3> -> vector<4x2xf16>
// CHECK:         cuda.ldmatrix %{{.+}}[%{{.+}}, %{{.+}}] : memref<64x32xf16, 3> -> vector<2x2xf16>
// CHECK:         cuda.ldmatrix %{{.+}}[%{{.+}}, %{{.+}}] transposed : memref<64x32xf16, 3> -> vector<2x2xf16>
// CHECK:         cuda.mma %{{.+}}, %{{.+}}, %{{.+}} : vector<4x2xf16>, vector<2x2xf16>
func.func @tensor_cores(%m: memref<64x32xf16, 3>, %i: index, %c: vector<4xf32>) -> vector<4xf32> {
  %a = cuda.ldmatrix %m[%i, %i] : memref<64x32xf16, 3> -> vector<4x2xf16>
  %b = cuda.ldmatrix %m[%i, %i] : memref<64x32xf16, 3> -> vector<2x2xf16>
  %t = cuda.ldmatrix %m[%i, %i] transposed : memref<64x32xf16, 3> -> vector<2x2xf16>
  %s = cuda.mma %a, %b, %c : vector<4x2xf16>, vector<2x2xf16>
  %d = cuda.mma %a, %t, %s : vector<4x2xf16>, vector<2x2xf16>
  return %d : vector<4xf32>
}

// CHECK-LABEL: func.func @tensor_cores_on_bf16
// CHECK:         cuda.ldmatrix %{{.+}}[%{{.+}}, %{{.+}}] : memref<64x32xbf16, 3> -> vector<4x2xbf16>
// CHECK:         cuda.mma %{{.+}}, %{{.+}}, %{{.+}} : vector<4x2xbf16>, vector<2x2xbf16>
func.func @tensor_cores_on_bf16(%m: memref<64x32xbf16, 3>, %i: index, %b: vector<2x2xbf16>, %c: vector<4xf32>) -> vector<4xf32> {
  %a = cuda.ldmatrix %m[%i, %i] : memref<64x32xbf16, 3> -> vector<4x2xbf16>
  %d = cuda.mma %a, %b, %c : vector<4x2xbf16>, vector<2x2xbf16>
  return %d : vector<4xf32>
}
