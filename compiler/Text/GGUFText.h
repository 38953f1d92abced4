//===- GGUFText.h - a GGUF file's tokenizer and chat template ---*- C++ -*-===//
//
// The keys `tokenizer.*` of a GGUF file -> TextData. The only file that knows
// these keys.
//
//===----------------------------------------------------------------------===//

#ifndef CORELLAMA_COMPILER_TEXT_GGUFTEXT_H
#define CORELLAMA_COMPILER_TEXT_GGUFTEXT_H

#include "compiler/Checkpoint/GGUF.h"
#include "runtime/Tokenizer/TextData.h"
#include <optional>
#include <string_view>

namespace corellama {

/// A tokenizer that is missing, not supported or damaged is no error: programs
/// run on ids then, and `whyNone` names the key and what is wrong. The result
/// views the file's bytes.
runtime::TextData readText(const checkpoint::GGUF &gguf);

/// Whether the file names a tokenizer, known or not.
bool namesTokenizer(const checkpoint::GGUF &gguf);

/// The chat template alone.
std::optional<std::string_view> readChatTemplate(const checkpoint::GGUF &gguf);

} // namespace corellama

#endif // CORELLAMA_COMPILER_TEXT_GGUFTEXT_H
