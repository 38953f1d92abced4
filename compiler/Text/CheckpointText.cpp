//===- CheckpointText.cpp - what a checkpoint's programs can read ---------===//
//
// See CheckpointText.h.
//
//===----------------------------------------------------------------------===//

#include "compiler/Text/CheckpointText.h"
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
  auto metadata = runtime::Metadata::parse(
      {checkpoint.metadata().data(), checkpoint.metadata().size()},
      checkpoint.metadataCount());
  if (!metadata) {
    described.tokenizer = described.chat = reasonOf(metadata.error());
    return described;
  }
  auto tokenizer = runtime::Tokenizer::create(*metadata);
  if (!tokenizer) {
    described.tokenizer = reasonOf(tokenizer.error());
    described.chat = "the program reads no text";
    return described;
  }
  described.readsText = true;
  std::string kind = "SentencePiece";
  if (metadata->string("tokenizer.ggml.model") == "gpt2")
    kind = "byte-level BPE (" +
           std::string(
               metadata->string("tokenizer.ggml.pre").value_or("default")) +
           ")";
  described.tokenizer =
      kind + ", " + std::to_string(tokenizer->size()) + " tokens";
  auto chat = runtime::ChatFormat::create(*metadata, *tokenizer);
  described.readsChats = static_cast<bool>(chat);
  if (!chat)
    described.chat = reasonOf(chat.error());
  else
    described.chat =
        "a template of " +
        std::to_string(metadata->string("tokenizer.chat_template")->size()) +
        " bytes";
  return described;
}
