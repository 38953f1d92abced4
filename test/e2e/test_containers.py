"""Checkpoints in every container mean the same: GGUF, folders of Hugging Face, llama2.c.

Input: the driver and the tool corellama-tokenize; output: PASS/FAIL lines and a closing `N
passed, N failed`. For each cell of the table in docs/checkpoints.md a small random model is
written in that container, format and shape (container_models.py), compiled, and its logits are
compared with the float64 reference of llama_reference.py. The same weights as a folder and as
GGUF make the same code and weights. The ids of a tokenizer.json are those of PyPI's
`tokenizers`. What is refused is refused by one line that names it. A file of its own because
its subject is how files are read, not what is computed.

    python test_containers.py --corellama build/bin/corellama --tool build/bin/corellama-tokenize
    python test_containers.py ... --write      # the table of docs/checkpoints.md
"""

import dataclasses
import io
import json
import os
import re
import struct
from pathlib import Path

import numpy as np
import sentencepiece
from tokenizers import Tokenizer, models, pre_tokenizers, processors, trainers

import container_models as cm
import harness
import test_tokens

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs/checkpoints.md"
NOVEL = ROOT / "benchmarks/text/news-from-nowhere.txt"
SEED = 18
# Of the largest logit; float32 sums of a hundred products stay below a tenth of it.
TOLERANCE = 1e-5
IDS = [1, 5, 40, 40, 7, 88, 3, 19, 60, 2, 33]

GQA = cm.Sizes(dim=48, heads=6, kv_heads=2, hidden=80, vocabulary=101, layers=2)
TIED = cm.Sizes(dim=40, heads=4, kv_heads=4, hidden=64, vocabulary=90, layers=2, tied=True,
                rope_base=5e5, eps=1e-6)
WIDE = cm.Sizes(dim=44, heads=3, kv_heads=1, hidden=36, vocabulary=95, layers=3, head_size=20,
                rope_base=1e5)
# Constants that a file of llama2.c does not state are the defaults of Sizes.
MQA = cm.Sizes(dim=48, heads=4, kv_heads=1, hidden=72, vocabulary=97, layers=3)
TIED_MHA = cm.Sizes(dim=32, heads=4, kv_heads=4, hidden=56, vocabulary=99, layers=2, tied=True)
SHAPES = {"GQA, untied": GQA, "MHA, tied, RoPE base 500000": TIED,
          "MQA, heads wider than dim / heads": WIDE, "MQA, untied": MQA, "MHA, tied": TIED_MHA}


def gguf_cell(**how):
    def write(folder, sizes, weights, form):
        paths = cm.write_gguf(folder / "m.gguf", sizes, weights, form, **how)
        return paths[0], cm.read_gguf(paths)
    return write


def family_cell(changes=None, biases=(), head_norms=False, **own):
    """A folder with more in it; `own`: what the reference is told, by GGUF's keys."""
    def write(folder, sizes, weights, form):
        cm.add_weights(weights, sizes, SEED, biases, head_norms)
        path = cm.write_folder(folder / "model", sizes, weights, form, **changes)
        read = cm.by_gguf_name(sizes, cm.read_folder(path))
        if "rope_freqs.weight" in own:
            read["rope_freqs.weight"] = own["rope_freqs.weight"](sizes)
        return path, read, {key: value for key, value in own.items()
                            if key != "rope_freqs.weight"}
    return write


QKV = ("q_proj", "k_proj", "v_proj")


def folder_cell(norms=None, shards=1):
    def write(folder, sizes, weights, form):
        path = cm.write_folder(folder / "model", sizes, weights, form, norms, shards)
        return path, cm.by_gguf_name(sizes, cm.read_folder(path))
    return write


def llama2c_cell(version):
    def write(folder, sizes, weights, form):
        path = folder / "m.bin"
        path.write_bytes(cm.llama2c_bytes(sizes, weights, version))
        return path, cm.read_llama2c(path.read_bytes(), version)
    return write


# Container, format of matrices, shape, what else is tried, and how it is written.
CELLS = [
    ("GGUF 3", "F32", "GQA, untied", "", gguf_cell()),
    ("GGUF 2", "F16", "MHA, tied, RoPE base 500000", "norms F32", gguf_cell(version=2)),
    ("GGUF split", "BF16", "MQA, heads wider than dim / heads", "parts of 5 tensors, norms BF16",
     gguf_cell(norms="BF16", split=5)),
    ("folder", "F32", "GQA, untied", "", folder_cell()),
    ("folder", "F16", "MHA, tied, RoPE base 500000", "norms F16", folder_cell()),
    ("folder", "BF16", "MQA, heads wider than dim / heads", "norms F32", folder_cell("F32")),
    ("folder, sharded", "BF16", "GQA, untied", "3 files, norms BF16", folder_cell(shards=3)),
    ("folder", "F32", "GQA, untied", "`llama3` scaling", family_cell(
        dict(rope_scaling={"rope_type": "llama3", "factor": 8.0, "low_freq_factor": 1.0,
                           "high_freq_factor": 4.0, "original_max_position_embeddings": 16}),
        **{"rope_freqs.weight": cm.llama3})),
    ("folder", "BF16", "GQA, untied", "linear scaling, biases of all products", family_cell(
        dict(rope_parameters={"rope_type": "linear", "factor": 4.0, "rope_theta": 1e4},
             attention_bias=True, mlp_bias=True), QKV + ("o_proj", "gate_proj", "up_proj",
                                                         "down_proj"),
        **{"rope.scaling.type": "linear", "rope.scaling.factor": 4.0})),
    ("folder of Mistral", "F16", "MQA, heads wider than dim / heads", "sliding window of 4",
     family_cell(dict(model_type="mistral", architectures=["MistralForCausalLM"],
                      sliding_window=4), **{"attention.sliding_window": 4})),
    ("folder of Qwen2", "BF16", "GQA, untied", "biases of q, k and v", family_cell(
        dict(model_type="qwen2", architectures=["Qwen2ForCausalLM"], sliding_window=4,
             use_sliding_window=False), QKV)),
    ("folder of Qwen2", "BF16", "GQA, untied",
     "biases of q, k and v, sliding window of 4 from layer 1 on", family_cell(
         dict(model_type="qwen2", architectures=["Qwen2ForCausalLM"], sliding_window=4,
              use_sliding_window=True, max_window_layers=1), QKV,
         **{"attention.sliding_window": 4,
            "attention.sliding_window_pattern": [False, True]})),
    ("folder of Qwen3", "F32", "MHA, tied, RoPE base 500000",
     "norms of heads, YaRN, sliding window of 5 in layer 0",
     family_cell(dict(model_type="qwen3", architectures=["Qwen3ForCausalLM"],
                      rope_scaling={"rope_type": "yarn", "factor": 4.0,
                                    "original_max_position_embeddings": 16},
                      use_sliding_window=True, sliding_window=5,
                      layer_types=["sliding_attention", "full_attention"]),
                 head_norms=True, **{"rope.scaling.type": "yarn", "rope.scaling.factor": 4.0,
                                     "rope.scaling.original_context_length": 16,
                                     "attention.sliding_window": 5,
                                     "attention.sliding_window_pattern": [True, False]})),
    ("llama2.c 0", "F32", "MQA, untied", "", llama2c_cell(0)),
    ("llama2.c 0", "F32", "MHA, tied", "", llama2c_cell(0)),
    ("llama2.c 1", "F32", "MQA, untied", "", llama2c_cell(1)),
    ("llama2.c 1", "F32", "MHA, tied", "", llama2c_cell(1)),
]

BEGIN, END = "<!-- containers: made by test_containers.py --write -->", "<!-- containers: end -->"


def table():
    lines = [BEGIN, "| container | matrices | shape | beside |", "| --- | --- | --- | --- |"]
    lines += [f"| {c} | {f} | {s} | {more or '-'} |" for c, f, s, more, _ in CELLS]
    shapes = "; ".join(
        f"{name}: dim {s.dim}, {s.heads} heads of {s.head_size} over {s.kv_heads}, hidden "
        f"{s.hidden}, vocabulary {s.vocabulary}, {s.layers} layers" for name, s in SHAPES.items())
    lines += ["", f"Seed {SEED}, {len(IDS)} ids; logits within {TOLERANCE:.0e} of the largest. "
              f"Shapes: {shapes}.", END]
    return "\n".join(lines)


def check_table(report, write):
    text = DOCS.read_text()
    begin, end = text.index(BEGIN), text.index(END) + len(END)
    if write:
        DOCS.write_text(text[:begin] + table() + text[end:])
    else:
        report.check("docs/checkpoints.md has the table", text[begin:end] == table(),
                     "it differs; run this test with --write")


def compile_flags(*more):
    return ["--activations=f32", "--rows=1", *more]


def check_cells(report, args, root):
    """Each cell's logits; returns the programs by container, format and shape."""
    programs = {}
    for i, (container, form, shape, more, write) in enumerate(CELLS):
        name = f"{container}, {form}, {shape}" + (f", {more}" if more else "")
        folder = root / f"cell{i}"
        folder.mkdir()
        sizes = SHAPES[shape]
        path, weights, *own = write(folder, sizes, cm.draw(sizes, SEED), form)
        program = folder / "program"
        made = harness.compile_model(args.corellama, path, program, *compile_flags())
        if not report.check(f"{name}: compiles", made.code == 0, made.why):
            continue
        programs.setdefault((container, form, shape), program)
        model = cm.Plain(sizes, weights, **(own[0] if own else {}))
        want = cm.llama_reference.logits(model, IDS)
        result, new = harness.generate(program, IDS, 1, logits=folder / "logits.npy")
        if new is None:
            report.fail(f"{name}: logits", result.why())
            continue
        got = np.load(folder / "logits.npy")
        error = np.abs(got - want).max() / np.abs(want).max() if got.shape == want.shape \
            else np.inf
        report.check(f"{name}: logits", error <= TOLERANCE, f"largest error {error:.1e}",
                     f"largest error {error:.1e}")
        seen = harness.run([args.corellama, "inspect", path, "--json"])
        config = json.loads(seen.out)["config"] if seen.code == 0 else {}
        stated = (config.get("dim"), config.get("heads"), config.get("kv_heads"),
                  config.get("head_size"), config.get("hidden"), config.get("vocabulary"),
                  config.get("layers"), config.get("tied_lm_head"))
        report.check(f"{name}: inspect", stated == (
            sizes.dim, sizes.heads, sizes.kv_heads, sizes.head_size, sizes.hidden,
            sizes.vocabulary, sizes.layers, sizes.tied), f"{stated} {seen.err_text}")
    return programs


# What an image is made of (runtime/ABI/Image.h): ranges of two numbers behind 24 bytes.
RANGES = ["offsets", "frequencies", "manifest", "text", "weights"]


def parts_of(program):
    """The code before a program's image, and the image's parts."""
    data = program.read_bytes()
    at = data.rindex(b"CLIMAGE1", 0, len(data))
    while at % 4096:  # the magic number is a constant of the code, too
        at = data.rindex(b"CLIMAGE1", 0, at)
    parts = {"image": at}
    for i, name in enumerate(RANGES):
        offset, size = struct.unpack_from("<2Q", data, at + 24 + 16 * i)
        parts[name] = data[at + offset:at + offset + size]
    return parts


def code_of(args, path):
    made = harness.run([args.corellama, "compile", path, "--emit=asm", *compile_flags()])
    # The name of the module's source alone is the checkpoint's.
    return made.code, re.sub(rb"^\s*\.file.*$", b"", made.out, flags=re.M)


def check_same(report, args, root, programs):
    """A folder and a GGUF file of the same numbers."""
    shape = "GQA, untied"
    one, other = programs.get(("GGUF 3", "F32", shape)), programs.get(("folder", "F32", shape))
    if not one or not other:
        return report.fail("the same weights as GGUF and as a folder", "one does not compile")
    a, b = parts_of(one), parts_of(other)
    for part in ("weights", "offsets", "frequencies"):
        report.check(f"GGUF and folder: the same {part}", a[part] == b[part] and a[part],
                     "they differ", f"{len(a[part])} bytes")
    a, b = code_of(args, one.parent / "m.gguf"), code_of(args, other.parent / "model")
    report.check("GGUF and folder: the same code", a == b and a[0] == 0 and len(a[1]) > 1000,
                 "they differ", f"{len(a[1])} bytes of assembly")


def check_large(report, args, root):
    """A folder of more than 4 GiB, nearly all of it holes, compiled in little memory. The
    feed-forward part has a few rows that are not zero, the last ones beyond 4 GiB: without
    the others it is a small model, which the reference computes."""
    wide = dataclasses.replace(GQA, dim=512, heads=8, kv_heads=8, head_size=64, layers=3,
                               hidden=524288, vocabulary=64)
    rows = np.array([0, 1, 99999, 262143, 524286, 524287])
    small = dataclasses.replace(wide, hidden=len(rows))
    weights = cm.draw(small, SEED)
    folder = root / "large"
    folder.mkdir()
    (folder / "config.json").write_text(json.dumps(cm.config(wide)))
    header, at = {}, 0
    for name, values in weights.items():
        shape = [wide.hidden if n == len(rows) else n for n in values.shape]
        size = 2 * int(np.prod(shape))
        header[name] = {"dtype": "BF16", "shape": shape, "data_offsets": [at, at + size]}
        at += size
    text = json.dumps(header).encode()
    with open(folder / "model.safetensors", "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text)
        begin = file.tell()
        file.truncate(begin + at)
        for name, values in weights.items():
            offset = begin + header[name]["data_offsets"][0]
            rounded = cm.stored(values, "BF16")
            if values.ndim == 1 or len(rows) not in values.shape:
                pieces = [(0, rounded)]
            elif values.shape[0] == len(rows):
                pieces = [(row * wide.dim, rounded[2 * i * wide.dim:2 * (i + 1) * wide.dim])
                          for i, row in enumerate(rows)]
            else:
                pieces = [(r * wide.hidden + row, rounded[2 * (r * len(rows) + i):][:2])
                          for r in range(wide.dim) for i, row in enumerate(rows)]
            for place, data in pieces:
                file.seek(offset + 2 * place)
                file.write(data)
            weights[name] = (np.frombuffer(rounded, np.uint16).astype(np.uint32)
                             << 16).view(np.float32).reshape(values.shape)
    program = folder / "program"
    # Of memory that is no file's; the kernel counts private mappings.
    made = harness.run(["prlimit", f"--data={2 << 30}", args.corellama, "compile", folder, "-o",
                        program, *compile_flags()])
    if not report.check("a folder of 4.5 GiB compiles in 2 GiB", made.code == 0, made.why):
        return
    size = program.stat().st_size
    ids = [5, 9, 33]
    want = cm.llama_reference.logits(cm.Plain(small, cm.by_gguf_name(small, weights)), ids)
    result, _ = harness.generate(program, ids, 1, logits=folder / "logits.npy")
    got = np.load(folder / "logits.npy") if result.code == 0 else np.zeros_like(want)
    error = np.abs(got - want).max() / np.abs(want).max()
    report.check("a folder of 4.5 GiB: logits", error <= TOLERANCE and size > 4 << 30,
                 f"largest error {error:.1e} of {size} bytes; {result.err_text}",
                 f"largest error {error:.1e}, {size} bytes")


# ---------------------------------------------------------------------------------------
# Text
# ---------------------------------------------------------------------------------------

def byte_level(pre, ignore_merges):
    """PyPI's tokenizer with that pre-tokenizer, merges of the novel, BOS in front."""
    made = Tokenizer(models.BPE(ignore_merges=ignore_merges))
    made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    made.train_from_iterator(
        NOVEL.read_text().splitlines()[:400], trainers.BpeTrainer(
            vocab_size=700, show_progress=False, special_tokens=["<|begin|>", "<|end|>"],
            initial_alphabet=pre_tokenizers.ByteLevel.alphabet()))
    steps = test_tokens.PRE_TOKENIZERS[pre][0]
    made.pre_tokenizer = steps[0] if len(steps) == 1 else pre_tokenizers.Sequence(steps)
    made.post_processor = processors.TemplateProcessing(
        single="<|begin|> $A", special_tokens=[("<|begin|>", 0)])
    return made


def sentencepiece_json():
    """A BPE model of SentencePiece as transformers converts it: its pieces, and as merges all
    pairs that make one, in the order of the pieces' scores."""
    out = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(NOVEL.read_text().splitlines()[:400]), model_writer=out,
        model_type="bpe", vocab_size=700, byte_fallback=True, minloglevel=2,
        normalization_rule_name="identity", remove_extra_whitespaces=False)
    p = sentencepiece.SentencePieceProcessor(model_proto=out.getvalue())
    vocab = {p.id_to_piece(i): i for i in range(p.get_piece_size())}
    normal = [i for i in range(3, len(vocab)) if not p.is_byte(i)]
    merges = [(text[:at], text[at:]) for text in (p.id_to_piece(i) for i in sorted(
        normal, key=lambda i: -p.get_score(i))) for at in range(1, len(text))
        if text[:at] in vocab and text[at:] in vocab]
    space = "\u2581"
    return out.getvalue(), {
        "version": "1.0", "truncation": None, "padding": None,
        "added_tokens": [
            {"id": id, "content": text, "single_word": False, "lstrip": False, "rstrip": False,
             "normalized": False, "special": True}
            for id, text in enumerate(["<unk>", "<s>", "</s>"])],
        "normalizer": {"type": "Sequence", "normalizers": [
            {"type": "Prepend", "prepend": space},
            {"type": "Replace", "pattern": {"String": " "}, "content": space}]},
        "pre_tokenizer": None,
        "post_processor": {
            "type": "TemplateProcessing",
            "single": [{"SpecialToken": {"id": "<s>", "type_id": 0}},
                       {"Sequence": {"id": "A", "type_id": 0}}],
            "pair": [{"Sequence": {"id": "A", "type_id": 0}},
                     {"Sequence": {"id": "B", "type_id": 1}}],
            "special_tokens": {"<s>": {"id": "<s>", "ids": [1], "tokens": ["<s>"]}}},
        "decoder": None,
        "model": {"type": "BPE", "dropout": None, "unk_token": "<unk>",
                  "continuing_subword_prefix": None, "end_of_word_suffix": None,
                  "fuse_unk": True, "byte_fallback": True, "ignore_merges": False,
                  "vocab": vocab, "merges": [" ".join(m) for m in merges]}}


def check_tokenizers(report, args, root):
    texts = test_tokens.Texts(SEED, set()).complete(150)
    for pre in ("gpt-2", "smollm", "llama-bpe", "qwen2", "tekken", "gpt-4o"):
        folder = root / f"tokens-{pre}"
        folder.mkdir()
        reference = byte_level(pre, test_tokens.PRE_TOKENIZERS[pre][1])
        reference.save(str(folder / "tokenizer.json"))
        found = test_tokens.Tool(args.tool, folder)
        plain = [t for t in texts if "<|begin|>" not in t and "<|end|>" not in t]
        test_tokens.check_ids(report, f"tokenizer.json, {pre}", found, reference, plain)
    framed = harness.run([args.corellama, "tokenize", root / "tokens-gpt-2", "-p", "hello"])
    want = byte_level("gpt-2", False).encode("hello").ids
    report.check("tokenizer.json: BOS in front", framed.code == 0 and [
        int(x) for x in framed.text.replace(",", " ").split()] == want, framed.why)

    model, made = sentencepiece_json()
    folder = root / "tokens-pieces"
    folder.mkdir()
    (folder / "tokenizer.json").write_text(json.dumps(made))
    reference = Tokenizer.from_str(json.dumps(made))
    tool = test_tokens.Tool(args.tool, folder)
    plain = [t for t in texts if not any(s in t for s in ("<unk>", "<s>", "</s>"))]
    # Where two merges to one piece overlap, the two differ; see docs/checkpoints.md.
    plain = [t for t in plain if not re.search(r"(.{1,8})\1\1", t, re.S)]
    ids, lost = tool.encode([t.encode() for t in plain])
    want = [row.ids for row in reference.encode_batch(plain, add_special_tokens=False)]
    report.check(f"tokenizer.json of SentencePiece: ids of {len(plain)} texts",
                 ids == want and not any(lost) and len(plain) > 50,
                 lambda: test_tokens.first_difference(plain, want, ids))
    # The same model in its own file.
    other = root / "tokens-model"
    other.mkdir()
    (other / "tokenizer.model").write_bytes(model)
    ids, _ = test_tokens.Tool(args.tool, other).encode([t.encode() for t in texts])
    want = test_tokens.Tool(args.tool, folder).encode([t.encode() for t in texts])[0]
    report.check("tokenizer.model in a folder: the same ids", ids == want,
                 lambda: test_tokens.first_difference(texts, want, ids))
    # And as llama2.c exports it.
    p = sentencepiece.SentencePieceProcessor(model_proto=model)
    pieces = [(p.id_to_piece(i), p.get_score(i)) for i in range(p.get_piece_size())]
    sizes = cm.Sizes(dim=8, heads=2, kv_heads=2, hidden=8, vocabulary=len(pieces), layers=1,
                     tied=True)
    third = root / "tokens-llama2c"
    third.mkdir()
    (third / "m.bin").write_bytes(cm.llama2c_bytes(sizes, cm.draw(sizes, SEED), 0))
    (third / "tokenizer.bin").write_bytes(cm.tokenizer_bin(pieces))
    ids, _ = test_tokens.Tool(args.tool, third / "m.bin").encode([t.encode() for t in texts])
    report.check("tokenizer.bin: the same ids", ids == want,
                 lambda: test_tokens.first_difference(texts, want, ids))
    return made


def check_text_of(report, args, root, tokenizer):
    """Ends, template and special tokens from the files beside the tokenizer; a snapshot of
    the cache, which is links, compiled without -o."""
    sizes = cm.Sizes(dim=16, heads=2, kv_heads=1, hidden=24, vocabulary=704, layers=1)
    hub = root / "models--someone--Tiny-Llama"
    blobs, snapshot = hub / "blobs", hub / "snapshots/0123abcd"
    cm.write_folder(blobs, sizes, cm.draw(sizes, SEED), "BF16")
    template = "{% for m in messages %}<s>{{ m.role }}: {{ m.content }}</s>{% endfor %}"
    beside = {"tokenizer.json": tokenizer, "generation_config.json": {"eos_token_id": [2, 7]},
              "tokenizer_config.json": {"bos_token": {"content": "<s>"}, "eos_token": "</s>",
                                        "chat_template": [
                  {"name": "tool_use", "template": "x"},
                  {"name": "default", "template": template}]}}
    for name, value in beside.items():
        (blobs / name).write_text(json.dumps(value))
    snapshot.mkdir(parents=True)
    for path in blobs.iterdir():
        (snapshot / path.name).symlink_to(os.path.relpath(path, snapshot))
    work = root / "work"
    work.mkdir()
    made = harness.run([args.corellama, "compile", snapshot, *compile_flags()], cwd=work)
    report.check("a snapshot of links, without -o: NAME.run",
                 made.code == 0 and (work / "Tiny-Llama.run").exists(), made.why)
    text = json.loads(harness.run([args.corellama, "inspect", snapshot, "--json"]).out)["text"]
    report.check("ends, BOS and EOS", [e["id"] for e in text.get("ends", [])] == [2, 7]
                 and text.get("bos", {}).get("id") == 1 and text.get("eos", {}).get("id") == 2
                 and text.get("adds_bos") and not text.get("adds_eos"), str(text))
    shown = harness.run([args.corellama, "inspect", snapshot, "--template"])
    report.check("the default template of several", shown.text == template, shown.why)
    (snapshot / "chat_template.jinja").write_text("{{ bos_token }}!")
    shown = harness.run([args.corellama, "inspect", snapshot, "--template"])
    report.check("chat_template.jinja before it", shown.text == "{{ bos_token }}!", shown.why)
    vocabulary = harness.run([args.corellama, "inspect", root / "tokens-pieces"])
    report.check("a folder with a tokenizer alone is a vocabulary",
                 vocabulary.text.startswith("vocabulary"), vocabulary.why)


# ---------------------------------------------------------------------------------------
# Refusals
# ---------------------------------------------------------------------------------------

def refused(report, args, name, path, words):
    r = harness.compile_model(args.corellama, path, path.parent / "refused")
    good = r.code == 1 and harness.one_line(r.err) and not r.out and words in r.err_text \
        and not (path.parent / "refused").exists()
    report.check(f"refused: {name}", good, lambda: f"{r.err_text}expected {words!r}")


def check_refusals(report, args, root):
    weights = cm.draw(GQA, SEED)
    for i, (name, changes, words) in enumerate(cm.CONFIGS):
        path = cm.write_folder(root / f"config{i}", GQA, weights, **changes)
        refused(report, args, name, path, "config.json: " + words if words.startswith("key")
                else words)
    first = "model.layers.0.self_attn.q_proj"
    for name, tensor, words in [
            ("a bias", {first + ".bias": ("F32", (48,), bytes(192))},
             f"tensor '{first}.bias': is a bias, expected a plain Llama"),
            ("another type", {first + ".weight": ("F8_E4M3", (48, 48), bytes(48 * 48))},
             f"tensor '{first}.weight': has type 'F8_E4M3', expected F32"),
            ("an unknown tensor", {"model.gizmo": ("F32", (1,), bytes(4))},
             "tensor 'model.gizmo': is unknown")]:
        path = cm.write_folder(root / name.replace(" ", "-"), GQA, weights, extra=tensor)
        refused(report, args, name, path, words)
    # A buffer that transformers does not read is no reason.
    path = cm.write_folder(root / "inv-freq", GQA, weights, extra={
        "model.layers.0.self_attn.rotary_emb.inv_freq": ("F32", (4,), bytes(16))})
    seen = harness.run([args.corellama, "inspect", path])
    report.check("rotary_emb.inv_freq is skipped", seen.code == 0, seen.why)

    path = cm.write_folder(root / "index", GQA, weights, shards=2)
    index = path / "model.safetensors.index.json"
    good = json.loads(index.read_text())
    name = next(iter(good["weight_map"]))
    for what, file, words in [
            ("a path in the index", "../secret.safetensors", "is in '../secret.safetensors', "
             "expected the name of a .safetensors file of the folder"),
            ("a missing shard", "model-00003-of-00002.safetensors", "is missing, expected it by"),
            ("a tensor in another shard", "model-00002-of-00002.safetensors",
             "is in another file by model.safetensors.index.json")]:
        index.write_text(json.dumps(good | {"weight_map": good["weight_map"] | {name: file}}))
        refused(report, args, what, path, words)
    index.write_text('{"weight_map": {"a": "b.safetensors", "a": "c.safetensors"}}')
    refused(report, args, "a key twice", path, "with the key 'a' twice")
    (root / "empty").mkdir()
    refused(report, args, "an empty folder", root / "empty", "has neither config.json nor")

    parts = cm.write_gguf(root / "s.gguf", GQA, weights, split=6)
    refused(report, args, "a later part", parts[1], "metadata 'split.no': is 1, expected 0; give "
            "the first part")
    for a, b in [(parts[1], root / "other"), (parts[2], parts[1]), (root / "other", parts[2])]:
        os.rename(a, b)
    refused(report, args, "parts in another order", parts[0],
            "metadata 'split.no': is 2, expected 1; ")
    parts[-1].unlink()
    refused(report, args, "a missing part", parts[0],
            f"{parts[-1].name}: file: cannot be read")

    path = root / "v2.bin"
    path.write_bytes(cm.llama2c_bytes(MQA, cm.draw(MQA, SEED), 1)[:4] + struct.pack("<i", 2)
                     + bytes(300))
    refused(report, args, "llama2.c 2", path, "header: version is 2 (int8 in groups), expected "
            "0 or 1")
    path = root / "cut.bin"
    path.write_bytes(cm.llama2c_bytes(MQA, cm.draw(MQA, SEED), 0)[:-1])
    refused(report, args, "llama2.c, cut", path, "header: states sizes of ")

    # A program must not replace what it is made from.
    path = cm.write_folder(root / "input", GQA, weights)
    r = harness.compile_model(args.corellama, path, path / "model.safetensors")
    report.check("refused: a shard as the output", r.code == 1
                 and "is the checkpoint; name another file" in r.err_text, r.why)


# Changes of the tokenizer.json of SentencePiece, and why it is none then.
TOKENIZERS = [
    (("model", "type"), "Unigram", "model.type: 'Unigram', expected 'BPE'"),
    (("normalizer",), {"type": "NFC"}, "normalizer: 'NFC'"),
    (("pre_tokenizer",), {"type": "Metaspace", "replacement": "\u2581", "split": False,
                          "prepend_scheme": "first"}, "pre_tokenizer: 'Metaspace' with"),
    (("pre_tokenizer",), {"type": "ByteLevel", "add_prefix_space": True}, "normalizer: "),
    (("model", "merges"), [], "model.merges: lack one that makes"),
    (("model", "byte_fallback"), False, "pre_tokenizer: is not ByteLevel"),
    (("added_tokens", 1, "rstrip"), True, "added token '<s>': rstrip is true"),
    (("model", "dropout"), 0.1, "model.dropout: 0.1"),
]


def check_tokenizer_refusals(report, args, root, tokenizer):
    folder = root / "tokens-refused"
    folder.mkdir()
    for keys, value, words in TOKENIZERS:
        made = json.loads(json.dumps(tokenizer))
        place = made
        for key in keys[:-1]:
            place = place[key]
        place[keys[-1]] = value
        (folder / "tokenizer.json").write_text(json.dumps(made))
        r = harness.run([args.corellama, "tokenize", folder, "-p", "x"])
        report.check(f"refused: {'.'.join(map(str, keys))} {str(value)[:40]}",
                     r.code == 1 and harness.one_line(r.err) and words in r.err_text,
                     lambda: f"{r.err_text}expected {words!r}")


def main():
    p = harness.parser(__doc__.splitlines()[0], model=False)
    p.add_argument("--tool", required=True, type=harness.existing,
                   help="build/bin/corellama-tokenize")
    p.add_argument("--write", action="store_true", help="write the table of docs/checkpoints.md")
    p.add_argument("--all", action="store_true", help="a folder of more than 4 GiB, too")
    args = p.parse_args()
    report = harness.Report()
    with harness.Workspace(args.keep) as root:
        check_table(report, args.write)
        programs = check_cells(report, args, root)
        check_same(report, args, root, programs)
        tokenizer = check_tokenizers(report, args, root)
        check_text_of(report, args, root, tokenizer)
        check_refusals(report, args, root)
        check_tokenizer_refusals(report, args, root, tokenizer)
        if args.all:
            check_large(report, args, root)
    report.finish()


if __name__ == "__main__":
    main()
