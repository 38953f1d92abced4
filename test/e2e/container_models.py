"""Small random Llamas in every container that corellama reads, from one set of weights.

Input: a seed and sizes; output: GGUF files (whole and split), Hugging Face folders and
files of llama2.c with the same numbers, and the logits that they mean. GGUF is written by
PyPI's `gguf`, the rest here, field by field from the formats' descriptions; what the
reference computes from is read back by other code: PyPI's `gguf` and `safetensors`, and
for llama2.c a reader that follows run.c. A file of its own because it knows formats, and
test_containers.py what must hold of them.
"""

import dataclasses
import json
import struct

import gguf
import numpy as np
import safetensors

import llama_reference
import make_models


@dataclasses.dataclass
class Sizes:
    dim: int
    heads: int
    kv_heads: int
    hidden: int
    vocabulary: int
    layers: int
    head_size: int = 0  # 0: dim / heads
    tied: bool = False
    rope_base: float = 10000.0
    eps: float = 1e-5
    context: int = 64

    def __post_init__(self):
        self.head_size = self.head_size or self.dim // self.heads


def draw(sizes, seed):
    """Float32 weights by Hugging Face's names, heads half-split as it has them."""
    r, s = np.random.default_rng(seed), sizes

    def matrix(rows, columns, deviation):
        return (deviation * r.standard_normal((rows, columns))).astype(np.float32)

    def norm():
        return r.uniform(0.6, 1.4, s.dim).astype(np.float32)
    queries, keys = s.heads * s.head_size, s.kv_heads * s.head_size
    logit = 1.8 / np.sqrt(s.dim)  # as make_models.py says
    w = {"model.embed_tokens.weight": matrix(s.vocabulary, s.dim, logit if s.tied else 0.8)}
    for i in range(s.layers):
        b = f"model.layers.{i}."
        w[b + "input_layernorm.weight"] = norm()
        w[b + "self_attn.q_proj.weight"] = matrix(queries, s.dim, 1.2 / np.sqrt(s.dim))
        w[b + "self_attn.k_proj.weight"] = matrix(keys, s.dim, 1.2 / np.sqrt(s.dim))
        w[b + "self_attn.v_proj.weight"] = matrix(keys, s.dim, 1.2 / np.sqrt(s.dim))
        w[b + "self_attn.o_proj.weight"] = matrix(s.dim, queries, 1.5 / np.sqrt(queries))
        w[b + "post_attention_layernorm.weight"] = norm()
        w[b + "mlp.gate_proj.weight"] = matrix(s.hidden, s.dim, 1.5 / np.sqrt(s.dim))
        w[b + "mlp.up_proj.weight"] = matrix(s.hidden, s.dim, 1.2 / np.sqrt(s.dim))
        w[b + "mlp.down_proj.weight"] = matrix(s.dim, s.hidden, 1.2 / np.sqrt(s.hidden))
    w["model.norm.weight"] = norm()
    if not s.tied:
        w["lm_head.weight"] = matrix(s.vocabulary, s.dim, logit)
    return w


def add_weights(weights, sizes, seed, biases, head_norms):
    """Biases of the products whose names end so, and norms of queries and keys."""
    r = np.random.default_rng(seed)
    for name in list(weights):
        part = name.removesuffix(".weight")
        if part.endswith(biases):
            weights[part + ".bias"] = (
                0.5 * r.standard_normal(len(weights[name]))).astype(np.float32)
        if head_norms and part.endswith(("q_proj", "k_proj")):
            weights[part[:-4] + "norm.weight"] = r.uniform(
                0.6, 1.4, sizes.head_size).astype(np.float32)


GGUF_NAMES = {"model.embed_tokens": "token_embd", "model.norm": "output_norm",
              "lm_head": "output", "input_layernorm": "attn_norm",
              "self_attn.q_proj": "attn_q", "self_attn.k_proj": "attn_k",
              "self_attn.v_proj": "attn_v", "self_attn.o_proj": "attn_output",
              "self_attn.q_norm": "attn_q_norm", "self_attn.k_norm": "attn_k_norm",
              "post_attention_layernorm": "ffn_norm", "mlp.gate_proj": "ffn_gate",
              "mlp.up_proj": "ffn_up", "mlp.down_proj": "ffn_down"}


def gguf_name(name):
    stem, kind = name.rsplit(".", 1)
    if not stem.startswith("model.layers."):
        return f"{GGUF_NAMES[stem]}.{kind}"
    layer, part = stem.removeprefix("model.layers.").split(".", 1)
    return f"blk.{layer}.{GGUF_NAMES[part]}.{kind}"


def pairs(name, values, sizes):
    """Rows of queries and keys with those that RoPE turns together side by side: what
    convert_hf_to_gguf.py and llama2.c's export.py do, each with reshape and transpose."""
    if not name.endswith(("q_proj.weight", "k_proj.weight", "q_proj.bias", "k_proj.bias",
                          "q_norm.weight", "k_norm.weight")):
        return values
    halves = values.reshape(-1, 2, sizes.head_size // 2, *values.shape[1:])
    return halves.swapaxes(1, 2).reshape(values.shape)


def stored(values, form):
    """The bytes of float32 values as F32, F16 or BF16, the last rounded to nearest even."""
    if form != "BF16":
        return values.astype({"F32": np.float32, "F16": np.float16}[form]).tobytes()
    return gguf.quants.quantize(values, gguf.GGMLQuantizationType.BF16).tobytes()


# ---------------------------------------------------------------------------------------
# Hugging Face
# ---------------------------------------------------------------------------------------

def safetensors_bytes(tensors, metadata=None):
    """A file of {name: (type, shape, bytes)}, by the README of huggingface/safetensors."""
    header, at = {"__metadata__": metadata} if metadata else {}, 0
    for name, (form, shape, data) in tensors.items():
        header[name] = {"dtype": form, "shape": list(shape), "data_offsets": [at, at + len(data)]}
        at += len(data)
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    return struct.pack("<Q", len(text)) + text + b"".join(d for _, _, d in tensors.values())


def config(sizes, **changes):
    s = sizes
    made = {"architectures": ["LlamaForCausalLM"], "model_type": "llama", "hidden_act": "silu",
            "attention_bias": False, "mlp_bias": False, "rope_scaling": None,
            "torch_dtype": "bfloat16", "use_cache": True, "pretraining_tp": 1,
            "hidden_size": s.dim, "intermediate_size": s.hidden, "head_dim": s.head_size,
            "num_attention_heads": s.heads, "num_key_value_heads": s.kv_heads,
            "num_hidden_layers": s.layers, "vocab_size": s.vocabulary, "rms_norm_eps": s.eps,
            "rope_theta": s.rope_base, "max_position_embeddings": s.context,
            "tie_word_embeddings": s.tied, "bos_token_id": 1, "eos_token_id": 2}
    made.update(changes)
    return {key: value for key, value in made.items() if value != "absent"}


def type_of(name, values, form, norms):
    """`form`: the type of matrices, or what has the type of each by its name."""
    if values.ndim == 1 and norms:
        return norms
    return form if isinstance(form, str) else form(name)


def write_folder(folder, sizes, weights, form="F32", norms=None, shards=1, extra=None,
                 **changes):
    """`form`: see type_of; `norms`: the type of vectors where another."""
    folder.mkdir(parents=True, exist_ok=True)
    tensors = {}
    for name, values in weights.items():
        own = type_of(name, values, form, norms)
        tensors[name] = (own, values.shape, stored(values, own))
    tensors.update(extra or {})
    (folder / "config.json").write_text(json.dumps(config(sizes, **changes), indent=2))
    if shards == 1:
        (folder / "model.safetensors").write_bytes(safetensors_bytes(tensors, {"format": "pt"}))
        return folder
    names = list(tensors)
    files = [f"model-{i + 1:05}-of-{shards:05}.safetensors" for i in range(shards)]
    # Dealt out, so that the weights of a layer lie in several files.
    where = {name: files[i % shards] for i, name in enumerate(names)}
    for file in files:
        (folder / file).write_bytes(safetensors_bytes(
            {n: tensors[n] for n in names if where[n] == file}))
    (folder / "model.safetensors.index.json").write_text(json.dumps(
        {"metadata": {"total_size": sum(len(t[2]) for t in tensors.values())},
         "weight_map": where}))
    return folder


def read_folder(folder):
    """Float32 weights by Hugging Face's names, as PyPI's `safetensors` finds their bytes."""
    weights = {}
    for path in sorted(folder.glob("*.safetensors")):
        for name, tensor in safetensors.deserialize(path.read_bytes()):
            data = bytes(tensor["data"])
            if tensor["dtype"] == "BF16":
                values = (np.frombuffer(data, np.uint16).astype(np.uint32) << 16).view(np.float32)
            else:
                values = np.frombuffer(data, {"F32": np.float32, "F16": np.float16}[
                    tensor["dtype"]]).astype(np.float32)
            weights[name] = values.reshape(tensor["shape"])
    return weights


# ---------------------------------------------------------------------------------------
# GGUF
# ---------------------------------------------------------------------------------------

def write_gguf(path, sizes, weights, form="F32", norms="F32", version=3, split=0,
               architecture="llama", own=()):
    """`form`: see type_of; `split`: the most tensors of a file; `own`: more keys of the
    architecture, and the tensor of RoPE's factors. Returns the paths, the first first."""
    rng = np.random.default_rng(len(weights))
    w = gguf.GGUFWriter(path, architecture, split_max_tensors=split)
    own = dict(own)
    make_models.add_sizes(w, dataclasses.asdict(sizes), sizes.context,
                          own.pop("rope.dimension_count", None))
    for key, value in own.items():
        if isinstance(value, np.ndarray):
            w.add_tensor(key, value)
            continue
        add = {str: w.add_string, int: w.add_uint32, float: w.add_float32, list: w.add_array}
        add[type(value)](f"{architecture}.{key}", value)
    for name, values in weights.items():
        if architecture not in llama_reference.HALF_SPLIT:
            values = pairs(name, values, sizes)
        data, kind = make_models.encode(rng, values, type_of(name, values, form, norms))
        w.add_tensor(gguf_name(name), data, raw_dtype=kind)
    w.write_header_to_file()
    w.write_kv_data_to_file()
    w.write_tensors_to_file()
    w.close()
    files = sorted(path.parent.glob(path.stem + "-*-of-*.gguf")) if split else [path]
    if version != 3:  # the same bytes but for the number
        data = bytearray(path.read_bytes())
        data[4:8] = struct.pack("<I", version)
        path.write_bytes(data)
    return files


def read_gguf(paths):
    """Float32 weights by GGUF's names."""
    return {t.name: gguf.quants.dequantize(t.data, t.tensor_type).reshape(
                [int(n) for n in reversed(t.shape)]).astype(np.float32)
            for path in paths for t in gguf.GGUFReader(path).tensors}


# ---------------------------------------------------------------------------------------
# llama2.c
# ---------------------------------------------------------------------------------------

# The weights of a layer in the order of export.py.
VERSION0 = ["input_layernorm", "self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj",
            "self_attn.o_proj", "post_attention_layernorm", "mlp.gate_proj", "mlp.down_proj",
            "mlp.up_proj"]
VERSION1 = ["self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj", "self_attn.o_proj",
            "mlp.gate_proj", "mlp.down_proj", "mlp.up_proj"]


def llama2c_bytes(sizes, weights, version, group=4):
    """Version 2 has matrices in int8, a float32 scale for each `group` numbers."""
    s = sizes

    def put(name):
        values = pairs(name, weights[name], sizes).astype("<f4")
        if version != 2 or values.ndim == 1:
            return values.tobytes()
        groups = values.reshape(-1, group)
        scales = np.abs(groups).max(axis=1, keepdims=True) / np.float32(127)
        return np.rint(groups / scales).astype(np.int8).tobytes() + scales.tobytes()

    def layers(part):
        return b"".join(put(f"model.layers.{i}.{part}.weight") for i in range(s.layers))
    embedding, norm = put("model.embed_tokens.weight"), put("model.norm.weight")
    head = b"" if s.tied else put("lm_head.weight")
    if version == 0:
        angles = (np.arange(s.context)[:, None]
                  / 1e4 ** (np.arange(0, s.head_size, 2) / s.head_size)).astype(np.float32)
        return (struct.pack("<7i", s.dim, s.hidden, s.layers, s.heads, s.kv_heads,
                            s.vocabulary if s.tied else -s.vocabulary, s.context)
                + embedding + b"".join(map(layers, VERSION0)) + norm
                + np.cos(angles).tobytes() + np.sin(angles).tobytes() + head)
    header = struct.pack("<Ii7iB", 0x616B3432, version, s.dim, s.hidden, s.layers, s.heads,
                         s.kv_heads, s.vocabulary, s.context, s.tied)
    header += struct.pack("<i", group) if version == 2 else b""
    return (header.ljust(256, b"\0") + layers("input_layernorm")
            + layers("post_attention_layernorm") + norm + embedding
            + b"".join(map(layers, VERSION1)) + head)


def read_llama2c(data, version):
    """Float32 weights by GGUF's names, as run.c (version 0) or export.py (1) has them."""
    if version == 0:
        dim, hidden, layers, heads, kv, vocabulary, context = struct.unpack("<7i", data[:28])
        tied, vocabulary, at = vocabulary > 0, abs(vocabulary), 28
    else:
        dim, hidden, layers, heads, kv, vocabulary, context, tied = struct.unpack(
            "<7iB", data[8:37])
        at = 256
    keys = dim // heads * kv
    weights = {}

    def take(name, *shape):
        nonlocal at
        count = int(np.prod(shape))
        weights[name] = np.frombuffer(data, "<f4", count, at).reshape(shape)
        at += 4 * count

    def each(part, *shape):
        for i in range(layers):
            take(f"blk.{i}.{part}.weight", *shape)
    if version == 0:
        take("token_embd.weight", vocabulary, dim)
        each("attn_norm", dim)
    else:
        each("attn_norm", dim)
        each("ffn_norm", dim)
        take("output_norm.weight", dim)
        take("token_embd.weight", vocabulary, dim)
    each("attn_q", dim, dim)
    each("attn_k", keys, dim)
    each("attn_v", keys, dim)
    each("attn_output", dim, dim)
    if version == 0:
        each("ffn_norm", dim)
    each("ffn_gate", hidden, dim)
    each("ffn_down", dim, hidden)
    each("ffn_up", hidden, dim)
    if version == 0:
        take("output_norm.weight", dim)
        at += 4 * context * (dim // heads)
    if not tied:
        take("output.weight", vocabulary, dim)
    assert at == len(data), "a reader and a writer that agree"
    return weights


def tokenizer_bin(pieces):
    """As tokenizer.py writes it; `pieces` are (text, score), BOS and EOS at 1 and 2."""
    data = struct.pack("<I", max(len(text.encode()) for text, _ in pieces))
    for id, (text, score) in enumerate(pieces):
        text = {1: "\n<s>\n", 2: "\n</s>\n"}.get(id, text).replace("\u2581", " ").encode()
        data += struct.pack("<fI", score, len(text)) + text
    return data


# ---------------------------------------------------------------------------------------
# What they mean
# ---------------------------------------------------------------------------------------

class Plain(llama_reference.Model):
    """The reference on float32 weights by GGUF's names."""

    def __init__(self, sizes, weights, own=(), half_split=False):  # without a file
        """`own`: what a GGUF file would say of its features, by its keys. Rows of
        queries and keys are in pairs, or half-split."""
        vars(self).update(dataclasses.asdict(sizes))
        self.weights = self.tensors = weights
        self.own = dict(own)
        self.half_split = half_split
        self._read_features()

    def _own(self, key, default=None):
        return self.own.get(key, default)

    def weight(self, name):
        return self.weights[name]

    def rounding_of(self, name):
        return None


def by_gguf_name(sizes, weights):
    return {gguf_name(name): pairs(name, values, sizes) for name, values in weights.items()}


# Changes of a good config.json, and what the one line must say.
CONFIGS = [
    ("another architecture", dict(model_type="mamba"),
     "key 'model_type': is 'mamba', expected 'llama', 'mistral', 'qwen2' or 'qwen3'; give a "
     "checkpoint of one of these"),
    ("another class", dict(model_type="qwen2"),
     "key 'architectures': is 'LlamaForCausalLM', expected 'Qwen2ForCausalLM'"),
    ("RoPE scaling", dict(rope_scaling={"rope_type": "longrope", "factor": 8.0}),
     "key 'rope_scaling.rope_type': is 'longrope', expected 'default', 'linear', 'llama3' or "
     "'yarn'; give a checkpoint with one of them"),
    ("RoPE parameters", dict(rope_parameters={"rope_type": "yarn", "rope_theta": 1e4}),
     "key 'rope_parameters.factor': is missing, expected a finite number of at least 1"),
    ("turns of llama3", dict(rope_scaling={
        "rope_type": "llama3", "factor": 8.0, "low_freq_factor": 4.0, "high_freq_factor": 1.0,
        "original_max_position_embeddings": 16}),
     "key 'rope_scaling': is an object of 5 keys, expected a lower bound of turns below"),
    ("YaRN of DeepSeek", dict(rope_scaling={"type": "yarn", "factor": 8.0, "mscale": 0.7}),
     "key 'rope_scaling.mscale': is 0.7, expected none"),
    ("layers of another type and an activation, at once", dict(
        model_type="qwen3", architectures=["Qwen3ForCausalLM"],
        layer_types=["full_attention", "linear_attention"], hidden_act="gelu"),
     "key 'layer_types': is 'linear_attention', expected 'full_attention' or "
     "'sliding_attention'; give a checkpoint whose layers are of these types; also key "
     "'hidden_act': is 'gelu', expected 'silu'; give a checkpoint with SwiGLU"),
    ("a window of a layer, and none of the model", dict(
        model_type="qwen2", architectures=["Qwen2ForCausalLM"],
        layer_types=["full_attention", "sliding_attention"]),
     "key 'layer_types': is 'sliding_attention', expected 'full_attention'; the other keys "
     "ask for no window"),
    ("types of too few layers", dict(
        model_type="qwen2", architectures=["Qwen2ForCausalLM"],
        layer_types=["full_attention"]),
     "key 'layer_types': is an array of 1, expected a list of 2, one for each layer"),
    ("a Mistral whose layers differ", dict(
        model_type="mistral", architectures=["MistralForCausalLM"],
        layer_types=["full_attention", "sliding_attention"]),
     "key 'layer_types': is 'full_attention', expected 'sliding_attention'"),
    ("a bias that has no weights", dict(attention_bias=True),
     "tensor 'model.layers.0.self_attn.q_proj.bias': is not among the files' 21 tensors"),
    ("quantised weights", dict(quantization_config={"bits": 4}),
     "key 'quantization_config': is an object of 1 key, expected null"),
    ("code of its own", dict(auto_map={"AutoModel": "x.Y"}), "key 'auto_map'"),
    ("a size too large", dict(hidden_size=1 << 31), "key 'hidden_size': is 2147483648"),
    ("a missing size", dict(num_hidden_layers="absent"),
     "key 'num_hidden_layers': is missing, expected a whole number from 1 to 65535"),
    ("another size", dict(intermediate_size=81),
     "tensor 'model.layers.0.mlp.gate_proj.weight': is 80 x 48, expected 81 x 48 "
     "(intermediate_size x hidden_size)"),
]
