// RUN: %opt %pass %s --split-input-file | FileCheck %s

// One layer function. Rows are carried in @x: written by the embedding and by
// the end of a layer, read by the next layer and by the head, in both forms. Its
// capacity is the prefill's 10 rows, rounded up to the largest row tile, 4.
module attributes {llama.config = #llama.config<dim = 32, heads = 1, kv_heads = 1, head_size = 32, hidden = 32, vocabulary = 64, layers = 3, context_length = 600>} {
  llama.weight @token_embd : 64x32 formats [#llama.f32] in [#llama.interleaved16<k = 1>]
  llama.weights @blk layers 3 {
    llama.weight @square : 32x32 formats [#llama.f32] in [#llama.interleaved16<k = 1>]
  }
  // CHECK:       llama.model @m steps [@decode, @prefill] lm_heads [@lm_head]
  llama.model @m entries [
    #llama.entry<name = "decode", rows = 1, embed = @embed.decode, layers = [@layer.decode], of = [0, 0, 0]>,
    #llama.entry<name = "prefill", rows = 10, embed = @embed.prefill, layers = [@layer.prefill], of = [0, 0, 0]>] lm_heads [@lm_head]

  // Blocks of keys: 600 / 256, rounded up.
  // CHECK:       llama.buffer @x : tensor<12x32xf32>{{$}}
  // CHECK:       llama.buffer @decode.qkv : tensor<1x32xf32>{{$}}
  // CHECK:       llama.buffer @decode.attn : tensor<1x1x3x34xf32>{{$}}
  // CHECK:       llama.buffer @prefill.qkv : tensor<12x32xf32>{{$}}
  // CHECK:       llama.buffer @logits : tensor<1x64xf32>{{$}}

  // CHECK:       llama.step @decode rows 1 {
  // CHECK:         llama.dispatch @embed.decode{{$}}
  // CHECK:         %[[FROM:.+]] = arith.constant 0 : index
  // CHECK:         %[[TO:.+]] = arith.constant 3 : index
  // CHECK:         scf.for %[[L:.+]] = %[[FROM]] to %[[TO]]
  // CHECK-NEXT:      llama.dispatch @qkv.decode(%[[L]])
  // CHECK-NEXT:      llama.dispatch @attn.decode(%[[L]])
  // CHECK-NEXT:      llama.dispatch @o.decode(%[[L]])
  // CHECK-NEXT:    }
  // CHECK-NEXT:  }
  // CHECK:       llama.step @prefill rows 10 {
  // CHECK:         llama.dispatch @embed.prefill{{$}}
  // CHECK:         scf.for
  // CHECK:       llama.step @lm_head rows 1 {
  // CHECK-NEXT:    llama.dispatch @lm_head.lm_head{{$}}
  // CHECK-NEXT:  }

  // CHECK-LABEL: func.func private @embed.decode()
  // CHECK-SAME:    llama.partition = #llama.partition<of = rows, by = 1>, llama.strategy = #cpu.strategy<unit = #cpu.fma, m = 1, n = 16>
  // CHECK:         llama.input ids : tensor<1xi32>
  // CHECK:         llama.buffer_write %{{.+}}, @x : tensor<1x32xf32>
  func.func private @embed.decode(%ids: tensor<1xi32>) -> tensor<1x32xf32> {
    %x = llama.kernel "embed" (%i = %ids : tensor<1xi32>) -> tensor<1x32xf32> strategy #cpu.strategy<unit = #cpu.fma, m = 1, n = 16> partition <of = rows, by = 1> {
      %w = llama.weight_ref @token_embd : !llama.weight<64x32, #llama.f32>
      %y = llama.embed %i, %w : tensor<1xi32>, !llama.weight<64x32, #llama.f32> -> tensor<1x32xf32>
      llama.yield %y : tensor<1x32xf32>
    }
    return %x : tensor<1x32xf32>
  }
  // CHECK-LABEL: func.func private @qkv.decode(
  // CHECK-SAME:    %[[L:.+]]: index) attributes {{.*}}llama.reads = [@blk::@square]
  // CHECK-NOT:     reads_cache
  // CHECK:         %[[X:.+]] = llama.buffer_read @x : tensor<1x32xf32>
  // CHECK:         %[[POS:.+]] = llama.input positions : tensor<1xi32>
  // CHECK:         %[[KV:.+]] = llama.input cache : !llama.cache<3x1x32, f16>
  // CHECK:         llama.weight_ref @blk::@square[%[[L]]]
  // CHECK:         %[[Q:.+]] = llama.linear %[[X]],
  // CHECK:         llama.kv_append %[[KV]][%[[L]]], %[[Q]], %[[Q]] at %[[POS]]
  // CHECK:         llama.buffer_write %[[Q]], @decode.qkv : tensor<1x32xf32>
  // CHECK-NEXT:    return
  // CHECK-LABEL: func.func private @attn.decode(
  // CHECK-NOT:     reads =
  // CHECK-SAME:    llama.reads_cache
  // CHECK:         llama.buffer_read @decode.qkv
  // CHECK:         llama.buffer_write %{{.+}}, @decode.attn : tensor<1x1x?x34xf32>
  // CHECK-LABEL: func.func private @o.decode(
  // CHECK:         llama.buffer_read @decode.attn
  // CHECK:         llama.buffer_write %{{.+}}, @x
  func.func private @layer.decode(%x: tensor<1x32xf32>, %pos: tensor<1xi32>, %kv: !llama.cache<3x1x32, f16>, %l: index) -> tensor<1x32xf32> {
    %q = llama.kernel "qkv" (%ix = %x : tensor<1x32xf32>, %ip = %pos : tensor<1xi32>, %ikv = %kv : !llama.cache<3x1x32, f16>, %il = %l : index) -> tensor<1x32xf32> strategy #cpu.strategy<unit = #cpu.fma, m = 1, n = 16> partition <rows = [32], by = 32> {
      %w = llama.weight_ref @blk::@square[%il] : !llama.weight<32x32, #llama.f32>
      %y = llama.linear %ix, %w : tensor<1x32xf32>, !llama.weight<32x32, #llama.f32> -> tensor<1x32xf32>
      llama.kv_append %ikv[%il], %y, %y at %ip : !llama.cache<3x1x32, f16>, tensor<1x32xf32>, tensor<1x32xf32>, tensor<1xi32>
      llama.yield %y : tensor<1x32xf32>
    }
    %p = llama.kernel "attn" (%iq = %q : tensor<1x32xf32>, %ikv = %kv : !llama.cache<3x1x32, f16>, %ip = %pos : tensor<1xi32>, %il = %l : index) -> tensor<1x1x?x34xf32> strategy #cpu.strategy<unit = #cpu.fma, m = 1, n = 16> partition <of = keys, by = 256> {
      %y = llama.attention_part %iq, %ikv[%il], %ip causal heads 1 keys 256 : tensor<1x32xf32>, !llama.cache<3x1x32, f16>, tensor<1xi32> -> tensor<1x1x?x34xf32>
      llama.yield %y : tensor<1x1x?x34xf32>
    }
    %o = llama.kernel "o" (%ip = %p : tensor<1x1x?x34xf32>, %il = %l : index) -> tensor<1x32xf32> strategy #cpu.strategy<unit = #cpu.fma, m = 1, n = 16> partition <rows = [32], by = 32> {
      %a = llama.attention_merge %ip heads 1 : tensor<1x1x?x34xf32> -> tensor<1x32xf32>
      %w = llama.weight_ref @blk::@square[%il] : !llama.weight<32x32, #llama.f32>
      %y = llama.linear %a, %w : tensor<1x32xf32>, !llama.weight<32x32, #llama.f32> -> tensor<1x32xf32>
      llama.yield %y : tensor<1x32xf32>
    }
    return %o : tensor<1x32xf32>
  }
  func.func private @embed.prefill(%ids: tensor<?xi32>) -> tensor<?x32xf32> {
    %x = llama.kernel "embed" (%i = %ids : tensor<?xi32>) -> tensor<?x32xf32> strategy #cpu.strategy<unit = #cpu.fma, m = 1, n = 16> partition <of = rows, by = 1> {
      %w = llama.weight_ref @token_embd : !llama.weight<64x32, #llama.f32>
      %y = llama.embed %i, %w : tensor<?xi32>, !llama.weight<64x32, #llama.f32> -> tensor<?x32xf32>
      llama.yield %y : tensor<?x32xf32>
    }
    return %x : tensor<?x32xf32>
  }
  // CHECK-LABEL: func.func private @qkv.prefill(
  // CHECK-SAME:    llama.strategy = #cpu.strategy<unit = #cpu.fma, m = 4, n = 16>
  // CHECK:         llama.buffer_write %{{.+}}, @prefill.qkv : tensor<?x32xf32>
  // CHECK-LABEL: func.func private @o.prefill(
  // CHECK:         llama.buffer_write %{{.+}}, @x : tensor<?x32xf32>
  func.func private @layer.prefill(%x: tensor<?x32xf32>, %pos: tensor<?xi32>, %kv: !llama.cache<3x1x32, f16>, %l: index) -> tensor<?x32xf32> {
    %q = llama.kernel "qkv" (%ix = %x : tensor<?x32xf32>, %il = %l : index) -> tensor<?x32xf32> strategy #cpu.strategy<unit = #cpu.fma, m = 4, n = 16> partition <rows = [32], by = 32> {
      %w = llama.weight_ref @blk::@square[%il] : !llama.weight<32x32, #llama.f32>
      %y = llama.linear %ix, %w : tensor<?x32xf32>, !llama.weight<32x32, #llama.f32> -> tensor<?x32xf32>
      llama.yield %y : tensor<?x32xf32>
    }
    %o = llama.kernel "o" (%iq = %q : tensor<?x32xf32>, %il = %l : index) -> tensor<?x32xf32> strategy #cpu.strategy<unit = #cpu.fma, m = 4, n = 16> partition <rows = [32], by = 32> {
      %w = llama.weight_ref @blk::@square[%il] : !llama.weight<32x32, #llama.f32>
      %y = llama.linear %iq, %w : tensor<?x32xf32>, !llama.weight<32x32, #llama.f32> -> tensor<?x32xf32>
      llama.yield %y : tensor<?x32xf32>
    }
    return %o : tensor<?x32xf32>
  }
  // The LM head reads the row that the runtime asks for.
  // CHECK-LABEL: func.func private @lm_head.lm_head()
  // CHECK:         %[[ROW:.+]] = llama.input wanted : tensor<1xi32>
  // CHECK:         llama.buffer_read @x[%[[ROW]] : tensor<1xi32>] : tensor<1x32xf32>
  // CHECK:         llama.buffer_write %{{.+}}, @logits : tensor<1x64xf32>
  func.func private @lm_head(%x: tensor<1x32xf32>) -> tensor<1x64xf32> {
    %y = llama.kernel "lm_head" (%ix = %x : tensor<1x32xf32>) -> tensor<1x64xf32> strategy #cpu.strategy<unit = #cpu.fma, m = 1, n = 16> partition <rows = [64], by = 32> {
      %w = llama.weight_ref @token_embd : !llama.weight<64x32, #llama.f32>
      %z = llama.linear %ix, %w : tensor<1x32xf32>, !llama.weight<64x32, #llama.f32> -> tensor<1x64xf32>
      llama.yield %z : tensor<1x64xf32>
    }
    return %y : tensor<1x64xf32>
  }
  // The functions of the graph are gone.
  // CHECK-NOT:   func.func private @layer
}

// -----

// Signatures alternate irregularly: one loop, kernels shared wherever their own
// weights agree, a table where they do not.
// CHECK-LABEL: llama.model @alternating
// CHECK:       llama.step @decode rows 1 {
// CHECK:         scf.for %[[L:.+]] = %{{.+}} to %{{.+}} step
// CHECK-NEXT:      llama.dispatch [@a.decode.0, @a.decode.1] of [1, 0, 0, 1](%[[L]])
// CHECK-NEXT:      llama.dispatch @b.decode(%[[L]])
// CHECK-NEXT:    }
// CHECK-NOT:     scf.for
// CHECK:       llama.step @lm_head
// CHECK:       func.func private @a.decode.0(
// CHECK:         #llama.q4_0
// CHECK:       func.func private @b.decode(
// CHECK:       func.func private @a.decode.1(
// CHECK:         #llama.q8_0
// CHECK-NOT:   func.func private @b
// CHECK:       func.func private @lm_head.lm_head
llama.model @alternating entries [#llama.entry<name = "decode", rows = 1, embed = @embed, layers = [@layer.0, @layer.1], of = [1, 0, 0, 1]>] lm_heads [@lm_head]
llama.weight @token_embd : 64x32 formats [#llama.f32]
llama.weights @blk layers 4 {
  llama.weight @a : 32x32 formats [#llama.q8_0, #llama.q4_0] of [0, 1, 1, 0]
  llama.weight @b : 32x32 formats [#llama.q4_0]
}
func.func private @embed(%ids: tensor<1xi32>) -> tensor<1x32xf32> {
  %x = llama.kernel "embed" (%i = %ids : tensor<1xi32>) -> tensor<1x32xf32> strategy #cpu.strategy<unit = #cpu.fma, m = 1, n = 16> partition <of = rows, by = 1> {
    %w = llama.weight_ref @token_embd : !llama.weight<64x32, #llama.f32>
    %y = llama.embed %i, %w : tensor<1xi32>, !llama.weight<64x32, #llama.f32> -> tensor<1x32xf32>
    llama.yield %y : tensor<1x32xf32>
  }
  return %x : tensor<1x32xf32>
}
func.func private @layer.0(%x: tensor<1x32xf32>, %l: index) -> tensor<1x32xf32> {
  %a = llama.kernel "a" (%ix = %x : tensor<1x32xf32>, %il = %l : index) -> tensor<1x32xf32> strategy #cpu.strategy<unit = #cpu.fma, m = 1, n = 16> partition <rows = [32], by = 32> {
    %w = llama.weight_ref @blk::@a[%il] : !llama.weight<32x32, #llama.q4_0>
    %y = llama.linear %ix, %w : tensor<1x32xf32>, !llama.weight<32x32, #llama.q4_0> -> tensor<1x32xf32>
    llama.yield %y : tensor<1x32xf32>
  }
  %b = llama.kernel "b" (%ix = %a : tensor<1x32xf32>, %il = %l : index) -> tensor<1x32xf32> strategy #cpu.strategy<unit = #cpu.fma, m = 1, n = 16> partition <rows = [32], by = 32> {
    %w = llama.weight_ref @blk::@b[%il] : !llama.weight<32x32, #llama.q4_0>
    %y = llama.linear %ix, %w : tensor<1x32xf32>, !llama.weight<32x32, #llama.q4_0> -> tensor<1x32xf32>
    llama.yield %y : tensor<1x32xf32>
  }
  return %b : tensor<1x32xf32>
}
func.func private @layer.1(%x: tensor<1x32xf32>, %l: index) -> tensor<1x32xf32> {
  %a = llama.kernel "a" (%ix = %x : tensor<1x32xf32>, %il = %l : index) -> tensor<1x32xf32> strategy #cpu.strategy<unit = #cpu.fma, m = 1, n = 16> partition <rows = [32], by = 32> {
    %w = llama.weight_ref @blk::@a[%il] : !llama.weight<32x32, #llama.q8_0>
    %y = llama.linear %ix, %w : tensor<1x32xf32>, !llama.weight<32x32, #llama.q8_0> -> tensor<1x32xf32>
    llama.yield %y : tensor<1x32xf32>
  }
  %b = llama.kernel "b" (%ix = %a : tensor<1x32xf32>, %il = %l : index) -> tensor<1x32xf32> strategy #cpu.strategy<unit = #cpu.fma, m = 1, n = 16> partition <rows = [32], by = 32> {
    %w = llama.weight_ref @blk::@b[%il] : !llama.weight<32x32, #llama.q4_0>
    %y = llama.linear %ix, %w : tensor<1x32xf32>, !llama.weight<32x32, #llama.q4_0> -> tensor<1x32xf32>
    llama.yield %y : tensor<1x32xf32>
  }
  return %b : tensor<1x32xf32>
}
func.func private @lm_head(%x: tensor<1x32xf32>) -> tensor<1x64xf32> {
  %y = llama.kernel "lm_head" (%ix = %x : tensor<1x32xf32>) -> tensor<1x64xf32> strategy #cpu.strategy<unit = #cpu.fma, m = 1, n = 16> partition <rows = [64], by = 32> {
    %w = llama.weight_ref @token_embd : !llama.weight<64x32, #llama.f32>
    %z = llama.linear %ix, %w : tensor<1x32xf32>, !llama.weight<64x32, #llama.f32> -> tensor<1x64xf32>
    llama.yield %z : tensor<1x64xf32>
  }
  return %y : tensor<1x64xf32>
}

// -----

// A layer with a kernel more than its neighbours: no table could say so, a loop
// behind the other does. Equal kernels are still one function.
// CHECK-LABEL: llama.model @one_kernel_more
// CHECK:       llama.step @decode rows 1 {
// CHECK:         %[[C0:.+]] = arith.constant 0 : index
// CHECK:         %[[C2:.+]] = arith.constant 2 : index
// CHECK:         scf.for %[[L:.+]] = %[[C0]] to %[[C2]]
// CHECK-NEXT:      llama.dispatch @a.decode(%[[L]])
// CHECK-NEXT:      llama.dispatch @silu.decode{{$}}
// CHECK-NEXT:    }
// CHECK:         %[[B2:.+]] = arith.constant 2 : index
// CHECK:         %[[C3:.+]] = arith.constant 3 : index
// CHECK:         scf.for %[[M:.+]] = %[[B2]] to %[[C3]]
// CHECK-NEXT:      llama.dispatch @b.decode(%[[M]])
// CHECK-NEXT:      llama.dispatch @a.decode(%[[M]])
// CHECK-NEXT:      llama.dispatch @silu.decode{{$}}
// CHECK-NEXT:    }
llama.model @one_kernel_more entries [#llama.entry<name = "decode", rows = 1, embed = @embed, layers = [@layer.0, @layer.1], of = [0, 0, 1]>] lm_heads [@lm_head]
llama.weight @token_embd : 64x32 formats [#llama.f32]
llama.weights @blk layers 3 {
  llama.weight @a : 32x32 formats [#llama.q4_0]
}
func.func private @embed(%ids: tensor<1xi32>) -> tensor<1x32xf32> {
  %x = llama.kernel "embed" (%i = %ids : tensor<1xi32>) -> tensor<1x32xf32> strategy #cpu.strategy<unit = #cpu.fma, m = 1, n = 16> partition <of = rows, by = 1> {
    %w = llama.weight_ref @token_embd : !llama.weight<64x32, #llama.f32>
    %y = llama.embed %i, %w : tensor<1xi32>, !llama.weight<64x32, #llama.f32> -> tensor<1x32xf32>
    llama.yield %y : tensor<1x32xf32>
  }
  return %x : tensor<1x32xf32>
}
func.func private @layer.0(%x: tensor<1x32xf32>, %l: index) -> tensor<1x32xf32> {
  %a = llama.kernel "a" (%ix = %x : tensor<1x32xf32>, %il = %l : index) -> tensor<1x32xf32> strategy #cpu.strategy<unit = #cpu.fma, m = 1, n = 16> partition <rows = [32], by = 32> {
    %w = llama.weight_ref @blk::@a[%il] : !llama.weight<32x32, #llama.q4_0>
    %y = llama.linear %ix, %w : tensor<1x32xf32>, !llama.weight<32x32, #llama.q4_0> -> tensor<1x32xf32>
    llama.yield %y : tensor<1x32xf32>
  }
  %s = llama.kernel "silu" (%ix = %a : tensor<1x32xf32>) -> tensor<1x32xf32> strategy #cpu.strategy<unit = #cpu.fma, m = 1, n = 16> partition <of = rows, by = 1> {
    %y = llama.silu %ix : tensor<1x32xf32>
    llama.yield %y : tensor<1x32xf32>
  }
  return %s : tensor<1x32xf32>
}
func.func private @layer.1(%x: tensor<1x32xf32>, %l: index) -> tensor<1x32xf32> {
  %b = llama.kernel "b" (%ix = %x : tensor<1x32xf32>, %il = %l : index) -> tensor<1x32xf32> strategy #cpu.strategy<unit = #cpu.fma, m = 1, n = 16> partition <rows = [32], by = 32> {
    %w = llama.weight_ref @blk::@a[%il] : !llama.weight<32x32, #llama.q4_0>
    %y = llama.linear %ix, %w : tensor<1x32xf32>, !llama.weight<32x32, #llama.q4_0> -> tensor<1x32xf32>
    llama.yield %y : tensor<1x32xf32>
  }
  %a = llama.kernel "a" (%ix = %x : tensor<1x32xf32>, %il = %l : index) -> tensor<1x32xf32> strategy #cpu.strategy<unit = #cpu.fma, m = 1, n = 16> partition <rows = [32], by = 32> {
    %w = llama.weight_ref @blk::@a[%il] : !llama.weight<32x32, #llama.q4_0>
    %y = llama.linear %ix, %w : tensor<1x32xf32>, !llama.weight<32x32, #llama.q4_0> -> tensor<1x32xf32>
    llama.yield %y : tensor<1x32xf32>
  }
  %s = llama.kernel "silu" (%ix = %a : tensor<1x32xf32>) -> tensor<1x32xf32> strategy #cpu.strategy<unit = #cpu.fma, m = 1, n = 16> partition <of = rows, by = 1> {
    %y = llama.silu %ix : tensor<1x32xf32>
    llama.yield %y : tensor<1x32xf32>
  }
  return %s : tensor<1x32xf32>
}
func.func private @lm_head(%x: tensor<1x32xf32>) -> tensor<1x64xf32> {
  %y = llama.kernel "lm_head" (%ix = %x : tensor<1x32xf32>) -> tensor<1x64xf32> strategy #cpu.strategy<unit = #cpu.fma, m = 1, n = 16> partition <rows = [64], by = 32> {
    %w = llama.weight_ref @token_embd : !llama.weight<64x32, #llama.f32>
    %z = llama.linear %ix, %w : tensor<1x32xf32>, !llama.weight<64x32, #llama.f32> -> tensor<1x64xf32>
    llama.yield %z : tensor<1x64xf32>
  }
  return %y : tensor<1x64xf32>
}
