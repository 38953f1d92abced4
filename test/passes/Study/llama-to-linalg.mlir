// RUN: %opt %pass %s | FileCheck %s
// RUN: %opt %pass{type=f64} %s | FileCheck %s --check-prefix=F64

// A sum of squares over each row, and a formula that reads it.
// CHECK-LABEL: func.func @norm(
// CHECK-SAME:    %[[X:.+]]: tensor<3x8xf32>, %[[W:.+]]: tensor<8xf32>) -> tensor<3x8xf32>
// CHECK:         linalg.fill
// CHECK:         %[[S:.+]] = linalg.generic {{.*}}["parallel", "parallel", "reduction"]}
// CHECK:           %[[SQUARE:.+]] = arith.mulf
// CHECK:           arith.addf %{{.+}}, %[[SQUARE]]
// CHECK:         linalg.generic {{.*}}, %[[S]], %[[W]] : tensor<3x1x8xf32>, tensor<3x1xf32>, tensor<8xf32>)
// CHECK:           math.sqrt
// CHECK-NOT:     llama.
// CHECK:         return
// F64-LABEL: func.func @norm(
// F64-SAME:    tensor<3x8xf64>, %{{.+}}: tensor<8xf64>) -> tensor<3x8xf64>
func.func @norm(%x: tensor<3x8xf32>, %w: !llama.weight<8, #llama.f32>) -> tensor<3x8xf32> {
  %y = llama.rms_norm %x, %w eps 1.0e-05 : tensor<3x8xf32>, !llama.weight<8, #llama.f32>
  return %y : tensor<3x8xf32>
}

// A weight's numbers do not say how the checkpoint held them.
// CHECK-LABEL: func.func @project(
// CHECK-SAME:    %{{.+}}: tensor<3x32xf32>, %{{.+}}: tensor<5x32xf32>) -> tensor<3x5xf32>
// CHECK:         linalg.generic {{.*}}["parallel", "parallel", "reduction"]}
func.func @project(%x: tensor<3x32xf32>, %w: !llama.weight<5x32, #llama.q8_0>) -> tensor<3x5xf32> {
  %y = llama.linear %x, %w : tensor<3x32xf32>, !llama.weight<5x32, #llama.q8_0> -> tensor<3x5xf32>
  return %y : tensor<3x5xf32>
}

// The cache was empty: what is appended is all that attention reads, rounded as the
// cache holds it.
// CHECK-LABEL: func.func @attend(
// CHECK-SAME:    %{{.+}}: tensor<3x8xf32>, %{{.+}}: tensor<3x4xf32>, %[[POS:.+]]: tensor<3xi32>, %{{.+}}: index) -> tensor<3x8xf32>
// CHECK:           arith.truncf %{{.+}} : f32 to f16
// CHECK:           arith.extf
// CHECK:         linalg.generic {{.*}}["parallel", "parallel", "parallel", "parallel", "reduction"]}
// CHECK:         linalg.generic {{.*}}, %[[POS]], %[[POS]] : tensor<3x1x2x3xf32>, tensor<3xi32>, tensor<3xi32>)
// CHECK:           arith.cmpi sge
// CHECK:           arith.maximumf
// CHECK:           math.exp
// CHECK-NOT:     llama.
// CHECK:         return
func.func @attend(%q: tensor<3x8xf32>, %k: tensor<3x4xf32>, %pos: tensor<3xi32>, %kv: !llama.cache<1x1x4, f16>, %l: index) -> tensor<3x8xf32> {
  llama.kv_append %kv[%l], %k, %k at %pos : !llama.cache<1x1x4, f16>, tensor<3x4xf32>, tensor<3x4xf32>, tensor<3xi32>
  %y = llama.attention %q, %kv[%l], %pos causal heads 2 : tensor<3x8xf32>, !llama.cache<1x1x4, f16>, tensor<3xi32>
  return %y : tensor<3x8xf32>
}

// A declaration has nothing to be written out.
// CHECK: func.func private @elsewhere(!llama.weight<8, #llama.f32>)
func.func private @elsewhere(!llama.weight<8, #llama.f32>)
