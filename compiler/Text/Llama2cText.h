//===- Llama2cText.h - the tokenizer.bin of llama2.c ------------*- C++ -*-===//
//
// A tokenizer.bin as llama2.c's tokenizer.py exports it from a SentencePiece
// model -> TextData. A file of its own because nothing but llama2.c has it.
//
//===----------------------------------------------------------------------===//

#ifndef CORELLAMA_COMPILER_TEXT_LLAMA2CTEXT_H
#define CORELLAMA_COMPILER_TEXT_LLAMA2CTEXT_H

#include "compiler/Checkpoint/Llama2cContainer.h"
#include "compiler/Text/ContainerText.h"

namespace corellama {

/// As readText(const checkpoint::Container &).
ContainerText readText(const checkpoint::Llama2cContainer &file);

} // namespace corellama

#endif // CORELLAMA_COMPILER_TEXT_LLAMA2CTEXT_H
