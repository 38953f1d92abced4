// RUN: %opt %pass %s --split-input-file --verify-diagnostics

// expected-error @below {{has no llama.target of a GPU; the driver sets it}}
module {
  func.func private @a_kernel(%ctx: !tile.context, %layer: i32, %begin: i32, %end: i32) {
    return
  }
}

// -----

// expected-error @below {{has no llama.target of a GPU; the driver sets it}}
module attributes {llama.target = #cpu.target<name = "x86-64-v3", vector_bits = 256>} {
  func.func private @a_kernel(%ctx: !tile.context, %layer: i32, %begin: i32, %end: i32) {
    return
  }
}

// -----

module attributes {llama.target = #cuda.target<name = "cuda:sm_80">} {
  // expected-error @below {{'func.func' op has no #cuda.strategy as llama.strategy; run llama-plan-kernels}}
  func.func private @no_strategy(%ctx: !tile.context, %layer: i32, %begin: i32, %end: i32) attributes {llama.partition = #llama.partition<rows = [16], by = 16>} {
    return
  }
}

// -----

#gpu = #cuda.strategy<unit = #cuda.simt, threads = 256, n = 16>
module attributes {llama.target = #cuda.target<name = "cuda:sm_80", workgroup_bytes = 166912>} {
  // expected-error @below {{'func.func' op 'a_row_too_long' needs 262144 bytes of workgroup memory, a block of cuda:sm_80 has at most 166912; the model's rows are too long for this target}}
  func.func private @a_row_too_long(%ctx: !tile.context, %layer: i32, %begin: i32, %end: i32) attributes {llama.partition = #llama.partition<rows = [16], by = 16>, llama.strategy = #gpu} {
    %c0 = arith.constant 0 : index
    %y = tile.buffer %ctx @y at 0 : memref<1x16xf32>
    %x = tile.buffer_rows %ctx @x at 128 : <1x65536xf32>
    %w = tile.weight %ctx @w : <16x65536, #llama.q8_0> in #llama.rowmajor_split index 0
    %t = tile.contract %x[%c0], %w[%c0] order <unit = #cuda.simt, block = 16, scale = outer, lanes = 32> : <1x65536xf32>, !llama.weight<16x65536, #llama.q8_0> -> vector<1x16xf32>
    tile.store %t, %y[%c0, %c0] : vector<1x16xf32>, memref<1x16xf32>
    return
  }
}

// -----

module attributes {llama.target = #cuda.target<name = "cuda:sm_80">} {
  // expected-error @below {{'func.func' op has no llama.partition; run llama-outline-kernels}}
  func.func private @no_parts(%ctx: !tile.context, %layer: i32, %begin: i32, %end: i32) attributes {llama.strategy = #cuda.strategy<unit = #cuda.simt, threads = 32, n = 32>} {
    return
  }
}

// -----

#gpu = #cuda.strategy<unit = #cuda.simt, threads = 256, n = 16>
module attributes {llama.target = #cuda.target<name = "cuda:sm_80">} {
  func.func private @a_cpus_layout(%ctx: !tile.context, %layer: i32, %begin: i32, %end: i32) attributes {llama.partition = #llama.partition<rows = [16], by = 16>, llama.strategy = #gpu} {
    // expected-error @below {{'tile.weight' op is read on a GPU as f32 where it is a vector and in rowmajor_split where it is a matrix, found '!llama.weight<16x32, #llama.q4_0>' in #llama.interleaved16<k = 4>}}
    %w = tile.weight %ctx @w : <16x32, #llama.q4_0> in #llama.interleaved16<k = 4> index 0
    return
  }
}

// -----

#gpu = #cuda.strategy<unit = #cuda.simt, threads = 128, n = 128>
module attributes {llama.target = #cuda.target<name = "cuda:sm_80">} {
  func.func private @keys_of_a_cpu(%ctx: !tile.context, %layer: i32, %begin: i32, %end: i32) attributes {llama.partition = #llama.partition<rows = [16], by = 16>, llama.strategy = #gpu} {
    %l = arith.index_castui %layer : i32 to index
    // expected-error @below {{'tile.cache' op is read on a GPU with keys and values in rowmajor and elements f32 or f16}}
    %kv = tile.cache %ctx[%l] : <2x1x16, f16> keys #llama.keys_interleaved16 values #llama.rowmajor
    return
  }
}

// -----

#gpu = #cuda.strategy<unit = #cuda.simt, threads = 256, n = 16>
module attributes {llama.target = #cuda.target<name = "cuda:sm_80">} {
  func.func private @the_order_of_a_cpu(%ctx: !tile.context, %layer: i32, %begin: i32, %end: i32) attributes {llama.partition = #llama.partition<rows = [16], by = 16>, llama.strategy = #gpu} {
    %c0 = arith.constant 0 : index
    %x = tile.buffer_rows %ctx @x at 0 : <1x32xf32>
    %w = tile.weight %ctx @w : <16x32, #llama.q8_0> in #llama.rowmajor_split index 0
    // expected-error @below {{'tile.contract' op the unit #cpu.fma has no lowering to a GPU's threads}}
    %y = tile.contract %x[%c0], %w[%c0] order <unit = #cpu.fma, block = 32, scale = outer> : <1x32xf32>, !llama.weight<16x32, #llama.q8_0> -> vector<1x16xf32>
    return
  }
}

// -----

#gpu = #cuda.strategy<unit = #cuda.simt, threads = 256, n = 256>
module attributes {llama.target = #cuda.target<name = "cuda:sm_80">} {
  func.func private @a_sum_over_other_lanes(%ctx: !tile.context, %layer: i32, %begin: i32, %end: i32) attributes {llama.partition = #llama.partition<rows = [16], by = 16>, llama.strategy = #gpu} {
    %c0 = arith.constant 0 : index
    %x = tile.buffer %ctx @x at 0 : memref<1x32xf32>
    // expected-error @below {{'tile.sum' op is a sum over the 256 threads of a block on a GPU, found #llama.reduction_order<lanes = 16>}}
    %s = tile.sum %x[%c0] order <lanes = 16> : memref<1x32xf32> -> vector<1xf32> {
    ^bb0(%a: f32):
      tile.yield %a
    }
    return
  }
}

// -----

#gpu = #cuda.strategy<unit = #cuda.simt, threads = 256, m = 2, n = 16>
module attributes {llama.target = #cuda.target<name = "cuda:sm_80">} {
  func.func private @two_rows_of_a_warp(%ctx: !tile.context, %layer: i32, %begin: i32, %end: i32) attributes {llama.partition = #llama.partition<rows = [16], by = 16>, llama.strategy = #gpu} {
    %c0 = arith.constant 0 : index
    %x = tile.buffer %ctx @x at 0 : memref<2x32xf32>
    // expected-error @below {{'tile.load' op has a tile of 2 x 16, which a block of #cuda.strategy<unit = #cuda.simt, threads = 256, m = 2, n = 16> has no way to share}}
    %t = tile.load %x[%c0, %c0] : memref<2x32xf32> -> vector<2x16xf32>
    return
  }
}

// -----

#gpu = #cuda.strategy<unit = #cuda.simt, threads = 256, n = 8>
module attributes {llama.target = #cuda.target<name = "cuda:sm_80">} {
  func.func private @a_pair_in_two_warps(%ctx: !tile.context, %layer: i32, %begin: i32, %end: i32) attributes {llama.partition = #llama.partition<rows = [16], by = 16>, llama.strategy = #gpu} {
    %c0 = arith.constant 0 : index
    %x = tile.buffer %ctx @x at 0 : memref<1x32xf32>
    %t = tile.load %x[%c0, %c0] : memref<1x32xf32> -> vector<1x8xf32>
    // expected-error @below {{'tile.swap_pairs' op swaps columns of two warps: a warp has 1 of 8}}
    %s = tile.swap_pairs %t : vector<1x8xf32>
    return
  }
}

// -----

#gpu = #cuda.strategy<unit = #cuda.simt, threads = 128, n = 128>
module attributes {llama.target = #cuda.target<name = "cuda:sm_80">} {
  func.func private @lanes_that_are_no_whole_stride(%ctx: !tile.context, %layer: i32, %begin: i32, %end: i32) attributes {llama.partition = #llama.partition<rows = [16], by = 16>, llama.strategy = #gpu} {
    %c0 = arith.constant 0 : index
    %x = tile.buffer %ctx @x at 0 : memref<1x16xf32>
    %t = tile.load %x[%c0, %c0] : memref<1x16xf32> -> vector<1x16xf32>
    // expected-error @below {{'tile.reduce_lanes' op adds columns that are whole strides of the threads, a power of two, found 16 for #cuda.strategy<unit = #cuda.simt, threads = 128, n = 128>}}
    %s = tile.reduce_lanes "add" %t : vector<1x16xf32> -> vector<1xf32>
    return
  }
}

// -----

#gpu = #cuda.strategy<unit = #cuda.simt, threads = 128, n = 128>
module attributes {llama.target = #cuda.target<name = "cuda:sm_80">} {
  func.func private @a_constant_of_many_values(%ctx: !tile.context, %layer: i32, %begin: i32, %end: i32) attributes {llama.partition = #llama.partition<rows = [16], by = 16>, llama.strategy = #gpu} {
    %c0 = arith.constant 0 : index
    %x = tile.buffer %ctx @x at 0 : memref<1x2xf32>
    %t = arith.constant dense<[[1.0, 2.0]]> : vector<1x2xf32>
    // expected-error @below {{'arith.addf' op uses a value that no thread has a share of}}
    %u = arith.addf %t, %t : vector<1x2xf32>
    tile.store %u, %x[%c0, %c0] : vector<1x2xf32>, memref<1x2xf32>
    return
  }
}

// -----

#gpu = #cuda.strategy<unit = #cuda.simt, threads = 128, n = 128>
module attributes {llama.target = #cuda.target<name = "cuda:sm_80">} {
  func.func private @a_loop_without_order(%ctx: !tile.context, %layer: i32, %begin: i32, %end: i32) attributes {llama.partition = #llama.partition<rows = [16], by = 16>, llama.strategy = #gpu} {
    %c0 = arith.constant 0 : index
    %c1 = arith.constant 1 : index
    %c4 = arith.constant 4 : index
    // expected-error @below {{'scf.parallel' op has no code for a GPU's threads}}
    scf.parallel (%i) = (%c0) to (%c4) step (%c1) {
      scf.reduce
    }
    return
  }
}

// -----

#gpu = #cuda.strategy<unit = #cuda.simt, threads = 256, n = 16>
module attributes {llama.target = #cuda.target<name = "cuda:sm_80">} {
  func.func private @a_panel(%ctx: !tile.context, %layer: i32, %begin: i32, %end: i32) attributes {llama.partition = #llama.partition<rows = [16], by = 16>, llama.strategy = #gpu} {
    %c0 = arith.constant 0 : index
    %w = tile.weight %ctx @w : <16x32, #llama.q8_0> in #llama.rowmajor_split index 0
    // expected-error @below {{'tile.panel' op has no code for a GPU's threads}}
    %p = tile.panel %w[%c0] : !llama.weight<16x32, #llama.q8_0> -> <16x32, #llama.q8_0, #cpu.fma>
    return
  }
}

// -----

#gpu = #cuda.strategy<unit = #cuda.simt, threads = 128, n = 128>
module attributes {llama.target = #cuda.target<name = "cuda:sm_80">} {
  func.func private @keys_of_one_lane_each(%ctx: !tile.context, %layer: i32, %begin: i32, %end: i32) attributes {llama.partition = #llama.partition<rows = [16], by = 16>, llama.strategy = #gpu} {
    %c0 = arith.constant 0 : index
    %l = arith.index_castui %layer : i32 to index
    %q = tile.buffer_rows %ctx @x at 0 : <1x16xf32>
    %kv = tile.cache %ctx[%l] : <2x1x16, f16> keys #llama.rowmajor values #llama.rowmajor
    // expected-error @below {{'tile.score_keys' op is on a GPU the sum of up to 32 lanes, of 16 bytes each, of keys that the threads of a block share, found 'vector<1x64xf32>' in #llama.reduction_order<block = 16, lanes = 1>}}
    %s = tile.score_keys %q[%c0], %kv[%c0, %c0] order <block = 16, lanes = 1> : <1x16xf32>, <2x1x16, f16> -> vector<1x64xf32>
    return
  }
}

// -----

#gpu = #cuda.strategy<unit = #cuda.simt, threads = 256, n = 16>
module attributes {llama.target = #cuda.target<name = "cuda:sm_80">} {
  func.func private @values_in_one_chain(%ctx: !tile.context, %layer: i32, %begin: i32, %end: i32) attributes {llama.partition = #llama.partition<rows = [16], by = 16>, llama.strategy = #gpu} {
    %c0 = arith.constant 0 : index
    %l = arith.index_castui %layer : i32 to index
    %weights = tile.scratch : memref<1x256xf32>
    %kv = tile.cache %ctx[%l] : <2x1x16, f16> keys #llama.rowmajor values #llama.rowmajor
    // expected-error @below {{'tile.sum_values' op is on a GPU the sum of chains that the threads of a block share, found 'vector<1x16xf32>' in no order}}
    %v = tile.sum_values %weights, %kv[%c0, %c0, %c0] count %c0 advance 0 : memref<1x256xf32>, <2x1x16, f16> -> vector<1x16xf32>
    return
  }
}

// -----

module attributes {llama.target = #cuda.target<name = "cuda:sm_80">} {
  func.func private @bf16_in_tensor_cores(%ctx: !tile.context, %layer: i32, %begin: i32, %end: i32) attributes {llama.partition = #llama.partition<rows = [16], by = 16>, llama.strategy = #cuda.strategy<unit = #cuda.mma, threads = 128, m = 64, n = 64, k = 32, stages = 2>} {
    %c0 = arith.constant 0 : index
    %x = tile.buffer_rows %ctx @x at 0 : <512x32xf16>
    %w = tile.weight %ctx @w : <64x32, #llama.bf16> in #llama.rowmajor_split index 0
    // expected-error @below {{'tile.contract' op the unit #cuda.mma does not multiply bf16 weights}}
    %r = tile.contract %x[%c0], %w[%c0] order <unit = #cuda.mma, block = 32> : <512x32xf16>, !llama.weight<64x32, #llama.bf16> -> vector<64x64xf32>
    return
  }
}

// -----

module attributes {llama.target = #cuda.target<name = "cuda:sm_80">} {
  func.func private @rows_of_no_whole_copies(%ctx: !tile.context, %layer: i32, %begin: i32, %end: i32) attributes {llama.partition = #llama.partition<rows = [16], by = 16>, llama.strategy = #cuda.strategy<unit = #cuda.mma, threads = 128, m = 64, n = 64, k = 32, stages = 2>} {
    %c0 = arith.constant 0 : index
    %x = tile.buffer_rows %ctx @x at 0 : <512x36xf16>
    %w = tile.weight %ctx @w : <64x36, #llama.f16> in #llama.rowmajor_split index 0
    // expected-error @below {{'tile.contract' op multiplies rows of a multiple of 8 columns in tensor cores, found '!tile.rows<512x36xf16>'}}
    %r = tile.contract %x[%c0], %w[%c0] order <unit = #cuda.mma, block = 32> : <512x36xf16>, !llama.weight<64x36, #llama.f16> -> vector<64x64xf32>
    return
  }
}

// -----

module attributes {llama.target = #cuda.target<name = "cuda:sm_80">} {
  func.func private @one_stage(%ctx: !tile.context, %layer: i32, %begin: i32, %end: i32) attributes {llama.partition = #llama.partition<rows = [16], by = 16>, llama.strategy = #cuda.strategy<unit = #cuda.mma, threads = 128, m = 64, n = 64, k = 32>} {
    %c0 = arith.constant 0 : index
    %x = tile.buffer_rows %ctx @x at 0 : <512x32xf16>
    %w = tile.weight %ctx @w : <64x32, #llama.f16> in #llama.rowmajor_split index 0
    // expected-error @below {{'tile.contract' op has code for 128 threads, m = 64, n = 64, k = 32 and 2 stages in tensor cores, found #cuda.strategy<unit = #cuda.mma, threads = 128, m = 64, n = 64, k = 32>}}
    %r = tile.contract %x[%c0], %w[%c0] order <unit = #cuda.mma, block = 32> : <512x32xf16>, !llama.weight<64x32, #llama.f16> -> vector<64x64xf32>
    return
  }
}

// -----

module attributes {llama.target = #cuda.target<name = "cuda:sm_80">} {
  func.func private @blocks_of_16(%ctx: !tile.context, %layer: i32, %begin: i32, %end: i32) attributes {llama.partition = #llama.partition<rows = [16], by = 16>, llama.strategy = #cuda.strategy<unit = #cuda.mma, threads = 128, m = 64, n = 64, k = 32, stages = 2>} {
    %c0 = arith.constant 0 : index
    %x = tile.buffer_rows %ctx @x at 0 : <512x32xf16>
    %w = tile.weight %ctx @w : <64x32, #llama.q8_0> in #llama.rowmajor_split index 0
    // expected-error @below {{'tile.contract' op the unit #cuda.mma sums a row of a q8_0 weight in the order #llama.reduction_order<unit = #cuda.mma, block = 32, scale = outer>, found #llama.reduction_order<unit = #cuda.mma, block = 16, scale = outer>}}
    %r = tile.contract %x[%c0], %w[%c0] order <unit = #cuda.mma, block = 16, scale = outer> : <512x32xf16>, !llama.weight<64x32, #llama.q8_0> -> vector<64x64xf32>
    return
  }
}

// -----

module attributes {llama.target = #cuda.target<name = "cuda:sm_80">} {
  func.func private @many_tiles_a_block(%ctx: !tile.context, %layer: i32, %begin: i32, %end: i32) attributes {llama.partition = #llama.partition<rows = [16], by = 16>, llama.strategy = #cuda.strategy<unit = #cuda.mma, threads = 128, m = 64, n = 64, k = 32, stages = 2>} {
    %c0 = arith.constant 0 : index
    %x = tile.buffer_rows %ctx @x at 0 : <512x32xf16>
    %w = tile.weight %ctx @w : <64x32, #llama.f16> in #llama.rowmajor_split index 0
    %c64 = arith.constant 64 : index
    %rows = tile.row_count %ctx
    scf.for %row = %c0 to %rows step %c64 {
    // expected-error @below {{'tile.contract' op stands in a loop; a block computes one tile in tensor cores}}
    %r = tile.contract %x[%row], %w[%c0] order <unit = #cuda.mma, block = 32> : <512x32xf16>, !llama.weight<64x32, #llama.f16> -> vector<64x64xf32>
    }
    return
  }
}

// -----

module attributes {llama.target = #cuda.target<name = "cuda:sm_80">} {
  func.func private @a_split_tile_of_32(%ctx: !tile.context, %layer: i32, %begin: i32, %end: i32) attributes {llama.partition = #llama.partition<rows = [32], by = 32>, llama.strategy = #cuda.strategy<unit = #cuda.mma_split, threads = 256, n = 32>} {
    %c0 = arith.constant 0 : index
    %x = tile.buffer_rows %ctx @x at 0 : <1x32xf32>
    %w = tile.weight %ctx @w : <32x32, #llama.q4_0> in #llama.rowmajor_split index 0
    // expected-error @below {{'tile.contract' op multiplies one row of float32 by 16 rows of a weight in memory, found 'vector<1x32xf32>' of '!tile.rows<1x32xf32>' for #cuda.strategy<unit = #cuda.mma_split, threads = 256, n = 32>}}
    %r = tile.contract %x[%c0], %w[%c0] order <unit = #cuda.mma_split, block = 32, scale = outer, lanes = 32> : <1x32xf32>, !llama.weight<32x32, #llama.q4_0> -> vector<1x32xf32>
    return
  }
}

// -----

module attributes {llama.target = #cuda.target<name = "cuda:sm_80">} {
  func.func private @float32_keys_in_tensor_cores(%ctx: !tile.context, %layer: i32, %begin: i32, %end: i32) attributes {llama.partition = #llama.partition<rows = [16], by = 16>, llama.strategy = #cuda.strategy<unit = #cuda.mma, threads = 128, m = 64, n = 64, k = 64>} {
    %c0 = arith.constant 0 : index
    %c64 = arith.constant 64 : index
    %count = tile.key_count %ctx
    %x = tile.buffer %ctx @x at 0 : memref<64x16xf32>
    %kv = tile.cache %ctx[%c0] : <2x1x16, f32> keys #llama.rowmajor values #llama.rowmajor
    %q = tile.stage %x[%c0] : memref<64x16xf32> -> <64x16xf32> {
    ^bb0(%a: f32):
      tile.yield %a
    }
    scf.for %first = %c0 to %count step %c64 {
      // expected-error @below {{'tile.score_keys' op has code in tensor cores for 64 rows and 64 keys of f16, whole groups of 4 elements, in a loop over blocks of them, found 'vector<64x64xf32>' and '!llama.cache<2x1x16, f32>' in #cuda.strategy<unit = #cuda.mma, threads = 128, m = 64, n = 64, k = 64>}}
      %s = tile.score_keys %q[%c0], %kv[%c0, %first] order <unit = #cuda.mma> : <64x16xf32>, <2x1x16, f32> -> vector<64x64xf32>
    }
    return
  }
}

// -----

module attributes {llama.target = #cuda.target<name = "cuda:sm_80">} {
  func.func private @values_without_scores(%ctx: !tile.context, %layer: i32, %begin: i32, %end: i32) attributes {llama.partition = #llama.partition<rows = [16], by = 16>, llama.strategy = #cuda.strategy<unit = #cuda.mma, threads = 128, m = 64, n = 64, k = 64>} {
    %c0 = arith.constant 0 : index
    %w = arith.constant dense<1.0> : vector<64x64xf32>
    %kv = tile.cache %ctx[%c0] : <2x1x16, f16> keys #llama.rowmajor values #llama.rowmajor
    // expected-error @below {{'tile.sum_values' op sums elements of known numbers behind their block's scores}}
    %o = tile.sum_values %w, %kv[%c0, %c0, %c0] count %c0 advance 1 order <unit = #cuda.mma> : vector<64x64xf32>, <2x1x16, f16> -> vector<64x16xf32>
    return
  }
}
