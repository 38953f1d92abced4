//===- CheckpointText.h - what a checkpoint's programs can read -----------===//
//
// Whether a program compiled from a checkpoint will read text, and
// conversations, and by which tokenizer. The runtime's own code answers, on
// what the program will carry, so that compiler and program cannot disagree.
//
//===----------------------------------------------------------------------===//

#ifndef CORELLAMA_COMPILER_TEXT_CHECKPOINTTEXT_H
#define CORELLAMA_COMPILER_TEXT_CHECKPOINTTEXT_H

#include "runtime/Tokenizer/TextData.h"
#include "llvm/Support/JSON.h"
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace corellama {

struct CheckpointText {
  /// "SentencePiece, 32000 tokens" or "byte-level BPE (llama-bpe), 128256
  /// tokens"; why not, where there is none.
  std::string tokenizer;
  bool readsText = false;
  /// "chatml template, 368 bytes" where it is known (templateNames()), "a
  /// template of 1024 bytes", or why there is none.
  std::string chat;
  bool readsChats = false;
  /// The checkpoint has a template, whether or not a program can use it.
  bool hasTemplate = false;

  struct Token {
    int64_t id;
    std::string text;
  };
  /// If programs read text.
  std::optional<Token> bos, eos;
  /// Whether texts begin with BOS, and end with EOS.
  bool addsBos = false, addsEos = false;
  /// The ids that end an answer.
  std::vector<Token> ends;

  /// For people: "text", "bos", "eos", "answer ends", "chat" and what they are,
  /// without those that are missing.
  std::vector<std::pair<std::string, std::string>> lines() const;
  llvm::json::Object toJSON() const;
};

CheckpointText describeText(const runtime::TextData &data);

/// The names of the chat templates that programs bring.
std::vector<std::string> templateNames();

} // namespace corellama

#endif // CORELLAMA_COMPILER_TEXT_CHECKPOINTTEXT_H
