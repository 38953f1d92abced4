//===- Chat.cpp - a conversation in the checkpoint's chat format ----------===//
//
// See Chat.h.
//
//===----------------------------------------------------------------------===//

#include "runtime/Templates/Chat.h"

#include <algorithm>
#include <ctime>

namespace corellama::runtime {

using templates::String;

Result<ChatFormat> ChatFormat::create(const Tokenizer &tokenizer) {
  const std::string key = "tokenizer.chat_template";
  const std::string remedy =
      "; leave --chat out, or give the turn as ids with --prompt-ids";
  std::optional<std::string_view> text = tokenizer.chatTemplate();
  if (!text)
    return Error{key + ": missing, expected a Jinja template" + remedy};
  auto parsed = templates::Template::create(*text);
  if (!parsed)
    return Error{key + ": " + parsed.error() + remedy};
  ChatFormat format(std::move(*parsed));
  format.bos = tokenizer.textOf(tokenizer.bos().value_or(-1));
  format.eos = tokenizer.textOf(tokenizer.eos().value_or(-1));
  return format;
}

Result<String> ChatFormat::render(const std::vector<Message> &messages,
                                  bool addGenerationPrompt) const {
  templates::Template::Inputs inputs;
  std::vector<templates::Value> all;
  size_t contentBytes = 0;
  for (const Message &message : messages) {
    contentBytes += message.content.size();
    auto one = std::make_shared<templates::Dict>();
    one->set(templates::makeString("role"),
             templates::makeString(message.role));
    one->set(templates::makeString("content"),
             templates::makeString(message.content));
    all.emplace_back(std::move(one));
  }
  inputs.messages = templates::makeList(std::move(all));
  inputs.limits.bytes += 64 * contentBytes;
  inputs.bosToken = bos;
  inputs.eosToken = eos;
  std::time_t now = std::time(nullptr);
  localtime_r(&now, &inputs.now);
  inputs.addGenerationPrompt = addGenerationPrompt;
  return source.render(inputs);
}

bool hasPlainMarkers(std::span<const int32_t> ids, const Tokenizer &tokenizer) {
  // BOS in front says nothing about turns.
  return std::ranges::none_of(
      ids.subspan(ids.empty() ? 0 : 1),
      [&](int32_t id) { return tokenizer.isMarker(id); });
}

} // namespace corellama::runtime
