// RUN: %opt %pass %s | FileCheck %s
// RUN: %opt %pass{override="norm=#llama.cpu<m = 3, n = 48>;linear=#llama.cpu<m = 2>"} %s | FileCheck %s --check-prefix=OVERRIDE
// RUN: %opt %pass %s -o /dev/null --remarks-filter=llama-place --remark-format=emitRemark 2>&1 | FileCheck %s --check-prefix=REMARK
// RUN: not %opt %pass{override="qvk=#llama.cpu<m = 4>"} %s 2>&1 | FileCheck %s --check-prefix=NONAME
// RUN: not %opt %pass{override="norm"} %s 2>&1 | FileCheck %s --check-prefix=NOFORM

// NONAME: error: override of 'qvk': no kernel has that name; there are norm, linear
// NOFORM: error: override 'norm' is not of the form NAME=ATTRIBUTE, as in qkv=#llama.cpu<m = 4>

module attributes {llama.target = #llama.target<family = cpu, name = "x86-64-v4", vector_bits = 512>} {
  llama.weight @norm : 32 formats [#llama.f32]
  llama.weight @w : 48x32 formats [#llama.q4_0]

  // Each kernel gets a strategy and a cut, each sum an order; nothing else
  // changes. An override touches the kernels of its name only.
  // CHECK-LABEL:    func.func @one_row
  // CHECK:            llama.kernel "norm" (%{{.+}} = %{{.+}} : tensor<1x32xf32>) -> tensor<1x32xf32> strategy #llama.cpu<{{.*}}> cut <{{.+}}>
  // CHECK:              llama.rms_norm {{.*}} order [[NORM:<.+>]] :
  // CHECK:            llama.kernel "linear" {{.*}} strategy #llama.cpu<{{.*}}> cut <rows = [48], by = {{[0-9]+}}>
  // CHECK:              llama.linear {{.*}} order [[LINEAR:<.+>]] :
  // OVERRIDE-LABEL: func.func @one_row
  // OVERRIDE:         llama.kernel "norm" {{.*}} strategy #llama.cpu<unit = f32, m = 3, n = 48> cut <
  // OVERRIDE:         llama.kernel "linear" {{.*}} strategy #llama.cpu<unit = f32, m = 2, n = 16> cut <
  // REMARK:         [Passed] strategy {{.*}}Function=one_row {{.*}}Reason="the target's table"
  func.func @one_row(%x: tensor<1x32xf32>) -> tensor<1x48xf32> {
    %h = llama.kernel "norm" (%ix = %x : tensor<1x32xf32>) -> tensor<1x32xf32> {
      %g = llama.weight_ref @norm : !llama.weight<32, #llama.f32>
      %n = llama.rms_norm %ix, %g eps 1.0e-05 : tensor<1x32xf32>, !llama.weight<32, #llama.f32>
      llama.yield %n : tensor<1x32xf32>
    }
    %y = llama.kernel "linear" (%ih = %h : tensor<1x32xf32>) -> tensor<1x48xf32> {
      %w = llama.weight_ref @w : !llama.weight<48x32, #llama.q4_0>
      %l = llama.linear %ih, %w : tensor<1x32xf32>, !llama.weight<48x32, #llama.q4_0> -> tensor<1x48xf32>
      llama.yield %l : tensor<1x48xf32>
    }
    return %y : tensor<1x48xf32>
  }

  // Another tile, the same order: the bits are those of one row.
  // CHECK-LABEL:    func.func @many_rows
  // CHECK:              llama.rms_norm {{.*}} order [[NORM]] :
  // CHECK:              llama.linear {{.*}} order [[LINEAR]] :
  func.func @many_rows(%x: tensor<?x32xf32>) -> tensor<?x48xf32> {
    %h = llama.kernel "norm" (%ix = %x : tensor<?x32xf32>) -> tensor<?x32xf32> {
      %g = llama.weight_ref @norm : !llama.weight<32, #llama.f32>
      %n = llama.rms_norm %ix, %g eps 1.0e-05 : tensor<?x32xf32>, !llama.weight<32, #llama.f32>
      llama.yield %n : tensor<?x32xf32>
    }
    %y = llama.kernel "linear" (%ih = %h : tensor<?x32xf32>) -> tensor<?x48xf32> {
      %w = llama.weight_ref @w : !llama.weight<48x32, #llama.q4_0>
      %l = llama.linear %ih, %w : tensor<?x32xf32>, !llama.weight<48x32, #llama.q4_0> -> tensor<?x48xf32>
      llama.yield %l : tensor<?x48xf32>
    }
    return %y : tensor<?x48xf32>
  }
}
