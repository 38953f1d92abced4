"""Random checkpoints of the family: a feature each, and the architectures that have them.

Input: a seed and a folder; output: a GGUF file for each row of FEATURES. A file of its
own because test_family needs them, and docs/checkpoints.md has a row for each. Shapes
are drawn as make_models draws them, so that no two models are alike; what a feature
needs is added here: keys, and tensors whose values matter (a bias of deviation 0.5, a
norm's weights from 0.6 to 1.4).
"""

import os

import numpy as np

import make_models

# The original context of scaled models: short, so that at the positions of a test
# pairs of every kind (scaled, in part, not) have turned far.
ORIGINAL = 64


def scaled(kind, factor):
    def extra(w, sizes):
        a = w.arch
        w.add_string(f"{a}.rope.scaling.type", kind)
        w.add_float32(f"{a}.rope.scaling.factor", factor)
        w.add_uint32(f"{a}.rope.scaling.original_context_length", ORIGINAL)
    return extra


def rope_freqs(w, sizes):
    w.add_tensor("rope_freqs.weight", make_models.llama3_factors(
        sizes["head_size"], sizes["rope_base"], ORIGINAL))


def biases(*names):
    """A bias for each of these products, in each layer."""
    def extra(w, s):
        rows = {"attn_q": s["heads"] * s["head_size"], "attn_output": s["dim"],
                "attn_k": s["kv_heads"] * s["head_size"],
                "attn_v": s["kv_heads"] * s["head_size"], "ffn_gate": s["hidden"],
                "ffn_up": s["hidden"], "ffn_down": s["dim"]}
        rng = np.random.default_rng(len(names))
        for layer in range(s["layers"]):
            for name in names:
                w.add_tensor(f"blk.{layer}.{name}.bias",
                             (0.5 * rng.standard_normal(rows[name])).astype(np.float32))
    return extra


def head_norms(w, sizes):
    rng = np.random.default_rng(3)
    for layer in range(sizes["layers"]):
        for name in ("attn_q_norm", "attn_k_norm"):
            w.add_tensor(f"blk.{layer}.{name}.weight",
                         rng.uniform(0.6, 1.4, sizes["head_size"]).astype(np.float32))


def scales(w, sizes):
    """Unlike Granite's own, none is near 1: each has to be in its place."""
    a = w.arch
    w.add_float32(f"{a}.embedding_scale", 3.0)
    w.add_float32(f"{a}.residual_scale", 0.4)
    w.add_float32(f"{a}.attention.scale", 0.11)
    w.add_float32(f"{a}.logit_scale", 1.75)


def window(size):
    def extra(w, sizes):
        w.add_uint32(f"{w.arch}.attention.sliding_window", size)
    return extra


def every_other(size):
    """From layer 0 on, a flag for each."""
    def extra(w, sizes):
        window(size)(w, sizes)
        w.add_array(f"{w.arch}.attention.sliding_window_pattern",
                    [layer % 2 == 0 for layer in range(sizes["layers"])])
    return extra


def both(*parts):
    def extra(w, sizes):
        for part in parts:
            part(w, sizes)
    return extra


QKV = ("attn_q", "attn_k", "attn_v")

# name (that of the table in docs/checkpoints.md) -> architecture, recipe of make_models,
# what it adds. `turned`: columns of a head that turn. `ids`: of the longest prompt, where
# a usual one shows nothing. `rows`: the forms, where they decide how much a layer keeps.
# `rounded`: what a CPU's defaults round rows to, compared where `often` or with --all.
# `agrees`: llama.cpp knows it. `gpu`: the kernels of a GPU have code for it. `phases`:
# where its compilation is entered again without --all.
FEATURES = {
    "RoPE, linear": dict(recipe=dict(attention="GQA", formats=["F32"], head="tied"),
                         extra=scaled("linear", 4.0)),
    "RoPE, YaRN": dict(recipe=dict(attention="GQA", formats=["Q8_0"], head="untied",
                                   multiple=32), extra=scaled("yarn", 8.0),
                      rounded="q8", agrees=True),
    "RoPE, factors of `rope_freqs`": dict(
        recipe=dict(attention="MQA", formats=["F16"], head="untied"), extra=rope_freqs,
        phases=["import", "schedule"], agrees=True),
    "partial rotary": dict(
        recipe=dict(attention="GQA", formats=["BF16"], head="tied"),
        turned=lambda size: max(2, size // 4 * 2), rounded="bf16", often=True),
    "biases of q, k, v, o and of the feed-forward part": dict(
        recipe=dict(attention="MHA", formats=["Q4_0"], head="tied", multiple=32),
        extra=biases(*QKV, "attn_output", "ffn_gate", "ffn_up", "ffn_down"), gpu=True,
        rounded="q8"),
    "scales of embedding, residual, attention, logits": dict(
        architecture="granite",
        recipe=dict(attention="GQA", formats=["F32"], head="tied"), extra=scales,
        agrees=True),
    # Rows of one tile see keys of one block, of two, or of none but their own.
    "sliding window of 19": dict(
        recipe=dict(attention="GQA", formats=["F32"], head="untied"), extra=window(19),
        ids=600, rows="1,8,64", gpu=True),
    "sliding window of 270": dict(
        recipe=dict(attention="MQA", formats=["F16"], head="tied"), extra=window(270),
        ids=600, phases=["fuse"]),
    "Qwen2": dict(architecture="qwen2",
                  recipe=dict(attention="GQA", formats=["Q4_1", "Q8_0"], head="tied",
                              multiple=32, irregular=True),
                  extra=biases(*QKV), rounded="q8", often=True, agrees=True),
    "Qwen3": dict(architecture="qwen3",
                  recipe=dict(attention="GQA", formats=["Q8_0"], head="tied",
                              multiple=32, wide=True),
                  extra=both(head_norms, scaled("yarn", 4.0)), gpu=True,
                  phases=["tile"], rounded="q8", often=True, agrees=True),
    "sliding window of 31 in every other layer": dict(
        recipe=dict(attention="GQA", formats=["F32"], head="untied"),
        extra=every_other(31), ids=600, rows="1,16", phases=["specialize", "plan", "tile"],
        gpu=True),
}


def no_tokenizer(w, sizes):
    """llama.cpp wants to be told that there is none."""
    w.add_tokenizer_model("none")


def write(path, seed, name, without=False, more=None):
    """Writes the model of a feature, or the same model without it, or with `more`; what
    it is."""
    row = {"recipe": FEATURES[name]["recipe"]} if without else FEATURES[name]
    extra = row.get("extra")
    return make_models.write_model(path, seed, list(FEATURES).index(name) + 100,
                                   architecture=row.get("architecture", "llama"),
                                   recipe=row["recipe"],
                                   extra=both(extra, more) if more else extra,
                                   turned=row.get("turned"))


def write_all(folder, seed):
    """[(path, feature, what)], for all of them."""
    os.makedirs(folder, exist_ok=True)
    made = []
    for i, name in enumerate(FEATURES):
        path = os.path.join(folder, f"f{i:02d}.gguf")
        made.append((path, name, write(path, seed, name)))
    return made
