//===- TextSection.h - writes the image's text section ----------*- C++ -*-===//
//
// TextData -> the bytes that the runtime reads it from. A file, and a library,
// of its own because tests of the runtime need it without the compiler.
//
//===----------------------------------------------------------------------===//

#ifndef CORELLAMA_COMPILER_TEXT_TEXTSECTION_H
#define CORELLAMA_COMPILER_TEXT_TEXTSECTION_H

#include "runtime/Tokenizer/TextData.h"
#include <string>

namespace corellama {

/// The section of TextData.h. `data` obeys the rules (T1) to (T6), and each of
/// its texts and lists has fewer than 2^32 bytes and elements.
std::string writeTextSection(const runtime::TextData &data);

} // namespace corellama

#endif // CORELLAMA_COMPILER_TEXT_TEXTSECTION_H
