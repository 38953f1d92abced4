// RUN: %opt %pass %s --split-input-file --verify-diagnostics

// expected-error @below {{'func.func' op is not yet a function of (context, layer); run tile-to-vector-cuda first}}
func.func private @a_kernel_of_phase_tile(%ctx: !tile.context, %layer: i32, %begin: i32, %end: i32) attributes {llama.partition = #llama.partition<rows = [16], by = 16>} {
  return
}

// -----

// expected-error @below {{'func.func' op is not yet a function of (context, layer); run tile-to-vector-cuda first}}
func.func private @a_kernel_of_unknown_scratch(%ctx: !llvm.ptr, %layer: i32) attributes {llama.partition = #llama.partition<rows = [16], by = 16>, llama.strategy = #cuda.strategy<unit = #cuda.simt, threads = 64>} {
  return
}

// -----

// expected-error @below {{'func.func' op has no strategy of a GPU, which says how many threads a block has; run llama-plan-kernels for a GPU}}
func.func private @a_kernel_of_a_cpu(%ctx: !llvm.ptr, %layer: i32) attributes {llama.partition = #llama.partition<rows = [16], by = 16>, llama.scratch = 0 : i64, llama.strategy = #cpu.strategy<unit = #cpu.fma, m = 1, n = 16>} {
  return
}

// -----

func.func private @memory_beyond_a_launchs(%ctx: !llvm.ptr, %layer: i32) attributes {llama.partition = #llama.partition<rows = [16], by = 16>, llama.scratch = 512 : i64, llama.strategy = #cuda.strategy<unit = #cuda.simt, threads = 64>} {
  // expected-error @below {{'cuda.shared' op ends at byte 640, 'memory_beyond_a_launchs' has 512 bytes of workgroup memory (llama.scratch)}}
  %m = cuda.shared at 128 : memref<128xf32, 3>
  return
}

// -----

func.func private @a_kernel_without_parts(%ctx: !llvm.ptr, %layer: i32) attributes {llama.scratch = 0 : i64, llama.strategy = #cuda.strategy<unit = #cuda.simt, threads = 64>} {
  return
}
llama.step @decode rows 1 {
  // expected-error @below {{'llama.dispatch' op runs @a_kernel_without_parts, which has no llama.partition; run llama-outline-kernels}}
  llama.dispatch @a_kernel_without_parts
}

// -----

// expected-error @below {{'llama.buffer' op has no offset; run llama-assign-buffers}}
llama.buffer @x : tensor<1x32xf32>
llama.step @decode rows 1 {
}

// -----

// A dump of an earlier phase.
// expected-error @below {{'llama.model' op has no steps; run llama-outline-kernels}}
llama.model @m entries [#llama.entry<name = "import", rows = 0, embed = @f, layers = [], of = []>] lm_heads [@f]
func.func private @f(%x: tensor<?x32xf32>)
