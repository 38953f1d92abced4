//===- NamedTemplates.cpp - chat formats known by name --------------------===//
//
// See NamedTemplates.h. The formats are those of the models' own documentation;
// test/e2e/test_text.py has the text that it gives for a conversation.
//
//===----------------------------------------------------------------------===//

#include "runtime/Templates/NamedTemplates.h"

using namespace corellama::runtime;
using namespace corellama::runtime::templates;

// Qwen, SmolLM, Yi and many others: any role, no BOS.
static constexpr std::string_view kChatML =
    R"({%- for message in messages -%}
  {{ '<|im_start|>' + message['role'] + '\n' + message['content'] + '<|im_end|>\n' }}
{%- endfor -%}
{%- if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif -%}
)";

// Llama 2 Chat. Each question begins a sequence, the system message is part of
// the first question. The markers are plain text.
static constexpr std::string_view kLlama2 =
    R"({%- set first = namespace(system='') -%}
{%- for message in messages -%}
  {%- if message['role'] == 'system' and loop.first -%}
    {%- set first.system = '<<SYS>>\n' + message['content'] + '\n<</SYS>>\n\n' -%}
  {%- elif message['role'] == 'user' -%}
    {{ bos_token + '[INST] ' + (first.system + message['content']).strip() + ' [/INST]' }}
    {%- set first.system = '' -%}
  {%- elif message['role'] == 'assistant' -%}
    {{ ' ' + message['content'].strip() + ' ' + eos_token }}
  {%- else -%}
    {{ raise_exception('Llama 2 has a system message in front, user and assistant, no ' + message['role']) }}
  {%- endif -%}
{%- endfor -%}
)";

// Llama 3 Instruct, without the dates and tools of 3.1.
static constexpr std::string_view kLlama3 =
    R"({{- bos_token -}}
{%- for message in messages -%}
  {{ '<|start_header_id|>' + message['role'] + '<|end_header_id|>\n\n' + message['content'].strip() + '<|eot_id|>' }}
{%- endfor -%}
{%- if add_generation_prompt %}{{ '<|start_header_id|>assistant<|end_header_id|>\n\n' }}{% endif -%}
)";

// Zephyr, TinyLlama Chat: <|user|> is plain text, turns end by EOS.
static constexpr std::string_view kZephyr =
    R"({%- for message in messages -%}
  {{ '<|' + message['role'] + '|>\n' + message['content'] + eos_token + '\n' }}
{%- endfor -%}
{%- if add_generation_prompt %}{{ '<|assistant|>\n' }}{% endif -%}
)";

// Mistral 7B Instruct (v1 of its format). The space that its documentation has
// behind <s> and </s> is the one that SentencePiece adds there.
static constexpr std::string_view kMistral =
    R"({%- set first = namespace(system='') -%}
{{- bos_token -}}
{%- for message in messages -%}
  {%- if message['role'] == 'system' and loop.first -%}
    {%- set first.system = message['content'] + '\n\n' -%}
  {%- elif message['role'] == 'user' -%}
    {{ '[INST] ' + first.system + message['content'] + ' [/INST]' }}
    {%- set first.system = '' -%}
  {%- elif message['role'] == 'assistant' -%}
    {{ ' ' + message['content'] + eos_token }}
  {%- else -%}
    {{ raise_exception('Mistral has a system message in front, user and assistant, no ' + message['role']) }}
  {%- endif -%}
{%- endfor -%}
)";

static constexpr NamedTemplate kTemplates[] = {
    {"chatml", kChatML, {"<|im_start|>", "<|im_end|>"}},
    {"llama2", kLlama2, {}},
    {"llama3",
     kLlama3,
     {"<|start_header_id|>", "<|end_header_id|>", "<|eot_id|>"}},
    {"zephyr", kZephyr, {}},
    {"mistral", kMistral, {}},
};

const NamedTemplate *
corellama::runtime::templates::findTemplate(std::string_view name) {
  for (const NamedTemplate &known : kTemplates)
    if (known.name == name)
      return &known;
  return nullptr;
}

std::optional<Error>
corellama::runtime::templates::checkTemplateName(std::string_view name) {
  if (findTemplate(name))
    return std::nullopt;
  return Error{"--chat-template: is " + quoted(name) + ", expected one of " +
               templateNames() +
               "; for another give its text by --chat-template-file"};
}

std::string corellama::runtime::templates::templateNames() {
  std::string names;
  for (const NamedTemplate &known : kTemplates)
    names += (names.empty() ? "" : ", ") + std::string(known.name);
  return names;
}
