// RUN: %opt %pass %s --split-input-file --verify-diagnostics
// RUN: echo 'module {}' | not %opt %pass{rows=4,2} - 2>&1 | FileCheck %s --check-prefix=DOWN
// RUN: echo 'module {}' | not %opt %pass{rows=1,4,4} - 2>&1 | FileCheck %s --check-prefix=TWICE
// RUN: echo 'module {}' | not %opt %pass{rows=0,4} - 2>&1 | FileCheck %s --check-prefix=NONE
// RUN: echo 'module {}' | not %opt %pass{rows=1,2147483648} - 2>&1 | FileCheck %s --check-prefix=LARGE
// RUN: echo 'module attributes {llama.options = {rows = array<i64: 8, 1>}} {}' | not %opt %pass - 2>&1 | FileCheck %s --check-prefix=CARRIED

// DOWN: error: rows are 4, 2; expected ascending numbers from 1 to 2147483647
// TWICE: error: rows are 1, 4, 4; expected ascending numbers from 1 to 2147483647
// NONE: error: rows are 0, 4; expected ascending numbers from 1 to 2147483647
// LARGE: error: rows are 1, 2147483648; expected ascending numbers from 1 to 2147483647
// CARRIED: error: rows are 8, 1; expected ascending numbers from 1 to 2147483647

// expected-error @below {{the module has 0 llama.model, expected one; import makes it}}
module {
}

// -----

// Forms are made once.
// expected-error @below {{'llama.model' op entry 'decode' has 1 rows, expected 0 (any number), as import leaves it}}
llama.model @m entries [#llama.entry<name = "decode", rows = 1, embed = @f, layers = [@f], of = [0]>] lm_heads [@f]
func.func private @f(%x: tensor<1x32xf32>) -> tensor<1x32xf32> {
  return %x : tensor<1x32xf32>
}

// -----

// expected-error @below {{'llama.model' op has no single entry: forms are made once, from the entry that import leaves}}
llama.model @m steps [@s] lm_heads [@s]
llama.step @s rows 1 {
}

// -----

llama.model @m entries [#llama.entry<name = "import", rows = 0, embed = @embed, layers = [], of = []>] lm_heads [@lm_head]
// expected-error @below {{'func.func' op takes 'tensor<4xi32>', expected an open number of rows, as import leaves it}}
func.func private @embed(%ids: tensor<4xi32>) -> tensor<4xi32> {
  return %ids : tensor<4xi32>
}
func.func private @lm_head(%x: tensor<?x32xf32>) -> tensor<?x32xf32> {
  return %x : tensor<?x32xf32>
}

// -----

llama.model @m entries [#llama.entry<name = "import", rows = 0, embed = @embed, layers = [], of = []>] lm_heads [@lm_head]
// expected-error @below {{'func.func' op has no body to make forms from}}
func.func private @embed(%ids: tensor<?xi32>) -> tensor<?x32xf32>
func.func private @lm_head(%x: tensor<?x32xf32>) -> tensor<?x32xf32> {
  return %x : tensor<?x32xf32>
}

// -----

llama.model @m entries [#llama.entry<name = "import", rows = 0, embed = @f, layers = [], of = []>] lm_heads [@f]
// expected-error @below {{'func.func' op is the LM head and another function of the entry as well}}
func.func private @f(%x: tensor<?x32xf32>) -> tensor<?x32xf32> {
  return %x : tensor<?x32xf32>
}

// -----

// expected-error @below {{'llama.model' op has 2 LM heads, expected one, as import leaves it}}
llama.model @m entries [#llama.entry<name = "import", rows = 0, embed = @f, layers = [], of = []>] lm_heads [@g, @g]
func.func private @f(%x: tensor<?x32xf32>) -> tensor<?x32xf32> {
  return %x : tensor<?x32xf32>
}
func.func private @g(%x: tensor<?x32xf32>) -> tensor<?x32xf32> {
  return %x : tensor<?x32xf32>
}
