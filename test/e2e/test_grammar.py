"""Answers follow grammars and JSON schemas, token by token.

Input: the tool corellama-grammar, the driver, a checkpoint and llama.cpp's source; output:
PASS/FAIL lines. The tokens that may follow a prefix are compared, all of a vocabulary,
with those of grammar_matcher.py, which shares no idea with the runtime: over grammars that
are ambiguous, recursive, counted and full of characters of several bytes, for prefixes
drawn from them. For schemas the reference is PyPI's `jsonschema`: drawn answers of many
schemas, and answers of the model to five, have to be JSON and valid. What is refused is
compared with the whole message. Masks of grammars with many counts have to be fast.

    python test_grammar.py --tool build/bin/corellama-grammar --corellama build/bin/corellama \\
        --model MODEL.gguf --folder build/templates
"""

import datetime
import json
import random
import re
import subprocess
import sys
import uuid
from pathlib import Path

import gguf
import jsonschema
import numpy as np

import harness
from grammar_matcher import Matcher, Trie

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "benchmarks"))
from comparison import llama_cpp  # noqa: E402  (where its source distribution comes from)

# Name: the grammar, and the most bytes of a prefix. With the grammars of llama.cpp.
GRAMMARS = {
    "ambiguous": (r'root ::= s+' '\n' r's ::= "a" s "b" | "a" s "c" | "a" | "aa" | [a-c] s? " "', 9),
    "optional": (r'root ::= (a? b? c?)* "end" (a b)*' '\n' r'a ::= "x"? "y"*' '\n'
                 r'b ::= [0-9]{0,2} | a' '\n' r'c ::= ("the" | "then" | "there")? ","?', 14),
    "recursive": (r'root ::= expr' '\n' r'expr ::= term ([-+*] term)*' '\n'
                  r'term ::= "(" expr ")" | [0-9]+ | name ("[" expr "]")?' '\n'
                  r'name ::= [a-z_] [a-z_0-9]*', 24),
    "right": (r'root ::= item root | item' '\n' r'item ::= word " "' '\n'
              r'word ::= [a-zA-Z] word | [a-zA-Z]', 24),
    "unicode": (r'root ::= ([\u00e4\u00f6\u00fc\u00df] | cjk | emoji | [^\x00-\U0000FFFF])* ("\u20ac" | "ü" .)?' '\n'
                r'cjk ::= [一-鿿、-〾ぁ-ゟ]' '\n' r'emoji ::= [\U0001F600-\U0001F64F]', 12),
    "negated": (r'root ::= "\"" ([^"\\\x00-\x1F] | "\\" .)* "\"" | "<" [^>a-z]{2,5} ">"', 12),
    "counted": (r'root ::= [a-z]{3,40} ("," [0-9a-f]{2,2}){0,70} ("; " word{2,}){1,3}' '\n'
                r'word ::= ("ab" | "abc" | "c" | " "){1,30} "."', 40),
    "nested-counts": (r'root ::= (([ab]{1,3} "-"){2,90} "." ){1,80} "!"', 30),
}

# Schemas of which every drawn answer must be valid; each keyword is in one of them.
PERSON = {"type": "object", "properties": {
    "name": {"type": "string", "minLength": 1, "maxLength": 24},
    "age": {"type": "integer", "minimum": 0, "maximum": 120},
    "email": {"type": ["string", "null"], "maxLength": 20},
    "tags": {"type": "array", "items": {"enum": ["new", "old", "\"quoted\"", "ü"]},
             "maxItems": 3}},
    "required": ["name", "age"], "additionalProperties": False}
SCHEMAS = [
    True, {}, {"type": "string"}, {"type": "null"}, {"type": "boolean"}, {"type": "number"},
    {"type": "integer"}, {"type": "object"}, {"type": "array"},
    {"type": ["integer", "string", "null"], "maxLength": 5, "minimum": -3},
    {"$schema": "https://json-schema.org/draft/2020-12/schema", "$id": "x:y", "title": "t",
     "description": "d", "default": 1, "examples": [1], "const": {"a": [1, None, "\\\n\u2028"]}},
    {"enum": [1, "a\tb", None, True, 2.5, [], {"k": "é"}]},
    {"type": "string", "enum": [1, "a", None, "b"]},
    PERSON,
    {"type": "object", "properties": {"a": {}, "b": False, "c": {"type": "null"}},
     "required": ["c"]},
    {"type": "object", "properties": {c: {"type": "boolean"} for c in "abcdef"},
     "required": ["c", "e"], "additionalProperties": {"type": "integer"}},
    {"type": "object", "properties": {"a": True, "ab": True, "\"q": True, "ä": True},
     "additionalProperties": {"type": "string", "maxLength": 3}},
    {"type": "object", "required": ["x", "y"], "additionalProperties": {"type": "null"}},
    {"type": "object", "additionalProperties": False},
    {"properties": {"a": {"type": "integer"}}, "minItems": 1, "items": {"type": "boolean"}},
    {"type": "array", "items": {"type": "integer"}, "minItems": 2, "maxItems": 4},
    {"type": "array", "items": {"type": "null"}, "minItems": 70, "maxItems": 75},
    {"type": "array", "prefixItems": [{"type": "integer"}, {"type": "string", "maxLength": 3},
                                      {"type": "null"}]},
    {"type": "array", "prefixItems": [{"type": "integer"}, {"type": "boolean"}],
     "items": {"type": "null"}, "minItems": 1, "maxItems": 5},
    {"type": "array", "prefixItems": [{"type": "integer"}], "minItems": 3, "maxItems": 3},
    {"type": "array", "prefixItems": [{"type": "integer"}] * 3, "maxItems": 2, "items": False},
    {"type": "array", "maxItems": 0},
    {"type": "string", "minLength": 3, "maxLength": 3},
    {"type": "string", "minLength": 90, "maxLength": 100},
    {"type": "string", "pattern": r"^[A-Z]{2}-\d{3,5}(?:\.[a-z]+)?$"},
    {"type": "string", "pattern": r"^(a|b\/|\"c\\|[^\w\s]|\S\D\W.|[\t-\r]){1,4}x{3}?$"},
    {"type": "string", "pattern": "^[^\u00e4b-d]{1,6}$"},
    {"type": "string", "format": "date"}, {"type": "string", "format": "time"},
    {"type": "string", "format": "date-time"}, {"type": "string", "format": "uuid"},
    *[{"type": "integer", **bounds} for bounds in (
        {"minimum": 0}, {"maximum": -1}, {"minimum": 17, "maximum": 2345},
        {"minimum": -123, "maximum": 45}, {"minimum": -999, "maximum": -100},
        {"exclusiveMinimum": -1, "exclusiveMaximum": 1}, {"minimum": 0.5, "maximum": 9.9},
        {"minimum": 3, "exclusiveMinimum": 3, "maximum": 12, "exclusiveMaximum": 11},
        {"minimum": 10 ** 18, "maximum": 9223372036854775806}, {"minimum": 1999999999})],
    *[{"type": "number", **bounds} for bounds in (
        {"minimum": 0, "maximum": 1}, {"exclusiveMinimum": 0, "exclusiveMaximum": 1},
        {"minimum": -2, "maximum": 10}, {"exclusiveMinimum": -7, "maximum": -5},
        {"exclusiveMaximum": 0}, {"minimum": 999999998, "exclusiveMaximum": 999999999},
        {"minimum": 5, "maximum": 5}, {"exclusiveMinimum": -1, "maximum": 0})],
    {"anyOf": [{"type": "integer", "maximum": 9}, {"type": "string", "maxLength": 2}]},
    {"type": ["integer", "null"], "anyOf": [{"type": "number", "minimum": 5}, {"type": "null"},
                                            {"$ref": "#/$defs/s"}],
     "$defs": {"s": {"type": ["string", "null"]}}},
    {"oneOf": [{"type": "integer"}, {"type": "string", "maxLength": 4}, {"enum": [None, True]}]},
    {"oneOf": [
        {"type": "object", "properties": {"kind": {"const": "cat"}, "lives": {"type": "integer"}},
         "required": ["kind"]},
        {"type": "object", "properties": {"kind": {"enum": ["dog", "wolf"]}, "name":
                                          {"type": "string", "maxLength": 8}},
         "required": ["kind", "name"]}]},
    {"allOf": [{"$ref": "#/definitions/a~1b"}], "definitions": {"a/b": {"const": 3}}},
    {"type": "object", "properties": {
        "value": {"type": "integer"}, "next": {"anyOf": [{"$ref": "#"}, {"type": "null"}]}},
     "required": ["value", "next"], "additionalProperties": False},
    {"$ref": "#/$defs/tree", "$defs": {"tree": {
        "type": "array", "items": {"$ref": "#/$defs/tree"}, "maxItems": 2}}},
]
# The model answers to these: all are bounded, so that every answer ends.
ASKED = {
    "person": ("Describe a person.", PERSON),
    "weather": ("What will the weather be?", {
        "type": "object", "properties": {
            "day": {"type": "string", "format": "date"},
            "celsius": {"type": "number", "minimum": -40, "maximum": 50},
            "sky": {"enum": ["clear", "cloudy", "rain"]},
            "wind": {"type": "object", "properties": {
                "speed": {"type": "integer", "minimum": 0, "maximum": 200},
                "from": {"type": "string", "pattern": "^[NSEW]{1,2}$"}},
                "required": ["speed"], "additionalProperties": False}},
        "required": ["day", "sky"], "additionalProperties": False}),
    "list": ("Name some animals.", {
        "type": "array", "minItems": 1, "maxItems": 4,
        "items": {"type": "string", "minLength": 2, "maxLength": 12}}),
    "choice": ("Is it yes, no or a number?", {"anyOf": [
        {"enum": ["yes", "no"]}, {"type": "integer", "minimum": 1, "maximum": 10},
        {"type": "object", "properties": {"why": {"type": "string", "maxLength": 30}},
         "required": ["why"], "additionalProperties": False}]}),
    "tree": ("Draw a family tree.", {
        "$ref": "#/$defs/one", "$defs": {
            "one": {"type": "object", "properties": {
                "name": {"type": "string", "maxLength": 10},
                "child": {"$ref": "#/$defs/two"}},
                "required": ["name"], "additionalProperties": False},
            "two": {"type": ["object", "null"], "properties": {
                "name": {"type": "string", "maxLength": 10}},
                "required": ["name"], "additionalProperties": False}}})}

# What is refused, and the message behind the file's name.
REFUSED = [
    *[({"type": "object", "properties": {"a": {keyword: value}}},
       f"#/properties/a: the keyword '{keyword}' is not supported; leave it out")
      for keyword, value in (
          ("not", {}), ("if", {}), ("then", {}), ("else", {}), ("dependentRequired", {}),
          ("dependentSchemas", {}), ("patternProperties", {}), ("propertyNames", {}),
          ("minProperties", 1), ("maxProperties", 1), ("contains", {}), ("minContains", 1),
          ("maxContains", 1), ("uniqueItems", True), ("multipleOf", 2), ("$anchor", "a"),
          ("unevaluatedProperties", False), ("unevaluatedItems", False), ("$dynamicRef", "#"),
          ("contentEncoding", "base64"), ("$id", "x"), ("nullable", True))],
    ({"allOf": [{"type": "object"}, {"required": ["a"]}]},
     "#/allOf: several schemas that hold together are not supported; write them as one"),
    ({"oneOf": [{"type": "integer"}, {"type": "number"}]},
     "#/oneOf: a value may fit 0 and 1; use 'anyOf', or give them a required property with "
     "'const' that differs"),
    ({"anyOf": [{"type": "object"}], "required": ["a"]},
     "#: the keyword 'required' beside 'anyOf' is not supported; write it into each of the "
     "alternatives"),
    ({"$ref": "#/$defs/a", "$defs": {"a": True}, "type": "object"},
     "#: the keyword 'type' beside '$ref' is not supported; write it into what is referred to"),
    ({"enum": ["a", "bc"], "minLength": 2},
     "#: the keyword 'minLength' beside 'enum' is not supported; leave it out, and values that "
     "it excludes"),
    ({"$ref": "#/$defs/b", "$defs": {}},
     "#/$ref: expected a place in this document that exists, as #/$defs/name"),
    ({"$ref": "https://example.org/x"},
     "#/$ref: expected a place in this document that exists, as #/$defs/name"),
    ({"$ref": "#"}, "no text matches: rule '#' never ends"),
    ({"anyOf": [{"$ref": "#/$defs/a"}, {"type": "null"}], "$defs": {"a": {"$ref": "#"}}},
     "rule '#' is left-recursive: it can begin with '#' itself, through '#/$defs/a'; let it "
     "begin with something else, as in `list ::= item (\",\" item)*`"),
    ({"type": "string", "pattern": "a+"},
     "#/pattern: the pattern has no '^' at its beginning; only patterns as ^...$ are supported"),
    ({"type": "string", "pattern": "^a+"},
     "#/pattern: the pattern has no '$' at its end; only patterns as ^...$ are supported"),
    ({"type": "string", "pattern": "^a|b$"},
     "#/pattern: the pattern has '|' outside of a group, where an anchor belongs to one side "
     "only; write ^(...|...)$"),
    *[({"type": "string", "pattern": pattern},
       f"#/pattern: the pattern has '{part}', which is not supported")
      for pattern, part in ((r"^\bA$", r"\b"), (r"^(a)\1$", r"\1"), ("^(?=a)a$", "(?="),
                            ("^(?i:a)$", "(?i"), (r"^\p{L}$", r"\p"), ("^a**$", "**"),
                            ("^*$", "*"), ("^a{,3}$", "{,3"), ("^[]$", "[]"), ("^[z-a]$", "[z-a"),
                            (r"^[\w-z]$", r"[\w-z"))],
    ({"type": "string", "pattern": "^a$", "maxLength": 3},
     "#: 'minLength' or 'maxLength' with 'pattern' or 'format' is not supported; write the "
     "length into the pattern, as ^[a-z]{1,8}$"),
    ({"type": "string", "format": "email"},
     "#/format: expected date, time, date-time or uuid, found '\"email\"'"),
    ({"type": "number", "minimum": 0.5},
     "#/minimum: bounds of numbers other than whole ones from -999999999 to 999999999 are not "
     "supported; give one of these, or 'type': 'integer'"),
    ({"type": "thing"}, "#/type: expected null, boolean, integer, number, string, object or "
     "array, or a list of these"),
    ({"items": [{}]}, "#/items: expected a schema: an object, true or false"),
    ({"type": "array", "minItems": -1},
     "#/minItems: expected a whole number from 0 to 4294967294"),
    ({"enum": []}, "#/enum: expected a list with a value or more"),
    (False, "no text matches: rule '#' never ends"),
    ({"type": "object", "properties": {"a": {"$ref": "#"}}, "required": ["a"]},
     "no text matches: rule '#' never ends"),
]


# Microseconds on a CPU: until the first mask, and the median and the 99th percentile of the
# others. Where counts do not share masks, the last is 4,000 to 7,000 for these schemas; it is
# 50 to 200 for what is here.
MOST_TIMES = (100_000, 50, 2_000)


def timed(rng):
    """(name, schema, answers) with texts that end at their limits and before them."""
    words = "the quick brown fox is internationalization a straightforward naïve café of 日本語"

    def text(length):
        text = " ".join(rng.choice(words.split()) for _ in range(length // 2 + 1))
        return text[:rng.choice((length, length, max(1, length // 2)))].rstrip() or "a"

    def person(depth):
        return {"name": text(24), "age": rng.randint(0, 120), "about": text(500),
                "tags": [text(15) for _ in range(rng.randint(0, 8))],
                "friends": [person(depth - 1) for _ in range(3 if depth else 0)]}

    def array(items, **counts):
        return {"type": "array", "items": items, **counts}

    def string(most):
        return {"type": "string", "maxLength": most}

    return [
        ("strings", array(string(200), maxItems=50), [[text(200) for _ in range(50)]] * 2),
        ("least lengths", array({"type": "string", "minLength": 90, "maxLength": 100},
                                minItems=5, maxItems=40),
         [[f"{text(5) + 'ä' * 100:.{rng.choice((90, 95, 100))}}" for _ in range(40)]]),
        ("nested lists", array(array(string(30), maxItems=20), maxItems=30),
         [[[text(30) for _ in range(20)] for _ in range(30)]]),
        ("patterns", array({"type": "string", "pattern":
                            r"^[A-Z]{2,20}-\d{3,50}(?:\.[a-z]{1,40}){0,6}$"}, maxItems=60),
         [["".join(rng.choices("ABENT", k=rng.randint(2, 20))) + "-" +
           str(rng.randint(100, 10 ** 49)) + ".the.quick.fox" * rng.randint(0, 2)
           for _ in range(60)]]),
        ("integers", array({"type": "integer", "minimum": -1234567, "maximum": 987654321},
                           maxItems=300),
         [[rng.randint(-1234567, 987654321) for _ in range(300)]]),
        ("objects", {"type": "object", "properties": {
            "name": string(24), "age": {"type": "integer", "minimum": 0, "maximum": 120},
            "about": string(500), "tags": array(string(15), maxItems=8),
            "friends": array({"$ref": "#"}, maxItems=5)},
            "required": ["name", "age"], "additionalProperties": False},
         [person(2) for _ in range(3)])]


def hashes(size):
    """The tool's hash of each id."""
    ids = np.arange(1, size + 1, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15)
    ids = (ids ^ ids >> np.uint64(30)) * np.uint64(0xBF58476D1CE4E5B9)
    return ids ^ ids >> np.uint64(27)


def bytes_of_tokens(path):
    """The bytes of each token; empty for control tokens."""
    reader = gguf.GGUFReader(path)
    texts = reader.fields["tokenizer.ggml.tokens"].contents()
    types = reader.fields["tokenizer.ggml.token_type"].contents()
    if reader.fields["tokenizer.ggml.model"].contents() == "llama": # SentencePiece
        return [b"" if kind in (2, 3) else bytes([int(text[3:5], 16)]) if kind == 6 else
                text.replace("\u2581", " ").encode() for text, kind in zip(texts, types)]
    # GPT-2's table: printable Latin-1 stands for itself, the rest for U+0100 and on.
    plain = [b for b in range(256) if 0x21 <= b <= 0x7E or 0xA1 <= b <= 0xAC or b >= 0xAE]
    others = [b for b in range(256) if b not in plain]
    byte_of = {chr(b): b for b in plain} | {chr(256 + i): b for i, b in enumerate(others)}
    return [b"" if kind in (2, 3) else
            bytes(byte_of[c] for c in text) if kind == 1 else text.encode()
            for text, kind in zip(texts, types)]


def run_tool(args, vocabulary, kind, text, mode, lines, folder):
    """(exit code, lines of output, error) of the tool on a grammar or a schema."""
    path = folder / "grammar"
    path.write_text(text, encoding="utf-8")
    done = subprocess.run([args.tool, vocabulary, kind, path, mode], text=True,
                          input="".join(f"{line}\n" for line in lines), capture_output=True)
    return done.returncode, done.stdout.splitlines(), done.stderr.strip()


def prefixes(matcher, rng, count, longest):
    """Drawn beginnings: mostly of texts that match, some with a wrong byte at the end."""
    found = {b""}
    for _ in range(50 * count):
        if len(found) >= count:
            break
        text, state = b"", matcher.start
        while len(text) < longest:
            options = [b for b in range(256) if matcher.step(state, b) is not None]
            if not options or rng.random() < 0.04:
                break
            # Ranges of letters would leave hardly any of what ends something.
            byte = rng.choice(options if rng.random() < 0.5 else options[:6] + options[-2:])
            text += bytes([byte])
            state = matcher.step(state, byte)
            if rng.random() < 0.5:
                found.add(text)
        if rng.random() < 0.1:
            found.add(text + bytes([rng.randrange(256)]))
    return sorted(found)[:count] if len(found) > count else sorted(found)


def check_masks(args, report, folder, name, text, longest, vocabulary, tokens, count):
    matcher, trie, sums = Matcher(text), *tokens
    rng = random.Random(f"{args.seed} {name}")
    drawn = prefixes(matcher, rng, count, longest)
    code, lines, error = run_tool(args, vocabulary, "--grammar", text, "--masks",
                                  [p.hex() for p in drawn], folder)
    if code or len(lines) != len(drawn):
        report.fail(f"masks of {name}", error or f"{len(lines)} lines for {len(drawn)}")
        return 0
    known = {}
    for prefix, got in zip(drawn, lines):
        state = matcher.start
        for byte in prefix:
            state = matcher.step(state, byte) if state is not None else None
        if state is None:
            want = "dead"
        else:
            if state not in known:
                ids = trie.allowed(matcher, state)
                known[state] = f"{len(ids)} {int(sums[ids].sum(dtype=np.uint64)) if ids else 0}"
            want = f"{int(matcher.may_end(state))} {known[state]}"
        if got != want:
            report.fail(f"masks of {name}", f"after {prefix!r}: {got}, expected {want}")
            return 0
    report.ok(f"masks of {name}", f"{len(drawn)} prefixes, {len(known)} states")
    return len(drawn)


def why_invalid(text, schema):
    """None, or why a text is no valid JSON under a schema."""
    try:
        value = json.loads(text)
        jsonschema.Draft202012Validator(schema).validate(value)
        kind = schema.get("format") if isinstance(schema, dict) else None
        if kind:
            {"date": datetime.date.fromisoformat, "time": datetime.time.fromisoformat,
             "date-time": datetime.datetime.fromisoformat, "uuid": uuid.UUID}[kind](value)
    except (ValueError, jsonschema.ValidationError) as error:
        return f"{text[:200]!r}: {str(error).splitlines()[0]}"
    return None


def check_schema(args, report, folder, vocabulary, number, schema, count):
    """Drawn answers are JSON and valid."""
    name = f"schema {number}, {json.dumps(schema)[:70]}"
    code, lines, error = run_tool(args, vocabulary, "--json-schema", json.dumps(schema),
                                  "--answers", range(count), folder)
    if code or len(lines) != count:
        report.fail(name, error or f"{len(lines)} answers")
        return
    texts = [bytes.fromhex(line).decode("utf-8", "surrogateescape") for line in lines]
    bad = next((why for why in (why_invalid(t, schema) for t in texts) if why), None)
    report.check(name, bad is None, bad, f"{len(set(texts))} different of {count}")


def check_times(args, report, folder, vocabulary):
    """The least of three runs, since a busy machine slows a CPU down, too."""
    for name, schema, answers in timed(random.Random(args.seed)):
        texts = [json.dumps(a, ensure_ascii=False, separators=(",", ":")) for a in answers]
        least = [float("inf")] * len(MOST_TIMES)
        for _ in range(3):
            code, lines, error = run_tool(args, vocabulary, "--json-schema", json.dumps(schema),
                                          "--times", texts, folder)
            found = code == 0 and re.fullmatch(
                r"first (\d+) us, then \d+ masks: median ([\d.]+) us, 99% (\d+) us, most .*",
                lines[0])
            if not found:
                break
            least = [min(pair) for pair in zip(least, map(float, found.groups()))]
            if all(took <= most for took, most in zip(least, MOST_TIMES)):
                break
        report.check(f"times of {name}", found and
                     all(took <= most for took, most in zip(least, MOST_TIMES)),
                     error or f"at best {least} us, expected {MOST_TIMES}", *lines)


def check_refusals(args, report, folder, vocabulary):
    for schema, expected in REFUSED:
        code, _, error = run_tool(args, vocabulary, "--json-schema", json.dumps(schema),
                                  "--masks", [], folder)
        report.check(f"refused: {json.dumps(schema)[:90]}",
                     code == 1 and f"grammar: {expected}" in error and "\n" not in error,
                     f"exit code {code}, {error!r}, expected {expected!r}")


def check_answers(args, report, folder, count):
    """Answers of the model; drafts change none of them, nor does --ignore-eos."""
    program = folder / "program"
    made = harness.compile_model(args.corellama, args.model, program)
    if not report.check("compiles", made.code == 0, made.why):
        return
    for name, (prompt, schema) in ASKED.items():
        path = folder / f"{name}.json"
        path.write_text(json.dumps(schema))
        bad, texts = [], set()
        for seed in range(count):
            command = [program, "--chat", "-p", prompt, "--json-schema", path, "-s", seed,
                       "--temp", ["0", "0.8", "1.5"][seed % 3]]
            result = harness.run(command)
            why = result.why() if result.code else why_invalid(result.text, schema)
            texts.add(result.text)
            if not why and seed % 5 == 0:
                for flag in ("--draft=ngram", "--ignore-eos"):
                    other = harness.run([*command, flag])
                    if flag == "--draft=ngram" and other.text != result.text:
                        why = f"{flag}: {other.text!r}, expected {result.text!r}"
                    elif other.code or why_invalid(other.text, schema):
                        why = f"{flag}: {why_invalid(other.text, schema) or other.why()}"
            if why:
                bad.append(f"seed {seed}: {why}")
        report.check(f"{count} answers about {name}", not bad, bad[:1],
                     f"{len(texts)} different")
    # Each answer of a conversation follows it from the beginning, and goes on in it where
    # a full context came between.
    for flags in ([], ["-c", "110", "--context-full=drop-oldest"]):
        result = harness.run([program, "--chat", "--json-schema", folder / "person.json", "-s",
                              "3", *flags], stdin=b"Describe a person.\nAnother one.\n" * 2)
        answers = result.text.strip().replace("}\n{", "}\0{").split("\0")
        why = next(filter(None, (why_invalid(a, PERSON) for a in answers)), None)
        report.check(f"a conversation {flags}", result.code == 0 and len(answers) == 4 and
                     not why, lambda: why or f"{result.text!r} {result.why()}")
    grammar = folder / "word.gbnf"
    grammar.write_text('root ::= [a-z]{1,8} "!"? # a word\n')
    result = harness.run([program, "-p", "A word:", "--grammar", grammar, "-s", "1"])
    word = result.text.removesuffix("!")
    report.check("an answer in GBNF", result.code == 0 and word.isalpha() and word.islower()
                 and len(word) <= 8, lambda: f"{result.text!r} {result.why()}")
    for flags, expected in (
            (["--grammar", grammar, "--json-schema", grammar],
             "--grammar and --json-schema both say what the answer looks like; give one of them"),
            (["--grammar", folder / "none"], f"{folder}/none: cannot be read: No such file or "
             "directory; give a file with the grammar"),
            (["--json-schema", grammar], f"{grammar}: byte 0 of the JSON: expected a value, "
             "found 'root ::= [a-z]{1,8} '")):
        result = harness.run([program, "-p", "x", *flags])
        report.check(f"refused: {flags[0]} {len(flags)}", result.code != 0 and
                     result.err_text == f"program: {expected}\n", result.err_text)


def main():
    p = harness.parser(__doc__.splitlines()[0])
    p.add_argument("--tool", required=True, type=harness.existing)
    p.add_argument("--folder", required=True, type=Path, help="for downloads")
    p.add_argument("--all", action="store_true", help="10,000 prefixes and 1,000 answers")
    p.add_argument("--seed", type=int, default=1)
    args = p.parse_args()
    report = harness.Report()
    args.folder.mkdir(parents=True, exist_ok=True)
    source = args.folder / "source"
    if not source.exists():
        llama_cpp.fetch(args.folder, source)
    grammars = {path.stem: path.read_text(encoding="utf-8")
                for path in sorted((source / "grammars").glob("*.gbnf"))}
    report.check("llama.cpp's grammars are there", len(grammars) > 5, f"found {len(grammars)}")
    with harness.Workspace(args.keep) as folder:
        vocabularies, count = [], 0
        for name in ("gpt-2", "llama-spm", *(["llama-bpe"] if args.all else [])):
            path = source / f"models/ggml-vocab-{name}.gguf"
            tokens = bytes_of_tokens(path)
            vocabularies.append((path, (Trie(tokens), hashes(len(tokens)))))
        # llama.cpp's grammars, too: what matches was read in the same way.
        cases = [(name, *case, 900 if args.all else 60) for name, case in GRAMMARS.items()] + [
            (f"{name}.gbnf", text, 24, 400 if args.all else 12)
            for name, text in grammars.items()]
        for i, (name, text, longest, number) in enumerate(cases):
            path, tokens = vocabularies[i % len(vocabularies)]
            count += check_masks(args, report, folder, name, text, longest, path, tokens, number)
        print(f"{count} prefixes in all", flush=True)
        for i, schema in enumerate(SCHEMAS):
            check_schema(args, report, folder, vocabularies[i % 2][0], i, schema,
                         100 if args.all else 10)
        check_times(args, report, folder, source / "models/ggml-vocab-llama-bpe.gguf")
        check_refusals(args, report, folder, vocabularies[0][0])
        check_answers(args, report, folder, 200 if args.all else 6)
    report.finish()


if __name__ == "__main__":
    main()
