// RUN: %opt %pass %s --split-input-file --verify-diagnostics

llama.step @s rows 1 {
  llama.dispatch @declared
}
// expected-error @below {{'func.func' op has no body, so there is no telling what its dispatches read and write}}
func.func private @declared()

// -----

llama.step @s rows 1 {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  scf.for %i = %c0 to %c1 step %c1 {
    // expected-error @below {{'scf.for' op stands in another loop; a step has one loop over layers behind the other}}
    scf.for %j = %c0 to %c1 step %c1 {
      llama.dispatch @f
    }
  }
}
func.func private @f() {
  return
}

// -----

// expected-error @below {{'llama.buffer' op @huge of type 'tensor<4611686018427387904x16xf32>' is larger than memory}}
llama.buffer @huge : tensor<4611686018427387904x16xf32>
