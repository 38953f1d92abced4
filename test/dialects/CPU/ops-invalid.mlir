// RUN: %opt %s --split-input-file --verify-diagnostics

func.func @a_table_of_eight(%table: vector<8xf32>, %index: vector<16xi32>) {
  // expected-error @below {{'cpu.lookup16' op operand #0 must be vector of 32-bit float values of length 16, but got 'vector<8xf32>'}}
  %v = cpu.lookup16 %table, %index : vector<8xf32>, vector<16xi32>
  return
}
