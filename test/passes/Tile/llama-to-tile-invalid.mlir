// RUN: %opt %pass %s --split-input-file --verify-diagnostics

llama.buffer @x : tensor<8x32xf32> at 0
llama.buffer @y : tensor<8x32xf32> at 1024
func.func private @two_rotations() attributes {llama.partition = #llama.partition<of = rows, by = 1>, llama.strategy = #cpu.strategy<unit = #cpu.fma, m = 1, n = 16>} {
  %x = llama.buffer_read @x at 0 : tensor<?x32xf32>
  %pos = llama.input positions : tensor<?xi32>
  // expected-note @below {{the other is here}}
  %y = llama.rope %x, %pos base 1.0e+04 heads 2 : tensor<?x32xf32>, tensor<?xi32>
  // expected-error @below {{'llama.rope' op turns heads of 16 by base 2.000000e+04, another heads of 16 by base 1.000000e+04; a program has one table of angles, give all the same}}
  %z = llama.rope %y, %pos base 2.0e+04 heads 2 : tensor<?x32xf32>, tensor<?xi32>
  llama.buffer_write %z, @y at 1024 : tensor<?x32xf32>
  return
}

// -----

llama.buffer @x : tensor<8x32xf32> at 0
llama.buffer @y : tensor<8x16xf32> at 1024
func.func private @a_norm_of_many_rows_before_a_product() attributes {llama.partition = #llama.partition<rows = [16], by = 32>, llama.strategy = #cpu.strategy<unit = #cpu.fma, m = 1, n = 16>} {
  %x = llama.buffer_read @x at 0 : tensor<?x32xf32>
  %g = llama.weight_ref @g : <32, #llama.f32> in #llama.rowmajor index 0
  // expected-error @below {{'llama.rms_norm' op can be staged for a product where a call has at most 16 rows; run llama-fuse-kernels, which leaves it as a kernel of its own where there are more}}
  %h = llama.rms_norm %x, %g eps 1.0e-05 order <lanes = 16> : tensor<?x32xf32>, <32, #llama.f32>
  %w = llama.weight_ref @w : <16x32, #llama.q8_0> in #llama.interleaved16<k = 4> index 1
  %y = llama.linear %h, %w order <unit = #cpu.fma, block = 32, scale = outer> : tensor<?x32xf32>, <16x32, #llama.q8_0> -> tensor<?x16xf32>
  llama.buffer_write %y, @y at 1024 : tensor<?x16xf32>
  return
}
llama.weight @g : 32 formats [#llama.f32]
llama.weight @w : 16x32 formats [#llama.q8_0]

// -----

llama.buffer @p : tensor<8x2x8x18xf32> at 0
llama.buffer @y : tensor<8x16xf32> at 16384
func.func private @a_merge_of_many_rows() attributes {llama.partition = #llama.partition<rows = [16], by = 32>, llama.strategy = #cpu.strategy<unit = #cpu.fma, m = 1, n = 16>} {
  %p = llama.buffer_read @p at 0 : tensor<?x2x?x18xf32>
  // expected-error @below {{'llama.attention_merge' op can be staged for a product where a call has at most 16 rows; run llama-fuse-kernels, which leaves it as a kernel of its own where there are more}}
  %a = llama.attention_merge %p heads 2 keys 256 : tensor<?x2x?x18xf32> -> tensor<?x32xf32>
  %w = llama.weight_ref @w : <16x32, #llama.q8_0> in #llama.interleaved16<k = 4> index 0
  %y = llama.linear %a, %w order <unit = #cpu.fma, block = 32, scale = outer> : tensor<?x32xf32>, <16x32, #llama.q8_0> -> tensor<?x16xf32>
  llama.buffer_write %y, @y at 16384 : tensor<?x16xf32>
  return
}
llama.weight @w : 16x32 formats [#llama.q8_0]

// -----

llama.buffer @p : tensor<1x2x8x18xf32> at 0
llama.buffer @y : tensor<1x16xf32> at 1152
func.func private @a_merge_of_blocks_of_unknown_size() attributes {llama.partition = #llama.partition<rows = [16], by = 32>, llama.strategy = #cpu.strategy<unit = #cpu.fma, m = 1, n = 16>} {
  %p = llama.buffer_read @p at 0 : tensor<1x2x?x18xf32>
  // expected-error @below {{'llama.attention_merge' op reads its parts from a buffer and names the keys of a block; run llama-split-attention}}
  %a = llama.attention_merge %p heads 2 : tensor<1x2x?x18xf32> -> tensor<1x32xf32>
  %w = llama.weight_ref @w : <16x32, #llama.q8_0> in #llama.interleaved16<k = 4> index 0
  %y = llama.linear %a, %w order <unit = #cpu.fma, block = 32, scale = outer> : tensor<1x32xf32>, <16x32, #llama.q8_0> -> tensor<1x16xf32>
  llama.buffer_write %y, @y at 1152 : tensor<1x16xf32>
  return
}
llama.weight @w : 16x32 formats [#llama.q8_0]

// -----

llama.buffer @x : tensor<1x32xf32> at 0
llama.buffer @y : tensor<1x16xf32> at 128
func.func private @a_product_of_what_is_no_row() attributes {llama.partition = #llama.partition<rows = [16], by = 32>, llama.strategy = #cpu.strategy<unit = #cpu.fma, m = 1, n = 16>} {
  %x = llama.buffer_read @x at 0 : tensor<1x32xf32>
  // expected-error @below {{'llama.add' op gives no rows that a product can read; it should be a kernel of its own}}
  %h = llama.add %x, %x : tensor<1x32xf32>
  %w = llama.weight_ref @w : <16x32, #llama.q8_0> in #llama.interleaved16<k = 4> index 0
  %y = llama.linear %h, %w order <unit = #cpu.fma, block = 32, scale = outer> : tensor<1x32xf32>, <16x32, #llama.q8_0> -> tensor<1x16xf32>
  llama.buffer_write %y, @y at 128 : tensor<1x16xf32>
  return
}
llama.weight @w : 16x32 formats [#llama.q8_0]

// -----

llama.buffer @x : tensor<1x32xf32> at 0
llama.buffer @y : tensor<1x32xf32> at 128
func.func private @a_norm_in_an_epilogue() attributes {llama.partition = #llama.partition<rows = [32], by = 32>, llama.strategy = #cpu.strategy<unit = #cpu.fma, m = 1, n = 16>} {
  %x = llama.buffer_read @x at 0 : tensor<1x32xf32>
  %g = llama.weight_ref @g : <32, #llama.f32> in #llama.rowmajor index 0
  %w = llama.weight_ref @w : <32x32, #llama.q8_0> in #llama.interleaved16<k = 4> index 1
  %y = llama.linear %x, %w order <unit = #cpu.fma, block = 32, scale = outer> : tensor<1x32xf32>, <32x32, #llama.q8_0> -> tensor<1x32xf32>
  // expected-error @below {{'llama.rms_norm' op is needed tile by tile in a kernel that is not row-wise}}
  %h = llama.rms_norm %x, %g eps 1.0e-05 order <lanes = 16> : tensor<1x32xf32>, <32, #llama.f32>
  %z = llama.add %y, %h : tensor<1x32xf32>
  llama.buffer_write %z, @y at 128 : tensor<1x32xf32>
  return
}
llama.weight @g : 32 formats [#llama.f32]
llama.weight @w : 32x32 formats [#llama.q8_0]

// -----

llama.buffer @x : tensor<1x32xf32> at 0
func.func private @a_product_that_nobody_keeps() attributes {llama.partition = #llama.partition<rows = [16], by = 32>, llama.strategy = #cpu.strategy<unit = #cpu.fma, m = 1, n = 16>} {
  %x = llama.buffer_read @x at 0 : tensor<1x32xf32>
  %w = llama.weight_ref @w : <16x32, #llama.q8_0> in #llama.interleaved16<k = 4> index 0
  // expected-error @below {{'llama.linear' op leaves the kernel in no buffer and no cache}}
  %y = llama.linear %x, %w order <unit = #cpu.fma, block = 32, scale = outer> : tensor<1x32xf32>, <16x32, #llama.q8_0> -> tensor<1x16xf32>
  return
}
llama.weight @w : 16x32 formats [#llama.q8_0]

// -----

llama.buffer @x : tensor<1x32xf32> at 0
llama.buffer @y : tensor<1x16xf32> at 128
// expected-error @below {{'func.func' op is partitioned as #llama.partition<rows = [16, 16], by = 32>, its ops and its tile of 1 x 16 ask for #llama.partition<rows = [16], by = 32>}}
func.func private @a_partition_of_other_groups() attributes {llama.partition = #llama.partition<rows = [16, 16], by = 32>, llama.strategy = #cpu.strategy<unit = #cpu.fma, m = 1, n = 16>} {
  %x = llama.buffer_read @x at 0 : tensor<1x32xf32>
  %w = llama.weight_ref @w : <16x32, #llama.q8_0> in #llama.interleaved16<k = 4> index 0
  %y = llama.linear %x, %w order <unit = #cpu.fma, block = 32, scale = outer> : tensor<1x32xf32>, <16x32, #llama.q8_0> -> tensor<1x16xf32>
  llama.buffer_write %y, @y at 128 : tensor<1x16xf32>
  return
}
llama.weight @w : 16x32 formats [#llama.q8_0]

// -----

llama.buffer @x : tensor<1x32xf32> at 0
llama.buffer @y : tensor<1x32xf32> at 128
func.func private @a_norm_of_what_is_in_no_buffer() attributes {llama.partition = #llama.partition<of = rows, by = 4>, llama.strategy = #cpu.strategy<unit = #cpu.fma, m = 1, n = 16>} {
  %x = llama.buffer_read @x at 0 : tensor<1x32xf32>
  %g = llama.weight_ref @g : <32, #llama.f32> in #llama.rowmajor index 0
  %d = llama.add %x, %x : tensor<1x32xf32>
  // expected-error @below {{'llama.rms_norm' op normalises a value that is not in a buffer}}
  %h = llama.rms_norm %d, %g eps 1.0e-05 order <lanes = 16> : tensor<1x32xf32>, <32, #llama.f32>
  llama.buffer_write %h, @y at 128 : tensor<1x32xf32>
  return
}
llama.weight @g : 32 formats [#llama.f32]

// -----

llama.buffer @q : tensor<1x32xf32> at 0
llama.cache_layout !llama.cache<2x1x16, f16> keys #llama.keys_interleaved16 values #llama.rowmajor
func.func private @parts_that_nobody_keeps(%l: index) attributes {llama.partition = #llama.partition<of = keys, by = 256>, llama.strategy = #cpu.strategy<unit = #cpu.fma, m = 2, n = 16>} {
  %q = llama.buffer_read @q at 0 : tensor<1x32xf32>
  %kv = llama.input cache : !llama.cache<2x1x16, f16>
  %pos = llama.input positions : tensor<1xi32>
  // expected-error @below {{'llama.attention_part' op reads its query from a buffer and leaves its parts in one}}
  %p = llama.attention_part %q, %kv[%l], %pos causal heads 2 keys 256 order <lanes = 16> : tensor<1x32xf32>, <2x1x16, f16>, tensor<1xi32> -> tensor<1x2x?x18xf32>
  return
}

// -----

llama.buffer @q : tensor<8x32xf32> at 0
llama.buffer @a : tensor<8x32xf32> at 1024
llama.cache_layout !llama.cache<2x1x16, f16> keys #llama.keys_interleaved16 values #llama.rowmajor
func.func private @attention_over_all_keys_at_once(%l: index) attributes {llama.partition = #llama.partition<of = rows, by = 8>, llama.strategy = #cpu.strategy<unit = #cpu.fma, m = 8, n = 16>} {
  %q = llama.buffer_read @q at 0 : tensor<?x32xf32>
  %kv = llama.input cache : !llama.cache<2x1x16, f16>
  %pos = llama.input positions : tensor<?xi32>
  // expected-error @below {{'llama.attention' op has its keys in blocks, reads its query from a buffer and leaves its result in one; run llama-split-attention and llama-fuse-kernels}}
  %a = llama.attention %q, %kv[%l], %pos causal heads 2 order <lanes = 16> : tensor<?x32xf32>, <2x1x16, f16>, tensor<?xi32>
  llama.buffer_write %a, @a at 1024 : tensor<?x32xf32>
  return
}

// -----

llama.buffer @x : tensor<1x32xf32> at 0
func.func private @a_buffer_without_an_offset() attributes {llama.partition = #llama.partition<of = rows, by = 4>, llama.strategy = #cpu.strategy<unit = #cpu.fma, m = 1, n = 16>} {
  // expected-error @below {{'llama.buffer_read' op has no offset; llama-assign-buffers sets it}}
  %x = llama.buffer_read @x : tensor<1x32xf32>
  llama.buffer_write %x, @x : tensor<1x32xf32>
  return
}

// -----

llama.buffer @x : tensor<1x32xf32> at 0
llama.buffer @y : tensor<1x16xf32> at 128
func.func private @a_reference_without_a_layout() attributes {llama.partition = #llama.partition<rows = [16], by = 32>, llama.strategy = #cpu.strategy<unit = #cpu.fma, m = 1, n = 16>} {
  %x = llama.buffer_read @x at 0 : tensor<1x32xf32>
  // expected-error @below {{'llama.weight_ref' op has no layout and index; llama-resolve-weight-references sets it}}
  %w = llama.weight_ref @w : <16x32, #llama.q8_0>
  %y = llama.linear %x, %w order <unit = #cpu.fma, block = 32, scale = outer> : tensor<1x32xf32>, <16x32, #llama.q8_0> -> tensor<1x16xf32>
  llama.buffer_write %y, @y at 128 : tensor<1x16xf32>
  return
}
llama.weight @w : 16x32 formats [#llama.q8_0]

// -----

llama.buffer @x : tensor<1x32xf32> at 0
llama.buffer @y : tensor<1x16xf32> at 128
func.func private @a_sum_in_no_order() attributes {llama.partition = #llama.partition<rows = [16], by = 32>, llama.strategy = #cpu.strategy<unit = #cpu.fma, m = 1, n = 16>} {
  %x = llama.buffer_read @x at 0 : tensor<1x32xf32>
  %w = llama.weight_ref @w : <16x32, #llama.q8_0> in #llama.interleaved16<k = 4> index 0
  // expected-error @below {{'llama.linear' op has no order for its sums; llama-plan-kernels sets it}}
  %y = llama.linear %x, %w : tensor<1x32xf32>, <16x32, #llama.q8_0> -> tensor<1x16xf32>
  llama.buffer_write %y, @y at 128 : tensor<1x16xf32>
  return
}
llama.weight @w : 16x32 formats [#llama.q8_0]

// -----

llama.buffer @q : tensor<1x96xf32> at 0
llama.buffer @p : tensor<1x6x8x18xf32> at 384
llama.cache_layout !llama.cache<2x2x16, f16> keys #llama.rowmajor values #llama.rowmajor
// expected-error @below {{'func.func' op has a tile of 2 heads, which 6 heads in groups of 3 cannot be shared out to}}
func.func private @a_part_of_two_heads_of_keys(%l: index) attributes {llama.partition = #llama.partition<of = keys, by = 256, times = 3>, llama.strategy = #cpu.strategy<unit = #cpu.fma, m = 2, n = 16>} {
  %q = llama.buffer_read @q at 0 : tensor<1x96xf32>
  %kv = llama.input cache : !llama.cache<2x2x16, f16>
  %pos = llama.input positions : tensor<1xi32>
  %p = llama.attention_part %q, %kv[%l], %pos causal heads 6 keys 256 order <lanes = 16> : tensor<1x96xf32>, <2x2x16, f16>, tensor<1xi32> -> tensor<1x6x?x18xf32>
  llama.buffer_write %p, @p at 384 : tensor<1x6x?x18xf32>
  return
}

// -----

llama.buffer @q : tensor<1x32xf32> at 0
llama.buffer @p : tensor<1x2x8x18xf32> at 128
func.func private @a_cache_without_a_layout(%l: index) attributes {llama.partition = #llama.partition<of = keys, by = 256>, llama.strategy = #cpu.strategy<unit = #cpu.fma, m = 2, n = 16>} {
  %q = llama.buffer_read @q at 0 : tensor<1x32xf32>
  %kv = llama.input cache : !llama.cache<2x1x16, f16>
  %pos = llama.input positions : tensor<1xi32>
  // expected-error @below {{'llama.attention_part' op uses a cache and the module has no llama.cache_layout; llama-plan-layouts makes it}}
  %p = llama.attention_part %q, %kv[%l], %pos causal heads 2 keys 256 order <lanes = 16> : tensor<1x32xf32>, <2x1x16, f16>, tensor<1xi32> -> tensor<1x2x?x18xf32>
  llama.buffer_write %p, @p at 128 : tensor<1x2x?x18xf32>
  return
}

// -----

llama.buffer @x : tensor<1x32xf32> at 0
// expected-error @below {{'func.func' op has a strategy of 300 x 16 rows; a tile has 1 to 256 rows of x and a multiple of 16 up to 4096 of a weight, of keys or of columns, and at most 65536 elements}}
func.func private @a_tile_of_many_rows() attributes {llama.partition = #llama.partition<of = rows, by = 4>, llama.strategy = #cpu.strategy<unit = #cpu.fma, m = 300, n = 16>} {
  %x = llama.buffer_read @x at 0 : tensor<1x32xf32>
  llama.buffer_write %x, @x at 0 : tensor<1x32xf32>
  return
}

// -----

llama.buffer @x : tensor<1x32xf32> at 0
llama.buffer @y : tensor<1x16xf32> at 128
// expected-error @below {{'func.func' op has a strategy of 1 x 20 rows; a tile has 1 to 256 rows of x and a multiple of 16 up to 4096 of a weight, of keys or of columns, and at most 65536 elements}}
func.func private @a_tile_across_groups() attributes {llama.partition = #llama.partition<rows = [16], by = 32>, llama.strategy = #cpu.strategy<unit = #cpu.fma, m = 1, n = 20>} {
  %x = llama.buffer_read @x at 0 : tensor<1x32xf32>
  %w = llama.weight_ref @w : <16x32, #llama.q8_0> in #llama.interleaved16<k = 4> index 0
  %y = llama.linear %x, %w order <unit = #cpu.fma, block = 32, scale = outer> : tensor<1x32xf32>, <16x32, #llama.q8_0> -> tensor<1x16xf32>
  llama.buffer_write %y, @y at 128 : tensor<1x16xf32>
  return
}
llama.weight @w : 16x32 formats [#llama.q8_0]

// -----

// expected-error @below {{'llama.buffer' op is of rows x columns, found 'tensor<32xf32>'}}
llama.buffer @x : tensor<32xf32> at 0
func.func private @a_buffer_without_rows() attributes {llama.partition = #llama.partition<of = rows, by = 4>, llama.strategy = #cpu.strategy<unit = #cpu.fma, m = 1, n = 16>} {
  %x = llama.buffer_read @x at 0 : tensor<32xf32>
  llama.buffer_write %x, @x at 0 : tensor<32xf32>
  return
}

// -----

llama.buffer @x : tensor<1x32xf32> at 0
// expected-error @below {{'func.func' op has no strategy as llama.strategy, which says how large a tile is; llama-outline-kernels sets it from the kernel}}
func.func private @a_kernel_without_a_strategy() attributes {llama.partition = #llama.partition<of = rows, by = 4>} {
  %x = llama.buffer_read @x at 0 : tensor<1x32xf32>
  llama.buffer_write %x, @x at 0 : tensor<1x32xf32>
  return
}

// -----

llama.buffer @x : tensor<1x32xf32> at 0
// expected-error @below {{'func.func' op has no strategy as llama.strategy, which says how large a tile is; llama-outline-kernels sets it from the kernel}}
func.func private @a_number_as_a_strategy() attributes {llama.partition = #llama.partition<of = rows, by = 4>, llama.strategy = 5 : i32} {
  %x = llama.buffer_read @x at 0 : tensor<1x32xf32>
  llama.buffer_write %x, @x at 0 : tensor<1x32xf32>
  return
}

// -----

llama.buffer @x : tensor<64x32xf32> at 0
llama.buffer @y : tensor<64x32x!llama.q8b32> at 8192
func.func private @rows_rounded_where_a_part_is_a_tile() attributes {llama.partition = #llama.partition<rows = [32], by = 32, rows_by = 8>, llama.strategy = #cpu.strategy<unit = #cpu.fma, m = 8, n = 32>} {
  %x = llama.buffer_read @x at 0 : tensor<?x32xf32>
  %w = llama.weight_ref @w : <32x32, #llama.q8_0> in #llama.interleaved16<k = 4> index 0
  %y = llama.linear %x, %w order <unit = #cpu.fma, block = 32, scale = outer> : tensor<?x32xf32>, <32x32, #llama.q8_0> -> tensor<?x32xf32>
  %r = llama.quantize %y : tensor<?x32xf32> to tensor<?x32x!llama.q8b32>
  // expected-error @below {{'llama.buffer_write' op is rounded by blocks of a row, and a part is one tile}}
  llama.buffer_write %r, @y at 8192 : tensor<?x32x!llama.q8b32>
  return
}
llama.weight @w : 32x32 formats [#llama.q8_0]

// -----

llama.buffer @x : tensor<8x32xf32> at 0
llama.buffer @y : tensor<8x16xf32> at 1024
func.func private @a_norm_of_wanted_rows_before_a_product() attributes {llama.rows = 4, llama.partition = #llama.partition<rows = [16], by = 32>, llama.strategy = #cpu.strategy<unit = #cpu.fma, m = 4, n = 16>} {
  %wanted = llama.input wanted : tensor<?xi32>
  %x = llama.buffer_read @x[%wanted : tensor<?xi32>] at 0 : tensor<?x32xf32>
  %g = llama.weight_ref @g : <32, #llama.f32> in #llama.rowmajor index 0
  // expected-error @below {{'llama.rms_norm' op can be staged for a product where its rows lie side by side in a buffer; run llama-fuse-kernels, which leaves others as kernels of their own}}
  %h = llama.rms_norm %x, %g eps 1.0e-05 order <lanes = 16> : tensor<?x32xf32>, <32, #llama.f32>
  %w = llama.weight_ref @w : <16x32, #llama.q8_0> in #llama.interleaved16<k = 4> index 1
  %y = llama.linear %h, %w order <unit = #cpu.fma, block = 32, scale = outer> : tensor<?x32xf32>, <16x32, #llama.q8_0> -> tensor<?x16xf32>
  llama.buffer_write %y, @y at 1024 : tensor<?x16xf32>
  return
}
llama.weight @g : 32 formats [#llama.f32]
llama.weight @w : 16x32 formats [#llama.q8_0]

// -----

llama.buffer @x : tensor<8x32xf32> at 0
llama.buffer @y : tensor<8x16xf32> at 1024
func.func private @a_product_of_wanted_rows() attributes {llama.rows = 4, llama.partition = #llama.partition<rows = [16], by = 32>, llama.strategy = #cpu.strategy<unit = #cpu.fma, m = 4, n = 16>} {
  %wanted = llama.input wanted : tensor<?xi32>
  %x = llama.buffer_read @x[%wanted : tensor<?xi32>] at 0 : tensor<?x32xf32>
  %w = llama.weight_ref @w : <16x32, #llama.q8_0> in #llama.interleaved16<k = 4> index 0
  // expected-error @below {{'llama.linear' op reads the wanted rows in tiles of 4, which they do not fill side by side; run llama-fuse-kernels, which gathers them}}
  %y = llama.linear %x, %w order <unit = #cpu.fma, block = 32, scale = outer> : tensor<?x32xf32>, <16x32, #llama.q8_0> -> tensor<?x16xf32>
  llama.buffer_write %y, @y at 1024 : tensor<?x16xf32>
  return
}
llama.weight @w : 16x32 formats [#llama.q8_0]

// -----

llama.buffer @x : tensor<8x16xf32> at 0
llama.buffer @h : tensor<8x32xf32> at 512
llama.buffer @y : tensor<8x16xf32> at 1536
func.func private @wanted_rows_in_an_epilogue() attributes {llama.rows = 4, llama.partition = #llama.partition<rows = [16], by = 32>, llama.strategy = #cpu.strategy<unit = #cpu.fma, m = 4, n = 16>} {
  %wanted = llama.input wanted : tensor<?xi32>
  // expected-error @below {{'llama.buffer_read' op gives the wanted rows in tiles of 4, which they do not fill side by side; run llama-fuse-kernels, which gathers them}}
  %x = llama.buffer_read @x[%wanted : tensor<?xi32>] at 0 : tensor<?x16xf32>
  %h = llama.buffer_read @h at 512 : tensor<?x32xf32>
  %w = llama.weight_ref @w : <16x32, #llama.q8_0> in #llama.interleaved16<k = 4> index 0
  %d = llama.linear %h, %w order <unit = #cpu.fma, block = 32, scale = outer> : tensor<?x32xf32>, <16x32, #llama.q8_0> -> tensor<?x16xf32>
  %y = llama.add %x, %d : tensor<?x16xf32>
  llama.buffer_write %y, @y at 1536 : tensor<?x16xf32>
  return
}
llama.weight @w : 16x32 formats [#llama.q8_0]
