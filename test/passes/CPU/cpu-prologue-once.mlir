// RUN: %opt %pass %s | FileCheck %s

// What is stored before anything that depends on the parts, and what is computed
// for it alone, is done in a worker's first call of a dispatch. Addresses that
// parts need as well stay where they are.
// CHECK-LABEL: func.func private @rounds_its_row(
// CHECK-SAME:    %[[CTX:.+]]: !llvm.ptr, %[[SCRATCH:.+]]: !llvm.ptr, %[[LAYER:.+]]: i32, %[[BEGIN:.+]]: i32, %[[END:.+]]: i32, %[[FIRST:.+]]: i32)
// CHECK:         %[[ROWS:.+]] = context.view %{{.+}} : !llvm.ptr -> memref<?xf32>
// CHECK-NOT:     scf.for
// CHECK:         %[[STAGED:.+]] = context.view %[[SCRATCH]]
// CHECK-NOT:     scf.for
// CHECK:         %[[ZERO:.+]] = arith.constant 0 : i32
// CHECK:         %[[IS:.+]] = arith.cmpi ne, %[[FIRST]], %[[ZERO]] : i32
// CHECK-NEXT:    scf.if %[[IS]] {
// CHECK:           %[[SUM:.+]] = scf.for {{.*}} -> (f32)
// CHECK:             memref.load %[[ROWS]]
// CHECK:           %[[SCALE:.+]] = arith.mulf %[[SUM]], %[[SUM]]
// CHECK:           scf.for
// CHECK:             arith.mulf %{{.+}}, %[[SCALE]]
// CHECK:             memref.store %{{.+}}, %[[STAGED]]
// CHECK-NEXT:      }
// CHECK-NEXT:    }
// CHECK-NEXT:    arith.index_castui %[[BEGIN]]
// CHECK:         scf.for
// CHECK:           memref.load %[[STAGED]]
// CHECK:           memref.store %{{.+}}, %[[ROWS]]
func.func private @rounds_its_row(%ctx: !llvm.ptr, %scratch: !llvm.ptr, %layer: i32, %begin: i32, %end: i32) attributes {llama.partition = #llama.partition<rows = [64], by = 16>, llama.scratch = 256 : i64} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c64 = arith.constant 64 : index
  %zero = arith.constant 0.0 : f32
  %workspace = context.field %ctx workspace : !llvm.ptr -> !llvm.ptr
  %rows = context.view %workspace[%c0] : !llvm.ptr -> memref<?xf32>
  %sum = scf.for %i = %c0 to %c64 step %c1 iter_args(%s = %zero) -> (f32) {
    %x = memref.load %rows[%i] : memref<?xf32>
    %next = arith.addf %s, %x : f32
    scf.yield %next : f32
  }
  %scale = arith.mulf %sum, %sum : f32
  %staged = context.view %scratch[%c0] : !llvm.ptr -> memref<?xf32>
  scf.for %i = %c0 to %c64 step %c1 {
    %x = memref.load %rows[%i] : memref<?xf32>
    %y = arith.mulf %x, %scale : f32
    memref.store %y, %staged[%i] : memref<?xf32>
  }
  %from = arith.index_castui %begin : i32 to index
  %to = arith.index_castui %end : i32 to index
  scf.for %part = %from to %to step %c1 {
    %y = memref.load %staged[%part] : memref<?xf32>
    memref.store %y, %rows[%part] : memref<?xf32>
  }
  return
}

// Where something else reads in between, it may read what was stored, so all
// stays; where nothing is stored before the parts, there is nothing to do.
// CHECK-LABEL: func.func private @reads_what_it_stored(
// CHECK-SAME:    i32, %{{.+}}: i32, %{{.+}}: i32, %{{.+}}: i32)
// CHECK-NOT:     scf.if
// CHECK-LABEL: func.func private @stores_parts_only(
// CHECK-SAME:    i32, %{{.+}}: i32, %{{.+}}: i32, %{{.+}}: i32)
// CHECK-NOT:     scf.if
func.func private @reads_what_it_stored(%ctx: !llvm.ptr, %scratch: !llvm.ptr, %layer: i32, %begin: i32, %end: i32) attributes {llama.partition = #llama.partition<rows = [64], by = 16>, llama.scratch = 256 : i64} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %zero = arith.constant 0.0 : f32
  %staged = context.view %scratch[%c0] : !llvm.ptr -> memref<?xf32>
  memref.store %zero, %staged[%c0] : memref<?xf32>
  %x = memref.load %staged[%c0] : memref<?xf32>
  memref.store %zero, %staged[%c1] : memref<?xf32>
  %from = arith.index_castui %begin : i32 to index
  memref.store %x, %staged[%from] : memref<?xf32>
  return
}
func.func private @stores_parts_only(%ctx: !llvm.ptr, %scratch: !llvm.ptr, %layer: i32, %begin: i32, %end: i32) attributes {llama.partition = #llama.partition<rows = [64], by = 16>, llama.scratch = 256 : i64} {
  %c0 = arith.constant 0 : index
  %zero = arith.constant 0.0 : f32
  %staged = context.view %scratch[%c0] : !llvm.ptr -> memref<?xf32>
  %from = arith.index_castui %begin : i32 to index
  memref.store %zero, %staged[%from] : memref<?xf32>
  memref.store %zero, %staged[%c0] : memref<?xf32>
  return
}
// CHECK-LABEL: func.func private @no_kernel(
// CHECK-SAME:    %{{.+}}: i32)
func.func private @no_kernel(%x: i32) {
  return
}
