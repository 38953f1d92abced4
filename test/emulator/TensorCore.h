//===- TensorCore.h - what the 32 lanes of a warp compute together --------===//
//
// cuda.ldmatrix and cuda.mma at their semantics: registers of 32 lanes in,
// registers of 32 lanes out. Apart from EmulatorDevice because it is arithmetic
// and tables of the PTX ISA, and knows of no fibre.
//
//===----------------------------------------------------------------------===//

#ifndef CORELLAMA_TEST_EMULATOR_TENSORCORE_H
#define CORELLAMA_TEST_EMULATOR_TENSORCORE_H

#include <cstdint>

namespace corellama {

inline constexpr unsigned kWarpLanes = 32;

/// `count` matrices of 8 x 8 f16: lane 8 i + r names row r of matrix i, lane
/// l gets of each matrix the pair (l / 4, 2 (l mod 4)), or of the matrix
/// transposed.
void loadMatrices(const void *const (&rows)[kWarpLanes], unsigned count,
                  bool isTransposed, uint32_t *const (&registers)[kWarpLanes]);

struct MmaOperands {
  const uint32_t *a; // 4
  const uint32_t *b; // 2
  const float *c;    // 4
  float *d;          // 4
  /// Whether a and b are bf16, and not f16; the same for all lanes.
  bool isBF16;
};

/// d = a b + c, m16n8k16. A product of two f16 or bf16 is exact in float64; 16
/// of them and c are added there, k ascending, and the sum is rounded once to
/// float32.
/// A tensor core truncates when it aligns terms, so its last bits may differ;
/// the assignment of lanes to elements is the same.
void multiply(const MmaOperands (&lanes)[kWarpLanes]);

} // namespace corellama

#endif // CORELLAMA_TEST_EMULATOR_TENSORCORE_H
