//===- Chat.cpp - a conversation in the checkpoint's chat format ----------===//
//
// See Chat.h.
//
//===----------------------------------------------------------------------===//

#include "runtime/Templates/Chat.h"

#include <ctime>

namespace corellama::runtime {

using templates::Origin;
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

Result<ChatFormat::Turn>
ChatFormat::encode(const std::vector<Message> &messages,
                   Tokenizer &tokenizer) const {
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
  auto text = source.render(inputs);
  if (!text)
    return Error{text.error()};

  Turn turn;
  if (auto error =
          encodeMarked(*text, tokenizer, turn.ids).moveTo(turn.lostBytes))
    return *error;
  // BOS in front says nothing about turns.
  turn.hasPlainMarkers = true;
  for (size_t i = 1; i < turn.ids.size(); ++i)
    if (tokenizer.isMarker(turn.ids[i]))
      turn.hasPlainMarkers = false;
  return turn;
}

Result<size_t> encodeMarked(const String &text, Tokenizer &tokenizer,
                            std::vector<int32_t> &ids) {
  size_t lost = 0, from = 0;
  std::optional<Error> error;
  auto flush = [&](size_t to) {
    if (to == from || error)
      return;
    auto result = tokenizer.encode(text.view().substr(from, to - from), ids);
    if (!result)
      error = Error{result.error()};
    else
      lost += *result;
  };
  for (size_t at = 0; at < text.size() && !error;) {
    std::optional<int32_t> id = text.originAt(at) == Origin::Template
                                    ? tokenizer.markerAt(text.view().substr(at))
                                    : std::nullopt;
    size_t bytes = id ? tokenizer.textOf(*id).size() : 0;
    if (!id || !text.isTemplate(at, at + bytes)) {
      ++at;
      continue;
    }
    flush(at);
    ids.push_back(*id);
    at += bytes;
    from = at;
  }
  flush(text.size());
  if (error)
    return *error;
  return lost;
}

} // namespace corellama::runtime
