//===- EndTexts.h - tokens whose texts say that an answer ends --*- C++ -*-===//
//
// A file of its own because every container of tokenizers needs it: none names
// all tokens that end an answer.
//
//===----------------------------------------------------------------------===//

#ifndef CORELLAMA_COMPILER_TEXT_ENDTEXTS_H
#define CORELLAMA_COMPILER_TEXT_ENDTEXTS_H

#include "runtime/Tokenizer/TextData.h"

namespace corellama {

/// Adds to `data.ends` the tokens whose texts end a sequence or a turn in the
/// supported model families, and brings the list into its order.
void addEndTexts(runtime::TextData &data);

} // namespace corellama

#endif // CORELLAMA_COMPILER_TEXT_ENDTEXTS_H
