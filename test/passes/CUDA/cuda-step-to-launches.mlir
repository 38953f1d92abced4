// RUN: %opt %pass %s | FileCheck %s

// The program's table: workspace up to the last buffer's end, where the logits are,
// the steps of forms and heads and their bounds; a row for each kernel, with the threads of its strategy.
// CHECK:       module attributes {llama.kernels = [
// CHECK-SAME:    {function = @embed.decode, name = "embed.decode", parts = @embed.decode.parts, scratch_bytes = 0 : i64, threads = 256 : i64}
// CHECK-SAME:    {function = @attn.decode.0, name = "attn.decode.0", parts = @attn.decode.0.parts, scratch_bytes = 128 : i64, threads = 128 : i64}
// CHECK-SAME:    {function = @attn.decode.1, name = "attn.decode.1", parts = @attn.decode.1.parts, scratch_bytes = 64 : i64, threads = 64 : i64}
// CHECK-SAME:    llama.program = {entries = [{dispatches = [@embed.decode, @attn.decode.1, @attn.decode.0, @attn.decode.0, @attn.decode.1], layers = array<i64: 0, 0, 1, 2, 3>, name = "decode", rows = 1 : i64, step = @corellama_step_decode}, {dispatches = [], layers = array<i64>, name = "prefill", rows = 8 : i64, step = @corellama_step_prefill}], launches, lm_heads = [{dispatches = [@embed.decode, @attn.decode.1, @attn.decode.0, @attn.decode.0, @attn.decode.1], layers = array<i64: 0, 0, 1, 2, 3>, name = "decode", rows = 1 : i64, step = @corellama_step_decode}], logits_offset = 256 : i64, workspace_bytes = 512 : i64}
module {
  llama.buffer @x : tensor<2x32xf32> at 0
  llama.buffer @logits : tensor<1x64xf32> at 256

  // CHECK-LABEL: func.func @embed.decode.parts(
  // CHECK-SAME:    %[[ROWS:.+]]: i64, %[[KEYS:.+]]: i64) -> i64
  // CHECK:         %[[PARTS:.+]] = arith.ceildivui %[[ROWS]], %{{.+}} : i64
  // CHECK:         return %[[PARTS]]
  // CHECK:       func.func @embed.decode(
  func.func private @embed.decode(%ctx: !llvm.ptr, %layer: i32) attributes {llama.partition = #llama.partition<of = rows, by = 4>, llama.strategy = #cuda.strategy<unit = #cuda.simt, threads = 256>, llama.scratch = 0 : i64} {
    return
  }
  // CHECK:       func.func @attn.decode.0.parts(
  func.func private @attn.decode.0(%ctx: !llvm.ptr, %layer: i32) attributes {llama.partition = #llama.partition<of = keys, by = 256, times = 3>, llama.strategy = #cuda.strategy<unit = #cuda.simt, threads = 128>, llama.scratch = 128 : i64} {
    return
  }
  // CHECK:       func.func @attn.decode.1.parts(
  func.func private @attn.decode.1(%ctx: !llvm.ptr, %layer: i32) attributes {llama.partition = #llama.partition<rows = [80], by = 16>, llama.strategy = #cuda.strategy<unit = #cuda.simt, threads = 64>, llama.scratch = 64 : i64} {
    return
  }

  // A dispatch is a launch, by the kernel's row in the table, of as many blocks as the
  // capacity has parts: not the keys that are there, which change between two
  // replays of a graph.
  // CHECK-LABEL: func.func @corellama_step_decode(
  // CHECK-SAME:    %[[CTX:.+]]: !llvm.ptr, %[[DEVICE:.+]]: !llvm.ptr)
  // CHECK:         %[[NONE:.+]] = arith.constant 0 : i32
  // CHECK:         %[[EMBED:.+]] = arith.constant 0 : i32
  // CHECK:         context.field %[[CTX]] rows
  // CHECK:         context.field %[[CTX]] capacity
  // CHECK:         %[[N:.+]] = call @embed.decode.parts
  // CHECK:         call @corellama_launch(%[[DEVICE]], %[[EMBED]], %[[CTX]], %[[NONE]], %[[N]])
  // Launches follow each other, so a barrier is nothing.
  // CHECK-NOT:     barrier
  // CHECK:         scf.for %[[L:.+]] =
  // The callee by the layer: 1, 0, 0, 1.
  // CHECK:           %[[LAYER:.+]] = arith.index_cast %[[L]] : index to i32
  // CHECK:           %[[W0:.+]] = arith.constant 1 : i32
  // CHECK:           %[[L1:.+]] = arith.constant 1 : i32
  // CHECK:           arith.cmpi uge, %[[LAYER]], %[[L1]]
  // CHECK:           %[[W1:.+]] = arith.select %{{.+}}, %{{.+}}, %[[W0]] : i32
  // CHECK:           %[[L3:.+]] = arith.constant 3 : i32
  // CHECK:           arith.cmpi uge, %[[LAYER]], %[[L3]]
  // CHECK:           %[[WHICH:.+]] = arith.select %{{.+}}, %{{.+}}, %[[W1]] : i32
  // CHECK:           arith.cmpi eq, %[[WHICH]]
  // CHECK:           %[[FIRST:.+]] = arith.constant 1 : i32
  // CHECK:           %[[PARTS0:.+]] = func.call @attn.decode.0.parts
  // CHECK:           func.call @corellama_launch(%[[DEVICE]], %[[FIRST]], %[[CTX]], %[[LAYER]], %[[PARTS0]])
  // CHECK:           arith.cmpi eq, %[[WHICH]]
  // CHECK:           %[[SECOND:.+]] = arith.constant 2 : i32
  // CHECK:           %[[PARTS1:.+]] = func.call @attn.decode.1.parts
  // CHECK:           func.call @corellama_launch(%[[DEVICE]], %[[SECOND]], %[[CTX]], %[[LAYER]], %[[PARTS1]])
  llama.step @decode rows 1 {
    llama.dispatch @embed.decode
    %c0 = arith.constant 0 : index
    %c1 = arith.constant 1 : index
    %c4 = arith.constant 4 : index
    scf.for %l = %c0 to %c4 step %c1 {
      llama.barrier
      llama.dispatch [@attn.decode.0, @attn.decode.1] of [1, 0, 0, 1](%l)
    }
  }
  // CHECK-LABEL: func.func @corellama_step_prefill(
  // CHECK-NEXT:    return
  llama.step @prefill rows 8 {
  }
  // CHECK:       func.func private @corellama_launch(!llvm.ptr, i32, !llvm.ptr, i32, i64)
  // CHECK-NOT:   llama.model
  // CHECK-NOT:   llama.step
  llama.model @m steps [@decode, @prefill] lm_heads [@decode]
}
