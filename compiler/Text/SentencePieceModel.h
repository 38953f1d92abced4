//===- SentencePieceModel.h - a tokenizer.model file ------------*- C++ -*-===//
//
// The file in which SentencePiece keeps a model, a ModelProto of its
// sentencepiece_model.proto -> TextData. Checkpoints of Llama 2's family come
// with one, and a GGUF file may lack what it says.
//
//===----------------------------------------------------------------------===//

#ifndef CORELLAMA_COMPILER_TEXT_SENTENCEPIECEMODEL_H
#define CORELLAMA_COMPILER_TEXT_SENTENCEPIECEMODEL_H

#include "runtime/Tokenizer/TextData.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"
#include "llvm/Support/MemoryBufferRef.h"

namespace corellama {

/// The file is hostile: an error names it, the field and what is wrong. Refused
/// are models of another kind than BPE and normalisers that change more than
/// spaces. The result views the file's bytes; it has no chat template.
llvm::Expected<runtime::TextData>
readSentencePieceModel(llvm::MemoryBufferRef file);

/// Whether a file begins as these do, and neither GGUF nor programs do.
bool looksLikeSentencePieceModel(llvm::StringRef path);

} // namespace corellama

#endif // CORELLAMA_COMPILER_TEXT_SENTENCEPIECEMODEL_H
