//===- CheckpointText.h - what a checkpoint's programs can read -----------===//
//
// Whether a program compiled from a checkpoint will read text, and
// conversations, and by which tokenizer. The runtime's own code answers, on the
// metadata that the program will carry, so that compiler and program cannot
// disagree.
//
//===----------------------------------------------------------------------===//

#ifndef CORELLAMA_COMPILER_TEXT_CHECKPOINTTEXT_H
#define CORELLAMA_COMPILER_TEXT_CHECKPOINTTEXT_H

#include "compiler/Checkpoint/Checkpoint.h"
#include <string>

namespace corellama {

struct CheckpointText {
  /// "SentencePiece, 32000 tokens" or "byte-level BPE (llama-bpe), 128256
  /// tokens"; why not, where there is none.
  std::string tokenizer;
  bool readsText = false;
  /// "a template of 1024 bytes", or why there is none.
  std::string chat;
  bool readsChats = false;
};

CheckpointText describeText(const checkpoint::Checkpoint &checkpoint);

} // namespace corellama

#endif // CORELLAMA_COMPILER_TEXT_CHECKPOINTTEXT_H
