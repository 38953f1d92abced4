// RUN: %opt %pass %s | FileCheck %s

// The program's table: workspace up to the last buffer's end, the largest scratch,
// where the logits are, the steps of forms and heads and their bounds; a row for each kernel.
// CHECK:       module attributes {llama.kernels = [
// CHECK-SAME:    {function = @embed.decode, name = "embed.decode", parts = @embed.decode.parts, scratch_bytes = 0 : i64}
// CHECK-SAME:    {function = @qkv.decode.0, name = "qkv.decode.0", parts = @qkv.decode.0.parts, scratch_bytes = 128 : i64}
// CHECK-SAME:    {function = @qkv.decode.1, name = "qkv.decode.1", parts = @qkv.decode.1.parts, scratch_bytes = 64 : i64}
// CHECK-SAME:    llama.program = {entries = [{dispatches = [@embed.decode, @qkv.decode.1, @qkv.decode.0, @qkv.decode.0, @qkv.decode.1], layers = array<i64: 0, 0, 1, 2, 3>, name = "decode", rows = 1 : i64, step = @corellama_step_decode}, {dispatches = [], layers = array<i64>, name = "prefill", rows = 8 : i64, step = @corellama_step_prefill}], lm_heads = [{dispatches = [@embed.decode, @qkv.decode.1, @qkv.decode.0, @qkv.decode.0, @qkv.decode.1], layers = array<i64: 0, 0, 1, 2, 3>, name = "decode", rows = 1 : i64, step = @corellama_step_decode}], logits_offset = 256 : i64, scratch_bytes = 128 : i64, workspace_bytes = 512 : i64}
module {
  llama.buffer @x : tensor<2x32xf32> at 0
  llama.buffer @logits : tensor<1x64xf32> at 256

  // A kernel's parts are a function of rows and keys, and the kernel is public:
  // profilers and the program's table see it.
  // CHECK-LABEL: func.func @embed.decode.parts(
  // CHECK-SAME:    %[[ROWS:.+]]: i64, %[[KEYS:.+]]: i64) -> i64
  // CHECK:         %[[BY:.+]] = arith.constant 4 : i64
  // CHECK:         %[[PARTS:.+]] = arith.ceildivui %[[ROWS]], %[[BY]] : i64
  // CHECK:         return %[[PARTS]]
  // CHECK:       func.func @embed.decode(
  func.func private @embed.decode(%ctx: !llvm.ptr, %scratch: !llvm.ptr, %layer: i32, %begin: i32, %end: i32, %first: i32) attributes {llama.partition = #llama.partition<of = rows, by = 4>, llama.scratch = 0 : i64} {
    return
  }

  // CHECK-LABEL: func.func @qkv.decode.0.parts(
  // CHECK-SAME:    %[[ROWS:.+]]: i64, %[[KEYS:.+]]: i64) -> i64
  // CHECK:         %[[BY:.+]] = arith.constant 256 : i64
  // CHECK:         %[[BLOCKS:.+]] = arith.ceildivui %[[KEYS]], %[[BY]] : i64
  // CHECK:         %[[TIMES:.+]] = arith.constant 3 : i64
  // CHECK:         %[[PARTS:.+]] = arith.muli %[[BLOCKS]], %[[TIMES]] : i64
  // CHECK:         return %[[PARTS]]
  func.func private @qkv.decode.0(%ctx: !llvm.ptr, %scratch: !llvm.ptr, %layer: i32, %begin: i32, %end: i32, %first: i32) attributes {llama.partition = #llama.partition<of = keys, by = 256, times = 3>, llama.scratch = 128 : i64} {
    return
  }

  // CHECK-LABEL: func.func @qkv.decode.1.parts(
  // CHECK:         %[[PARTS:.+]] = arith.constant 5 : i64
  // CHECK:         return %[[PARTS]]
  func.func private @qkv.decode.1(%ctx: !llvm.ptr, %scratch: !llvm.ptr, %layer: i32, %begin: i32, %end: i32, %first: i32) attributes {llama.partition = #llama.partition<rows = [80], by = 16>, llama.scratch = 64 : i64} {
    return
  }

  // A dispatch is a call of the runtime with the callee and the number of its
  // parts, a barrier one of the runtime's barrier.
  // CHECK-LABEL: func.func @corellama_step_decode(
  // CHECK-SAME:    %[[CTX:.+]]: !llvm.ptr, %[[SCRATCH:.+]]: !llvm.ptr, %[[WORKER:.+]]: i32)
  // CHECK:         %[[NONE:.+]] = arith.constant 0 : i32
  // CHECK:         context.field %[[CTX]] rows
  // CHECK:         context.field %[[CTX]] key_count
  // CHECK:         %[[N:.+]] = call @embed.decode.parts
  // CHECK:         %[[EMBED:.+]] = constant @embed.decode : (!llvm.ptr, !llvm.ptr, i32, i32, i32, i32) -> ()
  // CHECK:         %[[POOL:.+]] = context.field %[[CTX]] threads
  // CHECK:         call @corellama_dispatch(%[[POOL]], %[[WORKER]], %[[EMBED]], %[[CTX]], %[[SCRATCH]], %[[NONE]], %[[N]])
  // CHECK:         scf.for %[[L:.+]] =
  // CHECK:           %[[THREADS:.+]] = context.field %[[CTX]] threads
  // CHECK:           call @corellama_barrier(%[[THREADS]], %[[WORKER]])
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
  // CHECK:             %[[N0:.+]] = func.call @qkv.decode.0.parts
  // CHECK:             %[[QKV0:.+]] = func.constant @qkv.decode.0
  // CHECK:             call @corellama_dispatch(%{{.+}}, %[[WORKER]], %[[QKV0]], %[[CTX]], %[[SCRATCH]], %[[LAYER]], %[[N0]])
  // CHECK:           arith.cmpi eq, %[[WHICH]]
  // CHECK:             %[[N1:.+]] = func.call @qkv.decode.1.parts
  // CHECK:             %[[QKV1:.+]] = func.constant @qkv.decode.1
  // CHECK:             call @corellama_dispatch(%{{.+}}, %[[WORKER]], %[[QKV1]], %[[CTX]], %[[SCRATCH]], %[[LAYER]], %[[N1]])
  llama.step @decode rows 1 {
    llama.dispatch @embed.decode
    %c0 = arith.constant 0 : index
    %c1 = arith.constant 1 : index
    %c4 = arith.constant 4 : index
    scf.for %l = %c0 to %c4 step %c1 {
      llama.barrier
      llama.dispatch [@qkv.decode.0, @qkv.decode.1] of [1, 0, 0, 1](%l)
    }
  }
  // CHECK-LABEL: func.func @corellama_step_prefill(
  // CHECK-NEXT:    return
  llama.step @prefill rows 8 {
  }
  // CHECK:       func.func private @corellama_dispatch(!llvm.ptr, i32, (!llvm.ptr, !llvm.ptr, i32, i32, i32, i32) -> (), !llvm.ptr, !llvm.ptr, i32, i64)
  // CHECK:       func.func private @corellama_barrier(!llvm.ptr, i32)
  // CHECK-NOT:   llama.model
  // CHECK-NOT:   llama.step
  llama.model @m steps [@decode, @prefill] lm_heads [@decode]
}
