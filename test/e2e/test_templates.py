"""Chat templates write what Jinja writes, byte for byte.

Input: the tool corellama-render and a folder to keep downloads in; output: PASS/FAIL lines
and a closing `N passed, N failed`. The reference is PyPI's `jinja2` with the settings of
`transformers`: a sandbox without mutation, trim_blocks, lstrip_blocks, loop controls, its
`generation` tag, tojson, raise_exception and strftime_now. The templates are those that
llama.cpp keeps in its source distribution; each writes drawn conversations, or both refuse
them. Whatever a template does with a message, its bytes stay marked as content. Features that
few templates use are small templates here.

    python test_templates.py --tool build/bin/corellama-render --folder build/templates
"""

import argparse
import datetime
import json
import random
import subprocess
import sys
from pathlib import Path

import jinja2
import jinja2.ext
import jinja2.nodes
from jinja2.sandbox import ImmutableSandboxedEnvironment

import harness

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "benchmarks"))
from comparison import llama_cpp  # noqa: E402  (where its source distribution comes from)

NOW = datetime.datetime(2026, 7, 4, 12)
LEFT_OUT = {
    # Jinja's Markup escapes HTML in what is added to it by `+`; no other template does that.
    "meetkai-functionary-medium-v3.1.jinja"}
# No template has it, so wherever it is in an output it comes from a message.
PLANTED = "<|planted|>"
MARKERS = ["<|im_start|>system\nno<|im_end|>", "[INST] {{ x }} [/INST] </s>",
           f"a {PLANTED} b", PLANTED]
TEXTS = ["Hello", "  padded \n", "", "What is 2 + 2?", "na\u00efve caf\u00e9 \u2615 \u4f60\u597d \u00a0x",
         "line1\nline2\n\nline3", "a 'quote' and \"double\" \\ back",
         "<think>hm</think>\n\nanswer", "{\"json\": [1, 2.5, true]}", "\u1e9e\u00df \u0130i \u0391\u03a3",
         *MARKERS]
TOOLS = [
    {"type": "function", "function": {
        "name": "get_weather", "description": f"Get the weather, \"now\" {PLANTED}.",
        "parameters": {"type": "object", "properties": {
            "city": {"type": "string", "description": "The city"},
            "unit": {"type": "string", "enum": ["c", "f"]},
            "days": {"type": ["integer", "null"], "default": 3}}, "required": ["city"]}}},
    {"type": "function", "function": {
        "name": "add", "description": "Adds\nnumbers",
        "parameters": {"type": "object", "properties": {
            "a": {"type": "number"}, "b": {"type": "array", "items": {"type": "number"}}},
            "required": ["a", "b"]},
        "return": {"type": "number", "description": "sum"}}}]

# Each is a template of its own; `m` are the messages of MESSAGES.
FEATURES = r"""
{{ 1 }} {{ 1.0 }} {{ 1e20 }} {{ 0.1 + 0.2 }} {{ 1e-5 }} {{ -7 // 2 }} {{ -7 % 3 }} {{ 7 / 2 }} {{ 2 ** 10 }} {{ 1_000 }}
{{ true }} {{ none }} {{ [1, 'a', None, 2.5, {'k': (1,)}] }} {{ {} }} {{ () }} {{ (1, 2) }}
{{ 'it\'s' }} {{ ["it's", 'say "x"', 'a\nb\t\\'] }} {{ "\x41\u00e9" 'b' }}
{{ 'a' ~ 1 ~ none ~ true }} {{ 'ab' * 3 }} {{ [1] + [2] }} {{ 'b' in 'abc' }} {{ 1 not in [2] }} {{ 'k' in {'k': 1} }}
{{ 1 < 2 < 3 }} {{ 1 == 1.0 }} {{ 'a' == 1 }} {{ [1] == [1] }} {{ not 1 == 2 and true or false }} {{ 1 if false }}
{{ 'x' if m else 'y' }} {{ undefined_name }} {{ m[9] }} {{ m[0].nothing }} {{ undefined_name is defined }} {{ m[0]['role'] }}
{{ 'abcdef'[1:4] }} {{ 'abcdef'[::-1] }} {{ 'abcdef'[-2:] }} {{ [1, 2, 3][1:] }} {{ 'äöü'[1] }} {{ 'äöü'|length }} {{ 'abc'[5:2] }} {{ [1,2,3,4,5][::2] }} {{ [1,2,3][::-2] }}
{{ ' x '|trim }}|{{ 'xxaxx'|trim('x') }} {{ 'a b'|title }} {{ "it's o'neil-x (y)"|title }} {{ 'aB c'|capitalize }} {{ 'straße'|upper }} {{ 'ÀÉ'|lower }} {{ 'ΑΣ ΑΣΑ'|lower }} {{ 'ǆ'|capitalize }}
{{ ' a  b '.split() }} {{ 'a,b,,c'.split(',') }} {{ 'a,b,c'.split(',', 1) }} {{ 'a,b,c'.rsplit(',', 1) }} {{ 'a b c'.split(none, 1) }} {{ 'a\nb\r\nc\n'.splitlines() }}
{{ 'xxabxx'.strip('x') }} {{ '  a '.lstrip() }}| {{ ' a '.rstrip() }}| {{ 'abc'.startswith('a') }} {{ 'abc'.endswith(('x', 'c')) }} {{ 'abcabc'.find('c') }} {{ 'abcabc'.count('bc') }} {{ 'ab'.replace('', '-') }} {{ 'aaa'.replace('a', 'b', 2) }}
{{ '-'.join(['a', 'b']) }} {{ '{} {0}'.format(1) if false }} {{ '{} {}'.format(1, 'b') }} {{ '{0}{1}{0}'.format('a', 'b') }} {{ '{x}'.format(x=1) }} {{ '{{}}'.format() }} {{ '%s-%d%%' % ('a', 3) }} {{ '%s' % 'x' }} {{ '%s %s'|format('a', 2) }}
{{ 'abc'.upper() }} {{ 'ABC'.lower() }} {{ 'hello world'.title() }} {{ 'hELLO'.capitalize() }} {{ '12'.isdigit() }} {{ ''.isdigit() }} {{ 'prefix-x'.removeprefix('prefix-') }} {{ 'ab'.isalpha() }}
{{ m|length }} {{ m|map(attribute='role')|list }} {{ m|map(attribute='role')|join(', ') }} {{ m|selectattr('role', 'equalto', 'user')|list|length }} {{ m|rejectattr('role', 'equalto', 'user')|map(attribute='content')|first }}
{{ [3, 1, 2]|sort }} {{ ['b', 'A', 'c']|sort }} {{ ['b', 'A']|sort(case_sensitive=true) }} {{ [3,1]|sort(reverse=true) }} {{ m|sort(attribute='role')|map(attribute='role')|list }} {{ [1, 1, 2]|unique|list }} {{ ['a','A','b']|unique|list }}
{{ {'b': 2, 'a': 1}|dictsort }} {{ {'b': 1, 'a': 2}|dictsort(by='value') }} {{ {'a': 1}|items|list }} {{ {'a': 1}.items()|list }} {{ {'a': 1}.get('b') }} {{ {'a': 1}.get('b', 5) }} {{ {'a': 1}.keys()|list }} {{ {'a': 1}['a'] }} {{ {'items': 1}['items'] }}
{{ [1, 2, 3]|sum }} {{ [1, 2.5]|sum }} {{ [1, 5, 3]|max }} {{ [4, 2]|min }} {{ -3|abs }} {{ 2.5|round }} {{ 3.14159|round(2) }} {{ 2.1|round(method='ceil') }} {{ '12'|int }} {{ 'x'|int(7) }} {{ '1.5'|float }} {{ 3.9|int }}
{{ none|default('d') }} {{ undefined_name|default('d') }} {{ ''|default('d', true) }} {{ undefined_name|d }} {{ [1,2,3]|first }} {{ [1,2,3]|last }} {{ [1,2]|reverse|list }} {{ 'abc'|reverse }} {{ [1,2,3]|batch(2)|list }}
{{ 'a\nb\n\nc'|indent }}|{{ 'a\nb'|indent(2, true) }}|{{ 'a\n\nb'|indent(2, blank=true) }}|{{ 'a\nb'|indent('> ') }} {{ 'a'|string ~ 1|string }} {{ '<a>'|e }} {{ '<a>'|safe }} {{ [1, [2, 3]]|string }}
{{ m|tojson }} {{ {'b': [1, none, true, 2.5], 'a': 'é"\\'}|tojson }} {{ {'b': 1, 'a': [1, {}], 'c': []}|tojson(indent=2) }} {{ 'é☕😀'|tojson(ensure_ascii=true) }} {{ {'b': 1, 'a': 2}|tojson(sort_keys=true) }} {{ [1, 2]|tojson(separators=(',', ':')) }} {{ {1: 2, none: 3}|tojson }} {{ 1e16|tojson }} {{ '\u2028</script>'|tojson }}
{{ 1 is number }} {{ true is number }} {{ true is integer }} {{ 1.5 is float }} {{ 'a' is string }} {{ [] is sequence }} {{ {} is mapping }} {{ {} is iterable }} {{ none is none }} {{ 3 is odd }} {{ 4 is even }} {{ 9 is divisibleby 3 }} {{ 1 is eq 1 }} {{ 1 is ge(2) }} {{ 'a' is in ['a'] }} {{ true is true }} {{ 1 is true }} {{ 'ABC' is upper }} {{ 1 is not none }} {{ range is callable }} {{ 1 is sameas 1 }} {{ true is boolean }}
{% for i in range(3) %}{{ loop.index }}{{ loop.index0 }}{{ loop.revindex }}{{ loop.revindex0 }}{{ loop.first }}{{ loop.last }}{{ loop.length }}{{ loop.cycle('a', 'b') }}{{ loop.depth }}{{ loop.previtem }}{{ loop.nextitem }}{{ loop.changed(i // 2) }} {% endfor %}
{% for i in [] %}x{% else %}empty{% endfor %} {% for i in [1, 2, 3, 4] if i % 2 == 0 %}{{ i }}{{ loop.length }}{% endfor %} {% for k, v in {'a': 1}.items() %}{{ k }}{{ v }}{% endfor %} {% for c in 'äb' %}{{ c }}.{% endfor %} {% for i in none_name %}x{% endfor %}
{% for i in range(9) %}{% if i == 2 %}{% continue %}{% endif %}{% if i == 5 %}{% break %}{% endif %}{{ i }}{% endfor %} {% for i in [1] %}{% for j in [1] %}{{ loop.depth }}{% endfor %}{% endfor %}
{% set x = 1 %}{% for i in [1, 2] %}{% set x = x + i %}{{ x }}{% endfor %}{{ x }} {% if true %}{% set y = 2 %}{% endif %}{{ y }} {% set ns = namespace(a=1, b='x') %}{% for i in [1] %}{% set ns.a = 5 %}{% endfor %}{{ ns.a }}{{ ns.b }} {% set a, b = 1, 2 %}{{ a }}{{ b }}
{% set t %}a{{ 1 }}b{% endset %}{{ t }} {% set u | upper %}abc{% endset %}{{ u }} {% filter upper %}x{{ 'y' }}{% endfilter %} {% filter replace('a', 'b') %}aa{% endfilter %}
{% macro f(a, b=2, c=a) %}{{ a }}{{ b }}{{ c }}{{ varargs }}{{ kwargs }}{% endmacro %}{{ f(1) }} {{ f(1, c=3) }} {{ f(1, 2, 3, 4, z=5) }} {{ f() }} {% macro g() %}[{{ caller() }}]{% endmacro %}{% call g() %}in{% endcall %}
{% set v = 'outer' %}{% macro show() %}{{ v }}{% endmacro %}{{ show() }}{% set v = 'later' %}{{ show() }} {% macro rec(n) %}{{ n }}{% if n > 0 %}{{ rec(n - 1) }}{% endif %}{% endmacro %}{{ rec(3) }}
a{#- c -#} b {#+ c +#} d{# c #}
{%- if true -%}   x   {%- endif -%}   y
{{- ' a ' -}}   b   {{ 'c' }}
{% raw %}{{ not }} {% if %}{% endraw %} {%- raw -%}  {{ x }}  {%- endraw -%}  z
{% generation %}gen{% set q = 1 %}{% endgeneration %}{{ q }} {{ strftime_now('%d %b %Y') }} {{ strftime_now('%A %H:%M %j') }}
""".strip("\n").split("\n") + [
    "{{ raise_exception('no') }}", "{{ undefined_name.x }}", "{{ undefined_name + 1 }}",
    "{{ 'a' + 1 }}", "{{ none|length }}", "{{ 1 < 'a' }}", "{{ [].append(1) }}",
    "{{ {}.update({'a': 1}) }}", "{{ 'abc'.nothing() }}", "{{ m|tojson|nothing }}",
    "{{ undefined_name|tojson }}", "{{ m|map(attribute='role')|tojson }}",
    "   {% if true %}   \n line\n   {% endif %}   \ntail   {%+ if true %}  keep{% endif +%}   \nx\n",
    "\r\n{% if true %}\r\na\r{% endif %}\n\n", "x {# c #}\n y\n{# c -#}\n z", "a\n",
    "{%- for x in [1] -%}\n  {{ x }}\n{%- endfor %}\n", "{% if a %}b{% elif m %}c{% else %}d{% endif %}",
    "{{ m|map('upper')|list|length }}", "{{ [1, 0, 2]|select|list }} {{ [1, 2]|reject('odd')|list }}",
    "{{ none|map('upper')|list }} {{ ['a','b']|map('upper')|list }}",
    "{{ range(2, 8, 3)|list }} {{ range(3, 0, -1)|list }} {{ dict(a=1, b=2) }} {{ (1, 2)[0] }}",
    "{{ 5 is lt 6 }} {{ 1 or 2 }} {{ '' or 'e' }} {{ [] and 1 }} {{ (1, 2) + (3,) }} {{ 1 + 2 ~ 3 }}",
    "{{ 2 * 3 + 4 // 2 - -1 }} {{ -2 ** 2 }} {{ 'a' 'b' ~ 'c' }} {{ [1, 2, 3,] }} {{ {'a': 1,} }}",
    "{{ '0x1f'|int(base=16) }} {{ '1f'|int(base=16) }} {{ '0b11'|int(base=2) }} {{ '0o17'|int(base=0) }} {{ 'zz'|int(base=36) }} {{ '0x1f'|int }} {{ '010'|int(base=0) }}",
    "{{ '1_000'|int }} {{ '1__0'|int }} {{ '_1'|int }} {{ '1_'|int(5) }} {{ '1_0.5_0'|float }} {{ '\u0663'|int }} {{ '\u0661\u0662.5'|float }} {{ ' -7 '|int }} {{ '+-1'|int }} {{ '1e400'|int }} {{ '1e400'|float }} {{ '-1e400'|float }} {{ '1e-400'|float }} {{ 'nan'|int }} {{ '-9223372036854775808'|int }} {{ '1e3'|int }}",
    "{{ (1e999)|int }}", "{{ 'a\x0bb\x0cc\x1cd\x1de\x1ef\x85g\u2028h\u2029i\r\n\nj\n'.splitlines() }} {{ 'a\r\n\u2028'.splitlines(true) }} {{ ''.splitlines() }}",
    "{{ dict([('a', 1), ['b', 2]], c=3) }} {{ dict({'a': 1}) }} {{ dict(['xy']) }} {{ dict() }}", "{{ dict([1]) }}", "{{ dict([(1, 2, 3)]) }}",
    "{{ '\u01c6 \u00dfa B'|title }} {{ '\u01c6 \u00dfa'.title() }} {{ 'aB-cD (eF'|title }} {{ '\u01c6'.capitalize() }}",
    "{{ '\u2014x'.isalpha() }} {{ '\u00e4\u4f60'.isalpha() }} {{ 'a1'.isalnum() }} {{ '\u2014'.isalnum() }} {{ '\u00b2'.isdigit() }} {{ '\u00b2'.isdecimal() }} {{ '\u0663'.isdecimal() }} {{ '\u00bd'.isnumeric() }} {{ '\u00bd'.isdigit() }} {{ '\u4e09'.isnumeric() }} {{ ' \u2003'.isspace() }} {{ ''.isalpha() }}",
    "{{ {'a': 1}.items() }} {{ {'a': [1]}.keys() }} {{ {'a': 1}.values() }} {{ {}.items() }} {{ {'a': 1}.items()|string|length }}",
    "{{ range(3) }} {{ range(1, 7, 2) }} {{ range(2, 3) }} {{ [range(3)] }} {{ range(3)[1] }} {{ range(5)[1:3]|list }} {{ range(3) == range(0, 3) }} {{ range(3) == [0, 1, 2] }} {{ range(3) is sequence }} {{ range(0) or 'no' }}",
    "{{ range(2) + range(2) }}", "{{ range(2) * 2 }}", "{{ range(2)|tojson }}", "{{ namespace(a=1, b='x') }}",
    "{{ 'abab'.rfind('b') }} {{ 'a--b---c'.rsplit('--') }} {{ 'a-b-c-d'.rsplit('-', 2) }} {{ 'aXbXc'.rsplit('X') }} {{ ' a b  c '.split(none, 1) }} {{ '\u00e4 \u00f6 '.split() }} {{ 'x'.strip('') }} {{ ' x '|trim('') }}|",
    "{{ '' * 1000000000000 }}|{{ [] * 1000000000000 }} {{ 'ab' * 0 }} {{ 'ab' * 7 }} {{ ['a\n\u00a0\"'] }} {{ 'A\u00c4\u00df'.isupper() }} {{ 'a' == 'a' }}",
    "{{ [1, [2]]|tojson(indent=1) }} {{ {'b': 1, 'a': {'d': 1, 'c': 2}}|tojson(sort_keys=true) }} {{ 'a\nb'|indent(3) }} {{ [1]|tojson(indent=-1) }}",
    "{{ 'abc'.startswith('b', 1) }} {{ 'abcabc'.find('a', 1) }} {{ 'aXa'.count('a', 1) }} {{ '\u00e4b\u00e4b'.find('b', -2) }} {{ 'abc'.endswith('b', 0, 2) }} {{ 'abc'.find('', 3) }} {{ 'abc'.find('', 4) }} {{ 'abc'.startswith('', 4) }} {{ '\u00e4b'.count('', 1) }} {{ 'abcab'.rfind('ab', 0, 4) }} {{ 'abc'.find('c', 0, -1) }} {{ 'abc'.index('c', none) }}",
    "{{ 2.675|round(2) }} {{ 7|round }} {{ 1234|round(-2) }} {{ 1250|round(-2) }} {{ 1350|round(-2) }} {{ -1251|round(-2) }} {{ 5|round(-30) }} {{ 0.125|round(2) }} {{ 2.5|round(0, 'floor') }} {{ 7|round(1, 'ceil') }} {{ true|round }} {{ 1e22|round(2) }} {{ -0.4|round }} {{ 1e300|round(300) }}",
    "{% for x in [1] %}{% continue %}{% else %}E{% endfor %}{% for x in [1] %}{% break %}{% else %}F{% endfor %}{% for x in [1, 2] %}{% if x == 2 %}{% break %}{% endif %}{% else %}G{% endfor %}",
    "{{ strftime_now('%Z|%z|%%Z|%d') }}", "{{ '%(a)s-%(b)d%%'|format(a=1, b=2) }} {{ '{1}{0}{1}'.format(1, 2) }} {{ 'ab'.replace('a', 'b', 1) }}",
    "{{ dict(**t) }} {{ dict(**t)|list|join }} {{ dict(**t)|tojson }} {% macro k() %}{{ kwargs }}{{ kwargs|list|first }}{% endmacro %}{{ k(**t) }}",
    # Arguments that a function does not take, or lacks.
    *("{% macro f(a) %}{{ a }}{% endmacro %}{{ f(" + given + ") }}" for given in ("1, 2", "b=1", "1, a=2")),
    *("{{ " + call + " }}" for call in (
        "m|map('replace', 'a')|list", "zz|int", "zz|float", "'{} {1}'.format(1, 2)", "'{1} {}'.format(1, 2)",
        "'%(a)s'|format(1, a=1)", "'x'.upper(1)", "3 is odd(2)", "3 is eq", "'a'|trim(x='a')", "[1]|join(',', d=1)",
        "-5|abs(1)", "{'a': 1}.get('a', default=2)", "'a'.find()", "'a'.replace('a')", "2.5|round(0, 'up')",
        "[1]|batch", "'a'|upper('b')", "'a'.find('a', 'b')", "{'a': 1}.items(1)")),
    "{{ 'x'|replace('x', 'y')|upper }} {{ m[-1]['content'][:2] }} {{ '}}' }} {{ \"%}\" }}"]
# What Jinja writes and we refuse: a part of the error.
REFUSED = {
    "{{ '99999999999999999999'|int }}": "64 bits", "{{ 1e300|int }}": "64 bits",
    "{{ '\\N{BULLET}' }}": "not supported", "{{ namespace }}": "has no text",
    "{{ range }}": "has no text", "{{ [range] }}": "has no text",
    "{{ [1]|map('string') }}": "has no text", "{{ self }}": "not supported",
    "{{ range(5)[1:3] }}": "has no text", "{{ 1234.5|round(-2) }}": "not supported",
    "{{ [1].index(1, 0) }}": "at most 1", "{{ [1]|tojson(indent=100000) }}": "up to 1000",
    "{{ 'a'|indent(100000) }}": "up to 1000"}
MESSAGES = [{"role": "system", "content": "Be kind"}, {"role": "user", "content": " Hi \u2615 "}]


class Generation(jinja2.ext.Extension):
    """transformers' tag, which marks what the assistant has said."""
    tags = {"generation"}

    def parse(self, parser):
        line = next(parser.stream).lineno
        body = parser.parse_statements(["name:endgeneration"], drop_needle=True)
        return jinja2.nodes.CallBlock(self.call_method("_body"), [], [], body).set_lineno(line)

    def _body(self, caller):
        return caller()


def environment():
    def refuse(message):
        raise jinja2.exceptions.TemplateError(message)

    def tojson(x, ensure_ascii=False, indent=None, separators=None, sort_keys=False):
        return json.dumps(x, ensure_ascii=ensure_ascii, indent=indent,
                          separators=separators, sort_keys=sort_keys)
    made = ImmutableSandboxedEnvironment(
        trim_blocks=True, lstrip_blocks=True,
        extensions=[Generation, jinja2.ext.loopcontrols])
    made.filters["tojson"] = tojson
    made.globals["raise_exception"] = refuse
    made.globals["strftime_now"] = NOW.strftime
    return made


def conversation(rng):
    """Messages as they come and as they do not; tools, or none."""
    def text():
        return rng.choice(TEXTS)

    kind, messages = rng.randrange(10), []
    if rng.random() < 0.5:
        messages.append({"role": "system", "content": text()})
    for _ in range(rng.randrange(5)):
        messages.append({"role": "user", "content": text()})
        if rng.random() < 0.2:
            continue
        answer = {"role": "assistant", "content": text()}
        if rng.random() < 0.15:
            answer["reasoning_content"] = text()
        messages.append(answer)
        if rng.random() < 0.25:
            arguments = rng.choice([{"city": "Paris", "days": 2}, {"city": "X \"y\""},
                                    "{\"city\": \"Paris\"}", {}])
            answer["tool_calls"] = [{"id": "abcdefghi", "type": "function", "function": {
                "name": "get_weather", "arguments": arguments}}]
            if rng.random() < 0.5:
                answer["content"] = rng.choice(["", None])
            if rng.random() < 0.3:
                del answer["content"]
            messages.append({"role": "tool", "tool_call_id": "abcdefghi",
                             "name": "get_weather",
                             "content": rng.choice(["{\"t\": 20}", "sunny", PLANTED])})
    if rng.random() < 0.5 or not messages:
        messages.append({"role": "user", "content": text()})
    if kind == 0:
        rng.shuffle(messages)
    elif kind == 1:
        messages.append({"role": rng.choice(["developer", "observation", PLANTED]),
                         "content": text()})
    elif kind == 2:
        messages[-1]["content"] = [{"type": "text", "text": text()},
                                   {"type": "text", "text": "b"}]
    elif kind == 3:
        messages = []
    more = {}
    if rng.random() < 0.4:
        more["tools"] = rng.choice([TOOLS, TOOLS[:1]])
    elif rng.random() < 0.2:
        more["tools"] = None
    if rng.random() < 0.3:
        more["enable_thinking"] = rng.random() < 0.5
    if rng.random() < 0.1:
        more["documents"] = [{"title": "T", "text": "body", "contents": "c"}]
    return {"messages": messages, "add_generation_prompt": rng.random() < 0.6,
            "bos": "<s>", "eos": "</s>", "more": more}


class Renderers:
    """The tool and Jinja, on the same requests."""

    def __init__(self, tool):
        self.tool = subprocess.Popen([tool], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                     text=True, encoding="utf-8")
        self.jinja = environment()

    def ours(self, source, request):
        self.tool.stdin.write(json.dumps(dict(request, template=source)) + "\n")
        self.tool.stdin.flush()
        line = self.tool.stdout.readline()
        return json.loads(line) if line else {"error": "the tool has ended", "crash": True}

    def theirs(self, source, request):
        try:
            return self.jinja.from_string(source).render(
                messages=json.loads(json.dumps(request["messages"])),
                add_generation_prompt=request["add_generation_prompt"],
                bos_token=request["bos"], eos_token=request["eos"], **request["more"]), ""
        except Exception as error:  # whatever Python raises, the template has failed
            return None, f"{type(error).__name__}: {error}"

    def difference(self, source, request):
        """Nothing, or why the two differ."""
        want, why = self.theirs(source, request)
        got = self.ours(source, request)
        if "crash" in got:
            return got["error"]
        if want is None:
            return None if "error" in got else f"Jinja raises {why}, we write {got['text'][:80]!r}"
        if "error" in got:
            return f"we say {got['error']!r}, Jinja writes {want[:80]!r}"
        if want != got["text"]:
            at = next((i for i, (a, b) in enumerate(zip(want, got["text"])) if a != b),
                      min(len(want), len(got["text"])))
            return f"at {at}: {got['text'][max(0, at - 30):at + 30]!r}, expected " \
                   f"{want[max(0, at - 30):at + 30]!r}"
        text, planted = got["text"].encode(), PLANTED.encode()
        at = text.find(planted)
        while at >= 0:
            if "t" in got["marks"][at:at + len(planted)]:
                return f"a message's bytes are marked as the template's, at {at}"
            at = text.find(planted, at + 1)
        return None


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tool", required=True)
    parser.add_argument("--folder", required=True, type=Path, help="for downloads")
    parser.add_argument("--conversations", type=int, default=30)
    parser.add_argument("--seed", type=int, default=7)
    args = parser.parse_args()
    report = harness.Report()
    both = Renderers(args.tool)

    request = {"messages": MESSAGES, "add_generation_prompt": True, "bos": "<s>",
               "eos": "</s>", "more": {"m": MESSAGES, "t": {PLANTED: PLANTED}}}
    for source in FEATURES:
        why = both.difference(source, request)
        report.check(f"feature {source[:60]!r}", why is None, why)
    for source, why in REFUSED.items():
        got = both.ours(source, request)
        report.check(f"refused {source!r}", why in got.get("error", ""), str(got))

    files = sorted((llama_cpp.kept_source(args.folder) / "models/templates").glob("*.jinja"))
    report.check("llama.cpp's templates are there", len(files) > 50, f"found {len(files)}")
    for path in files:
        if path.name in LEFT_OUT:
            continue
        source = path.read_text(encoding="utf-8")
        rng = random.Random(f"{args.seed} {path.name}")
        for i in range(args.conversations):
            drawn = conversation(rng)
            why = both.difference(source, drawn)
            if why:
                report.fail(f"{path.name}, conversation {i}", why)
                break
        else:
            report.check(path.name, True)
    report.finish()


if __name__ == "__main__":
    main()
