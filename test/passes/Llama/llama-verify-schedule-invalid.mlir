// RUN: %opt %pass %s --split-input-file --verify-diagnostics

// A reader right behind its writer.
llama.slot @s : tensor<1x16xf32> at 0
llama.step @missing_in_a_straight_line rows 1 {
  // expected-note @below {{the other run is here}}
  llama.run @to_s
  // expected-error @below {{'llama.run' op of @read_s reads slot @s, which the run of @to_s writes; a llama.barrier between them is missing}}
  llama.run @read_s
}
func.func private @to_s() {
  %x = arith.constant dense<0.0> : tensor<1x16xf32>
  llama.slot_write %x, @s at 0 : tensor<1x16xf32>
  return
}
func.func private @read_s() {
  %x = llama.slot_read @s at 0 : tensor<1x16xf32>
  return
}

// -----

// A writer right behind a reader of what was there.
llama.slot @s : tensor<1x16xf32> at 0
llama.step @write_after_read rows 1 {
  llama.run @to_s
  llama.barrier
  // expected-note @below {{the other run is here}}
  llama.run @read_s
  // expected-error @below {{'llama.run' op of @to_s writes slot @s, which the run of @read_s reads; a llama.barrier between them is missing}}
  llama.run @to_s
}
func.func private @to_s() {
  %x = arith.constant dense<0.0> : tensor<1x16xf32>
  llama.slot_write %x, @s at 0 : tensor<1x16xf32>
  return
}
func.func private @read_s() {
  %x = llama.slot_read @s at 0 : tensor<1x16xf32>
  return
}

// -----

// A barrier at the head of a loop serves what was before it and the way back:
// where it is missing, that is one error.
llama.slot @s : tensor<1x16xf32> at 0
llama.slot @t : tensor<1x16xf32> at 64
llama.step @missing_at_the_head_of_a_loop rows 1 {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c4 = arith.constant 4 : index
  // expected-note @below {{the other run is here}}
  llama.run @to_s
  scf.for %l = %c0 to %c4 step %c1 {
    // expected-error @below {{'llama.run' op of @s_to_t reads slot @s, which the run of @to_s writes; a llama.barrier between them is missing}}
    llama.run @s_to_t
    llama.barrier
    // expected-note @below {{the run of @t_to_s for the layer before needs it as well}}
    llama.run @t_to_s
  }
}
func.func private @to_s() {
  %x = arith.constant dense<0.0> : tensor<1x16xf32>
  llama.slot_write %x, @s at 0 : tensor<1x16xf32>
  return
}
func.func private @s_to_t() {
  %x = llama.slot_read @s at 0 : tensor<1x16xf32>
  llama.slot_write %x, @t at 64 : tensor<1x16xf32>
  return
}
func.func private @t_to_s() {
  %x = llama.slot_read @t at 64 : tensor<1x16xf32>
  llama.slot_write %x, @s at 0 : tensor<1x16xf32>
  return
}

// -----

// The same where only the first round needs it: the runs behind it are in order
// in the other rounds as well.
llama.slot @s : tensor<1x16xf32> at 0
llama.slot @u : tensor<1x16xf32> at 64
llama.step @missing_for_the_first_round rows 1 {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c4 = arith.constant 4 : index
  // expected-note @below {{the other run is here}}
  llama.run @to_s
  scf.for %l = %c0 to %c4 step %c1 {
    // expected-error @below {{'llama.run' op of @read_s reads slot @s, which the run of @to_s writes; a llama.barrier between them is missing}}
    llama.run @read_s
    llama.run @to_u
  }
}
func.func private @to_s() {
  %x = arith.constant dense<0.0> : tensor<1x16xf32>
  llama.slot_write %x, @s at 0 : tensor<1x16xf32>
  return
}
func.func private @read_s() {
  %x = llama.slot_read @s at 0 : tensor<1x16xf32>
  return
}
func.func private @to_u() {
  %x = arith.constant dense<0.0> : tensor<1x16xf32>
  llama.slot_write %x, @u at 64 : tensor<1x16xf32>
  return
}

// -----

// In order all is well; the way back has no barrier.
llama.slot @s : tensor<1x16xf32> at 0
llama.slot @t : tensor<1x16xf32> at 64
llama.step @missing_on_the_way_back rows 1 {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c4 = arith.constant 4 : index
  scf.for %l = %c0 to %c4 step %c1 {
    // expected-error @below {{'llama.run' op of @s_to_t reads slot @s, which the run of @t_to_s for the layer before writes; a llama.barrier between them is missing}}
    llama.run @s_to_t
    llama.barrier
    // expected-note @below {{the other run is here}}
    llama.run @t_to_s
  }
}
func.func private @s_to_t() {
  %x = llama.slot_read @s at 0 : tensor<1x16xf32>
  llama.slot_write %x, @t at 64 : tensor<1x16xf32>
  return
}
func.func private @t_to_s() {
  %x = llama.slot_read @t at 64 : tensor<1x16xf32>
  llama.slot_write %x, @s at 0 : tensor<1x16xf32>
  return
}

// -----

// A kernel that only writes races with itself, round after round.
llama.slot @s : tensor<1x16xf32> at 0
llama.step @itself_on_the_way_back rows 1 {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c4 = arith.constant 4 : index
  scf.for %l = %c0 to %c4 step %c1 {
    // expected-note @below {{the other run is here}}
    // expected-error @below {{'llama.run' op of @to_s writes slot @s, which the run of @to_s for the layer before writes; a llama.barrier between them is missing}}
    llama.run @to_s
  }
}
func.func private @to_s() {
  %x = arith.constant dense<0.0> : tensor<1x16xf32>
  llama.slot_write %x, @s at 0 : tensor<1x16xf32>
  return
}

// -----

// Other slots, the same bytes.
llama.slot @s : tensor<1x32xf32> at 0
llama.slot @t : tensor<1x16xf32> at 64
llama.step @overlapping_bytes rows 1 {
  // expected-note @below {{the other run is here}}
  llama.run @to_s
  // expected-error @below {{'llama.run' op of @to_t writes slot @t, which shares bytes with slot @s that the run of @to_s writes; a llama.barrier between them is missing}}
  llama.run @to_t
}
func.func private @to_s() {
  %x = arith.constant dense<0.0> : tensor<1x32xf32>
  llama.slot_write %x, @s at 0 : tensor<1x32xf32>
  return
}
func.func private @to_t() {
  %x = arith.constant dense<0.0> : tensor<1x16xf32>
  llama.slot_write %x, @t at 64 : tensor<1x16xf32>
  return
}

// -----

llama.step @cache rows 1 {
  %c0 = arith.constant 0 : index
  // expected-note @below {{the other run is here}}
  llama.run @append(%c0)
  // expected-error @below {{'llama.run' op of @attend reads the cache, which the run of @append writes; a llama.barrier between them is missing}}
  llama.run @attend(%c0)
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
llama.slot @s : tensor<1x16xf32> at 0
llama.slot @t : tensor<1x16xf32> at 64
llama.step @table rows 1 {
  %c0 = arith.constant 0 : index
  // expected-note @below {{the other run is here}}
  llama.run @to_s
  // expected-error @below {{'llama.run' op of @to_t, @read_s reads slot @s, which the run of @to_s writes; a llama.barrier between them is missing}}
  llama.run [@to_t, @read_s] of [0, 1] (%c0)
}
func.func private @to_s() {
  %x = arith.constant dense<0.0> : tensor<1x16xf32>
  llama.slot_write %x, @s at 0 : tensor<1x16xf32>
  return
}
func.func private @to_t() {
  %x = arith.constant dense<0.0> : tensor<1x16xf32>
  llama.slot_write %x, @t at 64 : tensor<1x16xf32>
  return
}
func.func private @read_s() {
  %x = llama.slot_read @s at 0 : tensor<1x16xf32>
  return
}

// -----

// Inside of one run nothing has an order.
llama.slot @s : tensor<1x16xf32> at 0
llama.step @reads_what_it_writes rows 1 {
  llama.run @s_to_s
}
func.func private @s_to_s() {
  // expected-note @below {{here}}
  %x = llama.slot_read @s at 0 : tensor<1x16xf32>
  // expected-error @below {{'llama.slot_write' op of @s_to_s writes slot @s, which it reads as well; parts of a run are in no order}}
  llama.slot_write %x, @s at 0 : tensor<1x16xf32>
  return
}

// -----

llama.slot @s : tensor<1x16xf32> at 0
llama.slot @t : tensor<1x32xf32> at 0
llama.step @reads_bytes_that_it_writes rows 1 {
  llama.run @s_to_t
}
func.func private @s_to_t() {
  // expected-note @below {{here}}
  %x = llama.slot_read @s at 0 : tensor<1x16xf32>
  %y = arith.constant dense<0.0> : tensor<1x32xf32>
  // expected-error @below {{'llama.slot_write' op of @s_to_t writes slot @t, which shares bytes with slot @s that it reads as well; parts of a run are in no order}}
  llama.slot_write %y, @t at 0 : tensor<1x32xf32>
  return
}

// -----

llama.slot @s : tensor<1x16xf32> at 0
llama.step @writes_twice rows 1 {
  llama.run @twice
}
func.func private @twice() {
  %x = arith.constant dense<0.0> : tensor<1x16xf32>
  // expected-error @below {{'llama.slot_write' op of @twice writes slot @s, which it writes twice; parts of a run are in no order}}
  llama.slot_write %x, @s at 0 : tensor<1x16xf32>
  // expected-note @below {{here}}
  llama.slot_write %x, @s at 0 : tensor<1x16xf32>
  return
}

// -----

// One part may attend to what another has not appended yet.
llama.step @append_and_attend rows 1 {
  %c0 = arith.constant 0 : index
  llama.run @both(%c0)
}
func.func private @both(%l: index) {
  %kv = llama.input cache : !llama.cache<2x1x16, f16>
  %pos = llama.input positions : tensor<1xi32>
  %x = arith.constant dense<0.0> : tensor<1x16xf32>
  // expected-error @below {{'llama.kv_append' op of @both writes the cache, which it reads as well; parts of a run are in no order}}
  llama.kv_append %kv[%l], %x, %x at %pos : !llama.cache<2x1x16, f16>, tensor<1x16xf32>, tensor<1x16xf32>, tensor<1xi32>
  // expected-note @below {{here}}
  %a = llama.attention %x, %kv[%l], %pos causal heads 1 : tensor<1x16xf32>, !llama.cache<2x1x16, f16>, tensor<1xi32>
  return
}

// -----

// All in order, but the value is gone when it is read.
llama.slot @s : tensor<1x16xf32> at 0
llama.slot @t : tensor<1x16xf32> at 0
llama.step @overwritten rows 1 {
  llama.run @to_s
  llama.barrier
  // expected-note @below {{the other run is here}}
  llama.run @to_t
  llama.barrier
  // expected-error @below {{'llama.run' op of @read_s reads slot @s, but the run of @to_t has written slot @t over its bytes}}
  llama.run @read_s
}
func.func private @to_s() {
  %x = arith.constant dense<0.0> : tensor<1x16xf32>
  llama.slot_write %x, @s at 0 : tensor<1x16xf32>
  return
}
func.func private @to_t() {
  %x = arith.constant dense<0.0> : tensor<1x16xf32>
  llama.slot_write %x, @t at 0 : tensor<1x16xf32>
  return
}
func.func private @read_s() {
  %x = llama.slot_read @s at 0 : tensor<1x16xf32>
  return
}

// -----

// Between the steps another one may have run.
// expected-error @below {{'llama.slot' op @x carries a value from step to step, but shares bytes with slot @t}}
llama.slot @x : tensor<1x16xf32> at 0
llama.slot @t : tensor<1x16xf32> at 0
llama.step @decode rows 1 {
  llama.run @to_t
  llama.barrier
  llama.run @to_x
}
llama.step @head rows 1 {
  llama.run @read_x
}
func.func private @to_x() {
  %x = arith.constant dense<0.0> : tensor<1x16xf32>
  llama.slot_write %x, @x at 0 : tensor<1x16xf32>
  return
}
func.func private @to_t() {
  %x = arith.constant dense<0.0> : tensor<1x16xf32>
  llama.slot_write %x, @t at 0 : tensor<1x16xf32>
  return
}
func.func private @read_x() {
  %x = llama.slot_read @x at 0 : tensor<1x16xf32>
  return
}

// -----

llama.slot @s : tensor<1x16xf32> at 0
llama.step @never_written rows 1 {
  // expected-error @below {{'llama.run' op of @read_s reads slot @s, which no run writes}}
  llama.run @read_s
}
func.func private @read_s() {
  %x = llama.slot_read @s at 0 : tensor<1x16xf32>
  return
}

// -----

// expected-error @below {{'llama.slot' op @s has no offset; run llama-assign-slots first}}
llama.slot @s : tensor<1x16xf32>

// -----

// expected-error @below {{'llama.slot' op @s ends beyond all memory}}
llama.slot @s : tensor<1x16xf32> at 9223372036854775800

// -----

llama.slot @s : tensor<1x16xf32> at 64
llama.step @stale_stamp rows 1 {
  llama.run @to_s
}
func.func private @to_s() {
  %x = arith.constant dense<0.0> : tensor<1x16xf32>
  // expected-error @below {{'llama.slot_write' op is stamped with offset 0, slot @s lies at 64; run llama-assign-slots again}}
  llama.slot_write %x, @s at 0 : tensor<1x16xf32>
  return
}

// -----

llama.slot @s : tensor<1x16xf32> at 64
llama.step @no_stamp rows 1 {
  llama.run @to_s
}
func.func private @to_s() {
  %x = arith.constant dense<0.0> : tensor<1x16xf32>
  // expected-error @below {{'llama.slot_write' op is not stamped with an offset, slot @s lies at 64; run llama-assign-slots again}}
  llama.slot_write %x, @s : tensor<1x16xf32>
  return
}
