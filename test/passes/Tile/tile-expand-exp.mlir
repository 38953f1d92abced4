// RUN: %opt %pass %s | FileCheck %s

// exp(x) = 2^n * 2^f: x is clamped first, n is rounded by adding 1.5 * 2^23, f
// comes from log2(e) in two parts, 2^f is a polynomial of degree 6, and n is added
// to the exponent. What is below -87.33 is +0.

// CHECK-LABEL: func.func @a_vector
// CHECK-SAME:    (%[[X:.+]]: vector<4x16xf32>)
// CHECK:         %[[LOWEST:.+]] = arith.constant dense<-8.733000e+01> : vector<4x16xf32>
// CHECK:         %[[TINY:.+]] = arith.cmpf olt, %[[X]], %[[LOWEST]]
// CHECK:         %[[HUGE:.+]] = arith.constant dense<8.800000e+01>
// CHECK:         %[[LARGE:.+]] = arith.cmpf ogt, %[[X]], %[[HUGE]]
// CHECK:         %[[LOW:.+]] = arith.select %[[TINY]], %[[LOWEST]], %[[X]]
// CHECK:         %[[CLAMPED:.+]] = arith.select %[[LARGE]], %[[HUGE]], %[[LOW]]
// CHECK:         %[[ROUND:.+]] = arith.constant dense<0x4B400000>
// CHECK:         %[[SHIFTED:.+]] = math.fma %[[CLAMPED]], %{{.+}}, %[[ROUND]]
// CHECK:         %[[N:.+]] = arith.subf %[[SHIFTED]], %[[ROUND]]
// CHECK:         %[[NEGATIVE:.+]] = arith.negf %[[N]]
// CHECK:         %[[ROUGH:.+]] = math.fma %[[CLAMPED]], %{{.+}}, %[[NEGATIVE]]
// CHECK:         %[[F:.+]] = math.fma %[[CLAMPED]], %{{.+}}, %[[ROUGH]]
// CHECK-COUNT-6: math.fma %{{.+}}, %[[F]], %{{.+}}
// CHECK:         %[[BITS:.+]] = arith.bitcast %[[SHIFTED]] : vector<4x16xf32> to vector<4x16xi32>
// CHECK:         %[[EXPONENT:.+]] = arith.shli %[[BITS]], %{{.+}} : vector<4x16xi32>
// CHECK:         %[[P:.+]] = arith.bitcast
// CHECK:         %[[POWER:.+]] = arith.addi %[[P]], %[[EXPONENT]]
// CHECK:         %[[RESULT:.+]] = arith.bitcast %[[POWER]] : vector<4x16xi32> to vector<4x16xf32>
// CHECK:         %[[ZERO:.+]] = arith.constant dense<0.000000e+00>
// CHECK:         arith.select %[[TINY]], %[[ZERO]], %[[RESULT]]
// CHECK-NOT:     math.exp
// CHECK:         return
func.func @a_vector(%x: vector<4x16xf32>) -> vector<4x16xf32> {
  %y = math.exp %x : vector<4x16xf32>
  return %y : vector<4x16xf32>
}

// CHECK-LABEL: func.func @a_scalar_takes_the_same_steps
// CHECK-COUNT-9: math.fma {{.*}} : f32
// CHECK-NOT:     math.fma
// CHECK:         arith.shli {{.*}} : i32
// CHECK-NOT:     math.exp
// CHECK:         return
func.func @a_scalar_takes_the_same_steps(%x: f32) -> f32 {
  %y = math.exp %x : f32
  return %y : f32
}

// A sum over a row may have one too, inside its region.
// CHECK-LABEL: func.func @a_region_of_tile
// CHECK:         tile.sum
// CHECK-COUNT-9: math.fma
// CHECK:         tile.yield
// CHECK-NOT:     math.exp
// CHECK:         return
func.func @a_region_of_tile(%m: memref<1x32xf32>, %r: index) -> vector<1xf32> {
  %s = tile.sum %m[%r] order <lanes = 16> : memref<1x32xf32> -> vector<1xf32> {
  ^bb0(%a: f32):
    %e = math.exp %a : f32
    tile.yield %e
  }
  return %s : vector<1xf32>
}
