// RUN: %opt %pass %s --verify-diagnostics

// expected-error @below {{'func.func' op is no function of (context, scratch, layer, begin, end); run tile-to-vector-cpu first}}
func.func private @a_kernel_of_phase_tile(%ctx: !tile.context, %layer: i32, %begin: i32, %end: i32) attributes {llama.partition = #llama.partition<rows = [16], by = 16>} {
  return
}
