// RUN: %opt %pass %s | FileCheck %s
// Without any of its barriers it is refused.
// RUN: sed '/llama.barrier \/\/ first/d' %s > %t.first && not %opt %pass %t.first 2>&1 | FileCheck %s --check-prefix=FIRST
// RUN: sed '/llama.barrier \/\/ second/d' %s > %t.second && not %opt %pass %t.second 2>&1 | FileCheck %s --check-prefix=SECOND
// RUN: sed '/llama.barrier \/\/ third/d' %s > %t.third && not %opt %pass %t.third 2>&1 | FileCheck %s --check-prefix=THIRD

// FIRST: error: 'llama.dispatch' op of @a reads buffer @x, which the dispatch of @embed writes; a llama.barrier between them is missing
// FIRST-NOT: error:
// FIRST: note: the dispatch of @c for the layer before needs it as well
// SECOND: error: 'llama.dispatch' op of @b reads buffer @t, which the dispatch of @a writes; a llama.barrier between them is missing
// THIRD: error: 'llama.dispatch' op of @c reads buffer @u, which the dispatch of @b writes; a llama.barrier between them is missing

// @t is free when @b has read it, so @v may lie there; @x is carried.
llama.buffer @x : tensor<1x16xf32> at 0
llama.buffer @t : tensor<1x16xf32> at 64
llama.buffer @u : tensor<1x16xf32> at 128
llama.buffer @v : tensor<1x32xf32> at 64

// CHECK-LABEL: llama.step @decode
llama.step @decode rows 1 {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c4 = arith.constant 4 : index
  llama.dispatch @embed
  scf.for %l = %c0 to %c4 step %c1 {
    llama.barrier // first
    llama.dispatch @a(%l)
    llama.barrier // second
    llama.dispatch @b(%l)
    llama.barrier // third
    llama.dispatch @c(%l)
  }
}
// CHECK-LABEL: llama.step @lm_head
llama.step @lm_head rows 1 {
  llama.dispatch @head_of_x
}

func.func private @embed() {
  %x = arith.constant dense<0.0> : tensor<1x16xf32>
  llama.buffer_write %x, @x at 0 : tensor<1x16xf32>
  return
}
// CHECK-LABEL: func.func private @a
func.func private @a(%l: index) {
  %x = llama.buffer_read @x at 0 : tensor<1x16xf32>
  llama.buffer_write %x, @t at 64 : tensor<1x16xf32>
  return
}
func.func private @b(%l: index) {
  %x = llama.buffer_read @t at 64 : tensor<1x16xf32>
  llama.buffer_write %x, @u at 128 : tensor<1x16xf32>
  return
}
func.func private @c(%l: index) {
  %x = llama.buffer_read @u at 128 : tensor<1x16xf32>
  llama.buffer_write %x, @x at 0 : tensor<1x16xf32>
  return
}
func.func private @head_of_x() {
  %r = llama.input wanted : tensor<1xi32>
  %x = llama.buffer_read @x[%r : tensor<1xi32>] at 0 : tensor<1x16xf32>
  %y = arith.constant dense<0.0> : tensor<1x32xf32>
  llama.buffer_write %y, @v at 64 : tensor<1x32xf32>
  return
}
