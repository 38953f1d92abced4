// RUN: %opt %pass{type=bf16} %s | FileCheck %s
// RUN: %opt %pass %s | FileCheck %s --check-prefix=DEFAULT
// RUN: %opt %pass{type=q8_0,f16} %s | FileCheck %s --check-prefix=APART
// RUN: not %opt %pass{type=f8} %s 2>&1 | FileCheck %s --check-prefix=UNKNOWN

// UNKNOWN: error: type is 'f8', expected f32, f16, bf16 or q8_0, or two of them, KEYS,VALUES

// Arguments, operands and the types of functions change together; other types
// with the same element stay.
// CHECK-LABEL:   func.func @append_and_attend
// CHECK-SAME:      %{{.+}}: tensor<?x32xf32>, %[[KV:.+]]: !llama.cache<2x1x32, bf16>
// CHECK:           llama.kv_append %[[KV]]{{.*}} : <2x1x32, bf16>, tensor<?x32xf32>
// CHECK:           llama.attention {{.*}} : tensor<?x32xf32>, <2x1x32, bf16>
// DEFAULT-LABEL: func.func @append_and_attend
// DEFAULT-SAME:    !llama.cache<2x1x32, f16>
// APART-LABEL:   func.func @append_and_attend
// APART-SAME:      !llama.cache<2x1x32, q8_0, f16>
func.func @append_and_attend(%x: tensor<?x32xf32>, %kv: !llama.cache<2x1x32, f32>, %pos: tensor<?xi32>, %l: index) -> tensor<?x32xf32> {
  llama.kv_append %kv[%l], %x, %x at %pos : !llama.cache<2x1x32, f32>, tensor<?x32xf32>, tensor<?x32xf32>, tensor<?xi32>
  %a = llama.attention %x, %kv[%l], %pos causal heads 1 : tensor<?x32xf32>, !llama.cache<2x1x32, f32>, tensor<?xi32>
  return %a : tensor<?x32xf32>
}

// CHECK-LABEL: func.func private @declared(!llama.cache<2x1x32, bf16>)
func.func private @declared(!llama.cache<2x1x32, f32>)
