//===- TextSection.h - writes the image's text section ----------*- C++ -*-===//
//
// TextData -> the bytes that the runtime reads it from. A file, and a library,
// of its own because tests of the runtime need it without the compiler.
//
//===----------------------------------------------------------------------===//

#ifndef CORELLAMA_COMPILER_TEXT_TEXTSECTION_H
#define CORELLAMA_COMPILER_TEXT_TEXTSECTION_H

#include "runtime/Tokenizer/TextData.h"
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

namespace corellama {

/// Calls `take` with the bytes of the section of TextData.h, piece by piece
/// from front to back, so that a vocabulary of any size needs no copy. `data`
/// obeys the rules (T1) to (T6), and the section has fewer than 2^32 - 1 bytes.
void writeTextSection(const runtime::TextData &data,
                      const std::function<void(std::string_view bytes)> &take);

/// How many they are.
uint64_t textSectionBytes(const runtime::TextData &data);

/// The section in memory.
std::string writeTextSection(const runtime::TextData &data);

} // namespace corellama

#endif // CORELLAMA_COMPILER_TEXT_TEXTSECTION_H
