// RUN: %opt %pass %s | FileCheck %s

// Kernels are named by what they touch: @s_to_t reads buffer @s and writes @t.
llama.buffer @q : tensor<1x16xf32>
llama.buffer @r : tensor<1x16xf32>
llama.buffer @s : tensor<1x16xf32>
llama.buffer @t : tensor<1x16xf32>
// The first two share bytes.
llama.buffer @low : tensor<1x32xf32> at 0
llama.buffer @high : tensor<1x32xf32> at 64
llama.buffer @above : tensor<1x32xf32> at 192

// CHECK-LABEL: llama.step @producer_then_consumer
// CHECK-NEXT:    llama.dispatch @to_s
// CHECK-NEXT:    llama.barrier
// CHECK-NEXT:    llama.dispatch @s_to_t
// CHECK-NEXT:  }
llama.step @producer_then_consumer rows 1 {
  llama.dispatch @to_s
  llama.dispatch @s_to_t
}

// Runs without a value between them may run at once; what was superfluous goes.
// CHECK-LABEL: llama.step @independent_dispatches
// CHECK-NEXT:    llama.dispatch @to_s
// CHECK-NEXT:    llama.dispatch @to_q
// CHECK-NEXT:  }
llama.step @independent_dispatches rows 1 {
  llama.dispatch @to_s
  llama.barrier
  llama.dispatch @to_q
  llama.barrier
}

// A buffer may be written again when its readers have ended.
// CHECK-LABEL: llama.step @reader_then_writer
// CHECK-NEXT:    llama.dispatch @s_to_t
// CHECK-NEXT:    llama.barrier
// CHECK-NEXT:    llama.dispatch @to_s
// CHECK-NEXT:  }
llama.step @reader_then_writer rows 1 {
  llama.dispatch @s_to_t
  llama.dispatch @to_s
}

// The same value needs no second barrier.
// CHECK-LABEL: llama.step @two_readers
// CHECK-NEXT:    llama.dispatch @to_s
// CHECK-NEXT:    llama.barrier
// CHECK-NEXT:    llama.dispatch @s_to_t
// CHECK-NEXT:    llama.dispatch @read_s
// CHECK-NEXT:  }
llama.step @two_readers rows 1 {
  llama.dispatch @to_s
  llama.dispatch @s_to_t
  llama.dispatch @read_s
}

// The barrier at the head of the loop serves the first round (what ran before
// the loop) and the way back.
// CHECK-LABEL: llama.step @loop
// CHECK:         llama.dispatch @to_s
// CHECK:         scf.for
// CHECK-NEXT:      llama.barrier
// CHECK-NEXT:      llama.dispatch @s_to_t(
// CHECK-NEXT:      llama.barrier
// CHECK-NEXT:      llama.dispatch @t_to_s(
// CHECK-NEXT:    }
// CHECK-NEXT:  }
llama.step @loop rows 1 {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c4 = arith.constant 4 : index
  llama.dispatch @to_s
  scf.for %l = %c0 to %c4 step %c1 {
    llama.dispatch @s_to_t(%l)
    llama.dispatch @t_to_s(%l)
  }
}

// Nothing before the loop: only the way back asks for the barrier.
// CHECK-LABEL: llama.step @way_back
// CHECK:         scf.for
// CHECK-NEXT:      llama.barrier
// CHECK-NEXT:      llama.dispatch @read_s(
// CHECK-NEXT:      llama.barrier
// CHECK-NEXT:      llama.dispatch @to_s
// CHECK-NEXT:    }
llama.step @way_back rows 1 {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c4 = arith.constant 4 : index
  scf.for %l = %c0 to %c4 step %c1 {
    llama.dispatch @read_s(%l)
    llama.dispatch @to_s
  }
}

// In order one would put a barrier before @read_s, for what ran before the loop;
// the one that the way back puts before @read_q does for it.
// CHECK-LABEL: llama.step @needless_after_the_way_back
// CHECK:         llama.dispatch @to_s
// CHECK:         scf.for
// CHECK-NEXT:      llama.barrier
// CHECK-NEXT:      llama.dispatch @read_q
// CHECK-NEXT:      llama.dispatch @read_s
// CHECK-NEXT:      llama.dispatch @read_r
// CHECK-NEXT:      llama.barrier
// CHECK-NEXT:      llama.dispatch @to_r
// CHECK-NEXT:      llama.dispatch @to_q
// CHECK-NEXT:    }
llama.step @needless_after_the_way_back rows 1 {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c4 = arith.constant 4 : index
  llama.dispatch @to_s
  scf.for %l = %c0 to %c4 step %c1 {
    llama.dispatch @read_q
    llama.dispatch @read_s
    llama.dispatch @read_r
    llama.dispatch @to_r
    llama.dispatch @to_q
  }
}

// The cache is one resource: layers are not told apart.
// CHECK-LABEL: llama.step @append_then_attend
// CHECK:         llama.dispatch @append(
// CHECK-NEXT:    llama.barrier
// CHECK-NEXT:    llama.dispatch @attend(
// CHECK-NEXT:    llama.dispatch @attend(
// CHECK-NEXT:    llama.barrier
// CHECK-NEXT:    llama.dispatch @append(
// CHECK-NEXT:  }
llama.step @append_then_attend rows 1 {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  llama.dispatch @append(%c0)
  llama.dispatch @attend(%c0)
  llama.dispatch @attend(%c1)
  llama.dispatch @append(%c1)
}

// Where buffers have offsets, bytes count.
// CHECK-LABEL: llama.step @shared_bytes
// CHECK-NEXT:    llama.dispatch @to_low
// CHECK-NEXT:    llama.dispatch @to_above
// CHECK-NEXT:    llama.barrier
// CHECK-NEXT:    llama.dispatch @to_high
// CHECK-NEXT:  }
llama.step @shared_bytes rows 1 {
  llama.dispatch @to_low
  llama.dispatch @to_above
  llama.dispatch @to_high
}

// A table runs one of its callees; which one is not looked at.
// CHECK-LABEL: llama.step @table
// CHECK:         llama.dispatch @to_s
// CHECK-NEXT:    llama.barrier
// CHECK-NEXT:    llama.dispatch [@to_q, @read_s] of [0, 1](
// CHECK-NEXT:  }
llama.step @table rows 1 {
  %c0 = arith.constant 0 : index
  llama.dispatch @to_s
  llama.dispatch [@to_q, @read_s] of [0, 1] (%c0)
}

func.func private @to_q() {
  %x = arith.constant dense<0.0> : tensor<1x16xf32>
  llama.buffer_write %x, @q : tensor<1x16xf32>
  return
}
func.func private @to_r() {
  %x = arith.constant dense<0.0> : tensor<1x16xf32>
  llama.buffer_write %x, @r : tensor<1x16xf32>
  return
}
func.func private @to_s() {
  %x = arith.constant dense<0.0> : tensor<1x16xf32>
  llama.buffer_write %x, @s : tensor<1x16xf32>
  return
}
func.func private @s_to_t(%l: index) {
  %x = llama.buffer_read @s : tensor<1x16xf32>
  llama.buffer_write %x, @t : tensor<1x16xf32>
  return
}
func.func private @t_to_s(%l: index) {
  %x = llama.buffer_read @t : tensor<1x16xf32>
  llama.buffer_write %x, @s : tensor<1x16xf32>
  return
}
func.func private @read_q() {
  %x = llama.buffer_read @q : tensor<1x16xf32>
  return
}
func.func private @read_r() {
  %x = llama.buffer_read @r : tensor<1x16xf32>
  return
}
func.func private @read_s() {
  %x = llama.buffer_read @s : tensor<1x16xf32>
  return
}
func.func private @to_low() {
  %x = arith.constant dense<0.0> : tensor<1x32xf32>
  llama.buffer_write %x, @low at 0 : tensor<1x32xf32>
  return
}
func.func private @to_high() {
  %x = arith.constant dense<0.0> : tensor<1x32xf32>
  llama.buffer_write %x, @high at 64 : tensor<1x32xf32>
  return
}
func.func private @to_above() {
  %x = arith.constant dense<0.0> : tensor<1x32xf32>
  llama.buffer_write %x, @above at 192 : tensor<1x32xf32>
  return
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
  %a = llama.attention %x, %kv[%l], %pos causal heads 1 : tensor<1x16xf32>, !llama.cache<2x1x16, f16>, tensor<1xi32>
  return
}
