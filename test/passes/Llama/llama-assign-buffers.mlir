// RUN: %opt %pass %s | FileCheck %s

// A chain of values in each of two steps. @carried is written by both and read
// by a third, whatever ran before: its bytes are its own. In a step a value's
// bytes are free again behind the barrier after its last reader; the two steps
// never run at once, so they use the same bytes. 68 bytes take 128.
// CHECK:       llama.buffer @carried : tensor<1x17xf32> at 0
// CHECK:       llama.buffer @a : tensor<1x17xf32> at [[A:128]]
// CHECK:       llama.buffer @b : tensor<1x17xf32> at [[B:256]]
// CHECK:       llama.buffer @c : tensor<1x17xf32> at [[A]]
// CHECK:       llama.buffer @other : tensor<1x17xf32> at [[A]]
// CHECK:       llama.buffer @logits : tensor<1x17xf32> at [[A]]
llama.buffer @carried : tensor<1x17xf32>
llama.buffer @a : tensor<1x17xf32>
llama.buffer @b : tensor<1x17xf32>
llama.buffer @c : tensor<1x17xf32>
llama.buffer @other : tensor<1x17xf32>
llama.buffer @logits : tensor<1x17xf32>

llama.step @decode rows 1 {
  llama.dispatch @to_a
  llama.barrier
  llama.dispatch @a_to_b
  llama.barrier
  llama.dispatch @b_to_c
  llama.barrier
  llama.dispatch @c_to_carried
}
llama.step @prefill rows 1 {
  llama.dispatch @to_other
  llama.barrier
  llama.dispatch @other_to_carried
}
llama.step @lm_head rows 1 {
  llama.dispatch @carried_to_logits
}

// In a loop: @round is read in the round after the one that wrote it, so it lives
// through all of it; runs without a barrier between them (@to_left, @to_right)
// run at once.
// CHECK:       llama.buffer @round : tensor<1x16xf32> at [[ROUND:[0-9]+]]
// CHECK:       llama.buffer @left : tensor<1x16xf32> at [[LEFT:[0-9]+]]
// CHECK-NOT:   llama.buffer @right : tensor<1x16xf32> at [[ROUND]]{{$}}
// CHECK-NOT:   llama.buffer @right : tensor<1x16xf32> at [[LEFT]]{{$}}
// CHECK:       llama.buffer @right
llama.buffer @round : tensor<1x16xf32>
llama.buffer @left : tensor<1x16xf32>
llama.buffer @right : tensor<1x16xf32>
llama.step @loop rows 1 {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c4 = arith.constant 4 : index
  llama.dispatch @to_round
  scf.for %l = %c0 to %c4 step %c1 {
    llama.barrier
    llama.dispatch @to_left
    llama.dispatch @to_right
    llama.barrier
    llama.dispatch @all_to_round
  }
}

// Reads and writes carry the offset of their buffer.
// CHECK-LABEL: func.func private @a_to_b()
// CHECK:         llama.buffer_read @a at [[A]] :
// CHECK:         llama.buffer_write %{{.+}}, @b at [[B]] :
func.func private @a_to_b() {
  %x = llama.buffer_read @a : tensor<1x17xf32>
  llama.buffer_write %x, @b : tensor<1x17xf32>
  return
}
func.func private @to_a() {
  %x = arith.constant dense<0.0> : tensor<1x17xf32>
  llama.buffer_write %x, @a : tensor<1x17xf32>
  return
}
func.func private @b_to_c() {
  %x = llama.buffer_read @b : tensor<1x17xf32>
  llama.buffer_write %x, @c : tensor<1x17xf32>
  return
}
func.func private @c_to_carried() {
  %x = llama.buffer_read @c : tensor<1x17xf32>
  llama.buffer_write %x, @carried : tensor<1x17xf32>
  return
}
func.func private @to_other() {
  %x = arith.constant dense<0.0> : tensor<1x17xf32>
  llama.buffer_write %x, @other : tensor<1x17xf32>
  return
}
func.func private @other_to_carried() {
  %x = llama.buffer_read @other : tensor<1x17xf32>
  llama.buffer_write %x, @carried : tensor<1x17xf32>
  return
}
func.func private @carried_to_logits() {
  %r = llama.input wanted : tensor<1xi32>
  %x = llama.buffer_read @carried[%r : tensor<1xi32>] : tensor<1x17xf32>
  llama.buffer_write %x, @logits : tensor<1x17xf32>
  return
}
func.func private @to_round() {
  %x = arith.constant dense<0.0> : tensor<1x16xf32>
  llama.buffer_write %x, @round : tensor<1x16xf32>
  return
}
func.func private @to_left() {
  %x = arith.constant dense<0.0> : tensor<1x16xf32>
  llama.buffer_write %x, @left : tensor<1x16xf32>
  return
}
func.func private @to_right() {
  %x = llama.buffer_read @round : tensor<1x16xf32>
  llama.buffer_write %x, @right : tensor<1x16xf32>
  return
}
func.func private @all_to_round() {
  %x = llama.buffer_read @left : tensor<1x16xf32>
  %y = llama.buffer_read @right : tensor<1x16xf32>
  %z = llama.add %x, %y : tensor<1x16xf32>
  llama.buffer_write %z, @round : tensor<1x16xf32>
  return
}
