"""A Llama model evaluated in float64 by numpy: the oracle of test_exact.

Input: a GGUF file, read and dequantised by the PyPI package `gguf`, and token
ids; output: float64 logits [ids, vocabulary], row i being what follows id i.
It is the independent meaning of a checkpoint: no line is shared with the
compiler, the evaluator or the runtime, and the only float32 rounding is the one
of `gguf` when it dequantises a weight.

`activations` are the compiler's: with q8, rows that a quantised weight multiplies are
rounded to 8 bits in blocks of 32 first, as docs/bits.md has it; with bf16 also those that
a BF16 weight of an even number of columns multiplies, to bf16.
"""

import argparse
import sys

import gguf
import numpy as np

# float64 copies of a weight exist for this many elements at a time (64 MiB).
BLOCK_ELEMENTS = 8 << 20
# Dequantised weights are kept between calls while they fit into this.
KEPT_BYTES = 1 << 30


# Formats whose rows stay as they are.
PLAIN = {gguf.GGMLQuantizationType.F32, gguf.GGMLQuantizationType.F16,
         gguf.GGMLQuantizationType.BF16}


def round_rows(x):
    """float64 rows rounded to q8b32: each step is one of float32."""
    blocks = x.astype(np.float32).reshape(x.shape[0], -1, 32)
    largest = np.abs(blocks).max(axis=2, keepdims=True)
    usual = largest >= np.float32(2.0 ** -119)
    largest = np.where(usual, largest, np.float32(127))
    # rint takes halves to the even integer.
    quants = np.rint(blocks * (np.float32(127) / largest)) * usual
    scale = largest / np.float32(127)
    return (quants.astype(np.float64) * scale.astype(np.float64)).reshape(x.shape)


def round_to_bf16(x):
    """float64 to the nearest bf16 by way of float32, halves to the even one."""
    bits = x.astype(np.float32).view(np.uint32)
    bits = (bits + 0x7fff + (bits >> 16 & 1)) & np.uint32(0xffff0000)
    return bits.view(np.float32).astype(np.float64)


class Model:
    def __init__(self, path, activations="f32", noise=0.0):
        """`noise` is a relative error of each row before it is rounded: with it the
        model shows what errors of float32 become where values are rounded."""
        self.activations, self.noise = activations, noise
        self._random = np.random.default_rng(1)
        self.reader = gguf.GGUFReader(path)
        self.tensors = {t.name: t for t in self.reader.tensors}
        self.layers = self._number("llama.block_count")
        self.dim = self._number("llama.embedding_length")
        self.context = self._number("llama.context_length")
        self.heads = self._number("llama.attention.head_count")
        self.kv_heads = self._number("llama.attention.head_count_kv", self.heads)
        self.head_size = self._number("llama.attention.key_length",
                                      self.dim // self.heads)
        self.eps = float(self._number("llama.attention.layer_norm_rms_epsilon"))
        self.rope_base = float(self._number("llama.rope.freq_base", 10000.0))
        self.vocabulary = int(self.tensors["token_embd.weight"].shape[1])
        self.tied = "output.weight" not in self.tensors
        self._kept = {}
        self._kept_bytes = 0

    def _number(self, key, default=None):
        field = self.reader.fields.get(key)
        if field is None:
            if default is None:
                raise SystemExit(f"the checkpoint has no '{key}'")
            return default
        return field.contents()

    def weight(self, name):
        """Float32 values as `gguf` dequantises them: [rows, columns] or [n]."""
        if name in self._kept:
            return self._kept[name]
        tensor = self.tensors[name]
        values = gguf.quants.dequantize(tensor.data, tensor.tensor_type)
        shape = [int(n) for n in reversed(tensor.shape)]
        values = np.ascontiguousarray(values, np.float32).reshape(shape)
        if self._kept_bytes + values.nbytes <= KEPT_BYTES:
            self._kept[name] = values
            self._kept_bytes += values.nbytes
        return values

    def vector(self, name):
        return self.weight(name).astype(np.float64)

    def rounding_of(self, name):
        """What rounds the rows that a weight multiplies, or None."""
        tensor = self.tensors[name]
        if self.activations != "f32" and tensor.tensor_type not in PLAIN:
            return round_rows
        if (self.activations == "bf16" and tensor.shape[0] % 2 == 0
                and tensor.tensor_type == gguf.GGMLQuantizationType.BF16):
            return round_to_bf16
        return None

    def linear(self, x, name):
        """x [rows, k] times the transposed weight [n, k], in float64."""
        w = self.weight(name)
        rounded = self.rounding_of(name)
        if rounded:
            error = self._random.uniform(-self.noise, self.noise, x.shape)
            x = rounded(x * (1 + error))
        out = np.empty((x.shape[0], w.shape[0]))
        step = max(1, BLOCK_ELEMENTS // w.shape[1])
        for begin in range(0, w.shape[0], step):
            end = begin + step
            out[:, begin:end] = x @ w[begin:end].astype(np.float64).T
        return out

    def rms_norm(self, x, name):
        scale = 1.0 / np.sqrt(np.mean(x * x, axis=1, keepdims=True) + self.eps)
        return x * scale * self.vector(name)

    def rope(self, x, cos, sin):
        """Rotates adjacent pairs, GGUF's row order; x is [rows, heads, size]."""
        even, odd = x[..., 0::2], x[..., 1::2]
        out = np.empty_like(x)
        out[..., 0::2] = even * cos - odd * sin
        out[..., 1::2] = even * sin + odd * cos
        return out

    def attention(self, q, k, v):
        """Causal, the query heads of a group side by side on one key head."""
        rows = q.shape[0]
        group = self.heads // self.kv_heads
        mask = np.triu(np.full((rows, rows), -np.inf), 1)
        out = np.empty((rows, self.heads, self.head_size))
        for h in range(self.heads):
            keys, values = k[:, h // group], v[:, h // group]
            scores = q[:, h] @ keys.T / np.sqrt(self.head_size) + mask
            p = np.exp(scores - scores.max(axis=1, keepdims=True))
            out[:, h] = (p / p.sum(axis=1, keepdims=True)) @ values
        return out.reshape(rows, -1)


def logits(model, ids):
    """float64 [len(ids), vocabulary]."""
    ids = np.asarray(ids, np.int64)
    if ids.size == 0 or ids.min() < 0 or ids.max() >= model.vocabulary:
        raise ValueError("ids must be there and inside the vocabulary")
    rows, size = len(ids), model.head_size
    frequency = model.rope_base ** (-np.arange(0, size, 2) / size)
    angle = np.arange(rows)[:, None, None] * frequency
    cos, sin = np.cos(angle), np.sin(angle)

    x = model.weight("token_embd.weight")[ids].astype(np.float64)
    for layer in range(model.layers):
        def name(part):
            return f"blk.{layer}.{part}.weight"
        h = model.rms_norm(x, name("attn_norm"))
        q = model.linear(h, name("attn_q")).reshape(rows, model.heads, size)
        k = model.linear(h, name("attn_k")).reshape(rows, model.kv_heads, size)
        v = model.linear(h, name("attn_v")).reshape(rows, model.kv_heads, size)
        a = model.attention(model.rope(q, cos, sin), model.rope(k, cos, sin), v)
        x = x + model.linear(a, name("attn_output"))
        h = model.rms_norm(x, name("ffn_norm"))
        gate = model.linear(h, name("ffn_gate"))
        up = model.linear(h, name("ffn_up"))
        x = x + model.linear(gate / (1.0 + np.exp(-gate)) * up, name("ffn_down"))
    x = model.rms_norm(x, "output_norm.weight")
    return model.linear(x, "token_embd.weight" if model.tied else "output.weight")


def greedy(model, ids, count):
    """`count` ids after `ids`, each from the whole sequence anew."""
    ids = list(ids)
    for _ in range(count):
        ids.append(int(np.argmax(logits(model, ids)[-1])))
    return ids[-count:]


def tokenizer(path):
    """The checkpoint's byte-level BPE as PyPI `tokenizers` has it, or None."""
    import tokenizers
    from tokenizers import decoders, models, pre_tokenizers

    fields = gguf.GGUFReader(path).fields
    if "tokenizer.ggml.merges" not in fields:
        return None
    tokens = fields["tokenizer.ggml.tokens"].contents()
    merges = fields["tokenizer.ggml.merges"].contents()
    bpe = models.BPE(vocab={t: i for i, t in enumerate(tokens)},
                     merges=[tuple(m.split(" ")) for m in merges])
    made = tokenizers.Tokenizer(bpe)
    steps = [pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=True)]
    if fields["tokenizer.ggml.pre"].contents() == "smollm":
        steps.insert(0, pre_tokenizers.Digits(individual_digits=True))
    made.pre_tokenizer = pre_tokenizers.Sequence(steps)
    made.decoder = decoders.ByteLevel()
    return made


def main():
    p = argparse.ArgumentParser(description="greedy text or ids of a GGUF model, "
                                "in float64")
    p.add_argument("model")
    p.add_argument("-p", "--prompt", help="text")
    p.add_argument("--ids", help="ids, comma separated")
    p.add_argument("-n", type=int, default=16)
    p.add_argument("--out", metavar="FILE.npy",
                   help="write the logits of prompt and continuation")
    a = p.parse_args()
    if (a.prompt is None) == (a.ids is None):
        p.error("give either -p or --ids")
    model = Model(a.model)
    tok = tokenizer(a.model) if a.prompt is not None else None
    if a.prompt is not None and tok is None:
        sys.exit(f"{a.model}: has no byte-level BPE tokenizer; use --ids")
    ids = tok.encode(a.prompt).ids if tok else [int(i) for i in a.ids.split(",")]
    new = greedy(model, ids, a.n) if a.n > 0 else []
    print(tok.decode(ids + new) if tok else ",".join(map(str, new)))
    if a.out:
        np.save(a.out, logits(model, ids + new[:-1]))


if __name__ == "__main__":
    main()
