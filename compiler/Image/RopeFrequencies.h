//===- RopeFrequencies.h - the angle of each pair, a position -------------===//
//
// The module's `llama.rope_table` -> the frequencies that the image holds. A
// file of its own because programs, the emulator and tests need them, with an
// image or without.
//
//===----------------------------------------------------------------------===//

#ifndef CORELLAMA_COMPILER_IMAGE_ROPEFREQUENCIES_H
#define CORELLAMA_COMPILER_IMAGE_ROPEFREQUENCIES_H

#include "dialects/Llama/IR/LlamaDialect.h"
#include "runtime/ABI/Image.h"
#include "llvm/Support/Error.h"
#include <vector>

namespace corellama::image {

/// base^(-numerator / denominator), for a base from 1 to 1e30 and a quotient
/// from 0 to 1; relative error below 2^-90. The bits are the same on every
/// machine that compiles.
abi::DoubleDouble inversePower(double base, uint64_t numerator,
                               uint64_t denominator);

/// How each pair of a head turns: the formulas of `#llama.rotation`, whose bits
/// are the same on every machine that compiles.
llvm::Expected<std::vector<abi::PairRotation>>
makeRopeFrequencies(llama::RopeTableOp table);

} // namespace corellama::image

#endif // CORELLAMA_COMPILER_IMAGE_ROPEFREQUENCIES_H
