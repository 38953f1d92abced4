// Every labelled constraint of kernels, buffers and steps, broken once; functions
// are named as in ops-invalid.mlir.
//
// RUN: %opt %s --split-input-file --verify-diagnostics

func.func @kernel_a1(%x: tensor<1x32xf32>) {
  // expected-error @+1 {{'llama.kernel' op "four" has 4 results, a kernel has at most three}}
  %0:4 = llama.kernel "four" (%a = %x : tensor<1x32xf32>) -> (tensor<1x32xf32>, tensor<1x32xf32>, tensor<1x32xf32>, tensor<1x32xf32>) {
    llama.yield %a, %a, %a, %a : tensor<1x32xf32>, tensor<1x32xf32>, tensor<1x32xf32>, tensor<1x32xf32>
  }
  return
}

// -----

func.func @kernel_a2(%x: tensor<1x32xf32>) {
  // expected-error @+1 {{'llama.kernel' op "norm" ends in a llama.yield of its result types}}
  %0 = llama.kernel "norm" (%a = %x : tensor<1x32xf32>) -> tensor<1x32xf32> {
    llama.yield
  }
  return
}

// -----

func.func @kernel_a2_terminator() {
  // expected-error @+1 {{'llama.kernel' op "norm" ends in a llama.yield of its result types}}
  llama.kernel "norm" () {
    func.return
  }
  return
}

// -----

func.func @kernel_a2_empty() {
  // expected-error @+1 {{'llama.kernel' op expects a non-empty block}}
  "llama.kernel"() ({
  ^bb0:
  }) {name = "norm"} : () -> ()
  return
}

// -----

func.func @kernel_inputs(%x: tensor<1x32xf32>) {
  // expected-error @+1 {{'llama.kernel' op "norm": its inputs and what its body takes differ}}
  "llama.kernel"(%x) ({
  ^bb0(%a: tensor<2x32xf32>):
    llama.yield
  }) {name = "norm"} : (tensor<1x32xf32>) -> ()
  return
}

// -----

func.func @kernel_isolated(%x: tensor<1x32xf32>) {
  // expected-note @+1 {{required by region isolation constraints}}
  %0 = llama.kernel "norm" () -> tensor<1x32xf32> {
    // expected-error @+1 {{'llama.add' op using value defined outside the region}}
    %s = llama.add %x, %x : tensor<1x32xf32>
    llama.yield %s : tensor<1x32xf32>
  }
  return
}

// -----

// expected-error @+1 {{'llama.buffer' op the type of a buffer is its capacity, all extents known, found 'tensor<?x32xf32>'}}
llama.buffer @buffer_a1 : tensor<?x32xf32>

// -----

// expected-error @+1 {{'llama.buffer' op attribute 'at' failed to satisfy constraint: 64-bit signless integer attribute whose value is non-negative}}
llama.buffer @buffer_a2 : tensor<1x32xf32> at -64

// -----

func.func @buffer_read_a1() {
  // expected-error @+1 {{'llama.buffer_read' op @missing is not a buffer of this module}}
  %x = llama.buffer_read @missing : tensor<1x32xf32>
  return
}

// -----

llama.buffer @x : tensor<8x32xf32>
func.func @buffer_read_a1_columns() {
  // expected-error @+1 {{'llama.buffer_read' op buffer @x of type 'tensor<8x32xf32>' does not hold a 'tensor<8x48xf32>'}}
  %x = llama.buffer_read @x : tensor<8x48xf32>
  return
}

// -----

llama.buffer @x : tensor<8x32xf32>
func.func @buffer_read_a1_element() {
  // expected-error @+1 {{'llama.buffer_read' op buffer @x of type 'tensor<8x32xf32>' does not hold a 'tensor<8x32x!llama.q8b32>'}}
  %x = llama.buffer_read @x : tensor<8x32x!llama.q8b32>
  return
}

// -----

llama.buffer @x : tensor<8x32xf32>
func.func @buffer_read_a1_capacity() {
  // expected-error @+1 {{'llama.buffer_read' op buffer @x of type 'tensor<8x32xf32>' does not hold a 'tensor<9x32xf32>'}}
  %x = llama.buffer_read @x : tensor<9x32xf32>
  return
}

// -----

llama.buffer @x : tensor<8x32xf32>
func.func @buffer_read_a1_bound() attributes {llama.rows = 9} {
  // expected-error @+1 {{'llama.buffer_read' op buffer @x of type 'tensor<8x32xf32>' has no room for 9 rows}}
  %x = llama.buffer_read @x : tensor<?x32xf32>
  return
}

// -----

llama.buffer @x : tensor<8x32xf32>
func.func @buffer_write_a1_bound(%x: tensor<?x32xf32>) attributes {llama.rows = 9} {
  // expected-error @+1 {{'llama.buffer_write' op buffer @x of type 'tensor<8x32xf32>' has no room for 9 rows}}
  llama.buffer_write %x, @x : tensor<?x32xf32>
  return
}

// -----

llama.buffer @x : tensor<8x32xf32>
func.func @buffer_read_a2(%r: tensor<1xi32>) {
  // expected-error @+1 {{'llama.buffer_read' op reads rows 'tensor<1xi32>', found 'tensor<2x32xf32>'}}
  %x = llama.buffer_read @x[%r : tensor<1xi32>] : tensor<2x32xf32>
  return
}

// -----

llama.buffer @x : tensor<8x32xf32>
func.func @buffer_write_a1(%y: tensor<9x32xf32>) {
  // expected-error @+1 {{'llama.buffer_write' op buffer @x of type 'tensor<8x32xf32>' does not hold a 'tensor<9x32xf32>'}}
  llama.buffer_write %y, @x : tensor<9x32xf32>
  return
}

// -----

func.func private @k()
llama.step @step_a1 rows 1 {
  // expected-error @+1 {{'func.call' op stands in llama.step, which holds dispatches, barriers and loops over layers}}
  func.call @k() : () -> ()
}

// -----

// expected-error @+1 {{'llama.step' op attribute 'rows' failed to satisfy constraint: 64-bit signless integer attribute whose value is positive whose maximum value is 2147483647}}
llama.step @step_a2 rows 0 {
}

// -----

func.func private @k() attributes {llama.rows = 4}
llama.step @step_a3 rows 8 {
  // expected-error @+1 {{'llama.dispatch' op runs @k, which takes 4 rows at most, in a step of 8}}
  llama.dispatch @k
}

// -----

func.func private @one_row() {
  %x = llama.buffer_read @x : tensor<1x32xf32>
  return
}
llama.buffer @x : tensor<8x32xf32>
llama.step @step_a3_static rows 8 {
  // expected-error @+1 {{'llama.dispatch' op runs @one_row, which takes 1 rows at most, in a step of 8}}
  llama.dispatch @one_row
}

// -----

// expected-error @+1 {{'func.func' op has 0 : i64 as llama.rows, expected a function with 1 to 2147483647 rows}}
func.func private @rows_of_none() attributes {llama.rows = 0 : i64}

// -----

// expected-error @+1 {{'builtin.module' op has 4 : i64 as llama.rows, expected a function with 1 to 2147483647 rows}}
module attributes {llama.rows = 4 : i64} {
}

// -----

llama.step @dispatch_a1 rows 1 {
  // expected-error @+1 {{'llama.dispatch' op @missing is not a function of this module}}
  llama.dispatch @missing
}

// -----

llama.buffer @x : tensor<8x32xf32>
llama.step @dispatch_a1_buffer rows 1 {
  // expected-error @+1 {{'llama.dispatch' op @x is not a function of this module}}
  llama.dispatch @x
}

// -----

func.func private @a(%l: index)
llama.step @dispatch_a2_layer rows 1 {
  // expected-error @+1 {{'llama.dispatch' op picks its callee by a table and a layer, one of them is missing}}
  llama.dispatch [@a, @a] of [0, 1]
}

// -----

func.func private @a(%l: index)
llama.step @dispatch_a2_table rows 1 {
  %c0 = arith.constant 0 : index
  // expected-error @+1 {{'llama.dispatch' op picks its callee by a table and a layer, one of them is missing}}
  "llama.dispatch"(%c0) {callees = [@a, @a]} : (index) -> ()
}

// -----

func.func private @a(%l: index)
llama.step @dispatch_a2_index rows 1 {
  %c0 = arith.constant 0 : index
  // expected-error @+1 {{'llama.dispatch' op callee 2 of 2}}
  llama.dispatch [@a, @a] of [0, 2] (%c0)
}

// -----

llama.step @dispatch_no_callee rows 1 {
  // expected-error @+1 {{'llama.dispatch' op attribute 'callees' failed to satisfy constraint: callees with at least 1 elements}}
  "llama.dispatch"() {callees = []} : () -> ()
}
