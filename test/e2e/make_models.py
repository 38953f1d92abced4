"""Writes 27 small random Llama checkpoints from a seed.

Input: a seed and a folder; output: `m00.gguf` to `m26.gguf` and `models.json`,
which says what each one is. They cover what one real checkpoint cannot: every
attention kind, every weight format, sizes that are multiples of nothing, tied
and untied heads, layers whose formats alternate irregularly. A file of its own
because other tests want such models too, not only test_exact.

The scale of the weights keeps the models honest: logits of order 1 to 10, and
attention that neither ignores its scores nor puts all on one key. What a seed
may vary (sizes, values, formats of irregular layers) is drawn; what a model is
for (its row in RECIPES) is not.
"""

import argparse
import json
import os

import gguf
import numpy as np

Type = gguf.GGMLQuantizationType

# The row of a format must be a multiple of this; where it is not, the tensor is
# F16, as llama.cpp's quantiser does.
BLOCK = {"F32": 1, "F16": 1, "BF16": 1, "Q8_0": 32, "Q4_0": 32, "Q4_1": 32,
         "Q5_0": 32, "Q5_1": 32, "Q2_K": 256, "Q3_K": 256, "Q4_K": 256,
         "Q5_K": 256, "Q6_K": 256, "IQ4_NL": 32, "IQ4_XS": 256, "MXFP4": 32}

# `formats`: all layers draw from it, a tensor at a time where `irregular`, else
# one layer like the other and the first format everywhere. `multiple`: what dim
# and hidden size are multiples of, so that rows hold whole blocks (1: of
# nothing). `wide`: heads * head size is not dim (attention.key_length).
RECIPES = [
    dict(attention="MHA", formats=["F32"], head="untied"),
    dict(attention="MQA", formats=["F16"], head="tied"),
    dict(attention="GQA", formats=["BF16"], head="untied"),
    dict(attention="GQA", formats=["Q8_0"], head="tied", multiple=32),
    dict(attention="MHA", formats=["Q4_0"], head="untied", multiple=32),
    dict(attention="GQA", formats=["Q4_1"], head="tied", multiple=32,
         embedding="Q8_0"),
    dict(attention="GQA", formats=["Q6_K"], head="untied", multiple=256),
    dict(attention="MQA", formats=["Q4_0"], head="untied", multiple=256,
         output="Q6_K"),
    dict(attention="GQA", formats=["Q4_0", "Q6_K", "Q8_0"], head="tied",
         multiple=256, irregular=True),
    dict(attention="MHA", formats=["F32", "F16", "BF16", "Q8_0", "Q4_0", "Q4_1"],
         head="untied", multiple=32, irregular=True),
    dict(attention="MQA", formats=["Q4_0", "Q8_0"], head="tied", irregular=True),
    dict(attention="GQA", formats=["Q4_1", "Q4_0"], head="untied", multiple=32,
         irregular=True, wide=True),
    # Kinds of attention, formats and heads met in other pairs than above.
    dict(attention="MHA", formats=["F16"], head="untied"),
    dict(attention="GQA", formats=["F32"], head="tied"),
    dict(attention="MQA", formats=["BF16"], head="tied"),
    dict(attention="MHA", formats=["Q8_0"], head="untied", multiple=32),
    dict(attention="MQA", formats=["Q4_1"], head="untied", multiple=32),
    dict(attention="GQA", formats=["Q4_0"], head="tied", multiple=32),
    dict(attention="MHA", formats=["Q6_K"], head="tied", multiple=256),
    dict(attention="MQA", formats=["Q8_0"], head="untied", multiple=32,
         embedding="Q4_0", output="F16"),
    dict(attention="GQA", formats=["F16", "BF16", "F32"], head="untied",
         irregular=True),
    dict(attention="MQA", formats=["Q6_K", "Q4_1"], head="tied", multiple=256,
         irregular=True),
    dict(attention="MHA", formats=["Q4_1", "Q8_0"], head="untied", multiple=32,
         irregular=True, wide=True),
    dict(attention="GQA", formats=["Q8_0", "Q4_0"], head="tied", multiple=32,
         embedding="Q4_1", irregular=True, wide=True),
    dict(attention="GQA", formats=["Q5_0", "Q5_1", "Q4_0"], head="untied",
         multiple=32, irregular=True),
    dict(attention="GQA", formats=["Q2_K", "Q3_K", "Q4_K", "Q5_K"], head="tied",
         multiple=256, irregular=True, embedding="Q4_K"),
    dict(attention="GQA", formats=["IQ4_NL", "IQ4_XS", "MXFP4"], head="untied",
         multiple=256, irregular=True, embedding="IQ4_NL", output="MXFP4"),
]
# What slow tests take: each format, kind of attention and kind of head is in it.
FEW = [*range(12), 24, 25, 26]

# Between them each format of blocks.
QUANTISED = [6, 9, 24, 25, 26]

# Blocks that `gguf` cannot quantise to: bytes, the byte of d, that of dmin or
# none, the mean of a quant and the deviation of a value where d is 1 and all
# other bits are random, as the formulas of llama.cpp give them. dmin is d times
# that mean, so that values have none.
RANDOM_BLOCKS = {"Q2_K": (84, 80, 82, 1.5, 13.9), "Q3_K": (110, 108, None, 0, 43.3),
                 "Q4_K": (144, 0, 2, 7.5, 258), "Q5_K": (176, 0, 2, 15.5, 527),
                 "IQ4_NL": (18, 0, None, 0, 67.4), "IQ4_XS": (136, 0, None, 0, 1247)}


def pack(values, form):
    """The bytes of a matrix in a format, and what to tell GGUFWriter."""
    if form == "F32":
        return values.astype(np.float32), Type.F32
    if form == "F16":
        return values.astype(np.float16), Type.F16
    return gguf.quants.quantize(values.astype(np.float32), Type[form]), Type[form]


def random_q6_k(rng, rows, columns, deviation):
    """Random valid superblocks: every bit pattern of quants and scales occurs.

    `gguf` cannot quantise to Q6_K. Quants are uniform in [-32, 31] (deviation
    18.5) and sub-scales in [-128, 127] (73.9), so d brings the product to the
    wanted deviation.
    """
    blocks = rows * columns // 256
    quants = rng.integers(0, 256, (blocks, 192), dtype=np.uint8)
    scales = rng.integers(0, 256, (blocks, 16), dtype=np.uint8)
    d = deviation / (18.5 * 73.9) * rng.uniform(0.7, 1.3, (blocks, 1))
    halves = d.astype(np.float16).view(np.uint8).reshape(blocks, 2)
    data = np.concatenate([quants, scales, halves], axis=1)
    return data.reshape(rows, columns // 256 * 210), Type.Q6_K


def random_matrix(rng, rows, columns, deviation, form):
    """Random blocks of such a format: every bit pattern but of d and dmin occurs."""
    if form == "Q6_K":
        return random_q6_k(rng, rows, columns, deviation)
    size, at, minimum, mean, spread = RANDOM_BLOCKS[form]
    blocks = columns // BLOCK[form]
    data = rng.integers(0, 256, (rows * blocks, size), dtype=np.uint8)
    d = deviation / spread * rng.uniform(0.7, 1.3, (len(data), 1))
    for place, factor in [(at, 1), (minimum, mean)]:
        if place is not None:
            half = (factor * d).astype(np.float16).view(np.uint8)
            data[:, place:place + 2] = half.reshape(-1, 2)
    return data.reshape(rows, blocks * size), Type[form]


def encode(rng, values, form):
    """As `pack`; of a format that `gguf` cannot quantise to, random blocks whose values
    deviate as much."""
    if form in RANDOM_BLOCKS or form == "Q6_K":
        return random_matrix(rng, *values.shape, values.std(), form)
    return pack(values, form)


def llama3_factors(head_size, base, original):
    """What the frequencies of a `llama3` scaling by 8 from `original` positions are divided
    by, as llama.cpp's converter writes them for Llama 3.1: 1 where a pair turns 4 times in
    them, 8 where less than once, smooth between."""
    turns = original * base ** (-np.arange(0, head_size, 2) / head_size) / (2 * np.pi)
    share = np.clip((turns - 1) / (4 - 1), 0, 1)
    return (1 / (share + (1 - share) / 8)).astype(np.float32)


def draw_shape(rng, recipe):
    """Sizes for a recipe: its own, or by rejection: every choice is a legal model."""
    if "sizes" in recipe:
        return dict(recipe["sizes"])
    multiple = recipe.get("multiple", 1)
    while True:
        kv_heads = {"MQA": 1}.get(recipe["attention"], int(rng.integers(2, 5)))
        group = 1 if recipe["attention"] == "MHA" else int(rng.integers(2, 5))
        heads = kv_heads * group
        head_size = 2 * int(rng.integers(5, 33))
        if recipe.get("wide"):
            dim = multiple * int(rng.integers(3, 9))
            if heads * head_size == dim or heads * head_size > 512:
                continue
        else:
            dim = heads * head_size
        odd = multiple == 1
        if dim % multiple or dim < 48 or dim > 512 or (odd and dim % 16 == 0):
            continue
        hidden = multiple * int(rng.integers(2, 16))
        if odd:
            hidden = int(rng.integers(dim, 3 * dim)) | 1
            # Rows of whole blocks beside rows that hold none: ffn_down keeps
            # the format that the tensors around it lose.
            if BLOCK[recipe["formats"][0]] > 1:
                hidden = 32 * int(rng.integers(3, 8))
        if not dim // 2 <= hidden <= 1024:
            continue
        vocabulary = int(rng.integers(90, 600)) | 1
        return dict(kv_heads=kv_heads, heads=heads, head_size=head_size, dim=dim,
                    hidden=hidden, vocabulary=vocabulary,
                    layers=int(rng.integers(4, 6) if recipe.get("irregular")
                               else rng.integers(2, 4)),
                    rope_base=float(rng.choice([1e4, 1e5, 5e5])),
                    eps=float(rng.choice([1e-5, 1e-6])))


def tensors(sizes, tied=False):
    """(name, rows, columns) of each, in the order of a file; rows None: a norm."""
    s = sizes
    queries, keys = s["heads"] * s["head_size"], s["kv_heads"] * s["head_size"]
    yield "token_embd.weight", s["vocabulary"], s["dim"]
    for layer in range(s["layers"]):
        for name, rows, columns in (
                ("attn_norm", None, s["dim"]), ("attn_q", queries, s["dim"]),
                ("attn_k", keys, s["dim"]), ("attn_v", keys, s["dim"]),
                ("attn_output", s["dim"], queries), ("ffn_norm", None, s["dim"]),
                ("ffn_gate", s["hidden"], s["dim"]), ("ffn_up", s["hidden"], s["dim"]),
                ("ffn_down", s["dim"], s["hidden"])):
            yield f"blk.{layer}.{name}.weight", rows, columns
    yield "output_norm.weight", None, s["dim"]
    if not tied:
        yield "output.weight", s["vocabulary"], s["dim"]


def add_sizes(writer, sizes, context, turned=None):
    """The keys of these sizes, those of heads where these are not dim / heads; `turned`:
    columns of a head that turn, where not all do."""
    w, s = writer, sizes
    w.add_context_length(context)
    w.add_embedding_length(s["dim"])
    w.add_block_count(s["layers"])
    w.add_feed_forward_length(s["hidden"])
    w.add_head_count(s["heads"])
    w.add_head_count_kv(s["kv_heads"])
    w.add_layer_norm_rms_eps(s.get("eps", 1e-5))
    w.add_rope_freq_base(s.get("rope_base", 1e4))
    w.add_rope_dimension_count(turned or s["head_size"])
    if s["heads"] * s["head_size"] != s["dim"]:
        w.add_key_length(s["head_size"])
        w.add_value_length(s["head_size"])
    w.add_vocab_size(s["vocabulary"])


# A normed row has deviation 1, so a weight of deviation a / sqrt(columns) gives values of
# deviation a, which is here: queries and keys 1.2 (scores of deviation 1.4), logits 1.8
# (the largest of some hundred: 4 to 8). The branches add about 1 each to the stream.
DEVIATIONS = {"attn_q": 1.2, "attn_k": 1.2, "attn_v": 1.2, "attn_output": 1.5,
              "ffn_gate": 1.5, "ffn_up": 1.2, "ffn_down": 1.2, "output": 1.8,
              "token_embd": 1.8}  # where it is the head


def write_model(path, seed, index, architecture="llama", extra=None, quantiser=None,
                recipe=None, turned=None):
    """Writes one model; `extra(writer, sizes)` may add keys and tensors to it,
    which is how tests make checkpoints that have to be refused. `quantiser(values,
    format)`, where given, makes the blocks, and none are of random bits. `recipe`
    stands for that of `index`; `turned(head size)` columns of a head turn."""
    recipe = recipe or RECIPES[index]
    rng = np.random.default_rng([seed, index])
    s = draw_shape(rng, recipe)
    tied = recipe["head"] == "tied"
    used = {}

    w = gguf.GGUFWriter(path, architecture)
    w.add_name(f"random model {index} of seed {seed}")
    add_sizes(w, s, 1024, turned and turned(s["head_size"]))

    def matrix(name, part, rows, columns):
        deviation = DEVIATIONS[part] / np.sqrt(columns)
        if part == "token_embd" and not tied:
            deviation = 0.8
        form = {"token_embd": recipe.get("embedding"), "output": recipe.get("output")}.get(part)
        form = form or (rng.choice(recipe["formats"]) if recipe.get("irregular")
                        else recipe["formats"][0])
        if columns % BLOCK[form]:
            form = "F16"
        if quantiser and BLOCK[form] > 1:
            data, kind = quantiser(deviation * rng.standard_normal((rows, columns)), form)
        elif form in RANDOM_BLOCKS or form == "Q6_K":
            data, kind = random_matrix(rng, rows, columns, deviation, form)
        else:
            data, kind = pack(deviation * rng.standard_normal((rows, columns)), form)
        w.add_tensor(name, data, raw_dtype=kind)
        used[name] = str(form)

    for name, rows, columns in tensors(s, tied):
        if rows:
            matrix(name, name.split(".")[-2], rows, columns)
        else:
            w.add_tensor(name, rng.uniform(0.6, 1.4, columns).astype(np.float32))
    if extra:
        extra(w, s)
    w.write_header_to_file()
    w.write_kv_data_to_file()
    w.write_tensors_to_file()
    w.close()
    return dict(file=os.path.basename(path), attention=recipe["attention"],
                head=recipe["head"], formats=sorted(set(used.values())), **s,
                tensors=used)


def write_shapes(path, sizes, form):
    """Writes a checkpoint of these sizes whose weights are a hole in the file: code
    does not depend on their values, and 8 GB of zeros take no time this way."""
    w = gguf.GGUFWriter(path, "llama")
    add_sizes(w, sizes | dict(rope_base=5e5), context=8192)
    total = 0
    for name, rows, columns in tensors(sizes):
        kind = Type[form] if rows else Type.F32
        block, block_bytes = gguf.GGML_QUANT_SIZES[kind]
        shape = (rows, columns) if rows else (columns,)
        size = int(np.prod(shape)) // block * block_bytes
        w.add_tensor_info(name, shape, np.dtype("float32"), size, kind)
        total += -(-size // 32) * 32  # each begins at a multiple of 32 bytes
    w.write_header_to_file()
    w.write_kv_data_to_file()
    w.write_ti_data_to_file()
    w.close()
    header = -(-os.path.getsize(path) // 32) * 32
    os.truncate(path, header + total)


def write_all(folder, seed, only=FEW, quantiser=None):
    """Writes the models of `only` and models.json; [(path, what)]."""
    os.makedirs(folder, exist_ok=True)
    made = []
    for index in only:
        path = os.path.join(folder, f"m{index:02d}.gguf")
        made.append((path, write_model(path, seed, index,
                                       quantiser=quantiser)))
    with open(os.path.join(folder, "models.json"), "w") as f:
        json.dump([what for _, what in made], f, indent=1)
    return made


def main():
    p = argparse.ArgumentParser(description="write 27 small random models")
    p.add_argument("folder")
    p.add_argument("--seed", type=int, default=1)
    a = p.parse_args()
    for path, what in write_all(a.folder, a.seed, range(len(RECIPES))):
        print(f"{path}: {what['attention']} {what['heads']}/{what['kv_heads']} x "
              f"{what['head_size']}, dim {what['dim']}, hidden {what['hidden']}, "
              f"vocabulary {what['vocabulary']}, {what['layers']} layers, "
              f"{what['head']}, {' '.join(what['formats'])}")


if __name__ == "__main__":
    main()
