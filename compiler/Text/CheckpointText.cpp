//===- CheckpointText.cpp - what a checkpoint's programs can read ---------===//
//
// See CheckpointText.h.
//
//===----------------------------------------------------------------------===//

#include "compiler/Text/CheckpointText.h"
#include "runtime/Templates/Chat.h"
#include "runtime/Templates/NamedTemplates.h"
#include "runtime/Tokenizer/Tokenizer.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/StringRef.h"
#include <array>

using namespace corellama;
using llvm::json::fixUTF8;

/// An error of the runtime without its advice to users of the program.
static std::string reasonOf(const std::string &error) {
  return error.substr(0, error.find("; "));
}

std::vector<std::string> corellama::templateNames() {
  const std::string names = runtime::templates::templateNames();
  std::vector<std::string> list;
  for (llvm::StringRef name : llvm::split(names, ", "))
    list.push_back(name.str());
  return list;
}

/// Whether two templates write the same for a conversation of all roles, with
/// spaces that one of them may remove. Some add a system message of their own.
static bool writeAlike(const runtime::ChatFormat &one,
                       const runtime::ChatFormat &other, bool hasSystem) {
  std::vector<runtime::Message> messages = {
      {"user", " Hi "}, {"assistant", " Hello "}, {"user", " Who?\n"}};
  if (hasSystem)
    messages.insert(messages.begin(), {"system", " Be kind "});
  return llvm::all_of(std::array{true, false}, [&](bool addPrompt) {
    auto text = one.render(messages, addPrompt);
    auto otherText = other.render(messages, addPrompt);
    return text && otherText && text->view() == otherText->view();
  });
}

/// What people call a template, or how long it is.
static std::string nameChat(const runtime::ChatFormat &chat, size_t bytes,
                            const runtime::Tokenizer &tokenizer) {
  const std::string size = std::to_string(bytes) + " bytes";
  for (const std::string &name : templateNames()) {
    auto known = runtime::ChatFormat::create(tokenizer, {.name = name});
    if (known && writeAlike(chat, *known, /*hasSystem=*/true))
      return name + " template, " + size +
             (writeAlike(chat, *known, /*hasSystem=*/false)
                  ? ""
                  : ", another without a system message");
  }
  return "a template of " + size;
}

CheckpointText corellama::describeText(const runtime::TextData &data) {
  CheckpointText described;
  described.hasTemplate = data.chatTemplate.has_value();
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
  auto tokenOf = [&](int32_t id) {
    return CheckpointText::Token{id, std::string(tokenizer->textOf(id))};
  };
  if (data.bos)
    described.bos = tokenOf(*data.bos);
  if (data.eos)
    described.eos = tokenOf(*data.eos);
  described.addsBos = data.addsBos;
  described.addsEos = data.addsEos;
  for (int32_t id : data.ends)
    described.ends.push_back(tokenOf(id));
  auto chat = runtime::ChatFormat::create(*tokenizer);
  described.readsChats = static_cast<bool>(chat);
  described.chat = chat ? nameChat(*chat, data.chatTemplate->size(), *tokenizer)
                        : reasonOf(chat.error());
  return described;
}

/// "2 '</s>'", fit for a terminal.
static std::string show(const CheckpointText::Token &token) {
  return std::to_string(token.id) + " " + runtime::quoted(token.text);
}

std::vector<std::pair<std::string, std::string>> CheckpointText::lines() const {
  std::vector<std::pair<std::string, std::string>> lines = {
      {"text", (readsText ? "" : "no: ") + tokenizer}};
  if (bos)
    lines.emplace_back("bos", show(*bos) + (addsBos ? ", in front of a text"
                                                    : ", not in front of a "
                                                      "text"));
  if (eos)
    lines.emplace_back("eos", show(*eos) + (addsEos ? ", behind a text" : ""));
  std::string all;
  for (const Token &end : ends)
    all += (all.empty() ? "" : ", ") + show(end);
  if (!all.empty())
    lines.emplace_back("answer ends", all);
  lines.emplace_back("chat", (readsChats ? "" : "no: ") + chat);
  return lines;
}

llvm::json::Object CheckpointText::toJSON() const {
  auto object = [](const Token &token) {
    return llvm::json::Object{{"id", token.id}, {"text", fixUTF8(token.text)}};
  };
  llvm::json::Object text{{"tokenizer", fixUTF8(tokenizer)},
                          {"reads_text", readsText},
                          {"chat", fixUTF8(chat)},
                          {"reads_chats", readsChats}};
  if (!readsText)
    return text;
  llvm::json::Array all;
  for (const Token &end : ends)
    all.push_back(object(end));
  text["ends"] = std::move(all);
  text["adds_bos"] = addsBos;
  text["adds_eos"] = addsEos;
  if (bos)
    text["bos"] = object(*bos);
  if (eos)
    text["eos"] = object(*eos);
  return text;
}
