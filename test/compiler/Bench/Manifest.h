//===- Manifest.h - a small manifest for the tests of bench ---------------===//

#ifndef CORELLAMA_TEST_COMPILER_BENCH_MANIFEST_H
#define CORELLAMA_TEST_COMPILER_BENCH_MANIFEST_H

namespace corellama::test {

/// Two layers of unlike kernels, a cache of 40 bytes a position, heads of 5 x
/// 4, and a head of the model of 7 rows by 10 columns.
inline constexpr const char *kManifest = R"({
  "checkpoint": {"name": "m.gguf"},
  "target": {"name": "x86-64-v3", "features": "+avx2,+fma", "vector_bits": 256},
  "activations": "q8",
  "cache": {"type_k": "f16", "type_v": "f16"},
  "memory": {"cache_per_position": 40},
  "config": {"layers": 2, "heads": 5, "kv_heads": 1, "head_size": 4, "context": 64},
  "tensors": [
    {"shape": [7, 10], "bytes": 140, "format": "f16"},
    {"shape": [3, 10], "bytes": 60, "format": "f16"},
    {"shape": [3, 10], "bytes": 18, "format": "q4_0"},
    {"shape": [10], "bytes": 40, "format": "f32"}
  ],
  "kernels": [
    {"name": "up.0", "strategy": "#cpu.strategy<unit = #cpu.fma, m = 1, n = 16>",
     "weights": [[1, 2]], "reads_cache": false},
    {"name": "up.1", "strategy": "#cpu.strategy<unit = #cpu.dot_u8s8, m = 1, n = 16>",
     "weights": [[1, 2]], "reads_cache": false},
    {"name": "attn", "strategy": "#cpu.strategy<unit = #cpu.fma, m = 1, n = 16>",
     "weights": [], "reads_cache": true},
    {"name": "lm_head", "strategy": "#cpu.strategy<unit = #cpu.fma, m = 1, n = 16>",
     "weights": [[0, 1]], "reads_cache": false}
  ],
  "forms": [
    {"rows": 1, "dispatches":
      [["up.0", 0], ["attn", 0], ["up.1", 1], ["attn", 1]]},
    {"rows": 8, "dispatches": [["attn", 0]]}
  ],
  "lm_heads": [{"rows": 1, "dispatches": [["lm_head", 0]]}]
})";

} // namespace corellama::test

#endif // CORELLAMA_TEST_COMPILER_BENCH_MANIFEST_H
