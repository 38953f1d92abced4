"""Vocabularies of well-known models give the ids of their own tokenizers.

Input: the tool corellama-tokenize and a folder to keep downloads in; output: PASS/FAIL
lines and a closing `N passed, N failed`. The vocabularies are those that llama.cpp keeps
in its source distribution: GGUF files of metadata alone. Beside most of them lie texts
(.inp) and the ids that the models' own tokenizers give for them (.out; control tokens are
text there, tokens of the user are not). Drawn texts are compared with PyPI's `tokenizers`,
built from the vocabulary, its merges and the pre-tokenizer of its tokenizer.json, or with
PyPI's `sentencepiece`, built from pieces and scores. Whatever the text, it comes back byte
for byte. Other kinds of vocabulary are refused by their name.

    python test_vocabularies.py --tool build/bin/corellama-tokenize --folder build/templates
"""

import argparse
import subprocess
import sys
import unicodedata
from pathlib import Path

from tokenizers import AddedToken
from tokenizers.pre_tokenizers import Punctuation

import harness
from test_sentencepiece import Model
from test_sentencepiece import check as check_pieces
from test_tokens import (CONTROL, UNKNOWN, USER, Checkpoint, Texts, Tool, check_bytes,
                         check_ids, first_difference, read_metadata)

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "benchmarks"))
from comparison import llama_cpp  # noqa: E402  (where its source distribution comes from)

# Quick texts for each vocabulary, and those of --all.
QUICK, ALL = 250, 20000
NAMES = {  # tokenizer.ggml.model, and how many vocabularies have it
    "gpt2": 13, "llama": 3, "bert": 1, "t5": 1, "gemma4": 1}


class VocabularyTexts(Texts):
    """Texts with what looks like tokens of this vocabulary, and with what repeats."""

    def __init__(self, seed, missing, tokens):
        super().__init__(seed, missing)
        self.tokens = tokens

    def piece(self):
        r = self.random
        kind = r.randrange(12)
        if kind == 0 and self.tokens:
            text = r.choice(self.tokens)
            cut = r.randrange(len(text))
            return r.choice([text, text, text[:cut], text[cut:], text * 2, f" {text} ",
                             text.upper()])
        if kind == 1:
            return "".join(chr(r.randint(1, 31)) for _ in range(r.randint(1, 4)))
        return super().piece()

    def complete(self, count):
        texts = super().complete(count)
        repeated = [c * 10000 for c in ("a", "=", " ", "\n", "7", "\x01", "\u00e9", "\u4e2d",
                                        "\U0001F600")]
        return texts + [t for t in repeated if not self.missing & set(t.encode())]


def check_pairs(report, name, tool, path):
    """The texts beside the vocabulary, and the ids that they are to have."""
    texts = path.with_name(path.name + ".inp").read_bytes().split(
        b"\n__ggml_vocab_test__\n")
    lines = path.with_name(path.name + ".out").read_text().splitlines()
    expected = [[int(word) for word in line.split()] for line in lines]
    ids, _ = tool.encode(texts[:len(expected)])
    report.check(f"{name}: ids of the {len(expected)} texts beside it",
                 ids == expected and len(expected) > 40,
                 lambda: first_difference(texts, expected, ids))


def check_byte_pairs(report, name, tool, path, count, seed):
    checkpoint = Checkpoint(path)
    users = checkpoint.texts_of(USER)
    controls = [t for t in checkpoint.texts_of(CONTROL, UNKNOWN) if t]
    source = VocabularyTexts(f"{seed} {name}", checkpoint.missing, users + controls)
    texts = source.complete(count)
    if checkpoint.pre == "falcon":
        # `tokenizers` knows the punctuation of an old version of Unicode.
        later = {chr(c) for c in range(0x80, 0x110000) if unicodedata.category(chr(c))[0] == "P"
                 and len(Punctuation("isolated").pre_tokenize_str("a" + chr(c))) == 1}
        texts = [text for text in texts if not later & set(text)]
    reference = checkpoint.reference(checkpoint.pre)
    reference.add_tokens([AddedToken(t, normalized=False) for t in users])
    ids = check_ids(report, name, tool, reference, texts)
    found = {id for row in ids for id in row if checkpoint.types[id] == CONTROL}
    report.check(f"{name}: no text became a control token", not found, f"{found}")
    check_bytes(report, f"{name}: ", tool, checkpoint, source.invalid(count))
    reference.add_special_tokens([AddedToken(t, normalized=False) for t in controls])
    check_ids(report, f"{name}, control tokens too", tool, reference, texts, "--special")


def check_sentence_pieces(report, name, tool, path, count, seed):
    fields = read_metadata(path)
    texts, scores, types = (fields[f"tokenizer.ggml.{key}"]
                            for key in ("tokens", "scores", "token_type"))
    # A ModelProto has one unknown piece. The others match no text, as control tokens.
    first = types.index(UNKNOWN)
    types = [CONTROL if kind == UNKNOWN and id != first else kind
             for id, kind in enumerate(types)]
    looks = [t for t, kind in zip(texts, types) if kind in (UNKNOWN, CONTROL, USER)]
    check_pieces(report, tool, Model(name, list(zip(texts, scores, types))),
                 VocabularyTexts(f"{seed} {name}", set(), looks), count)


def check_refused(report, name, kind, tool, path):
    result = subprocess.run([tool.path, path, "--encode"], input=b"", capture_output=True)
    expected = (f"corellama-tokenize: {path}: tokenizer.ggml.model: '{kind}', expected 'gpt2' "
                "(byte-level BPE) or 'llama' (SentencePiece); use token ids in place of text\n")
    report.check(f"{name}: refused by its name", result.returncode == 1
                 and result.stderr.decode() == expected, result.stderr.decode())


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tool", required=True)
    parser.add_argument("--folder", required=True, type=Path, help="for downloads")
    parser.add_argument("--all", action="store_true", help=f"{ALL} texts, not {QUICK}")
    parser.add_argument("--only", help="one vocabulary, such as falcon")
    parser.add_argument("--seed", type=int, default=20240502)
    args = parser.parse_args()
    report = harness.Report()
    models = llama_cpp.kept_source(args.folder) / "models"
    found = dict.fromkeys(NAMES, 0)
    for path in sorted(models.glob("ggml-vocab-*.gguf")):
        name = path.stem.removeprefix("ggml-vocab-")
        kind = read_metadata(path)["tokenizer.ggml.model"]
        found[kind] = found.get(kind, 0) + 1
        if args.only not in (None, name):
            continue
        tool = Tool(args.tool, path)
        if kind not in ("gpt2", "llama"):
            check_refused(report, name, kind, tool, path)
            continue
        if path.with_name(path.name + ".inp").exists():
            check_pairs(report, name, tool, path)
        check = check_byte_pairs if kind == "gpt2" else check_sentence_pieces
        check(report, name, tool, path, ALL if args.all else QUICK, args.seed)
    report.check("llama.cpp's vocabularies are there", found == NAMES, f"{found}")
    report.finish()


if __name__ == "__main__":
    main()
