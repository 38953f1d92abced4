// RUN: %opt %pass %s --split-input-file --verify-diagnostics

// A reader right behind its writer.
llama.buffer @s : tensor<1x16xf32> at 0
llama.step @missing_in_a_straight_line rows 1 {
  // expected-note @below {{the other dispatch is here}}
  llama.dispatch @to_s
  // expected-error @below {{'llama.dispatch' op of @read_s reads buffer @s, which the dispatch of @to_s writes; a llama.barrier between them is missing}}
  llama.dispatch @read_s
}
func.func private @to_s() {
  %x = arith.constant dense<0.0> : tensor<1x16xf32>
  llama.buffer_write %x, @s at 0 : tensor<1x16xf32>
  return
}
func.func private @read_s() {
  %x = llama.buffer_read @s at 0 : tensor<1x16xf32>
  return
}

// -----

// A writer right behind a reader of what was there.
llama.buffer @s : tensor<1x16xf32> at 0
llama.step @write_after_read rows 1 {
  llama.dispatch @to_s
  llama.barrier
  // expected-note @below {{the other dispatch is here}}
  llama.dispatch @read_s
  // expected-error @below {{'llama.dispatch' op of @to_s writes buffer @s, which the dispatch of @read_s reads; a llama.barrier between them is missing}}
  llama.dispatch @to_s
}
func.func private @to_s() {
  %x = arith.constant dense<0.0> : tensor<1x16xf32>
  llama.buffer_write %x, @s at 0 : tensor<1x16xf32>
  return
}
func.func private @read_s() {
  %x = llama.buffer_read @s at 0 : tensor<1x16xf32>
  return
}

// -----

// A barrier at the head of a loop serves what was before it and the way back:
// where it is missing, that is one error.
llama.buffer @s : tensor<1x16xf32> at 0
llama.buffer @t : tensor<1x16xf32> at 64
llama.step @missing_at_the_head_of_a_loop rows 1 {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c4 = arith.constant 4 : index
  // expected-note @below {{the other dispatch is here}}
  llama.dispatch @to_s
  scf.for %l = %c0 to %c4 step %c1 {
    // expected-error @below {{'llama.dispatch' op of @s_to_t reads buffer @s, which the dispatch of @to_s writes; a llama.barrier between them is missing}}
    llama.dispatch @s_to_t
    llama.barrier
    // expected-note @below {{the dispatch of @t_to_s for the layer before needs it as well}}
    llama.dispatch @t_to_s
  }
}
func.func private @to_s() {
  %x = arith.constant dense<0.0> : tensor<1x16xf32>
  llama.buffer_write %x, @s at 0 : tensor<1x16xf32>
  return
}
func.func private @s_to_t() {
  %x = llama.buffer_read @s at 0 : tensor<1x16xf32>
  llama.buffer_write %x, @t at 64 : tensor<1x16xf32>
  return
}
func.func private @t_to_s() {
  %x = llama.buffer_read @t at 64 : tensor<1x16xf32>
  llama.buffer_write %x, @s at 0 : tensor<1x16xf32>
  return
}

// -----

// The same where only the first round needs it: the dispatches behind it are in order
// in the other rounds as well.
llama.buffer @s : tensor<1x16xf32> at 0
llama.buffer @u : tensor<1x16xf32> at 64
llama.step @missing_for_the_first_round rows 1 {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c4 = arith.constant 4 : index
  // expected-note @below {{the other dispatch is here}}
  llama.dispatch @to_s
  scf.for %l = %c0 to %c4 step %c1 {
    // expected-error @below {{'llama.dispatch' op of @read_s reads buffer @s, which the dispatch of @to_s writes; a llama.barrier between them is missing}}
    llama.dispatch @read_s
    llama.dispatch @to_u
  }
}
func.func private @to_s() {
  %x = arith.constant dense<0.0> : tensor<1x16xf32>
  llama.buffer_write %x, @s at 0 : tensor<1x16xf32>
  return
}
func.func private @read_s() {
  %x = llama.buffer_read @s at 0 : tensor<1x16xf32>
  return
}
func.func private @to_u() {
  %x = arith.constant dense<0.0> : tensor<1x16xf32>
  llama.buffer_write %x, @u at 64 : tensor<1x16xf32>
  return
}

// -----

// In order all is well; the way back has no barrier.
llama.buffer @s : tensor<1x16xf32> at 0
llama.buffer @t : tensor<1x16xf32> at 64
llama.step @missing_on_the_way_back rows 1 {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c4 = arith.constant 4 : index
  scf.for %l = %c0 to %c4 step %c1 {
    // expected-error @below {{'llama.dispatch' op of @s_to_t reads buffer @s, which the dispatch of @t_to_s for the layer before writes; a llama.barrier between them is missing}}
    llama.dispatch @s_to_t
    llama.barrier
    // expected-note @below {{the other dispatch is here}}
    llama.dispatch @t_to_s
  }
}
func.func private @s_to_t() {
  %x = llama.buffer_read @s at 0 : tensor<1x16xf32>
  llama.buffer_write %x, @t at 64 : tensor<1x16xf32>
  return
}
func.func private @t_to_s() {
  %x = llama.buffer_read @t at 64 : tensor<1x16xf32>
  llama.buffer_write %x, @s at 0 : tensor<1x16xf32>
  return
}

// -----

// A kernel that only writes races with itself, round after round.
llama.buffer @s : tensor<1x16xf32> at 0
llama.step @itself_on_the_way_back rows 1 {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c4 = arith.constant 4 : index
  scf.for %l = %c0 to %c4 step %c1 {
    // expected-note @below {{the other dispatch is here}}
    // expected-error @below {{'llama.dispatch' op of @to_s writes buffer @s, which the dispatch of @to_s for the layer before writes; a llama.barrier between them is missing}}
    llama.dispatch @to_s
  }
}
func.func private @to_s() {
  %x = arith.constant dense<0.0> : tensor<1x16xf32>
  llama.buffer_write %x, @s at 0 : tensor<1x16xf32>
  return
}

// -----

// Other buffers, the same bytes.
llama.buffer @s : tensor<1x32xf32> at 0
llama.buffer @t : tensor<1x16xf32> at 64
llama.step @overlapping_bytes rows 1 {
  // expected-note @below {{the other dispatch is here}}
  llama.dispatch @to_s
  // expected-error @below {{'llama.dispatch' op of @to_t writes buffer @t, which shares bytes with buffer @s that the dispatch of @to_s writes; a llama.barrier between them is missing}}
  llama.dispatch @to_t
}
func.func private @to_s() {
  %x = arith.constant dense<0.0> : tensor<1x32xf32>
  llama.buffer_write %x, @s at 0 : tensor<1x32xf32>
  return
}
func.func private @to_t() {
  %x = arith.constant dense<0.0> : tensor<1x16xf32>
  llama.buffer_write %x, @t at 64 : tensor<1x16xf32>
  return
}

// -----

llama.step @cache rows 1 {
  %c0 = arith.constant 0 : index
  // expected-note @below {{the other dispatch is here}}
  llama.dispatch @append(%c0)
  // expected-error @below {{'llama.dispatch' op of @attend reads the cache, which the dispatch of @append writes; a llama.barrier between them is missing}}
  llama.dispatch @attend(%c0)
}
func.func private @append(%l: index) {
  %kv = llama.input cache : !llama.cache<2x1x16, f16>
  %pos = llama.input positions : tensor<1xi32>
  %x = arith.constant dense<0.0> : tensor<1x16xf32>
  llama.kv_append %kv[%l], %x, %x at %pos : !llama.cache<2x1x16, f16>, tensor<1x16xf32>, tensor<1x16xf32>, tensor<1xi32>
  return
}
func.func private @attend(%l: index) {
  %kv = llama.input cache : !llama.cache<2x1x16, f16>
  %pos = llama.input positions : tensor<1xi32>
  %x = arith.constant dense<0.0> : tensor<1x16xf32>
  %a = llama.attention_part %x, %kv[%l], %pos causal heads 1 keys 256 : tensor<1x16xf32>, !llama.cache<2x1x16, f16>, tensor<1xi32> -> tensor<1x1x?x18xf32>
  return
}

// -----

// Any callee of a table may be the one that runs.
llama.buffer @s : tensor<1x16xf32> at 0
llama.buffer @t : tensor<1x16xf32> at 64
llama.step @table rows 1 {
  %c0 = arith.constant 0 : index
  // expected-note @below {{the other dispatch is here}}
  llama.dispatch @to_s
  // expected-error @below {{'llama.dispatch' op of @to_t, @read_s reads buffer @s, which the dispatch of @to_s writes; a llama.barrier between them is missing}}
  llama.dispatch [@to_t, @read_s] of [0, 1] (%c0)
}
func.func private @to_s() {
  %x = arith.constant dense<0.0> : tensor<1x16xf32>
  llama.buffer_write %x, @s at 0 : tensor<1x16xf32>
  return
}
func.func private @to_t() {
  %x = arith.constant dense<0.0> : tensor<1x16xf32>
  llama.buffer_write %x, @t at 64 : tensor<1x16xf32>
  return
}
func.func private @read_s() {
  %x = llama.buffer_read @s at 0 : tensor<1x16xf32>
  return
}

// -----

// Inside of one dispatch nothing has an order.
llama.buffer @s : tensor<1x16xf32> at 0
llama.step @reads_what_it_writes rows 1 {
  llama.dispatch @s_to_s
}
func.func private @s_to_s() {
  // expected-note @below {{here}}
  %x = llama.buffer_read @s at 0 : tensor<1x16xf32>
  // expected-error @below {{'llama.buffer_write' op of @s_to_s writes buffer @s, which it reads as well; parts of a dispatch are in no order}}
  llama.buffer_write %x, @s at 0 : tensor<1x16xf32>
  return
}

// -----

llama.buffer @s : tensor<1x16xf32> at 0
llama.buffer @t : tensor<1x32xf32> at 0
llama.step @reads_bytes_that_it_writes rows 1 {
  llama.dispatch @s_to_t
}
func.func private @s_to_t() {
  // expected-note @below {{here}}
  %x = llama.buffer_read @s at 0 : tensor<1x16xf32>
  %y = arith.constant dense<0.0> : tensor<1x32xf32>
  // expected-error @below {{'llama.buffer_write' op of @s_to_t writes buffer @t, which shares bytes with buffer @s that it reads as well; parts of a dispatch are in no order}}
  llama.buffer_write %y, @t at 0 : tensor<1x32xf32>
  return
}

// -----

llama.buffer @s : tensor<1x16xf32> at 0
llama.step @writes_twice rows 1 {
  llama.dispatch @twice
}
func.func private @twice() {
  %x = arith.constant dense<0.0> : tensor<1x16xf32>
  // expected-error @below {{'llama.buffer_write' op of @twice writes buffer @s, which it writes twice; parts of a dispatch are in no order}}
  llama.buffer_write %x, @s at 0 : tensor<1x16xf32>
  // expected-note @below {{here}}
  llama.buffer_write %x, @s at 0 : tensor<1x16xf32>
  return
}

// -----

// One part may attend to what another has not appended yet.
llama.step @append_and_attend rows 1 {
  %c0 = arith.constant 0 : index
  llama.dispatch @both(%c0)
}
func.func private @both(%l: index) {
  %kv = llama.input cache : !llama.cache<2x1x16, f16>
  %pos = llama.input positions : tensor<1xi32>
  %x = arith.constant dense<0.0> : tensor<1x16xf32>
  // expected-error @below {{'llama.kv_append' op of @both writes the cache, which it reads as well; parts of a dispatch are in no order}}
  llama.kv_append %kv[%l], %x, %x at %pos : !llama.cache<2x1x16, f16>, tensor<1x16xf32>, tensor<1x16xf32>, tensor<1xi32>
  // expected-note @below {{here}}
  %a = llama.attention %x, %kv[%l], %pos causal heads 1 : tensor<1x16xf32>, !llama.cache<2x1x16, f16>, tensor<1xi32>
  return
}

// -----

// All in order, but the value is gone when it is read.
llama.buffer @s : tensor<1x16xf32> at 0
llama.buffer @t : tensor<1x16xf32> at 0
llama.step @overwritten rows 1 {
  llama.dispatch @to_s
  llama.barrier
  // expected-note @below {{the other dispatch is here}}
  llama.dispatch @to_t
  llama.barrier
  // expected-error @below {{'llama.dispatch' op of @read_s reads buffer @s, but the dispatch of @to_t has written buffer @t over its bytes}}
  llama.dispatch @read_s
}
func.func private @to_s() {
  %x = arith.constant dense<0.0> : tensor<1x16xf32>
  llama.buffer_write %x, @s at 0 : tensor<1x16xf32>
  return
}
func.func private @to_t() {
  %x = arith.constant dense<0.0> : tensor<1x16xf32>
  llama.buffer_write %x, @t at 0 : tensor<1x16xf32>
  return
}
func.func private @read_s() {
  %x = llama.buffer_read @s at 0 : tensor<1x16xf32>
  return
}

// -----

// Between the steps another one may have run.
// expected-error @below {{'llama.buffer' op @x carries a value from step to step, but shares bytes with buffer @t}}
llama.buffer @x : tensor<1x16xf32> at 0
llama.buffer @t : tensor<1x16xf32> at 0
llama.step @decode rows 1 {
  llama.dispatch @to_t
  llama.barrier
  llama.dispatch @to_x
}
llama.step @lm_head rows 1 {
  llama.dispatch @read_x
}
func.func private @to_x() {
  %x = arith.constant dense<0.0> : tensor<1x16xf32>
  llama.buffer_write %x, @x at 0 : tensor<1x16xf32>
  return
}
func.func private @to_t() {
  %x = arith.constant dense<0.0> : tensor<1x16xf32>
  llama.buffer_write %x, @t at 0 : tensor<1x16xf32>
  return
}
func.func private @read_x() {
  %x = llama.buffer_read @x at 0 : tensor<1x16xf32>
  return
}

// -----

llama.buffer @s : tensor<1x16xf32> at 0
llama.step @never_written rows 1 {
  // expected-error @below {{'llama.dispatch' op of @read_s reads buffer @s, which no dispatch writes}}
  llama.dispatch @read_s
}
func.func private @read_s() {
  %x = llama.buffer_read @s at 0 : tensor<1x16xf32>
  return
}

// -----

// expected-error @below {{'llama.buffer' op has no offset; llama-assign-buffers sets it}}
llama.buffer @s : tensor<1x16xf32>

// -----

// expected-error @below {{'llama.buffer' op @s ends beyond all memory}}
llama.buffer @s : tensor<1x16xf32> at 9223372036854775800

// -----

llama.buffer @s : tensor<1x16xf32> at 64
llama.step @stale_stamp rows 1 {
  llama.dispatch @to_s
}
func.func private @to_s() {
  %x = arith.constant dense<0.0> : tensor<1x16xf32>
  // expected-error @below {{'llama.buffer_write' op has offset 0, buffer @s lies at 64; run llama-assign-buffers again}}
  llama.buffer_write %x, @s at 0 : tensor<1x16xf32>
  return
}

// -----

llama.buffer @s : tensor<1x16xf32> at 64
llama.step @no_stamp rows 1 {
  llama.dispatch @to_s
}
func.func private @to_s() {
  %x = arith.constant dense<0.0> : tensor<1x16xf32>
  // expected-error @below {{'llama.buffer_write' op has no offset; llama-assign-buffers sets it}}
  llama.buffer_write %x, @s : tensor<1x16xf32>
  return
}

// -----

// A barrier that stands where no dispatch depends on another, and two where one
// is enough.
llama.buffer @s : tensor<1x16xf32> at 0
llama.step @barrier_before_the_first rows 1 {
  // expected-error @below {{'llama.barrier' op separates no dispatches that depend on each other, or another barrier does; delete it}}
  llama.barrier
  llama.dispatch @to_s
  llama.barrier
  llama.dispatch @read_s
}
func.func private @to_s() {
  %x = arith.constant dense<0.0> : tensor<1x16xf32>
  llama.buffer_write %x, @s at 0 : tensor<1x16xf32>
  return
}
func.func private @read_s() {
  %x = llama.buffer_read @s at 0 : tensor<1x16xf32>
  return
}

// -----

llama.buffer @s : tensor<1x16xf32> at 0
llama.step @two_for_one rows 1 {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c4 = arith.constant 4 : index
  scf.for %l = %c0 to %c4 step %c1 {
    llama.dispatch @to_s
    // expected-error @below {{'llama.barrier' op separates no dispatches that depend on each other, or another barrier does; delete it}}
    llama.barrier
    llama.barrier
    llama.dispatch @read_s
    llama.barrier
  }
}
func.func private @to_s() {
  %x = arith.constant dense<0.0> : tensor<1x16xf32>
  llama.buffer_write %x, @s at 0 : tensor<1x16xf32>
  return
}
func.func private @read_s() {
  %x = llama.buffer_read @s at 0 : tensor<1x16xf32>
  return
}

// -----

// Two workers would write one line for different buffers.
// expected-error @below {{'llama.buffer' op @s lies at 32, expected a multiple of 64}}
llama.buffer @s : tensor<1x16xf32> at 32

// -----

// A schedule is gone when kernels are vectors.
// expected-error @below {{is a module of phase "vector"; there are schedules to verify in schedule and tile}}
module attributes {llama.phase = "vector"} {
}

// -----

// Kernels of phase tile: what they access follows from the effects of their ops.
llama.buffer @s : tensor<1x16xf32> at 0
llama.step @missing_between_tiles rows 1 {
  // expected-note @below {{the other dispatch is here}}
  llama.dispatch @to_s
  // expected-error @below {{'llama.dispatch' op of @read_s reads buffer @s, which the dispatch of @to_s writes; a llama.barrier between them is missing}}
  llama.dispatch @read_s
}
func.func private @to_s(%ctx: !tile.context, %layer: i32, %begin: i32, %end: i32) {
  %c0 = arith.constant 0 : index
  %s = tile.buffer %ctx @s at 0 : memref<1x16xf32>
  %x = arith.constant dense<0.0> : vector<1x16xf32>
  tile.store %x, %s[%c0, %c0] : vector<1x16xf32>, memref<1x16xf32>
  return
}
func.func private @read_s(%ctx: !tile.context, %layer: i32, %begin: i32, %end: i32) {
  %c0 = arith.constant 0 : index
  %s = tile.buffer_rows %ctx @s at 0 : <1x16xf32>
  %sums = tile.block_sums %s, %c0 block 16 : <1x16xf32> -> memref<1x1xf32>
  return
}

// -----

// A kernel of phase tile that reads what it writes.
llama.buffer @s : tensor<1x16xf32> at 0
llama.step @in_place rows 1 {
  llama.dispatch @twice
}
func.func private @twice(%ctx: !tile.context, %layer: i32, %begin: i32, %end: i32) {
  %c0 = arith.constant 0 : index
  %s = tile.buffer %ctx @s at 0 : memref<1x16xf32>
  // expected-note @below {{here}}
  %x = tile.load %s[%c0, %c0] : memref<1x16xf32> -> vector<1x16xf32>
  // expected-error @below {{'tile.store' op of @twice writes buffer @s, which it reads as well; parts of a dispatch are in no order}}
  tile.store %x, %s[%c0, %c0] : vector<1x16xf32>, memref<1x16xf32>
  return
}

// -----

// The cache.
llama.buffer @q : tensor<1x16xf32> at 0
llama.step @append_and_read rows 1 {
  // expected-note @below {{the other dispatch is here}}
  llama.dispatch @append
  // expected-error @below {{'llama.dispatch' op of @read reads the cache, which the dispatch of @append writes; a llama.barrier between them is missing}}
  llama.dispatch @read
}
func.func private @append(%ctx: !tile.context, %layer: i32, %begin: i32, %end: i32) {
  %c0 = arith.constant 0 : index
  %kv = tile.cache %ctx[%c0] : !llama.cache<2x1x16, f16> keys #llama.keys_interleaved16 values #llama.rowmajor
  %x = arith.constant dense<0.0> : vector<1x16xf32>
  tile.append "keys" %x, %kv, %ctx[%c0, %c0] rows %c0 : vector<1x16xf32>, <2x1x16, f16>
  return
}
func.func private @read(%ctx: !tile.context, %layer: i32, %begin: i32, %end: i32) {
  %c0 = arith.constant 0 : index
  %kv = tile.cache %ctx[%c0] : !llama.cache<2x1x16, f16> keys #llama.keys_interleaved16 values #llama.rowmajor
  %q = tile.buffer_rows %ctx @q at 0 : <1x16xf32>
  %s = tile.score_keys %q[%c0], %kv[%c0, %c0] : <1x16xf32>, <2x1x16, f16> -> vector<1x16xf32>
  return
}
