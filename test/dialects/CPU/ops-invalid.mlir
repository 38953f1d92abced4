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

// -----

func.func @pairs_of_halves(%a: vector<16xf32>, %x: vector<32xf16>) {
  // expected-error @below {{'cpu.dot_bf16' op operand #1 must be vector of bfloat16 type values of length 32, but got 'vector<32xf16>'}}
  %v = "cpu.dot_bf16"(%a, %x, %x) : (vector<16xf32>, vector<32xf16>, vector<32xf16>) -> vector<16xf32>
  return
}
