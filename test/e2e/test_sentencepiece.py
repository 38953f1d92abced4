"""The runtime's tokenizer gives the ids of SentencePiece, and text comes back.

Input: the tool corellama-tokenize and the driver; output: PASS/FAIL lines and a closing `N passed, N
failed`. The reference is PyPI's `sentencepiece`. Two models are trained here, on a
novel of the repository, with BPE, byte fallback and identity normalisation, as Llama 2's
was; two are random pieces with random scores, many of them equal, some unused, some the
user's, one without byte tokens. Each becomes a GGUF file of metadata alone and, from the
same pieces, scores and types, a ModelProto, which the tool reads as well: the reference's
is the trainer's own where there is one. Programs of a
checkpoint without a tokenizer get one by `compile --tokenizer`. A file of its own because
no checkpoint is needed: only texts, bytes and ids.

    python test_sentencepiece.py --tool build/bin/corellama-tokenize \
        --corellama build/bin/corellama
"""

import argparse
import io
import random
import struct
import tempfile
from dataclasses import dataclass
from pathlib import Path

import gguf
import sentencepiece

import harness
import make_models
from test_tokens import (BYTE, CONTROL, NORMAL, UNKNOWN, UNUSED, USER, Texts, Tool,
                         first_difference)

ROOT = Path(__file__).resolve().parents[2]
NOVEL = ROOT / "benchmarks/text/news-from-nowhere.txt"
SPACE = "\u2581"


@dataclass
class Model:
    name: str
    pieces: list  # (text, score, type)
    space: bool = True
    file: bytes = None  # the trainer's own, or what proto() writes

    @property
    def has_bytes(self):
        return any(kind == BYTE for _, _, kind in self.pieces)

    def proto(self):
        """A ModelProto (sentencepiece_model.proto), written field by field."""
        if self.file:
            return self.file

        def varint(number):
            out = b""
            while number > 127:
                out += bytes([number & 127 | 128])
                number >>= 7
            return out + bytes([number])

        def field(number, value):
            if isinstance(value, float):
                return varint(number << 3 | 5) + struct.pack("<f", value)
            if isinstance(value, int):
                return varint(number << 3) + varint(value)
            return varint(number << 3 | 2) + varint(len(value)) + value
        pieces = b"".join(
            field(1, field(1, text.encode()) + field(2, float(score)) + field(3, kind))
            for text, score, kind in self.pieces)
        trainer = field(3, 2) + field(4, len(self.pieces)) + field(35, int(self.has_bytes))
        normalizer = (field(1, b"identity") + field(3, int(self.space)) + field(4, 0)
                      + field(5, 1))
        return pieces + field(2, trainer) + field(3, normalizer)

    def reference(self):
        processor = sentencepiece.SentencePieceProcessor()
        processor.LoadFromSerializedProto(self.proto())
        return processor

    def write(self, path):
        writer = gguf.GGUFWriter(path, "llama")
        writer.add_tokenizer_model("llama")
        writer.add_token_list([text for text, _, _ in self.pieces])
        writer.add_token_scores([score for _, score, _ in self.pieces])
        writer.add_token_types([kind for _, _, kind in self.pieces])
        writer.add_add_space_prefix(self.space)
        writer.write_header_to_file()
        writer.write_kv_data_to_file()
        writer.close()


def trained(size):
    out = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        input=str(NOVEL), model_writer=out, model_type="bpe", vocab_size=size,
        byte_fallback=True, normalization_rule_name="identity",
        remove_extra_whitespaces=False, user_defined_symbols=["<mark>", "<|im_start|>"],
        minloglevel=2)
    processor = sentencepiece.SentencePieceProcessor(model_proto=out.getvalue())
    users = {"<mark>", "<|im_start|>"}
    pieces = []
    for id in range(processor.get_piece_size()):
        text = processor.id_to_piece(id)
        kind = (UNKNOWN if processor.is_unknown(id) else CONTROL if processor.is_control(id)
                else BYTE if processor.is_byte(id) else USER if text in users else NORMAL)
        pieces.append((text, processor.get_score(id), kind))
    return Model(f"trained, {len(pieces)} pieces", pieces, file=out.getvalue())


def made_up(seed, with_bytes, space):
    """Pieces of a few characters, so that almost any two make another one."""
    r = random.Random(seed)
    pieces = {"<unk>": (0.0, UNKNOWN), "<s>": (0.0, CONTROL), "</s>": (0.0, CONTROL)}
    if with_bytes:
        pieces.update({f"<0x{b:02X}>": (0.0, BYTE) for b in range(256)})
    letters = list("abcde ") + ["\u00e9", "\u4e2d", "\U0001F600"]
    letters[5] = SPACE
    for letter in letters:
        pieces[letter] = (-100.0, NORMAL)
    for _ in range(600):
        known = [text for text, (_, kind) in pieces.items() if kind in (NORMAL, UNUSED)]
        text = r.choice(known) + r.choice(known)
        if len(text) <= 12:
            pieces[text] = (-float(r.randint(1, 40)), UNUSED if r.random() < 0.1 else NORMAL)
    for text in ("<mark>", "<mark>>", "dad", "\u4e2d" + SPACE):
        pieces[text] = (0.0, USER)
    return Model(f"made up, {'with' if with_bytes else 'without'} bytes",
                 [(text, score, kind) for text, (score, kind) in pieces.items()], space)


class FewLetters(Texts):
    """Texts of what the made-up models have pieces for, and a little else."""

    def piece(self):
        r = self.random
        if r.random() < 0.1:
            return super().piece()
        if r.random() < 0.1:
            return r.choice(["<mark>", "<mark>>", "<s>", "</s>", "<0x41>", "<unk>"])
        return "".join(r.choice("abcde   \u00e9\u4e2d\U0001F600") for _ in range(
            r.randint(1, 40)))


def check(report, tool, model, source, count, prefix=""):
    """The ids of the model's reference, and the texts and bytes come back."""
    name = prefix + model.name
    reference = model.reference()
    texts = source.complete(count) + ["", " ", "  ", "a", SPACE, f" {SPACE} ", "<mark>",
                                      " <mark> ", "a" * 10000, " " * 10000]
    expected = reference.encode(texts)
    ids, lost = tool.encode([text.encode() for text in texts])
    report.check(f"{name}: ids of {len(texts)} texts", ids == expected,
                 lambda: first_difference(texts, expected, ids),
                 f"{sum(map(len, ids))} ids")
    controls = {id for id, (_, _, kind) in enumerate(model.pieces) if kind == CONTROL}
    report.check(f"{name}: no text became a control token",
                 not controls & set().union(*map(set, ids)))
    if not model.has_bytes:
        return report.check(f"{name}: bytes without a token are counted", any(lost))
    back = [row.decode(errors="replace") for row in tool.decode(ids)]
    came = [(" " if model.space and text else "") + text.replace(SPACE, " ")
            for text in texts]
    report.check(f"{name}: the texts come back", back == came and not any(lost),
                 lambda: first_difference(texts, came, back))
    rows = source.invalid(count // 4)
    ids, _ = tool.encode(rows)
    back = tool.decode(ids)
    came = [(b" " if model.space and row else b"") + row.replace(SPACE.encode(), b" ")
            for row in rows]
    return report.check(f"{name}: {len(rows)} texts of invalid UTF-8 come back byte "
                        "for byte", back == came, lambda: first_difference(rows, came, back))


def check_programs(report, corellama, folder):
    """`compile --tokenizer`: a checkpoint without a tokenizer, and a tokenizer.model."""
    checkpoint, program, proto = folder / "m.gguf", folder / "m", folder / "tokenizer.model"
    seed = 1
    while make_models.write_model(checkpoint, seed, 0)["vocabulary"] < 512:
        seed += 1
    model = trained(512)
    proto.write_bytes(model.proto())
    result = harness.compile_model(corellama, checkpoint, program, f"--tokenizer={proto}")
    if not report.check("compile --tokenizer", result.code == 0, result.why()):
        return
    tokens = make_models.write_model(checkpoint, seed, 0)["vocabulary"]
    note = f"corellama: note: {proto}: has 512 pieces for the {tokens} tokens of the checkpoint; " \
           "the others have no text\n"
    report.check("fewer pieces than tokens are noted", result.err_text ==
                 (note if tokens > 512 else ""), result.why())
    for file in (proto, program):
        text = "Hello <mark> \u4e2d"
        ids = harness.run([corellama, "tokenize", file, "-p", text])
        back = harness.run([corellama, "detokenize", file, "--ids", ids.text.strip()])
        report.check(f"tokenize and detokenize {file.name}", back.code == 0 and back.text == text,
                     back.why())
    inspected = harness.run([corellama, "inspect", proto])
    report.check("inspect tokenizer.model", inspected.text.startswith(
        "vocabulary  tokenizer.model\ntext        SentencePiece, 512 tokens\n"), inspected.why())
    bos = [kind for _, _, kind in model.pieces].index(CONTROL)
    for text in ("Hello", "two  words \u4e2d\U0001F600", "<mark>x</s>"):
        command = [program, "-p", text, "-n", 4, "--temp", "0", "--ignore-eos", "--output-ids"]
        found = harness.run(command)
        _, ids = harness.generate(program, [bos, *model.reference().encode(text)], 4)
        report.check(f"a program with a tokenizer.model reads {text!r}",
                     ids and found.text.strip() == ",".join(map(str, ids)), found.why())

    unigram = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        input=str(NOVEL), model_writer=unigram, model_type="unigram", vocab_size=300,
        minloglevel=2)
    for name, file, why in (
            ("a model that is not BPE", unigram.getvalue(),
             "trainer_spec: model_type is 1 (unigram), expected 2 (BPE); no other kind is "
             "supported"),
            ("more pieces than tokens", trained(4000).proto(),
             "has 4000 pieces, expected at most the {} tokens of the checkpoint; give the "
             "model's own tokenizer"),
            ("no file", None, "No such file or directory; give a SentencePiece model, such as "
             "tokenizer.model")):
        proto.unlink(missing_ok=True)
        if file:
            proto.write_bytes(file)
        tokens = make_models.write_model(checkpoint, seed, 0)["vocabulary"]
        result = harness.compile_model(corellama, checkpoint, program, f"--tokenizer={proto}")
        expected = f"corellama: {proto}: {why.format(tokens)}\n"
        report.check(f"{name} is refused", result.code == 1 and result.err_text == expected,
                     result.why())


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tool", required=True)
    parser.add_argument("--corellama", required=True, type=harness.existing)
    parser.add_argument("--seed", type=int, default=20231009)
    parser.add_argument("--texts", type=int, default=2000, help="for each model (2000)")
    arguments = parser.parse_args()
    report = harness.Report()
    with tempfile.TemporaryDirectory() as folder:
        def write_and_check(model, source):
            path = Path(folder) / f"{model.name}.gguf"
            model.write(path)
            check(report, Tool(arguments.tool, path), model, source, arguments.texts)
            proto = path.with_suffix(".model")
            proto.write_bytes(model.proto())
            check(report, Tool(arguments.tool, proto), model, source, arguments.texts // 4,
                  "tokenizer.model, ")
        for size in (512, 4000):
            write_and_check(trained(size), Texts(arguments.seed + size, set()))
        for seed, with_bytes, space in ((1, True, True), (2, True, False), (3, False, True)):
            write_and_check(made_up(seed, with_bytes, space),
                            FewLetters(arguments.seed + seed, set()))
        check_programs(report, arguments.corellama, Path(folder))
    report.finish()


if __name__ == "__main__":
    main()
