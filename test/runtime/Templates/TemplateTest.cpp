//===- TemplateTest.cpp - the sandbox of templates ------------------------===//
//
// Limits of templates that never end, and JSON that is none. What templates
// write is compared with Jinja's by test/e2e/test_templates.py.
//
//===----------------------------------------------------------------------===//

#include "runtime/Templates/Template.h"
#include "runtime/Templates/Json.h"
#include "gtest/gtest.h"
#include <ctime>

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

static double cpuSeconds() {
  timespec now;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) +
         1e-9 * static_cast<double>(now.tv_nsec);
}

/// The limits are for 100 ms at -O2, and take half of it; parsing half a MB of
/// source is not in it. Slower machines have three times, builds with
/// sanitizers or without -O thirty times as much.
static Result<String> renderInTime(std::string_view source) {
#if defined(__has_feature)
#define SANITIZED __has_feature(address_sanitizer)
#else
#define SANITIZED 0
#endif
#if SANITIZED || defined(__SANITIZE_ADDRESS__) || !defined(__OPTIMIZE__)
  constexpr double allowance = 30;
#else
  constexpr double allowance = 3;
#endif
  const double begin = cpuSeconds();
  auto text = render(source);
  const double took = cpuSeconds() - begin;
  EXPECT_LT(took, 0.1 * allowance) << source.substr(0, 80);
  return text;
}

// What Python does in a moment for short texts and lists, on large ones. Each
// row does as much as the limits let it.
TEST(Template, NoOperationTakesLong) {
  const std::string often = "{% for i in range(100000) %}{{ ";
  const std::string rows[] = {
      "{{ ('a' * 2000000).find('a' * 1000000 ~ 'b') }}",
      "{{ ('a' * 2000000).rfind('b' ~ 'a' * 1000000) }}",
      "{{ ('a' * 2000000).rfind('a' * 1000000 ~ 'b') }}",
      "{{ ('a' * 2000000).count('a' * 1000000 ~ 'b') }}",
      "{{ ('a' * 1000000 ~ 'b') in 'a' * 2000000 }}",
      "{{ ('a' * 2000000).replace('a' * 1000000 ~ 'b', 'x') }}",
      "{{ ('a' * 2000000).split('a' * 1000000 ~ 'b') | length }}",
      "{{ ('a' * 2000000).rsplit('b' ~ 'a' * 1000000) | length }}",
      "{{ ('a' * 2000000).rsplit('a', 3000000) | length }}",
      "{{ ('a' * 3000000).split('a') | length }}",
      "{{ ('a ' * 1000000).split() | length }}",
      "{{ ('a\n' * 1000000).splitlines() | length }}",
      "{% set t = 'a' * 40000 ~ 'b' %}{% set u = 'a' * 80000 %}"
      "{% for i in range(3000) %}{{ t in u }}{% endfor %}",
      "{% set t = 'a' * 128 ~ 'b' ~ 'a' * 127 %}{% set u = 'a' * 200000 %}"
      "{% for i in range(3000) %}{{ t in u }}{% endfor %}",
      "{% set a = [[[[[1]*50]*50]*50]*50]*50 %}{{ a | string | length }}",
      "{% set a = [[[[[1]*50]*50]*50]*50]*50 %}{{ a ~ 'x' }}",
      "{% set a = [[[[[1]*50]*50]*50]*50]*50 %}{{ a }}",
      "{% set a = [[[[[1]*50]*50]*50]*50]*50 %}{{ a | join('x') | length }}",
      "{% set a = [[[[[1]*50]*50]*50]*50]*50 %}{{ a | map('string') | list | "
      "length }}",
      "{% set a = [[[1]*1000]*1000]*100 %}{{ a | tojson | length }}",
      "{% set a = [[[1]*1000]*1000]*100 %}{% set b = [[[1]*1000]*1000]*100 %}"
      "{{ a == b }}{{ a != b }}{{ a is eq(b) }}{{ a is sameas(b) }}",
      "{% set a = [[[1]*1000]*1000]*100 %}{% set b = [[[1]*1000]*1000]*100 %}"
      "{{ b in [a] }}{{ [a].index(b) }}{{ [a].count(b) }}{{ a < b }}",
      "{% set a = [[[1]*1000]*1000]*100 %}{% set b = [[[1]*1000]*1000]*100 %}"
      "{{ [a, b] | sort | length }}{{ [a, b] | max | length }}",
      "{% set a = (((1,)*1000,)*1000,)*100 %}{{ {a: 1} }}",
      "{% set a = (((1,)*1000,)*1000,)*100 %}{{ [a, a] | unique | list }}",
      "{% set a = (((1,)*1000,)*1000,)*100 %}{{ {}.get(a) }}{{ a in {} }}",
      "{% set a = (((1,)*1000,)*1000,)*100 %}{{ {}[a] }}",
      "{% set a = [1, 2, 3, 4] * 10000 %}{{ a | sort | length }}",
      "{% set t = 'a' * 4000 %}{% set a = [t ~ 1, t ~ 3, t ~ 2] * 100 %}"
      "{{ a | sort | length }}",
      "{% set t = 'a' * 4000 %}{% set a = [t ~ 1, t ~ 3, t ~ 2] * 1000 %}"
      "{{ a | sort(case_sensitive=true) | length }}",
      "{% set t = 'a' * 4000 %}{% set a = [t ~ 1, t ~ 3, t ~ 2] * 1000 %}"
      "{{ a | unique | list | length }}",
      "{{ ('a' * 200000) | list | sort | join | length }}",
      "{{ ('a' * 200000) | unique | list | length }}",
      "{{ range(100000) | map('string') | join | length }}",
      "{{ ([{'a': {'b': 1}}] * 100000) | map(attribute='a.b') | list | length "
      "}}",
      "{{ range(100000) | select('odd') | list | length }}",
      "{{ range(100000) | batch(1) | list | length }}",
      "{{ dict(range(100000) | batch(2)) | dictsort | length }}",
      "{% set d = dict(range(20000) | batch(2)) %}" + often +
          "d.items() }}{% endfor %}",
      "{% set d = dict(range(20000) | batch(2)) %}" + often +
          "d.copy() | length }}{% endfor %}",
      "{% set d = dict(range(20000) | batch(2)) %}" + often +
          "d == d }}{% endfor %}",
      "{% set a = range(10000) | list %}" + often +
          "a.index(-1) if i < 0 else a.count(1) }}{% endfor %}",
      "{{ ('a' * 1000000) | tojson | length }}",
      "{{ ('\n' * 1000000) | tojson | length }}",
      "{{ [['\n' * 1000000]] | string | length }}",
      "{{ [['\u00e9' * 500000]] | string | length }}",
      "{{ [1] * 30000 | int }}",
      "{{ ([1] * 30000) | tojson(indent=1000) | length }}",
      "{{ ([1] * 30000) | tojson(separators=('a' * 10000, 'b')) | length }}",
      "{{ ('<' * 600000) | e | length }}",
      "{{ ('%%' * 1000000) % () }}",
      "{{ ('%s' * 10000) % ((1,) * 10000) }}",
      "{{ ('{{' * 1000000).format() }}",
      "{{ ('\u01c6' * 2000000) | upper | length }}",
      "{{ ('\u01c6' * 100000) | title | length }}",
      "{{ ('a ' * 100000) | title | length }}",
      "{{ ('a' * 2000000).title() | length }}",
      "{{ ('a' * 4000000)[1:][1:] | length }}",
      "{{ ('a' * 500000)[::-1] | length }}",
      "{{ ('a' * 500000) | reverse | length }}",
      "{{ ('a' * 2000000) | replace('a', 'b') | length }}",
      "{{ ('a' * 1000000) | replace('', 'b') | length }}",
      "{{ ('\n' * 1000000) | indent | length }}",
      "{{ ('1' * 1000000) | int }}{{ ('1' * 1000000) | float }}",
      "{{ ('1' * 200000 ~ '.' ~ '1' * 200000) | float }}",
      "{{ '' * 9223372036854775807 }}{{ [] * 9223372036854775807 }}",
      "{{ 'a' * 16000000 }}",
      "{% set x = 'a' * 4000000 %}" + often + "x.endswith(x) }}{% endfor %}",
      "{% set x = 'a' * 4000000 %}" + often +
          "x.startswith('a') }}{% endfor %}",
      "{% set x = '1' * 1000 %}" + often + "x.isdigit() }}{% endfor %}",
      "{% set x = 'a' * 1000 %}" + often + "x.isalpha() }}{% endfor %}",
      "{% set x = '\u01c6' * 1000 %}" + often + "x.isalnum() }}{% endfor %}",
      "{% set x = '\u01c6' * 1000 %}" + often + "x is lower }}{% endfor %}",
      "{% set x = 'A' * 1000 %}" + often + "x is upper }}{% endfor %}",
      "{% set x = ' ' * 1000 %}" + often + "x | trim }}{% endfor %}",
      "{% set x = 'a' * 1000 %}" + often + "x.strip('bcdefgha') }}{% endfor %}",
      "{% set x = 'a' * 1000 %}" + often + "x.removeprefix('a') }}{% endfor %}",
      "{% set x = 'a' * 1000 %}" + often + "x[-1] }}{% endfor %}",
      "{% set x = 'a' * 1000 %}" + often + "x | length }}{% endfor %}",
      "{% set x = [1] * 1000 %}" + often + "x[1:] | length }}{% endfor %}",
      "{% set x = [1] * 1000 %}" + often + "x | first }}{% endfor %}",
      often + "strftime_now('" + repeat("%c", 50) + "') }}{% endfor %}",
      often + "[1, 2, 'a', {1: i}] }}{% endfor %}",
      often + "namespace(a=1, b=2).a }}{% endfor %}",
      often + "'a'.upper().lower().title() }}{% endfor %}",
      often + "i | string | int | string | int }}{% endfor %}",
      often + "nothing is defined and nothing.a }}{% endfor %}",
      often + "{'a': {'b': {'c': 1}}}.a.b.c }}{% endfor %}",
      often + "i + 1 * 2 - 3 // 4 }}{% endfor %}",
      often + std::string(50000, 'n') + " }}{% endfor %}",
      often + "'" + std::string(50000, 'n') + "' | length }}{% endfor %}",
      often + "x." + std::string(50000, 'n') + " if false }}{% endfor %}",
      often + "1 }}{% endfor %}",
      "{% macro f(a, b=1) %}{% endmacro %}" + often + "f(1) }}{% endfor %}",
      "{% macro f(a, b=1) %}{{ caller() }}{% endmacro %}{% for i in "
      "range(99999) "
      "%}{% call f(1) %}x{% endcall %}{% endfor %}",
      "{% set d = dict(range(2000) | map('string') | batch(2)) %}" + often +
          "dict(**d) | length }}{% endfor %}",
      "{% set d = dict(range(2000) | map('string') | batch(2)) %}" + often +
          "'{}'.format('b', **d) }}{% endfor %}",
      "{% for i in range(100000) %}{% for j in [1] %}{% endfor %}{% endfor %}",
      "{% for i in range(100000) if false %}{% endfor %}" +
          repeat("{% for i in range(100000) if i < 0 %}{% endfor %}", 5),
      "{% for i in range(100000) %}{% set a, b, c = 1, 2, 3 %}{% endfor %}",
      "{% for i in range(100000) %}{% set a %}x{% endset %}{% endfor %}",
      "{% for i in range(100000) %}{% filter upper %}x{% endfilter %}{% endfor "
      "%}",
      repeat("{% for i in [1] %}", 90) +
          "{% for j in range(100000) %}"
          "{% set x = range %}{{ nothing }}{% endfor %}" +
          repeat("{% endfor %}", 90),
      repeat("{% for i in [1] %}", 90) +
          "{% for j in range(100000) %}"
          "{{ nothing }}{{ nothing }}{% endfor %}" +
          repeat("{% endfor %}", 90),
  };
  for (const std::string &source : rows)
    if (auto text = renderInTime(source); !text)
      EXPECT_NE(text.error().find("the template "), std::string::npos)
          << source.substr(0, 80) << ": " << text.error();
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
      {"{{ a" + repeat(" ~ a", 60000) + " }}", "nested too deeply"},
      {"{{ a" + repeat(".b", 60000) + " }}", "nested too deeply"},
      {"{{ a" + repeat("|d", 60000) + " }}", "nested too deeply"},
      // Values inside of values.
      {"{% set x = 1 %}" + repeat("{% set x = [x] %}", 200),
       "nested too deeply"},
      {"{% set x = 1 %}" + repeat("{% set x = {1: (x, 2)} %}", 200),
       "nested too deeply"},
      {"{% set x = [] %}" + repeat("{% set x = [x].count %}", 10000),
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
    auto text = renderInTime(source);
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
