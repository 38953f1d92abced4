// RUN: %opt %s --cse --canonicalize | FileCheck %s

// What may be merged, moved over or dropped.

// Numbers and places are values: equal ones are one.
// CHECK-LABEL: func.func @equal_numbers_are_one
// CHECK:         %[[T:.+]] = cuda.thread_id
// CHECK-NEXT:    %[[M:.+]] = cuda.shared
// CHECK-NEXT:    return %[[T]], %[[T]], %[[M]], %[[M]]
func.func @equal_numbers_are_one() -> (index, index, memref<8xf32, 3>, memref<8xf32, 3>) {
  %t = cuda.thread_id
  %u = cuda.thread_id
  %m = cuda.shared at 0 : memref<8xf32, 3>
  %n = cuda.shared at 0 : memref<8xf32, 3>
  return %t, %u, %m, %n : index, index, memref<8xf32, 3>, memref<8xf32, 3>
}

// A shuffle stays where all lanes are, even if its result is unused.
// CHECK-LABEL: func.func @a_shuffle_stays
// CHECK-COUNT-2: cuda.shuffle_xor
// CHECK:         return
func.func @a_shuffle_stays(%x: f32) -> f32 {
  %a = cuda.shuffle_xor %x mask 16 : f32
  %b = cuda.shuffle_xor %x mask 16 : f32
  return %a : f32
}

// Another thread may write between two reads with a barrier between them.
// CHECK-LABEL: func.func @a_barrier_separates_reads
// CHECK-COUNT-2: memref.load
// CHECK:         return
func.func @a_barrier_separates_reads(%i: index) -> (f32, f32) {
  %m = cuda.shared at 0 : memref<8xf32, 3>
  %a = memref.load %m[%i] : memref<8xf32, 3>
  cuda.barrier
  %b = memref.load %m[%i] : memref<8xf32, 3>
  return %a, %b : f32, f32
}

// Loads stay on their side of a converge.
// CHECK-LABEL: func.func @a_converge_separates_loads
// CHECK:         cuda.load_weight
// CHECK:         cuda.converge
// CHECK:         cuda.load_weight
func.func @a_converge_separates_loads(%w: memref<?xi8, 1>, %i: index) -> (vector<4xi32>, vector<4xi32>) {
  %a = cuda.load_weight %w[%i] : memref<?xi8, 1>
  cuda.converge
  %b = cuda.load_weight %w[%i] : memref<?xi8, 1>
  return %a, %b : vector<4xi32>, vector<4xi32>
}

// So may a copy that has arrived.
// CHECK-LABEL: func.func @a_wait_separates_reads
// CHECK-COUNT-2: memref.load
// CHECK:         return
func.func @a_wait_separates_reads(%i: index) -> (f32, f32) {
  %m = cuda.shared at 0 : memref<8xf32, 3>
  %a = memref.load %m[%i] : memref<8xf32, 3>
  cuda.copy_wait 0
  %b = memref.load %m[%i] : memref<8xf32, 3>
  return %a, %b : f32, f32
}

// A weight load without a use is removed, and equal loads are one.
// CHECK-LABEL: func.func @weights_are_only_read
// CHECK-COUNT-1: cuda.load_weight
// CHECK-NOT:     cuda.load_weight
// CHECK:         return
func.func @weights_are_only_read(%w: memref<?xi8, 1>, %i: index, %j: index) -> (vector<4xi32>, vector<4xi32>) {
  %unused = cuda.load_weight %w[%j] : memref<?xi8, 1>
  %a = cuda.load_weight %w[%i] : memref<?xi8, 1>
  %b = cuda.load_weight %w[%i] : memref<?xi8, 1>
  return %a, %b : vector<4xi32>, vector<4xi32>
}

// A copy and its group have effects that no result shows.
// CHECK-LABEL: func.func @copies_stay
// CHECK:         cuda.copy_async
// CHECK:         cuda.copy_commit
// CHECK:         cuda.copy_wait
func.func @copies_stay(%from: memref<?xf16, 1>, %i: index) {
  %m = cuda.shared at 0 : memref<64xf16, 3>
  cuda.copy_async %from[%i] to %m[%i] valid %i : memref<?xf16, 1> to memref<64xf16, 3>
  cuda.copy_commit
  cuda.copy_wait 0
  return
}

// A prefetch has no result, and is not dropped.
// CHECK-LABEL: func.func @a_prefetch_stays
// CHECK:         cuda.prefetch
func.func @a_prefetch_stays(%w: memref<?xi8, 1>, %i: index) {
  cuda.prefetch %w[%i] : memref<?xi8, 1>
  return
}

// What an earlier launch wrote is read behind the wait for it, and both ops stay.
// CHECK-LABEL: func.func @launches_are_waited_for
// CHECK:         cuda.launch_dependents
// CHECK:         memref.load
// CHECK:         cuda.wait_previous
// CHECK:         memref.load
func.func @launches_are_waited_for(%x: memref<?xf32, 1>, %i: index) -> (f32, f32) {
  cuda.launch_dependents
  %a = memref.load %x[%i] : memref<?xf32, 1>
  cuda.wait_previous
  %b = memref.load %x[%i] : memref<?xf32, 1>
  return %a, %b : f32, f32
}
