// What attributes and types refuse, each message whole.
//
// RUN: %opt %s --split-input-file --verify-diagnostics

// expected-error @+1 {{block and lanes of an order are not negative}}
module attributes {order = #llama.reduction_order<unit = #cpu.fma, block = -1>} {}

// -----

// expected-error @+1 {{block and lanes of an order are not negative}}
module attributes {order = #llama.reduction_order<lanes = -16>} {}

// -----

// expected-error @+2 {{invalid kind of attribute specified}}
// expected-error @+1 {{failed to parse Llama_ReductionOrderAttr parameter 'unit' which is to be a `::corellama::llama::ContractionUnitInterface`}}
module attributes {order = #llama.reduction_order<unit = #llama.f32, block = 32>} {}

// -----

// expected-error @+1 {{lanes are added by a tree, so their number is a power of two, found 12}}
module attributes {order = #llama.reduction_order<lanes = 12>} {}

// -----

// expected-error @+1 {{a partition goes by positive steps}}
module attributes {partition = #llama.partition<rows = [32], by = 0>} {}

// -----

// expected-error @+1 {{struct is missing required parameter: by}}
module attributes {partition = #llama.partition<rows = [32]>} {}

// -----

// expected-error @+1 {{a partition is either of groups of weight rows, or of keys or rows}}
module attributes {partition = #llama.partition<by = 32>} {}

// -----

// expected-error @+1 {{a partition is either of groups of weight rows, or of keys or rows}}
module attributes {partition = #llama.partition<rows = [32], of = keys, by = 32>} {}

// -----

// expected-error @+2 {{expected one of [weights, keys, rows] for what a partition divides, got: heads}}
// expected-error @+1 {{failed to parse Llama_PartitionAttr parameter 'of' which is to be a `::corellama::llama::PartitionOf`}}
module attributes {partition = #llama.partition<of = heads, by = 1>} {}

// -----

// expected-error @+1 {{a group of a partition has 0 rows}}
module attributes {partition = #llama.partition<rows = [32, 0], by = 16>} {}

// -----

// expected-error @+1 {{duplicate or unknown struct parameter name: step}}
module attributes {partition = #llama.partition<rows = [32], step = 16>} {}

// -----

// expected-error @+1 {{the unit of a GPU's strategy is one of #cuda, found #cpu.fma}}
module attributes {strategy = #cuda.strategy<unit = #cpu.fma, threads = 256>} {}

// -----

// expected-error @+1 {{the unit of a CPU's strategy is one of #cpu, found #cuda.simt}}
module attributes {strategy = #cpu.strategy<unit = #cuda.simt, m = 1, n = 16>} {}

// -----

// expected-error @+1 {{a tile of a CPU is of 1 row, 1 column and 1 sum at least, found 0 x 16, 16 sums}}
module attributes {strategy = #cpu.strategy<unit = #cpu.fma, m = 0, n = 16>} {}

// -----

// expected-error @+1 {{a weight is fetched 0 to 16384 bytes ahead, found -64}}
module attributes {strategy = #cpu.strategy<unit = #cpu.fma, m = 1, n = 16, prefetch = -64>} {}

// -----

// expected-error @+1 {{a block of a GPU has a power of two of threads, 32 to 1024, found 96}}
module attributes {strategy = #cuda.strategy<unit = #cuda.simt, threads = 96>} {}

// -----

// expected-error @+1 {{a tile of a GPU is of 1 row and 0 columns at least, in 1 stage of depth 0 at least}}
module attributes {strategy = #cuda.strategy<unit = #cuda.simt, threads = 256, m = 0>} {}

// -----

// expected-error @+1 {{a size of the model is 0, not in 1..2147483647}}
module attributes {config = #llama.config<dim = 0, heads = 2, kv_heads = 1, head_size = 16, hidden = 48, vocabulary = 64, layers = 2, context_length = 2048>} {}

// -----

// expected-error @+1 {{3 heads cannot share 2 heads of keys and values}}
module attributes {config = #llama.config<dim = 48, heads = 3, kv_heads = 2, head_size = 16, hidden = 48, vocabulary = 64, layers = 2, context_length = 2048>} {}

// -----

// expected-error @+1 {{RoPE rotates pairs, so a head size is even, found 15}}
module attributes {config = #llama.config<dim = 30, heads = 2, kv_heads = 1, head_size = 15, hidden = 48, vocabulary = 64, layers = 2, context_length = 2048>} {}

// -----

// expected-error @+1 {{a weight has one or two extents, found 3}}
func.func private @weight(!llama.weight<2x32x32, #llama.q4_0>)

// -----

// expected-error @+1 {{extent 0 of a weight is not in 1..2147483647}}
func.func private @weight(!llama.weight<0x32, #llama.q4_0>)

// -----

// expected-error @+1 {{extent 2147483648 of a weight is not in 1..2147483647}}
func.func private @weight(!llama.weight<2147483648x32, #llama.q4_0>)

// -----

// expected-error @+1 {{rows of 48 columns are not a whole number of q4_0 blocks of 32; such a weight is stored as f16}}
func.func private @weight(!llama.weight<32x48, #llama.q4_0>)

// -----

// expected-error @+1 {{rows of 128 columns are not a whole number of q6_k blocks of 256; such a weight is stored as f16}}
func.func private @weight(!llama.weight<32x128, #llama.q6_k>)

// -----

// expected-error @+1 {{a cache is layers x heads x head size, found 2 extents}}
func.func private @cache(!llama.cache<2x16, f16>)

// -----

// expected-error @+1 {{extent 0 of a cache is not in 1..2147483647}}
func.func private @cache(!llama.cache<2x0x16, f16>)

// -----

// expected-error @+1 {{a cache holds f32, f16, bf16 or q8_0, found 'i8'}}
func.func private @cache(!llama.cache<2x1x16, i8>)

// -----

// expected-error @+1 {{a rotation turns pairs of columns, found 3 columns}}
module attributes {rotation = #llama.rotation<dims = 3>} {}

// -----

// expected-error @+1 {{a rule that scales has a factor of at least 1, and no other has one}}
module attributes {rotation = #llama.rotation<rule = linear>} {}

// -----

// expected-error @+1 {{a rule that scales has a factor of at least 1, and no other has one}}
module attributes {rotation = #llama.rotation<rule = linear, factor = 0.5>} {}

// -----

// expected-error @+1 {{a rule that scales has a factor of at least 1, and no other has one}}
module attributes {rotation = #llama.rotation<factor = 2.0>} {}

// -----

// expected-error @+1 {{llama3 and yarn have original, low and high, and no other rule has them}}
module attributes {rotation = #llama.rotation<rule = yarn, factor = 2.0>} {}

// -----

// expected-error @+1 {{the turns low are above 0 and below high}}
module attributes {rotation = #llama.rotation<rule = llama3, factor = 8.0, original = 64, low = 4.0, high = 4.0>} {}

// -----

// expected-error @+1 {{the magnitude is above 0 and below 65536}}
module attributes {rotation = #llama.rotation<magnitude = 0.0>} {}

// -----

// expected-error @+1 {{factors are numbers of at least 1}}
module attributes {rotation = #llama.rotation<factors = [1.0, 0.5]>} {}

// -----

// expected-error @+1 {{a cache holds f32, f16, bf16 or q8_0, found 'f64'}}
func.func private @values(!llama.cache<2x1x16, f16, f64>)

// -----

// expected-error @+1 {{a cache in q8_0 has heads of whole blocks of 32 elements, found heads of 48}}
func.func private @cache(!llama.cache<2x1x48, f16, q8_0>)

// -----

// expected-error @+1 {{a ring has a multiple of 16 positions, up to 2147483647, found 100}}
func.func private @ring(!llama.cache<2x1x16, f16 ring 100>)

// -----

// expected-error @+1 {{a ring has a multiple of 16 positions, up to 2147483647, found -16}}
func.func private @ring(!llama.cache<2x1x16, f16 ring -16>)

// -----

// expected-error @+1 {{reads rows of one digit (q8b32) or three (x24b32), found digits = 2}}
module attributes {unit = #cpu.dot_u8s8<digits = 2>} {}
