// RUN: %opt %s --split-input-file --verify-diagnostics

func.func @a_table_of_eight(%table: vector<8xf32>, %index: vector<16xi32>) {
  // expected-error @below {{'cpu.lookup16' op operand #0 must be vector of 32-bit float values of length 16, but got 'vector<8xf32>'}}
  %v = cpu.lookup16 %table, %index : vector<8xf32>, vector<16xi32>
  return
}

// -----

func.func @lanes_of_no_register(%a: vector<4xi32>, %u: vector<16xi8>) {
  // expected-error @below {{'cpu.dot_u8s8' op operand #0 must be vector of 32-bit signless integer values of length 8/16, but got 'vector<4xi32>'}}
  %v = "cpu.dot_u8s8"(%a, %u, %u) : (vector<4xi32>, vector<16xi8>, vector<16xi8>) -> vector<4xi32>
  return
}

// -----

func.func @bytes_of_other_lanes(%a: vector<8xi32>, %u: vector<64xi8>) {
  // expected-error @below {{'cpu.dot_u8s8' op failed to verify that four bytes for each lane}}
  %v = "cpu.dot_u8s8"(%a, %u, %u) : (vector<8xi32>, vector<64xi8>, vector<64xi8>) -> vector<8xi32>
  return
}
