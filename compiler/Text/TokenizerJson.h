//===- TokenizerJson.h - a tokenizer.json file ------------------*- C++ -*-===//
//
// The file in which Hugging Face's `tokenizers` keeps a tokenizer -> TextData.
// The only file that knows its keys.
//
//===----------------------------------------------------------------------===//

#ifndef CORELLAMA_COMPILER_TEXT_TOKENIZERJSON_H
#define CORELLAMA_COMPILER_TEXT_TOKENIZERJSON_H

#include "compiler/Checkpoint/Json.h"
#include "runtime/Tokenizer/TextData.h"
#include "llvm/Support/Error.h"

namespace corellama {

/// Reads byte-level BPE with a pre-tokenizer that programs have, and BPE with
/// byte fallback whose merges are those of a SentencePiece model; all else is
/// refused by key. `bos` and `eos` are what the file puts around a text, the
/// answer's ends and the chat template are not in it. Views the document.
llvm::Expected<runtime::TextData> readTokenizerJson(checkpoint::JsonValue root);

} // namespace corellama

#endif // CORELLAMA_COMPILER_TEXT_TOKENIZERJSON_H
