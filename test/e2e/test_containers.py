"""Checkpoints in every container mean the same: GGUF, folders of Hugging Face, llama2.c.

Input: the driver and the tool corellama-tokenize; output: PASS/FAIL lines and a closing `N
passed, N failed`. For each model of the table in docs/checkpoints.md (container_table.py;
with --all for each valid cell) the compilation is left and entered again at each phase, and
the program's logits are compared with the float64 reference of llama_reference.py. The same
weights in several containers make the same code and weights. The ids of a tokenizer.json are
those of PyPI's `tokenizers`. What is refused is refused by one line that names it. A file of
its own because its subject is how files are read, not what is computed.

    python test_containers.py --corellama build/bin/corellama --tool build/bin/corellama-tokenize
    python test_containers.py ... --write      # the table of docs/checkpoints.md
"""

import dataclasses
import io
import itertools
import json
import os
import re
import struct
from pathlib import Path

import numpy as np
import sentencepiece
from tokenizers import Tokenizer, models, pre_tokenizers, processors, trainers

import container_models as cm
import container_table
import harness
import llama_reference
import test_tokens

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs/checkpoints.md"
NOVEL = ROOT / "benchmarks/text/news-from-nowhere.txt"
SEED = container_table.SEED
# Of the largest logit; float32 sums of a hundred products stay below a tenth of it.
TOLERANCE = 1e-5
IDS = [1, 5, 40, 40, 7, 88, 3, 19, 60, 2, 33]

GQA = cm.Sizes(dim=48, heads=6, kv_heads=2, hidden=80, vocabulary=101, layers=2)
MQA = cm.Sizes(dim=48, heads=4, kv_heads=1, hidden=72, vocabulary=97, layers=3)

BEGIN, END = "<!-- containers: made by test_containers.py --write -->", "<!-- containers: end -->"
# Exact rows, and a step of one, so that a model takes half a second to compile.
FLAGS = ["--activations=f32", "--rows=1"]


def check_table(report, write):
    """What docs/checkpoints.md has to be."""
    missing = container_table.missing_pairs()
    report.check("a model for each container and format, container and feature, format and "
                 "feature", not missing, f"none for {sorted(missing)[:3]}")
    text = DOCS.read_text()
    begin, end = text.index(BEGIN), text.index(END) + len(END)
    table = "\n".join([BEGIN, *container_table.table(), "",
                       f"Seed {SEED}, {len(IDS)} ids; logits within {TOLERANCE:.0e} of the "
                       "largest.", END])
    if not write:
        report.check("docs/checkpoints.md has the table", text[begin:end] == table,
                     "it differs; run this test with --write")
    return text[:begin] + table + text[end:]


def check_phases(report, args, name, path, program, folder, phases):
    """The same program in one go, and from dumps of `phases`."""
    whole, dumps = folder / "whole", folder / "phases"
    made = harness.compile_model(args.corellama, path, whole, *FLAGS,
                                 f"--dump-compilation-phases-to={dumps}")
    report.check(f"{name}: in one go, the same program", made.code == 0
                 and harness.same_file(program, whole), made.why)
    harness.reenter(report, args.corellama, name, path, program, dumps, phases)


def check_model(report, args, row, container, folder, phases):
    """A cell of the table; its program, or None. The compilation goes on with what it reads
    of each phase (--verify-each), and from dumps of `phases`."""
    name, sizes, program = f"{container}, {row.name()}", row.sizes, folder / "program"
    path, reference = container_table.write(row, container, folder)
    made = harness.compile_model(args.corellama, path, program, *FLAGS, "--verify-each")
    if not report.check(f"{name}: compiles, re-entered at each phase", made.code == 0, made.why):
        return None
    if phases:
        check_phases(report, args, name, path, program, folder, phases)
    result, _ = harness.generate(program, IDS, 1, logits=folder / "logits.npy")
    if result.code != 0:
        report.fail(f"{name}: logits", result.why())
        return None
    want, got = llama_reference.logits(reference, IDS), np.load(folder / "logits.npy")
    error = np.abs(got - want).max() / np.abs(want).max() if got.shape == want.shape else np.inf
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
    return program


def check_models(report, args, root):
    """Each model of the table; without --all dumps are compiled on of the first one of each
    container, of each phase once."""
    containers = container_table.CONTAINERS
    left = {c: harness.PHASES[i::len(containers)] for i, c in enumerate(containers)}
    for i, row in enumerate(container_table.ROWS):
        programs = []
        for container in row.containers() if args.all else row.proved():
            folder = root / f"{i}-{container.replace(' ', '-')}"
            folder.mkdir()
            phases = harness.PHASES if args.all else left.pop(container, [])
            program = check_model(report, args, row, container, folder, phases)
            if program:
                programs.append((container, program))
        check_same(report, row, programs)


# What an image is made of (runtime/ABI/Image.h): ranges of two numbers behind 24 bytes.
RANGES = ["offsets", "frequencies", "manifest", "text", "weights"]


def parts_of(program):
    """The code, which stands before a program's image, and the image's parts."""
    data = program.read_bytes()
    at = data.rindex(b"CLIMAGE1", 0, len(data))
    while at % 4096:  # the magic number is a constant of the code, too
        at = data.rindex(b"CLIMAGE1", 0, at)
    parts = {"code": data[:at]}
    for i, name in enumerate(RANGES):
        offset, size = struct.unpack_from("<2Q", data, at + 24 + 16 * i)
        parts[name] = data[at + offset:at + offset + size]
    return parts


def check_same(report, row, programs):
    """The same weights in several containers make the same program, but for names and for
    factors of RoPE, which a GGUF file rounds."""
    parts = [(container, parts_of(program)) for container, program in programs]
    for (one, a), (other, b) in itertools.pairwise(parts):
        rounds = "`llama3` RoPE" in row.features.names
        different = [part for part in ("code", "weights", "offsets", "frequencies")
                     if not a[part] or a[part] != b[part]
                     and not (rounds and part == "frequencies")]
        report.check(f"{one} and {other}, {row.name()}: the same code and weights",
                     not different, f"{different} differ",
                     f"{len(a['code'])} and {len(a['weights'])} bytes")


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
                        program, *FLAGS])
    if not report.check("a folder of 4.5 GiB compiles in 2 GiB", made.code == 0, made.why):
        return
    size = program.stat().st_size
    ids = [5, 9, 33]
    want = llama_reference.logits(cm.Plain(small, cm.by_gguf_name(small, weights)), ids)
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
    made = harness.run([args.corellama, "compile", snapshot, *FLAGS], cwd=work)
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
    check_mistakes(report, args, root, weights)

    parts = cm.write_gguf(root / "s.gguf", GQA, weights, split=6)
    refused(report, args, "a later part", parts[1], "metadata 'split.no': is 1, expected 0; give "
            "the first part")
    for a, b in [(parts[1], root / "other"), (parts[2], parts[1]), (root / "other", parts[2])]:
        os.rename(a, b)
    refused(report, args, "parts in another order", parts[0],
            "metadata 'split.no': is 2, expected 1; fetch the parts again")
    parts[-1].unlink()
    refused(report, args, "a missing part", parts[0],
            f"{parts[-1].name}: file: cannot be read")

    path = root / "v2.bin"
    path.write_bytes(cm.llama2c_bytes(MQA, cm.draw(MQA, SEED), 2))
    words = "header: version is 2 (int8 in groups), expected 0 or 1"
    refused(report, args, "llama2.c 2", path, words)
    seen = harness.run([args.corellama, "inspect", path])
    lines = ["context     64", "reasons: 1", words, "tensors: 30",
             "blk.2.ffn_down.weight  int8 in groups of 4 48 x 72"]
    report.check("inspect shows llama2.c 2", seen.code == 0
                 and all(line in seen.text for line in lines), lambda: seen.text + seen.err_text)
    path = root / "cut.bin"
    path.write_bytes(cm.llama2c_bytes(MQA, cm.draw(MQA, SEED), 0)[:-1])
    refused(report, args, "llama2.c, cut", path, "header: states sizes of ")

    # A program must not replace what it is made from.
    path = cm.write_folder(root / "input", GQA, weights)
    r = harness.compile_model(args.corellama, path, path / "model.safetensors")
    report.check("refused: a shard as the output", r.code == 1
                 and "is the checkpoint; name another file" in r.err_text, r.why)


def check_mistakes(report, args, root, weights):
    """What people give in place of a checkpoint."""
    path = cm.write_folder(root / "whole", GQA, weights)
    single = path / "model.safetensors"
    for file in (single, path / "config.json"):
        refused(report, args, file.name, file, f"expected the folder; give {path}")
    config = (path / "config.json").read_bytes()
    for folder, file, data, words in [
            ("models--a--b", "snapshots/1/config.json", config, "has neither config.json nor "
             "model.safetensors, but 'snapshots', whose folders are the model's revisions"),
            ("pytorch", "pytorch_model.bin", b"PK\3\4" + bytes(99),
             "has no weights in model.safetensors, but 'pytorch_model.bin', expected them"),
            ("original", "consolidated.safetensors", single.read_bytes(),
             "has no weights in model.safetensors, but 'consolidated.safetensors', expected"),
            ("no-index", "model-00001-of-00002.safetensors", single.read_bytes(),
             "but 'model-00001-of-00002.safetensors' without model.safetensors.index.json"),
            ("lfs", "model.safetensors", b"version https://git-lfs.github.com/spec/v1\n",
             "model.safetensors: file: is a pointer of Git LFS, expected the file")]:
        file = root / folder / file
        file.parent.mkdir(parents=True)
        file.write_bytes(data)
        if folder != "models--a--b":
            (root / folder / "config.json").write_bytes(config)
        refused(report, args, folder, root / folder, words)
    refused(report, args, "an archive of PyTorch", root / "pytorch/pytorch_model.bin",
            "file: is an archive of PyTorch, expected a checkpoint; save the model")


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
    p.add_argument("--all", action="store_true", help="every cell of the table, each in one go and from each phase; a folder "
                   "of more than 4 GiB")
    args = p.parse_args()
    report = harness.Report()
    with harness.Workspace(args.keep) as root:
        table = check_table(report, args.write)
        check_models(report, args, root)
        # A mark says that a model was compared, of --all where it is in brackets.
        if args.write and not report.failed:
            DOCS.write_text(table)
        tokenizer = check_tokenizers(report, args, root)
        check_text_of(report, args, root, tokenizer)
        check_refusals(report, args, root)
        check_tokenizer_refusals(report, args, root, tokenizer)
        if args.all:
            check_large(report, args, root)
    report.finish()


if __name__ == "__main__":
    main()
