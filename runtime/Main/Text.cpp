//===- Text.cpp - between the user's text and the model's ids -------------===//
//
// See Text.h.
//
//===----------------------------------------------------------------------===//

#include "runtime/Main/Text.h"

#include "runtime/Grammar/Gbnf.h"
#include "runtime/Grammar/JsonSchema.h"
#include "runtime/Main/Files.h"
#include "runtime/Templates/TokenizedText.h"

#include <algorithm>
#include <string_view>
#include <utility>

namespace corellama::runtime {

Result<Text> Text::create(const MappedImage &image) {
  auto data = TextData::parse(image.text);
  if (!data)
    return Error{data.error()};
  std::vector<int32_t> ends = data->ends;
  return Text(std::move(ends), Tokenizer::create(std::move(*data)));
}

Result<Prompt> Text::textIds(std::string_view text, bool parseSpecial) {
  Prompt prompt;
  if (auto error = tokenizer->encodeSequence(text, prompt.ids, parseSpecial)
                       .moveTo(prompt.bytesLeftOut))
    return *error;
  return prompt;
}

Result<Prompt> Text::promptIds(const Options &options) {
  if (options.promptIds) {
    Prompt prompt;
    prompt.ids = *options.promptIds;
    return prompt;
  }
  if (!tokenizer)
    return readsNoText();
  std::string text;
  if (options.prompt)
    text = *options.prompt;
  else if (auto error = readFile(*options.promptFile,
                                 "give a file with the prompt's text")
                            .moveTo(text))
    return *error;
  if (!options.chat)
    return textIds(text, options.parseSpecial);

  auto format = chatFormat(options);
  if (!format)
    return Error{format.error()};
  std::vector<Message> messages;
  if (options.system)
    messages.push_back({"system", *options.system});
  messages.push_back({"user", std::move(text)});
  auto rendered = format->render(messages);
  if (!rendered)
    return Error{"--chat: " + rendered.error()};
  TokenizedText turn;
  auto change = turn.become(std::move(*rendered), *tokenizer);
  if (!change)
    return Error{"--chat: " + change.error()};
  return Prompt{turn.ids(), change->lostBytes,
                !options.refuseMarkers && format->hasPlainMarkers(),
                format->note()};
}

Error Text::readsNoText() const {
  return {"this program can read no text: " + tokenizer.error() +
          "; give --prompt-ids and --output-ids"};
}

Result<ChatFormat> Text::chatFormat(const Options &options) const {
  if (!tokenizer)
    return readsNoText();
  ChatSettings settings = {.name = options.chatTemplate,
                           .variables = options.templateVariables,
                           .refuseMarkers = options.refuseMarkers};
  if (options.chatTemplateFile)
    if (auto error = readFile(*options.chatTemplateFile,
                              "give a file with a Jinja template")
                         .moveTo(settings.source.emplace()))
      return *error;
  return ChatFormat::create(*tokenizer, settings);
}

Result<std::unique_ptr<Constraint>>
Text::constraint(const Options &options) const {
  if (!options.grammar && !options.jsonSchema)
    return std::unique_ptr<Constraint>();
  const bool isGrammar = options.grammar.has_value();
  const std::string &path = isGrammar ? *options.grammar : *options.jsonSchema;
  if (!tokenizer)
    return Error{std::string(isGrammar ? "--grammar" : "--json-schema") +
                 " is about text: " + tokenizer.error() + "; leave it out"};
  auto source = readFile(path, isGrammar ? "give a file with the grammar"
                                         : "give a file with the schema");
  if (!source)
    return Error{source.error()};
  if (source->size() > kMaxGrammarBytes)
    return Error{path + ": has " + std::to_string(source->size()) +
                 " bytes, expected at most " +
                 std::to_string(kMaxGrammarBytes) + "; shorten it"};
  auto grammar = isGrammar ? grammar::parseGbnf(*source)
                           : grammar::parseJsonSchema(*source);
  if (!grammar)
    return Error{path + ": " + grammar.error()};
  auto made = Constraint::create(*grammar, *tokenizer, ends, options.ignoreEnd);
  if (!made)
    return Error{path + ": " + made.error()};
  return made;
}

bool Text::endsAnswer(int32_t id) const {
  return std::binary_search(ends.begin(), ends.end(), id);
}

} // namespace corellama::runtime
