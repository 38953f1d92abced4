// RUN: %opt %pass %s --split-input-file --verify-diagnostics

// expected-error @below {{the module has 0 llama.model, expected one; import makes it}}
module {
}

// -----

// Forms are made once.
// expected-error @below {{'llama.model' op entry 'decode' has 1 rows, expected 0 (any number), as import leaves it}}
llama.model @m entries [#llama.entry<name = "decode", rows = 1, embed = @f, layers = [@f], of = [0], lm_head = @f>]
func.func private @f(%x: tensor<1x32xf32>) -> tensor<1x32xf32> {
  return %x : tensor<1x32xf32>
}

// -----

// expected-error @below {{'llama.model' op has no single entry: forms are made once, from the entry that import leaves}}
llama.model @m steps [@s]
llama.step @s rows 1 {
}

// -----

llama.model @m entries [#llama.entry<name = "import", rows = 0, embed = @embed, layers = [], of = [], lm_head = @lm_head>]
// expected-error @below {{'func.func' op takes 'tensor<4xi32>', expected an open number of rows, as import leaves it}}
func.func private @embed(%ids: tensor<4xi32>) -> tensor<4xi32> {
  return %ids : tensor<4xi32>
}
func.func private @lm_head(%x: tensor<?x32xf32>) -> tensor<?x32xf32> {
  return %x : tensor<?x32xf32>
}

// -----

llama.model @m entries [#llama.entry<name = "import", rows = 0, embed = @embed, layers = [], of = [], lm_head = @lm_head>]
// expected-error @below {{'func.func' op has no body to make decode and prefill from}}
func.func private @embed(%ids: tensor<?xi32>) -> tensor<?x32xf32>
func.func private @lm_head(%x: tensor<?x32xf32>) -> tensor<?x32xf32> {
  return %x : tensor<?x32xf32>
}

// -----

llama.model @m entries [#llama.entry<name = "import", rows = 0, embed = @f, layers = [], of = [], lm_head = @f>]
// expected-error @below {{'func.func' op is the head and another function of the entry as well}}
func.func private @f(%x: tensor<?x32xf32>) -> tensor<?x32xf32> {
  return %x : tensor<?x32xf32>
}
