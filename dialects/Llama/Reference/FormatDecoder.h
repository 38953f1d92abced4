//===- FormatDecoder.h - from a weight's bytes to numbers -------*- C++ -*-===//
//
// Decodes a row of a weight, as it stands in a checkpoint, into float64. It is
// written from the text of each format and uses nothing of the dialect's
// FormatInterface, so that a test can compare the two.
//
//===----------------------------------------------------------------------===//

#ifndef CORELLAMA_DIALECTS_LLAMA_REFERENCE_FORMATDECODER_H
#define CORELLAMA_DIALECTS_LLAMA_REFERENCE_FORMATDECODER_H

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/StringRef.h"
#include <cstdint>
#include <optional>

namespace corellama::llama::reference {

enum class Format {
  F32,
  F16,
  BF16,
  Q8_0,
  Q4_0,
  Q4_1,
  Q6_K,
  Q5_0,
  Q5_1,
  Q2_K,
  Q3_K,
  Q4_K,
  Q5_K,
  IQ4_NL,
  IQ4_XS,
  MXFP4
};

/// The dialect's name of a format ("q4_0"), and back.
llvm::StringRef formatName(Format format);
std::optional<Format> parseFormat(llvm::StringRef name);

/// Columns of a row that are stored together, and the bytes they take.
int64_t blockColumns(Format format);
int64_t blockBytes(Format format);

/// Decodes `out.size()` columns, a whole number of blocks; `bytes` holds
/// exactly these blocks.
void decodeRow(Format format, llvm::ArrayRef<uint8_t> bytes,
               llvm::MutableArrayRef<double> out);

/// The number that 16 bits mean in IEEE 754 binary16 and in bfloat16.
double decodeF16(uint16_t bits);
double decodeBF16(uint16_t bits);

} // namespace corellama::llama::reference

#endif // CORELLAMA_DIALECTS_LLAMA_REFERENCE_FORMATDECODER_H
