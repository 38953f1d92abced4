//===- TemplateTest.cpp - the sandbox of templates ------------------------===//
//
// Limits of templates that never end, and JSON that is none. What templates
// write is compared with Jinja's by test/e2e/test_templates.py.
//
//===----------------------------------------------------------------------===//

#include "runtime/Templates/Template.h"
#include "runtime/Templates/Json.h"
#include "gtest/gtest.h"
#include <chrono>

using namespace corellama::runtime;
using namespace corellama::runtime::templates;

static Result<String> render(std::string_view source) {
  auto made = Template::create(source);
  if (!made)
    return Error{made.error()};
  Template::Inputs inputs;
  inputs.messages = makeList({});
  return made->render(inputs);
}

static std::string repeat(std::string_view text, int times) {
  std::string all;
  for (int i = 0; i < times; ++i)
    all += text;
  return all;
}

TEST(Template, EndsWhateverItIs) {
  const std::pair<std::string, std::string> rows[] = {
      {"{% for i in range(100000) %}{% for j in range(100000) %}{% endfor %}"
       "{% endfor %}",
       "steps"},
      {"{% macro f() %}{{ f() }}{% endmacro %}{{ f() }}", "nested too deeply"},
      {"{% macro f(n) %}{% for i in range(9) %}{{ f(n) }}{% endfor %}"
       "{% endmacro %}{{ f(1) }}",
       "nested too deeply"},
      {"{% set ns = namespace(x='ab') %}{% for i in range(60) %}"
       "{% set ns.x = ns.x ~ ns.x %}{% endfor %}",
       "bytes of text"},
      {"{{ 'a' * 10000000000 }}", "too large"},
      {"{{ ('ab' * 3000000).replace('', 'xxxxxxxx') }}", "bytes of text"},
      {"{% set ns = namespace(x=[1]) %}{% for i in range(60) %}"
       "{% set ns.x = ns.x + ns.x %}{% endfor %}",
       "more than"},
      {"{{ range(99999999) }}", "a range has at most"},
      {std::string(3000, '(') + "1" + std::string(3000, ')'),
       "expected"}, // text: no tag
      {"{{ " + std::string(3000, '(') + "1" + std::string(3000, ')') + " }}",
       "nested too deeply"},
      {"{{ " + std::string(5000, '-') + "1 }}", "nested too deeply"},
      // Chains, whose trees are as deep as they are long.
      {"{{ a" + repeat(" ~ a", 200000) + " }}", "nested too deeply"},
      {"{{ a" + repeat(".b", 200000) + " }}", "nested too deeply"},
      {"{{ a" + repeat("|d", 200000) + " }}", "nested too deeply"},
      // Values inside of values.
      {"{% set x = 1 %}" + repeat("{% set x = [x] %}", 200),
       "nested too deeply"},
      {"{% set x = 1 %}" + repeat("{% set x = {1: (x, 2)} %}", 200),
       "nested too deeply"},
      {"{% set x = [] %}" + repeat("{% set x = [x].count %}", 60000),
       "nested too deeply"},
      {"{% set ns = namespace() %}{% for i in range(9) %}"
       "{% set ns.x = namespace(x=ns.x) %}{% endfor %}",
       "a namespace holds no"},
      // What has no order.
      {"{{ (['nan'|float, 3, 1, 2] * 40)|sort|length }}", ""},
      {"{{ ([3, 1, 2] * 60 + ['a'])|sort }}", "have no order"},
      {"{{ '%d' % 1e300 }}", "format: %d takes numbers"},
      {"{{ 9223372036854775807 + 1 }}", "does not fit 64 bits"},
      {"{{ 1 // 0 }}", "division by zero"},
      {"{% set ns = namespace() %}{% set ns.self = ns %}{{ ns.self.self.x }}",
       "a namespace holds no"},
  };
  for (const auto &[source, why] : rows) {
    auto begin = std::chrono::steady_clock::now();
    auto text = render(source);
    double took =
        std::chrono::duration<double>(std::chrono::steady_clock::now() - begin)
            .count();
    // A bound for hangs only: machines differ, and sanitizers are slow.
    EXPECT_LT(took, 20) << source.substr(0, 60);
    if (text)
      EXPECT_TRUE(why.empty() || why == "expected") << source.substr(0, 60);
    else
      EXPECT_NE(text.error().find(why), std::string::npos)
          << source.substr(0, 60) << ": " << text.error();
  }
}

TEST(Template, AnErrorNamesTheLine) {
  EXPECT_EQ(render("a\n\n{{ x.y.z }}").error(), "line 3: 'x' is undefined");
  EXPECT_EQ(render("{{ 1 + }}").error(),
            "line 1: expected an expression, found the end of the tag");
  EXPECT_EQ(render("{% break %}").error(), "line 1: break outside of a loop");
  EXPECT_EQ(
      render("{{ [1].append(2) }}").error(),
      "line 1: access to attribute 'append' is unsafe: a template changes "
      "no value");
}

TEST(Template, AnErrorIsOneLineWhateverTheTemplateSays) {
  EXPECT_EQ(
      render("{{ raise_exception('a\\n\\x1b[2J\u00e9') }}").error(),
      "line 1: the template refuses the conversation: a\\x0a\\x1b[2J\u00e9");
  EXPECT_EQ(render("{{ raise_exception('a' * 100000) }}").error().size(), 503u);
}

TEST(Json, ReadsWhatIsJsonAndNothingElse) {
  auto value = parseJson("{\"a\": [1, -2.5e3, true, null, "
                         "\"\\u00e9\\ud83d\\ude00\\n\"], \"b\": {}}");
  ASSERT_TRUE(value) << value.error();
  auto text = writeJson(*value, {});
  ASSERT_TRUE(text);
  EXPECT_EQ(
      text->view(),
      "{\"a\": [1, -2500.0, true, null, \"\u00e9\U0001F600\\n\"], \"b\": {}}");
  for (const char *bad :
       {"", "{", "[1,]", "{\"a\" 1}", "\"a", "01x", "+1", "nul", "[1] 2",
        "\"\\ud800\"", "\"\\u12\"", "\"\n\"", "{1: 2}", "99999999999999999999"})
    EXPECT_FALSE(parseJson(bad)) << bad;
  EXPECT_FALSE(parseJson(std::string(100, '[') + std::string(100, ']')));
}
