// RUN: %emulator_opt %pass %s | FileCheck %s

module {
  // Before each access: where, how many bytes, which alignment it promises (the
  // type's own where it says none), and its number in the kernel.
  // CHECK-LABEL: llvm.func @kernel(
  // CHECK-SAME:    %[[CTX:.+]]: !llvm.ptr, %{{.+}}: i32)
  // The context is a kernel's argument on a GPU.
  // CHECK-NOT:     llvm.call
  // CHECK:         %[[W:.+]] = llvm.load %{{.+}} : !llvm.ptr -> !llvm.ptr
  // CHECK:         %[[BYTES:.+]] = llvm.mlir.constant(16 : i32)
  // CHECK:         %[[ALIGNMENT:.+]] = llvm.mlir.constant(4 : i32)
  // CHECK:         %[[FIRST:.+]] = llvm.mlir.constant(0 : i32)
  // CHECK:         llvm.call @corellama_emulator_read(%[[W]], %[[BYTES]], %[[ALIGNMENT]], %[[FIRST]])
  // CHECK-NEXT:    %[[X:.+]] = llvm.load %[[W]] {alignment = 4 : i64} : !llvm.ptr -> vector<4xf32>
  // CHECK:         %[[HALF:.+]] = llvm.mlir.constant(2 : i32)
  // CHECK:         %[[OWN:.+]] = llvm.mlir.constant(2 : i32)
  // CHECK:         %[[SECOND:.+]] = llvm.mlir.constant(1 : i32)
  // CHECK:         llvm.call @corellama_emulator_read(%[[W]], %[[HALF]], %[[OWN]], %[[SECOND]])
  // CHECK-NEXT:    %[[H:.+]] = llvm.load %[[W]] : !llvm.ptr -> f16
  // CHECK:         llvm.call @corellama_emulator_write(%[[W]], %{{.+}}, %{{.+}}, %{{.+}})
  // CHECK-NEXT:    llvm.store %[[X]], %[[W]]
  // A local variable is registers on a GPU.
  // CHECK-NEXT:    llvm.store %[[H]], %{{.+}} : f16
  // CHECK-NEXT:    llvm.return
  llvm.func @kernel(%ctx: !llvm.ptr, %layer: i32) attributes {llama.partition = #llama.partition<rows = [16], by = 16>} {
    %one = llvm.mlir.constant(1 : i32) : i32
    %local = llvm.alloca %one x vector<4xf16> : (i32) -> !llvm.ptr
    %element = llvm.getelementptr %local[1] : (!llvm.ptr) -> !llvm.ptr, f16
    %field = llvm.getelementptr %ctx[16] : (!llvm.ptr) -> !llvm.ptr, i8
    %w = llvm.load %field : !llvm.ptr -> !llvm.ptr
    %x = llvm.load %w {alignment = 4 : i64} : !llvm.ptr -> vector<4xf32>
    %h = llvm.load %w : !llvm.ptr -> f16
    llvm.store %x, %w {alignment = 16 : i64} : vector<4xf32>, !llvm.ptr
    llvm.store %h, %element : f16, !llvm.ptr
    llvm.return
  }

  // The host's code is no kernel.
  // CHECK-LABEL: llvm.func @corellama_step_decode
  // CHECK-NOT:     llvm.call
  // CHECK:         llvm.return
  llvm.func @corellama_step_decode(%ctx: !llvm.ptr, %device: !llvm.ptr) {
    %x = llvm.load %device : !llvm.ptr -> i64
    llvm.store %x, %ctx : i64, !llvm.ptr
    llvm.return
  }
}
