//===- BufferPlaces.h - the elements of a buffer, in memory -----*- C++ -*-===//
//
// A buffer's name and shape -> where each element is in the workspace, in any
// type of elements, and numbers from there and back. A file of its own because
// it knows bytes and no kernels.
//
//===----------------------------------------------------------------------===//

#ifndef CORELLAMA_TEST_PASSES_TESTING_BUFFERPLACES_H
#define CORELLAMA_TEST_PASSES_TESTING_BUFFERPLACES_H

#include "dialects/Llama/IR/LlamaDialect.h"
#include "dialects/Llama/Reference/Rounding.h"
#include "test/passes/Testing/TestModel.h"

namespace corellama::test {

using llama::reference::Number;

/// The numbers of an element type; those of records are not read so.
Number numberOf(mlir::Type element);
size_t bytesOf(Number number);
double readNumber(const uint8_t *at, Number number);
/// Returns the value as it is kept.
double writeNumber(uint8_t *at, Number number, double value);
/// A value near the middle of two numbers of 16 bits may become either of them:
/// one unit in the last place, or the smallest one. Nothing for float32.
double roundingStep(Number number, double value);

/// Elements of a buffer, as bytes from the workspace's first.
struct BufferPlaces {
  Number number;
  std::vector<size_t> bytes;
  /// Of rows rounded by blocks, the record of each element, and how many digits
  /// it has; else empty.
  std::vector<size_t> records;
  int digits = 0;
};
BufferPlaces bufferPlaces(TestModel &model, llvm::StringRef name,
                          llvm::ArrayRef<int64_t> shape);

/// Writes a row whose elements are at `first` of these places and behind it;
/// leaves the values as they are kept.
void writeRounded(uint8_t *memory, const BufferPlaces &places, size_t first,
                  llvm::MutableArrayRef<double> row);

} // namespace corellama::test

#endif // CORELLAMA_TEST_PASSES_TESTING_BUFFERPLACES_H
