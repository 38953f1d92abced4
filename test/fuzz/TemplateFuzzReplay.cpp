//===- TemplateFuzzReplay.cpp - damaged templates, without a fuzzer -------===//
//
// Pieces of templates in any order, cut and with flipped bytes, and
// conversations likewise -> the rules of TemplateVerify.h, under the
// sanitizers. Files on the command line, such as those that a fuzzer found,
// are replayed too. A file of its own because no fuzzing engine is needed: the
// draws come from a seed.
//
//===----------------------------------------------------------------------===//

#include "Draws.h"
#include "TemplateVerify.h"

namespace corellama::test {
namespace {

/// Every kind of statement, operator, filter and method is in one of them.
constexpr std::string_view kPieces[] = {
    "{% for m in messages %}{{ m.role }}: {{ m['content'] | trim }}\n",
    "{% endfor %}",
    "{% if messages[0].role == 'system' and not tools %}",
    "{% elif tools is defined %}",
    "{% else %}",
    "{% endif %}",
    "{% set ns = namespace(x=1, y='a') %}",
    "{% set ns.x = ns.x + 1 %}",
    "{%- set t -%} {{ bos_token }} {%- endset -%}",
    "{% macro f(a, b=2) %}{{ a ~ b }}{{ caller() if caller }}{% endmacro %}",
    "{{ f(1) }}",
    "{% call f(3) %}x{% endcall %}",
    "{{ messages | tojson(indent=2) }}",
    "{{ tools | map(attribute='role') | join(', ') }}",
    "{{ messages | selectattr('role', 'equalto', 'user') | list | length }}",
    "{{ (messages[-1].content ~ '|').split('|')[::-1] | last }}",
    "{{ '%s-%d' % ('a', 3) }}{{ '{} {}'.format(1, [2]) }}",
    "{{ [3, 1, 2] | sort | first }}{{ {'b': 1, 'a': 2} | dictsort }}",
    "{{ 7 // 2 - -3 % 5 * 2 ** 3 / 4 }}{{ 1 < 2 < 3 }}",
    "{{ range(5) | batch(2) | list }}{{ messages[0:1] }}",
    "{{ loop.index if loop else 0 }}{% break %}{% continue %}",
    "{% filter upper %}a{% endfilter %}{% raw %}{{ x }}{% endraw %}",
    "{{ raise_exception('no') if 0 else strftime_now('%d %b %Y') }}",
    "{# a comment -#} \xC3\xA4\xF0\x9F\x98\x80 {{ '\\u00e9\\n' | title }}",
    "{{ messages | string | replace('a', 'bb') | indent(2) | wordcount }}",
    "{{ eos_token * 3 }}{{ 'a' in 'abc' }}{{ none is none }}{{ x.y.z }}",
};
constexpr std::string_view kConversations[] = {
    "[]",
    "[{\"role\": \"user\", \"content\": \"Hi\"}]",
    "[{\"role\": \"user\", \"content\": [{\"type\": \"text\", \"text\": "
    "\"\\ud83d\\ude00\"}]}, {\"role\": \"assistant\", \"content\": null, "
    "\"tool_calls\": [{\"function\": {\"name\": \"f\", \"arguments\": {\"a\": "
    "[1, -2.5e3, true]}}}]}]",
    "[[[[1]]], {\"\": {}}, 9223372036854775807, 1e308]",
};

std::string draw(Random &random) {
  std::string input;
  for (size_t i = random() % 12 + 1; i > 0; --i)
    input += kPieces[random() % std::size(kPieces)];
  if (random() % 4 != 0)
    input.append(1, '\0') +=
        kConversations[random() % std::size(kConversations)];
  return damaged(input, random);
}

TEST(TemplateFuzzReplay, PiecesInAnyOrder) {
  Random random(11);
  int rendered = 0, refused = 0;
  for (int i = 0; i < 6000; ++i) {
    const std::string input = draw(random);
    TemplateVerdict verdict = verifyTemplate(input);
    ASSERT_EQ(verdict.fault, "") << i << ": " << input;
    ++(verdict.rendered ? rendered : refused);
  }
  // Neither half may be empty: the draws would not reach the rules.
  EXPECT_GT(rendered, 300);
  EXPECT_GT(refused, 300);
}

TEST(TemplateFuzzReplay, CutAtEveryByte) {
  std::string whole;
  for (std::string_view piece : kPieces)
    whole += piece;
  whole.append(1, '\0') += kConversations[2];
  for (size_t size = 0; size <= whole.size(); ++size)
    ASSERT_EQ(verifyTemplate(std::string_view(whole).substr(0, size)).fault, "")
        << size;
}

} // namespace
} // namespace corellama::test

int main(int argc, char **argv) {
  return corellama::test::replay(argc, argv, [](std::string_view input) {
    return corellama::test::verifyTemplate(input).fault;
  });
}
