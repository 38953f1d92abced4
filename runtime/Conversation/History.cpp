//===- History.cpp - the messages of a conversation -----------------------===//
//
// See History.h.
//
//===----------------------------------------------------------------------===//

#include "runtime/Conversation/History.h"

#include "runtime/Templates/Json.h"
#include "runtime/Tokenizer/Utf8.h"

#include <memory>
#include <utility>

namespace corellama::runtime {

using templates::Value;

static constexpr std::string_view kUser = "user";

History::History(const std::optional<std::string> &system) {
  if (system)
    add("system", *system);
}

void History::add(std::string role, std::string content) {
  all.push_back({std::move(role), std::move(content)});
}

size_t History::nextTurn(size_t from) const {
  while (from < all.size() && all[from].role != kUser)
    ++from;
  return from;
}

bool History::undo() {
  size_t last = all.size();
  while (last > 0 && all[last - 1].role != kUser)
    --last;
  if (last == 0)
    return false;
  all.resize(last - 1);
  return true;
}

bool History::dropOldest() {
  const size_t first = nextTurn(0);
  const size_t second = nextTurn(first + 1);
  if (second >= all.size())
    return false;
  all.erase(all.begin() + ptrdiff_t(first), all.begin() + ptrdiff_t(second));
  return true;
}

Result<std::string> History::json() const {
  std::vector<Value> messages;
  for (const Message &message : all) {
    auto one = std::make_shared<templates::Dict>();
    one->set(templates::makeString("role"),
             templates::makeString(validUtf8(message.role)));
    one->set(templates::makeString("content"),
             templates::makeString(validUtf8(message.content)));
    messages.emplace_back(std::move(one));
  }
  auto document = std::make_shared<templates::Dict>();
  document->set(templates::makeString("messages"),
                templates::makeList(std::move(messages)));
  auto text =
      writeJson(std::move(document), {.indent = "  ", .itemSeparator = ","});
  if (!text)
    return Error{text.error()};
  return std::string(text->view()) + "\n";
}

Result<History> History::parse(std::string_view json) {
  auto document = templates::parseJson(json);
  if (!document)
    return Error{document.error()};
  const Value *messages = &*document;
  if (document->is(Value::Kind::Dict))
    messages = document->dict()->pairs().size() == 1
                   ? document->dict()->find("messages")
                   : nullptr;
  const Error expected{"expected a list of messages, or {\"messages\": [...]}, "
                       "as /save writes it"};
  if (!messages || !messages->is(Value::Kind::List))
    return expected;
  History history;
  for (const Value &message : messages->list()->items) {
    auto textOf = [&](std::string_view key) -> std::optional<std::string> {
      const Value *value =
          message.is(Value::Kind::Dict) ? message.dict()->find(key) : nullptr;
      if (!value || !value->is(Value::Kind::String))
        return std::nullopt;
      return std::string(value->string().view());
    };
    auto role = textOf("role"), content = textOf("content");
    if (!role || !content || message.dict()->pairs().size() != 2)
      return Error{"message " + std::to_string(history.all.size() + 1) +
                   ": expected an object with the texts role and content, and "
                   "nothing else"};
    history.add(std::move(*role), std::move(*content));
  }
  return history;
}

} // namespace corellama::runtime
