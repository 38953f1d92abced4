//===- Chat.cpp - a conversation in the checkpoint's chat format ----------===//
//
// See Chat.h.
//
//===----------------------------------------------------------------------===//

#include "runtime/Templates/Chat.h"

#include "runtime/Templates/Json.h"
#include "runtime/Templates/Markers.h"
#include "runtime/Templates/NamedTemplates.h"

#include <ctime>

namespace corellama::runtime {

using templates::String;

Result<std::vector<std::pair<std::string, templates::Value>>>
readVariables(std::string_view json) {
  auto value = templates::parseJson(json);
  if (!value)
    return Error{value.error()};
  if (!value->is(templates::Value::Kind::Dict))
    return Error{"is " + quoted(json) +
                 ", expected an object of JSON such as {\"enable_thinking\": "
                 "false}"};
  std::vector<std::pair<std::string, templates::Value>> variables;
  for (const auto &[name, of] : value->dict()->pairs()) {
    if (name.string().view() == "messages" ||
        name.string().view() == "add_generation_prompt")
      return Error{quoted(name.string().view()) +
                   " is what the conversation itself gives; leave it out"};
    variables.emplace_back(std::string(name.string().view()), of);
  }
  return variables;
}

/// The source of the template, and the place to name in messages about it.
static Result<std::pair<std::string_view, std::string>>
findSource(const Tokenizer &tokenizer, const ChatSettings &settings) {
  const std::string named = "--chat-template";
  if (settings.source)
    return std::pair(std::string_view(*settings.source), named + "-file");
  if (settings.name) {
    if (auto error = templates::checkTemplateName(*settings.name))
      return *error;
    return std::pair(templates::findTemplate(*settings.name)->source, named);
  }
  const std::string key = "tokenizer.chat_template";
  std::optional<std::string_view> text = tokenizer.chatTemplate();
  if (!text)
    return Error{key + ": missing, expected a Jinja template; name one by " +
                 named + " (" + templates::templateNames() +
                 "), or give its text by " + named + "-file"};
  return std::pair(*text, key);
}

Result<ChatFormat> ChatFormat::create(const Tokenizer &tokenizer,
                                      const ChatSettings &settings) {
  auto found = findSource(tokenizer, settings);
  if (!found)
    return Error{found.error()};
  const auto &[text, place] = *found;
  auto parsed = templates::Template::create(text);
  if (!parsed)
    return Error{place + ": " + parsed.error() +
                 "; give another one by --chat-template, or leave --chat out"};
  ChatFormat format(std::move(*parsed));
  format.tokenizer = &tokenizer;
  format.bos = tokenizer.textOf(tokenizer.bos().value_or(-1));
  format.eos = tokenizer.textOf(tokenizer.eos().value_or(-1));
  format.refuseMarkers = settings.refuseMarkers;
  if (settings.variables) {
    format.variableBytes = settings.variables->size();
    auto read = readVariables(*settings.variables);
    if (!read)
      return Error{"--template-kwargs: " + read.error()};
    format.variables = std::move(*read);
  }
  if (settings.name)
    for (std::string_view marker :
         templates::findTemplate(*settings.name)->controls) {
      if (marker.empty())
        continue;
      std::optional<int32_t> id = tokenizer.markerAt(marker);
      if (!id || tokenizer.textOf(*id) != marker ||
          tokenizer.isUserDefined(*id))
        format.remark +=
            (format.remark.empty() ? "" : ", ") + std::string(marker);
    }
  if (!format.remark.empty())
    format.remark = "this model has no control token " + format.remark +
                    ", so messages can imitate these markers of "
                    "--chat-template " +
                    *settings.name;
  return format;
}

Result<String> ChatFormat::render(const std::vector<Message> &messages,
                                  bool addGenerationPrompt) const {
  auto text = renderAny(messages, addGenerationPrompt);
  if (text && refuseMarkers)
    if (auto error = checkContents(messages, addGenerationPrompt))
      return *error;
  return text;
}

Result<String> ChatFormat::renderAny(const std::vector<Message> &messages,
                                     bool addGenerationPrompt) const {
  templates::Template::Inputs inputs;
  std::vector<templates::Value> all;
  size_t bytes = variableBytes;
  for (const Message &message : messages) {
    bytes += message.role.size() + message.content.size();
    auto one = std::make_shared<templates::Dict>();
    one->set(templates::makeString("role"),
             templates::makeString(message.role));
    one->set(templates::makeString("content"),
             templates::makeString(message.content));
    all.emplace_back(std::move(one));
  }
  inputs.messages = templates::makeList(std::move(all));
  inputs.addGenerationPrompt = addGenerationPrompt;
  inputs.limits.allow(bytes);
  inputs.bosToken = bos;
  inputs.eosToken = eos;
  inputs.more = variables;
  std::time_t now = std::time(nullptr);
  localtime_r(&now, &inputs.now);
  return source.render(inputs);
}

/// The markers that the template writes for these roles, for another turn
/// behind them, and for a system message in front: [INST] alone stands in
/// neither turn of a conversation that begins with one, and <<SYS>> in no
/// other.
std::optional<Error>
ChatFormat::checkContents(const std::vector<Message> &messages,
                          bool addGenerationPrompt) const {
  std::set<std::string, std::less<>> markers;
  std::vector<Message> blank = messages;
  for (Message &message : blank)
    message.content = templates::kContent;
  auto text = renderAny(blank, addGenerationPrompt);
  if (!text)
    return Error{"--refuse-markers: the template cannot be tried: " +
                 text.error()};
  templates::addMarkers(*text, *tokenizer, markers);
  // A template may refuse these.
  auto tryMore = [&] {
    if (auto more = renderAny(blank, addGenerationPrompt))
      templates::addMarkers(*more, *tokenizer, markers);
  };
  const std::string content(templates::kContent);
  for (const char *role : {"assistant", "user"})
    blank.push_back({role, content});
  tryMore();
  if (blank.front().role == "system")
    blank.erase(blank.begin());
  else
    blank.insert(blank.begin(), {"system", content});
  tryMore();
  if (auto error = templates::splitMarkers(markers))
    return Error{"--refuse-markers: " + error->message +
                 "; leave --refuse-markers out"};
  for (size_t i = 0; i < messages.size(); ++i) {
    // What the assistant has said, the model has written.
    if (messages[i].role == "assistant")
      continue;
    for (const std::string &marker : markers)
      if (messages[i].content.find(marker) != std::string::npos)
        return Error{"message " + std::to_string(i + 1) + " (" +
                     printable(messages[i].role, 60) + ") has " +
                     quoted(marker) +
                     ", which the chat template writes around messages; take "
                     "it out, or leave --refuse-markers out"};
  }
  return std::nullopt;
}

bool ChatFormat::hasPlainMarkers() const {
  const std::string content(templates::kContent);
  // The prompt of an answer may have marks of the model's own (<think>).
  auto text = renderAny(
      {{"user", content}, {"assistant", content}, {"user", content}}, false);
  if (!text)
    text = renderAny({{"user", content}}, true);
  return text && templates::hasPlainSeparators(*text, *tokenizer);
}

} // namespace corellama::runtime
