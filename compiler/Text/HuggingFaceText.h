//===- HuggingFaceText.h - the text part of a folder ------------*- C++ -*-===//
//
// The files of text in a Hugging Face folder -> TextData and chat template. A
// file of its own because what a tokenizer.json leaves open stands in four
// other files.
//
//===----------------------------------------------------------------------===//

#ifndef CORELLAMA_COMPILER_TEXT_HUGGINGFACETEXT_H
#define CORELLAMA_COMPILER_TEXT_HUGGINGFACETEXT_H

#include "compiler/Checkpoint/HuggingFaceContainer.h"
#include "compiler/Text/ContainerText.h"

namespace corellama {

/// As readText(const checkpoint::Container &).
ContainerText readText(const checkpoint::HuggingFaceContainer &folder);

} // namespace corellama

#endif // CORELLAMA_COMPILER_TEXT_HUGGINGFACETEXT_H
