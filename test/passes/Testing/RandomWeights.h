//===- RandomWeights.h - bytes of weights for tests of kernels ------------===//
//
// A format and a shape -> random bytes in the checkpoint's order, every one of
// which means a finite number. Apart from TestModel.h because it knows the
// bytes of formats and nothing else.
//
//===----------------------------------------------------------------------===//

#ifndef CORELLAMA_TEST_PASSES_TESTING_RANDOMWEIGHTS_H
#define CORELLAMA_TEST_PASSES_TESTING_RANDOMWEIGHTS_H

#include "dialects/Llama/Reference/FormatDecoder.h"
#include <random>
#include <vector>

namespace corellama::test {

/// Every pattern of quants occurs; scales are of both signs, some of them
/// subnormal, and such that values are of a size that products keep.
std::vector<uint8_t> randomWeight(llama::reference::Format format, int64_t rows,
                                  int64_t columns, std::mt19937 &random);

/// The same, but every number is an integer from 1 to 256, of either sign:
/// scales and minima are integers, quants take nearly all of their values.
std::vector<uint8_t> integerWeight(llama::reference::Format format,
                                   int64_t rows, int64_t columns,
                                   std::mt19937 &random);

/// All values, row after row.
std::vector<double> decodeWeight(llama::reference::Format format,
                                 llvm::ArrayRef<uint8_t> bytes, int64_t rows,
                                 int64_t columns);

/// Numbers as a weight in F32.
std::vector<uint8_t> toF32Bytes(llvm::ArrayRef<double> values);

} // namespace corellama::test

#endif // CORELLAMA_TEST_PASSES_TESTING_RANDOMWEIGHTS_H
