//===- MessagesVerify.cpp - judging messages through fixed templates ------===//
//
// The rules behind MessagesVerify.h: JSON is read and written in one way; a
// conversation that is saved is the same when it is loaded; no message, role or
// variable becomes a byte of the template or a control token; a message that is
// accepted under --refuse-markers has no marker; tojson gives JSON back.
//
//===----------------------------------------------------------------------===//

#include "MessagesVerify.h"
#include "Faults.h"
#include "runtime/Conversation/History.h"
#include "runtime/Templates/Chat.h"
#include "runtime/Templates/TokenizedText.h"
#include "runtime/Tokenizer/Utf8.h"
#include "test/runtime/Tokenizer/TokenizerModel.h"
#include <algorithm>
#include <array>

using namespace corellama::runtime;
using namespace corellama::runtime::templates;

namespace corellama::test {
namespace {

constexpr std::array kNames = {"chatml", "llama2", "llama3", "zephyr",
                               "mistral"};
constexpr std::string_view kAsJson = "{{ messages | tojson }}";
/// What templates with tools do with messages and variables.
constexpr std::string_view kTools =
    "{% for m in messages %}<|{{ m.role | title }}|>{% if m.content is string "
    "%}{{ m.content | trim }}{% else %}{% for p in m.content %}{{ p.text or "
    "p['type'] }}{% endfor %}{% endif %}{% for t in m.tool_calls or [] %}{{ "
    "t.function.name }}({{ t.function.arguments | tojson(indent=2) }}){% "
    "endfor %}\n{% endfor %}{% if tools %}{{ tools | map(attribute='function') "
    "| list | string }}{% for k, v in tools[0] | dictsort %}{{ k ~ '=' ~ v "
    "}}{% endfor %}{% endif %}{{ documents | join(', ', attribute='title') }}";

Tokenizer &tokenizer() {
  static const runtime::test::TokenizerModel model;
  static Result<Tokenizer> made = Tokenizer::create(model.data());
  return *made;
}

/// JSON has no form for bytes that are no UTF-8.
bool isSaved(const std::vector<Message> &all,
             const std::vector<Message> &loaded) {
  return std::ranges::equal(all, loaded,
                            [](const Message &one, const Message &other) {
                              return validUtf8(one.role) == other.role &&
                                     validUtf8(one.content) == other.content;
                            });
}

std::string faultOfHistory(const History &history) {
  auto saved = history.json();
  if (!saved)
    return faultOfMessage(saved.error());
  auto loaded = History::parse(*saved);
  if (!loaded)
    return "what was saved is not loaded: " + loaded.error();
  return isSaved(history.messages(), loaded->messages())
             ? ""
             : "what was saved is loaded in another way";
}

/// The control tokens of chatml are those of the template alone: one at the
/// beginning of each message and of the answer, one at each end.
std::string faultOfIds(const String &text, size_t messages) {
  TokenizedText tokenized;
  auto change = tokenized.become(text, tokenizer());
  if (!change)
    return faultOfMessage(change.error());
  std::string decoded;
  for (int32_t id : tokenized.ids())
    if (tokenizer().isMarker(id))
      decoded += tokenizer().textOf(id);
    else
      tokenizer().decode(id, decoded);
  if (decoded != text.view())
    return "the ids are another text";
  const auto count = [&](int32_t id) {
    return size_t(std::ranges::count(tokenized.ids(), id));
  };
  return count(0) == messages + 1 && count(1) == messages && count(2) == 0
             ? ""
             : "a message became a control token";
}

std::string faultOfNamed(size_t format, const std::vector<Message> &messages,
                         const std::optional<std::string> &variables,
                         bool &rendered) {
  for (bool refuses : {false, true}) {
    auto chat = ChatFormat::create(tokenizer(), {.name = kNames[format],
                                                 .variables = variables,
                                                 .refuseMarkers = refuses});
    if (!chat)
      return faultOfMessage(chat.error());
    auto text = chat->render(messages);
    if (!text && !faultOfMessage(text.error()).empty())
      return faultOfMessage(text.error());
    if (!text)
      continue;
    rendered = true;
    if (auto fault = faultOfMarks(*text); !fault.empty())
      return fault;
    if (format == 0)
      if (auto fault = faultOfIds(*text, messages.size()); !fault.empty())
        return fault;
    const bool hasInstructions = std::string_view(kNames[format]) == "llama2" ||
                                 std::string_view(kNames[format]) == "mistral";
    for (const Message &message : messages)
      if (refuses && hasInstructions && message.role == "user" &&
          message.content.find("[INST]") != message.content.npos)
        return "a message has a marker";
  }
  return "";
}

std::string faultOfSource(std::string_view source, const Value &messages,
                          std::string_view variables, bool &rendered) {
  static const Result<Template> made[] = {Template::create(kAsJson),
                                          Template::create(kTools)};
  Template::Inputs inputs;
  inputs.messages = messages;
  if (auto more = readVariables(variables))
    inputs.more = std::move(*more);
  auto text = (*made[source == kTools]).render(inputs);
  if (!text)
    return faultOfMessage(text.error());
  rendered = true;
  if (auto fault = faultOfMarks(*text); !fault.empty() || source != kAsJson)
    return fault;
  auto again = parseJson(text->view());
  return again && again->equals(messages) ? "" : "tojson gives another value";
}

} // namespace

MessagesVerdict verifyMessages(std::string_view input) {
  MessagesVerdict verdict;
  if (input.empty())
    return verdict;
  const size_t format = uint8_t(input[0]) % (kNames.size() + 2);
  input.remove_prefix(1);
  const size_t nul = std::min(input.find('\0'), input.size());
  const std::string_view json = input.substr(0, nul);
  std::optional<std::string> variables;
  if (nul < input.size())
    variables = input.substr(nul + 1);
  std::string &fault = verdict.fault;

  fault = faultOfJson(json);
  if (fault.empty() && variables)
    fault = faultOfJson(*variables);
  if (!fault.empty())
    return verdict;
  auto history = History::parse(json);
  if (!history)
    fault = faultOfMessage(history.error());
  else
    fault = faultOfHistory(*history);
  if (!fault.empty())
    return verdict;
  if (format < kNames.size()) {
    if (history)
      fault = faultOfNamed(format, history->messages(), variables,
                           verdict.rendered);
  } else if (auto messages = parseJson(json)) {
    fault = faultOfSource(format == kNames.size() ? kAsJson : kTools, *messages,
                          variables.value_or("{}"), verdict.rendered);
  }
  return verdict;
}

} // namespace corellama::test
