// RUN: sed '/GPU onl[y]/,/end of GP[U]/d; s/name = "x86-64-v4"/name = "native:znver4"/' %s | %opt %pass - | FileCheck %s
// RUN: sed '/GPU onl[y]/,/end of GP[U]/d' %s | %opt %pass - | FileCheck %s --check-prefix=INTEL
// RUN: sed '/GPU onl[y]/,/end of GP[U]/d' %s | %opt %pass{override="norm=#cpu.strategy<unit = #cpu.fma, m = 3, n = 48>;linear=#cpu.strategy<unit = #cpu.fma, m = 2, n = 16>"} - | FileCheck %s --check-prefix=OVERRIDE
// RUN: sed '/GPU onl[y]/,/end of GP[U]/d' %s | %opt %pass - -o /dev/null --remarks-filter=llama-plan --remark-format=emitRemark 2>&1 | FileCheck %s --check-prefix=REMARK
// RUN: sed '/GPU onl[y]/,/end of GP[U]/d' %s | not %opt %pass{override="qvk=#cpu.strategy<unit = #cpu.fma, m = 4, n = 16>"} - 2>&1 | FileCheck %s --check-prefix=NONAME
// RUN: sed '/GPU onl[y]/,/end of GP[U]/d' %s | not %opt %pass{override="norm"} - 2>&1 | FileCheck %s --check-prefix=NOFORM
// RUN: sed '/GPU onl[y]/,/end of GP[U]/d' %s | not %opt %pass{override="norm=#cpu.strategy<unit = #cpu.dot_u8s8, m = 1, n = 16>"} - 2>&1 | FileCheck %s --check-prefix=UNIT
// RUN: sed '/GPU onl[y]/,/end of GP[U]/d' %s | %opt %pass{override="linear=#cpu.strategy<unit = #cpu.fma, m = 2, n = 48>"} - | FileCheck %s --check-prefix=FIT
// RUN: sed '/GPU onl[y]/,/end of GP[U]/d' %s | %opt %pass{strategy=plain} - | FileCheck %s --check-prefix=PLAIN
// RUN: sed '/GPU onl[y]/,/end of GP[U]/d' %s | not %opt %pass{strategy=fast} - 2>&1 | FileCheck %s --check-prefix=NOTUNING

// RUN: sed '/GPU onl[y]/,/end of GP[U]/d' %s | not %opt %pass{override="norm=#cuda.strategy<unit = #cuda.simt, threads = 128>"} - 2>&1 | FileCheck %s --check-prefix=FAMILY
// RUN: sed '/CPU onl[y]/,/end of CP[U]/d; s/cpu.target<name = "x86-64-v4", features = "+avx2,+fma,+avx512f,+avx512bw,+avx512dq,+avx512vl", vector_bits = 512/cuda.target<name = "cuda:sm_80"/' %s | %opt %pass - | FileCheck %s --check-prefix=GPU
// RUN: sed '/CPU onl[y]/,/end of CP[U]/d; s/{llama.target/{llama.options = {activations = "auto"}, llama.target/; s/cpu.target<name = "x86-64-v4", features = "+avx2,+fma,+avx512f,+avx512bw,+avx512dq,+avx512vl", vector_bits = 512/cuda.target<name = "cuda:sm_80"/' %s | %opt %pass - | FileCheck %s --check-prefix=SPLIT
// RUN: sed '/CPU onl[y]/,/end of CP[U]/d; s/cpu.target<name = "x86-64-v4", features = "+avx2,+fma,+avx512f,+avx512bw,+avx512dq,+avx512vl", vector_bits = 512/cuda.target<name = "cuda:sm_80"/' %s | not %opt %pass{strategy=plain} - 2>&1 | FileCheck %s --check-prefix=NOPLAIN
// RUN: sed '/GPU onl[y]/,/end of GP[U]/d; s/vector_bits = 512/vector_bits = 256/' %s | %opt %pass - | FileCheck %s --check-prefix=AVX2
// RUN: sed '/GPU onl[y]/,/end of GP[U]/d; s/vector_bits = 512/vector_bits = 256/; s/name = "x86-64-v4"/name = "native:znver3"/' %s | %opt %pass - | FileCheck %s --check-prefix=ZEN3

// FAMILY: error: 'llama.kernel' op has #cuda.strategy<unit = #cuda.simt, threads = 128>, no strategy of 'x86-64-v4'
// UNIT: error: 'llama.kernel' op has no products and a strategy for #cpu.dot_u8s8, expected the target's unit for float32 rows
// NOTUNING: error: the strategy is tuned or plain, found fast
// NOPLAIN: error: 'llama.kernel' op "norm": the target has no plain strategies; take the tuned ones
// NONAME: error: override of 'qvk': no kernel has that name; there are norm, linear
// NOFORM: error: override 'norm' is not of the form NAME=ATTRIBUTE, as in qkv=#cpu.strategy<unit = #cpu.fma, m = 4, n = 16>

module attributes {llama.target = #cpu.target<name = "x86-64-v4", features = "+avx2,+fma,+avx512f,+avx512bw,+avx512dq,+avx512vl", vector_bits = 512>} {
  llama.weight @norm : 32 formats [#llama.f32]
  llama.weight @w : 48x32 formats [#llama.q4_0]
  llama.weight @v : 16384x32 formats [#llama.f16]
  llama.weight @b : 48x32 formats [#llama.bf16]
  llama.weight @u : 1984x32 formats [#llama.f16]
  llama.weight @t : 16384x32 formats [#llama.q8_0]
  // CPU only
  llama.weight @g : 64x256 formats [#llama.q4_0]
  llama.weight @r : 48x256 formats [#llama.q4_0]
  llama.weight @s : 48x256 formats [#llama.q6_k]
  // end of CPU

  // Each kernel gets a strategy and a partition, each sum an order; nothing else
  // changes. An override touches the kernels of its name only,
  // and the partition is fitted to it.
  // CHECK-LABEL:    func.func @one_row
  // CHECK:            llama.kernel "norm" (%{{.+}} = %{{.+}} : tensor<1x32xf32>) -> tensor<1x32xf32> strategy #cpu.strategy<{{.*}}> partition <{{.+}}>
  // CHECK:              llama.rms_norm {{.*}} order [[NORM:<.+>]] :
  // CHECK:            llama.kernel "linear" {{.*}} strategy #cpu.strategy<{{.*}}> partition <rows = [48], by = {{[0-9]+}}>
  // CHECK:              llama.linear {{.*}} order [[LINEAR:<.+>]] :
  // OVERRIDE-LABEL: func.func @one_row
  // OVERRIDE:         llama.kernel "norm" {{.*}} strategy #cpu.strategy<unit = #cpu.fma, m = 3, n = 48> partition <
  // OVERRIDE:         llama.kernel "linear" {{.*}} strategy #cpu.strategy<unit = #cpu.fma, m = 2, n = 16> partition <
  // FIT:              llama.kernel "linear" {{.*}} n = 48> partition <rows = [48], by = 48>
  // REMARK:         [Passed] strategy {{.*}}Function=one_row {{.*}}Reason="the target's table"
  // GPU-LABEL:      func.func @one_row
  // GPU:              llama.kernel "norm" {{.*}} strategy #cuda.strategy<unit = #cuda.simt, threads = 256, n = 256> partition <of = rows, by = 1>
  // GPU:                llama.rms_norm {{.*}} order <lanes = 256> :
  // GPU:              llama.kernel "linear" {{.*}} strategy #cuda.strategy<unit = #cuda.simt, threads = 256, n = 16> partition <rows = [48], by = 16>
  // GPU:                llama.linear {{.*}} order <unit = #cuda.simt, block = 32, scale = outer, lanes = 32> :
  // Where forms need not agree, one row of float32 is split for tensor cores.
  // SPLIT-LABEL:    func.func @one_row
  // SPLIT:            llama.kernel "linear" {{.*}} strategy #cuda.strategy<unit = #cuda.mma_split, threads = 256, n = 16> partition <rows = [48], by = 16>
  // SPLIT:              llama.linear {{.*}} order <unit = #cuda.mma_split, block = 32, scale = outer, lanes = 32> :
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
  // The smallest tiles, in the same order.
  // PLAIN-LABEL:    func.func @many_rows
  // PLAIN:            llama.kernel "norm" {{.*}} strategy #cpu.strategy<unit = #cpu.fma, m = 1, n = 16, sums = 1>
  // PLAIN:              llama.rms_norm {{.*}} order <lanes = 16> :
  // PLAIN:            llama.kernel "linear" {{.*}} strategy #cpu.strategy<unit = #cpu.fma, m = 1, n = 16, sums = 1>
  // PLAIN:              llama.linear {{.*}} order <unit = #cpu.fma, block = 32, scale = outer> :
  // GPU-LABEL:      func.func @many_rows
  // GPU:                llama.rms_norm {{.*}} order <lanes = 256> :
  // GPU:                llama.linear {{.*}} order <unit = #cuda.simt, block = 32, scale = outer, lanes = 32> :
  // SPLIT-LABEL:    func.func @many_rows
  // SPLIT:              llama.linear {{.*}} order <unit = #cuda.simt, block = 32, scale = outer, lanes = 32> :
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

  // Few rows are one tile, rounded up to one that the unit has; more rows than a
  // tile holds go by the largest.
  // CHECK-LABEL:    func.func @three_rows
  // CHECK:            strategy #cpu.strategy<unit = #cpu.fma, m = 4, n = 16> partition <rows = [48], by = 32>
  // CHECK-LABEL:    func.func @nine_rows
  // CHECK:            strategy #cpu.strategy<unit = #cpu.fma, m = 8, n = 16> partition <rows = [48], by = 32>
  func.func @three_rows(%h: tensor<?x32xf32>) -> tensor<?x48xf32> attributes {llama.rows = 3} {
    %y = llama.kernel "linear" (%ih = %h : tensor<?x32xf32>) -> tensor<?x48xf32> {
      %w = llama.weight_ref @w : !llama.weight<48x32, #llama.q4_0>
      %l = llama.linear %ih, %w : tensor<?x32xf32>, !llama.weight<48x32, #llama.q4_0> -> tensor<?x48xf32>
      llama.yield %l : tensor<?x48xf32>
    }
    return %y : tensor<?x48xf32>
  }
  func.func @nine_rows(%h: tensor<?x32xf32>) -> tensor<?x48xf32> attributes {llama.rows = 9} {
    %y = llama.kernel "linear" (%ih = %h : tensor<?x32xf32>) -> tensor<?x48xf32> {
      %w = llama.weight_ref @w : !llama.weight<48x32, #llama.q4_0>
      %l = llama.linear %ih, %w : tensor<?x32xf32>, !llama.weight<48x32, #llama.q4_0> -> tensor<?x48xf32>
      llama.yield %l : tensor<?x48xf32>
    }
    return %y : tensor<?x48xf32>
  }

  // CPU only
  // Where a CPU loads less often than it multiplies two groups of rows of a weight share
  // what is broadcast of x. Their quants are in a panel; three digits stay with one.
  // CHECK-LABEL:    func.func @rows_of_groups
  // CHECK:            strategy #cpu.strategy<unit = #cpu.dot_u8s8, m = 8, n = 16> partition <rows = [64], by = 32, rows_by = 64>
  // CHECK:            strategy #cpu.strategy<unit = #cpu.fma, m = 8, n = 16> partition <rows = [64], by = 32> {
  // INTEL-LABEL:    func.func @rows_of_groups
  // INTEL:            strategy #cpu.strategy<unit = #cpu.dot_u8s8, m = 6, n = 32> partition <rows = [64], by = 32> {
  // INTEL:            strategy #cpu.strategy<unit = #cpu.fma, m = 8, n = 32> partition <rows = [64], by = 32> {
  // INTEL:            strategy #cpu.strategy<unit = #cpu.dot_u8s8<digits = 3>, m = 8, n = 16>
  func.func @rows_of_groups(%h: tensor<?x256x!llama.q8b32>, %f: tensor<?x256xf32>, %d: tensor<?x256x!llama.x24b32>) -> (tensor<?x64xf32>, tensor<?x64xf32>, tensor<?x64xf32>) {
    %x = llama.kernel "bytes" (%ih = %h : tensor<?x256x!llama.q8b32>) -> tensor<?x64xf32> {
      %w = llama.weight_ref @g : !llama.weight<64x256, #llama.q4_0>
      %l = llama.linear %ih, %w : tensor<?x256x!llama.q8b32>, !llama.weight<64x256, #llama.q4_0> -> tensor<?x64xf32>
      llama.yield %l : tensor<?x64xf32>
    }
    %y = llama.kernel "floats" (%ih = %f : tensor<?x256xf32>) -> tensor<?x64xf32> {
      %w = llama.weight_ref @g : !llama.weight<64x256, #llama.q4_0>
      %l = llama.linear %ih, %w : tensor<?x256xf32>, !llama.weight<64x256, #llama.q4_0> -> tensor<?x64xf32>
      llama.yield %l : tensor<?x64xf32>
    }
    %z = llama.kernel "digits" (%ih = %d : tensor<?x256x!llama.x24b32>) -> tensor<?x64xf32> {
      %w = llama.weight_ref @g : !llama.weight<64x256, #llama.q4_0>
      %l = llama.linear %ih, %w : tensor<?x256x!llama.x24b32>, !llama.weight<64x256, #llama.q4_0> -> tensor<?x64xf32>
      llama.yield %l : tensor<?x64xf32>
    }
    return %x, %y, %z : tensor<?x64xf32>, tensor<?x64xf32>, tensor<?x64xf32>
  }

  // Of many rows a part has 64, but for units that decode a panel for all rows.
  // CHECK-LABEL:    func.func @rows_of_bytes
  // CHECK:            strategy #cpu.strategy<unit = #cpu.dot_u8s8, m = 8, n = 16> partition <rows = [48], by = 32, rows_by = 64>
  // CHECK:            strategy #cpu.strategy<unit = #cpu.dot_u8s8, m = 8, n = 16> partition <rows = [48], by = 32> {
  func.func @rows_of_bytes(%h: tensor<?x256x!llama.q8b32>) -> (tensor<?x48xf32>, tensor<?x48xf32>) {
    %y = llama.kernel "one_plane" (%ih = %h : tensor<?x256x!llama.q8b32>) -> tensor<?x48xf32> {
      %w = llama.weight_ref @r : !llama.weight<48x256, #llama.q4_0>
      %l = llama.linear %ih, %w : tensor<?x256x!llama.q8b32>, !llama.weight<48x256, #llama.q4_0> -> tensor<?x48xf32>
      llama.yield %l : tensor<?x48xf32>
    }
    %z = llama.kernel "two_planes" (%ih = %h : tensor<?x256x!llama.q8b32>) -> tensor<?x48xf32> {
      %w = llama.weight_ref @s : !llama.weight<48x256, #llama.q6_k>
      %l = llama.linear %ih, %w : tensor<?x256x!llama.q8b32>, !llama.weight<48x256, #llama.q6_k> -> tensor<?x48xf32>
      llama.yield %l : tensor<?x48xf32>
    }
    return %y, %z : tensor<?x48xf32>, tensor<?x48xf32>
  }

  // Three digits a column: the same tiles by the unit of three digits, and on a Zen 3
  // half of the groups in a tile of few rows.
  // CHECK-LABEL:    func.func @rows_of_digits
  // CHECK:            strategy #cpu.strategy<unit = #cpu.dot_u8s8<digits = 3>, m = 8, n = 16> partition <rows = [48], by = 32, rows_by = 64>
  // CHECK:              llama.linear {{.*}} order <unit = #cpu.dot_u8s8<digits = 3>, block = 32, scale = outer>
  // CHECK:            strategy #cpu.strategy<unit = #cpu.dot_u8s8<digits = 3>, m = 1, n = 16> partition <rows = [16384], by = 256>
  // ZEN3-LABEL:     func.func @rows_of_digits
  // ZEN3:             strategy #cpu.strategy<unit = #cpu.dot_u8s8<digits = 3>, m = 1, n = 32, prefetch = 1024> partition <rows = [16384], by = 256>
  // AVX2-LABEL:     func.func @rows_of_digits
  // AVX2:             strategy #cpu.strategy<unit = #cpu.dot_u8s8<digits = 3>, m = 4, n = 16> partition <rows = [48], by = 32, rows_by = 64>
  // AVX2:             strategy #cpu.strategy<unit = #cpu.dot_u8s8<digits = 3>, m = 1, n = 16, prefetch = 1024> partition <rows = [16384], by = 256>
  func.func @rows_of_digits(%h: tensor<?x256x!llama.x24b32>, %q: tensor<1x32x!llama.x24b32>) -> (tensor<?x48xf32>, tensor<1x16384xf32>) {
    %y = llama.kernel "many" (%ih = %h : tensor<?x256x!llama.x24b32>) -> tensor<?x48xf32> {
      %w = llama.weight_ref @r : !llama.weight<48x256, #llama.q4_0>
      %l = llama.linear %ih, %w : tensor<?x256x!llama.x24b32>, !llama.weight<48x256, #llama.q4_0> -> tensor<?x48xf32>
      llama.yield %l : tensor<?x48xf32>
    }
    %z = llama.kernel "one" (%iq = %q : tensor<1x32x!llama.x24b32>) -> tensor<1x16384xf32> {
      %w = llama.weight_ref @t : !llama.weight<16384x32, #llama.q8_0>
      %l = llama.linear %iq, %w : tensor<1x32x!llama.x24b32>, !llama.weight<16384x32, #llama.q8_0> -> tensor<1x16384xf32>
      llama.yield %l : tensor<1x16384xf32>
    }
    return %y, %z : tensor<?x48xf32>, tensor<1x16384xf32>
  }
  // end of CPU

  // GPU only
  // A row of the embedding is one tile, or a few equal ones, of up to 16 columns a thread.
  // GPU-LABEL:      func.func @embeddings
  // GPU:              llama.kernel "one" {{.*}} threads = 256, n = 4096> partition <of = rows, by = 1>
  // GPU:              llama.kernel "two" {{.*}} threads = 256, n = 2560> partition <of = rows, by = 1>
  llama.weight @e : 8x4096 formats [#llama.q4_0]
  llama.weight @f : 8x5120 formats [#llama.q4_0]
  func.func @embeddings(%ids: tensor<1xi32>) -> (tensor<1x4096xf32>, tensor<1x5120xf32>) {
    %x = llama.kernel "one" (%i = %ids : tensor<1xi32>) -> tensor<1x4096xf32> {
      %w = llama.weight_ref @e : !llama.weight<8x4096, #llama.q4_0>
      %r = llama.embed %i, %w : tensor<1xi32>, !llama.weight<8x4096, #llama.q4_0> -> tensor<1x4096xf32>
      llama.yield %r : tensor<1x4096xf32>
    }
    %y = llama.kernel "two" (%i = %ids : tensor<1xi32>) -> tensor<1x5120xf32> {
      %w = llama.weight_ref @f : !llama.weight<8x5120, #llama.q4_0>
      %r = llama.embed %i, %w : tensor<1xi32>, !llama.weight<8x5120, #llama.q4_0> -> tensor<1x5120xf32>
      llama.yield %r : tensor<1x5120xf32>
    }
    return %x, %y : tensor<1x4096xf32>, tensor<1x5120xf32>
  }

  // Rows of f16 are for tensor cores: a part is a tile of rows times a tile of the
  // weight; the order is the unit's own.
  // GPU-LABEL:      func.func @rows_of_halves
  // GPU:              strategy #cuda.strategy<unit = #cuda.mma, threads = 128, m = 64, n = 64, k = 32, stages = 2> partition <rows = [48], by = 64, rows_by = 64>
  // GPU:                llama.linear {{.*}} order <unit = #cuda.mma, block = 32, scale = outer> :
  func.func @rows_of_halves(%h: tensor<?x32xf16>) -> tensor<?x48xf32> {
    %y = llama.kernel "linear" (%ih = %h : tensor<?x32xf16>) -> tensor<?x48xf32> {
      %w = llama.weight_ref @w : !llama.weight<48x32, #llama.q4_0>
      %l = llama.linear %ih, %w : tensor<?x32xf16>, !llama.weight<48x32, #llama.q4_0> -> tensor<?x48xf32>
      llama.yield %l : tensor<?x48xf32>
    }
    return %y : tensor<?x48xf32>
  }

  // So are rows of bf16, by another instruction.
  // GPU-LABEL:      func.func @rows_of_bf16
  // GPU:              strategy #cuda.strategy<unit = #cuda.mma<bf16>, threads = 128, m = 64, n = 64, k = 32, stages = 2> partition <rows = [48], by = 64, rows_by = 64>
  // GPU:                llama.linear {{.*}} order <unit = #cuda.mma<bf16>, block = 32> :
  func.func @rows_of_bf16(%h: tensor<?x32xbf16>) -> tensor<?x48xf32> {
    %y = llama.kernel "linear" (%ih = %h : tensor<?x32xbf16>) -> tensor<?x48xf32> {
      %w = llama.weight_ref @b : !llama.weight<48x32, #llama.bf16>
      %l = llama.linear %ih, %w : tensor<?x32xbf16>, !llama.weight<48x32, #llama.bf16> -> tensor<?x48xf32>
      llama.yield %l : tensor<?x48xf32>
    }
    return %y : tensor<?x48xf32>
  }
  // end of GPU

  // A vocabulary is partitioned into parts of 64 rows, four tiles each. A CPU
  // reads one stream of a weight at a time; on a Zen 3 a tile of one row
  // has four groups of a weight where enough parts are left, of two rows two.
  // CHECK-LABEL:    func.func @a_vocabulary
  // CHECK:            strategy #cpu.strategy<unit = #cpu.fma, m = 1, n = 16> partition <rows = [16384], by = 256>
  // CHECK-LABEL:    func.func @quants_of_a_vocabulary
  // CHECK:            strategy #cpu.strategy<unit = #cpu.dot_u8s8, m = 1, n = 16> partition <rows = [16384], by = 256>
  // INTEL-LABEL:    func.func @a_vocabulary
  // INTEL:            strategy #cpu.strategy<unit = #cpu.fma, m = 1, n = 64, prefetch = 2048> partition <rows = [16384], by = 256>
  // ZEN3-LABEL:     func.func @a_vocabulary
  // ZEN3:             strategy #cpu.strategy<unit = #cpu.fma, m = 1, n = 64, prefetch = 1024> partition <rows = [16384], by = 256>
  // ZEN3-LABEL:     func.func @two_rows_of_a_vocabulary
  // ZEN3:             strategy #cpu.strategy<unit = #cpu.fma, m = 2, n = 32, prefetch = 1024> partition <rows = [16384], by = 256>
  // ZEN3-LABEL:     func.func @few_parts
  // ZEN3:             strategy #cpu.strategy<unit = #cpu.fma, m = 1, n = 32, prefetch = 1024> partition <rows = [1984], by = 32>
  // Quants are converted to floats, which takes the registers.
  // ZEN3-LABEL:     func.func @quants_of_a_vocabulary
  // ZEN3:             strategy #cpu.strategy<unit = #cpu.fma, m = 1, n = 16, prefetch = 1024> partition <rows = [16384], by = 256>
  // ZEN3:             strategy #cpu.strategy<unit = #cpu.dot_u8s8, m = 1, n = 64, prefetch = 1024> partition <rows = [16384], by = 256>
  // AVX2-LABEL:     func.func @a_vocabulary
  // AVX2:             strategy #cpu.strategy<unit = #cpu.fma, m = 1, n = 16, prefetch = 1024> partition <rows = [16384], by = 256>
  // GPU-LABEL:      func.func @a_vocabulary
  // GPU:              strategy #cuda.strategy<unit = #cuda.simt, threads = 256, n = 16> partition <rows = [16384], by = 64>
  // GPU:                llama.linear {{.*}} order <unit = #cuda.simt, block = 8, lanes = 32> :
  func.func @a_vocabulary(%h: tensor<1x32xf32>) -> tensor<1x16384xf32> {
    %y = llama.kernel "lm_head" (%ih = %h : tensor<1x32xf32>) -> tensor<1x16384xf32> {
      %w = llama.weight_ref @v : !llama.weight<16384x32, #llama.f16>
      %l = llama.linear %ih, %w : tensor<1x32xf32>, !llama.weight<16384x32, #llama.f16> -> tensor<1x16384xf32>
      llama.yield %l : tensor<1x16384xf32>
    }
    return %y : tensor<1x16384xf32>
  }

  func.func @two_rows_of_a_vocabulary(%h: tensor<?x32xf32>) -> tensor<?x16384xf32> attributes {llama.rows = 2} {
    %y = llama.kernel "lm_head" (%ih = %h : tensor<?x32xf32>) -> tensor<?x16384xf32> {
      %w = llama.weight_ref @v : !llama.weight<16384x32, #llama.f16>
      %l = llama.linear %ih, %w : tensor<?x32xf32>, !llama.weight<16384x32, #llama.f16> -> tensor<?x16384xf32>
      llama.yield %l : tensor<?x16384xf32>
    }
    return %y : tensor<?x16384xf32>
  }
  func.func @few_parts(%h: tensor<1x32xf32>) -> tensor<1x1984xf32> {
    %y = llama.kernel "linear" (%ih = %h : tensor<1x32xf32>) -> tensor<1x1984xf32> {
      %w = llama.weight_ref @u : !llama.weight<1984x32, #llama.f16>
      %l = llama.linear %ih, %w : tensor<1x32xf32>, !llama.weight<1984x32, #llama.f16> -> tensor<1x1984xf32>
      llama.yield %l : tensor<1x1984xf32>
    }
    return %y : tensor<1x1984xf32>
  }
  // CPU only: no unit of a GPU reads rows of 8 bits.
  func.func @quants_of_a_vocabulary(%h: tensor<1x32xf32>, %q: tensor<1x32x!llama.q8b32>) -> (tensor<1x16384xf32>, tensor<1x16384xf32>) {
    %y = llama.kernel "lm_head" (%ih = %h : tensor<1x32xf32>) -> tensor<1x16384xf32> {
      %w = llama.weight_ref @t : !llama.weight<16384x32, #llama.q8_0>
      %l = llama.linear %ih, %w : tensor<1x32xf32>, !llama.weight<16384x32, #llama.q8_0> -> tensor<1x16384xf32>
      llama.yield %l : tensor<1x16384xf32>
    }
    %z = llama.kernel "lm_head" (%iq = %q : tensor<1x32x!llama.q8b32>) -> tensor<1x16384xf32> {
      %w = llama.weight_ref @t : !llama.weight<16384x32, #llama.q8_0>
      %l = llama.linear %iq, %w : tensor<1x32x!llama.q8b32>, !llama.weight<16384x32, #llama.q8_0> -> tensor<1x16384xf32>
      llama.yield %l : tensor<1x16384xf32>
    }
    return %y, %z : tensor<1x16384xf32>, tensor<1x16384xf32>
  }
  // end of CPU

  // A part of decode's attention is a block of keys for all heads that share them.
  // GPU-LABEL:      func.func @attention
  // GPU:              strategy #cuda.strategy<unit = #cuda.simt, threads = 128, m = 2, n = 128> partition <of = keys, by = 256, times = 3>
  // GPU:                llama.attention_part {{.*}} order <block = 8, lanes = 128> :
  // GPU:              strategy #cuda.strategy<unit = #cuda.simt, threads = 128, n = 128> partition <of = rows, by = 1, times = 3>
  // GPU:                llama.attention {{.*}} order <block = 8, lanes = 128> :
  // Where forms need not agree, tensor cores compute many rows, a head of the query a part.
  // SPLIT-LABEL:    func.func @attention
  // SPLIT:            strategy #cuda.strategy<unit = #cuda.mma, threads = 128, m = 64, n = 64, k = 64> partition <of = rows, by = 64, times = 6>
  // SPLIT:              llama.attention {{.*}} order <unit = #cuda.mma> :
  // With 16 registers attention on many rows sums 16 elements of the head at once, on
  // few rows a line of each key's values.
  // AVX2-LABEL:     func.func @attention
  // AVX2:             strategy #cpu.strategy<unit = #cpu.fma, m = 2, n = 16, sums = 8>
  // AVX2:             strategy #cpu.strategy<unit = #cpu.fma, m = 4, n = 16, sums = 4>
  func.func @attention(%q: tensor<1x96xf32>, %qs: tensor<?x96xf32>, %kv: !llama.cache<2x3x16, f16>, %l: index, %pos: tensor<1xi32>, %ps: tensor<?xi32>) -> (tensor<1x6x?x18xf32>, tensor<?x96xf32>) {
    %p = llama.kernel "attn" (%iq = %q : tensor<1x96xf32>, %ikv = %kv : !llama.cache<2x3x16, f16>, %il = %l : index, %ip = %pos : tensor<1xi32>) -> tensor<1x6x?x18xf32> {
      %a = llama.attention_part %iq, %ikv[%il], %ip causal heads 6 keys 256 : tensor<1x96xf32>, <2x3x16, f16>, tensor<1xi32> -> tensor<1x6x?x18xf32>
      llama.yield %a : tensor<1x6x?x18xf32>
    }
    %y = llama.kernel "attn" (%iq = %qs : tensor<?x96xf32>, %ikv = %kv : !llama.cache<2x3x16, f16>, %il = %l : index, %ip = %ps : tensor<?xi32>) -> tensor<?x96xf32> {
      %a = llama.attention %iq, %ikv[%il], %ip causal heads 6 keys 256 : tensor<?x96xf32>, <2x3x16, f16>, tensor<?xi32>
      llama.yield %a : tensor<?x96xf32>
    }
    return %p, %y : tensor<1x6x?x18xf32>, tensor<?x96xf32>
  }
  // They multiply what the cache holds: not float32, and of heads whose rows are whole
  // groups of four elements, 128 at most.
  // SPLIT-LABEL:    func.func @attention_of_other_caches
  // SPLIT:            llama.attention {{.*}} order <block = 8, lanes = 128> : {{.*}}16, f16, f32>
  // SPLIT:            llama.attention {{.*}} order <block = 8, lanes = 128> : {{.*}}18, f16>
  // SPLIT:            llama.attention {{.*}} order <block = 8, lanes = 128> : {{.*}}132, f16>
  func.func @attention_of_other_caches(%q: tensor<?x16xf32>, %r: tensor<?x18xf32>, %s: tensor<?x132xf32>, %kv: !llama.cache<2x1x16, f16, f32>, %kw: !llama.cache<2x1x18, f16>, %kx: !llama.cache<2x1x132, f16>, %l: index, %pos: tensor<?xi32>) -> (tensor<?x16xf32>, tensor<?x18xf32>, tensor<?x132xf32>) {
    %x = llama.kernel "attn" (%iq = %q : tensor<?x16xf32>, %ikv = %kv : !llama.cache<2x1x16, f16, f32>, %il = %l : index, %ip = %pos : tensor<?xi32>) -> tensor<?x16xf32> {
      %a = llama.attention %iq, %ikv[%il], %ip causal heads 1 keys 64 : tensor<?x16xf32>, <2x1x16, f16, f32>, tensor<?xi32>
      llama.yield %a : tensor<?x16xf32>
    }
    %y = llama.kernel "attn" (%iq = %r : tensor<?x18xf32>, %ikv = %kw : !llama.cache<2x1x18, f16>, %il = %l : index, %ip = %pos : tensor<?xi32>) -> tensor<?x18xf32> {
      %a = llama.attention %iq, %ikv[%il], %ip causal heads 1 keys 64 : tensor<?x18xf32>, <2x1x18, f16>, tensor<?xi32>
      llama.yield %a : tensor<?x18xf32>
    }
    %z = llama.kernel "attn" (%iq = %s : tensor<?x132xf32>, %ikv = %kx : !llama.cache<2x1x132, f16>, %il = %l : index, %ip = %pos : tensor<?xi32>) -> tensor<?x132xf32> {
      %a = llama.attention %iq, %ikv[%il], %ip causal heads 1 keys 64 : tensor<?x132xf32>, <2x1x132, f16>, tensor<?xi32>
      llama.yield %a : tensor<?x132xf32>
    }
    return %x, %y, %z : tensor<?x16xf32>, tensor<?x18xf32>, tensor<?x132xf32>
  }
  // At most 8 of the heads that share keys are a part: two times 6 of 12.
  // GPU-LABEL:      func.func @many_heads_share_keys
  // GPU:              strategy #cuda.strategy<unit = #cuda.simt, threads = 128, m = 6, n = 128> partition <of = keys, by = 256, times = 2>
  func.func @many_heads_share_keys(%q: tensor<1x192xf32>, %kv: !llama.cache<2x1x16, f16>, %l: index, %pos: tensor<1xi32>) -> tensor<1x12x?x18xf32> {
    %p = llama.kernel "attn" (%iq = %q : tensor<1x192xf32>, %ikv = %kv : !llama.cache<2x1x16, f16>, %il = %l : index, %ip = %pos : tensor<1xi32>) -> tensor<1x12x?x18xf32> {
      %a = llama.attention_part %iq, %ikv[%il], %ip causal heads 12 keys 256 : tensor<1x192xf32>, <2x1x16, f16>, tensor<1xi32> -> tensor<1x12x?x18xf32>
      llama.yield %a : tensor<1x12x?x18xf32>
    }
    return %p : tensor<1x12x?x18xf32>
  }

  // A kernel that merges parts and no more has a part for each head.
  // GPU-LABEL:      func.func @merge
  // GPU:              strategy #cuda.strategy<unit = #cuda.simt, threads = 128, n = 128> partition <of = rows, by = 1, times = 6>
  func.func @merge(%p: tensor<1x6x?x18xf32>) -> tensor<1x96xf32> {
    %y = llama.kernel "merge" (%ip = %p : tensor<1x6x?x18xf32>) -> tensor<1x96xf32> {
      %a = llama.attention_merge %ip heads 6 keys 64 : tensor<1x6x?x18xf32> -> tensor<1x96xf32>
      llama.yield %a : tensor<1x96xf32>
    }
    return %y : tensor<1x96xf32>
  }

  // Products whose results meet in one element are one group, whatever ops stand
  // between them and in whatever order.
  // CHECK-LABEL:    func.func @products_that_meet
  // CHECK:            llama.kernel "gate_up" {{.*}} partition <rows = [48, 48], by = {{[0-9]+}}>
  // GPU-LABEL:      func.func @products_that_meet
  // GPU:              llama.kernel "gate_up" {{.*}} partition <rows = [48, 48], by = 16>
  func.func @products_that_meet(%x: tensor<1x32xf32>, %pos: tensor<1xi32>) -> (tensor<1x48xf32>, tensor<1x48xf32>) {
    %y:2 = llama.kernel "gate_up" (%ix = %x : tensor<1x32xf32>, %ipos = %pos : tensor<1xi32>) -> (tensor<1x48xf32>, tensor<1x48xf32>) {
      %w = llama.weight_ref @w : !llama.weight<48x32, #llama.q4_0>
      %a = llama.linear %ix, %w : tensor<1x32xf32>, !llama.weight<48x32, #llama.q4_0> -> tensor<1x48xf32>
      %c = llama.linear %ix, %w : tensor<1x32xf32>, !llama.weight<48x32, #llama.q4_0> -> tensor<1x48xf32>
      %b = llama.linear %ix, %w : tensor<1x32xf32>, !llama.weight<48x32, #llama.q4_0> -> tensor<1x48xf32>
      %s = llama.silu %a : tensor<1x48xf32>
      %r = llama.rope %b, %ipos base 1.0e+04 heads 3 : tensor<1x48xf32>, tensor<1xi32>
      %m = llama.mul %s, %r : tensor<1x48xf32>
      llama.yield %m, %c : tensor<1x48xf32>, tensor<1x48xf32>
    }
    return %y#0, %y#1 : tensor<1x48xf32>, tensor<1x48xf32>
  }
}
