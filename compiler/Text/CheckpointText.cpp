//===- CheckpointText.cpp - what a checkpoint's programs can read ---------===//
//
// See CheckpointText.h.
//
//===----------------------------------------------------------------------===//

#include "compiler/Text/CheckpointText.h"
#include "compiler/Text/GGUFText.h"
#include "runtime/Templates/Chat.h"
#include "runtime/Tokenizer/Tokenizer.h"

using namespace corellama;

/// An error of the runtime without its advice to users of the program.
static std::string reasonOf(const std::string &error) {
  return error.substr(0, error.find("; "));
}

CheckpointText
corellama::describeText(const checkpoint::Checkpoint &checkpoint) {
  CheckpointText described;
  const runtime::TextData data = readText(checkpoint.gguf());
  auto tokenizer = runtime::Tokenizer::create(data);
  if (!tokenizer) {
    described.tokenizer = reasonOf(tokenizer.error());
    described.chat = "the program reads no text";
    return described;
  }
  described.readsText = true;
  std::string kind = "SentencePiece";
  if (data.kind == runtime::TokenizerKind::byteLevel)
    kind = "byte-level BPE (" + std::string(data.preTokenizer) + ")";
  described.tokenizer =
      kind + ", " + std::to_string(tokenizer->size()) + " tokens";
  auto chat = runtime::ChatFormat::create(*tokenizer);
  described.readsChats = static_cast<bool>(chat);
  if (!chat)
    described.chat = reasonOf(chat.error());
  else
    described.chat =
        "a template of " + std::to_string(data.chatTemplate->size()) + " bytes";
  return described;
}
