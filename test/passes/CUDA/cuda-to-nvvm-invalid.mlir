// RUN: %opt %pass %s --split-input-file --verify-diagnostics

// Launches overlap: a kernel that does not wait for those before it, or too late, is
// refused.

// expected-error @below {{'func.func' op waits for earlier launches in 0 places that each thread comes to and in 0 others, expected 1 and 0: the launches behind a kernel rely on its wait}}
func.func private @no_wait(%ctx: !llvm.ptr, %layer: i32) attributes {llama.partition = #llama.partition<rows = [1], by = 1>, llama.strategy = #cuda.strategy<unit = #cuda.simt, threads = 256>} {
  cuda.launch_dependents
  return
}

// -----

// expected-error @below {{'func.func' op waits for earlier launches in 0 places that each thread comes to and in 1 others, expected 1 and 0: the launches behind a kernel rely on its wait}}
func.func private @some_threads_wait(%ctx: !llvm.ptr, %layer: i32) attributes {llama.partition = #llama.partition<rows = [1], by = 1>, llama.strategy = #cuda.strategy<unit = #cuda.simt, threads = 256>} {
  %c0 = arith.constant 0 : index
  %t = cuda.thread_id
  %first = arith.cmpi eq, %t, %c0 : index
  scf.if %first {
    cuda.wait_previous
  }
  return
}

// -----

// expected-error @below {{'func.func' op waits for earlier launches in 2 places that each thread comes to and in 0 others, expected 1 and 0: the launches behind a kernel rely on its wait}}
func.func private @two_waits(%ctx: !llvm.ptr, %layer: i32) attributes {llama.partition = #llama.partition<rows = [1], by = 1>, llama.strategy = #cuda.strategy<unit = #cuda.simt, threads = 256>} {
  cuda.wait_previous
  cuda.wait_previous
  return
}

// -----

func.func private @reads_an_activation(%ctx: !llvm.ptr, %layer: i32) attributes {llama.partition = #llama.partition<rows = [1], by = 1>, llama.strategy = #cuda.strategy<unit = #cuda.simt, threads = 256>} {
  %c0 = arith.constant 0 : index
  %workspace = context.field %ctx workspace : !llvm.ptr -> !llvm.ptr
  %x = context.view %workspace[%c0] : !llvm.ptr -> memref<?xf32, 1>
  // expected-error @below {{'memref.load' op stands before its kernel waits for earlier launches, and is no read of what none writes}}
  %v = memref.load %x[%c0] : memref<?xf32, 1>
  cuda.wait_previous
  memref.store %v, %x[%c0] : memref<?xf32, 1>
  return
}

// -----

// A row's position is written by the launch that chose its id.
func.func private @reads_a_position(%ctx: !llvm.ptr, %layer: i32) attributes {llama.partition = #llama.partition<rows = [1], by = 1>, llama.strategy = #cuda.strategy<unit = #cuda.simt, threads = 256>} {
  %c0 = arith.constant 0 : index
  %positions = context.field %ctx positions : !llvm.ptr -> !llvm.ptr
  %list = context.view %positions[%c0] : !llvm.ptr -> memref<?xi32, 1>
  %weights = context.field %ctx weights : !llvm.ptr -> !llvm.ptr
  %w = context.view %weights[%c0] : !llvm.ptr -> memref<?xi8, 1>
  // expected-error @below {{'memref.load' op stands before its kernel waits for earlier launches, and is no read of what none writes}}
  %p = memref.load %list[%c0] : memref<?xi32, 1>
  %at = arith.index_cast %p : i32 to index
  cuda.prefetch %w[%at] : memref<?xi8, 1>
  cuda.wait_previous
  return
}

// -----

// Even in a branch, and even of memory that is read: a launch before it may still read it.
func.func private @writes(%ctx: !llvm.ptr, %layer: i32, %some: i1, %v: f32) attributes {llama.partition = #llama.partition<rows = [1], by = 1>, llama.strategy = #cuda.strategy<unit = #cuda.simt, threads = 256>} {
  %c0 = arith.constant 0 : index
  %weights = context.field %ctx weights : !llvm.ptr -> !llvm.ptr
  %x = context.view %weights[%c0] : !llvm.ptr -> memref<?xf32, 1>
  scf.if %some {
    // expected-error @below {{'memref.store' op stands before its kernel waits for earlier launches, and is no read of what none writes}}
    memref.store %v, %x[%c0] : memref<?xf32, 1>
  }
  cuda.wait_previous
  return
}

// -----

func.func private @copies(%ctx: !llvm.ptr, %layer: i32) attributes {llama.partition = #llama.partition<rows = [1], by = 1>, llama.strategy = #cuda.strategy<unit = #cuda.simt, threads = 256>} {
  %c0 = arith.constant 0 : index
  %c16 = arith.constant 16 : index
  %weights = context.field %ctx weights : !llvm.ptr -> !llvm.ptr
  %x = context.view %weights[%c0] : !llvm.ptr -> memref<?xf16, 1>
  %m = cuda.shared at 0 : memref<64xf16, 3>
  // expected-error @below {{'cuda.copy_async' op stands before its kernel waits for earlier launches, and is no read of what none writes}}
  cuda.copy_async %x[%c0] to %m[%c0] valid %c16 : memref<?xf16, 1> to memref<64xf16, 3>
  cuda.wait_previous
  return
}
