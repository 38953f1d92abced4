"""The runtime's tokenizer gives the ids of Hugging Face's, and text comes back.

Input: the tool corellama-tokenize and a GGUF checkpoint; output: PASS/FAIL lines
and a closing `N passed, N failed`. The reference is PyPI's `tokenizers`, built
from the checkpoint's vocabulary and merges without its
added tokens. 2,000 texts are generated from a seed; the same texts are run
through every other pre-tokenizer as well, on a file that has the checkpoint's
tokenizer under that name. A file of its own because it needs no compiler and no
weights: only texts, bytes and ids.

    python test_tokens.py --tool build/bin/corellama-tokenize --model MODEL.gguf
"""

import argparse
import random
import struct
import subprocess
import sys
import tempfile
import unicodedata
from pathlib import Path

import gguf
from tokenizers import Regex, Tokenizer, decoders
from tokenizers.models import BPE
from tokenizers.pre_tokenizers import ByteLevel, Digits, Punctuation, Sequence, Split

import harness

TEXTS = 2000
BYTE_TEXTS = 500
# The numbers of tokenizer.ggml.token_type.
NORMAL, UNKNOWN, CONTROL, USER, UNUSED, BYTE = range(1, 7)

LLAMA3 = (r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}|"
          r" ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+")
QWEN2 = LLAMA3.replace(r"\p{N}{1,3}", r"\p{N}")
TEKKEN = (r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*"
          r"[\p{Ll}\p{Lm}\p{Lo}\p{M}]+|"
          r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+"
          r"[\p{Ll}\p{Lm}\p{Lo}\p{M}]*|\p{N}|"
          r" ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+")
QWEN35 = (r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?[\p{L}\p{M}]+|\p{N}|"
          r" ?[^\s\p{L}\p{M}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+")
SEED_CODER = (r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1}|"
              r" ?[^\s\p{L}\p{N}\r\n]+|\s*[\r\n]+|\s+(?!\S)|\s+")
GPT4O = TEKKEN.replace(r"\p{M}]+|", r"\p{M}]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?|").replace(
    r"\p{M}]*|\p{N}|", r"\p{M}]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?|\p{N}{1,3}|")
BAILING = (r"'(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+\p{L}+|\p{N}|"
           r" ?[^\s\p{L}\p{N}]++[\r\n]*|\s*[\r\n]|\s+(?!\S)|\s+")
# DeepSeek's letters, character by character.
CASED = ("A-Za-z\xb5\xc0-\xd6\xd8-\xf6\xf8-\u01ba\u01bc-\u01bf\u01c4-\u0293\u0295-\u02af"
         "\u0370-\u0373\u0376\u0377\u037b-\u037d\u037f\u0386\u0388-\u038a\u038c\u038e-\u03a1"
         "\u03a3-\u03f5\u03f7-\u0481\u048a-\u052f\u0531-\u0556\u10a0-\u10c5\u13a0-\u13f5"
         "\u13f8-\u13fd\u1c90-\u1cba\u1cbd-\u1cbf\u1d00-\u1d2b\u1d6b-\u1d77\u1d79-\u1d9a"
         "\u1e00-\u1f15\u1f18-\u1f1d\u1f20-\u1f45\u1f48-\u1f4d\u1f50-\u1f57\u1f59\u1f5b"
         "\u1f5d\u1f5f-\u1f7d\u1f80-\u1fb4\u1fb6-\u1fbc\u1fbe\u1fc2-\u1fc4\u1fc6-\u1fcc"
         "\u1fd0-\u1fd3\u1fd6-\u1fdb\u1fe0-\u1fec\u1ff2-\u1ff4\u1ff6-\u1ffc\u2102\u2107"
         "\u210a-\u2113\u2115\u2119-\u211d\u2124\u2126\u2128\u212a-\u212d\u212f-\u2134\u2139"
         "\u213c-\u213f\u2145-\u2149\u214e\u2183\u2184\u2c00-\u2c7b\u2c7e-\u2ce4"
         "\u2ceb-\u2cee\u2cf2\u2cf3\ua640-\ua66d\ua680-\ua69b\ua722-\ua76f\ua771-\ua787"
         "\ua78b-\ua78e\uab70-\uabbf\ufb00-\ufb06\ufb13-\ufb17\uff21-\uff3a\uff41-\uff5a"
         "\U00010400-\U0001044f\U000104b0-\U000104d3\U000104d8-\U000104fb"
         "\U00010c80-\U00010cb2\U00010cc0-\U00010cf2\U000118a0-\U000118df"
         "\U0001e900-\U0001e943")
CHINESE = "[\u4e00-\u9fa5\u0800-\u4e00\uac00-\ud7ff]+"
DEEPSEEK3 = (r"[!\"#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~][A-Za-z]+|"
             r"[^\r\n\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+| ?[\p{P}\p{S}]+[\r\n]*|"
             r"\s*[\r\n]+|\s+(?!\S)|\s+")
BLOOM = " ?[^(\\s|.,!?\u2026\u3002\uff0c\u3001\u0964\u06d4\u060c)]+"
GPT2 = (r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|"
        r"\s+(?!\S)|\s+")
DEFAULT = [r"[\p{P}\$\+<=>\^~\|]+", GPT2, r"\p{N}+", "[0-9][0-9][0-9]"]


def by_regex(*patterns):
    return [Split(Regex(p), "isolated") for p in patterns] + [
        ByteLevel(add_prefix_space=False, use_regex=False)]


# For names of tokenizer.ggml.pre, one at least for each row of the runtime's table that
# differs: the pre-tokenizers of the tokenizer.json that it stands for, and whether that
# ignores merges for words that are tokens.
PRE_TOKENIZERS = {
    "smollm": ([Digits(individual_digits=True),
                ByteLevel(add_prefix_space=False)], False),
    "gpt-2": ([ByteLevel(add_prefix_space=False)], False),
    "llama-bpe": (by_regex(LLAMA3), True),
    "qwen2": (by_regex(QWEN2), False),
    "tekken": (by_regex(TEKKEN), True),
    "default": (by_regex(*DEFAULT), False),
    "falcon": ([Punctuation("contiguous"), ByteLevel(add_prefix_space=False),
                Digits(individual_digits=False),
                Split(Regex("[0-9][0-9][0-9]"), "isolated")], False),
    "qwen35": (by_regex(QWEN35), False),
    "seed-coder": (by_regex(SEED_CODER), False),
    "minicpm5": (by_regex(r"\p{N}{1,3}", LLAMA3.replace("{1,3}", "+")), True),
    "gpt-4o": (by_regex(GPT4O), False),
    "bailingmoe": (by_regex(BAILING), False),
    "glm4": (by_regex(LLAMA3), True),
    "smaug-bpe": (by_regex(LLAMA3), False),
    "deepseek-llm": (by_regex(
        "[\r\n]", rf"\s?[{CASED}]+",
        "\\s?[!-/:-~\uff01-\uff0f\uff1a-\uff5e\u2018-\u201f\u3000-\u3002]+", r"\s+$",
        CHINESE, r"\p{N}"), False),
    "deepseek-coder": (by_regex("[\r\n]", r"\s?\p{L}+", r"\s?\p{P}+", CHINESE, r"\p{N}"),
                       False),
    "deepseek-v3": (by_regex(r"\p{N}{1,3}", "[\u4e00-\u9fa5\u3040-\u309f\u30a0-\u30ff]+",
                             DEEPSEEK3), False),
    "bloom": (by_regex(BLOOM), False),
    "viking": (by_regex(BLOOM, r"\p{N}"), False),
}
# Other names of the checkpoints here and in test_vocabularies.py.
SAME = {"mpt": "gpt-2", "starcoder": "smollm", "refact": "smollm", "command-r": "smollm"}


def read_metadata(path):
    """The keys and values of a GGUF file. PyPI's reader takes seconds for a vocabulary."""
    numbers = {0: "B", 1: "b", 2: "H", 3: "h", 4: "I", 5: "i", 6: "f", 7: "?", 10: "Q",
               11: "q", 12: "d"}
    STRING, ARRAY = 8, 9
    with open(path, "rb") as file:
        def number(form, count=1):
            form = f"<{count}{form}"
            values = struct.unpack(form, file.read(struct.calcsize(form)))
            return values if count != 1 else values[0]

        def string():
            return file.read(number("Q")).decode(errors="surrogateescape")

        def value(kind):
            if kind == STRING:
                return string()
            if kind != ARRAY:
                return number(numbers[kind])
            kind, count = number("I"), number("Q")
            if kind == STRING:
                return [string() for _ in range(count)]
            return list(number(numbers[kind], count)) if count != 1 else [value(kind)]
        magic, version, _tensors, keys = (number(form) for form in "IIQQ")
        assert (magic, version) in ((0x46554747, 2), (0x46554747, 3)), "a GGUF file"
        return {string(): value(number("I")) for _ in range(keys)}


class Checkpoint:
    """What the GGUF file says of its tokenizer."""

    def __init__(self, path):
        self.fields = read_metadata(path)
        self.tokens = self.fields["tokenizer.ggml.tokens"]
        # Not in a checkpoint whose tokenizer is SentencePiece's.
        self.merges = self.fields.get("tokenizer.ggml.merges")
        self.types = self.fields["tokenizer.ggml.token_type"]
        self.pre = self.fields.get("tokenizer.ggml.pre", "default")
        self.template = self.fields.get("tokenizer.chat_template")
        characters = self.byte_characters()
        known = set(self.texts_of(NORMAL, UNUSED, BYTE))
        self.missing = {b for b in range(256) if characters[b] not in known}

    @staticmethod
    def byte_characters():
        """GPT-2's table, from the library: the character of each byte."""
        table, alphabet = {}, sorted(ByteLevel.alphabet())
        low = [c for c in alphabet if ord(c) < 256]
        table.update((ord(c), c) for c in low)
        rest = iter(c for c in alphabet if ord(c) >= 256)
        return {b: table.get(b) or next(rest) for b in range(256)}

    def texts_of(self, *types):
        return [t for t, kind in zip(self.tokens, self.types) if kind in types]

    def reference(self, pre):
        """Without its added tokens."""
        steps, ignore_merges = PRE_TOKENIZERS[SAME.get(pre, pre)]
        model = BPE({token: id for id, token in enumerate(self.tokens)},
                    [tuple(m.split(" ")) for m in self.merges],
                    ignore_merges=ignore_merges)
        tokenizer = Tokenizer(model)
        tokenizer.pre_tokenizer = Sequence(steps)
        tokenizer.decoder = decoders.ByteLevel()
        return tokenizer

    def under_another_name(self, pre, path):
        """A file of metadata alone: this tokenizer under another pre."""
        writer = gguf.GGUFWriter(path, "llama")
        writer.add_tokenizer_model("gpt2")
        writer.add_tokenizer_pre(pre)
        writer.add_token_list(self.tokens)
        writer.add_token_types(self.types)
        writer.add_token_merges(self.merges)
        writer.write_header_to_file()
        writer.write_kv_data_to_file()
        writer.close()


class Tool:
    def __init__(self, path, model):
        self.path, self.model = path, model

    def run(self, mode, data):
        result = subprocess.run([self.path, self.model, mode], input=data,
                                capture_output=True)
        if result.returncode:
            sys.exit(f"{self.path}: {result.stderr.decode(errors='replace')}")
        return result.stdout

    def encode(self, texts, mode="--encode"):
        """Of each text (bytes without NUL): ids, and how many bytes were lost."""
        out = self.run(mode, b"".join(t + b"\0" for t in texts))
        rows = [[int(word) for word in line.split()] for line in out.splitlines()]
        assert len(rows) == len(texts), "one line for each text"
        return [row[1:] for row in rows], [row[0] for row in rows]

    def decode(self, rows):
        lines = "".join(" ".join(map(str, row)) + "\n" for row in rows)
        return self.run("--decode", lines.encode()).split(b"\0")[:-1]


class Texts:
    """Texts that tokenizers get wrong, from a seed."""

    CODE = ["def f(self, x):\n", "    return x[i] += 1\n", "\tif (a != b) {\n", "\t}\r\n",
            "for (int i = 0; i < n; ++i)", "#include <vector>\n", "0x1F, 1e-5, 3.14",
            "std::map<std::string, int>", "\"key\": null,", "// a comment", "a->b.c()",
            "print(f'{x!r:>10}')", "SELECT * FROM t;", "<div class='a'>", "&&||^~`@$%"]
    SPECIAL = ["<|im_start|>", "<|im_end|>", "<|endoftext|>", "<repo_name>", "<file_sep>",
               "<|im_start|>user\n", "<s>", "</s>", "[INST]", "<|eot_id|>", "<unk>",
               "<|im_start", "|im_end|>", "<|", "|>", "<empty_output>", "<0x0A>"]
    EMOJI = ["\U0001F600", "\U0001F468\u200d\U0001F469\u200d\U0001F467", "\u2764\ufe0f",
             "\U0001F1EB\U0001F1F7", "\U0001F44D\U0001F3FD", "\u261d", "1\ufe0f\u20e3"]
    SPACE = [" ", "  ", "    ", "\t", "\n", "\r\n", "\r", "\n\n", "\u00a0", "\u3000",
             "\u2003", "\u2028", "\u0085", "\u200b", "\u180e", "\ufeff", "\x0b", "\x0c",
             "\x1c", "\x1f", " \n ", "\t \t"]
    WORDS = ["the", "Hello", "world", "don't", "I'LL", "we've", "it'\u017f", "'S", "'re", "x'd",
             "caf\u00e9", "cafe\u0301", "na\u00efve", "Stra\u00dfe", "\u0130stanbul",
             "HTTPServer", "camelCaseWord", "snake_case", "antidisestablishmentarianism"]
    NUMBERS = ["0", "42", "1234567890", "3.14", "1,000,000", "\u00bd", "x\u00b2", "\u2167",
               "\u0663\u0664\u0665", "\u0967\u0968", "\uff11\uff12", "\u5341\u4e8c", "2024-01-31"]
    RANGES = [(0x4E00, 0x9FFF), (0x3040, 0x30FF), (0xAC00, 0xD7A3), (0x0400, 0x04FF),
              (0x0600, 0x06FF), (0x0900, 0x097F), (0x0E00, 0x0E7F), (0x0370, 0x03FF),
              (0x0590, 0x05FF), (0x20000, 0x2A6DF), (0x1F300, 0x1FAFF), (0x10000, 0x1FFFF),
              (0x20, 0x2FFF)]

    def __init__(self, seed, missing):
        self.random = random.Random(seed)
        self.missing = missing

    def character(self, low, high):
        while True:
            c = chr(self.random.randint(low, high))
            if unicodedata.category(c) not in ("Cn", "Co", "Cs"):
                return c

    def piece(self):
        r = self.random
        kind = r.randrange(9)
        if kind < 6:
            lists = (self.CODE, self.SPECIAL, self.EMOJI, self.SPACE, self.WORDS, self.NUMBERS)
            return r.choice(lists[kind]) * (r.randint(1, 40) if r.random() < 0.1 else 1)
        if kind == 6:
            low, high = r.choice(self.RANGES)
            return "".join(self.character(low, high) for _ in range(r.randint(1, 12)))
        if kind == 7:
            return "".join(chr(r.randint(0x20, 0x7E)) for _ in range(r.randint(1, 30)))
        return r.choice([" ", "\n", "\t", " '", "'"]) * r.randint(1, 20)

    def text(self):
        count = self.random.choice([1, 1, 2, 3, 5, 8, 13, 30])
        glue = self.random.choice(["", "", " "])
        return glue.join(self.piece() for _ in range(count))

    def complete(self, count):
        """Texts all of whose bytes have a token, the first ones long words."""
        texts = ["a" * 5000, "\u4e00\u4e8c" * 2000, " " * 5000 + "x", "ab" * 3000 + "!" * 999]
        while len(texts) < count:
            text = self.text()
            if not self.missing & set(text.encode()) and "\0" not in text:
                texts.append(text)
        return texts

    def incomplete(self, count):
        """Valid text with bytes in it that the vocabulary lacks."""
        bad = [chr(b) for b in sorted(self.missing) if 0 < b < 0x80]
        bad += ["\U00041234", "\U000A1234"]  # lead bytes F1 and F2
        make = lambda: "".join(self.random.choice([self.piece().replace("\0", ""),
                                                   self.random.choice(bad)])
                               for _ in range(self.random.randint(1, 8)))
        return [make() for _ in range(count)]

    def invalid(self, count):
        """Bytes that are no UTF-8: noise, cut and swapped sequences."""
        r = self.random
        rows = [bytes([b]) for b in range(1, 256)]
        rows += [b"\xe4\xb8", b"\xf0\x9f\x98", b"a\xc3", b"\xed\xa0\x80", b"\xc0\x80",
                 b"\xf4\x90\x80\x80", b"\xff\xfe\x00\x01".replace(b"\0", b"")]
        while len(rows) < count:
            text = bytearray(self.text().encode())
            for _ in range(r.randint(1, 6)):
                at = r.randrange(len(text) + 1)
                text[at:at + r.randint(0, 2)] = bytes(
                    r.randint(1, 255) for _ in range(r.randint(0, 3)))
            rows.append(bytes(text).replace(b"\0", b""))
        return rows


def first_difference(names, expected, found):
    for name, e, f in zip(names, expected, found):
        if e != f:
            return f"{name[:60]!r}: expected {str(e)[:200]}, found {str(f)[:200]}"
    return "same"


def check_ids(report, name, tool, reference, texts, mode="--encode"):
    """The reference's ids, and the texts come back from ours (but for control tokens)."""
    expected = [row.ids for row in reference.encode_batch(texts, add_special_tokens=False)]
    ids, lost = tool.encode([t.encode() for t in texts], mode)
    report.check(f"{name}: ids of {len(texts)} texts", ids == expected,
                 lambda: first_difference(texts, expected, ids),
                 f"{sum(map(len, ids))} ids")
    if mode == "--special":
        return ids
    back = [t.decode(errors="replace") for t in tool.decode(ids)]
    report.check(f"{name}: the texts come back", back == texts and not any(lost),
                 lambda: first_difference(texts, texts, back))
    return ids


def check_bytes(report, prefix, tool, checkpoint, rows):
    """Whatever the bytes, those that have a token come back, the rest is counted."""
    ids, lost = tool.encode(rows)
    expected = [bytes(b for b in row if b not in checkpoint.missing) for row in rows]
    back = tool.decode(ids)
    report.check(f"{prefix}{len(rows)} texts of invalid UTF-8 come back byte for byte",
                 back == expected, lambda: first_difference(rows, expected, back),
                 f"the vocabulary has no token for {len(checkpoint.missing)} byte values")
    counts = [len(row) - len(kept) for row, kept in zip(rows, expected)]
    report.check(f"{prefix}bytes without a token are counted", lost == counts,
                 lambda: first_difference(rows, counts, lost))


def check_chat(report, tool, checkpoint, reference):
    """One user turn, against the checkpoint's own template run by Jinja."""
    try:
        import jinja2
    except ImportError:
        return report.skip("chat template", "the package jinja2 is not installed")
    marks = ("<|im_start|>", "<|im_end|>")
    if not checkpoint.template or any(m not in checkpoint.template for m in marks):
        return report.skip("chat template", "the checkpoint's is not ChatML")
    template = jinja2.Environment(trim_blocks=True, lstrip_blocks=True).from_string(
        checkpoint.template)
    messages = ["Hello", "\nTwo\n lines \n", "  spaces  ", "\u4f60\u597d, 12 'S \U0001F600", ""]
    expected = []
    for message in messages:
        text = template.render(messages=[{"role": "user", "content": message}],
                               add_generation_prompt=True)
        row = []
        for piece in text.replace(marks[0], "\0S\0").replace(marks[1], "\0E\0").split("\0"):
            if piece in ("S", "E"):
                row.append(checkpoint.tokens.index(marks[piece == "E"]))
            else:
                row += reference.encode(piece, add_special_tokens=False).ids
        expected.append(row)
    ids, _ = tool.encode([m.encode() for m in messages], "--chat")
    report.check("one user turn is what the chat template gives", ids == expected,
                 lambda: first_difference(messages, expected, ids))
    row, _ = tool.encode([marks[1].encode()], "--chat")
    ends = [r.count(checkpoint.tokens.index(marks[1])) for r in (row[0], ids[0])]
    report.check("a message cannot end its own turn", ends[0] == ends[1])


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tool", required=True)
    parser.add_argument("--model", required=True)
    parser.add_argument("--seed", type=int, default=20240131)
    arguments = parser.parse_args()

    report = harness.Report()
    checkpoint = Checkpoint(arguments.model)
    if SAME.get(checkpoint.pre, checkpoint.pre) not in PRE_TOKENIZERS:
        sys.exit(f"{arguments.model}: tokenizer.ggml.pre: '{checkpoint.pre}', expected one of "
                 f"{', '.join(PRE_TOKENIZERS)}; give another checkpoint")
    tool = Tool(arguments.tool, arguments.model)
    reference = checkpoint.reference(checkpoint.pre)
    source = Texts(arguments.seed, checkpoint.missing)
    texts = source.complete(TEXTS)

    ids = check_ids(report, checkpoint.pre, tool, reference, texts)
    controls = {id for id, kind in enumerate(checkpoint.types) if kind == CONTROL}
    report.check("no text became a control token", not controls & set().union(*map(set, ids)))
    check_bytes(report, "", tool, checkpoint, source.invalid(BYTE_TEXTS))
    if checkpoint.missing:
        rows = source.incomplete(BYTE_TEXTS)
        expected = [reference.encode(t, add_special_tokens=False).ids for t in rows]
        found, _ = tool.encode([t.encode() for t in rows])
        report.check("ids around bytes without a token", found == expected,
                     lambda: first_difference(rows, expected, found))
    check_chat(report, tool, checkpoint, reference)

    with tempfile.TemporaryDirectory() as folder:
        for pre in PRE_TOKENIZERS:
            # Falcon's tokenizer cuts digits among the characters that stand for bytes (byte
            # B9 is a superscript there). No merge of its own vocabulary crosses these cuts
            # (test_vocabularies.py has it); the merges of others do.
            if pre in (checkpoint.pre, "falcon"):
                continue
            path = Path(folder) / f"{pre}.gguf"
            checkpoint.under_another_name(pre, path)
            check_ids(report, pre, Tool(arguments.tool, path), checkpoint.reference(pre), texts)
    report.finish()


if __name__ == "__main__":
    main()
