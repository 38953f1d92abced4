// RUN: split-file %s %t
// RUN: %opt %pass{phase=import} %t/import.mlir --split-input-file --verify-diagnostics
// RUN: %opt %pass{phase=specialize} %t/specialize.mlir --split-input-file --verify-diagnostics
// RUN: %opt %pass{phase=fuse} %t/fuse.mlir --split-input-file --verify-diagnostics
// RUN: %opt %pass{phase=plan} %t/plan.mlir --split-input-file --verify-diagnostics
// RUN: %opt %pass{phase=schedule} %t/schedule.mlir --split-input-file --verify-diagnostics
// RUN: %opt %pass{phase=tile} %t/tile.mlir --split-input-file --verify-diagnostics
// RUN: %opt %pass{phase=vector} %t/vector.mlir --split-input-file --verify-diagnostics
// RUN: %opt %pass{phase=llvm} %t/llvm.mlir --split-input-file --verify-diagnostics

//--- import.mlir

// An op that comes later.
func.func @kernel(%x: tensor<?x32xf32>) -> tensor<?x32xf32> {
  // expected-error @below {{'llama.kernel' op is in phase import, but comes with phase fuse}}
  %y = llama.kernel "silu" (%ix = %x : tensor<?x32xf32>) -> tensor<?x32xf32> {
    %s = llama.silu %ix : tensor<?x32xf32>
    llama.yield %s : tensor<?x32xf32>
  }
  return %y : tensor<?x32xf32>
}

// -----

// What is not listed is denied.
func.func @loop(%n: index) {
  %c0 = arith.constant 0 : index
  // expected-error @below {{'scf.for' op is in phase import, which has no ops of 'scf'; besides ours it has func, arith}}
  scf.for %i = %c0 to %n step %n {
  }
  return
}

// -----

// A decision that comes later.
// expected-error @below {{'llama.weight' op has layouts [#llama.rowmajor], which is decided in phase plan}}
llama.weight @w : 32 formats [#llama.f32] in [#llama.rowmajor]

// -----

func.func @order(%x: tensor<?x32xf32>, %w: !llama.weight<32, #llama.f32>) -> tensor<?x32xf32> {
  // expected-error @below {{'llama.rms_norm' op has order #llama.reduction_order<lanes = 16>, which is decided in phase plan}}
  %y = llama.rms_norm %x, %w eps 1.0e-05 order <lanes = 16> : tensor<?x32xf32>, !llama.weight<32, #llama.f32>
  return %y : tensor<?x32xf32>
}

// -----

module {
  // expected-error @below {{'llama.model' op stands in a module without llama.config; import writes it}}
  llama.model @m entries [#llama.entry<name = "import", rows = 0, embed = @f, layers = [], of = []>] lm_heads [@f]
  func.func private @f(%x: tensor<?x32xf32>)
}

// -----

module attributes {llama.config = #llama.config<dim = 32, heads = 1, kv_heads = 1, head_size = 32, hidden = 32, vocabulary = 64, layers = 3, context_length = 600>} {
  // expected-error @below {{'llama.model' op has one entry of 0 (any number of) rows after import}}
  llama.model @m entries [#llama.entry<name = "decode", rows = 1, embed = @f, layers = [], of = []>] lm_heads [@f]
  func.func private @f(%x: tensor<?x32xf32>)
}

// -----

// One table of angles holds for all rotations.
func.func @two_bases(%q: tensor<?x32xf32>, %k: tensor<?x16xf32>, %pos: tensor<?xi32>) -> (tensor<?x32xf32>, tensor<?x16xf32>) {
  // expected-note @below {{the other is here}}
  %qr = llama.rope %q, %pos base 1.0e+04 heads 2 : tensor<?x32xf32>, tensor<?xi32>
  // expected-error @below {{'llama.rope' op turns heads of 16 by base 5.000000e+05, another heads of 16 by base 1.000000e+04; a program has one table of angles, give all the same}}
  %kr = llama.rope %k, %pos base 5.0e+05 heads 1 : tensor<?x16xf32>, tensor<?xi32>
  return %qr, %kr : tensor<?x32xf32>, tensor<?x16xf32>
}

// -----

func.func @two_head_sizes(%q: tensor<?x32xf32>, %k: tensor<?x16xf32>, %pos: tensor<?xi32>) -> (tensor<?x32xf32>, tensor<?x16xf32>) {
  // expected-note @below {{the other is here}}
  %qr = llama.rope %q, %pos base 1.0e+04 heads 2 : tensor<?x32xf32>, tensor<?xi32>
  // expected-error @below {{'llama.rope' op turns heads of 8 by base 1.000000e+04, another heads of 16 by base 1.000000e+04; a program has one table of angles, give all the same}}
  %kr = llama.rope %k, %pos base 1.0e+04 heads 2 : tensor<?x16xf32>, tensor<?xi32>
  return %qr, %kr : tensor<?x32xf32>, tensor<?x16xf32>
}

// -----

func.func @two_rotations(%q: tensor<?x32xf32>, %pos: tensor<?xi32>) -> (tensor<?x32xf32>, tensor<?x32xf32>) {
  // expected-note @below {{the other is here}}
  %qr = llama.rope %q, %pos base 1.0e+04 heads 2 : tensor<?x32xf32>, tensor<?xi32>
  // expected-error @below {{'llama.rope' op turns heads of 16 by base 1.000000e+04 as #llama.rotation<dims = 8>, another heads of 16 by base 1.000000e+04; a program has one table of angles, give all the same}}
  %kr = llama.rope %q, %pos base 1.0e+04 heads 2 as <dims = 8> : tensor<?x32xf32>, tensor<?xi32>
  return %qr, %kr : tensor<?x32xf32>, tensor<?x32xf32>
}

// -----

func.func @two_windows(%q: tensor<?x32xf32>, %kv: !llama.cache<2x1x16, f16>, %l: index, %pos: tensor<?xi32>) -> (tensor<?x32xf32>, tensor<?x32xf32>) {
  %y = llama.attention %q, %kv[%l], %pos causal heads 2 window 300 : tensor<?x32xf32>, !llama.cache<2x1x16, f16>, tensor<?xi32>
  // expected-error @below {{'llama.attention' op has another window than other ops of the function; a layer sees the same keys in all of them}}
  %z = llama.attention %q, %kv[%l], %pos causal heads 2 : tensor<?x32xf32>, !llama.cache<2x1x16, f16>, tensor<?xi32>
  return %y, %z : tensor<?x32xf32>, tensor<?x32xf32>
}

// -----

// Blocks of keys are those that the runtime reserves, or divide them.
func.func @too_many_keys(%q: tensor<?x32xf32>, %kv: !llama.cache<2x1x16, f16>, %l: index, %pos: tensor<?xi32>) -> tensor<?x32xf32> {
  // expected-error @below {{'llama.attention' op has blocks of 512 keys, the cache is reserved in blocks of 256; give a divisor of it}}
  %a = llama.attention %q, %kv[%l], %pos causal heads 2 keys 512 : tensor<?x32xf32>, !llama.cache<2x1x16, f16>, tensor<?xi32>
  return %a : tensor<?x32xf32>
}

//--- specialize.mlir

module attributes {llama.config = #llama.config<dim = 32, heads = 1, kv_heads = 1, head_size = 32, hidden = 32, vocabulary = 64, layers = 3, context_length = 600>} {
  // expected-error @below {{'llama.model' op stands in a module without llama.target; the driver sets it before specialize}}
  llama.model @m entries [#llama.entry<name = "decode", rows = 1, embed = @f, layers = [], of = []>] lm_heads [@f]
  func.func private @f(%x: tensor<?x32xf32>)
}

// -----

module attributes {llama.target = #cpu.target<name = "x86-64-v4", vector_bits = 512>, llama.config = #llama.config<dim = 32, heads = 1, kv_heads = 1, head_size = 32, hidden = 32, vocabulary = 64, layers = 3, context_length = 600>} {
  // expected-error @below {{'llama.model' op has entries of a known number of rows; llama-specialize-forms makes them}}
  llama.model @m entries [#llama.entry<name = "import", rows = 0, embed = @f, layers = [], of = []>] lm_heads [@f]
  func.func private @f(%x: tensor<?x32xf32>)
}

// -----

// All forms append to one cache of a layer.
module attributes {llama.config = #llama.config<dim = 32, heads = 2, kv_heads = 1, head_size = 16, hidden = 48, vocabulary = 64, layers = 2, context_length = 8192>, llama.target = #cpu.target<name = "x86-64-v4", features = "+avx2", vector_bits = 512>} {
  llama.model @m entries [#llama.entry<name = "decode", rows = 1, embed = @head, layers = [@windowed, @whole], of = [1, 0]>,
                          #llama.entry<name = "prefill", rows = 8, embed = @head, layers = [@windowed, @whole], of = [1, 1]>] lm_heads [@head]
  func.func private @head(%x: tensor<?x32xf32>) -> tensor<?x64xf32>
  func.func private @windowed(%k: tensor<?x16xf32>, %pos: tensor<?xi32>, %kv: !llama.cache<2x1x16, f16 ring 256>, %l: index) {
    llama.kv_append %kv[%l], %k, %k at %pos : !llama.cache<2x1x16, f16 ring 256>, tensor<?x16xf32>, tensor<?x16xf32>, tensor<?xi32>
    return
  }
  func.func private @whole(%k: tensor<?x16xf32>, %pos: tensor<?xi32>, %kv: !llama.cache<2x1x16, f16>, %l: index) {
    // expected-error @below {{'llama.kv_append' op uses a ring of 0 positions in layer 1, another function one of 256; 0 is a cache of the context}}
    llama.kv_append %kv[%l], %k, %k at %pos : !llama.cache<2x1x16, f16>, tensor<?x16xf32>, tensor<?x16xf32>, tensor<?xi32>
    return
  }
}

// -----

// And see one window.
module attributes {llama.config = #llama.config<dim = 32, heads = 2, kv_heads = 1, head_size = 16, hidden = 48, vocabulary = 64, layers = 2, context_length = 8192>, llama.target = #cpu.target<name = "x86-64-v4", features = "+avx2", vector_bits = 512>} {
  llama.model @m entries [#llama.entry<name = "decode", rows = 1, embed = @head, layers = [@seven, @eight], of = [0, 1]>,
                          #llama.entry<name = "prefill", rows = 8, embed = @head, layers = [@seven, @eight], of = [0, 0]>] lm_heads [@head]
  func.func private @head(%x: tensor<?x32xf32>) -> tensor<?x64xf32>
  func.func private @seven(%q: tensor<?x32xf32>, %pos: tensor<?xi32>, %kv: !llama.cache<2x1x16, f16>, %l: index) -> tensor<?x32xf32> {
    // expected-error @below {{'llama.attention' op has another window in layer 1 than ops of attention of other functions; all forms see the same keys}}
    %a = llama.attention %q, %kv[%l], %pos causal heads 2 window 7 : tensor<?x32xf32>, !llama.cache<2x1x16, f16>, tensor<?xi32>
    return %a : tensor<?x32xf32>
  }
  func.func private @eight(%q: tensor<?x32xf32>, %pos: tensor<?xi32>, %kv: !llama.cache<2x1x16, f16>, %l: index) -> tensor<?x32xf32> {
    %a = llama.attention %q, %kv[%l], %pos causal heads 2 window 8 : tensor<?x32xf32>, !llama.cache<2x1x16, f16>, tensor<?xi32>
    return %a : tensor<?x32xf32>
  }
}

// -----

// A window, and behind it the rows of the largest form.
module attributes {llama.config = #llama.config<dim = 32, heads = 2, kv_heads = 1, head_size = 16, hidden = 48, vocabulary = 64, layers = 1, context_length = 8192>, llama.target = #cpu.target<name = "x86-64-v4", features = "+avx2", vector_bits = 512>} {
  llama.model @m entries [#llama.entry<name = "prefill", rows = 8, embed = @head, layers = [@layer], of = [0]>] lm_heads [@head]
  func.func private @head(%x: tensor<?x32xf32>) -> tensor<?x64xf32>
  func.func private @layer(%q: tensor<?x32xf32>, %pos: tensor<?xi32>, %kv: !llama.cache<1x1x16, f16 ring 256>, %l: index) -> tensor<?x32xf32> {
    // expected-error @below {{'llama.attention' op sees a window of 250 positions in a ring of 256; calls of up to 8 rows need a multiple of 256 of at least 257}}
    %a = llama.attention %q, %kv[%l], %pos causal heads 2 window 250 : tensor<?x32xf32>, !llama.cache<1x1x16, f16 ring 256>, tensor<?xi32>
    return %a : tensor<?x32xf32>
  }
}

//--- fuse.mlir

func.func @outside(%x: tensor<?x32xf32>) -> tensor<?x32xf32> {
  // expected-error @below {{'llama.silu' op stands outside of kernels; llama-fuse-kernels gathers it}}
  %y = llama.silu %x : tensor<?x32xf32>
  return %y : tensor<?x32xf32>
}

// -----

func.func @strategy(%x: tensor<?x32xf32>) -> tensor<?x32xf32> {
  // expected-error @below {{'llama.kernel' op has strategy #cpu.strategy<unit = #cpu.fma, m = 1, n = 16>, which is decided in phase plan}}
  %y = llama.kernel "silu" (%ix = %x : tensor<?x32xf32>) -> tensor<?x32xf32> strategy #cpu.strategy<unit = #cpu.fma, m = 1, n = 16> {
    %s = llama.silu %ix : tensor<?x32xf32>
    llama.yield %s : tensor<?x32xf32>
  }
  return %y : tensor<?x32xf32>
}

//--- plan.mlir

func.func @no_partition(%x: tensor<?x32xf32>) -> tensor<?x32xf32> {
  // expected-error @below {{'llama.kernel' op "silu" has no strategy and partition; llama-plan-kernels sets them}}
  %y = llama.kernel "silu" (%ix = %x : tensor<?x32xf32>) -> tensor<?x32xf32> strategy #cpu.strategy<unit = #cpu.fma, m = 1, n = 16> {
    %s = llama.silu %ix : tensor<?x32xf32>
    llama.yield %s : tensor<?x32xf32>
  }
  return %y : tensor<?x32xf32>
}

// -----

func.func @no_order(%x: tensor<?x32xf32>, %w: !llama.weight<32, #llama.f32>) -> tensor<?x32xf32> {
  %y = llama.kernel "norm" (%ix = %x : tensor<?x32xf32>, %iw = %w : !llama.weight<32, #llama.f32>) -> tensor<?x32xf32> strategy #cpu.strategy<unit = #cpu.fma, m = 1, n = 16> partition <of = rows, by = 1> {
    // expected-error @below {{'llama.rms_norm' op has no order for its sums; llama-plan-kernels sets it}}
    %s = llama.rms_norm %ix, %iw eps 1.0e-05 : tensor<?x32xf32>, !llama.weight<32, #llama.f32>
    llama.yield %s : tensor<?x32xf32>
  }
  return %y : tensor<?x32xf32>
}

// -----

// expected-error @below {{'llama.weight' op @w has no layouts; llama-plan-layouts sets them}}
llama.weight @w : 32 formats [#llama.f32]

// -----

// The bits of decode are those of prefill.
llama.weight @w : 16x32 formats [#llama.f32] in [#llama.interleaved16<k = 1>]
func.func @decode(%x: tensor<1x32xf32>) -> tensor<1x16xf32> {
  %y = llama.kernel "linear" (%ix = %x : tensor<1x32xf32>) -> tensor<1x16xf32> strategy #cpu.strategy<unit = #cpu.fma, m = 1, n = 16> partition <rows = [16], by = 16> {
    %w = llama.weight_ref @w : !llama.weight<16x32, #llama.f32>
    // expected-note @below {{the other sum is here}}
    %s = llama.linear %ix, %w order <unit = #cpu.fma, block = 32> : tensor<1x32xf32>, !llama.weight<16x32, #llama.f32> -> tensor<1x16xf32>
    llama.yield %s : tensor<1x16xf32>
  }
  return %y : tensor<1x16xf32>
}
func.func @prefill(%x: tensor<?x32xf32>) -> tensor<?x16xf32> {
  %y = llama.kernel "linear" (%ix = %x : tensor<?x32xf32>) -> tensor<?x16xf32> strategy #cuda.strategy<unit = #cuda.simt, threads = 256, n = 16> partition <rows = [16], by = 16> {
    %w = llama.weight_ref @w : !llama.weight<16x32, #llama.f32>
    // expected-error @below {{'llama.linear' op with weight @w sums with {order = #llama.reduction_order<unit = #cuda.simt, block = 4, lanes = 32>}, elsewhere with {order = #llama.reduction_order<unit = #cpu.fma, block = 32>}; on rows of 'f32' every form gives the same bits}}
    %s = llama.linear %ix, %w order <unit = #cuda.simt, block = 4, lanes = 32> : tensor<?x32xf32>, !llama.weight<16x32, #llama.f32> -> tensor<?x16xf32>
    llama.yield %s : tensor<?x16xf32>
  }
  return %y : tensor<?x16xf32>
}

// -----

func.func @half_a_block(%x: tensor<?x32xf32>, %w: !llama.weight<64x32, #llama.f32>) -> tensor<?x64x!llama.q8b32> {
  // expected-error @below {{'llama.kernel' op is partitioned as #llama.partition<rows = [64], by = 16>, its ops and its tile of 1 x 16 ask for #llama.partition<rows = [64], by = 32>}}
  %y = llama.kernel "linear" (%ix = %x : tensor<?x32xf32>, %iw = %w : !llama.weight<64x32, #llama.f32>) -> tensor<?x64x!llama.q8b32> strategy #cpu.strategy<unit = #cpu.fma, m = 1, n = 16> partition <rows = [64], by = 16> {
    %s = llama.linear %ix, %iw order <unit = #cpu.fma, block = 32> : tensor<?x32xf32>, !llama.weight<64x32, #llama.f32> -> tensor<?x64xf32>
    %q = llama.quantize %s : tensor<?x64xf32> to tensor<?x64x!llama.q8b32>
    llama.yield %q : tensor<?x64x!llama.q8b32>
  }
  return %y : tensor<?x64x!llama.q8b32>
}

//--- schedule.mlir

func.func private @too_many_keys(%q: tensor<1x32xf32>, %kv: !llama.cache<2x1x16, f16>, %l: index, %pos: tensor<1xi32>) -> tensor<1x2x?x18xf32> {
  // expected-error @below {{'llama.attention_part' op has blocks of 96 keys, the cache is reserved in blocks of 256; give a divisor of it}}
  %p = llama.attention_part %q, %kv[%l], %pos causal heads 2 keys 96 : tensor<1x32xf32>, !llama.cache<2x1x16, f16>, tensor<1xi32> -> tensor<1x2x?x18xf32>
  return %p : tensor<1x2x?x18xf32>
}

// -----

func.func private @no_keys(%p: tensor<1x2x?x18xf32>) -> tensor<1x32xf32> {
  // expected-error @below {{'llama.attention_merge' op has blocks of 0 keys, the cache is reserved in blocks of 256; give a divisor of it}}
  %a = llama.attention_merge %p heads 2 keys 0 : tensor<1x2x?x18xf32> -> tensor<1x32xf32>
  return %a : tensor<1x32xf32>
}

// -----

// The message names the pass that should have removed the op.
func.func @kernel(%x: tensor<?x32xf32>) -> tensor<?x32xf32> {
  // expected-error @below {{'llama.kernel' op is in phase schedule; llama-outline-kernels should have removed it}}
  %y = llama.kernel "silu" (%ix = %x : tensor<?x32xf32>) -> tensor<?x32xf32> {
    %s = llama.silu %ix : tensor<?x32xf32>
    llama.yield %s : tensor<?x32xf32>
  }
  return %y : tensor<?x32xf32>
}

// -----

module attributes {llama.target = #cpu.target<name = "x86-64-v4", vector_bits = 512>, llama.config = #llama.config<dim = 32, heads = 1, kv_heads = 1, head_size = 32, hidden = 32, vocabulary = 64, layers = 3, context_length = 600>} {
  // expected-error @below {{'llama.model' op has no steps; llama-outline-kernels makes them}}
  llama.model @m entries [#llama.entry<name = "decode", rows = 1, embed = @f, layers = [], of = []>] lm_heads [@f]
  func.func private @f(%x: tensor<?x32xf32>)
}

// -----

// expected-error @below {{'llama.buffer' op has no offset; llama-assign-buffers sets it}}
llama.buffer @s : tensor<1x16xf32>

// -----

llama.buffer @s : tensor<1x16xf32> at 0
func.func private @read() {
  // expected-error @below {{'llama.buffer_read' op has no offset; llama-assign-buffers sets it}}
  %x = llama.buffer_read @s : tensor<1x16xf32>
  return
}

// -----

llama.weight @w : 32 formats [#llama.f32] in [#llama.rowmajor]
func.func private @read() {
  // expected-error @below {{'llama.weight_ref' op has no layout and index; llama-resolve-weight-references sets it}}
  %x = llama.weight_ref @w : !llama.weight<32, #llama.f32>
  return
}

// -----

llama.step @s rows 1 {
  llama.dispatch @no_partition
}
// expected-error @below {{'func.func' op is run by a step but has no llama.partition; llama-outline-kernels sets it from the kernel}}
func.func private @no_partition() attributes {llama.strategy = #cpu.strategy<unit = #cpu.fma, m = 1, n = 16>} {
  return
}

// -----

// What code alone would know of a cache stands on the function of a kernel.
llama.cache_layout !llama.cache<1x1x16, f16> keys #llama.keys_interleaved16 values #llama.rowmajor rings [256]
// expected-error @below {{'func.func' op uses a ring of 256 positions, llama.ring is 512; 0 is a cache of the context}}
func.func private @another_ring(%k: tensor<1x16xf32>, %pos: tensor<1xi32>, %kv: !llama.cache<1x1x16, f16 ring 256>, %l: index) attributes {llama.ring = 512, llama.strategy = #cpu.strategy<unit = #cpu.fma, m = 1, n = 16>} {
  llama.kv_append %kv[%l], %k, %k at %pos : !llama.cache<1x1x16, f16 ring 256>, tensor<1x16xf32>, tensor<1x16xf32>, tensor<1xi32>
  return
}

//--- tile.mlir

llama.buffer @s : tensor<1x16xf32> at 0
func.func private @read() {
  // expected-error @below {{'llama.buffer_read' op is in phase tile; llama-to-tile should have removed it}}
  %x = llama.buffer_read @s at 0 : tensor<1x16xf32>
  return
}

// -----

llama.rope_table head 8 base 1.0e+04
func.func private @a_head_of_another_size(%ctx: !tile.context, %i: index) {
  // expected-error @below {{'tile.rope_row' op is for heads of 16 elements, llama.rope_table has heads of 8}}
  %r = tile.rope_row %ctx[%i, %i] head 16 : vector<1x16xf32>
  return
}

// -----

llama.weight @w : 32x32 formats [#llama.q4_0] in [#llama.rowmajor]
func.func private @another_index(%ctx: !tile.context) {
  // expected-error @below {{'tile.weight' op has index 7 of the 1 in the table, @w has 0}}
  %w = tile.weight %ctx @w : !llama.weight<32x32, #llama.q4_0> in #llama.rowmajor index 7
  return
}

// -----

// A weight of two formats: each layer's kernel reads the layer's.
module attributes {llama.config = #llama.config<dim = 32, heads = 1, kv_heads = 1, head_size = 32, hidden = 32, vocabulary = 64, layers = 2, context_length = 600>} {
  llama.weights @blk layers 2 {
    llama.weight @w : 32x32 formats [#llama.q4_0, #llama.f32] of [0, 1] in [#llama.interleaved16<k = 4>, #llama.interleaved16<k = 1>]
  }
  llama.step @decode rows 1 {
    %c0 = arith.constant 0 : index
    %c2 = arith.constant 2 : index
    %c1 = arith.constant 1 : index
    scf.for %l = %c0 to %c2 step %c1 {
      // expected-error @below {{'llama.dispatch' op runs @of_f32 on layer 0, where @blk::@w is #llama.q4_0; the kernel reads #llama.f32}}
      llama.dispatch [@of_q4_0, @of_f32] of [1, 0] (%l)
    }
  }
  func.func private @of_q4_0(%ctx: !tile.context, %l: i32) attributes {llama.partition = #llama.partition<of = rows, by = 1>} {
    %0 = arith.index_castui %l : i32 to index
    %w = tile.weight %ctx @blk::@w[%0] : !llama.weight<32x32, #llama.q4_0> in #llama.interleaved16<k = 4> index 0
    return
  }
  func.func private @of_f32(%ctx: !tile.context, %l: i32) attributes {llama.partition = #llama.partition<of = rows, by = 1>} {
    %0 = arith.index_castui %l : i32 to index
    %w = tile.weight %ctx @blk::@w[%0] : !llama.weight<32x32, #llama.f32> in #llama.interleaved16<k = 1> index 0
    return
  }
}

// -----

// A window, and behind it the rows of the largest form, as in the graph.
module attributes {llama.config = #llama.config<dim = 32, heads = 2, kv_heads = 1, head_size = 16, hidden = 48, vocabulary = 64, layers = 1, context_length = 8192>, llama.target = #cpu.target<name = "x86-64-v4", features = "+avx2", vector_bits = 512>} {
  llama.cache_layout !llama.cache<1x1x16, f16> keys #llama.keys_interleaved16 values #llama.rowmajor rings [256]
  llama.model @m steps [@prefill] lm_heads [@head]
  llama.step @prefill rows 8 {
    %c0 = arith.constant 0 : index
    llama.dispatch @attend(%c0)
  }
  llama.step @head rows 1 {
  }
  func.func private @attend(%ctx: !tile.context, %l: i32) attributes {llama.partition = #llama.partition<of = rows, by = 1>} {
    %0 = arith.index_castui %l : i32 to index
    %weights = tile.scratch : memref<1x16xf32>
    %kv = tile.cache %ctx[%0] : <1x1x16, f16 ring 256> keys #llama.keys_interleaved16 values #llama.rowmajor apart
    // expected-error @below {{'tile.sum_values' op sees a window of 250 positions in a ring of 256; calls of up to 8 rows need a multiple of 256 of at least 257}}
    %o = tile.sum_values %weights, %kv[%0, %0, %0] count %0 advance 0 window 250 : memref<1x16xf32>, <1x1x16, f16 ring 256> -> vector<1x16xf32>
    return
  }
}

//--- vector.mlir

// Where the passes of a CPU and of a GPU part, the message names both.
module attributes {llama.target = #cpu.target<name = "x86-64-v4", features = "+avx2,+fma,+avx512f,+avx512bw,+avx512dq,+avx512vl", vector_bits = 512>} {
  func.func private @kernel(%ctx: !tile.context) {
    // expected-error @below {{'tile.row_count' op is in phase vector; tile-to-vector-cpu or tile-to-vector-cuda should have removed it}}
    %rows = tile.row_count %ctx
    return
  }
}

// -----

// The size of a ring is in the code; the function says which.
module attributes {llama.config = #llama.config<dim = 32, heads = 2, kv_heads = 1, head_size = 16, hidden = 48, vocabulary = 64, layers = 1, context_length = 8192>, llama.target = #cpu.target<name = "x86-64-v4", features = "+avx2", vector_bits = 512>} {
  llama.cache_layout !llama.cache<1x1x16, f16> keys #llama.keys_interleaved16 values #llama.rowmajor rings [256]
  llama.step @decode rows 1 {
    %c0 = arith.constant 0 : index
    llama.dispatch @append(%c0)
  }
  // expected-error @below {{'func.func' op uses a ring of 512 positions in layer 0, llama.cache_layout has one of 256; 0 is a cache of the context}}
  func.func private @append(%ctx: !llvm.ptr, %l: i32) attributes {llama.ring = 512, llama.partition = #llama.partition<of = rows, by = 1>} {
    return
  }
}

//--- llvm.mlir

module attributes {llama.target = #cpu.target<name = "x86-64-v4", features = "+avx2,+fma,+avx512f,+avx512bw,+avx512dq,+avx512vl", vector_bits = 512>} {
  // expected-error @below {{'llama.step' op is in phase llvm; cpu-step-to-workers or cuda-step-to-launches should have removed it}}
  llama.step @decode rows 1 {
    llama.barrier
  }
}

// -----

module attributes {llama.config = #llama.config<dim = 32, heads = 2, kv_heads = 1, head_size = 16, hidden = 48, vocabulary = 64, layers = 1, context_length = 8192>, llama.target = #cpu.target<name = "x86-64-v4", features = "+avx2", vector_bits = 512>,
    llama.kernels = [{function = @attend, name = "attend"}],
    llama.program = {entries = [{dispatches = [@attend], layers = array<i64: 0>}]}} {
  llama.cache_layout !llama.cache<1x1x16, f16> keys #llama.keys_interleaved16 values #llama.rowmajor rings [256]
  // expected-error @below {{'llvm.func' op uses a ring of 0 positions in layer 0, llama.cache_layout has one of 256; 0 is a cache of the context}}
  llvm.func @attend(%ctx: !llvm.ptr) attributes {llama.reads_cache} {
    llvm.return
  }
}
