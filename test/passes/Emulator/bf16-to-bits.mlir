// RUN: %emulator_opt %pass %s | FileCheck %s

// Half of the last place is added, less one where the number kept is even; a NaN
// keeps its sign and becomes a quiet one.
// CHECK-LABEL: llvm.func @rounded(
// CHECK-SAME:    %[[X:.+]]: f32, %[[P:.+]]: !llvm.ptr)
// CHECK:         %[[BITS:.+]] = llvm.bitcast %[[X]] : f32 to i32
// CHECK:         llvm.fcmp "uno" %[[X]], %[[X]]
// CHECK:         %[[HALF:.+]] = llvm.trunc %{{.+}} : i32 to i16
// CHECK:         llvm.store %{{.+}}, %[[P]] : i16, !llvm.ptr
// CHECK-NOT:     bf16
llvm.func @rounded(%x: f32, %p: !llvm.ptr) {
  %y = llvm.fptrunc %x : f32 to bf16
  llvm.store %y, %p : bf16, !llvm.ptr
  llvm.return
}

// CHECK-LABEL: llvm.func @widened(
// CHECK:         %[[V:.+]] = llvm.load %{{.+}} : !llvm.ptr -> vector<2xi16>
// CHECK:         llvm.shl
// CHECK:         llvm.bitcast %{{.+}} : vector<2xi32> to vector<2xf32>
// CHECK-NOT:     bf16
llvm.func @widened(%p: !llvm.ptr) -> vector<2xf32> {
  %v = llvm.load %p : !llvm.ptr -> vector<2xbf16>
  %w = llvm.fpext %v : vector<2xbf16> to vector<2xf32>
  llvm.return %w : vector<2xf32>
}

// 1 and -0 are 0x3f80 and 0x8000.
// CHECK-LABEL: llvm.func @constants(
// CHECK:         llvm.mlir.constant(16256 : i16) : i16
// CHECK:         llvm.mlir.constant(dense<-32768> : vector<2xi16>) : vector<2xi16>
// CHECK-NOT:     bf16
llvm.func @constants(%p: !llvm.ptr) {
  %one = llvm.mlir.constant(1.0 : bf16) : bf16
  %zeros = llvm.mlir.constant(dense<-0.0> : vector<2xbf16>) : vector<2xbf16>
  llvm.store %one, %p : bf16, !llvm.ptr
  llvm.store %zeros, %p : vector<2xbf16>, !llvm.ptr
  llvm.return
}
