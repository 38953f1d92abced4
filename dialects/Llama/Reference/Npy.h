//===- Npy.h - read and write .npy files ------------------------*- C++ -*-===//
//
// NumPy's array file, versions 1 to 3, little endian, C order, of five element
// types. A file of its own because input is hostile until every size in it is
// checked, and because the reader knows nothing of the dialect.
//
//===----------------------------------------------------------------------===//

#ifndef CORELLAMA_DIALECTS_LLAMA_REFERENCE_NPY_H
#define CORELLAMA_DIALECTS_LLAMA_REFERENCE_NPY_H

#include "dialects/Llama/Reference/Datum.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"
#include <memory>

namespace llvm {
class raw_ostream;
} // namespace llvm

namespace corellama::llama::reference {

enum class NpyType { Float32, Float64, Int32, Int64, UInt8 };

/// NumPy's name: "float32".
llvm::StringRef npyTypeName(NpyType type);
int64_t npyTypeBytes(NpyType type);

struct NpyArray {
  NpyType type = NpyType::Float64;
  Shape shape;
  /// Exactly the elements, C order, little endian.
  std::shared_ptr<std::vector<uint8_t>> bytes;

  bool isFloat() const {
    return type == NpyType::Float32 || type == NpyType::Float64;
  }
  bool isInteger() const {
    return type == NpyType::Int32 || type == NpyType::Int64;
  }
  /// The elements of the array; isFloat() or isInteger() must hold.
  std::vector<double> toDoubles() const;
  std::vector<int64_t> toIntegers() const;
};

/// Parses a file's contents. Messages do not name the file.
llvm::Expected<NpyArray> parseNpy(llvm::ArrayRef<uint8_t> file);
/// Reads a file; messages begin with its name.
llvm::Expected<NpyArray> readNpy(llvm::StringRef path);

/// Writes version 1.0: float64 and int64 arrays.
void writeNpy(llvm::raw_ostream &out, const Tensor &tensor);
void writeNpy(llvm::raw_ostream &out, const IntTensor &tensor);

} // namespace corellama::llama::reference

#endif // CORELLAMA_DIALECTS_LLAMA_REFERENCE_NPY_H
