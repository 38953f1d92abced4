//===- corellama-render.cpp - the runtime's templates on their own --------===//
//
// A developer's tool: runs chat templates as compiled programs do.
// test/e2e/test_templates.py compares it with Jinja; nothing is installed.
//
// A line of JSON on stdin, {template, messages, add_generation_prompt, bos,
// eos, more: {name: value, ...}}, gives one on stdout: {text, marks} with a
// mark for each byte (t: the template's, c: content), or {error}. The time is
// noon of July 4th, 2026.
//
//===----------------------------------------------------------------------===//

#include "runtime/Templates/Json.h"
#include "runtime/Templates/Template.h"

#include <cstdio>
#include <iostream>
#include <string>

using namespace corellama::runtime;
using namespace corellama::runtime::templates;

static Result<String> render(const Dict &request) {
  auto text = [&](std::string_view key) {
    const Value *value = request.find(key);
    return std::string(value ? value->str().view() : std::string_view());
  };
  auto source = Template::create(text("template"));
  if (!source)
    return Error{source.error()};
  Template::Inputs inputs;
  if (const Value *messages = request.find("messages"))
    inputs.messages = *messages;
  if (const Value *prompt = request.find("add_generation_prompt"))
    inputs.addGenerationPrompt = prompt->isTrue();
  inputs.bosToken = text("bos");
  inputs.eosToken = text("eos");
  if (const Value *more = request.find("more"))
    for (const auto &[name, value] : more->dict()->pairs())
      inputs.more.emplace_back(std::string(name.str().view()), value);
  inputs.now.tm_year = 2026 - 1900;
  inputs.now.tm_mon = 6;
  inputs.now.tm_mday = 4;
  inputs.now.tm_hour = 12;
  inputs.now.tm_wday = 6;
  inputs.now.tm_yday = 184;
  return source->render(inputs);
}

int main() {
  std::string line;
  while (std::getline(std::cin, line)) {
    auto request = parseJson(line);
    if (!request || !request->is(Value::Kind::Dict)) {
      std::fprintf(stderr, "corellama-render: no object of JSON\n");
      return 1;
    }
    auto answer = std::make_shared<Dict>();
    auto text = render(*request->dict());
    if (text) {
      std::string marks;
      for (size_t at = 0; at < text->size(); ++at)
        marks += text->originAt(at) == Origin::Template ? 't' : 'c';
      answer->set(makeString("text"), *text);
      answer->set(makeString("marks"), makeString(marks));
    } else {
      answer->set(makeString("error"), makeString(text.error()));
    }
    JsonStyle style;
    style.ensureAscii = true;
    auto written = writeJson(answer, style);
    std::printf("%s\n", std::string(written->view()).c_str());
    std::fflush(stdout);
  }
  return 0;
}
