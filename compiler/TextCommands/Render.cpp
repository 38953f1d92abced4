//===- Render.cpp - a conversation through a chat template ----------------===//
//
// See TextCommands.h. The template runs as in a program, but on whole JSON
// messages, and without a tokenizer: it may stand in a file that no program can
// be made of.
//
//===----------------------------------------------------------------------===//

#include "compiler/TextCommands/TextCommands.h"
#include "compiler/TextCommands/TextFile.h"
#include "runtime/Templates/Chat.h"
#include "runtime/Templates/Json.h"
#include "runtime/Templates/NamedTemplates.h"

using namespace corellama;
using namespace corellama::text;
using namespace corellama::runtime::templates;
using llvm::Error;
using llvm::Expected;
using llvm::StringRef;
using llvm::Twine;

static Error refuse(StringRef place, const Twine &problem) {
  return llvm::createStringError(place + ": " + problem);
}

namespace {
struct Source {
  /// What messages about it begin with.
  std::string place, text;
  std::string bos = "<s>", eos = "</s>";
};
} // namespace

static Expected<Source> findSource(const RenderOptions &options) {
  Source source;
  if (!options.file.empty()) {
    auto file = TextFile::open(options.file);
    if (!file)
      return file.takeError();
    const runtime::TextData &data = file->data();
    auto textOf = [&](std::optional<int32_t> id) {
      return std::string(id ? data.tokens[*id] : std::string_view());
    };
    const bool isOther =
        !options.templateFile.empty() || !options.templateName.empty();
    if (data.kind == runtime::TokenizerKind::none && !isOther)
      return refuse(options.file,
                    data.whyNone + "; give a template by --template");
    if (data.kind != runtime::TokenizerKind::none) {
      source.bos = textOf(data.bos);
      source.eos = textOf(data.eos);
    }
    source.place = options.file + ": tokenizer.chat_template";
    if (!data.chatTemplate && !isOther)
      return refuse(source.place, "missing, expected a Jinja template; give "
                                  "one by --template or --chat-template");
    source.text = data.chatTemplate.value_or("");
  }
  if (!options.templateFile.empty()) {
    source.place = placeOf(options.templateFile);
    if (Error error =
            readBytes(options.templateFile, "give a file with a Jinja template")
                .moveInto(source.text))
      return error;
  }
  if (!options.templateName.empty()) {
    const NamedTemplate *known = findTemplate(options.templateName);
    source.place = "--chat-template " + options.templateName;
    source.text = known->source;
  }
  source.bos = options.bos.value_or(source.bos);
  source.eos = options.eos.value_or(source.eos);
  return source;
}

/// Adds messages and tools of a file of JSON: a list of messages, or an object
/// with them.
static Error addConversation(StringRef place, StringRef json,
                             Template::Inputs &inputs) {
  auto value = parseJson(json);
  if (!value)
    return refuse(place, value.error());
  Value messages = *value;
  if (value->is(Value::Kind::Dict)) {
    messages = Undefined{};
    for (const auto &[key, of] : value->dict()->pairs()) {
      const std::string name(key.string().view());
      if (name == "messages")
        messages = of;
      else if (name == "tools" || name == "documents")
        inputs.more.emplace_back(name, of);
      else
        return refuse(place, "has " + runtime::quoted(name) +
                                 ", expected messages, tools and documents; "
                                 "give other variables by --template-kwargs");
    }
  }
  if (!messages.is(Value::Kind::List))
    return refuse(place, "has no list of messages, expected [{\"role\": "
                         "\"user\", \"content\": \"...\"}, ...], or an object "
                         "with it as its messages");
  for (const auto &[i, message] : llvm::enumerate(messages.list()->items))
    if (!message.is(Value::Kind::Dict))
      return refuse(place, "message " + Twine(i + 1) + " is of type " +
                               message.typeName() +
                               ", expected an object with role and content");
  inputs.messages = messages;
  return Error::success();
}

Error corellama::text::render(const RenderOptions &options,
                              llvm::raw_ostream &out) {
  auto source = findSource(options);
  if (!source)
    return source.takeError();
  auto compiled = Template::create(source->text);
  if (!compiled)
    return refuse(source->place, compiled.error());

  auto json = readBytes(options.messagesFile, "give a file with JSON messages");
  if (!json)
    return json.takeError();
  Template::Inputs inputs;
  if (Error error =
          addConversation(placeOf(options.messagesFile), *json, inputs))
    return error;
  size_t given = json->size();
  if (options.variables) {
    auto variables = runtime::readVariables(*options.variables);
    if (!variables)
      return refuse("--template-kwargs", variables.error());
    llvm::append_range(inputs.more, std::move(*variables));
    given += options.variables->size();
  }
  inputs.addGenerationPrompt = options.generationPrompt;
  inputs.bosToken = source->bos;
  inputs.eosToken = source->eos;
  inputs.limits.allow(given);
  std::time_t now = std::time(nullptr);
  localtime_r(&now, &inputs.now);
  inputs.now = options.date.value_or(inputs.now);
  auto text = compiled->render(inputs);
  if (!text)
    return refuse(source->place, text.error());
  out << StringRef(text->view());
  return Error::success();
}
