"""Seeds and dictionaries for the fuzzers of texts.

Input: a folder; output: in it a folder of small seeds for TemplateFuzzer, MessagesFuzzer and
GrammarFuzzer each, and NAME.dict. Seeds are what the end-to-end tests have: a tag for each
feature of templates, drawn conversations, grammars and schemas. Whole templates of models are
no good seeds: a fuzzer runs a hundred of them in a second, and a thousand or more of these.
Words of the dictionaries are those that the runtime's sources compare with.

    build/venv/bin/python test/fuzz/make_corpus.py CORPUS
    build/fuzz/bin/TemplateFuzzer -max_len=400 -dict=CORPUS/Template.dict CORPUS/Template
"""

import json
import random
import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "test" / "e2e"))
import test_grammar  # noqa: E402
import test_templates  # noqa: E402

# Bytes of a seed at most; what is longer is slow and has several features.
MOST = 400


def templates():
    """Each tag of an expression alone, lines of statements whole."""
    for line in test_templates.FEATURES:
        tags = re.findall(r"\{\{.*?\}\}(?!\})", line) if "{%" not in line else [line]
        yield from (tag.replace("m", "messages", 1) if re.match(r"\{\{ m\b", tag) else tag
                    for tag in tags or [line])


def messages():
    rng = random.Random(1)
    for number in range(200):
        drawn = test_templates.conversation(rng)
        text = json.dumps(drawn["messages"], ensure_ascii=number % 2 == 0, separators=(",", ":"))
        variables = json.dumps(drawn["more"], separators=(",", ":"))
        yield f"{number % 7}{text}\0{variables}"


def grammars():
    ways = "".join(chr(ord("a") + i * 7 % 26) for i in range(12))
    for grammar, _ in test_grammar.GRAMMARS.values():
        yield f"{grammar}\0{ways}"
    for schema in [*test_grammar.SCHEMAS, *(row[0] for row in test_grammar.REFUSED)]:
        text = schema if isinstance(schema, str) else json.dumps(schema, separators=(",", ":"))
        yield f"{text}\0{ways}"


def words(folder):
    for path in sorted((ROOT / "runtime" / folder).glob("*.cpp")):
        yield from re.findall(r'"([A-Za-z_$%][A-Za-z_$-]{1,20}|[^\w\s"\\]{1,3})"', path.read_text())


def main():
    folder = Path(sys.argv[1])
    for name, seeds, sources in (("Template", templates, "Templates"),
                                 ("Messages", messages, "Templates"),
                                 ("Grammar", grammars, "Grammar")):
        (folder / name).mkdir(parents=True, exist_ok=True)
        small = [seed.encode() for seed in seeds() if len(seed.encode()) <= MOST]
        for number, seed in enumerate(small):
            (folder / name / f"{number:03}").write_bytes(seed)
        listed = sorted(set(words(sources)))
        (folder / f"{name}.dict").write_text("".join(f'"{word}"\n' for word in listed))
        print(f"{name}: {len(small)} seeds, {len(listed)} words")


if __name__ == "__main__":
    main()
