// RUN: %opt %pass %s --split-input-file --verify-diagnostics

// expected-error @below {{the module has 0 llama.model, expected one; import makes it}}
module {
}

// -----

// expected-error @below {{'llama.model' op entry 'import' has 0 rows, expected at least one; run llama-specialize-forms first}}
llama.model @m entries [#llama.entry<name = "import", rows = 0, embed = @f, layers = [], of = []>] lm_heads [@f]
func.func private @f(%ids: tensor<?xi32>) -> tensor<?xi32> {
  return %ids : tensor<?xi32>
}

// -----

llama.model @m entries [#llama.entry<name = "decode", rows = 1, embed = @f, layers = [], of = []>] lm_heads [@f]
func.func private @f(%x: tensor<1x32xf32>) -> tensor<1x32xf32> {
  // expected-error @below {{'llama.silu' op stands outside of kernels; run llama-fuse-kernels first}}
  %y = llama.silu %x : tensor<1x32xf32>
  return %y : tensor<1x32xf32>
}

// -----

llama.model @m entries [#llama.entry<name = "decode", rows = 1, embed = @f, layers = [], of = []>] lm_heads [@f]
func.func private @f(%x: tensor<1x32xf32>) -> tensor<1x32xf32> {
  // expected-error @below {{'llama.kernel' op "silu" has no strategy and partition; run llama-plan-kernels first}}
  %y = llama.kernel "silu" (%ix = %x : tensor<1x32xf32>) -> tensor<1x32xf32> {
    %s = llama.silu %ix : tensor<1x32xf32>
    llama.yield %s : tensor<1x32xf32>
  }
  return %y : tensor<1x32xf32>
}

// -----

llama.model @m entries [#llama.entry<name = "decode", rows = 1, embed = @f, layers = [], of = []>] lm_heads [@f]
// expected-error @below {{'func.func' op takes 'tensor<1x32xf32>'; only layers and the LM head take rows, and one tensor}}
func.func private @f(%x: tensor<1x32xf32>) -> tensor<1x32xf32> {
  %y = llama.kernel "silu" (%ix = %x : tensor<1x32xf32>) -> tensor<1x32xf32> strategy #cpu.strategy<unit = #cpu.fma, m = 1, n = 16> partition <of = rows, by = 1> {
    %s = llama.silu %ix : tensor<1x32xf32>
    llama.yield %s : tensor<1x32xf32>
  }
  return %y : tensor<1x32xf32>
}

// -----

// A layer of one kernel would write the rows over those that its other parts
// still read.
llama.model @m entries [#llama.entry<name = "decode", rows = 1, embed = @embed, layers = [@layer], of = [0]>] lm_heads [@layer]
func.func private @embed(%ids: tensor<1xi32>) -> tensor<1x32xf32> {
  %x = llama.kernel "embed" (%i = %ids : tensor<1xi32>) -> tensor<1x32xf32> strategy #cpu.strategy<unit = #cpu.fma, m = 1, n = 16> partition <of = rows, by = 1> {
    %w = llama.weight_ref @token_embd : !llama.weight<64x32, #llama.f32>
    %y = llama.embed %i, %w : tensor<1xi32>, !llama.weight<64x32, #llama.f32> -> tensor<1x32xf32>
    llama.yield %y : tensor<1x32xf32>
  }
  return %x : tensor<1x32xf32>
}
llama.weight @token_embd : 64x32 formats [#llama.f32]
func.func private @layer(%x: tensor<1x32xf32>) -> tensor<1x32xf32> {
  // expected-error @below {{'llama.kernel' op "silu" would write buffer @x, which it reads; no part may overwrite what another reads}}
  %y = llama.kernel "silu" (%ix = %x : tensor<1x32xf32>) -> tensor<1x32xf32> strategy #cpu.strategy<unit = #cpu.fma, m = 1, n = 16> partition <of = rows, by = 1> {
    %s = llama.silu %ix : tensor<1x32xf32>
    llama.yield %s : tensor<1x32xf32>
  }
  return %y : tensor<1x32xf32>
}

// -----

llama.model @m entries [#llama.entry<name = "decode", rows = 1, embed = @embed, layers = [], of = []>] lm_heads [@embed]
func.func private @embed(%w: !llama.weight<32x32, #llama.f32>, %ids: tensor<1xi32>) -> tensor<1x32xf32> {
  // expected-error @below {{'llama.kernel' op "embed" takes a '!llama.weight<32x32, #llama.f32>' that neither a kernel nor the runtime provides}}
  %x = llama.kernel "embed" (%i = %ids : tensor<1xi32>, %iw = %w : !llama.weight<32x32, #llama.f32>) -> tensor<1x32xf32> strategy #cpu.strategy<unit = #cpu.fma, m = 1, n = 16> partition <of = rows, by = 1> {
    %y = llama.embed %i, %iw : tensor<1xi32>, !llama.weight<32x32, #llama.f32> -> tensor<1x32xf32>
    llama.yield %y : tensor<1x32xf32>
  }
  return %x : tensor<1x32xf32>
}

// -----

// Without the context's length there is no telling how many blocks of keys.
// expected-error @below {{the module has no llama.config; without its context length there is no telling how many blocks of keys attention has}}
module {
  llama.model @m entries [#llama.entry<name = "decode", rows = 1, embed = @f, layers = [], of = []>] lm_heads [@f]
  func.func private @f(%ids: tensor<1xi32>, %q: tensor<1x1x?x34xf32>, %kv: !llama.cache<3x1x32, f16>, %l: index) -> tensor<1x1x?x34xf32> {
    %p = llama.kernel "attn" (%ip = %ids : tensor<1xi32>, %ikv = %kv : !llama.cache<3x1x32, f16>, %il = %l : index) -> tensor<1x1x?x34xf32> strategy #cpu.strategy<unit = #cpu.fma, m = 1, n = 16> partition <of = keys, by = 256> {
      %w = llama.weight_ref @token_embd : !llama.weight<64x32, #llama.f32>
      %x = llama.embed %ip, %w : tensor<1xi32>, !llama.weight<64x32, #llama.f32> -> tensor<1x32xf32>
      %y = llama.attention_part %x, %ikv[%il], %ip causal heads 1 keys 256 : tensor<1x32xf32>, !llama.cache<3x1x32, f16>, tensor<1xi32> -> tensor<1x1x?x34xf32>
      llama.yield %y : tensor<1x1x?x34xf32>
    }
    return %p : tensor<1x1x?x34xf32>
  }
  llama.weight @token_embd : 64x32 formats [#llama.f32]
}

// -----

llama.model @m entries [#llama.entry<name = "decode", rows = 1, embed = @embed, layers = [], of = []>] lm_heads [@head]
func.func private @embed(%ids: tensor<1xi32>) -> tensor<1x32xf32> {
  %x = llama.kernel "embed" (%i = %ids : tensor<1xi32>) -> tensor<1x32xf32> strategy #cpu.strategy<unit = #cpu.fma, m = 1, n = 16> partition <of = rows, by = 1> {
    %w = llama.weight_ref @token_embd : !llama.weight<64x32, #llama.f32>
    %y = llama.embed %i, %w : tensor<1xi32>, !llama.weight<64x32, #llama.f32> -> tensor<1x32xf32>
    llama.yield %y : tensor<1x32xf32>
  }
  return %x : tensor<1x32xf32>
}
llama.weight @token_embd : 64x32 formats [#llama.f32]
// expected-error @below {{'func.func' op is an LM head of any number of rows, expected a bound; run llama-specialize-forms first}}
func.func private @head(%x: tensor<?x32xf32>) -> tensor<?x32xf32> {
  return %x : tensor<?x32xf32>
}
