// RUN: %opt %pass %s | FileCheck %s
// RUN: %opt %pass{type=f64} %s | FileCheck %s --check-prefix=F64

// F64-LABEL: func.func @rotate(%{{.+}}: tensor<3x8xf64>, %{{.+}}: tensor<3xi32>) -> tensor<3x8xf64>
// CHECK-LABEL: func.func @rotate
// CHECK:         %[[T:.+]] = linalg.generic {{.*}} ins(%{{.+}} : tensor<3xi32>) outs(%{{.+}} : tensor<3x2xf64>)
// CHECK:           math.powf {{.*}} : f64
// CHECK:         %[[C:.+]] = linalg.generic {{.*}} ins(%[[T]] :
// CHECK:           math.cos {{.*}} : f64
// CHECK:         %[[S:.+]] = linalg.generic {{.*}} ins(%[[T]] :
// CHECK:           math.sin {{.*}} : f64
// CHECK:         %[[E:.+]] = linalg.generic {{.*}} ins(%[[C]], %[[S]]
// CHECK:           complex.create
// CHECK:         linalg.generic {{.*}}, %[[E]] : tensor<3x2x2x2xf32>, tensor<3x2x2x2xf32>, tensor<3x2xcomplex<f32>>) outs(%{{.+}} : tensor<3x2x2xcomplex<f32>>)
// CHECK:           complex.mul
// CHECK-NOT:     llama.rope
func.func @rotate(%x: tensor<3x8xf32>, %pos: tensor<3xi32>) -> tensor<3x8xf32> {
  %y = llama.rope %x, %pos base 1.0e+04 heads 2 : tensor<3x8xf32>, tensor<3xi32>
  return %y : tensor<3x8xf32>
}
