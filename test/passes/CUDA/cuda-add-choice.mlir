// RUN: split-file %s %t
// RUN: %opt %pass %t/model.mlir | FileCheck %s
// RUN: %opt %pass %pass %t/model.mlir | FileCheck %s --check-prefix=AGAIN
// RUN: %opt %pass %t/kernels.mlir | FileCheck %s --check-prefix=NONE
// RUN: %opt %pass %t/large.mlir | FileCheck %s --check-prefix=NONE

// A block for each 2048 logits keeps the best, a block draws from what they kept.
// They do nothing where no id is left.
// CHECK-LABEL: llama.step @choose rows 1 {
// CHECK-NEXT:    llama.dispatch @choose.best
// CHECK-NEXT:    llama.barrier
// CHECK-NEXT:    llama.dispatch @choose.draw
// CHECK-NEXT:  }
// CHECK-LABEL: func.func private @choose.best(
// CHECK-SAME:    %[[CTX:.+]]: !llvm.ptr, %{{.+}}: i32)
// CHECK-SAME:    llama.partition = #llama.partition<rows = [50000], by = 2048>
// CHECK-SAME:    threads = 256
// CHECK:         cuda.wait_previous
// CHECK:         %[[CHOICE:.+]] = context.field %[[CTX]] threads
// CHECK:         %[[WORDS:.+]] = context.view %[[CHOICE]]
// CHECK:         %[[LEFT:.+]] = memref.load %[[WORDS]]
// CHECK:         %[[IS:.+]] = arith.cmpi ne, %[[LEFT]]
// CHECK-NEXT:    scf.if %[[IS]] {
// A thread's logits are all loaded before one is compared.
// CHECK-COUNT-8: memref.load %{{.+}} : memref<?xf32, 1>
// CHECK-NOT:     memref<?xf32, 1>
// CHECK-LABEL: func.func private @choose.draw(
// CHECK-SAME:    llama.partition = #llama.partition<rows = [1], by = 1>
// No product is contracted: the sampler rounds each.
// CHECK-NOT:     math.fma
// CHECK:         arith.mulf %{{.+}} : f64
// CHECK:         context.field %{{.+}} tokens

// AGAIN-COUNT-1: func.func private @choose.best
// AGAIN-NOT:     func.func private @choose.best

// NONE-NOT: choose

//--- model.mlir
module attributes {llama.config = #llama.config<dim = 32, heads = 2, kv_heads = 1, head_size = 16, hidden = 48, vocabulary = 50000, layers = 1, context_length = 64>} {
  llama.step @decode rows 1 {
  }
  llama.model @m steps [@decode] lm_heads [@decode]
}

//--- kernels.mlir
module attributes {llama.config = #llama.config<dim = 32, heads = 2, kv_heads = 1, head_size = 16, hidden = 48, vocabulary = 50000, layers = 1, context_length = 64>} {
}

//--- large.mlir
module attributes {llama.config = #llama.config<dim = 32, heads = 2, kv_heads = 1, head_size = 16, hidden = 48, vocabulary = 524289, layers = 1, context_length = 64>} {
  llama.step @decode rows 1 {
  }
  llama.model @m steps [@decode] lm_heads [@decode]
}
