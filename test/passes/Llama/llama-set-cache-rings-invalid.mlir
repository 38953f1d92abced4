// RUN: %opt %pass %s --split-input-file --verify-diagnostics

// How many rows a call has decides the size of a ring.
module attributes {llama.config = #llama.config<dim = 32, heads = 2, kv_heads = 1, head_size = 16, hidden = 48, vocabulary = 64, layers = 1, context_length = 8192>} {
  // expected-error @below {{'llama.model' op has no forms of known rows in a module with llama.config; run llama-specialize-forms first}}
  llama.model @m entries [#llama.entry<name = "import", rows = 0, embed = @f, layers = [@f], of = [0]>] lm_heads [@f]
  func.func private @f()
}

// -----

// expected-error @below {{'llama.model' op has no forms of known rows in a module with llama.config; run llama-specialize-forms first}}
llama.model @m entries [#llama.entry<name = "decode", rows = 1, embed = @f, layers = [@f], of = [0]>] lm_heads [@f]
func.func private @f()
