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


# Architectures whose files have the halves of RoPE's pairs apart.
HALF_SPLIT = {"qwen2", "qwen3"}

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
        self._kept = {}
        self._kept_bytes = 0
        self.architecture = self._number("general.architecture")
        self.layers = self._own("block_count")
        self.dim = self._own("embedding_length")
        self.context = self._own("context_length")
        self.heads = self._own("attention.head_count")
        self.kv_heads = self._own("attention.head_count_kv", self.heads)
        self.head_size = self._own("attention.key_length", self.dim // self.heads)
        self.eps = float(self._own("attention.layer_norm_rms_epsilon"))
        self.rope_base = float(self._own("rope.freq_base", 10000.0))
        self.half_split = self.architecture in HALF_SPLIT
        self.vocabulary = int(self.tensors["token_embd.weight"].shape[1])
        self.tied = "output.weight" not in self.tensors
        self._read_features()

    def _read_features(self):
        """What a key may say, once sizes are known."""
        self.windows = self._windows()
        self.attention_scale = (float(self._own("attention.scale", 0.0))
                                or 1 / np.sqrt(self.head_size))
        self.embedding_scale = float(self._own("embedding_scale", 0.0)) or 1.0
        self.residual_scale = float(self._own("residual_scale", 0.0)) or 1.0
        self.logit_scale = float(self._own("logit_scale", 0.0)) or 1.0
        self.frequency, self.magnitude = self._angles()

    def _number(self, key, default=None):
        field = self.reader.fields.get(key)
        if field is None:
            if default is None:
                raise SystemExit(f"the checkpoint has no '{key}'")
            return default
        return field.contents()

    def _own(self, key, default=None):
        return self._number(f"{self.architecture}.{key}", default)

    def _windows(self):
        """Of each layer the positions that a row sees, or None for all."""
        window = self._own("attention.sliding_window", 0) or None
        pattern = self._own("attention.sliding_window_pattern", [True] * self.layers)
        return [window if has else None for has in pattern]

    def _angles(self):
        """The frequency of each pair that turns, and what cosines and sines are
        multiplied by. By the papers: linear scaling divides each frequency
        (arXiv:2306.15595); YaRN divides those that turn at most beta_slow = 1 times in
        the original context, none that turns beta_fast = 32 times, and goes from one to
        the other in a straight line over the pairs between (arXiv:2309.00071)."""
        turned = self._own("rope.dimension_count", self.head_size)
        exponent = np.arange(0, turned, 2) / turned
        frequency = self.rope_base ** -exponent
        if "rope_freqs.weight" in self.tensors:
            frequency = frequency / self.vector("rope_freqs.weight")
        kind = self._own("rope.scaling.type", "none")
        factor = float(self._own("rope.scaling.factor", 1.0))
        magnitude = float(self._own("rope.scaling.attn_factor", 1.0))
        if kind == "linear":
            frequency = frequency / factor
        if kind == "yarn":
            context = self._own("rope.scaling.original_context_length", self.context)
            # The pair, a real number, whose wave is context / turns positions long.
            def pair(turns):
                return (turned * np.log(context / turns / (2 * np.pi))
                        / (2 * np.log(self.rope_base)))
            first = max(np.floor(pair(32)), 0)
            last = min(np.ceil(pair(1)), turned - 1)
            scaled = np.clip((np.arange(turned // 2) - first) / max(last - first, 1e-3),
                             0, 1)
            frequency = frequency * (1 - scaled) + frequency / factor * scaled
            magnitude *= 0.1 * np.log(factor) + 1
        return frequency, magnitude

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
        """x [rows, k] times the transposed weight [n, k], in float64, and its bias."""
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
        bias = name.removesuffix("weight") + "bias"
        return out + self.vector(bias) if bias in self.tensors else out

    def rms_norm(self, x, name):
        """Of the last extent of x: rows, or heads of rows."""
        scale = 1.0 / np.sqrt(np.mean(x * x, axis=-1, keepdims=True) + self.eps)
        return x * scale * self.vector(name)

    def rope(self, x, cos, sin):
        """Rotates the first columns of each head of x [rows, heads, size] by pairs:
        neighbours, or, in some architectures, column i of the turned ones and column i
        of their second half."""
        turned = 2 * cos.shape[-1]
        first, second = slice(0, turned, 2), slice(1, turned, 2)
        if self.half_split:
            first, second = slice(0, turned // 2), slice(turned // 2, turned)
        out = x.copy()
        out[..., first] = x[..., first] * cos - x[..., second] * sin
        out[..., second] = x[..., first] * sin + x[..., second] * cos
        return out

    def attention(self, q, k, v, window):
        """Causal, the query heads of a group side by side on one key head."""
        rows = q.shape[0]
        group = self.heads // self.kv_heads
        mask = np.triu(np.full((rows, rows), -np.inf), 1)
        if window:
            mask += np.tril(np.full((rows, rows), -np.inf), -window)
        out = np.empty((rows, self.heads, self.head_size))
        for h in range(self.heads):
            keys, values = k[:, h // group], v[:, h // group]
            scores = q[:, h] @ keys.T * self.attention_scale + mask
            p = np.exp(scores - scores.max(axis=1, keepdims=True))
            out[:, h] = (p / p.sum(axis=1, keepdims=True)) @ values
        return out.reshape(rows, -1)


def logits(model, ids):
    """float64 [len(ids), vocabulary]."""
    ids = np.asarray(ids, np.int64)
    if ids.size == 0 or ids.min() < 0 or ids.max() >= model.vocabulary:
        raise ValueError("ids must be there and inside the vocabulary")
    rows, size = len(ids), model.head_size
    angle = np.arange(rows)[:, None, None] * model.frequency
    cos, sin = np.cos(angle) * model.magnitude, np.sin(angle) * model.magnitude

    x = model.weight("token_embd.weight")[ids].astype(np.float64)
    x *= model.embedding_scale
    for layer in range(model.layers):
        def name(part):
            return f"blk.{layer}.{part}.weight"
        h = model.rms_norm(x, name("attn_norm"))
        q = model.linear(h, name("attn_q")).reshape(rows, model.heads, size)
        k = model.linear(h, name("attn_k")).reshape(rows, model.kv_heads, size)
        v = model.linear(h, name("attn_v")).reshape(rows, model.kv_heads, size)
        if name("attn_q_norm") in model.tensors:
            q, k = (model.rms_norm(q, name("attn_q_norm")),
                    model.rms_norm(k, name("attn_k_norm")))
        a = model.attention(model.rope(q, cos, sin), model.rope(k, cos, sin), v,
                            model.windows[layer])
        x = x + model.residual_scale * model.linear(a, name("attn_output"))
        h = model.rms_norm(x, name("ffn_norm"))
        gate = model.linear(h, name("ffn_gate"))
        up = model.linear(h, name("ffn_up"))
        down = model.linear(gate / (1.0 + np.exp(-gate)) * up, name("ffn_down"))
        x = x + model.residual_scale * down
    x = model.rms_norm(x, "output_norm.weight")
    return model.linear(x, "token_embd.weight" if model.tied
                        else "output.weight") / model.logit_scale


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
