// RUN: %opt %pass %s | FileCheck %s
// RUN: %opt %pass{type=f64} %s | FileCheck %s --check-prefix=F64
// RUN: %python %S/Inputs/forms.py %bin/corellama-opt %llvm_bin | FileCheck %s --check-prefix=FORMS

// F64-LABEL: func.func @rotate(%{{.+}}: tensor<3x8xf64>, %{{.+}}: tensor<3xi32>) -> tensor<3x8xf64>
// CHECK-LABEL: func.func @rotate
// CHECK:         %[[T:.+]] = linalg.generic {{.*}} ins(%{{.+}} : tensor<3xi32>) outs(%{{.+}} : tensor<3x2xf64>)
// CHECK:           math.powf {{.*}} : f64
// CHECK:         %[[C:.+]] = linalg.generic {{.*}} ins(%[[T]] :
// CHECK:           math.cos {{.*}} : f64
// CHECK:         %[[S:.+]] = linalg.generic {{.*}} ins(%[[T]] :
// CHECK:           math.sin {{.*}} : f64
// CHECK:         %[[R:.+]] = linalg.generic {{.*}}["parallel", "parallel", "parallel", "parallel", "parallel"]} ins(%[[C]], %[[S]] : {{.*}} outs(%{{.+}} : tensor<3x2x2x2x2xf32>)
// CHECK:         linalg.fill
// CHECK:         linalg.generic {{.*}}["parallel", "parallel", "parallel", "parallel", "reduction", "reduction"]} ins(%[[R]], %{{.+}} : tensor<3x2x2x2x2xf32>, tensor<3x2x2x2xf32>)
// CHECK:           %[[XY:.+]] = arith.mulf
// CHECK:           arith.addf %{{.+}}, %[[XY]]
// CHECK-NOT:     llama.rope
func.func @rotate(%x: tensor<3x8xf32>, %pos: tensor<3xi32>) -> tensor<3x8xf32> {
  %y = llama.rope %x, %pos base 1.0e+04 heads 2 : tensor<3x8xf32>, tensor<3xi32>
  return %y : tensor<3x8xf32>
}

// All three forms, lowered by upstream's passes and run: errors are in units of a
// pair's length.
//
// FORMS: f64 matrix near the formula
// FORMS: f64 elementwise near the formula
// FORMS: f64 complex near the formula
// FORMS: f32 matrix near the formula
// FORMS: f32 elementwise near the formula
// FORMS: f32 complex near the formula
// FORMS: matrix of halves: the same bits
// FORMS: elementwise of halves: the same bits
// FORMS: complex of halves: the same bits
// FORMS: matrix with an infinity: 4 NaN in other pairs
// FORMS: elementwise with an infinity: 0 NaN in other pairs
