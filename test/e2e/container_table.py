"""The models of the table in docs/checkpoints.md: containers, formats and features together.

Input: a row of ROWS, a container that can hold it, and a folder; output: a small random
model there, and the reference of what its files say. A model has several formats, a matrix
each, and several features, so that few models have all pairs: `proved` says which ones
test_containers.py makes without --all, and `missing_pairs` what they lack. A file of its own
because it is data, as family_models.py is, and container_models.py knows formats alone.
"""

import dataclasses
import itertools
from collections.abc import Callable

import container_models as cm
import llama_reference
import make_models

SEED = 18

GGUF = ("GGUF 3", "GGUF 2", "GGUF split")
FOLDERS = ("folder", "folder, sharded")
LLAMA2C = ("llama2.c 0", "llama2.c 1")
CONTAINERS = GGUF + FOLDERS + LLAMA2C

PLAIN = ("F32", "F16", "BF16")
# Blocks of 32 and of 256: what columns, and the sizes that are columns, are multiples of.
BLOCKS = ("Q8_0", "Q4_0", "Q4_1", "Q5_0", "Q5_1", "IQ4_NL", "MXFP4")
SUPERBLOCKS = ("Q2_K", "Q3_K", "Q4_K", "Q5_K", "Q6_K", "IQ4_XS")

# Matrices by Hugging Face's names; those of all layers have one format.
MATRICES = ("model.embed_tokens", "self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj",
            "self_attn.o_proj", "mlp.gate_proj", "mlp.up_proj", "mlp.down_proj", "lm_head")
QKV = ("q_proj", "k_proj", "v_proj")


def nothing(sizes):
    return {}


@dataclasses.dataclass(frozen=True)
class Features:
    """What models of `names` have; `own` and `config` say it in a GGUF file, by keys behind
    the architecture, and in config.json."""
    names: tuple
    architecture: str = "llama"
    own: Callable = nothing
    config: Callable = nothing
    in_folders: bool = True
    biases: tuple = ()
    head_norms: bool = False
    norms: str = "F32"  # the format of vectors


LLAMA3 = {"rope_type": "llama3", "factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0,
          "original_max_position_embeddings": 16}
# Each with its shapes for PLAIN, BLOCKS and SUPERBLOCKS. With a window the context is long
# enough for a ring.
FAMILIES = [
    (Features(names=()), [
        cm.Sizes(dim=48, heads=6, kv_heads=2, hidden=80, vocabulary=101, layers=2),
        cm.Sizes(dim=96, heads=6, kv_heads=2, hidden=160, vocabulary=103, layers=2),
        cm.Sizes(dim=256, heads=8, kv_heads=2, hidden=512, vocabulary=105, layers=2)]),
    (Features(
        names=("linear RoPE", "biases of all products"), norms="BF16",
        own=lambda s: {"rope.scaling.type": "linear", "rope.scaling.factor": 4.0},
        config=lambda s: dict(rope_parameters={
            "rope_type": "linear", "factor": 4.0, "rope_theta": s.rope_base},
            attention_bias=True, mlp_bias=True),
        biases=QKV + ("o_proj", "gate_proj", "up_proj", "down_proj")), [
        cm.Sizes(dim=40, heads=4, kv_heads=4, hidden=64, vocabulary=90, layers=2, tied=True,
                 rope_base=5e5, eps=1e-6),
        cm.Sizes(dim=64, heads=2, kv_heads=2, hidden=96, vocabulary=92, layers=3, tied=True),
        cm.Sizes(dim=256, heads=4, kv_heads=4, hidden=256, vocabulary=94, layers=2, tied=True)]),
    (Features(
        names=("`llama3` RoPE", "window of 4"), norms="F16",
        own=lambda s: {
            "rope_freqs.weight": make_models.llama3_factors(s.head_size, s.rope_base, 16),
            "attention.sliding_window": 4},
        config=lambda s: dict(model_type="mistral", architectures=["MistralForCausalLM"],
                              sliding_window=4, rope_scaling=LLAMA3)), [
        cm.Sizes(dim=44, heads=3, kv_heads=1, hidden=36, vocabulary=95, layers=3, head_size=20,
                 rope_base=1e5, context=600),
        cm.Sizes(dim=64, heads=3, kv_heads=1, hidden=128, vocabulary=97, layers=2, head_size=32,
                 context=600),
        cm.Sizes(dim=256, heads=4, kv_heads=1, hidden=256, vocabulary=99, layers=2,
                 head_size=128, context=600)]),
    (Features(
        names=("scales of embedding, residual, attention, logits", "partial rotary"),
        architecture="granite", in_folders=False,
        own=lambda s: {"embedding_scale": 3.0, "residual_scale": 0.4, "attention.scale": 0.11,
                       "logit_scale": 1.75, "rope.dimension_count": 6}), [
        cm.Sizes(dim=60, heads=6, kv_heads=3, hidden=52, vocabulary=107, layers=2, tied=True),
        cm.Sizes(dim=128, heads=4, kv_heads=2, hidden=64, vocabulary=109, layers=3, tied=True),
        cm.Sizes(dim=256, heads=8, kv_heads=4, hidden=256, vocabulary=111, layers=2,
                 tied=True)]),
    (Features(
        names=("Qwen2", "window of 4 from layer 1 on"), architecture="qwen2", norms="BF16",
        own=lambda s: {"attention.sliding_window": 4, "attention.sliding_window_pattern":
                       [layer > 0 for layer in range(s.layers)]},
        config=lambda s: dict(model_type="qwen2", architectures=["Qwen2ForCausalLM"],
                              sliding_window=4, use_sliding_window=True, max_window_layers=1),
        biases=QKV), [
        cm.Sizes(dim=48, heads=4, kv_heads=1, hidden=44, vocabulary=113, layers=3, context=600),
        cm.Sizes(dim=96, heads=4, kv_heads=1, hidden=64, vocabulary=115, layers=2, context=600),
        cm.Sizes(dim=256, heads=4, kv_heads=1, hidden=512, vocabulary=117, layers=2,
                 context=600)]),
    (Features(
        names=("Qwen3", "YaRN", "window of 5 in layer 0"), architecture="qwen3", norms="F16",
        own=lambda s: {"rope.scaling.type": "yarn", "rope.scaling.factor": 4.0,
                       "rope.scaling.original_context_length": 16,
                       "attention.sliding_window": 5, "attention.sliding_window_pattern":
                       [layer == 0 for layer in range(s.layers)]},
        config=lambda s: dict(
            model_type="qwen3", architectures=["Qwen3ForCausalLM"], use_sliding_window=True,
            sliding_window=5, rope_scaling={"rope_type": "yarn", "factor": 4.0,
                                            "original_max_position_embeddings": 16},
            layer_types=["sliding_attention"] + ["full_attention"] * (s.layers - 1)),
        head_norms=True), [
        cm.Sizes(dim=52, heads=4, kv_heads=2, hidden=60, vocabulary=119, layers=2, head_size=18,
                 tied=True, rope_base=1e6, context=600),
        cm.Sizes(dim=96, heads=8, kv_heads=2, hidden=96, vocabulary=121, layers=2, head_size=16,
                 tied=True, context=600),
        cm.Sizes(dim=256, heads=4, kv_heads=2, hidden=256, vocabulary=123, layers=2,
                 head_size=128, tied=True, context=600)]),
]


@dataclasses.dataclass(frozen=True)
class Row:
    features: Features
    formats: tuple
    sizes: cm.Sizes
    family: int
    kind: int  # of formats

    def containers(self):
        """Those that can hold such a model."""
        folders = FOLDERS if self.features.in_folders and self.kind == 0 else ()
        return GGUF + folders + (LLAMA2C if self.formats == ("F32",) else ())

    def proved(self):
        """Those without --all: of GGUF's three one, in a Latin square of families and kinds
        of formats; no other model where llama2.c has the row."""
        others = [c for c in self.containers() if c not in GGUF]
        if LLAMA2C[0] in others:
            return LLAMA2C
        return (GGUF[(self.kind - self.family) % 3], *others)

    def names(self):
        """Its features, those of the shape too."""
        s = self.sizes
        heads = {s.heads: "MHA", 1: "MQA"}.get(s.kv_heads, "GQA")
        wide = ("heads wider than dim / heads",) if s.head_size * s.heads != s.dim else ()
        return (*self.features.names, heads, "tied" if s.tied else "untied", *wide)

    def name(self):
        return f"{', '.join(self.names())}, {' '.join(self.formats)}"

    def shape(self):
        s = self.sizes
        return (f"{s.layers} layers of {s.dim}, {s.heads} heads of {s.head_size} over "
                f"{s.kv_heads}, hidden {s.hidden}, vocabulary {s.vocabulary}")

    def form_of(self, name):
        """Which of the formats a matrix has; another one in each family."""
        part = name.removesuffix(".weight")
        if part.startswith("model.layers."):
            part = part.split(".", 3)[3]
        return self.formats[(MATRICES.index(part) + self.family) % len(self.formats)]


ROWS = [Row(features, formats, sizes, family, kind)
        for family, (features, shapes) in enumerate(FAMILIES)
        for kind, (formats, sizes) in enumerate(zip((PLAIN, BLOCKS, SUPERBLOCKS), shapes))]
# As llama2.c has them: eps and RoPE base are constants.
ROWS += [Row(FAMILIES[0][0], ("F32",), sizes, 0, 0) for sizes in (
    cm.Sizes(dim=48, heads=4, kv_heads=1, hidden=72, vocabulary=97, layers=3),
    cm.Sizes(dim=32, heads=4, kv_heads=4, hidden=56, vocabulary=99, layers=2, tied=True))]


def pairs_of(row, containers):
    """Of what is proved together: two of container, format and feature."""
    formats, names = row.formats, row.names()
    return {*itertools.product(containers, formats), *itertools.product(containers, names),
            *itertools.product(formats, names)}


def missing_pairs():
    """The pairs of valid cells that no model has without --all."""
    every = set().union(*(pairs_of(row, row.containers()) for row in ROWS))
    return every.difference(*(pairs_of(row, row.proved()) for row in ROWS))


def table():
    """Lines of the table: x for a model that each run of the suite makes, (x) for one of
    --all."""
    head = ["features", "formats", "shape", *CONTAINERS]
    lines = ["| " + " | ".join(head) + " |", "| " + " | ".join(["---"] * len(head)) + " |"]
    for row in ROWS:
        marks = ["x" if c in row.proved() else "(x)" if c in row.containers() else ""
                 for c in CONTAINERS]
        lines.append("| " + " | ".join([", ".join(row.names()), " ".join(row.formats),
                                        row.shape(), *marks]) + " |")
    return lines


def write(row, container, folder):
    """(path, reference); the weights of a row are the same in all containers."""
    f, s = row.features, row.sizes
    weights = cm.draw(s, SEED)
    cm.add_weights(weights, s, SEED, f.biases, f.head_norms)
    own = f.own(s)
    if container in LLAMA2C:
        version, path = int(container[-1]), folder / "m.bin"
        path.write_bytes(cm.llama2c_bytes(s, weights, version))
        return path, cm.Plain(s, cm.read_llama2c(path.read_bytes(), version))
    if container in FOLDERS:
        path = cm.write_folder(folder / "model", s, weights, row.form_of, f.norms,
                               shards=1 if container == "folder" else 3, **f.config(s))
        tensors = {key: own[key] for key in own if key == "rope_freqs.weight"}
        return path, cm.Plain(s, cm.by_gguf_name(s, cm.read_folder(path)) | tensors, own)
    paths = cm.write_gguf(folder / "m.gguf", s, weights, row.form_of, f.norms,
                          version=2 if container == "GGUF 2" else 3,
                          split=5 if container == "GGUF split" else 0,
                          architecture=f.architecture, own=own)
    return paths[0], cm.Plain(s, cm.read_gguf(paths), own,
                              f.architecture in llama_reference.HALF_SPLIT)
