//===- Chat.cpp - one user turn in the checkpoint's chat format -----------===//
//
// Recognises ChatML in a chat template, finds its default system message, and
// writes the turn. ChatML is
//
//   <|im_start|>ROLE newline TEXT <|im_end|> newline
//
// for each message, and ends in `<|im_start|>assistant newline`.
//
//===----------------------------------------------------------------------===//

#include "runtime/Tokenizer/Chat.h"

using namespace corellama::runtime;

constexpr std::string_view startMark = "<|im_start|>";
constexpr std::string_view endMark = "<|im_end|>";

namespace {
/// Iterates over the text that a Jinja template can output: the text outside of
/// its tags, and the string literals within. Literals come without quotes and
/// escapes; the expressions around them are not evaluated.
class TemplateLiterals {
public:
  explicit TemplateLiterals(std::string_view source) : source(source) {}

  /// The next piece of text, or nothing at the end of the template.
  std::optional<std::string> next();

private:
  std::string quotedLiteral(char quote);

  std::string_view source;
  size_t position = 0;
  /// The two characters that end the current tag; empty outside of tags.
  std::string_view closing;
};
} // namespace

std::optional<std::string> TemplateLiterals::next() {
  while (position < source.size()) {
    if (closing.empty()) {
      size_t open = source.find('{', position);
      while (open != source.npos && open + 1 < source.size() &&
             source[open + 1] != '{' && source[open + 1] != '%' &&
             source[open + 1] != '#')
        open = source.find('{', open + 1);
      if (open == source.npos || open + 1 == source.size())
        open = source.size();
      std::string text(source.substr(position, open - position));
      position = open;
      if (open < source.size()) {
        char kind = source[open + 1];
        closing = kind == '{' ? "}}" : kind == '%' ? "%}" : "#}";
        position += 2;
      }
      if (!text.empty())
        return text;
    } else if (source.substr(position, 2) == closing) {
      closing = {};
      position += 2;
    } else {
      char character = source[position++];
      // In a comment an apostrophe does not start a literal.
      if ((character == '\'' || character == '"') && closing != "#}")
        return quotedLiteral(character);
    }
  }
  return std::nullopt;
}

std::string TemplateLiterals::quotedLiteral(char quote) {
  std::string text;
  while (position < source.size()) {
    char character = source[position++];
    if (character == quote)
      break;
    if (character != '\\' || position == source.size()) {
      text += character;
      continue;
    }
    char escaped = source[position++];
    switch (escaped) {
    case 'n':
      text += '\n';
      break;
    case 'r':
      text += '\r';
      break;
    case 't':
      text += '\t';
      break;
    case '\\':
    case '\'':
    case '"':
      text += escaped;
      break;
    default: // as in Python, an unknown escape is kept
      text += '\\';
      text += escaped;
    }
  }
  return text;
}

/// The text of a system message that is one literal of the template. A message
/// that is built from the conversation's own one is in several literals.
static std::optional<std::string> defaultSystem(std::string_view source) {
  const std::string head = std::string(startMark) + "system\n";
  TemplateLiterals literals(source);
  while (std::optional<std::string> literal = literals.next()) {
    size_t begin = literal->find(head);
    if (begin == literal->npos)
      continue;
    begin += head.size();
    size_t end = literal->find(endMark, begin);
    if (end != literal->npos)
      return literal->substr(begin, end - begin);
  }
  return std::nullopt;
}

Result<ChatFormat> ChatFormat::create(const Metadata &metadata,
                                      const Tokenizer &tokenizer) {
  constexpr std::string_view key = "tokenizer.chat_template";
  constexpr std::string_view remedy =
      "; leave --chat out, or give the turn as ids with --prompt-ids";
  std::optional<std::string_view> source = metadata.string(key);
  if (!source)
    return Error{std::string(key) +
                 ": missing, expected ChatML, the only template known" +
                 std::string(remedy)};
  if (source->find(startMark) == source->npos ||
      source->find(endMark) == source->npos)
    return Error{std::string(key) +
                 ": no <|im_start|> and <|im_end|> in it, expected ChatML, the "
                 "only template known" +
                 std::string(remedy)};

  std::optional<int32_t> start = tokenizer.specialToken(startMark);
  std::optional<int32_t> end = tokenizer.specialToken(endMark);
  if (!start || !end)
    return Error{std::string(key) +
                 ": uses <|im_start|> and <|im_end|>, "
                 "expected both in tokenizer.ggml.tokens" +
                 std::string(remedy)};

  ChatFormat format;
  format.start = *start;
  format.end = *end;
  format.system = defaultSystem(*source);
  // A template that does not mention BOS outputs none, even if the metadata ask
  // for one before raw text.
  if (source->find("bos_token") != source->npos)
    format.bos = tokenizer.bosToken();
  return format;
}

Result<std::vector<int32_t>> ChatFormat::userTurn(std::string_view message,
                                                  Tokenizer &tokenizer,
                                                  size_t *lostBytes) const {
  std::vector<int32_t> ids;
  size_t lost = 0;
  std::optional<Error> error;
  // Between control tokens, text is encoded as one piece, because a word may
  // span role, newline and message.
  auto text = [&](std::string_view piece) {
    Result<size_t> result = tokenizer.encode(piece, ids);
    if (result)
      lost += *result;
    else if (!error)
      error = Error{result.error()};
  };
  auto turn = [&](std::string_view role, std::string_view content) {
    ids.push_back(start);
    text(std::string(role).append("\n").append(content));
    ids.push_back(end);
    text("\n");
  };

  if (bos)
    ids.push_back(*bos);
  if (system)
    turn("system", *system);
  turn("user", message);
  ids.push_back(start);
  text("assistant\n");
  if (error)
    return *error;
  if (lostBytes)
    *lostBytes = lost;
  return ids;
}
