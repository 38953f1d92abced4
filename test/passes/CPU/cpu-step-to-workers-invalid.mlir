// RUN: %opt %pass %s --split-input-file --verify-diagnostics

// expected-error @below {{'func.func' op is not yet a function of (context, scratch, layer, begin, end, first); run tile-to-vector-cpu and cpu-prologue-once first}}
func.func private @a_kernel_of_phase_tile(%ctx: !tile.context, %layer: i32, %begin: i32, %end: i32) attributes {llama.partition = #llama.partition<rows = [16], by = 16>} {
  return
}
llama.step @decode rows 1 {
  llama.dispatch @a_kernel_of_phase_tile
}

// -----

// expected-error @below {{'func.func' op is not yet a function of (context, scratch, layer, begin, end, first); run tile-to-vector-cpu and cpu-prologue-once first}}
func.func private @a_kernel_of_unknown_scratch(%ctx: !llvm.ptr, %scratch: !llvm.ptr, %layer: i32, %begin: i32, %end: i32, %first: i32) attributes {llama.partition = #llama.partition<rows = [16], by = 16>} {
  return
}
llama.step @decode rows 1 {
  llama.dispatch @a_kernel_of_unknown_scratch
}

// -----

func.func private @a_kernel_without_parts(%ctx: !llvm.ptr, %scratch: !llvm.ptr, %layer: i32, %begin: i32, %end: i32, %first: i32) attributes {llama.scratch = 0 : i64} {
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
