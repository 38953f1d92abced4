// A row for each position: its bits, sines, or sines and cosines.
//
// 13 = 1 + 4 + 8, so the bits 1 0 1 1. With base 16 and three columns the sines of
// 3 are at frequencies 1, 16^(-1/3), 16^(-2/3): sin 3 = 0.141120008, sin 1.190550789
// = 0.928573533, sin 0.472470394 = 0.455087426. In pairs of four columns: 1 and 1/4.
//
// RUN: %python %S/npy.py %t.0.npy i4 2 0 13
// RUN: %corellama eval %s --entry binary --in %t.0.npy | FileCheck %s --check-prefix=BINARY
// BINARY: float 2x4
// BINARY-NEXT: {{^}}0 0 0 0{{$}}
// BINARY-NEXT: {{^}}1 0 1 1{{$}}
func.func @binary(%pos: tensor<?xi32>) -> tensor<?x4xf32> {
  %y = llama.position_encoding binary of %pos : tensor<?xi32> -> tensor<?x4xf32>
  return %y : tensor<?x4xf32>
}

// RUN: %python %S/npy.py %t.1.npy i4 2 15 16
// RUN: not %corellama eval %s --entry binary --in %t.1.npy 2>&1 | FileCheck %s --check-prefix=WIDE
// RUN: not %corellama eval %s --entry binary --in %t.1.npy --native 2>&1 | FileCheck %s --check-prefix=NATIVE
// WIDE: @binary: llama.position_encoding: position 16 in row 1 has more than 4 bits{{$}}
// NATIVE: @binary: position 16 has more than 4 bits{{$}}

// RUN: %python %S/npy.py %t.2.npy i4 2 0 3
// RUN: %corellama eval %s --entry sine --in %t.2.npy | FileCheck %s --check-prefix=SINE
// SINE: float 2x3
// SINE-NEXT: {{^}}0 0 0{{$}}
// SINE-NEXT: {{^}}0.141120008 0.928573533 0.455087426{{$}}
func.func @sine(%pos: tensor<?xi32>) -> tensor<?x3xf32> {
  %y = llama.position_encoding sine of %pos base 16.0 : tensor<?xi32> -> tensor<?x3xf32>
  return %y : tensor<?x3xf32>
}

// RUN: %python %S/npy.py %t.3.npy i4 2 0 2
// RUN: %corellama eval %s --entry pairs --in %t.3.npy | FileCheck %s --check-prefix=PAIRS
// PAIRS: float 2x4
// PAIRS-NEXT: {{^}}0 1 0 1{{$}}
// PAIRS-NEXT: {{^}}0.909297427 -0.416146837 0.479425539 0.877582562{{$}}
func.func @pairs(%pos: tensor<?xi32>) -> tensor<?x4xf32> {
  %y = llama.position_encoding sinusoidal of %pos base 16.0 : tensor<?xi32> -> tensor<?x4xf32>
  return %y : tensor<?x4xf32>
}

// The angle 1000001 / 100 is 10000.01 in float64 and 10000.0098 in float32.
//
// RUN: %python %S/npy.py %t.4.npy i4 1 1000001
// RUN: %corellama eval %s --entry single --in %t.4.npy | FileCheck %s --check-prefix=SINGLE
// RUN: %corellama eval %s --entry single --in %t.4.npy --mode ideal | FileCheck %s --check-prefix=IDEAL
// SINGLE: {{^}}0.599147439 0.800638711 -0.314898061 -0.949125498{{$}}
// IDEAL: {{^}}0.599147439 0.800638711 -0.315120503 -0.949051668{{$}}
func.func @single(%pos: tensor<?xi32>) -> tensor<?x4xf32> {
  %y = llama.position_encoding sinusoidal of %pos base 1.0e+04 angles f32 : tensor<?xi32> -> tensor<?x4xf32>
  return %y : tensor<?x4xf32>
}

// RUN: %python %S/npy.py %t.5.npy i4 1 -1
// RUN: not %corellama eval %s --entry pairs --in %t.5.npy 2>&1 | FileCheck %s --check-prefix=NEGATIVE
// NEGATIVE: @pairs: llama.position_encoding: position -1 in row 0 is negative{{$}}
