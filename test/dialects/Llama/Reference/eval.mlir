// The command: what goes in and out, and what it says when that does not fit.
//
// RUN: rm -rf %t && mkdir %t

// A result that is written is read back as it was; index results as 0-d arrays.
// RUN: %python %S/npy.py %t/x.npy f8 2x2 0.1 -2.5 3e300 0
// RUN: %corellama eval %s --entry twice --in %t/x.npy --in 7 --out %t/y.npy --out %t/l.npy | count 0
// RUN: %corellama eval %s --entry twice --in %t/y.npy --in %t/l.npy --out - --out - | FileCheck %s --check-prefix=TWICE
// TWICE: float 2x2
// TWICE-NEXT: {{^}}0.4 -10{{$}}
// TWICE-NEXT: {{^}}1.2e+301 0{{$}}
// TWICE-NEXT: {{^}}index 7{{$}}
func.func @twice(%x: tensor<?x2xf32>, %l: index) -> (tensor<?x2xf32>, index) {
  %y = llama.add %x, %x : tensor<?x2xf32>
  return %y, %l : tensor<?x2xf32>, index
}

// RUN: not %corellama eval %s --entry twice --in %t/x.npy 2>&1 | FileCheck %s --check-prefix=IN
// IN: corellama: {{.*}}eval.mlir: @twice: takes 2 --in, found 1{{$}}
// RUN: not %corellama eval %s --entry twice --in %t/x.npy --in 7 --out %t/y.npy 2>&1 | FileCheck %s --check-prefix=OUT
// OUT: corellama: {{.*}}eval.mlir: @twice: gives 2 --out, found 1{{$}}
// RUN: not %corellama eval %s --entry thrice 2>&1 | FileCheck %s --check-prefix=ENTRY
// ENTRY: corellama: {{.*}}eval.mlir: --entry: @thrice is not a function or the model of this module{{$}}
// RUN: not %corellama eval %t/none.mlir --entry twice 2>&1 | FileCheck %s --check-prefix=NONE
// NONE: corellama: {{.*}}none.mlir: No such file or directory{{$}}
// RUN: not %corellama eval %s --entry twice --in %t/none.npy --in 7 2>&1 | FileCheck %s --check-prefix=NO-INPUT
// NO-INPUT: corellama: {{.*}}eval.mlir: {{.*}}none.npy: No such file or directory{{$}}
// RUN: not %corellama eval %s --entry twice --in %t/x.npy --in 7 --out %t/none/y.npy --out - 2>&1 | FileCheck %s --check-prefix=NO-OUTPUT
// NO-OUTPUT: corellama: {{.*}}y.npy: No such file or directory{{$}}

// The first error of a file that does not parse, as file:line:column.
// RUN: sed 's/llama.add/llama.ad/' %s > %t/broken.mlir
// RUN: not %corellama eval %t/broken.mlir --entry twice 2>&1 | FileCheck %s --check-prefix=BROKEN
// BROKEN: corellama: {{.*}}broken.mlir:14:8: custom op 'llama.ad' is unknown{{$}}

// RUN: %python %S/npy.py %t/three.npy f4 1x3 1 2 3
// RUN: not %corellama eval %s --entry twice --in %t/three.npy --in 7 2>&1 | FileCheck %s --check-prefix=SHAPE
// SHAPE: three.npy: tensor<?x2xf32> was expected, found a tensor of 1x3{{$}}
// RUN: %python %S/npy.py %t/int.npy i4 1x2 1 2
// RUN: not %corellama eval %s --entry twice --in %t/int.npy --in 7 2>&1 | FileCheck %s --check-prefix=TYPE
// TYPE: int.npy: holds int32, expected float32 or float64{{$}}
// RUN: not %corellama eval %s --entry twice --in %t/x.npy --in %t/int.npy 2>&1 | FileCheck %s --check-prefix=SCALAR
// SCALAR: int.npy: holds 1x2 integers, expected one (shape ()){{$}}
// RUN: printf 'NUMPY' > %t/cut.npy
// RUN: not %corellama eval %s --entry twice --in %t/cut.npy --in 7 2>&1 | FileCheck %s --check-prefix=CUT
// CUT: cut.npy: not a .npy file, or cut off in its first 10 bytes{{$}}

// Integers fit into the tensor's 32 bits.
// RUN: %python %S/npy.py %t/ids.npy i8 2 5 -2147483648
// RUN: %corellama eval %s --entry ids --in %t/ids.npy | FileCheck %s --check-prefix=IDS
// IDS: int 2
// IDS-NEXT: {{^}}5 -2147483648{{$}}
// RUN: %python %S/npy.py %t/ids.npy i8 2 5 4294967296
// RUN: not %corellama eval %s --entry ids --in %t/ids.npy 2>&1 | FileCheck %s --check-prefix=WIDE
// WIDE: ids.npy: 4294967296 is not an integer of 32 bits{{$}}
// RUN: not %corellama eval %s --entry ids --in %t/x.npy 2>&1 | FileCheck %s --check-prefix=FLOAT
// FLOAT: x.npy: holds float64, expected int32 or int64{{$}}
func.func @ids(%ids: tensor<?xi32>) -> tensor<?xi32> {
  return %ids : tensor<?xi32>
}

// Weights of other formats than f32 are their raw blocks.
// RUN: %python %S/npy.py %t/w.npy f4 1x32 0*32
// RUN: not %corellama eval %s --entry weight --in %t/w.npy 2>&1 | FileCheck %s --check-prefix=WEIGHT
// WEIGHT: w.npy: holds float32 of 1x32, expected uint8 of 1x34 for a weight of 1x32 in q8_0{{$}}
func.func @weight(%w: !llama.weight<1x32, #llama.q8_0>) {
  return
}

// A cache takes no --in, and starts empty.
// RUN: not %corellama eval %s --entry cache --in 0 2>&1 | FileCheck %s --check-prefix=CACHE
// CACHE: @cache: takes 0 --in, found 1{{$}}
// RUN: %corellama eval %s --entry cache | count 0
func.func @cache(%kv: !llama.cache<1x1x2, f16>) {
  return
}
